"""The slow oracle for the sky130 cell: the published equations behind a resistor, the filament clipped at its limits.

It shares no window with the library: up to the limit the filament moves at its full speed, and there it stands still.
"""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

BOLTZMANN = 8.617333262e-5  # eV/K
TOX, TF_MIN, TF_MAX, TF_REF, I_K1, V_REF = 5.0, 3.3, 4.9, 4.7249, 6.140e-5, 0.430


def current(v, s):
    """Return the current (A) at a voltage and a normalised filament thickness."""
    f = TF_MIN + (TF_MAX - TF_MIN) * s
    return I_K1 * np.exp(-(TOX - f) / (TOX - TF_REF)) * np.sinh(v / V_REF)


def cell_voltage(v_drive, s, *, r_series):
    """Return the voltage (V) across the cell behind a resistor."""
    if v_drive == 0:
        return 0.0
    low, high = min(0.0, v_drive), max(0.0, v_drive)
    root = brentq(lambda v: (v_drive - v) / r_series - current(v, s), low, high, xtol=1e-13)
    assert isinstance(root, float)
    return root


def rates(t, y, drive, r_series):
    """State and temperature per ns, at `drive(t)` volt."""
    s, temperature = min(max(y[0], 0.0), 1.0), y[1]
    v = cell_voltage(drive(t), s, r_series=r_series)
    gamma = 16.5 - 1.25 * (TOX - TF_MIN - (TF_MAX - TF_MIN) * s) ** 3
    kt, push = BOLTZMANN * temperature, gamma * 0.25 / TOX * v
    speed = 150 / (TF_MAX - TF_MIN) * (np.exp((-1.501 + push) / kt) - np.exp((-1.500 - push) / kt))
    if (s <= 0 and speed < 0) or (s >= 1 and speed > 0):
        speed = 0.0
    heating = (v * current(v, s) / 3.1825e-16 - (temperature - 300) / 0.23e-9) * 1e-9
    return [speed, heating]


def state_after(state, v_pulses, *, width_ns, rise_ns, rest_ns, r_series):
    """Return the state (P,) after each of P pulses (V) and the rest after it."""
    y, states = np.array([state, 300.0]), []
    for v in v_pulses:
        corners = np.cumsum([0.0, rise_ns, width_ns, rise_ns, rest_ns])
        for begin, end in pairwise(corners):
            drive = lambda t, v=v, corners=corners: np.interp(t, corners, [0, v, v, 0, 0])  # noqa: E731
            # the stop at a limit is a step of the rate: short steps, so that the integrator does not go past it
            solution = solve_ivp(
                rates, (begin, end), y, args=(drive, r_series), method="LSODA", rtol=1e-8, atol=1e-9, max_step=0.1
            )
            y = solution.y[:, -1]
            y[0] = min(max(y[0], 0.0), 1.0)
        states.append(y[0])
    return np.array(states)
