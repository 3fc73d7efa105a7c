"""ADC: quantises each sensed current, with range, noise, offset and gain errors, conversion time and energy.

With b bits and the full scale i_high a current becomes the nearest of evenly spaced levels::

    n = clip(round((gain i + offset + noise) / i_lsb), n_low, n_high),    i = n i_lsb

    unipolar currents:   i_lsb = i_high / (2^b - 1),          n from 0 to 2^b - 1
    bipolar currents:    i_lsb = i_high / (2^(b - 1) - 1),    n from -(2^(b - 1) - 1) to 2^(b - 1) - 1

so that zero current is a level in both. A bipolar current comes from pairs whose halves are subtracted before
conversion (`subtraction` analog). Full scale: `i_high`; left out, the largest current that the array can send, until
`Tile.calibrated` has measured a better one for each converter.

One ADC serves `shared` neighbouring outputs, one after the other: they have its offset and its gain, and a read takes
the time of `shared` conversions. Off: 0 bits, no noise, no spread, no time, no energy.

From a table file, behind a readout (`readout`): where each code begins, as it is in `adc_levels` (`v_transition`,
linear between the measured codes); `sense_unit` converts the readout's voltage, and the ADC of each sense unit draws

    latch_sigma      standard deviation of the comparator's offset, the same at every transition (`sense_amp_offset`)
    mismatch_sigma   of the capacitors' mismatch: independent normal numbers at the measured codes, linear between them
                     (`adc_mismatch`; that they are independent is this kit's own choice); a transition that would fall
                     below the one before it is put there, and its code is missing

and has the noise `v_noise` at its input (`adc_noise`). Bits set by hand to another number have evenly spaced levels
from `v_low` to `v_high`. Time: `t_conversion`; energy of a conversion: `energy_mean` of `adc_summary`, else the mean of
`adc`. A conversion in fewer bits saves the comparator's part of each decision that it leaves out (`energy_comparator`
of `adc`); that array and gates take as much as in a whole one is on the safe side.

Files of version 0.1.0 have no `v_low`: bits and time from `adc_levels`, evenly spaced levels, the full scale that
current whose output voltage at the readout (`readout_transimpedance`, signals `i_in`, `v_out`) is `v_ref`.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array import kernels
from rramkit.array.backend import Array, like, namespace, to_numpy
from rramkit.array.rng import TileRng
from rramkit.array.stages.interpolation import extrapolated
from rramkit.array.stages.stage import Stage, State, TileSpec
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import (
    ADC,
    ADC_LEVELS,
    ADC_MISMATCH,
    ADC_NOISE,
    ADC_SUMMARY,
    READOUT_TRANSIMPEDANCE,
    SENSE_AMP_OFFSET,
)


def _floats(unit: str, description: str) -> Any:  # noqa: ANN401  (as pydantic's Field)
    return Field(default=(), description=description, json_schema_extra={"unit": unit})


class Adc(Stage):
    """Resolution, range, errors and cost of the ADCs."""

    groups: ClassVar[tuple[str, ...]] = (
        *(ADC_LEVELS.group, ADC_SUMMARY.group, ADC_MISMATCH.group, ADC_NOISE.group),
        SENSE_AMP_OFFSET.group,
    )
    typed_over: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bits": ("codes", "v_transition", "mismatch_codes", "mismatch_sigma"),
        "energy": ("e_decision",),
        "i_high": (
            *("v_low", "v_high", "codes", "v_transition", "latch_sigma"),
            *("mismatch_codes", "mismatch_sigma", "v_noise"),
        ),
    }

    bits: int = quantity(0, "1", "bits; 0: the current itself", ge=0, le=16)
    i_high: float | None = quantity(None, "A", "full scale; left out: as the array needs it", gt=0.0, le=1.0)
    noise: float = quantity(0.0, "A", "standard deviation of the input noise of each conversion", ge=0.0)
    offset_sigma: float = quantity(0.0, "A", "standard deviation of the offset from ADC to ADC", ge=0.0)
    gain_sigma: float = quantity(0.0, "1", "standard deviation of the gain from ADC to ADC", ge=0.0, lt=0.3)
    shared: int = quantity(1, "1", "outputs that one ADC serves in turn", ge=1, le=1024)
    t_convert: float = quantity(0.0, "s", "time of one conversion", ge=0.0)
    energy: float = quantity(0.0, "J", "energy of one conversion", ge=0.0)
    e_decision: float | None = quantity(
        None, "J", "part of it that each decision takes; left out, an equal part of all", ge=0.0
    )

    v_low: float | None = quantity(None, "V", "input at which the range begins; left out, currents are converted")
    v_high: float | None = quantity(None, "V", "input at which the range ends")
    codes: tuple[float, ...] = _floats("1", "codes of `v_transition`, rising; empty: evenly spaced levels")
    v_transition: tuple[float, ...] = _floats("V", "input at which each of `codes` begins")
    latch_sigma: float = quantity(0.0, "V", "standard deviation of the comparator's offset", ge=0.0, le=1.0)
    mismatch_codes: tuple[float, ...] = _floats("1", "codes of `mismatch_sigma`, rising")
    mismatch_sigma: tuple[float, ...] = _floats("V", "standard deviation of each of their transitions by mismatch")
    v_noise: float = quantity(0.0, "V", "standard deviation of the noise at the input", ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.v_low is None) != (self.v_high is None) or (self.v_low or 0.0) > (self.v_high or 0.0):
            raise ValueError("v_low and v_high must be given together, v_high the higher")
        for name in ("codes", "mismatch_codes"):
            codes = getattr(self, name)
            if any(later <= earlier for earlier, later in itertools.pairwise(codes)):
                raise ValueError(f"{name} must rise")
        if len(self.codes) != len(self.v_transition) or len(self.mismatch_codes) != len(self.mismatch_sigma):
            raise ValueError("v_transition and mismatch_sigma must hold one voltage for each of their codes")
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return levels, errors, time and energy from the tables of the ADC; None where the file has none."""
        if ADC_LEVELS.group not in tables.tables:
            return None
        levels, columns = tables[ADC_LEVELS.group], READOUT_TRANSIMPEDANCE
        values: dict[str, Any] = {"bits": round(levels.condition(ADC_LEVELS.bits))}
        values["t_convert"] = levels.condition(ADC_LEVELS.t_conversion)
        if ADC_SUMMARY.group in tables.tables and ADC_SUMMARY.energy_mean in tables[ADC_SUMMARY.group].signals:
            values["energy"] = float(np.mean(tables[ADC_SUMMARY.group].signal(ADC_SUMMARY.energy_mean).values))
        elif ADC.group in tables.tables:
            values["energy"] = float(np.mean(tables[ADC.group].signal(ADC.energy).values))
        readout = tables.tables.get(columns.group)
        if ADC.group in tables.tables and ADC.energy_comparator in tables[ADC.group].signals:
            comparator = float(np.mean(tables[ADC.group].signal(ADC.energy_comparator).values))
            values["e_decision"] = comparator / values["bits"]
        if ADC_LEVELS.v_low in levels.conditions:
            if readout is not None and columns.r_feedback in readout.axes:
                values |= _levels(tables)
        elif readout is not None:
            i_in, v_out = (np.abs(readout.signal(name).values).ravel() for name in (columns.i_in, columns.v_out))
            values["i_high"] = (
                levels.condition(ADC_LEVELS.v_ref) * float(i_in @ i_in) / float(i_in @ v_out)
            )  # least squares
        return cls.checked(values, where="the table `adc_levels`")

    @property
    def of_voltage(self) -> bool:
        """Whether it converts the voltage of a readout."""
        return self.bits > 0 and self.v_low is not None

    def of_currents(self) -> Self:
        """Return it without what is of voltages: for currents that no readout turns into them."""
        kept = self.model_dump(exclude_unset=True)
        return type(self)(**{name: value for name, value in kept.items() if name not in self.typed_over["i_high"]})

    @property
    def v_lsb(self) -> float:
        """Nominal step (V)."""
        assert self.v_low is not None and self.v_high is not None
        return (self.v_high - self.v_low) / 2**self.bits

    def transitions(self) -> np.ndarray:
        """Return the voltage (V) at which each of the codes 1 to 2^b - 1 begins (2^b - 1,)."""
        assert self.v_low is not None
        every = np.arange(1.0, 2**self.bits)
        if not self.codes:
            return self.v_low + every * self.v_lsb
        return extrapolated(every, np.asarray(self.codes), np.asarray(self.v_transition))

    @property
    def spread(self) -> bool:
        """Whether ADCs differ."""
        return self.offset_sigma > 0.0 or self.gain_sigma > 0.0

    @property
    def on(self) -> bool:
        """Whether the ADC quantises, errs or costs anything."""
        return self.bits > 0 or self.noise > 0.0 or self.spread or self.t_convert > 0.0 or self.energy > 0.0

    @property
    def linear(self) -> bool:
        """Whether currents pass as they are, but for noise."""
        return not (self.bits or self.spread)

    @property
    def random(self) -> bool:
        """Whether conversions are noisy."""
        return self.noise > 0.0

    @property
    def per_tile(self) -> bool:
        """Whether each tile draws the errors of its ADCs."""
        return self.spread

    @property
    def calibrates(self) -> bool:
        """Whether the full scale is to be measured."""
        return self.bits > 0 and self.i_high is None and not self.of_voltage

    @property
    def i_noise(self) -> float:
        """Input noise of one conversion (A)."""
        return self.noise

    @property
    def e_conversion(self) -> float:
        """Energy of one conversion (J)."""
        return self.energy

    @property
    def shares(self) -> np.ndarray:
        """What a conversion in 0 to B bits takes of the energy of one in all B (B + 1,): less by each decision."""
        part = 1.0 / max(self.bits, 1)
        if self.e_decision is not None and self.energy > 0.0:
            part = min(self.e_decision / self.energy, part)
        return 1.0 - part * np.arange(self.bits, -1.0, -1.0)

    def conversion_time(self, sub_reads: int) -> float:
        """Return the time of the conversions of one phase of a vector (s): those of shared outputs in turn."""
        return sub_reads * self.shared * self.t_convert

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> State:
        """Draw the ADCs of forward and of backward reads."""
        return tuple(
            AdcBank.drawn(self, outputs, i_high, tile.g_cell, rng=rng)
            for outputs, i_high in zip(tile.outputs, tile.i_high, strict=True)
        )

    def sense(self, i: Array, state: State, *, backward: bool, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) as converted, and how many were beyond full scale."""
        return state[backward].convert(i, self, two_way=two_way)

    def calibrate(self, state: State, i: np.ndarray, *, backward: bool, margin: float, reference: Array) -> State:
        """Return the ADCs with full scales `margin` times their largest current; without a current, the old."""
        largest, bank = margin * grouped_maximum(i, self.shared), state[backward]
        i_high = like(np.where(largest > 0.0, largest, to_numpy(bank.i_high)), reference)
        new = replace(bank, i_high=i_high)
        return (state[0], new) if backward else (new, state[1])


@dataclass(frozen=True)
class AdcBank:
    """The ADCs of one read direction of tiles (...), drawn once; M outputs.

    Attributes
    ----------
    i_high : float or array
        Full scale (A), of all or of each output (..., 1, M).
    offset, gain : float or array
        Of all or of each output (..., 1, M), in amperes and 1.
    """

    i_high: float | Array
    offset: float | Array = 0.0
    gain: float | Array = 1.0

    @classmethod
    def drawn(cls, adc: Adc, outputs: int, i_high: float, reference: Array, *, rng: TileRng | None) -> Self:
        """Draw the ADCs of `outputs` outputs of each tile; `reference` gives the kind of array."""
        full = adc.i_high if adc.i_high is not None else i_high
        if not adc.spread or rng is None:
            return cls(full)
        count = -(-outputs // adc.shared)
        numbers = rng.normal((2, count), reference)
        each = namespace(reference).repeat(numbers, adc.shared, axis=-1)[..., :outputs]
        offset = each[..., 0:1, :] * adc.offset_sigma
        return cls(full, offset, 1.0 + each[..., 1:2, :] * adc.gain_sigma)

    def convert(self, i: Array, adc: Adc, *, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) as converted, and how many exceeded full scale; `i` may be overwritten.

        Below zero a unipolar ADC gives zero: that is the lower end of its range, and is not counted.
        """
        if adc.spread:
            i *= self.gain
            i += self.offset
        return (i, 0) if adc.bits == 0 else kernels.chosen().quantised(i, *self.steps(adc, two_way=two_way))

    def steps(self, adc: Adc, *, two_way: bool) -> tuple[Array | float, float, float]:
        """Return the step of all or of each output (..., 1, M) in amperes, and the ends of the range in steps."""
        top = float(2 ** (adc.bits - 1) - 1 if two_way else 2**adc.bits - 1)
        return self.i_high / top, -top if two_way else 0.0, top


