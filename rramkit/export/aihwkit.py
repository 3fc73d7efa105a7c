"""The device of an aihwkit configuration: `PiecewiseStepDevice`, whose step of a pulse is given at nodes of the weight.

    dw = dw_min * piecewise(w) * (1 + dw_min_std * xi),    w from w_min = -1 to w_max = 1

aihwkit knows pulses of one kind in each direction: here those whose mean change of a cell in the middle of the window
is nearest a part of it. A weight is the conductance of one cell, -1 at the lowest and 1 at the highest conductance that
both tables share. Nodes are evenly spaced; `dw_min` is the mean step of both directions in the middle, so that what
differs between the directions stands in `piecewise_up` and `piecewise_down`, and `up_down` is 0. `dw_min_std` and
`dw_min_dtod` are the deviations from pulse to pulse and from device to device over the mean step, by least squares over
all nodes and both directions; `w_min_dtod` and `w_max_dtod` are those of measured windows. All are 0 where the tables
do not hold them, and so is `up_down_dtod`, which aihwkit spreads by default.

Source: the parameters as aihwkit 1.1 and 1.2 document them (Rasch et al., arXiv 2104.02184).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rramkit.array.write.pulse import GradualWrite, Writer
from rramkit.array.write.update import UpdateParams
from rramkit.errors import InputError
from rramkit.surrogate.quantiles import QuantileSurrogate
from rramkit.table import TableFile

NODES = 33
"""Nodes of the weight: on a GPU aihwkit takes less than 64."""

DEVICE = "PiecewiseStepDevice"

_BELOW, _ABOVE = 0.15865525393145707, 0.8413447460685429  # levels one deviation beside the middle of a normal


@dataclass(frozen=True)
class Preset:
    """A device of aihwkit.

    Attributes
    ----------
    parameters : mapping
        Fields of the device class, by name.
    origin : mapping
        What they were made from, for a reader: file, device, window (S), amplitudes (V).
    """

    parameters: Mapping[str, float | list[float]]
    origin: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """A Python file with `device` and `rpu_config`."""
        fields = "\n".join(f"    {name}={value!r}," for name, value in self.parameters.items())
        origin = "\n".join(f"    {name!r}: {value!a}," for name, value in self.origin.items())
        return (
            f'"""Device of aihwkit, made by `rramkit export` from a table file."""\n\n'
            f"from aihwkit.simulator.configs import {DEVICE}, SingleRPUConfig\n\n"
            f"origin = {{\n{origin}\n}}\n"
            f"device = {DEVICE}(\n{fields}\n)\n"
            f"rpu_config = SingleRPUConfig(device=device)\n"
        )

    @property
    def json(self) -> str:
        """The same as JSON: class, parameters and origin."""
        content = {"device": DEVICE, "parameters": dict(self.parameters), "origin": dict(self.origin)}
        return json.dumps(content, indent=1, allow_nan=False) + "\n"


def preset(tables: TableFile, *, step: float = 0.01, nodes: int = NODES, name: str = "") -> Preset:
    """Return the device of a table file.

    Parameters
    ----------
    tables : TableFile
        Tables `set` and `reset`; with corners, at the nominal one.
    step : float
        Wanted change of a cell in the middle of the window by one pulse, over the window, in (0, 1].
    nodes : int
        Nodes of the weight, 2 to 63.
    name : str
        Name of the file, for `origin`.

    Raises
    ------
    InputError
        When `step` or `nodes` is out of bounds, or no pulse of a table changes a cell in the middle of the window.
    TableError
        When the file lacks a table.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> made = preset(example(), step=0.02)
    >>> len(made.parameters["piecewise_up"]), made.parameters["w_max"]
    (33, 1.0)
    """
    if not 0.0 < step <= 1.0:
        raise InputError(
            f"`step` must be above 0 and at most 1, a part of the conductance window; got {step:g}. Fix it."
        )
    if not 2 <= nodes < 64:
        raise InputError(f"`nodes` must be 2 to 63; got {nodes}. Pass another number.")
    writer = Writer.from_tables(tables)
    low, high = writer.g_range
    g_cell, middle = np.linspace(low, high, nodes), np.array([0.5 * (low + high)])
    pulses = [Pulses.of(write, g_cell, middle, step * writer.span) for write in (writer.set, writer.reset)]
    dw_min = float(np.mean([each.middle for each in pulses]))
    for each, word in zip(pulses, ("set", "reset"), strict=True):
        if not each.middle > 0.0:
            raise InputError(
                f"the table `{word}` must have a pulse that changes a cell in the middle of the window; none does. "
                "Pass a larger `step`, or characterise stronger pulses."
            )
    up, down = pulses
    spread = UpdateParams.from_tables(tables).spread
    window = 0.0 if spread is None else spread.sigma_window  # of the logarithm of a conductance
    parameters: dict[str, float | list[float]] = {
        "w_min": -1.0,
        "w_max": 1.0,
        "dw_min": 2.0 * dw_min / writer.span,
        "up_down": 0.0,
        "piecewise_up": (up.mean / dw_min).tolist(),
        "piecewise_down": (down.mean / dw_min).tolist(),
        "dw_min_std": _relative([(each.cycles, each.mean) for each in pulses]),
        "dw_min_dtod": _relative([(each.devices, each.mean) for each in pulses]),
        "up_down_dtod": 0.0,
        "w_min_dtod": 2.0 * window * low / writer.span,
        "w_max_dtod": 2.0 * window * high / writer.span,
        "write_noise_std": 0.0,
    }
    origin = {"tables": name, "device": tables.provenance.get("device", tables.provenance.get("source", ""))}
    volts = {"v_set": up.v_pulse, "v_reset": down.v_pulse}
    origin = {key: text for key, text in origin.items() if text}
    return Preset(parameters, {**origin, "g_low_siemens": low, "g_high_siemens": high, **volts})


@dataclass(frozen=True)
class Pulses:
    """Steps of equal pulses of one polarity at N conductances (N,), as magnitudes.

    Attributes
    ----------
    v_pulse : float
        Their amplitude (V).
    mean, cycles, devices : ndarray
        Mean step, and its deviations from pulse to pulse and from device to device (S).
    middle : float
        Mean step in the middle of the window (S).
    """

    v_pulse: float
    mean: np.ndarray
    cycles: np.ndarray
    devices: np.ndarray
    middle: float

    @classmethod
    def of(cls, write: GradualWrite, g_cell: np.ndarray, middle: np.ndarray, wanted: float) -> "Pulses":
        """Return the pulses whose mean step in the `middle` (1,) of the window is nearest the wanted one (S)."""
        amplitude, reached = write.nearest(middle, write.sign * np.array([wanted]))
        v_pulse = np.full(g_cell.shape, amplitude[0])
        at = write.coordinates(g_cell, v_pulse)
        mean = np.maximum(write.sign * (np.clip(g_cell + write.mean(g_cell, v_pulse), *write.g_range) - g_cell), 0.0)
        deviations = (_deviation(each, at) for each in (write.cycles, write.devices))
        return cls(float(amplitude[0]), mean, *deviations, middle=float(write.sign * reached[0]))


def _deviation(scatter: QuantileSurrogate | None, at: tuple[np.ndarray | float, ...]) -> np.ndarray:
    """Return the standard deviation (N,) of a distribution by its quantiles; 0 where there is none."""
    if scatter is None:
        return np.zeros(np.shape(at[0]))
    above, below = (scatter.at_level(*at, level=level) for level in (_ABOVE, _BELOW))
    return 0.5 * (above - below)


def _relative(parts: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the deviation over the mean step that fits deviations and means (N,) best, by least squares."""
    deviation, mean = (np.concatenate(each) for each in zip(*parts, strict=True))
    return float(deviation @ mean / (mean @ mean))
