"""Scatter of write pulses in closed form: from pulse to pulse, and from device to device.

A pulse of mean change D changes a cell by ::

    cycles    D + s z          s^2 = (relative D)^2 + (floor a)^2      a = |D|/(|D| + floor)
    devices   D exp(+- sigma z)                                        + in SET, - in RESET

z is a standard normal: drawn for each pulse, or once for each device. The floor is what a pulse of a small mean change
scatters by; a pulse that changes nothing does not scatter. A device that changes more in SET than others changes less
in RESET, as one whose filament grows more easily does. The form is this kit's; the numbers and their sources stand with
the device model (`netlists/parameters/`, `[scatter]`).

Distributions are kept as quantiles. The outermost, at the levels 0 and 1, are finite: they are set so that a draw
between the quantiles, linear as `rramkit.surrogate.quantiles` draws, has exactly the standard deviation asked for.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import ndtri

from rramkit.parameters import Parameters, quantity
from rramkit.table.parts import LEVELS, Distribution, Over
from rramkit.table.schema import SET


class PulseScatter(Parameters):
    """Scatter of one write pulse; zeros are none."""

    relative: float = quantity(0.0, "1", "from pulse to pulse, over the mean change", ge=0, le=2)
    floor: float = quantity(0.0, "S", "from pulse to pulse, of a small change", ge=0, le=1e-4)
    devices: float = quantity(0.0, "1", "from device to device, of the logarithm of the change", ge=0, le=2)


def distributions(scatter: PulseScatter, delta_g: np.ndarray) -> Mapping[str, Distribution]:
    """Return the distributions over `cycles` and `devices` around mean changes (...) [S]; none where there is none."""
    found = {}
    if scatter.relative or scatter.floor:
        size = np.abs(delta_g)
        near = size / (size + scatter.floor) if scatter.floor else np.ones_like(size)
        sigma = np.hypot(scatter.relative * size, scatter.floor * near)
        found["cycles"] = _of("cycles", delta_g[..., None] + sigma[..., None] * normal_levels(), sigma)
    if scatter.devices:
        up = np.exp(scatter.devices * normal_levels())
        quantiles = np.where(delta_g[..., None] < 0.0, delta_g[..., None] / up, delta_g[..., None] * up)
        variance = np.expm1(scatter.devices**2) * np.exp(scatter.devices**2)  # of a lognormal of median one
        found["devices"] = _of("devices", quantiles, np.abs(delta_g) * np.sqrt(variance))
    return found


@cache
def normal_levels() -> np.ndarray:
    """Return standard normal quantiles at the levels of a table's distributions; linear between, sigma is one."""
    inner = ndtri(LEVELS[1:-1])

    def excess(end: float) -> float:
        z = np.concatenate([[-end], inner, [end]])
        # of a value that is linear between a and b the mean square is (a^2 + a b + b^2)/3
        return float(np.sum(np.diff(LEVELS) * (z[:-1] ** 2 + z[:-1] * z[1:] + z[1:] ** 2)) / 3.0 - 1.0)

    end = root_scalar(excess, bracket=(float(inner[-1]), 10.0)).root
    return np.concatenate([[-end], inner, [end]])


def _of(over: Over, quantiles: np.ndarray, sigma: np.ndarray) -> Distribution:
    return Distribution(str(SET.delta_g), over, LEVELS, quantiles, sigma, draws=0)
