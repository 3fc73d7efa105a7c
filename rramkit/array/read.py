"""One read of tiles, from voltages to sensed currents: phases and sub-reads added up, energy and time counted.

Where sensing is linear (no ADC, no saturation) the phases of a signed vector and the halves of a pair are one product,
because the terms of 0 V are zero and currents add. Where it is not, each phase, and with digital subtraction each half,
is sensed by itself. The currents of two halves or two phases are then made from the products with the sum s and the
difference d of the halves, as (s + d) / 2 and (s - d) / 2: half the products of making each apart.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, is_tensor, like, long_columns, namespace, size, weighed
from rramkit.array.backend import sign as sign_of
from rramkit.array.backend import total as total_of
from rramkit.array.conversions import Conversions
from rramkit.array.encoder import Encoder, SubRead
from rramkit.array.kernels.reference import halves
from rramkit.array.layout import Layout
from rramkit.array.operators import Operators
from rramkit.array.periphery import Periphery
from rramkit.array.products import product
from rramkit.array.read_pass import LinePass, passed
from rramkit.array.rng import TileRng


@dataclass(frozen=True, repr=False)
class Reading:
    """Outcome of one read of a batch.

    Attributes
    ----------
    i : array
        Signed output currents (..., B, C) forward or (..., B, R) backward, in amperes; without B for a single vector.
    energy : float or tensor
        Energy of the whole batch (J), of tensors a tensor of one number, as the counts are: what the drivers give to
        the arrays, the sum of v i t_read over cells, phases and pulses, and what the stages of the read chain take;
        with a readout from tables what the supplies give, in which the former is contained.
    clamped : int
        Input voltages outside the table, driven at its edge instead, and currents beyond the range of a stage.
    beyond : int
        The latter alone.
    duration : float
        Time of the whole batch (s): pulses, and the conversions that follow one another.
    conversions : int
        Currents that were sensed, of which `beyond` exceeded a range.
    e_drivers, e_sensing : float
        Parts of `energy` (J): of the row drivers, and of what senses the lines; the rest is that of conversions, of
        switches, and of the cells where it is not the supplies' energy that is counted.
    whole_conversions : float
        `conversions` in whole ones by their energy (1): one in fewer bits counts as part of one (`Adc.shares`).

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> reading = rk.Tile.of(np.full((2, 3, 2), 20e-6), rk.example()).forward([0.1, 0.2, -0.1])
    >>> reading.i.shape, reading.energy > 0.0, reading.clamped
    ((2,), True, 0)
    """

    i: Array
    energy: float
    clamped: int
    beyond: int = 0
    duration: float = 0.0
    conversions: int = 0
    e_drivers: float = 0.0
    e_sensing: float = 0.0
    whole_conversions: float = 0.0

    def __repr__(self) -> str:
        return f"Reading(i {tuple(self.i.shape)} A, {self.energy:.3g} J, {self.duration:.3g} s, {self.clamped} clamped)"


@dataclass(frozen=True)
class SensedCurrent:
    """Currents (..., N, M) after sensing, the conversions they took, how many exceeded a range, further energy (J)."""

    i: Array
    conversions: Array | int
    beyond: Array | int
    energy: Array | float = 0.0

    def counted(self, times: Array | int) -> "SensedCurrent":
        """Return these where they are read (`times` 1, or a tensor that is true); else no current, and no cost."""
        if not is_tensor(times):
            return self
        return SensedCurrent(self.i * times, self.conversions * times, self.beyond * times, self.energy * times)


@dataclass(frozen=True)
class LineCurrents:
    """Noiseless currents of sensed lines, of all or of two halves that are sensed one by one.

    Attributes
    ----------
    currents : tuple of array
        Currents (..., N, M) in amperes; or the sum of the halves and their difference.
    variances : tuple of array
        Variances (A^2) of these by the cells' noise; of halves sum and difference. None: cells have no noise.
    axis : int or None
        Axis along which the halves stand side by side, -1 or -2; None: there are none.
    """

    currents: tuple[Array, ...]
    variances: tuple[Array, ...] = ()
    axis: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of vectors and of outputs of one of them, halves counted each."""
        vectors, outputs = self.currents[0].shape[-2:]
        return vectors * (1 + (self.axis == -2)), outputs * (1 + (self.axis == -1))

    def silent(self) -> Array:
        """Return the currents (..., N, M) without noise, halves side by side."""
        return self.currents[0] if self.axis is None else halves(*self.currents, axis=self.axis)


