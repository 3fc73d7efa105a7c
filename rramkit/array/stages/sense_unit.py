"""Sense units: a readout with an ADC behind it, each of which serves two neighbouring lines, one after the other.

Unit k serves the physical columns 2 k and 2 k + 1, which are the halves of pair k, and the rows 2 k and 2 k + 1. What
is drawn for a unit (`UnitDraws`) is the same for both of its lines and in both read directions, so that a difference of
halves does not contain it. A current becomes a code and a current again::

    v = v_rest + f(i') + v_offset                 i', f, v_offset  of the readout (`readout`)
    code = number of transitions v_k + latch + mismatch_k that are at or below v       (`adc`)
    i = (code - code_rest) v_lsb / r_feedback

`code_rest` is the unit's code without any cell selected, measured once at power-up and kept in a digital memory of one
code a unit (this kit's own): so the scatter of the comparators' offsets is no error as long as the code at rest is
within range. Currents that end below code 0 or above the highest code, or where the readout saturates, are clipped and
counted.

Speed. f rises, so every transition is a current, and all of a unit's are found by one look-up: `PARTS` parts of its
range, each with the code at its lower end, and a comparison with the next transition; where more than one lies within
a part, as many comparisons. The code is that of the equations above, exactly, but for rounding.

Energy of a read: that of the readout at the mean current of the batch, of each tile (exact where it is linear in the
current). The lines that wait for their turn take their current from the rest voltage, `v_rest i t_read`, which is
counted too; the buffers that make the rest voltage and the references are not modelled.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import array_api_compat
import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, counted, like, namespace, resident, to_numpy, total
from rramkit.array.rng import TileRng
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.interpolation import extrapolated
from rramkit.array.stages.readout import Readout
from rramkit.array.stages.stage import Stage, TileSpec

PARTS = 1024
"""Parts of a unit's range (1): four of them a step of an 8-bit ADC."""

LINES = 2
"""Lines that a unit serves in each direction (1)."""


@dataclass(frozen=True)
class UnitDraws:
    """What is drawn once for each of the units of tiles (...), in volts.

    Attributes
    ----------
    offset, latch : ndarray
        Input offset of the readouts, and of the comparators (..., U).
    mismatch : ndarray
        Of each transition (..., U, 2^b - 1); of an ADC without mismatch (..., U, 1).
    """

    offset: np.ndarray
    latch: np.ndarray
    mismatch: np.ndarray

    @classmethod
    def drawn(cls, readout: Readout, adc: Adc, units: int, reference: Array, *, rng: TileRng | None) -> Self:
        """Draw the units of each tile of `reference` (..., 2, R, C)."""
        knots = len(adc.mismatch_codes) if adc.of_voltage else 0
        lead = tuple(reference.shape[:-3])
        if rng is None:
            nothing = np.zeros((*lead, units))
            return cls(nothing + readout.offset_mean, nothing, nothing[..., None])
        numbers = to_numpy(rng.normal((units, 2 + knots), reference)).astype(float)
        latch = adc.latch_sigma * numbers[..., 1] if adc.of_voltage else np.zeros((*lead, units))
        mismatch = np.zeros((*lead, units, 1))
        if knots:
            grid, sigma = np.asarray(adc.mismatch_codes), np.asarray(adc.mismatch_sigma)
            weights = np.stack([extrapolated(np.arange(1.0, 2**adc.bits), grid, row) for row in np.eye(knots)])
            mismatch = (numbers[..., 2:] * sigma) @ weights
        return cls(readout.offset_mean + readout.offset_sigma * numbers[..., 0], latch, mismatch)


@dataclass(frozen=True)
class LineTerms:
    """What the conductances of the sensed lines make of a bank, for each output (..., 1, M).

    Attributes
    ----------
    factor, shift : array
        i' = factor i + shift: 1 and amperes.
    variance : array
        Of the noise of one read (A^2).
    """

    factor: Array
    shift: Array
    variance: Array


