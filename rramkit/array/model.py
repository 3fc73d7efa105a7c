"""What every tile of one table file shares."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from rramkit.array.backend import Array, Backend, placed
from rramkit.array.cell_current import CellCurrent
from rramkit.array.stages.chain import ReadChain
from rramkit.array.wires import WireModel
from rramkit.table import TableFile

Precision = Literal["float32", "float64"]
_UNCHECKED = 2**31  # rows and columns (1): a switch alone limits no array


@dataclass(frozen=True)
class ArrayModel:
    """Cell current, wires (None: ideal), read time (s) and the read chain (by default nothing but these).

    Attributes
    ----------
    largest : tuple of int or None
        Rows and physical columns of the largest array; None: what the wires were checked on.
    precision : str
        Type of the numbers that stand for a network's conductances and currents.
    wires_within : float
        Relative change of a line's current that writes may make until its tile's wires are solved anew (1); 0: after
        every write.
    backend, device : str
        What a network's reads are computed by, `numpy` or `torch`, and where.
    """

    cells: CellCurrent
    wires: WireModel | None
    t_read: float
    chain: ReadChain = field(default_factory=ReadChain)
    largest: tuple[int, int] | None = None
    precision: Precision = "float64"
    wires_within: float = 0.0
    backend: Backend = "numpy"
    device: str = "cpu"

    @classmethod
    def from_tables(cls, tables: TableFile, *, wires: bool = True, chain: ReadChain | None = None) -> Self:
        """Build from the tables `read` and, when `wires` is asked for, `wires`."""
        read = tables["read"]
        return cls(
            cells=CellCurrent.from_table(read),
            wires=WireModel.from_table(tables["wires"]) if wires else None,
            t_read=read.condition("t_read"),
            chain=chain or ReadChain(),
        )

    def placed(self, g_cell: np.ndarray) -> Array:
        """Return a network's conductances (2, N, M) in the type, the kind of array and the place of this model."""
        return placed(g_cell.astype(self.precision, copy=False), self.backend, self.device)

    @property
    def lines(self) -> WireModel | None:
        """The wires with the multiplexer's resistance at the end of each column."""
        r_series = self.chain.mux.r_series
        if not r_series:
            return self.wires
        wires = self.wires or WireModel(0.0, 0.0, 0.0, 0.0, rows_max=_UNCHECKED, cols_max=_UNCHECKED)
        return replace(wires, r_sense=wires.r_sense + r_series)