@dataclass(frozen=True)
class Phase:
    """Input of the functions below: the read of one direction, before voltages are given.

    Attributes
    ----------
    operators : Operators
        The cells.
    periphery : Periphery
        Encoders and stages.
    layout : Layout
        How voltages are laid out as vectors.
    rng : TileRng or None
        Random numbers; None: none are drawn.
    backward : bool
        Whether bit lines are driven: operators are transposed.
    paired : bool
        Whether columns are pairs.
    joined : bool
        Whether the sensed lines of tiles (Tr, Tc) that hold rows of the same outputs are one: (1, Tc) are sensed.
    conversions : Conversions or None
        What is converted; None: every output, in all bits.
    """

    operators: Operators
    periphery: Periphery
    layout: Layout
    rng: TileRng | None
    backward: bool
    paired: bool
    joined: bool = False
    conversions: Conversions | None = None

    @property
    def encoder(self) -> Encoder:
        """Input encoding of the direction."""
        return self.periphery.encoder(backward=self.backward)

    @property
    def split(self) -> bool:
        """Whether the halves of pairs are sensed one by one."""
        return self.paired and self.periphery.halves

    def product(self, terms: tuple[Array, ...], operator: Array | None) -> Array:
        """Sum over K the vectors of `terms` times `operator` (..., K, R, C), transposed backward: (..., N, M)."""
        assert operator is not None
        matrices = tuple(self._turned(operator[..., k, :, :]) for k in range(len(terms)))
        return self._sum(product(self.layout, terms, matrices))

    def variance(self, square: Array | None, operator: Array | None) -> Array | None:
        """Return the variance of the currents from the cells' own, from `square` and `operator` (..., R, C)."""
        if square is None or operator is None:
            return None
        return self._sum(product(self.layout, (square,), (self._turned(operator),)))

    def _sum(self, i: Array) -> Array:
        return namespace(i).sum(i, axis=0, keepdims=True) if self.joined else i

    def _turned(self, operator: Array) -> Array:
        return namespace(operator).matrix_transpose(operator) if self.backward else operator


def forward(read: Phase, v: Array, *, signed: Array | bool, t_read: float) -> Reading:
    """Drive rows with signed voltages `v` in volts, of the read's layout; sense the pairs of columns.

    Without a negative voltage in the batch (`signed` false) there is no second phase. A `signed` that is a tensor is
    not looked at: the second phase is computed, and counts for nothing where it is false.
    """
    if read.conversions is not None:
        return _converted(read, v, read.conversions, t_read=t_read)
    xp = namespace(v)
    if not read.periphery.nonlinear:
        sign = sign_of(v) if is_tensor(signed) or signed else None
        u = v if sign is None else xp.abs(v)
        return _summed(
            read,
            [(1.0, u, 1)],
            lambda sub: _phases_together(read, sub, sign, phases=1 + signed),
            phases=1 + signed,
            t_read=t_read,
        )
    drives = _phases(v, signed=signed)
    return _summed(read, drives, lambda sub: _row_phase(read, sub), phases=1 + signed, t_read=t_read)


def backward(read: Phase, v: Array, *, signed: Array | bool, t_read: float) -> Reading:
    """Drive bit lines with signed voltages `v` in volts, of the read's layout; sense the rows.

    Pairs take two phases, plus and minus columns in turn; plain columns are driven as rows are.
    """
    if not read.paired:
        return forward(read, v, signed=signed, t_read=t_read)
    xp = namespace(v)
    sign = sign_of(v)

    def sensed(sub: SubRead) -> SensedCurrent:
        if read.periphery.nonlinear:
            return _column_phases(read, sub, sign)
        return _phases_together(read, sub, sign, phases=2)

    return _summed(read, [(1.0, xp.abs(v), 1)], sensed, phases=2, t_read=t_read)


