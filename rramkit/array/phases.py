"""The read of tiles as pure functions: shots through operators into sensed currents.

Where sensing is linear (no converter, no limit) the phases of a signed vector and the halves of a pair are one product,
because the terms of 0 V are zero and currents add. Where it is not, each phase, and with digital subtraction each half,
is sensed by itself. The currents of two halves or two phases are then made from the products with the sum s and the
difference d of the halves, as (s + d) / 2 and (s - d) / 2: half the products of making each apart.
"""

from dataclasses import dataclass

import numpy as np

from rramkit.array.backend import Array, long_columns, namespace, size, square_root
from rramkit.array.encoder import SubRead
from rramkit.array.layout import Layout
from rramkit.array.operators import Operators
from rramkit.array.periphery import Side
from rramkit.array.products import product
from rramkit.array.rng import TileRng
from rramkit.array.stages.chain import ReadChain


@dataclass(frozen=True)
class SensedCurrent:
    """Currents (..., N, M) as the digital side has them, the conversions they took, and how many met a limit."""

    i: Array
    conversions: int
    beyond: int


@dataclass(frozen=True)
class Phase:
    """What one read works with: operators and side of a direction, chain, layout, random numbers (None: not drawn).

    `paired` says whether columns are pairs, and `backward` turns the operators round.
    """

    operators: Operators
    side: Side
    chain: ReadChain
    layout: Layout
    rng: TileRng | None
    backward: bool
    paired: bool

    def product(self, terms: tuple[Array, ...], operator: Array | None) -> Array:
        """Sum over K the vectors of `terms` times `operator` (..., K, R, C), turned round backward: (..., N, M)."""
        assert operator is not None
        matrices = tuple(self._turned(operator[..., k, :, :]) for k in range(len(terms)))
        return product(self.layout, terms, matrices)

    def variance(self, square: Array | None, operator: Array | None) -> Array | None:
        """Return the variance of the currents from the cells' own, from `square` and `operator` (..., R, C)."""
        if square is None or operator is None:
            return None
        return product(self.layout, (square,), (self._turned(operator),))

    def _turned(self, operator: Array) -> Array:
        return namespace(operator).matrix_transpose(operator) if self.backward else operator


def together(read: Phase, shot: SubRead, sign: Array | None, *, phases: int) -> SensedCurrent:
    """Read signed vectors whose phases may be added before they are sensed; `sign` None: none is negative."""
    terms = shot.terms if sign is None else tuple(term * sign for term in shot.terms)
    i = read.product(terms, read.operators.difference)
    i = _noisy(read, i, read.variance(shot.square, read.operators.noise_total), phases)
    return SensedCurrent(i, size(i) * phases, 0)


def one_phase(read: Phase, shot: SubRead) -> SensedCurrent:
    """Read one phase of driven rows, or of plain columns: pairs subtracted before or after conversion (..., N, M)."""
    i, variance = row_currents(read, shot)
    sensed = _sensed(read, i, variance, two_way=read.paired and not read.chain.halves)
    if not (read.paired and read.chain.halves):
        return sensed
    pairs = i.shape[-1] // 2
    return SensedCurrent(sensed.i[..., :pairs] - sensed.i[..., pairs:], sensed.conversions, sensed.beyond)


def row_currents(read: Phase, shot: SubRead) -> tuple[Array, Array | None]:
    """Return currents of driven rows in pairs (..., N, C) or in halves, plus first (..., N, 2 C), and variances."""
    operators = read.operators
    d, variance = read.product(shot.terms, operators.difference), read.variance(shot.square, operators.noise_total)
    if not (read.paired and read.chain.halves):
        return d, variance
    if variance is not None:
        variance = _plus_minus(variance, read.variance(shot.square, operators.noise_difference), axis=-1)
    return _plus_minus(read.product(shot.terms, operators.total), d, axis=-1), variance


def cols_apart(read: Phase, shot: SubRead, sign: Array) -> SensedCurrent:
    """Read bit lines in two phases, the second subtracted: (..., N, R)."""
    i, variance = col_currents(read, shot, sign)
    sensed = _sensed(read, i, variance, two_way=False)
    vectors = i.shape[-2] // 2
    return SensedCurrent(sensed.i[..., :vectors, :] - sensed.i[..., vectors:, :], sensed.conversions, sensed.beyond)


def col_currents(read: Phase, shot: SubRead, sign: Array) -> tuple[Array, Array | None]:
    """Return what bit lines send into rows in phase one, plus where v > 0 and minus where v < 0, then in phase two.

    The phases stand one below the other, (..., 2 N, R); with the variance.
    """
    operators = read.operators
    d = read.product(tuple(term * sign for term in shot.terms), operators.difference)
    total = read.product(shot.terms, operators.total)
    variance = None
    if shot.square is not None:
        less = read.variance(shot.square * sign, operators.noise_difference)
        variance = _plus_minus(read.variance(shot.square, operators.noise_total), less, axis=-2)
    return _plus_minus(total, d, axis=-2), variance


def _sensed(read: Phase, i: Array, variance: Array | None, *, two_way: bool) -> SensedCurrent:
    """Add noise to currents, clamp and convert them."""
    i = _noisy(read, i, variance, 1)
    i, lost = read.chain.clamp.apply(i)
    i, beyond = read.side.bank.convert(i, read.chain.converter, two_way=two_way)
    return SensedCurrent(i, size(i), lost + beyond)


def _noisy(read: Phase, i: Array, variance: Array | None, conversions: int) -> Array:
    """Add one normal number to each current, for its cells' variance and for `conversions` conversions."""
    own = read.chain.converter.noise**2 * conversions
    if variance is None and own == 0.0:
        return i
    assert read.rng is not None
    drawn = _drawn(read.rng, i)
    if variance is None:
        drawn *= own**0.5
    else:
        if own:
            variance += own
        drawn *= square_root(variance)
    i += drawn
    return i


def _drawn(rng: TileRng, i: Array) -> Array:
    """Return normal numbers for currents (..., N, M), in their memory order."""
    shape = tuple(i.shape[len(rng.shape) :])
    if not long_columns(i):
        return rng.normal(shape, i)
    return rng.normal((*shape[:-2], shape[-1], shape[-2]), i).swapaxes(-1, -2)


def _plus_minus(s: Array | None, d: Array | None, *, axis: int) -> Array:
    """Return (s + d) / 2 and (s - d) / 2, side by side along `axis`, -1 or -2, in the memory order of `s`."""
    assert s is not None and d is not None
    if not isinstance(s, np.ndarray):
        both = namespace(s).concat([s + d, s - d], axis=axis)
    elif long_columns(s):
        return _plus_minus(s.swapaxes(-1, -2), d.swapaxes(-1, -2), axis=-3 - axis).swapaxes(-1, -2)
    else:
        both = np.empty(tuple(2 * n if s.ndim + axis == at else n for at, n in enumerate(s.shape)), s.dtype)
        plus, minus = np.split(both, 2, axis=axis)
        np.add(s, d, out=plus)
        np.subtract(s, d, out=minus)
    both *= 0.5
    return both
