"""One read of tiles from voltages to numbers: phases and shots added up, energy and time counted."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rramkit.array.backend import Array, namespace
from rramkit.array.encoder import SubRead
from rramkit.array.phases import Phase, SensedCurrent, col_currents, cols_apart, one_phase, row_currents, together


@dataclass(frozen=True)
class Reading:
    """What one read of a batch gave.

    Attributes
    ----------
    i : array
        Signed output currents (..., B, C) forward or (..., B, R) backward, in amperes.
    energy : float
        Energy of the whole batch (J): what the drivers give to the arrays, the sum of v i t_read over cells, phases and
        pulses, and what converters take.
    clamped : int
        Input voltages outside the table, driven at its edge instead, and currents beyond a clamp's or a converter's
        range.
    beyond : int
        The latter alone.
    duration : float
        Time of the whole batch (s): pulses, and the conversions that follow one another.
    """

    i: Array
    energy: float
    clamped: int
    beyond: int = 0
    duration: float = 0.0


def forward(read: Phase, v: Array, *, signed: bool, t_read: float) -> Reading:
    """Drive rows with signed voltages `v` in volts, of the read's layout; sense the pairs of columns.

    Without a negative voltage in the batch (`signed` false) there is no second phase.
    """
    xp = namespace(v)
    if not read.chain.separate:
        sign = xp.sign(v) if signed else None
        u = xp.abs(v) if signed else v
        return _added(
            read,
            [(1.0, u)],
            lambda shot: together(read, shot, sign, phases=1 + signed),
            phases=1 + signed,
            t_read=t_read,
        )
    phases = _phases(v, signed=signed)
    return _added(read, phases, lambda shot: one_phase(read, shot), phases=len(phases), t_read=t_read)


def backward(read: Phase, v: Array, *, signed: bool, t_read: float) -> Reading:
    """Drive bit lines with signed voltages `v` in volts, of the read's layout; sense the rows.

    Pairs take two phases, plus and minus columns in turn; plain columns are driven as rows are.
    """
    if not read.paired:
        return forward(read, v, signed=signed, t_read=t_read)
    xp = namespace(v)
    sign = xp.sign(v)

    def sensed(shot: SubRead) -> SensedCurrent:
        return cols_apart(read, shot, sign) if read.chain.separate else together(read, shot, sign, phases=2)

    return _added(read, [(1.0, xp.abs(v))], sensed, phases=2, t_read=t_read)


def unconverted(read: Phase, v: Array, *, signed: bool) -> Array:
    """Return the largest magnitudes, over shots and phases, of what converters would get without noise (..., N, M)."""
    xp = namespace(v)
    turns = read.backward and read.paired
    phases = [(1.0, xp.abs(v))] if turns else _phases(v, signed=signed)
    found = []
    for _, u in phases:
        for shot in read.side.encoder.shots(u, noisy=False):
            i = col_currents(read, shot, xp.sign(v))[0] if turns else row_currents(read, shot)[0]
            found.append(xp.abs(i))
    return xp.max(xp.stack(found), axis=0)


def _phases(v: Array, *, signed: bool) -> list[tuple[float, Array]]:
    """Return what each phase counts, and the voltages that it asks for."""
    if not signed:
        return [(1.0, v)]
    size = namespace(v).abs(v)
    return [(1.0, 0.5 * (size + v)), (-1.0, 0.5 * (size - v))]  # exact: a double, halved; or a difference of equals


def _added(
    read: Phase,
    drives: list[tuple[float, Array]],
    sensed: Callable[[SubRead], SensedCurrent],
    *,
    phases: int,
    t_read: float,
) -> Reading:
    """Add up the shots of `drives`: what each phase counts, and the voltages that it asks for."""
    chain, encoder = read.chain, read.side.encoder
    total, energy, beyond = None, 0.0, 0
    for weight, u in drives:
        for shot in encoder.shots(u, noisy=chain.noise.on):
            found = sensed(shot)
            counted = found.i if weight * shot.weight == 1.0 else found.i * (weight * shot.weight)
            total = counted if total is None else total + counted
            beyond += found.beyond
            energy += sum(_powers(read, shot)) * t_read + found.conversions * chain.converter.energy
        if chain.dac.energy:
            driven = read.layout.sums(namespace(u).astype(u > 0.0, u.dtype))
            spread = math.prod(read.operators.lines.shape[:-2]) // math.prod(driven.shape[:-1])
            energy += chain.dac.energy * float(driven.sum()) * spread
    one = chain.dac.pulses * t_read + chain.dac.shots * chain.converter.shared * chain.converter.t_convert
    assert total is not None
    return Reading(total, energy, beyond, beyond, phases * total.shape[-2] * one)


def _powers(read: Phase, shot: SubRead) -> Iterator[float]:
    """Yield the power that each term takes, in all cells and of all vectors (W)."""
    for k, power in enumerate(shot.power):
        yield float((read.layout.sums(power) * read.operators.lines[..., k, :]).sum())