def unconverted(read: Phase, v: Array, *, signed: bool) -> Array:
    """Return the largest magnitudes, over sub-reads and phases, of noiseless currents before sensing (..., N, M)."""
    xp = namespace(v)
    turns = read.backward and read.paired
    drives = [(1.0, xp.abs(v), 1)] if turns else _phases(v, signed=signed)
    magnitudes = []
    for _, u, _ in drives:
        for sub in read.encoder.sub_reads(u, noisy=False):
            lines = _column_currents(read, sub, sign_of(v)) if turns else _row_currents(read, sub)
            magnitudes.append(xp.abs(lines.silent()))
    return xp.max(xp.stack(magnitudes), axis=0)


def differences(read: Phase, v: Array, *, signed: bool) -> Array:
    """Return the currents (..., N, M) of pairs of driven rows, plus less minus, without noise and before sensing."""
    total = None
    for weight, u, _ in _phases(v, signed=signed):
        for sub in read.encoder.sub_reads(u, noisy=False):
            part = read.product(sub.terms, read.operators.difference) * (weight * sub.weight)
            total = part if total is None else total + part
    assert total is not None
    return total


def _phases(v: Array, *, signed: Array | bool) -> list[tuple[float, Array, Array | int]]:
    """Return the factor of each phase in the sum, its voltages, and whether it is read: 1 or 0."""
    if not is_tensor(signed) and not signed:
        return [(1.0, v, 1)]
    size, second = namespace(v).abs(v), signed if is_tensor(signed) else 1
    # exact: a double, halved; or a difference of equals
    return [(1.0, 0.5 * (size + v), 1), (-1.0, 0.5 * (size - v), second)]


def _summed(
    read: Phase,
    drives: list[tuple[float, Array, Array | int]],
    sensed: Callable[[SubRead], SensedCurrent],
    *,
    phases: Array | int,
    t_read: float,
) -> Reading:
    """Add up the sub-reads of `drives`: the factor of each phase in the sum, its voltages, and whether it is read."""
    periphery, drive = read.periphery, read.encoder.drive
    noisy = read.operators.noise_total is not None
    total, energy, beyond, conversions = None, periphery.e_batch[read.backward], 0, 0
    e_drivers = e_sensing = 0.0
    for weight, u, read_at_all in drives:
        for sub in read.encoder.sub_reads(u, noisy=noisy):
            current = sensed(sub).counted(read_at_all)
            part = current.i if weight * sub.weight == 1.0 else current.i * (weight * sub.weight)
            total = part if total is None else total + part
            beyond, conversions = beyond + current.beyond, conversions + current.conversions
            energy = energy + sum(_powers(read, sub)) * t_read + current.energy
            energy = energy + weighed(current.conversions, periphery.e_conversion)
            e_sensing = e_sensing + current.energy
        if drive.e_line:
            lines = read.layout.sums(namespace(u).astype(u > 0.0, u.dtype))
            copies = math.prod(read.operators.lines.shape[:-2]) // math.prod(lines.shape[:-1])
            e_line = drive.e_line * total_of(lines) * copies
            energy, e_drivers = energy + e_line, e_drivers + e_line
        if read.encoder.e_levels is not None:
            e_levels = periphery.turns * _level_energy(read, u) * read_at_all
            energy, e_drivers = energy + e_levels, e_drivers + e_levels
    one = periphery.turns * drive.pulses * t_read + periphery.conversion_time(drive.sub_reads)
    assert total is not None
    duration = weighed(phases, total.shape[-2] * one)
    whole = conversions if is_tensor(conversions) else float(conversions)
    return Reading(total, energy, beyond, beyond, duration, conversions, e_drivers, e_sensing, whole)


