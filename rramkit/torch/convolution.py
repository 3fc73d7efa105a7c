# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""`torch.nn.Conv1d` and `Conv2d` on tiles: each window of the images is one vector, each group a matrix of its own."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from rramkit.array.model import ArrayModel
from rramkit.errors import InputError
from rramkit.table import TablesLike
from rramkit.torch.arrays import arrays_of
from rramkit.torch.cells import TileMatrix, TileOptions, Write, drawn_seed

Pixels = int | tuple[int, int]


class TileConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` on tiles: any kernel, stride, padding, dilation and number of groups.

    Parameters are those of `TileLinear`, with channels, and those of `torch.nn.Conv2d`

    kernel_size, stride, dilation : int or tuple of int
        Pixels, down and across.
    padding : int, tuple of int, `same` or `valid`
        Pixels that are added on each side.
    groups : int
        Parts of the channels that are convolved apart: `cells` is then the list of their matrices.
    padding_mode : str
        `zeros`, `reflect`, `replicate` or `circular`.

    Examples
    --------
    >>> import torch
    >>> from rramkit.table.example import example
    >>> from rramkit.torch import TileConv2d
    >>> TileConv2d(1, 8, example(), kernel_size=(3, 5), padding="same")(torch.rand(2, 1, 9, 9)).shape
    torch.Size([2, 8, 9, 9])
    """

    cells: TileMatrix | nn.ModuleList

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        model: ArrayModel | TablesLike,
        *,
        kernel_size: Pixels,
        stride: Pixels = 1,
        padding: Pixels | Literal["same", "valid"] = 0,
        dilation: Pixels = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        w_max: float | None = None,
        backward: Literal["tile", "digital"] = "tile",
        seed: int | None = None,
        write: Write | None = None,
        largest: tuple[int, int] | None = None,
        margin: float = 1.3,
    ) -> None:
        options = TileOptions(w_max, backward, write, largest, margin)
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
        )
        self.put_on_tiles(arrays_of(model), options, seed=(drawn_seed(seed),))

    def put_on_tiles(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        """Add the cells of the weight, of each group."""
        self.cells = _matrices(self, model, options, seed)

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of images (B, C, H, W) or (C, H, W): (B, M, Ho, Wo) or (M, Ho, Wo)."""
        _check_channels(self, input, 4)
        images = input if input.dim() == 4 else input[None]
        y = _convolved(self, images, self.weight, self.kernel_size, self.stride, self.dilation)
        return y if input.dim() == 4 else y[0]


class TileConv1d(nn.Conv1d):
    """`torch.nn.Conv1d` on tiles; `convert` makes it."""

    cells: TileMatrix | nn.ModuleList

    def put_on_tiles(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        """Add the cells of the weight, of each group."""
        self.cells = _matrices(self, model, options, seed)

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of sequences (B, C, L) or (C, L): (B, M, Lo) or (M, Lo)."""
        _check_channels(self, input, 3)
        images = (input if input.dim() == 3 else input[None])[:, :, None]
        kernel, stride, dilation = ((1, *each) for each in (self.kernel_size, self.stride, self.dilation))
        y = _convolved(self, images, self.weight[:, :, None], kernel, stride, dilation)[:, :, 0]
        return y if input.dim() == 3 else y[0]


Convolution = TileConv1d | TileConv2d


def _matrices(
    module: Convolution, model: ArrayModel, options: TileOptions, seed: Sequence[int]
) -> TileMatrix | nn.ModuleList:
    if module.groups == 1:
        return TileMatrix(model, options, seed=seed)
    return nn.ModuleList(TileMatrix(model, options, seed=(*seed, group)) for group in range(module.groups))


def _check_channels(module: Convolution, x: Tensor, dims: int) -> None:
    if x.dim() not in (dims - 1, dims) or x.shape[1 - dims] != module.in_channels:
        sizes = "C, H, W" if dims == 4 else "C, L"
        wanted = f"(B, {sizes}) or ({sizes}) with C = {module.in_channels}"
        raise InputError(f"`input` must be {wanted}; got {tuple(x.shape)}. Reshape it.")


def _convolved(
    module: Convolution,
    images: Tensor,
    weight: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """Return the convolution of images (B, C, H, W) by a weight (M, C / groups, k, k'): (B, M, Ho, Wo)."""
    images = _padded(module, images)
    spans = [step * (size - 1) + 1 for step, size in zip(dilation, kernel, strict=True)]
    sizes = [(n - span) // step + 1 for n, span, step in zip(images.shape[2:], spans, stride, strict=True)]
    if min(sizes) < 1:
        raise InputError(
            f"`input` with its padding must hold the kernel, {tuple(spans)}; got {tuple(images.shape[2:])}. Pad it."
        )
    windows = nn.functional.unfold(images, tuple(kernel), dilation=tuple(dilation), stride=tuple(stride))
    rows = windows.transpose(1, 2).reshape(-1, windows.shape[1])  # (B L, C k k'), a channel's entries together
    if isinstance(module.cells, TileMatrix):
        y = module.cells(rows, weight.flatten(1))
    else:
        parts = zip(module.cells, rows.chunk(module.groups, 1), weight.flatten(1).chunk(module.groups), strict=True)
        y = torch.cat([cells(part.contiguous(), own) for cells, part, own in parts], dim=1)
    y = y if module.bias is None else y + module.bias
    return y.reshape(images.shape[0], -1, y.shape[1]).transpose(1, 2).reshape(images.shape[0], -1, *sizes)


def _padded(module: Convolution, images: Tensor) -> Tensor:
    """Return images with the borders of the module: `same` may have one pixel more at the end."""
    borders = list(module._reversed_padding_repeated_twice)  # as `torch.nn.functional.pad` takes them
    if isinstance(module.padding, str) and module.padding == "valid":
        borders = [0] * len(borders)
    if not any(borders):
        return images
    if module.padding_mode == "zeros":
        return nn.functional.pad(images, borders)
    if isinstance(module, TileConv1d):
        return nn.functional.pad(images[:, :, 0], borders, mode=module.padding_mode)[:, :, None]
    return nn.functional.pad(images, borders, mode=module.padding_mode)
