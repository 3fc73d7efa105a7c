"""Write driver of the array, from the tables `write_driver_set` and `write_driver_reset`.

Amplitudes. Code c of the driver settles at v_settled(c, length) at the far end of the stepped line, before the cell
draws current; only these amplitudes can be made, and another one is rounded to the nearest code, as a DAC rounds. Codes
beyond the amplitudes of the tables `set` and `reset` are left out: nobody knows what such a pulse does.

Resistance. The drivers of source and bit line lose r_source and r_bit times the current of all cells that are pulsed at
once on their line (`droop`). Both are taken between the two states of the table by the cell's current; what the pulse
table already has in series (`r_driver`) is taken off for the cell's own current. With `r_source_far` the row's other
cells, which carry a part of that current, are known as well (`source_line`).

Width. The line that makes the pulse takes its time to open: a cell has `t_cell` of the pulse, and that part of the
change of the table's pulse, whose edges are fast.

Energy. A pulse costs what all supplies give in its slot::

    E = e_0(c) + k(c) e_cell + e_inhibit(c)/n

    e_cell  energy of the bare cell in the pulse table (J)    e_0, k  line through the table's two states: its energy
    without the inhibited lines, against its `energy_cell`    e_inhibit  the charge of the row's other bit lines
    n  cells pulsed at once on the row, which share that

Lines' charge is not taken back, and each pulse pays for its word and source line although cells pulsed at once on a row
share them: an upper bound, by the charge of two lines. Time: the slot of the driver, one after the other on each array.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array.backend import at_most, between, interpolated, limited, namespace
from rramkit.array.write.state import Polarity
from rramkit.errors import TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table
from rramkit.table.schema import WRITE_DRIVERS, WRITES

_SAME_WIDTH = 0.01  # of the pulse (1): what two tables' widths may differ by


@dataclass(frozen=True)
class CodeTable:
    """Signals of the driver against its codes (K,), at one length of the lines.

    Attributes
    ----------
    v_settled : ndarray
        Amplitudes (K,), rising (V).
    i_cell : ndarray
        Current of the cell in each of the table's states (K, S), rising along S (A).
    r_source, r_bit : ndarray
        Resistance of the drivers in each state (K, S) (ohm).
    r_source_far : ndarray or None
        The source line's loss at the cell over its current in each state (K, S) (ohm); None: not characterised.
    e_first, e_slope, e_inhibit : ndarray
        Energy beside the cell's (J), energy for each joule of the cell (1), charge of the inhibited lines (J); (K,).
    width : ndarray
        Part of the pulse table's width that the cell has of a pulse (K,) (1).
    t_slot : float
        Time from one pulse to the next (s).
    """

    v_settled: np.ndarray
    i_cell: np.ndarray
    r_source: np.ndarray
    r_bit: np.ndarray
    r_source_far: np.ndarray | None
    e_first: np.ndarray
    e_slope: np.ndarray
    e_inhibit: np.ndarray
    width: np.ndarray
    t_slot: float

    @cached_property
    def steps(self) -> np.ndarray:
        """Number of each amplitude (K,), as floats."""
        return np.arange(self.v_settled.size, dtype=float)


@dataclass(frozen=True)
class Load:
    """Where pulsed cells (N,) lie in a driver's table: code, part (1) to the next, share (1) between the states."""

    code: np.ndarray
    part: np.ndarray
    share: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return what a signal (K, S) is for each cell (N,)."""
        mine = between(values, self.code, self.part)
        return mine[:, 0] + self.share * (mine[:, -1] - mine[:, 0])


@dataclass(frozen=True)
class WriteDriver:
    """The driver of one polarity.

    Attributes
    ----------
    codes : CodeTable
        What each code does.
    polarity : str
        `set` or `reset`.
    r_table : float
        Resistance that the pulse table has in series with each line already (ohm).
    cells : int
        Cells on the line for which the table was read.
    r_neighbour : float
        ReRAM of the other cells of the row (ohm).
    """

    codes: CodeTable
    polarity: Polarity
    r_table: float
    cells: int = 1
    r_neighbour: float = 0.0

    @classmethod
    def from_table(cls, table: Table, *, cells: int, pulses: Table) -> Self:
        """Build from a driver's table at one operating condition, for lines of so many cells.

        Parameters
        ----------
        table : Table
            `write_driver_set` or `write_driver_reset`.
        cells : int
            Cells on the stepped line; a length outside the table counts as its end.
        pulses : Table
            `set` or `reset`, for the width of its pulses and what it has in series.

        Raises
        ------
        TableError
            When a signal, an axis or a condition is missing, or the pulses have another width.
        """
        polarity: Polarity = "reset" if table.polarity == "reset" else "set"
        columns = WRITE_DRIVERS[polarity]
        _check_width(table, pulses, columns.t_pulse)
        ends = np.asarray(table.axes[columns.code].values, dtype=float)[[0, -1]]
        code = np.arange(ends[0], ends[1] + 1.0)
        states = np.asarray(table.axes[columns.state].values) if columns.state in table.axes else np.zeros(1)

        def over(signal: str) -> np.ndarray:
            """Return a signal over codes and states (K, S)."""
            look_up = GridSurrogate(table, signal)
            named = (str(columns.code), str(columns.cells), str(columns.state))
            place = dict(zip(named, (code[:, None], float(cells), states[None, :]), strict=True))
            values = look_up.at(*(place[str(axis)] for axis in table.axes))
            return np.broadcast_to(values, (code.size, states.size))

        def optional(signal: str) -> np.ndarray:
            return over(signal) if signal in table.signals else np.zeros((code.size, states.size))

        v_settled = over(columns.v_settled).mean(axis=1)
        i_cell = optional(columns.i_end)
        if columns.r_source in table.signals:
            r_source, r_bit = over(columns.r_source), over(columns.r_bit)
        else:  # the stepped line carries the cell's current in RESET alone
            droop = over(columns.v_settled) - over(columns.v_end)
            carries = polarity == "reset" and columns.i_end in table.signals
            r_source, r_bit = (droop / i_cell if carries else np.zeros_like(droop)), np.zeros_like(droop)
        e_inhibit = optional(columns.energy_inhibit).mean(axis=1)
        energy, e_cell = over(columns.energy) - optional(columns.energy_inhibit), over(columns.energy_cell)
        e_slope = np.ones(code.size)
        if states.size > 1:
            e_slope = (energy[:, -1] - energy[:, 0]) / (e_cell[:, -1] - e_cell[:, 0])
        series = pulses.conditions.get(WRITES[polarity].r_driver)
        return cls(
            CodeTable(
                v_settled=np.maximum.accumulate(v_settled),
                i_cell=i_cell,
                r_source=r_source,
                r_bit=r_bit,
                r_source_far=over(columns.r_source_far) if columns.r_source_far in table.signals else None,
                e_first=energy[:, 0] - e_slope * e_cell[:, 0],
                e_slope=e_slope,
                e_inhibit=e_inhibit,
                width=_width(over(columns.t_cell), pulses) if columns.t_cell in table.signals else np.ones(code.size),
                t_slot=table.condition(columns.t_slot),
            ),
            polarity,
            0.0 if series is None else float(series),
            round(float(np.clip(cells, *table.valid_range(columns.cells)))) if columns.cells in table.axes else cells,
            # without it the loss at the far end says nothing of other cells: an error, not a zero
            table.condition(columns.r_neighbour) if columns.r_source_far in table.signals else 0.0,
        )

    def amplitudes(self, low: float, high: float) -> np.ndarray:
        """Return the amplitudes (A,) of the codes within `low` to `high` volts; half a step beyond counts as the end.

        Raises
        ------
        TableError
            When there is none.
        """
        v = self.codes.v_settled
        half = 0.5 * (v[-1] - v[0]) / max(v.size - 1, 1)
        inside = np.unique(np.clip(v[(v >= low - half) & (v <= high + half)], low, high))
        if not inside.size:
            raise TableError(
                f"the write driver makes {v[0]:g} to {v[-1]:g} V, the table `{self.polarity}` holds {low:g} to {high:g}"
                " V: no amplitude is in both. Characterise pulses over the driver's amplitudes."
            )
        return inside

    def load(self, v_pulse: np.ndarray, current: np.ndarray) -> Load:
        """Return where cells of currents (N,) (A), pulsed at amplitudes (N,) (V), lie between the table's states."""
        low, part = self._place(v_pulse)
        i_cell, xp = between(self.codes.i_cell, low, part), namespace(current)
        width = i_cell[:, -1] - i_cell[:, 0]
        share = xp.zeros_like(current)
        if self.codes.i_cell.shape[1] > 1:
            share = limited((current - i_cell[:, 0]) / xp.where(width > 0.0, width, 1.0), 0.0, 1.0)
        return Load(low, part, share)

    def width(self, v_pulse: np.ndarray) -> np.ndarray:
        """Return the part of a pulse's width that cells have of pulses at amplitudes (N,) (1).

        Their change is that part of the pulse table's: the state's rate is what the voltage gives, so long as it lasts.
        """
        return interpolated(v_pulse, self.codes.v_settled, self.codes.width)

    def energy(self, v_pulse: np.ndarray, e_cell: np.ndarray, at_once: np.ndarray) -> np.ndarray:
        """Return the energy (N,) of pulses (J) whose cells take `e_cell` (N,), `at_once` (N,) of them on a row."""
        low, part = self._place(v_pulse)
        table = self.codes
        first, slope, inhibit = (
            between(values, low, part) for values in (table.e_first, table.e_slope, table.e_inhibit)
        )
        return namespace(e_cell).maximum(first + slope * e_cell, e_cell) + inhibit / at_once

    def _place(self, v_pulse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the code below each amplitude (N,), and how far (0 to 1) it is towards the next."""
        position = interpolated(v_pulse, self.codes.v_settled, self.codes.steps)
        xp, last = namespace(position), max(self.codes.v_settled.size - 2, 0)
        low = at_most(xp.astype(position, xp.int64), last)
        return low, position - low


def _width(t_cell: np.ndarray, pulses: Table) -> np.ndarray:
    """Return the mean over states of the times (K, S) over the width of the table's pulses (K,)."""
    polarity: Polarity = "reset" if pulses.polarity == "reset" else "set"
    return t_cell.mean(axis=1) / pulses.condition(WRITES[polarity].t_pulse)


def _check_width(table: Table, pulses: Table, t_pulse: str) -> None:
    """Refuse a driver whose pulses are wider or narrower than those of the pulse table."""
    if t_pulse not in table.conditions or t_pulse not in pulses.conditions:
        return
    own, theirs = table.condition(t_pulse), pulses.condition(t_pulse)
    if abs(own - theirs) > _SAME_WIDTH * theirs:
        raise TableError(
            f"`{table.name}` must have the pulse width of `{pulses.name}`, {theirs:g} s; got {own:g} s. "
            "Characterise both at one width."
        )
