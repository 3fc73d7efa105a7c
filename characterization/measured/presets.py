"""Tables of published devices from their figures of merit, in closed form.

A train of P pulses runs along the curve y(x) of its nonlinearity label (`fits.nonlinearity`): SET up, RESET down::

    SET    g = g_low + (g_high - g_low) y(x),  x -> x + 1/P      RESET  the curve of its own label,  x -> x - 1/P

    change of one pulse  delta_g(g) = g(x(g) +- 1/P) - g,  x kept within 0 to 1

Noise from pulse to pulse is normal, sigma a fraction of the whole range whatever the conductance (NeuroSim's).
"""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from rramkit.characterization.fits.nonlinearity import curvature_of, shape
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity
from rramkit.table import Distribution, Polarity, Table
from rramkit.table.schema import WRITES

_LEVELS = np.array([0.001, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.999])


class Preset(Parameters):
    """Figures of merit of one device."""

    label: str = Field(default="device", description="name of the device", pattern=r"^[\w :/.-]{1,40}$")
    source: str = Field(default="", description="publication")
    states: int = quantity(64, "1", "pulses over the whole range", ge=2, le=100000)
    nl_set: float = quantity(0.0, "1", "nonlinearity label of the rise", ge=-9, le=9)
    nl_reset: float = quantity(
        0.0, "1", "nonlinearity label of the fall; negative: the first pulses fall most", ge=-9, le=9
    )
    r_on: float = quantity(1e5, "ohm", "resistance at the highest conductance", gt=0, le=1e12)
    on_off: float = quantity(10.0, "1", "highest over lowest conductance", gt=1, le=1e6)
    v_set: float = quantity(1.0, "V", "amplitude of a SET pulse", gt=0, le=20)
    t_set: float = quantity(1e-7, "s", "width of a SET pulse", gt=0, le=1)
    v_reset: float = quantity(1.0, "V", "amplitude of a RESET pulse, as a magnitude", gt=0, le=20)
    t_reset: float = quantity(1e-7, "s", "width of a RESET pulse", gt=0, le=1)
    sigma_cycle: float = quantity(0.0, "1", "deviation of one pulse over the range", ge=0, le=1)

    @property
    def g_range(self) -> tuple[float, float]:
        """Lowest and highest conductance (S)."""
        return 1.0 / (self.r_on * self.on_off), 1.0 / self.r_on


@cache
def presets() -> dict[str, Preset]:
    """Return the presets by name."""
    values = tomllib.loads((Path(__file__).parent / "presets.toml").read_text(encoding="utf-8"))
    return {name: Preset.checked(value, where=f"preset {name}") for name, value in values.items()}


def preset(name: str) -> Preset:
    """Return a preset; raise `InputError` with the names there are."""
    if name not in presets():
        raise InputError(f"`preset` must be one of {', '.join(presets())}; got {name!r}. Pass one of them.")
    return presets()[name]


def write_table(device: Preset, polarity: Polarity, settings: ImportSettings) -> Table:
    """Return the table `set` or `reset` of a preset."""
    low, high = device.g_range
    label, v, t, way = (
        (device.nl_set, device.v_set, device.t_set, 1) if polarity == "set" else
        (device.nl_reset, device.v_reset, device.t_reset, -1)
    )  # fmt: skip
    g_start = np.linspace(low, high, max(settings.points, 4))
    change = _change(g_start, device.g_range, curvature_of(label), way * settings.burst / device.states)
    sigma = device.sigma_cycle * (high - low) * np.sqrt(settings.burst)
    energy = v**2 * t * settings.burst * (g_start + change / 2)
    columns = WRITES[polarity]
    distribution = Distribution(
        columns.delta_g,
        "cycles",
        _LEVELS,
        change[:, None, None] + sigma * ndtri(_LEVELS),
        np.full((g_start.size, 1), sigma),
        draws=0,  # a formula's, none drawn
    )
    return Table(
        name=columns.group,
        axes=columns.of(g_start=g_start, v_pulse=[v]),
        signals=columns.of(delta_g=change[:, None], energy=energy[:, None]),
        conditions=columns.of(t_pulse=t * settings.burst, v_step=v, v_read=settings.read.v_read, burst=settings.burst),
        distributions={} if settings.scatter == "none" or sigma == 0 else {"cycles": distribution},
    )


def _change(g_start: np.ndarray, g_range: tuple[float, float], curvature: float, dx: float) -> np.ndarray:
    """Return the change (N,) [S] of moving by `dx` along a curve from conductances (N,)."""
    low, high = g_range
    y = (g_start - low) / (high - low)
    x = y if curvature == 0 else -np.log1p(y * np.expm1(-curvature)) / curvature
    return (high - low) * (shape(np.clip(x + dx, 0.0, 1.0), curvature) - y)
