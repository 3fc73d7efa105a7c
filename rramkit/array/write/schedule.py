"""Pulse schedule: which cells are pulsed at once, and how long it takes; slots of one pulse each.

    cell    one cell of an array in each slot
    row     the cells of one row that want the same amplitude: word and source line are the row's own, so that every
            amplitude is a slot
    array   every cell of an array that wants the same amplitude, as outer products do

Arrays have their own drivers and work side by side: it takes as long as the busiest of them. This kit's choice.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.write.cell_address import CellAddress

Schedule = Literal["cell", "row", "array"]


@dataclass(frozen=True)
class PulseSlots:
    """Number of each pulse's slot (N,), in its own array, and the time that the pulses take (s)."""

    slot: np.ndarray
    seconds: float


def slots(schedule: Schedule, address: CellAddress, v_pulse: np.ndarray, seconds: np.ndarray) -> PulseSlots:
    """Assign each pulse a slot.

    Parameters
    ----------
    schedule : str
        Cells pulsed at once.
    address : CellAddress
        Array, row and column of each cell (N,).
    v_pulse, seconds : ndarray
        Amplitude and duration of each pulse (N,).
    """
    if not v_pulse.size:
        return PulseSlots(np.zeros(0, dtype=np.intp), 0.0)
    if schedule == "cell":
        slot = np.arange(v_pulse.size)
    else:
        _, level = np.unique(v_pulse, return_inverse=True)
        line = address.row_line if schedule == "row" else address.array
        slot = line * (int(level.max()) + 1) + level
    _, first = np.unique(slot, return_index=True)
    busy = np.bincount(address.array[first], weights=seconds[first])
    return PulseSlots(slot, float(busy.max()))
