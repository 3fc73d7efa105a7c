"""One pass of a read: products, noise, conversion and the difference of halves, a block of vectors at a time.

`read` describes the sensed lines of one sub-read (`LinePass`); where compiled kernels run and fit them, one kernel does
all of it (`kernels.compiled.passes`), to the same bits as the steps of `read`, which do it otherwise: the numbers are
those of the same operations in the same order, and products are BLAS's of the same matrices. Normal numbers are drawn
first, in the order in which `read` draws them. The energy of readouts alone, of the mean current, is rounded otherwise:
the mean is taken in float64.

It fits NumPy's arrays in float32, tiles that share their vectors or cut them (`layout.Cut`), and at most one stage that
changes the sensed currents: an ADC of currents, or units whose look-up takes one comparison.
"""

import math
from dataclasses import dataclass

import numpy as np

from rramkit import compiling
from rramkit.array import kernels
from rramkit.array.backend import Array, long_columns
from rramkit.array.layout import Cut, Images, Layout
from rramkit.array.operators import Operators
from rramkit.array.periphery import Periphery
from rramkit.array.rng import TileRng
from rramkit.array.stages.adc import Adc, AdcBank
from rramkit.array.stages.sense_unit import SenseUnit, UnitState

BLOCK = 2**18
"""Numbers (1) of inputs and products held at once: a megabyte in float32, half of a core's own cache."""

_SINGLE = np.dtype(np.float32)
_NONE, _ROUNDED, _CODED = 0, 1, 2


@dataclass(frozen=True)
class LinePass:
    """The sensed lines of one sub-read.

    Attributes
    ----------
    layout : Layout
        How the voltages are laid out as vectors.
    terms : tuple of array
        For each term the factor of its conductance terms, as `encoder.SubRead` has them.
    square : array or None
        Factor of a conductance's variance; None: cells have no noise.
    sign : array or None
        Signs of the voltages where bit lines of pairs are driven in two phases; None elsewhere.
    operators, periphery, rng, backward
        As `read.Phase` has them.
    axis : int
        Where the two halves or phases stand that are sensed one by one and subtracted: -1, -2; 0: there are none.
    two_way : bool
        Whether currents of both signs arrive.
    conversions : int
        Conversions whose noise each current has.
    """

    layout: Layout
    terms: tuple[Array, ...]
    square: Array | None
    sign: Array | None
    operators: Operators
    periphery: Periphery
    rng: TileRng | None
    backward: bool
    axis: int
    two_way: bool = False
    conversions: int = 1

    @property
    def lead(self) -> tuple[int, ...]:
        """Leading axes of the tiles."""
        return self.operators.difference.shape[:-3]

    @property
    def outputs(self) -> int:
        """Outputs of a vector, M."""
        return self.operators.difference.shape[-2 if self.backward else -1]

    @property
    def fits(self) -> bool:
        """Whether the kernel takes these arrays."""
        if not all(isinstance(x, np.ndarray) and x.dtype == _SINGLE for x in (*self.terms, self.operators.difference)):
            return False
        inner = self.layout.inner if isinstance(self.layout, Cut) else self.layout
        values = 4 if isinstance(inner, Images) else 2
        return self.terms[0].ndim == values and len(self.lead) == 2 * isinstance(self.layout, Cut)


