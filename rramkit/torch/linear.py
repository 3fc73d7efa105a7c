# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""`torch.nn.Linear` on tiles."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from rramkit.array.model import ArrayModel
from rramkit.table import TablesLike
from rramkit.torch.arrays import arrays_of
from rramkit.torch.cells import TileMatrix, TileOptions, Write, drawn_seed


class TileLinear(nn.Linear):
    """`torch.nn.Linear` on tiles: its `weight` (M, N) and `bias` (M,), and `cells` that hold the weight.

    Parameters
    ----------
    in_features, out_features : int
        N and M.
    model : ArrayModel, TableFile, str or Path
        What every tile shares; of a table file, everything that it has, as `array_of_chip` takes it.
    bias : bool
        Whether a bias is added, digitally.
    w_max : float, optional
        Weight that the full conductance range stands for, beyond which a weight is an error; left out, the largest
        weight at the first write, more when weights outgrow it (`rramkit.torch.cells`).
    backward : str
        `tile`: errors go back through the cells; `digital`: through `weight`.
    seed : int, optional
        Seed of all random numbers of the tiles; left out, drawn by PyTorch's generator (`torch.manual_seed`).
    write : callable or PulseWrites, optional
        Conductances after a write: (g_cell, target) to g_cell, each (2, N, M) in siemens; or the pulses of a table
        file; left out, the target exactly. The first write starts from cells at their lowest conductance. The state of
        a `write` that is a torch.nn.Module is saved with the layer's.
    largest : tuple of int, optional
        Rows and physical columns of the largest array: see `TileGrid.of`.
    margin : float
        Range of converters over the largest current of their first batch.

    Examples
    --------
    >>> import torch
    >>> from rramkit.table.example import example
    >>> from rramkit.torch import TileLinear
    >>> TileLinear(20, 10, example())(torch.rand(5, 20)).shape
    torch.Size([5, 10])
    """

    cells: TileMatrix

    def __init__(
        self,
        in_features: int,
        out_features: int,
        model: ArrayModel | TablesLike,
        *,
        bias: bool = True,
        w_max: float | None = None,
        backward: Literal["tile", "digital"] = "tile",
        seed: int | None = None,
        write: Write | None = None,
        largest: tuple[int, int] | None = None,
        margin: float = 1.3,
    ) -> None:
        options = TileOptions(w_max, backward, write, largest, margin)
        super().__init__(in_features, out_features, bias=bias)
        self.put_on_tiles(arrays_of(model), options, seed=(drawn_seed(seed),))

    def put_on_tiles(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        """Add the cells of the weight."""
        self.cells = TileMatrix(model, options, seed=seed)

    def forward(self, input: Tensor) -> Tensor:
        """Return x W^T + b for x (..., N): (..., M)."""
        y = self.cells(input.reshape(-1, input.shape[-1]), self.weight)
        y = y.reshape(*input.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias
