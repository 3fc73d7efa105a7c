"""The staircase a cell climbs: one pulse at each of the driver's amplitudes, from the lowest to the highest."""

from dataclasses import dataclass

import numpy as np

from rramkit.surrogate import GridSurrogate
from rramkit.table import Table


@dataclass(frozen=True)
class Staircase:
    """Conductance of one cell as the driver steps through its amplitudes.

    Attributes
    ----------
    v_pulse : ndarray
        Amplitude of each pulse (P,), in volts.
    g_cell : ndarray
        Conductance after each pulse (P,), in siemens.
    g_start : float
        Conductance before the first pulse (S).
    clamped : int
        Pulses that began outside the table's conductances and were looked up at its edge.
    """

    v_pulse: np.ndarray
    g_cell: np.ndarray
    g_start: float
    clamped: int


def climb(table: Table, *, g_start: float) -> Staircase:
    """Fire one pulse at each amplitude, rising, at a cell that starts from `g_start`.

    Parameters
    ----------
    table : Table
        The `set` or the `reset` table: `delta_g` over `g_start` and `v_pulse`.
    g_start : float
        Conductance before the first pulse (S).
    """
    surrogate = GridSurrogate(table, "delta_g")
    v_pulse = amplitudes(table)
    g_cell, g_now, clamped = np.empty(v_pulse.size), g_start, 0
    for index, v in enumerate(v_pulse):
        clamped += surrogate.clamped(g_now, v)
        g_now += float(surrogate.at(g_now, v))
        g_cell[index] = g_now
    return Staircase(v_pulse, g_cell, g_start, clamped)


def amplitudes(table: Table) -> np.ndarray:
    """Return the driver's amplitudes (P,) in volts: `v_step` apart over the table's range, else the table's own."""
    v_pulse = table.axes["v_pulse"].values
    if "v_step" not in table.conditions:
        return v_pulse
    v_step = table.condition("v_step")
    steps = int(np.floor((v_pulse[-1] - v_pulse[0]) / v_step + 1e-6))  # rounding must not lose the last step
    return v_pulse[0] + v_step * np.arange(steps + 1)
