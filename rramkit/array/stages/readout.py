"""Readout: holds a sensed line at its clamp voltage and turns its current into a voltage, in one of its gain settings.

The output of an amplifier with the feedback resistor r_f, above that at rest, is a rising curve of the line's current::

    v_out = f(i')                i' = i (1 + r_0 g) / (1 + r_in g) + v_offset g
    i  current of the line behind wires that end in r_0 (A)        g  conductance of all cells of the line (S)

`f` has the curvature and the saturation of the table; between its points it is a monotone cubic. The input resistance
r_in is the line's end of the wires (`wires`, r_sense); these are solved with r_0, that of the largest range, and a
smaller range's own is a divider with the line's conductance (exact for one column, and to first order for many). The
input offset of the amplifier, one number for each sense unit, puts `v_offset` across every cell of the line and adds to
the output itself. Noise: `i_noise`, at the input.

A sense unit's readout is made from the groups

    readout_transimpedance    f and r_in of every gain setting (`r_feedback`), energy of a read against its current
    readout_offset            standard deviation of `v_offset`
    readout_noise             `i_noise` for each gain setting, against the conductance of the line

f is taken at the smallest line conductance whose current reaches the full output, continued by that of larger ones;
`spread` of a gain setting is the largest distance of the other conductances' points from it, over the full output. r_in
is the slope of the line's own voltage (`v_error`) against its current up to the full output, for each of the table's
line conductances: a heavy line at a high gain has not settled when it is read, which is a larger resistance.

A tile takes the smallest range that holds its currents, for each direction (`Tile.calibrated`); before, the largest.
The current of the offset, v_offset g, is part of them, and may be below rest: a unit whose offset is -1 mV has 2.5 uA
less than nothing on a line of 2.5 mS, 70 mV at 28 kohm.
Off: no gain settings.
"""

import itertools
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array.backend import Array, interpolated, namespace
from rramkit.array.stages.interpolation import extrapolated
from rramkit.array.stages.stage import LineDrive, Stage
from rramkit.errors import TableError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.parameters import Parameters, quantity
from rramkit.table import Table, TableFile
from rramkit.table.schema import READOUT_NOISE, READOUT_OFFSET, READOUT_TRANSIMPEDANCE

_FULL = 0.5
"""Part of the largest output of a gain setting (1) up to which its input resistance and `spread` hold."""

_PER_STEP = 16  # points of the curve between two of the table's (1): linear between them is off by 1/256 of the bend


def _floats(unit: str, description: str) -> Any:  # noqa: ANN401  (as pydantic's Field)
    return Field(default=(), description=description, json_schema_extra={"unit": unit})