def grouped_maximum(i: np.ndarray, shared: int) -> np.ndarray:
    """Return the largest magnitude of currents (..., N, M) at each ADC, repeated for its outputs: (..., 1, M)."""
    largest = np.abs(i).max(axis=-2, keepdims=True)
    outputs = largest.shape[-1]
    padded = np.concatenate([largest, np.zeros((*largest.shape[:-1], -outputs % shared), largest.dtype)], axis=-1)
    groups = padded.reshape(*padded.shape[:-1], -1, shared).max(axis=-1)
    return np.repeat(groups, shared, axis=-1)[..., :outputs]


def _levels(tables: TableFile) -> dict[str, Any]:
    """Return range, transitions, offsets and noise of an ADC behind a readout, as fields of `Adc`."""
    levels = tables[ADC_LEVELS.group]
    values: dict[str, Any] = {
        "v_low": levels.condition(ADC_LEVELS.v_low),
        "v_high": levels.condition(ADC_LEVELS.v_high),
        "codes": tuple(np.asarray(levels.axes[ADC_LEVELS.code].values, dtype=float).tolist()),
        "v_transition": tuple(np.asarray(levels.signal(ADC_LEVELS.v_transition).values, dtype=float).tolist()),
    }
    if SENSE_AMP_OFFSET.group in tables.tables:
        values["latch_sigma"] = tables[SENSE_AMP_OFFSET.group].sigma(SENSE_AMP_OFFSET.offset)
    if ADC_MISMATCH.group in tables.tables:
        mismatch = tables[ADC_MISMATCH.group]
        spread = mismatch.distribution(ADC_MISMATCH.v_transition)
        if spread is not None:
            codes = np.asarray(mismatch.axes[ADC_MISMATCH.code].values, dtype=float)
            values["mismatch_codes"] = tuple(codes.tolist())
            values["mismatch_sigma"] = tuple(np.asarray(spread.sigma, dtype=float).reshape(-1).tolist())
    if ADC_NOISE.group in tables.tables:
        values["v_noise"] = float(np.mean(tables[ADC_NOISE.group].signal(ADC_NOISE.v_noise).values))
    return values
