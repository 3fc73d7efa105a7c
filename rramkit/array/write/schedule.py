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

from rramkit.array.backend import Array, is_tensor, largest_at, namespace, numbered, only, resident, size, sums_at
from rramkit.array.write.cell_address import CellAddress

Schedule = Literal["cell", "row", "array"]


@dataclass(frozen=True)
class PulseSlots:
    """Number of each pulse's slot (N,), in its own array, the time that all take (s), and whether none is shared."""

    slot: Array
    seconds: Array | float
    alone: bool


def slots(
    schedule: Schedule,
    address: CellAddress,
    v_pulse: Array,
    seconds: Array,
    *,
    levels: np.ndarray | None = None,
    live: Array | None = None,
) -> PulseSlots:
    """Assign each pulse a slot.

    Parameters
    ----------
    schedule : str
        Cells pulsed at once.
    address : CellAddress
        Array, row and column of each cell (N,).
    v_pulse, seconds : array
        Amplitude and duration of each pulse (N,).
    levels : ndarray, optional
        Amplitudes (A,) that there are, rising; of tensors, which are not looked at.
    live : array of bool, optional
        Pulses of tensors that are fired (N,); left out, all.
    """
    if levels is not None and is_tensor(v_pulse):
        return _slots_of_tensors(schedule, address, v_pulse, seconds, levels=levels, live=live)
    if not v_pulse.size:
        return PulseSlots(np.zeros(0, dtype=np.intp), 0.0, True)
    if schedule == "cell":
        slot = np.arange(v_pulse.size)
    else:
        _, level = np.unique(v_pulse, return_inverse=True)
        line = address.row_line if schedule == "row" else address.array
        slot = line * (int(level.max()) + 1) + level
    _, first = np.unique(slot, return_index=True)
    busy = np.bincount(address.array[first], weights=seconds[first])
    return PulseSlots(slot, float(busy.max()), np.array_equal(slot, np.arange(slot.size)))


def _slots_of_tensors(
    schedule: Schedule,
    address: CellAddress,
    v_pulse: Array,
    seconds: Array,
    *,
    levels: np.ndarray,
    live: Array | None,
) -> PulseSlots:
    """Return the same, a slot for each line and amplitude that there may be."""
    if schedule == "cell":
        busy = sums_at(address.array, only(seconds, live), address.arrays)
        return PulseSlots(numbered(size(v_pulse), v_pulse), busy.max(), True)
    level = namespace(v_pulse).searchsorted(resident(levels, v_pulse), v_pulse)
    lines = address.rows if schedule == "row" else 1
    slot = (address.row_line if schedule == "row" else address.array) * levels.size + level
    longest = largest_at(slot, only(seconds, live), address.arrays * lines * levels.size)
    return PulseSlots(slot, longest.reshape(address.arrays, -1).sum(axis=-1).max(), False)
