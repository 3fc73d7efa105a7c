"""Half-select disturb: the effect of a pulse on the other cells of its lines.

Every cell that shares a line with the pulsed one, and is not pulsed itself, is half-selected once for each line that
it shares. Two schemes: `gated`, the kit's arrays (a word line for each row, inhibited lines at their neighbour's
potential), and `half`, V/2 without gating: half the line voltage over the cell with its transistor open. From the
tables `disturb_set` and `disturb_reset`, over conductance and amplitude, each event changes the conductance by a
relative d(g, v)::

    ln g -> ln g +- n d(g, v)                                               + in SET, - in RESET

v is the amplitude of the pulses, the mean over those that disturb. A table whose largest value is what a run can
resolve (1e-12 a pulse) says that nothing is disturbed, and nothing is computed.

Typed, d is a law for the V/2 scheme (`gated` is then exactly nothing)::

    d = rate (g / g_high)^power exp((v - v_rate) / v_fold)

with `v_fold` 0 the last factor is one. The defaults are this kit's measurements of the sky130 cell of version 0.1.0
(disturb deck, lines at 1.7 V in SET, 1.5, 1.9 V in RESET, states 0.5 to 0.95): a steep function of state and voltage,
and small per pulse. Another cell needs its own, or the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from rramkit.array.backend import Array, grouped, is_tensor, largest_at, namespace, sums_at
from rramkit.array.write.cell_address import CellAddress
from rramkit.array.write.state import Polarity
from rramkit.parameters import Parameters, quantity
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import TableFile
from rramkit.table.schema import DISTURBS

_NOTHING = 1.1e-12  # relative change of a cell by a pulse (1): what a run can resolve, and what tables hold at least


class DisturbRate(Parameters):
    """Change of a half-selected cell for each event, in one polarity."""

    rate: float = quantity(4e-8, "1", "relative change of a cell at the highest conductance", ge=0, le=1)
    power: float = quantity(1.8, "1", "exponent of the conductance", ge=0, le=20)
    v_rate: float = quantity(1.7, "V", "amplitude at which `rate` was measured", ge=0, le=10)
    v_fold: float = quantity(0.0, "V", "volts for a factor e; 0: the same at every amplitude", ge=0, le=10)

    def change(self, g_cell: np.ndarray, events: np.ndarray, *, v_mean: float, g_high: float) -> np.ndarray:
        """Return the magnitude of the change of ln g of cells (...) in siemens by `events` (...) events."""
        fold = (v_mean - self.v_rate) / self.v_fold if self.v_fold else 0.0
        fold = namespace(fold).exp(fold) if is_tensor(fold) else np.exp(fold)
        return events * self.rate * (g_cell / g_high) ** self.power * fold


class DisturbParams(Parameters):
    """Inhibit scheme, and where the disturb of each polarity comes from: the tables, or the typed laws below."""

    groups: ClassVar[tuple[str, ...]] = tuple(columns.group for columns in DISTURBS.values())

    scheme: Literal["gated", "half"] = quantity("half", "1", "gated: as the kit's arrays; half: V/2 on half-selected")
    source: Literal["typed", "table"] = quantity(
        "typed", "1", "typed: the laws here; table: the tables `disturb_set` and `disturb_reset` of the file"
    )
    set: DisturbRate = DisturbRate()
    reset: DisturbRate = DisturbRate(rate=5.7e-7, power=1.65, v_rate=1.9, v_fold=0.057)


@dataclass(frozen=True)
class DisturbTables:
    """The tables of a scheme by polarity; a polarity that is left out disturbs nothing."""

    changes: Mapping[Polarity, GridSurrogate]

    @classmethod
    def from_tables(cls, tables: TableFile, scheme: Literal["gated", "half"]) -> Self:
        """Build from a file at one operating condition."""
        changes: dict[Polarity, GridSurrogate] = {}
        for polarity, columns in DISTURBS.items():
            table, signal = tables[columns.group], str(getattr(columns, scheme))
            largest = float(np.max(np.asarray(table.signal(signal).values)))
            if not largest <= _NOTHING:  # one that is not a number is no reason to leave it out
                changes[polarity] = GridSurrogate(table, signal)
        return cls(changes)

    def change(self, polarity: Polarity, g_cell: np.ndarray, events: np.ndarray, *, v_mean: float) -> np.ndarray:
        """Return the magnitude of the change of ln g of cells (...) in siemens by `events` (...) events."""
        return events * self.changes[polarity].at(g_cell, v_mean)


def has_tables(tables: TableFile) -> bool:
    """Return whether a file has the disturb of both polarities."""
    return all(columns.group in tables.tables for columns in DISTURBS.values())


def half_selected(
    pulsed: CellAddress, slot: Array, every: CellAddress, *, alone: bool = False, live: Array | None = None
) -> Array:
    """Return how often each of the cells `every` (M,) is half-selected while `pulsed` (N,) are.

    A slot raises its lines' voltages once: a row or column with several pulsed cells disturbs its others once. `slot`
    (N,) says which cells are pulsed at once; the cells pulsed in a slot are not half-selected in it. Both name cells of
    the same matrices, and `every` all of them, in order. Of tensors `alone` says that no slot has two cells, and `live`
    (N,) which are pulsed; None: all.
    """
    rows = _slots_of(slot, pulsed.row_line, pulsed.arrays * pulsed.rows, alone=alone, live=live)
    cols = _slots_of(slot, pulsed.col_line, pulsed.arrays * pulsed.cols, alone=alone, live=live)
    events = rows[every.row_line] + cols[every.col_line]
    if is_tensor(events):
        own = namespace(slot).ones_like(slot) if live is None else namespace(live).astype(live, slot.dtype)
        return events.index_add_(0, pulsed.flat, own, alpha=-2)
    np.subtract.at(events, pulsed.flat, 2)
    return events


def _slots_of(slot: Array, line: Array, lines: int, *, alone: bool, live: Array | None) -> Array:
    """Return the number of slots in which each line is driven (lines,)."""
    if not is_tensor(line):
        driven = np.unique(slot.astype(np.int64) * lines + line)
        return np.bincount(driven % lines, minlength=lines)
    xp = namespace(line)
    driven = xp.ones_like(line) if live is None else xp.astype(live, line.dtype)
    if alone:
        return sums_at(line, driven, lines)
    group, count = grouped(slot * lines + line)
    counts = largest_at(group, driven, count)  # of each slot and line 1, where any of its cells is pulsed
    of_group = largest_at(group, line, count)
    return sums_at(of_group, counts, lines)
