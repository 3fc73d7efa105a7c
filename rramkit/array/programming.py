"""Gradual write: one pulse on each selected cell, its amplitude chosen by the table's mean change.

Open loop: the controller knows a cell's conductance before the pulse and the table's mean change for each amplitude
that the driver can make; it fires once and does not read back. The choice of the amplitude is this kit's own design.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.errors import InputError, TableError
from rramkit.surrogate import GridSurrogate
from rramkit.table import Table, TableFile


@dataclass(frozen=True)
class Pulse:
    """What one pulse on each of N cells did.

    Attributes
    ----------
    g_cell : ndarray
        Conductances after it (N,), in siemens, within the table's range.
    energy : ndarray
        Energy of each pulse (N,), in joules.
    clamped : int
        Cells that the pulse would have left outside the table's range, and that were set to its edge.
    """

    g_cell: np.ndarray
    energy: np.ndarray
    clamped: int


@dataclass(frozen=True)
class GradualWrite:
    """One polarity of write pulse: what the table `set` or `reset` says of every amplitude that the driver can make.

    Attributes
    ----------
    delta_g, energy : GridSurrogate
        Change of conductance (S) and energy (J) against conductance before the pulse (S) and amplitude (V).
    v_pulse : ndarray
        Amplitudes (A,) in volts: multiples of the driver's step from the lowest in the table.
    g_range : tuple of float
        Lowest and highest conductance that a cell may be left at (S).
    """

    delta_g: GridSurrogate
    energy: GridSurrogate
    v_pulse: np.ndarray
    g_range: tuple[float, float]

    @classmethod
    def from_table(cls, table: Table, g_range: tuple[float, float] | None = None) -> Self:
        """Build from a table with axes (g_start, v_pulse) and the condition `v_step`; `g_range` is the table's own."""
        delta_g, energy = GridSurrogate(table, "delta_g"), GridSurrogate(table, "energy")
        v_step = table.condition("v_step")
        if not v_step > 0.0:
            raise TableError(f"table `{table.name}` must have v_step above 0 V; got {v_step:g}. Characterise again.")
        low, high = delta_g.x1_range
        steps = int((high - low) / v_step * (1.0 + 1e-9))  # the last one may miss the axis' end by rounding only
        return cls(delta_g, energy, np.minimum(low + v_step * np.arange(steps + 1), high), g_range or delta_g.x0_range)

    def nearest(self, g_cell: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Choose the amplitude whose mean change is nearest the wanted one; the lowest among equals.

        Parameters
        ----------
        g_cell : ndarray
            Conductances before the pulse (N,), in siemens.
        wanted : ndarray
            Wanted changes (N,), in siemens.

        Returns
        -------
        v_pulse, expected : ndarray
            Amplitudes (N,) in volts, and the changes (N,) that the table expects of them in siemens, ending in range.
        """
        change = self.delta_g.at(g_cell[:, None], self.v_pulse)  # (N, A); one beyond the range counts as too far
        best = np.argmin(np.abs(change - wanted[:, None]), axis=1)
        after = g_cell + np.take_along_axis(change, best[:, None], axis=1)[:, 0]
        return self.v_pulse[best], np.clip(after, *self.g_range) - g_cell

    def fire(self, g_cell: np.ndarray, v_pulse: np.ndarray) -> Pulse:
        """Fire one pulse of amplitude `v_pulse` (N,) in volts at cells of conductance `g_cell` (N,) in siemens.

        Raises
        ------
        InputError
            When an amplitude lies outside the table.
        """
        low, high = self.delta_g.x1_range
        if v_pulse.size and (v_pulse.min() < low - 1e-9 or v_pulse.max() > high + 1e-9):
            raise InputError(
                f"`v_pulse` must be within the table, {low:g} to {high:g} V; "
                f"got {v_pulse.min():g} to {v_pulse.max():g} V. Choose from `v_pulse`."
            )
        after = g_cell + self.delta_g.at(g_cell, v_pulse)
        clipped = np.clip(after, *self.g_range)
        margin = 1e-9 * (self.g_range[1] - self.g_range[0])  # rounding is not a clamp
        clamped = int(np.count_nonzero(np.abs(after - clipped) > margin))
        return Pulse(clipped, self.energy.at(g_cell, v_pulse), clamped)


@dataclass(frozen=True)
class Writer:
    """Both polarities of write pulse of one table file, over the conductances that both tables know."""

    set: GradualWrite
    reset: GradualWrite
    g_range: tuple[float, float]

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self:
        """Build from the tables `set` and `reset`; raise `TableError` when they share no conductance."""
        starts = [next(iter(tables[name].axes.values())).values for name in ("set", "reset")]
        low, high = max(float(start[0]) for start in starts), min(float(start[-1]) for start in starts)
        if low >= high:
            raise TableError("tables `set` and `reset` share no conductance. Characterise both over one range.")
        upward, downward = (GradualWrite.from_table(tables[name], (low, high)) for name in ("set", "reset"))
        return cls(upward, downward, (low, high))
