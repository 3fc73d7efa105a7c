"""A device behind a series resistor, integrated by SciPy: the reference that ngspice is compared with."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from rramkit.circuits.device import Device, DevicePulseParams
from rramkit.netlists.equations import Equations

_RTOL, _ATOL = 1e-8, 1e-10  # three decades below the 1e-3 required of ngspice


def cell_voltage(device: Device, v_drive: float, s: float, *, r_series: float) -> float:
    """Return the voltage [V] over a device in state `s`, driven through a resistor."""
    return _cell_voltage(device.equations, device.values, v_drive, s, r_series)


def state_after(params: DevicePulseParams) -> np.ndarray:
    """Return the state (P,) after each pulse of the train, its edges and the rest after it included."""
    model, values = params.device.equations, params.device.values
    y, states = [params.state, *model.others], []
    for amplitude in params.v_pulse:
        for duration, drive in _segments(params, amplitude):
            y = _integrate(model, values, y, duration, drive, params.r_series)
        states.append(y[0])
    return np.array(states)


def read_drift(device: Device, v_read: float, *, states: int = 41) -> float:
    """Return the largest |ds/dt| [1/s] over the states, at a voltage across the cell itself and at rest otherwise."""
    model, values = device.equations, device.values
    grid = np.linspace(0.0, 1.0, states)
    return max(abs(model.rate(values, v_read, [float(s), *model.others])[0]) for s in grid)


def _segments(params: DevicePulseParams, amplitude: float) -> list[tuple[float, Callable[[float], float]]]:
    """Duration [s] and drive [V] over its own time of: rising edge, plateau, falling edge."""
    rise = params.t_rise
    return [
        (rise, lambda t: amplitude * t / rise),
        (params.t_pulse, lambda _: amplitude),
        (rise, lambda t: amplitude * (1 - t / rise)),
        (params.t_rest, lambda _: 0.0),
    ]


def _integrate(
    model: Equations,
    values: dict[str, float],
    y: list[float],
    duration: float,
    drive: Callable[[float], float],
    r_series: float,
) -> list[float]:
    """Integrate over one segment in units of its duration."""

    def slope(x: float, y: np.ndarray) -> list[float]:
        s = min(max(float(y[0]), -0.1), 1.1)  # as the libraries: LSODA tries steps far past the bounds
        v = _cell_voltage(model, values, drive(x * duration), s, r_series)
        return [duration * rate for rate in model.rate(values, v, [s, *(float(part) for part in y[1:])])]

    solution = solve_ivp(slope, (0.0, 1.0), y, method="LSODA", rtol=_RTOL, atol=_ATOL)
    if not solution.success:
        raise ArithmeticError(f"SciPy did not finish: {solution.message}")
    return [float(part) for part in solution.y[:, -1]]


def _cell_voltage(model: Equations, values: dict[str, float], v_drive: float, s: float, r_series: float) -> float:
    if v_drive == 0:
        return 0.0

    def excess(v: float) -> float:
        return model.current(values, v, s) * r_series + v - v_drive

    return float(brentq(excess, min(v_drive, 0.0), max(v_drive, 0.0), xtol=1e-13, rtol=1e-13))  # pyright: ignore[reportArgumentType]
