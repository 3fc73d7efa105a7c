# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeForm=false
# (where PyTorch is not installed, the checker takes this very file for it)
"""PyTorch modules whose matrix products go through tiles: `TileLinear` and `TileConv2d`, instead of torch.nn's.

The parameter `weight` is the matrix in memory, which any PyTorch optimiser changes. Before a product the cells are
written to it if it has changed, to their targets exactly unless `write` models the write. Then::

    forward    y = read(x)                     rows driven, one read of the batch
    backward   dL/dx = read^T(dL/dy)           bit lines driven; or from `weight` in memory (`backward="digital"`)
               dL/dw = x^T dL/dy               digital, an outer product

Each vector is scaled by its largest magnitude to the full read voltage. Bias and everything between modules is digital.
Install with the extra: rramkit[torch].
"""

from collections.abc import Callable
from typing import Literal

from rramkit.array.backend import Array
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.model import ArrayModel
from rramkit.array.rng import TileRng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError, SetupError
from rramkit.learning.chip import Chip, ChipSettings
from rramkit.table import TablesLike, loaded

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:
    raise SetupError(
        "rramkit.torch needs PyTorch, which is not installed. Run: pip install 'rramkit[torch]'"
    ) from error

__all__ = ["ChipSettings", "TileConv2d", "TileLinear", "Write", "array_of_chip"]

Write = Callable[[Array, Array], Array]
"""How a write ends: conductances (2, N, M) from those that the cells have and their targets, in siemens."""


def array_of_chip(
    tables: TablesLike, settings: ChipSettings | None = None, *, chain: ReadChain | None = None, wires: bool = True
) -> ArrayModel:
    """Return the arrays of a table file with every stage of a read that it has, as `rramkit train` takes them.

    Parameters
    ----------
    tables : TableFile, str or Path
        The table file.
    settings : ChipSettings, optional
        Stages that are off, operating point, whether typed numbers override the file's; left out, everything.
    chain : ReadChain, optional
        Stages with typed numbers.
    wires : bool
        Whether lines have resistance.
    """
    settings = settings or ChipSettings()
    chip = Chip.of(settings.tables(loaded(tables)), settings, chain=chain, wires=wires)
    return ArrayModel(chip.tables.read, wires=chip.wires, chain=chip.chain)