class ReadoutGain(Parameters):
    """One gain setting of a readout."""

    r_feedback: float = quantity(1e4, "ohm", "feedback resistor", gt=0.0)
    g_in: tuple[float, ...] = _floats("S", "line conductances of `r_in`, rising")
    r_in: tuple[float, ...] = _floats("ohm", "input resistance at each of them")
    i_in: tuple[float, ...] = _floats("A", "currents of the line, rising from 0")
    v_out: tuple[float, ...] = _floats("V", "output at each of them, less that at rest")
    i_energy: tuple[float, ...] = _floats("A", "currents of `energy`, rising")
    energy: tuple[float, ...] = _floats("J", "energy of one read at each of them, from the supply")
    g_noise: tuple[float, ...] = _floats("S", "line conductances of `i_noise`, rising")
    i_noise: tuple[float, ...] = _floats("A", "standard deviation of the noise at each of them")
    spread: float = quantity(0.0, "1", "largest difference by the line's conductance, over the full output", ge=0.0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        lengths = (
            *((self.i_in, self.v_out), (self.i_energy, self.energy)),
            *((self.g_noise, self.i_noise), (self.g_in, self.r_in)),
        )
        if any(len(one) != len(other) for one, other in lengths) or len(self.i_in) < 2:
            raise ValueError("v_out, energy, i_noise and r_in must hold one value for each point, v_out at least two")
        rising = (self.i_in, self.i_energy, self.g_noise, self.g_in)
        if any(later <= earlier for each in rising for earlier, later in itertools.pairwise(each)):
            raise ValueError("i_in, i_energy, g_noise and g_in must rise")
        return self

    def curve(self) -> "TransferCurve":
        """Return the transfer curve."""
        return _curve(self.i_in, self.v_out)

    def resistance(self, g_line: Array) -> Array:
        """Return the input resistance (ohm) with lines of conductances (...) in siemens."""
        return interpolated(g_line, points(self.g_in), points(self.r_in)) if self.r_in else 0.0 * g_line

    def noise(self, g_line: Array) -> Array:
        """Return the standard deviation (A) of the noise with lines of conductances (...) in siemens."""
        return interpolated(g_line, points(self.g_noise), points(self.i_noise)) if self.i_noise else 0.0 * g_line

    def read_energy(self, i: Array) -> Array:
        """Return the energy (J) of a read at currents (...) in amperes: linear between the table's, and beyond."""
        if not self.energy:
            return 0.0 * i
        return extrapolated(i, points(self.i_energy), points(self.energy))


@lru_cache(maxsize=256)
def points(values: tuple[float, ...]) -> np.ndarray:
    """Return numbers of the settings as an array, the same object each time."""
    return np.asarray(values, dtype=float)


class TransferCurve:
    """A readout's output (V) against the line's current (A), rising; both ways.

    Below rest it goes on straight; above its last point it stays there.

    Attributes
    ----------
    i, v : ndarray
        Points (N,), from rest on; linear between them.
    i_end : float
        Current (A) where the output saturates: its slope falls below half of that at rest, or the curve ends.
    """

    def __init__(self, i: np.ndarray, v: np.ndarray) -> None:
        self.i, self.v = i, v
        self._slope = float((v[1] - v[0]) / (i[1] - i[0]))
        flat = np.flatnonzero(np.diff(v) < 0.5 * self._slope * np.diff(i))
        self.i_end = float(i[flat[0]] if flat.size else i[-1])

    def output(self, i: Array) -> Array:
        """Return the output (V) at currents (...) in amperes."""
        first, low = float(self.i[0]), float(self.v[0])
        return namespace(i).where(i < first, low + self._slope * (i - first), interpolated(i, self.i, self.v))

    def current(self, v: np.ndarray) -> np.ndarray:
        """Return the current (A) at which the output passes `v` (...) in volts; infinity where it never does."""
        inside = np.interp(v, self.v, self.i, right=np.inf)
        return np.where(v < self.v[0], self.i[0] + (v - self.v[0]) / self._slope, inside)


@lru_cache(maxsize=64)
def _curve(i_in: tuple[float, ...], v_out: tuple[float, ...]) -> TransferCurve:
    """Return the curve through points: a monotone cubic at `_PER_STEP` points between two of them."""
    knots = np.asarray(i_in)
    part = np.arange(_PER_STEP) / _PER_STEP
    i = np.append((knots[:-1, None] + np.diff(knots)[:, None] * part).ravel(), knots[-1])
    v = MonotoneCubic(knots, np.asarray(v_out))(i)
    rising = np.append(True, np.diff(np.maximum.accumulate(v)) > 0.0)
    return TransferCurve(i[rising], v[rising])


class Readout(Stage):
    """Gain settings, offset and noise of the readouts."""

    groups: ClassVar[tuple[str, ...]] = (READOUT_TRANSIMPEDANCE.group, READOUT_OFFSET.group, READOUT_NOISE.group)

    gains: tuple[ReadoutGain, ...] = Field(
        default=(), description="gain settings, by rising feedback resistor; empty: the current itself"
    )
    r_feedback: float | None = quantity(
        None, "ohm", "gain setting of every tile; left out, the smallest range that holds its currents", gt=0.0
    )
    r_in: float | None = quantity(None, "ohm", "input resistance in place of the gain settings' own", ge=0.0, le=1e6)
    v_rest: float = quantity(0.0, "V", "output, and line, at rest", ge=0.0, le=10.0)
    offset_mean: float = quantity(0.0, "V", "input offset of every unit, that of a perfectly matched one")
    offset_sigma: float = quantity(0.0, "V", "standard deviation of the input offset from unit to unit", ge=0.0, le=1.0)
    noise: float | None = quantity(None, "A", "noise in place of the gain settings' own", ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        resistors = [gain.r_feedback for gain in self.gains]
        if any(later <= earlier for earlier, later in itertools.pairwise(resistors)):
            raise ValueError("gains must have rising feedback resistors")
        if self.gains and self.r_feedback is not None and self.r_feedback not in resistors:
            listed = ", ".join(f"{each:g}" for each in resistors)
            raise ValueError(f"r_feedback must be one of the gain settings {listed}")
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return the readouts of `readout_transimpedance`; None where the file has none with gain settings."""
        columns = READOUT_TRANSIMPEDANCE
        table = tables.tables.get(columns.group)
        if table is None or columns.r_feedback not in table.axes:
            return None
        noise = tables.tables.get(READOUT_NOISE.group)
        resistors = np.asarray(table.axes[columns.r_feedback].values, dtype=float)
        gains = [
            _gain(table.along(columns.r_feedback, float(r)), float(r), _noise(noise, float(r)))
            for r in np.sort(resistors)
        ]
        values: dict[str, Any] = {
            "gains": gains,
            "v_rest": table.condition(columns.v_clamp),
            "offset_mean": _systematic_offset(table),
        }
        if READOUT_OFFSET.group in tables.tables:
            values["offset_sigma"] = tables[READOUT_OFFSET.group].sigma(READOUT_OFFSET.v_offset)
        return cls.checked(values, where="the table `readout_transimpedance`")

    @property
    def on(self) -> bool:
        """Whether there is a readout."""
        return bool(self.gains)

    @property
    def linear(self) -> bool:
        """Its curve is not."""
        return not self.on

    @property
    def first(self) -> int:
        """Number of the gain setting before calibration: the given one, or that of the largest range."""
        return next((k for k, gain in enumerate(self.gains) if gain.r_feedback == self.r_feedback), 0)

    @property
    def calibrates(self) -> bool:
        """Whether tiles choose their gain setting."""
        return len(self.gains) > 1 and self.r_feedback is None

    @property
    def r_sensing(self) -> float | None:
        """Input resistance of the gain setting before calibration, with the lightest line (ohm)."""
        return float(self.input_resistance(self.first, np.zeros(()))) if self.on else self.r_in

    def input_resistance(self, gain: int, g_line: Array) -> Array:
        """Return the input resistance (ohm) in a gain setting with lines of conductances (...) in siemens."""
        return self.gains[gain].resistance(g_line) if self.r_in is None else 0.0 * g_line + self.r_in

    @property
    def supplied(self) -> bool:
        """Whether the energy of a read is that of the readout's supply."""
        return any(gain.energy for gain in self.gains)

    def drive(self, lines: LineDrive) -> LineDrive:
        """Say that the cells' energy is in that of the supply."""
        return replace(lines, supplied=lines.supplied or self.supplied)


def _noise(table: Table | None, r_feedback: float) -> dict[str, tuple[float, ...]]:
    """Return line conductances and noise of a gain setting, as fields of `ReadoutGain`."""
    if table is None:
        return {}
    if READOUT_NOISE.r_feedback in table.axes:
        table = table.along(READOUT_NOISE.r_feedback, r_feedback)
    i_noise = np.asarray(table.signal(READOUT_NOISE.i_noise).values, dtype=float).reshape(-1)
    g_noise = np.asarray(table.axes[READOUT_NOISE.g_cells].values) if READOUT_NOISE.g_cells in table.axes else [0.0]
    return {"g_noise": tuple(np.asarray(g_noise, dtype=float).tolist()), "i_noise": tuple(i_noise.tolist())}


def _gain(table: Table, r_feedback: float, noise: dict[str, tuple[float, ...]]) -> dict[str, Any]:
    """Return a gain setting as fields of `ReadoutGain` from its table over input and line conductance."""
    columns = READOUT_TRANSIMPEDANCE
    order = [list(table.axes).index(axis) for axis in (columns.g_cells, columns.v_in)]

    def over_lines(name: str) -> np.ndarray:
        values = np.transpose(np.asarray(table.signal(name).values, dtype=float), order)
        good = np.transpose(~table.masked(name), order)
        return np.where(good, values, np.nan)  # (lines, inputs)

    i_in, v_out = over_lines(columns.i_in), np.abs(over_lines(columns.v_out))
    lines = np.argsort(np.asarray(table.axes[columns.g_cells].values))
    i_in, v_out = i_in[lines], v_out[lines]
    i_in = _less_rest(table, i_in)
    if not np.any(np.isfinite(i_in) & np.isfinite(v_out)):
        raise TableError(
            f"`{table.name}` must hold currents and outputs at {r_feedback:g} ohm; every point failed. "
            "Regenerate it with `rramkit characterize`."
        )
    full = _FULL * np.nanmax(v_out)
    reach = np.flatnonzero(np.any(v_out >= full, axis=1))
    i, v = _continued(i_in[reach[0] :], v_out[reach[0] :])
    if i.size < 2:
        raise TableError(
            f"`{table.name}/v_out` must rise with the current at {r_feedback:g} ohm. "
            "Regenerate it with `rramkit characterize`."
        )
    curve = _curve(tuple(i.tolist()), tuple(v.tolist()))
    used = np.isfinite(i_in) & np.isfinite(v_out) & (v_out <= full)
    values: dict[str, Any] = {
        "r_feedback": r_feedback,
        "i_in": tuple(i.tolist()),
        "v_out": tuple(v.tolist()),
        "spread": float(np.max(np.abs(curve.output(i_in[used]) - v_out[used])) / full),
        **noise,
    }
    if columns.v_error in table.signals:
        v_error = over_lines(columns.v_error)[lines]
        v_error = v_error - v_error[:, :1]  # at rest: the offset
        use = used & np.isfinite(v_error)
        g_in = np.sort(np.asarray(table.axes[columns.g_cells].values, dtype=float))
        power = np.sum(np.where(use, i_in, 0.0) ** 2, axis=1)
        slopes = -np.sum(np.where(use, i_in * v_error, 0.0), axis=1)[power > 0.0] / power[power > 0.0]
        values |= {"g_in": tuple(g_in[power > 0.0].tolist()), "r_in": tuple(np.maximum(slopes, 0.0).tolist())}
    if columns.energy in table.signals:
        values |= _energy(i_in, over_lines(columns.energy)[lines])
    return values


def _less_rest(table: Table, i_in: np.ndarray) -> np.ndarray:
    """Return currents (lines, inputs) less those at input 0, which flow by the amplifier's systematic offset.

    The output is that above rest too. Without an input of 0 they stay as they are.
    """
    at_zero = np.flatnonzero(np.asarray(table.axes[READOUT_TRANSIMPEDANCE.v_in].values) == 0.0)
    return np.abs(i_in - i_in[:, at_zero[:1]]) if at_zero.size else np.abs(i_in)


def _systematic_offset(table: Table) -> float:
    """Return the mean of the line's voltage less the clamp's at input 0 (V): no matching takes it away."""
    columns = READOUT_TRANSIMPEDANCE
    at_zero = np.flatnonzero(np.asarray(table.axes[columns.v_in].values) == 0.0)
    if not at_zero.size or columns.v_error not in table.signals:
        return 0.0
    v_error = np.take(table.signals[columns.v_error].values, at_zero[:1], axis=list(table.axes).index(columns.v_in))
    return float(np.nanmean(v_error))


def _continued(i_in: np.ndarray, v_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return currents and outputs (N,) from rest: those of the first line, and of later ones where they go further."""
    i, v = np.zeros(1), np.zeros(1)
    for currents, outputs in zip(i_in, v_out, strict=True):
        rank = np.argsort(currents)
        for one, other in zip(currents[rank], outputs[rank], strict=True):
            if np.isfinite(one) and np.isfinite(other) and one > i[-1] * (1.0 + 1e-6) + 1e-12 and other >= v[-1]:
                i, v = np.append(i, one), np.append(v, other)
    return i, v


def _energy(i_in: np.ndarray, energy: np.ndarray) -> dict[str, tuple[float, ...]]:
    """Return the energy against the current, as fields of `ReadoutGain`: the mean of lines at one current."""
    good = np.isfinite(i_in) & np.isfinite(energy)
    current, joules = i_in[good], energy[good]
    edges = np.linspace(0.0, float(current.max()), 9)
    part = np.clip(np.digitize(current, edges) - 1, 0, edges.size - 2)
    found = [(current[part == k].mean(), joules[part == k].mean()) for k in range(edges.size - 1) if np.any(part == k)]
    return {"i_energy": tuple(float(i) for i, _ in found), "energy": tuple(float(e) for _, e in found)}