@dataclass(frozen=True)
class LookUp:
    """Codes of the units of tiles (...) in one read direction, at their gain settings.

    A current's position in its unit's range is a part and a fraction of it. Where a part holds no more than one
    transition, at the fraction t, `codes` holds code + 1 - t, or the code alone; adding the fraction and rounding down
    gives the code. Where a part of any unit holds more, it holds the code at the lower end of the part, and as many
    comparisons with `transitions` as may be needed follow.

    Attributes
    ----------
    i_low, parts_per_ampere : array
        Lower end of each output's range (A), and parts of its look-up for an ampere (..., 1, M).
    end : array
        Upper end of each output's range, in parts (..., 1, M).
    first, codes : array
        Place of each output's unit in `codes` (..., 1, M), and codes less that at rest, as above (T U PARTS,).
    i_step : array
        Amperes of a code (..., 1, M).
    comparisons : int
        Transitions within one part, at most.
    below, transitions : array
        Place of each output's unit in `transitions` (..., 1, M), and where the codes less that at rest end, in parts;
        only where `comparisons` is above one.
    """

    i_low: Array
    parts_per_ampere: Array
    end: Array
    first: Array
    codes: Array
    i_step: Array
    comparisons: int
    below: Array
    transitions: Array
    parts: ClassVar[int] = PARTS

    @classmethod
    def of(
        cls, readout: Readout, adc: Adc, draws: UnitDraws, gain: np.ndarray, unit: np.ndarray, *, reference: Array
    ) -> Self:
        """Build the look-up of every unit, for outputs `unit` (M,) of tiles at gain settings `gain` (...)."""
        begins, code_rest = unit_transitions(readout, adc, draws, gain)
        low, end = begins[..., :1], begins[..., -1:]
        last = np.max(np.where(np.isfinite(begins), begins, end), axis=-1, keepdims=True)
        high = low + (1.0 + 2.0 / PARTS) * (last - low)  # so that every transition is followed by a part
        position = (begins - low) * (PARTS / (high - low))
        steps = position[..., 1:-1]  # of codes 1 to 2^b - 1
        rows, rest = steps.reshape(-1, steps.shape[-1]), code_rest.reshape(-1, 1)
        count, edges = rows.shape[-1], np.arange(PARTS + 1.0)
        before = np.stack([np.searchsorted(row, edges, side="left") for row in rows])
        before[:, -1] = np.sum(np.isfinite(rows), axis=1)
        codes, comparisons = before[:, :-1].astype(float), int(np.diff(before, axis=1).max(initial=1))
        ends = np.append(rows, np.full((rows.shape[0], 1), np.inf), axis=1)
        if comparisons == 1:  # the next transition, in the part or beyond it
            following = np.take_along_axis(ends, before[:, :-1], axis=1) - edges[:-1]
            codes += 1.0 - np.minimum(following, 1.0)
        number = np.arange(rows.shape[0]).reshape(*gain.shape, steps.shape[-2])[..., unit][..., None, :]
        r_feedback = np.asarray([each.r_feedback for each in readout.gains])[gain]
        step = np.broadcast_to((adc.v_lsb / r_feedback)[..., None, None], number.shape)

        def of_outputs(values: np.ndarray) -> Array:
            return like(values[..., unit][..., None, :], reference)

        return cls(
            i_low=of_outputs(low[..., 0]),
            parts_per_ampere=of_outputs((PARTS / (high - low))[..., 0]),
            end=of_outputs(position[..., -1]),
            first=_index(number * PARTS, reference),
            codes=like((codes - rest).ravel(), reference),
            i_step=like(step.copy(), reference),
            comparisons=comparisons,
            below=_index(number * (count + 1) + code_rest[..., unit][..., None, :], reference),
            transitions=like(ends.ravel(), reference),
        )

    @cached_property
    def end_first(self) -> float:
        """Lowest upper end of a range, in parts."""
        return float(self.end.min())

    def convert(self, i: Array, line: LineTerms) -> tuple[Array, int]:
        """Return currents (..., N, M) as converted, and how many were beyond a range; `i` may be overwritten."""
        return kernels.chosen().looked_up(i, *self.parts_of(line), self)

    def parts_of(self, line: LineTerms) -> tuple[Array, Array]:
        """Return parts of the look-up for an ampere, and the position of no current in parts (..., 1, M)."""
        return line.factor * self.parts_per_ampere, (line.shift - self.i_low) * self.parts_per_ampere

    def converted(self, position: Array, first: Array, below: Array, i_step: Array) -> Array:
        """Return the currents of positions (..., N, M) in parts of the look-up, each within 0 to `PARTS`."""
        xp = namespace(position)
        if self.comparisons == 1:
            part = xp.floor(position)
            place = xp.astype(part, xp.int64)
            place += first
            fraction = position - part
            fraction += xp.take(self.codes, place) if isinstance(position, np.ndarray) else self.codes[place]
            code = xp.floor(fraction)
        else:
            code = self.codes[xp.astype(position, xp.int64) + first]
            for _ in range(self.comparisons):
                ends = self.transitions[xp.astype(code, xp.int64) + below]
                code += xp.astype(position >= ends, position.dtype)
        code *= i_step
        return code


