"""One pass of a read: products, noise, conversion and the difference of halves, a block of vectors at a time.

`read` describes the sensed lines of one sub-read (`LinePass`); where compiled kernels run and fit them, one kernel does
all of it (`kernels.compiled.passes`), in place of the steps of `read`: the numbers are those of the same operations in
the same order. Normal numbers are drawn first, in the order in which `read` draws them. Products are BLAS's of the same
matrices, but numba calls SciPy's and `read` NumPy's, and a BLAS may round a block's product otherwise than that of all
vectors. Where the two round alike, as OpenBLAS 0.3.30 and 0.3.31 of the wheels were seen to, a read of one block is
the same to the last bit. Elsewhere currents differ by a rounding of the products, and now and then by a step of a
converter. The energy of readouts, of the mean current, is rounded otherwise in either case: the mean is in float64.

It fits NumPy's arrays in float32, tiles that share their vectors or cut them (`layout.Cut`), and at most one stage that
changes the sensed currents: an ADC of currents, or units whose look-up takes one comparison.
"""

import math
from dataclasses import dataclass

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, long_columns
from rramkit.array.kernels import reference
from rramkit.array.layout import Cut, Images, Layout
from rramkit.array.operators import Operators
from rramkit.array.periphery import Periphery
from rramkit.array.rng import TileRng
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.sense_unit import SenseUnit

BLOCK = 2**18
"""Numbers (1) of inputs and products held at once: a megabyte in float32, half of a core's own cache."""

_SINGLE = np.dtype(np.float32)
_NONE, _ROUNDED, _CODED = 0, 1, 2  # kinds of conversion
_NO_NOISE = np.zeros((0, 0, 0), _SINGLE)


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
        turned, (count, length) = long_columns(given[0]), given[0].shape
        values = np.empty((len(given), length, count) if turned else (len(given), count, length), _SINGLE)
        for own, each in zip(values, given, strict=True):
            own[...] = each.T if turned else each
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
class Sensing:
    """Noise and conversion of the outputs of T tiles, as the kernel takes them: M of each, halves counted each.

    Attributes
    ----------
    kind : int
        Nothing, even steps, or codes of units.
    numbers : ndarray
        (5, T, M): variance of the noise beside that of cells; and steps for an ampere, step, gain, offset, or parts for
        an ampere, step, shift in parts, end in parts.
    first, codes : ndarray
        Place of each output's unit in the codes (T, M), and these.
    ends : tuple of float32
        Ends of the range in steps; of codes the last is the highest position.
    spread, both : bool
        Whether there are gains and offsets, and whether currents below the range are counted.
    """

    kind: int
    numbers: np.ndarray
    first: np.ndarray
    codes: np.ndarray
    ends: tuple[np.float32, np.float32]
    spread: bool = False
    both: bool = False

    @classmethod
    def of(cls, lines: LinePass, sensed: int) -> "Sensing | None":
        """Return what is kept with the periphery for such a read; None where the kernel does not have it."""
        how = lines.lead, sensed, lines.backward, lines.two_way, lines.square is None, lines.conversions
        kept = lines.periphery.passes
        if how not in kept:
            kept[how] = cls._made(lines, sensed)
        return kept[how]

    @classmethod
    def _made(cls, lines: LinePass, sensed: int) -> "Sensing | None":
        own = lines.periphery.i_variance * lines.conversions
        if lines.square is None and not (isinstance(own, float) and own == 0.0):
            return None  # noise, but not of cells: NumPy rounds its root otherwise
        stages = zip(lines.periphery.stages, lines.periphery.states, strict=True)
        active = [(stage, state) for stage, state in stages if stage.changes_currents]
        kind, numbers, ends, spread, first, codes = _NONE, (), (0.0, 0.0), False, 0, np.zeros(0, _SINGLE)
        if len(active) > 1 or (lines.square is None and not active):
            return None  # or nothing follows the products: these alone are no slower
        for stage, state in active:
            if isinstance(stage, Adc) and stage.bits:
                bank = state[lines.backward]
                step, low, high = bank.steps(stage, two_way=lines.two_way)
                kind, numbers, ends = _ROUNDED, (1.0 / step, step, bank.gain, bank.offset), (low, high)
                spread = stage.spread
            elif isinstance(stage, SenseUnit):
                look_up, line = state.banks[lines.backward].look_up, state.line
                if look_up is None or look_up.comparisons > 1:
                    return None
                factor, shift = look_up.parts_of(line)
                kind, numbers = _CODED, (factor, look_up.i_step, shift, look_up.end)
                ends = 0.0, float(np.nextafter(np.float32(look_up.parts), np.float32(0.0)))
                first, codes = look_up.first, look_up.codes
            elif not (isinstance(stage, Adc) and not stage.spread):
                return None

        def of_outputs(values: Array | float, kind: type) -> np.ndarray:
            each = np.empty((*lines.lead, 1, sensed), kind)
            each[...] = values
            return each.reshape(-1, sensed)

        every = [of_outputs(each, np.float32) for each in (own, *numbers, 0.0, 0.0, 0.0, 0.0)[:5]]
        return cls(
            kind,
            np.stack(every),
            of_outputs(first, np.int32),
            codes,
            (np.float32(ends[0]), np.float32(ends[1])),
            spread,
            kind == _ROUNDED and ends[0] < 0.0,
        )


def passed(lines: LinePass) -> tuple[Array, int, int, float] | None:
    """Return the currents (..., N, M), how many were sensed and how many beyond a range, and the energy this took (J).

    None: kernels do not fit.
    """
    chosen = kernels.chosen()
    if chosen is reference or not lines.fits:
        return None
    lead, outputs, axis = lines.lead, lines.outputs, lines.axis
    sensed = outputs * (2 if axis == -1 else 1)
    sensing = Sensing.of(lines, sensed)
    if sensing is None:
        return None
    inputs = Inputs.of(lines)
    turned, count = inputs.turned, inputs.count
    if turned and min(count, outputs) < 2:
        return None  # either memory order is both
    tiles, vectors = math.prod(lead), count * (2 if axis == -2 else 1)
    noise = _NO_NOISE
    if lines.square is not None:
        assert lines.rng is not None
        size = (sensed, vectors) if turned else (vectors, sensed)
        noise = lines.rng.normal(size, lines.operators.difference).reshape(tiles, *size)
    out = np.empty((tiles, outputs, count) if turned else (tiles, count, outputs), _SINGLE)
    before = not isinstance(lines.layout, Cut) or lines.layout.before
    coded, variance = sensing.kind == _CODED, lines.square is not None
    beyond, sums = chosen.one_pass(
        (inputs.values, inputs.windows, (inputs.leads, inputs.lines, inputs.chunk)),
        lines.operators.matrices,
        noise,
        (sensing.numbers, sensing.first, sensing.codes, sensing.ends),
        (turned, lines.backward, before, axis, variance, sensing.kind, sensing.spread, sensing.both, coded),
        out,
    )
    i, sensed = out.reshape(*lead, *out.shape[1:]), out.size * (2 if axis else 1)
    energy = _energy(lines, sums.reshape(lead), sensed // tiles) if coded else 0.0
    return (i.swapaxes(-1, -2) if turned else i), sensed, beyond, energy


def _energy(lines: LinePass, sums: np.ndarray, each: int) -> float:
    """Return the energy of sensing (J) tiles whose `each` currents have these sums (...)."""
    pairs = zip(lines.periphery.stages, lines.periphery.states, strict=True)
    return sum(
        stage.e_of_mean(np.asarray(sums / each), each, state, backward=lines.backward)
        for stage, state in pairs
        if isinstance(stage, SenseUnit)
    )