def _converted(read: Phase, v: Array, conversions: Conversions, *, t_read: float) -> Reading:
    """Drive rows of single-ended columns with 0 V or the full voltage; sense and convert what is wanted.

    The currents are whole levels, those of level 0 taken away. Energy and time are those of the lines that are sensed
    and of the turns that they take (`conversions`).
    """
    periphery, drive = read.periphery, read.encoder.drive
    (sub,) = read.encoder.sub_reads(v, noisy=read.operators.noise_total is not None)
    i = _noisy(read, _row_currents(read, sub), 1)
    sensed = conversions.sensed
    i = i * like(sensed, i)
    count, turns = int(np.count_nonzero(sensed)), conversions.turns(periphery.turns)
    energy = periphery.e_batch[0] + count * (periphery.e_conversion - periphery.e_adc)
    whole = conversions.whole(periphery.adc_shares)
    energy += whole * periphery.e_adc
    if sub.power:  # no supply holds it: that of the connected cells
        energy += float(i.sum()) * read.encoder.current.v_max * t_read
    i, beyond, e_sensing = periphery.sense(i, backward=False, two_way=False, sensed=sensed.sum(axis=(-2, -1)))
    driven = namespace(v).astype(v > 0.0, v.dtype)
    part = like(turns / periphery.turns, v)[:, None]  # of the turns in which the rows are driven
    e_drivers = _driver_energy(read, v, driven, part)
    level, clipped = conversions.levels(i, read.layout.rows(driven).sum(axis=-1))
    turn = drive.pulses * t_read + periphery.conversion_time(1) / periphery.turns
    return Reading(
        level * conversions.i_unit,
        energy + e_sensing + e_drivers,
        beyond + clipped,
        beyond + clipped,
        float(turns.sum()) * turn,
        count,
        e_drivers,
        e_sensing,
        whole,
    )


def _driver_energy(read: Phase, u: Array, driven: Array, part: Array) -> float:
    """Return the energy (J) of the row drivers at voltages `u` (N, R), each vector for `part` (N, 1) of all turns."""
    drive, lines, energy = read.encoder.drive, read.operators.lines[..., 0, :], 0.0
    if drive.e_line:
        each = read.layout.sums(driven * part)
        energy += drive.e_line * float(each.sum()) * math.prod(lines.shape[:-1]) / math.prod(each.shape[:-1])
    if read.encoder.e_levels is not None:
        base, slope = (read.layout.sums(each * part) for each in read.encoder.level_energies(u))
        copies = math.prod(lines.shape[:-1]) // math.prod(base.shape[:-1])
        energy += read.periphery.turns * (copies * float(base.sum()) + float((slope * lines).sum()))
    return energy


def _level_energy(read: Phase, u: Array) -> Array | float:
    """Return the energy (J) of the row drivers at voltages `u`.

    Backward, each line of a pair is driven in one of two phases and is at rest in the other.
    """
    base, slope = (read.layout.sums(each) for each in read.encoder.level_energies(u))
    lines = read.operators.lines[..., 0, :]
    copies = math.prod(lines.shape[:-1]) // math.prod(base.shape[:-1])
    of_lines = total_of(base)
    energy = copies * of_lines + total_of(slope * lines)
    if not (read.backward and read.paired):
        return energy
    assert read.encoder.e_levels is not None
    first = read.encoder.e_levels[0][:1]
    at_rest = total_of(first) * size(read.layout.sums(u)) * read.layout.count(u)
    return energy + copies * (of_lines + 2.0 * at_rest)


def _powers(read: Phase, sub: SubRead) -> Iterator[Array | float]:
    """Yield the power of each term, in all cells and of all vectors (W)."""
    for k, power in enumerate(sub.power):
        yield total_of(read.layout.sums(power) * read.operators.lines[..., k, :])


def _phases_together(read: Phase, sub: SubRead, sign: Array | None, *, phases: Array | int) -> SensedCurrent:
    """Read signed vectors whose phases may be added before they are sensed; `sign` None: none is negative."""
    terms = sub.terms if sign is None else tuple(term * sign for term in sub.terms)
    done = _passed(read, replace(sub, terms=terms), None, axis=0, conversions=phases)
    if done is not None:
        return done
    i = read.product(terms, read.operators.difference)
    variance = read.variance(sub.square, read.operators.noise_total)
    i = _noisy(read, LineCurrents((i,), () if variance is None else (variance,)), phases)
    return SensedCurrent(i, size(i) * phases, 0)


def _row_phase(read: Phase, sub: SubRead) -> SensedCurrent:
    """Read one phase of driven rows, or of plain columns: pairs subtracted before or after conversion (..., N, M)."""
    two_way = read.paired and not read.split
    done = _passed(read, sub, None, axis=-1 if read.split else 0, two_way=two_way)
    if done is not None:
        return done
    sensed = _sensed(read, _row_currents(read, sub), two_way=two_way)
    if not read.split:
        return sensed
    pairs = sensed.i.shape[-1] // 2
    return replace(sensed, i=sensed.i[..., :pairs] - sensed.i[..., pairs:])