@dataclass(frozen=True)
class UnitBank:
    """The units of tiles (...) in one read direction.

    Attributes
    ----------
    gain : ndarray of int
        Gain setting of each tile (...).
    unit : ndarray of int
        Unit of each of the M outputs (M,).
    readout, adc : Readout, Adc
        Curves and levels.
    draws : UnitDraws
        Offsets of the units.
    kind : array
        Of no number: the kind, precision and device of the currents.
    """

    gain: np.ndarray
    unit: np.ndarray
    readout: Readout
    adc: Adc
    draws: UnitDraws
    kind: Array

    @cached_property
    def look_up(self) -> LookUp | None:
        """Codes; None: no ADC follows the readout. Not a field: a run file holds what it is made of."""
        if not self.adc.of_voltage:
            return None
        return LookUp.of(self.readout, self.adc, self.draws, self.gain, self.unit, reference=self.kind)

    @cached_property
    def settings(self) -> tuple[int, ...]:
        """Numbers of the gain settings in use."""
        return tuple(sorted(set(self.gain.ravel().tolist())))

    def here(self, number: int, reference: Array) -> Array:
        """Return which tiles (...) are at a gain setting, on the device of `reference`."""
        return resident(self._at_setting[number], reference, index=True)

    @cached_property
    def _at_setting(self) -> dict[int, np.ndarray]:
        """Which tiles (...) are at each gain setting in use."""
        return {number: np.asarray(self.gain == number) for number in self.settings}

    @cached_property
    def offset(self) -> np.ndarray:
        """Input offset of the readout of each output (..., 1, M) (V)."""
        return self.draws.offset[..., self.unit][..., None, :]


