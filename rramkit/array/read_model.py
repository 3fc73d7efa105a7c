"""What every tile of one table file shares: cell current, wires, read pulse and read chain."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np

from rramkit.array.backend import Array, Backend, copied, is_tensor, namespace, placed
from rramkit.array.cell_current import CellCurrent
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.stage import Stage
from rramkit.array.wires import WireModel
from rramkit.errors import InputError
from rramkit.table import TablesLike, loaded
from rramkit.table.schema import READ

Precision = Literal["float32", "float64"]
LARGEST = (128, 128)
"""Rows and columns of an array where no wires limit it (1): a common size; this kit's own choice."""

_UNCHECKED = 2**31  # rows and columns (1): a series resistance alone limits no array


@dataclass(frozen=True, repr=False)
class ReadModel:
    """How arrays are read; `rramkit.array.ArrayModel` is this and writes them too.

    Attributes
    ----------
    cells : CellCurrent
        Cell current against conductance and voltage.
    wires : WireModel or None
        Resistances of the lines; None: ideal.
    t_read : float
        Duration of a read pulse (s).
    chain : ReadChain
        Stages of a read; by default none.
    largest : tuple of int or None
        Rows and physical columns of the largest array; None: what the wires were checked on.
    precision : str
        Type of the numbers that stand for a network's conductances and currents.
    wires_within : float
        Relative change of a line's current that writes may make until its tile's wires are solved again (1); 0: after
        every write.
    backend, device : str
        What computes a network's reads, `numpy` or `torch`, and on which device.
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
    def from_tables(cls, tables: TablesLike, *, wires: bool = True, chain: ReadChain | None = None) -> Self:
        """Build from the tables `read` and, unless `wires` is false, `wires`."""
        tables = loaded(tables).nominal()
        read = tables[READ.group]
        return cls(
            cells=CellCurrent.from_table(read),
            wires=WireModel.from_tables(tables) if wires else None,
            t_read=read.condition(READ.t_read),
            chain=chain or ReadChain(),
        )

    @property
    def resident(self) -> bool:
        """Whether a network's numbers stay on their device while it trains: no value is looked at."""
        return self.backend != "numpy"

    def checked(self, g_cell: Array, *, values: bool = True) -> Array:
        """Return a copy of conductances (..., 2, R, C) that nobody else can change.

        Without `values` their shape alone is checked.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or an array is larger than the wires were checked on.
        """
        if g_cell.ndim < 3 or g_cell.shape[-3] not in (1, 2) or not math.prod(g_cell.shape):
            raise InputError(
                "`g_cell` must be (..., 2, R, C) in siemens, plus and minus, or single-ended (..., 1, R, C) or (R, C); "
                f"got {tuple(g_cell.shape)}. Reshape it."
            )
        low, high = (float(g_cell.min()), float(g_cell.max())) if values else (1.0, 1.0)
        if not (low > 0.0 and high < math.inf):  # NaN fails both
            raise InputError(
                f"`g_cell` must be finite and above 0 S; got {low:g} to {high:g} S. Program the array first."
            )
        if self.wires is not None:
            self.wires.check(int(g_cell.shape[-2]), int(g_cell.shape[-3]) * int(g_cell.shape[-1]))
        copy = copied(g_cell)
        if isinstance(copy, np.ndarray):
            copy.flags.writeable = False
        return copy

    def placed(self, g_cell: Array) -> Array:
        """Return a network's conductances (2, N, M) in the type, the kind of array and the place of this model."""
        if is_tensor(g_cell):
            xp = namespace(g_cell)
            return xp.astype(g_cell, getattr(xp, self.precision))
        return placed(g_cell.astype(self.precision, copy=False), self.backend, self.device)

    @property
    def lines(self) -> WireModel | None:
        """The wires as a forward read sees them: `lines_of`."""
        return self.lines_of(backward=False)

    def lines_of(self, *, backward: bool) -> WireModel | None:
        """Return the wires as a read sees them, with the ends that the read chain gives them.

        Each end of a line has the resistance of what drives or senses it in that direction: that of the wires, replaced
        by that of the row driver or of the readout where the chain has it, and the line switch and the columns' series
        resistance added. A backward read drives the columns and senses the rows.

        Parameters
        ----------
        backward : bool
            Whether bit lines are driven.

        Returns
        -------
        WireModel or None
            `r_drive` at the end of the rows, `r_sense` at that of the columns; None: no resistance at all.

        Examples
        --------
        >>> import rramkit as rk
        >>> rk.ArrayModel(rk.example()).lines_of(backward=True).r_sense
        50.0
        """
        return self._lines[backward]

    @cached_property
    def _lines(self) -> tuple[WireModel | None, WireModel | None]:
        """The wires as a forward and as a backward read sees them."""
        return self._lines_of(backward=False), self._lines_of(backward=True)

    def _lines_of(self, *, backward: bool) -> WireModel | None:
        chain = self.chain
        r_column, r_line, driving, sensing = chain.r_column, chain.r_line, chain.r_driving, chain.r_sensing
        if not r_column and not r_line and driving is None and sensing is None:
            return self.wires
        wires = self.wires or WireModel(0.0, 0.0, 0.0, 0.0, rows_max=_UNCHECKED, cols_max=_UNCHECKED)
        of_rows, of_columns = (sensing, driving) if backward else (driving, sensing)
        return replace(
            wires,
            r_drive=(wires.r_drive if of_rows is None else of_rows) + r_line,
            r_sense=(wires.r_sense if of_columns is None else of_columns) + r_line + r_column,
        )

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the read chain that are on, in signal order."""
        return self.chain.stages

    @property
    def one_way(self) -> bool:
        """Whether the wires attenuate currents alike in both directions, so that they are solved once for both."""
        return self.lines_of(backward=False) == self.lines_of(backward=True)

    def origins(self) -> dict[str, str]:
        """Return where the numbers of a read come from: cells, wires, and each stage of the chain.

        Returns
        -------
        dict of str to str
            By name: `table`, `typed` or `ideal: not characterised`; see `ReadChain.origins`.

        Examples
        --------
        >>> import rramkit as rk
        >>> rk.ArrayModel(rk.example(), wires=False).origins()["wires"]
        'ideal: left out'
        """
        wires = "ideal: left out" if self.wires is None else "table"
        return {"cell current": "table", "wires": wires, **self.chain.origins()}

    @property
    def largest_array(self) -> tuple[int, int]:
        """Rows and physical columns of the largest array."""
        if self.largest is not None:
            return self.largest
        return LARGEST if self.wires is None else (self.wires.rows_max, self.wires.cols_max)

    def __repr__(self) -> str:
        low, high = (1e6 * float(g) for g in self.cells.g_grid[[0, -1]])
        stages = ", ".join(type(stage).__name__ for stage in self.stages) or "none"
        wires = self.wires
        lines = "no wires" if wires is None else f"{wires.grade} wires to {wires.rows_max} x {wires.cols_max}"
        return f"{type(self).__name__}({low:.3g} to {high:.3g} uS, {lines}, stages: {stages})"
