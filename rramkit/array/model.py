"""What every tile of one table file shares."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from rramkit.array.cells import CellCurrent
from rramkit.array.read_chain import ReadChain
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
    """

    cells: CellCurrent
    wires: WireModel | None
    t_read: float
    chain: ReadChain = field(default_factory=ReadChain)
    largest: tuple[int, int] | None = None
    precision: Precision = "float64"

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

    @property
    def lines(self) -> WireModel | None:
        """The wires with the multiplexer's resistance at the end of each column."""
        r_series = self.chain.mux.r_series
        if not r_series:
            return self.wires
        wires = self.wires or WireModel(0.0, 0.0, 0.0, 0.0, rows_max=_UNCHECKED, cols_max=_UNCHECKED)
        return replace(wires, r_sense=wires.r_sense + r_series)