def _passed(
    read: Phase, sub: SubRead, sign: Array | None, *, axis: int, two_way: bool = False, conversions: int = 1
) -> SensedCurrent | None:
    """Return sensed currents (..., N, M), halves and phases subtracted, from one pass; None: kernels do not fit."""
    if read.joined:
        return None
    square = None if read.operators.noise_total is None else sub.square
    cells = read.operators, read.periphery, read.rng, read.backward
    lines = LinePass(read.layout, sub.terms, square, sign, *cells, axis, two_way, conversions)
    done = passed(lines)
    if done is None:
        return None
    i, sensed, beyond, energy = done
    return SensedCurrent(i, sensed * conversions, beyond, energy)


def _row_currents(read: Phase, sub: SubRead) -> LineCurrents:
    """Return currents of driven rows in pairs (..., N, C) or in halves, plus first (..., N, 2 C), with variances."""
    operators = read.operators
    d, variance = read.product(sub.terms, operators.difference), read.variance(sub.square, operators.noise_total)
    if not read.split:
        return LineCurrents((d,), () if variance is None else (variance,))
    both = read.product(sub.terms, operators.total), d
    if variance is None:
        return LineCurrents(both, axis=-1)
    less = read.variance(sub.square, operators.noise_difference)
    assert less is not None
    return LineCurrents(both, (variance, less), axis=-1)


def _column_phases(read: Phase, sub: SubRead, sign: Array) -> SensedCurrent:
    """Read bit lines in two phases, the second subtracted: (..., N, R)."""
    done = _passed(read, sub, sign, axis=-2)
    if done is not None:
        return done
    sensed = _sensed(read, _column_currents(read, sub, sign), two_way=False)
    vectors = sensed.i.shape[-2] // 2
    return replace(sensed, i=sensed.i[..., :vectors, :] - sensed.i[..., vectors:, :])


def _column_currents(read: Phase, sub: SubRead, sign: Array) -> LineCurrents:
    """Return what bit lines send into rows in phase one, plus where v > 0 and minus where v < 0, then in phase two.

    The phases are one below the other, (..., 2 N, R); with the variances.
    """
    operators = read.operators
    d = read.product(tuple(term * sign for term in sub.terms), operators.difference)
    both = read.product(sub.terms, operators.total), d
    if sub.square is None:
        return LineCurrents(both, axis=-2)
    variance, less = (
        read.variance(square, operator)
        for square, operator in (
            (sub.square, operators.noise_total),
            (sub.square * sign, operators.noise_difference),
        )
    )
    assert variance is not None and less is not None
    return LineCurrents(both, (variance, less), axis=-2)


def _sensed(read: Phase, lines: LineCurrents, *, two_way: bool) -> SensedCurrent:
    """Add noise to currents and sense them."""
    i = _noisy(read, lines, 1)
    i, beyond, energy = read.periphery.sense(i, backward=read.backward, two_way=two_way)
    return SensedCurrent(i, size(i), beyond, energy)


def _noisy(read: Phase, lines: LineCurrents, conversions: Array | int) -> Array:
    """Add one normal number to each current, for its cells' variance and for `conversions` conversions."""
    own = read.periphery.i_variance
    own = own if isinstance(own, float) and own == 0.0 else own * conversions
    if not lines.variances:
        i = lines.silent()
        if isinstance(own, float) and own == 0.0:
            return i
        noise = _normal(read, lines)
        noise *= own**0.5
        i += noise
        return i
    noise = _normal(read, lines)
    if lines.axis is None:
        return kernels.chosen().noisy(lines.currents[0], lines.variances[0], own, noise)
    return kernels.chosen().noisy_halves(lines.currents, lines.variances, own, noise, axis=lines.axis)


def _normal(read: Phase, lines: LineCurrents) -> Array:
    """Return a normal number for each current, in their memory order."""
    assert read.rng is not None
    first = lines.currents[0]
    vectors, outputs = lines.shape
    if not long_columns(first):
        noise = read.rng.normal((*first.shape[len(read.rng.shape) : -2], vectors, outputs), first)
    else:
        shape = (*first.shape[len(read.rng.shape) : -2], outputs, vectors)
        noise = read.rng.normal(shape, first).swapaxes(-1, -2)
    return noise[:1] if read.joined else noise
