"""What every tile of one table file shares."""

from dataclasses import dataclass, field
from typing import Self

from rramkit.array.cells import CellCurrent
from rramkit.array.read_chain import ReadChain
from rramkit.array.wires import WireModel
from rramkit.table import TableFile


@dataclass(frozen=True)
class ArrayModel:
    """Cell current, wires (None: ideal), read time (s) and the read chain (by default nothing but these)."""

    cells: CellCurrent
    wires: WireModel | None
    t_read: float
    chain: ReadChain = field(default_factory=ReadChain)

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