class TileMatrix:
    """The cells of one module: written when its weight has changed, read in both directions; it counts as it goes.

    Attributes
    ----------
    matrix : MappedMatrix or None
        The cells as they are read; None before the first write.
    energy, seconds, clamped
        Energy (J) and time (s) of all reads, and clamped values: inputs, currents, weights, cells outside the table.
    """

    def __init__(
        self, model: ArrayModel, mapping: Pairs, *, seed: int, write: Write | None, largest: tuple[int, int] | None
    ) -> None:
        self.model, self.mapping, self.write, self.largest, self.seed = model, mapping, write, largest, seed
        self.matrix: MappedMatrix | None = None
        self.rng: TileRng | None = None
        self.energy, self.seconds, self.clamped, self._version = 0.0, 0.0, 0, (0, -1)

    @property
    def grid(self) -> TileGrid | None:
        """The tiles; None before the first write."""
        tile = None if self.matrix is None else self.matrix.tile
        assert tile is None or isinstance(tile, TileGrid)
        return tile

    def update(self, weight: Tensor) -> None:
        """Write the cells if `weight` (M, N) has changed since the last write."""
        version, moved = (id(weight), weight._version), self._elsewhere(weight)
        if version == self._version and not moved:
            return
        with torch.no_grad():
            clipped = weight.detach().clamp(-self.mapping.limit, self.mapping.limit)
            self.clamped += int((clipped != weight).sum())
            if self.matrix is None or moved:
                self.matrix = self._new(clipped.T)
            else:
                target = self.mapping.targets(clipped.T)
                g_cell = target if self.write is None else self.write(self.matrix.g_cell, target)
                self.matrix = self.matrix.programmed(g_cell)
            self.clamped += self.matrix.tile.clamped
        self._version = version

    def read(self, x: Tensor, *, backward: bool) -> Tensor:
        """Return x W for x (B, N), or `backward` x W^T for x (B, M), as the cells are read."""
        assert self.matrix is not None
        product = (self.matrix.backward if backward else self.matrix.forward)(x, rng=self.rng)
        self.energy += product.energy
        self.seconds += product.duration
        self.clamped += product.clamped
        return product.y

    def _elsewhere(self, weight: Tensor) -> bool:
        """Return whether there are no cells on the weight's device yet."""
        return self.matrix is None or self.matrix.g_cell.device != weight.device

    def _new(self, weight: Tensor) -> MappedMatrix:
        shape = TileGrid.shape_of(self.mapping.targets(weight), self.model, largest=self.largest)
        device = None if weight.device.type == "cpu" else str(weight.device)
        periphery = TileRng.seeded((self.seed, 0), shape, device=device)
        self.rng = TileRng.seeded((self.seed, 1), shape, device=device)
        return MappedMatrix.of(weight, self.mapping, self.model, largest=self.largest, rng=periphery)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, matrix: TileMatrix, digital: bool) -> Tensor:  # noqa: ANN001
        ctx.save_for_backward(x, weight)
        ctx.matrix, ctx.digital = matrix, digital
        return matrix.read(x, backward=False)

    @staticmethod
    def backward(ctx, *grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:  # noqa: ANN001
        (x, weight), (error,) = ctx.saved_tensors, grad
        back = None
        if ctx.needs_input_grad[0]:
            back = error @ weight if ctx.digital else ctx.matrix.read(error, backward=True)
        return back, error.T @ x if ctx.needs_input_grad[1] else None, None, None


class _TileModule(nn.Module):
    """Common part of both modules: a weight (M, N) in memory, a bias, and the cells."""

    def __init__(
        self,
        size: tuple[int, int],
        model: ArrayModel,
        *,
        bias: bool,
        w_max: float | None,
        backward: Literal["tile", "digital"],
        seed: int,
        write: Write | None,
        largest: tuple[int, int] | None,
    ) -> None:
        super().__init__()
        if backward not in ("tile", "digital"):
            raise InputError(f"`backward` must be tile or digital; got {backward!r}. Choose one.")
        start = nn.Linear(size[1], size[0], bias=bias)
        self.weight, self.bias = start.weight, start.bias
        self.digital = backward == "digital"
        low, high = (float(end) for end in model.cells.g_grid[[0, -1]])
        largest_weight = float(start.weight.detach().abs().max())
        mapping = Pairs(w_max=w_max or 2.0 * largest_weight).with_window(low, high)
        self.cells = TileMatrix(model, mapping, seed=seed, write=write, largest=largest)

    def _product(self, rows: Tensor) -> Tensor:
        """Return the product of vectors (B, N), with the bias: (B, M)."""
        self.cells.update(self.weight)
        y: Tensor = _Product.apply(rows, self.weight, self.cells, self.digital)
        return y if self.bias is None else y + self.bias


class TileLinear(_TileModule):
    """`torch.nn.Linear` on tiles.

    Parameters
    ----------
    in_features, out_features : int
        N and M.
    model : ArrayModel
        What every tile shares, from a table file.
    bias : bool
        Whether a bias is added, digitally.
    w_max : float, optional
        Weight that the full conductance range stands for; left out, twice the largest initial one. Larger weights are
        clipped and counted.
    backward : str
        `tile`: errors go back through the cells; `digital`: through `weight`.
    seed : int
        Seed of all random numbers of the tiles.
    write : callable, optional
        Conductances after a write: (g_cell, target) to g_cell, each (2, N, M) in siemens; left out, the target.
    largest : tuple of int, optional
        Rows and physical columns of the largest array: see `TileGrid.of`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        model: ArrayModel,
        *,
        bias: bool = True,
        w_max: float | None = None,
        backward: Literal["tile", "digital"] = "tile",
        seed: int = 0,
        write: Write | None = None,
        largest: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(
            (out_features, in_features),
            model,
            bias=bias,
            w_max=w_max,
            backward=backward,
            seed=seed,
            write=write,
            largest=largest,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x W^T + b for x (..., N): (..., M)."""
        return self._product(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)


class TileConv2d(_TileModule):
    """`torch.nn.Conv2d` on tiles: square kernels, one group; each window of the images is one vector.

    Parameters are those of `TileLinear`, with channels, and

    kernel_size, stride, padding : int
        Pixels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        model: ArrayModel,
        *,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        w_max: float | None = None,
        backward: Literal["tile", "digital"] = "tile",
        seed: int = 0,
        write: Write | None = None,
        largest: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(
            (out_channels, in_channels * kernel_size**2),
            model,
            bias=bias,
            w_max=w_max,
            backward=backward,
            seed=seed,
            write=write,
            largest=largest,
        )
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of images (B, C, H, W): (B, M, Ho, Wo)."""
        high, wide = ((size + 2 * self.padding - self.kernel_size) // self.stride + 1 for size in x.shape[-2:])
        windows = nn.functional.unfold(x, self.kernel_size, padding=self.padding, stride=self.stride)  # (B, N, L)
        y = self._product(windows.transpose(1, 2).reshape(-1, windows.shape[1]))
        return y.reshape(x.shape[0], high * wide, -1).transpose(1, 2).reshape(x.shape[0], -1, high, wide)
