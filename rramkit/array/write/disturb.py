"""Half-select disturb: the effect of a pulse on the other cells of its lines.

Gated arrays (a word line for each row, inhibited lines held at their neighbour's potential) have no measurable disturb
in simulation: less than 1e-11 of the state's range a pulse, in the kit's write-disturb deck. Without gating, in the V/2
scheme, every cell that shares a line with the pulsed one, and is not pulsed itself, sees half the line voltage with its
transistor open, once for each line that it shares. After n such events ::

    ln g -> ln g +- n rate (g / g_high)^power exp((v - v_rate) / v_fold)       + in SET, - in RESET

v is the amplitude of the pulses, the mean over those that disturb; with `v_fold` 0 the last factor is one. The defaults
are this kit's measurements of its sky130 cell (disturb deck, lines at 1.7 V in SET, 1.5, 1.9 V in RESET,
states 0.5 to 0.95; `tests/array/test_disturb.py` repeats some): a steep function of state and voltage, and small
per pulse.
"""

from typing import Literal

import numpy as np

from rramkit.array.write.cell_address import CellAddress
from rramkit.parameters import Parameters, quantity


class DisturbRate(Parameters):
    """Change of a half-selected cell for each event, in one polarity."""

    rate: float = quantity(4e-8, "1", "relative change of a cell at the highest conductance", ge=0, le=1)
    power: float = quantity(1.8, "1", "exponent of the conductance", ge=0, le=20)
    v_rate: float = quantity(1.7, "V", "amplitude at which `rate` was measured", ge=0, le=10)
    v_fold: float = quantity(0.0, "V", "volts for a factor e; 0: the same at every amplitude", ge=0, le=10)

    def change(self, g_cell: np.ndarray, events: np.ndarray, *, v_mean: float, g_high: float) -> np.ndarray:
        """Return the magnitude of the change of ln g of cells (...) in siemens by `events` (...) events."""
        fold = np.exp((v_mean - self.v_rate) / self.v_fold) if self.v_fold else 1.0
        return events * self.rate * (g_cell / g_high) ** self.power * fold


class DisturbParams(Parameters):
    """Inhibit scheme, and the disturb rate of each polarity."""

    scheme: Literal["gated", "half"] = quantity("half", "1", "gated: nothing is disturbed; half: V/2 on half-selected")
    set: DisturbRate = DisturbRate()
    reset: DisturbRate = DisturbRate(rate=5.7e-7, power=1.65, v_rate=1.9, v_fold=0.057)


def half_selected(pulsed: CellAddress, slot: np.ndarray, every: CellAddress) -> np.ndarray:
    """Return how often each of the cells `every` (M,) is half-selected while `pulsed` (N,) are.

    A slot raises its lines' voltages once: a row or column with several pulsed cells disturbs its others once. `slot`
    (N,) says which cells are pulsed at once; the cells pulsed in a slot are not half-selected in it. Both name cells of
    the same matrices, and `every` all of them, in order.
    """
    rows = _slots_of(slot, pulsed.row_line, pulsed.arrays * pulsed.rows)
    cols = _slots_of(slot, pulsed.col_line, pulsed.arrays * pulsed.cols)
    events = rows[every.row_line] + cols[every.col_line]
    np.subtract.at(events, pulsed.flat, 2)
    return events


def _slots_of(slot: np.ndarray, line: np.ndarray, lines: int) -> np.ndarray:
    """Return the number of slots in which each line is driven (lines,)."""
    driven = np.unique(slot.astype(np.int64) * lines + line)
    return np.bincount(driven % lines, minlength=lines)