def unit_transitions(readout: Readout, adc: Adc, draws: UnitDraws, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each code of a unit begins, as currents i' (A), and its code at rest.

    Parameters
    ----------
    readout, adc : Readout, Adc
        Curves and levels.
    draws : UnitDraws
        Offsets of U units of tiles (...).
    gain : ndarray of int
        Gain setting of each tile (...).

    Returns
    -------
    begins : ndarray
        (..., U, 2^b + 1): the lower end of the range, transitions to the codes 1 to 2^b - 1 (infinity: never reached),
        the upper end.
    code_rest : ndarray
        (..., U).
    """
    levels = np.maximum.accumulate(adc.transitions() + draws.mismatch, axis=-1) + draws.latch[..., None]
    at_rest = readout.v_rest + draws.offset
    code_rest = np.sum(levels <= at_rest[..., None], axis=-1)
    outer = np.concatenate([levels[..., :1] - adc.v_lsb, levels, levels[..., -1:] + adc.v_lsb], axis=-1)
    v_out = outer - at_rest[..., None]
    begins = np.empty(v_out.shape)
    for number, setting in enumerate(readout.gains):
        at = gain == number
        curve = setting.curve()
        begins[at] = curve.current(v_out[at])
        begins[at, :, -1] = np.minimum(begins[at, :, -1], curve.i_end)
    return begins, code_rest


@dataclass(frozen=True)
class UnitState:
    """What sense units keep for tiles (...): draws, and for forward and backward reads the bank.

    Attributes
    ----------
    draws : UnitDraws
        What was drawn.
    banks : tuple of UnitBank
        Of forward and of backward reads.
    t_read : float
        Duration of a read pulse (s).
    line : LineTerms or None
        Of the sensed lines of one read, from `SenseUnit.at_lines`.
    """

    draws: UnitDraws
    banks: tuple[UnitBank, UnitBank]
    t_read: float
    line: LineTerms | None = None


class SenseUnit(Stage):
    """A readout and the ADC behind it as one stage: `ReadChain.stages` joins the two."""

    readout: Readout = Readout()
    adc: Adc = Adc()

    @property
    def on(self) -> bool:
        """Whether there is a readout."""
        return self.readout.on

    @property
    def linear(self) -> bool:
        """A code is not."""
        return False

    @property
    def random(self) -> bool:
        """Whether reads are noisy."""
        gains = self.readout.gains if self.readout.noise is None else ()
        noise = self.adc.noise + self.adc.v_noise + (self.readout.noise or 0.0)
        return noise > 0.0 or any(each > 0.0 for gain in gains for each in gain.i_noise)

    @property
    def per_tile(self) -> bool:
        """Whether units differ."""
        return self.readout.offset_sigma > 0.0 or self.adc.latch_sigma > 0.0 or any(self.adc.mismatch_sigma)

    @property
    def calibrates(self) -> bool:
        """Whether tiles choose their gain setting."""
        return self.readout.calibrates

    @property
    def calibrates_backward(self) -> bool:
        """Whether tiles choose it for each direction: the same."""
        return self.calibrates

    @property
    def r_sensing(self) -> float | None:
        """Input resistance of the gain setting before calibration (ohm)."""
        return self.readout.r_sensing

    @property
    def e_conversion(self) -> float:
        """Energy of one conversion (J)."""
        return self.adc.energy

    @property
    def turns(self) -> int:
        """Lines that a unit serves in turn."""
        return LINES

    @property
    def needs_lines(self) -> bool:
        """The offset's current is proportional to the line's conductance."""
        return True

    def conversion_time(self, sub_reads: int) -> float:
        """Return the time of the conversions of one phase of a vector (s)."""
        return sub_reads * LINES * self.adc.t_convert

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> UnitState:
        """Draw the units; every tile begins at the gain setting of the largest range, or the given one."""
        units = max(-(-tile.columns // LINES), -(-tile.rows // LINES))
        draws = UnitDraws.drawn(self.readout, self.adc, units, tile.g_cell, rng=rng if self.per_tile else None)
        columns = np.arange(tile.outputs[0])
        forward = columns % (tile.columns // LINES) if tile.paired else columns // LINES
        gain = np.full(tuple(tile.g_cell.shape[:-3]), self.readout.first)
        of_columns, of_rows = (
            self._bank(draws, gain, unit, tile.g_cell) for unit in (forward, np.arange(tile.outputs[1]) // LINES)
        )
        return UnitState(draws, (of_columns, of_rows), tile.t_read)

    def _bank(self, draws: UnitDraws, gain: np.ndarray, unit: np.ndarray, reference: Array) -> UnitBank:
        return UnitBank(gain, unit, self.readout, self.adc, draws, like(np.zeros(0), reference))

    def at_lines(self, state: UnitState, g_line: Array, *, backward: bool) -> UnitState:
        """Return the state for sensed lines of conductances (..., 1, M) in siemens."""
        bank = state.banks[backward]
        xp, lead, r_first = namespace(g_line), bank.gain.shape, self.readout.r_sensing or 0.0
        g = xp.broadcast_to(xp.astype(g_line, xp.float64), (*lead, 1, g_line.shape[-1]))
        factor = variance = xp.zeros_like(g)
        for number in bank.settings:
            at, gain = bank.here(number, g)[..., None, None], self.readout.gains[number]
            own = (1.0 + r_first * g) / (1.0 + self.readout.input_resistance(number, g) * g)
            noise = gain.noise(g) if self.readout.noise is None else self.readout.noise
            spread = noise**2 + self.adc.noise**2 + (self.adc.v_noise / gain.r_feedback) ** 2
            factor, variance = xp.where(at, own, factor), xp.where(at, spread, variance)
        shift = resident(bank.offset, g) * g
        line = LineTerms(*(xp.astype(each, g_line.dtype) for each in (factor, shift, variance)))
        return replace(state, line=line)

    def variance(self, state: UnitState, *, backward: bool) -> Array | float:
        """Return the variance (A^2) of the noise of one read at each output (..., 1, M)."""
        assert state.line is not None
        return state.line.variance if self.random else 0.0

    def e_sense(self, i: Array, state: UnitState, *, backward: bool, sensed: np.ndarray | None = None) -> Array | float:
        """Return the energy of the readouts, and of the lines that wait (J); a line that is not sensed takes none."""
        if not self.readout.supplied:
            return 0.0
        xp = namespace(i)
        mean = xp.astype(xp.mean(i, axis=(-2, -1)), xp.float64)
        return self.e_of_mean(mean, math.prod(i.shape[-2:]), state, backward=backward, sensed=sensed)

    def e_of_mean(
        self, mean: Array, each: int, state: UnitState, *, backward: bool, sensed: np.ndarray | None = None
    ) -> Array | float:
        """Return the energy (J) as `e_sense` does, from the mean (...) of the `each` currents of each tile (A)."""
        if not self.readout.supplied:
            return 0.0
        bank, xp = state.banks[backward], namespace(mean)
        if sensed is not None:
            mean = mean * (each / like(np.maximum(sensed, 1), mean))
        energy = (LINES - 1) * self.readout.v_rest * state.t_read * mean
        for number in bank.settings:
            own = self.readout.gains[number].read_energy(mean)
            energy = energy + xp.where(bank.here(number, mean), own, 0.0)
        return total(energy) * each if sensed is None else total(energy * like(sensed, energy))

    def sense(self, i: Array, state: UnitState, *, backward: bool, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) as converted, and how many were beyond a range."""
        assert state.line is not None
        bank = state.banks[backward]
        return self._output(i, state.line, bank) if bank.look_up is None else bank.look_up.convert(i, state.line)

    def _output(self, i: Array, line: LineTerms, bank: UnitBank) -> tuple[Array, int]:
        """Return the readouts' outputs less those at rest, over the feedback resistor: currents (..., N, M)."""
        xp, beyond = namespace(i), 0
        seen = output = xp.astype(i * line.factor + line.shift, xp.float64)
        for number in bank.settings:
            at, gain = bank.here(number, seen)[..., None, None], self.readout.gains[number]
            curve = gain.curve()
            beyond = beyond + counted((seen > curve.i_end) & at)
            output = xp.where(at, curve.output(seen) / gain.r_feedback, output)
        return xp.astype(output, i.dtype), beyond

    def calibrate(
        self, state: UnitState, i: np.ndarray, *, backward: bool, margin: float, reference: Array
    ) -> UnitState:
        """Return the state with each tile at the smallest range that holds its currents.

        That is where no output clips with `margin` times its largest current, nor without current, the offset's own
        current added; where none holds them, the largest range. A unit whose comparator's offset puts its rest below
        the range of every setting clips in all of them, least in the smallest: it does not choose.
        """
        assert state.line is not None
        bank, shift = state.banks[backward], to_numpy(state.line.shift)[..., 0, :]
        largest = margin * (to_numpy(state.line.factor) * i).max(axis=-2) + shift
        gain = np.full(bank.gain.shape, 0)
        ranges = [self._range(state.draws, np.full(gain.shape, number)) for number in range(len(self.readout.gains))]
        lost = np.all([shift < low[..., bank.unit] for low, _ in ranges], axis=0)
        for number, (low, high) in enumerate(ranges):
            at_rest = (shift >= low[..., bank.unit]) | lost
            gain[np.all((largest <= high[..., bank.unit]) & at_rest, axis=-1)] = number
        new = self._bank(state.draws, gain, bank.unit, reference)
        banks = (state.banks[0], new) if backward else (new, state.banks[1])
        return replace(state, banks=banks, line=None)

    def _range(self, draws: UnitDraws, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the range of each unit (..., U) at gain settings (...), as currents i' (A)."""
        if self.adc.of_voltage:
            begins, _ = unit_transitions(self.readout, self.adc, draws, gain)
            return begins[..., 0], begins[..., -1]
        ends = np.asarray([each.curve().i_end for each in self.readout.gains])[gain]
        return np.full(draws.offset.shape, -np.inf), np.broadcast_to(ends[..., None], draws.offset.shape)


def _index(values: np.ndarray, reference: Array) -> Array:
    """Return whole numbers as an array of the kind and the device of `reference`."""
    if isinstance(reference, np.ndarray):
        return values.astype(np.int64)
    xp = namespace(reference)
    return xp.asarray(values, dtype=xp.int64, device=array_api_compat.device(reference))
