"""The staircase a cell climbs: one pulse at each of the driver's amplitudes, from the lowest to the highest."""

from dataclasses import dataclass

import numpy as np

from rramkit.array.write.pulse import GradualWrite
from rramkit.table import Table


@dataclass(frozen=True)
class Staircase:
    """Conductance of one cell as the driver steps through its P amplitudes.

    Attributes
    ----------
    g_start : float
        Conductance before the first pulse (S).
    v_pulse : ndarray
        Amplitude of each pulse (P,), in volts.
    g_cell, energy : ndarray
        Conductance after each pulse (P,), in siemens, and energy of each pulse (P,), in joules.
    clamped : int
        Pulses that would have left the cell outside the table's range, and left it at its edge.
    """

    g_start: float
    v_pulse: np.ndarray
    g_cell: np.ndarray
    energy: np.ndarray
    clamped: int


def climb(table: Table, *, g_start: float) -> Staircase:
    """Fire one pulse at each amplitude, rising, at one cell that starts from `g_start` (S).

    Parameters
    ----------
    table : Table
        The table `set` or `reset`, with the condition `v_step`.
    g_start : float
        Conductance before the first pulse (S).
    """
    write = GradualWrite.from_table(table)
    g_cell, pulses = np.array([g_start]), []
    for v in write.v_pulse:
        pulses.append(write.fire(g_cell, np.array([v])))
        g_cell = pulses[-1].g_cell
    return Staircase(
        g_start=g_start,
        v_pulse=write.v_pulse,
        g_cell=np.concatenate([pulse.g_cell for pulse in pulses]),
        energy=np.concatenate([pulse.energy for pulse in pulses]),
        clamped=sum(pulse.clamped for pulse in pulses),
    )