@dataclass(frozen=True)
class Inputs:
    """Input arrays as the kernel takes them.

    Attributes
    ----------
    values : ndarray
        The Q inputs: vectors (Q, L, N) or (Q, N, L), or padded images (Q, C, H W B).
    windows : tuple of int
        Kernel, stride, windows along a row, images, pixels along a row; zeros for vectors.
    leads, lines, chunk, count : int
        Pieces that a vector is cut into, its lines, vectors of a block, and vectors N.
    turned : bool
        Whether vectors lie side by side.
    """

    values: np.ndarray
    windows: tuple[int, ...]
    leads: int
    lines: int
    chunk: int
    count: int
    turned: bool

    @classmethod
    def of(cls, lines: LinePass) -> "Inputs":
        """Put the inputs side by side: terms and square, and for two phases these with signs."""
        given = [*lines.terms] if lines.square is None else [*lines.terms, lines.square]
        if lines.sign is not None:
            given += [each * lines.sign for each in given]
        cut = lines.layout
        leads, inner = (cut.tiles, cut.inner) if isinstance(cut, Cut) else (1, cut)
        driven = lines.operators.difference.shape[-1 if lines.backward else -2]
        numbers = len(given) * driven + 5 * lines.outputs  # of a vector
        if isinstance(inner, Images):
            return cls._of_images(given, inner, leads, numbers)
        turned = long_columns(given[0])
        values = np.stack([each.T if turned else each for each in given])
        count, length = given[0].shape
        chunk = min(max(64, BLOCK // numbers // 64 * 64), count)
        return cls(values, (0, 0, 0, 0, 0), leads, length, chunk, count, turned)

    @classmethod
    def _of_images(cls, given: list[np.ndarray], layout: Images, leads: int, numbers: int) -> "Inputs":
        windows, (channels, height, width, batch) = layout.windows, given[0].shape
        pad, high, wide = windows.pad, windows.size(height), windows.size(width)
        shape = len(given), channels, height + 2 * pad, width + 2 * pad, batch
        values = np.zeros(shape, _SINGLE) if pad else np.empty(shape, _SINGLE)
        for own, each in zip(values, given, strict=True):
            own[:, pad : pad + height, pad : pad + width] = each
        at_once = max(1, min(high, BLOCK // (numbers * wide * batch)))
        return cls(
            values.reshape(len(given), channels, -1),
            (windows.kernel, windows.stride, wide, batch, width + 2 * pad),
            leads,
            channels * windows.kernel**2,
            at_once * wide * batch,
            high * wide * batch,
            turned=True,
        )


@dataclass(frozen=True)
class Conversion:
    """What changes the sensed currents, as the kernel takes it.

    Attributes
    ----------
    kind : int
        Nothing, even steps, or codes of units.
    numbers : tuple
        Of all or of each output (..., 1, M): steps for an ampere, step, gain, offset; or factor, step, shift, end.
    ends : tuple of float
        Ends of the range in steps; of codes the last is the highest position.
    spread : bool
        Whether there are gains and offsets.
    first, codes : array
        Place of each output's unit in the codes, and these.
    """

    kind: int = _NONE
    numbers: tuple[Array | float, ...] = ()
    ends: tuple[float, float] = (0.0, 0.0)
    spread: bool = False
    first: Array | int = 0
    codes: Array | None = None

    @classmethod
    def of(cls, lines: LinePass) -> "Conversion | None":
        """Return the conversion by the stages of a read; None where the kernel does not have it."""
        stages = zip(lines.periphery.stages, lines.periphery.states, strict=True)
        active = [(stage, state) for stage, state in stages if stage.changes_currents]
        if not active:
            return cls()
        stage, state = active[0]
        if len(active) > 1 or not isinstance(stage, Adc | SenseUnit):
            return None
        if isinstance(stage, Adc):
            return cls._of_adc(stage, state[lines.backward], two_way=lines.two_way)
        return cls._of_units(state, backward=lines.backward)

    @classmethod
    def _of_adc(cls, adc: Adc, bank: AdcBank, *, two_way: bool) -> "Conversion | None":
        if not adc.bits:
            return None if adc.spread else cls()
        step, low, high = bank.steps(adc, two_way=two_way)
        return cls(_ROUNDED, (1.0 / step, step, bank.gain, bank.offset), (low, high), adc.spread)

    @classmethod
    def _of_units(cls, state: UnitState, *, backward: bool) -> "Conversion | None":
        look_up = state.banks[backward].look_up
        if look_up is None or look_up.comparisons > 1 or state.line is None:
            return None
        factor, shift = look_up.parts_of(state.line)
        last = float(np.nextafter(np.float32(look_up.parts), np.float32(0.0)))
        numbers = factor, look_up.i_step, shift, look_up.end
        return cls(_CODED, numbers, (0.0, last), first=look_up.first, codes=look_up.codes)

    def arrays(self, lead: tuple[int, ...], outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple]:
        """Return numbers (4, T, M), places (T, M), codes and ends for tiles of so many outputs."""
        numbers = np.empty((4, *lead, 1, outputs), _SINGLE)
        for own, each in zip(numbers, self.numbers, strict=False):
            own[...] = each
        first = np.empty((*lead, 1, outputs), np.int32)
        first[...] = self.first
        ends = np.float32(self.ends[0]), np.float32(self.ends[1])
        codes = np.zeros(0, _SINGLE) if self.codes is None else self.codes
        return numbers.reshape(4, -1, outputs), first.reshape(-1, outputs), codes, ends


def passed(lines: LinePass) -> tuple[Array, int, int, float] | None:
    """Return the currents (..., N, M), how many were sensed and how many beyond a range, and the energy this took (J).

    None: kernels do not fit.
    """
    conversion = Conversion.of(lines) if compiling.compiled() and lines.fits else None
    if conversion is None:
        return None
    inputs, outputs, lead = Inputs.of(lines), lines.outputs, lines.lead
    if inputs.turned and min(inputs.count, outputs) < 2:
        return None  # either memory order is both
    tiles, split = math.prod(lead), lines.axis != 0
    sensed = outputs * (2 if lines.axis == -1 else 1)
    noise, own = _noise(lines, sensed, inputs.count * (2 if lines.axis == -2 else 1), turned=inputs.turned)
    out = np.empty((tiles, outputs, inputs.count) if inputs.turned else (tiles, inputs.count, outputs), _SINGLE)
    before = not isinstance(lines.layout, Cut) or lines.layout.before
    kind, coded = conversion.kind, conversion.kind == _CODED
    how = (inputs.turned, lines.backward, before, lines.axis, lines.square is not None, kind)
    beyond, sums = kernels.chosen().one_pass(
        (inputs.values, inputs.windows, (inputs.leads, inputs.lines, inputs.chunk)),
        _matrices(lines, tiles, split=split),
        (noise, own),
        conversion.arrays(lead, sensed),
        tuple(int(each) for each in (*how, conversion.spread, conversion.ends[0] < 0.0, coded)),
        out,
    )
    i, count = out.reshape(*lead, *out.shape[1:]), out.size * (1 + split)
    energy = _energy(lines, sums.reshape(lead), count // tiles) if coded else 0.0
    return (i.swapaxes(-1, -2) if inputs.turned else i), count, beyond, energy


def _matrices(lines: LinePass, tiles: int, *, split: bool) -> tuple[np.ndarray, ...]:
    """Return the matrices (T, K, R, C) of total, difference and noise; empty ones where they are not needed."""
    operators, noisy = lines.operators, lines.square is not None
    rows, columns = operators.difference.shape[-2:]
    every = (
        operators.total if split else None,
        operators.difference,
        operators.noise_total if noisy else None,
        operators.noise_difference if noisy and split else None,
    )
    return tuple(
        np.zeros((0, 0, 0, 0), _SINGLE) if x is None else np.ascontiguousarray(x).reshape(tiles, -1, rows, columns)
        for x in every
    )


def _noise(lines: LinePass, outputs: int, vectors: int, *, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return normal numbers (T, M, N), or (T, N, M), of each sensed current, and their further variance (T, M).

    Where cells have no noise it is the root of the variance; without any noise there are no numbers.
    """
    own = lines.periphery.i_variance * lines.conversions
    if lines.square is None:
        if isinstance(own, float) and own == 0.0:
            return np.zeros((0, 0, 0), _SINGLE), np.zeros((1, outputs), _SINGLE)
        own = own**0.5
    assert lines.rng is not None
    size = (outputs, vectors) if turned else (vectors, outputs)
    noise = lines.rng.normal(size, lines.operators.difference)
    each = np.empty((*lines.lead, 1, outputs), _SINGLE)
    each[...] = own
    return noise.reshape(-1, *size), each.reshape(-1, outputs)


def _energy(lines: LinePass, sums: np.ndarray, each: int) -> float:
    """Return the energy of sensing (J) tiles whose `each` currents have these sums (...)."""
    pairs = zip(lines.periphery.stages, lines.periphery.states, strict=True)
    return sum(
        stage.e_of_mean(np.asarray(sums / each), each, state, backward=lines.backward)
        for stage, state in pairs
        if isinstance(stage, SenseUnit)
    )
