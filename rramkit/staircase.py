"""Staircase of a cell: one pulse at each of the driver's amplitudes, from the lowest to the highest."""

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
        Pulses after which the cell was clamped to the table's range.
    """

    g_start: float
    v_pulse: np.ndarray
    g_cell: np.ndarray
    energy: np.ndarray
    clamped: int


def climb(table: Table, *, g_start: float | None = None) -> Staircase:
    """Apply one pulse at each amplitude, rising, to one cell.

    Parameters
    ----------
    table : Table
        A write table with the condition `v_step`.
    g_start : float, optional
        Conductance before the first pulse (S); None: the end of the table's range that the polarity leaves.
    """
    write = GradualWrite.from_table(table)
    if g_start is None:
        g_start = write.g_range[0] if table.polarity == "set" else write.g_range[1]
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
