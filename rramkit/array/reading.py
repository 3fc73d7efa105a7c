"""The read of tiles as pure functions: a drive through operators into sensed currents, phase by phase.

Where sensing is linear (no converter, no limit) the phases of a signed vector and the halves of a pair are one product,
because the terms of 0 V are zero and currents add. Where it is not, each phase, and with digital subtraction each half,
is sensed by itself. The currents of two halves or two phases are then made from the products with the sum s and the
difference d of the halves, as (s + d) / 2 and (s - d) / 2: half the products of making each apart.
"""

from dataclasses import dataclass

from rramkit.array.backend import Array, namespace, size
from rramkit.array.encoder import Drive
from rramkit.array.operators import Operators
from rramkit.array.periphery import Side
from rramkit.array.read_chain import ReadChain
from rramkit.array.streams import Streams


@dataclass(frozen=True)
class Read:
    """What one read works with: operators (of one direction), side, chain and random numbers (None: none are drawn)."""

    operators: Operators
    side: Side
    chain: ReadChain
    rng: Streams | None
    backward: bool

    def summed(self, terms: tuple[Array, ...], operator: Array | None) -> Array:
        """Sum over K the products of `terms` K x (..., N, L) with `operator` (..., K, R, C), turned round backward."""
        assert operator is not None
        result = terms[0] @ self._turned(operator[..., 0, :, :])
        for k in range(1, len(terms)):
            result += terms[k] @ self._turned(operator[..., k, :, :])
        return result

    def variance(self, square: Array | None, operator: Array | None) -> Array | None:
        """Return the variance of the currents from the cells' own, `square` (..., N, L) and `operator` (..., R, C)."""
        return None if square is None or operator is None else square @ self._turned(operator)

    def _turned(self, operator: Array) -> Array:
        return namespace(operator).matrix_transpose(operator) if self.backward else operator


@dataclass(frozen=True)
class Currents:
    """Currents that are sensed apart (..., N, M), in amperes, and the variance of their noise from the cells (A^2)."""

    i: Array
    variance: Array | None


@dataclass(frozen=True)
class Sensed:
    """Currents (..., N, M) as the digital side has them, the conversions they took, and how many met a limit."""

    i: Array
    conversions: int
    beyond: int


def together(read: Read, drive: Drive, sign: Array | None, *, phases: int) -> Sensed:
    """Read signed vectors whose phases may be added before they are sensed; `sign` None: none is negative."""
    terms = drive.terms if sign is None else tuple(term * sign for term in drive.terms)
    i = read.summed(terms, read.operators.difference)
    i = _noisy(read, Currents(i, read.variance(drive.square, read.operators.noise_total)), phases)
    return Sensed(i, size(i) * phases, 0)


def of_rows(read: Read, drive: Drive) -> Currents:
    """Return what driven rows send into pairs subtracted before conversion (..., N, C), or halves (..., N, 2 C)."""
    operators = read.operators
    d = read.summed(drive.terms, operators.difference)
    variance = read.variance(drive.square, operators.noise_total)
    if not read.chain.halves:
        return Currents(d, variance)
    if variance is not None:
        variance = _plus_minus(variance, read.variance(drive.square, operators.noise_difference), axis=-1)
    return Currents(_plus_minus(read.summed(drive.terms, operators.total), d, axis=-1), variance)


def of_cols(read: Read, drive: Drive, sign: Array) -> Currents:
    """Return what bit lines send into rows in phase one, plus where v > 0 and minus where v < 0, and in phase two.

    The phases stand one below the other, (..., 2 N, R).
    """
    operators = read.operators
    d = read.summed(tuple(term * sign for term in drive.terms), operators.difference)
    variance = read.variance(drive.square, operators.noise_total)
    if variance is not None and drive.square is not None:
        less = read.variance(drive.square * sign, operators.noise_difference)
        variance = _plus_minus(variance, less, axis=-2)
    return Currents(_plus_minus(read.summed(drive.terms, operators.total), d, axis=-2), variance)


def sense(read: Read, currents: Currents, *, two_way: bool) -> Sensed:
    """Add noise to currents, clamp and convert them."""
    i = _noisy(read, currents, 1)
    i, lost = read.chain.clamp.apply(i)
    i, beyond = read.side.bank.convert(i, read.chain.converter, two_way=two_way)
    return Sensed(i, size(i), lost + beyond)


def _noisy(read: Read, currents: Currents, conversions: int) -> Array:
    """Add one normal number to each current, for its cells' variance and for `conversions` conversions."""
    own = read.chain.converter.noise**2 * conversions
    i, variance = currents.i, currents.variance
    if variance is None and own == 0.0:
        return i
    assert read.rng is not None
    drawn = read.rng.normal(tuple(i.shape[len(read.rng.shape) :]), i)
    if variance is None:
        drawn *= own**0.5
    else:
        if own:
            variance += own
        drawn *= namespace(variance).sqrt(variance)
    i += drawn
    return i


def _plus_minus(s: Array, d: Array | None, *, axis: int) -> Array:
    assert d is not None
    both = namespace(s).concat([s + d, s - d], axis=axis)
    both *= 0.5
    return both
