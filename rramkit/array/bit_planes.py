"""Forward reads of bit-serial matrices, input bit by input bit, of which only what is needed is converted.

One input bit of all rows is a plane. Planes are read from the highest down; `acc` is the sum so far, a whole number in
units of one level, one step of the weight and one of the input (`mapping.bit_serial` has the equations and what is
FOUND and what this kit's own)::

    for i = m - 1 ... 0:
        send         the plane, or its complement where more than half of the rows are driven (`invert`)
        convert      columns of the outputs that are not stopped, digits j with i + j >= T, in the bits of (i, j)
        acc         += 2^i sum_j 2^j (levels of the digit, complements undone)
        stop         an output once acc + stop r P < threshold: r the largest remaining input of the vector, below 2^i,
                     P the sum of the weights above 0

What is not converted counts as its mean: the digit's column sum times the part of the rows that is driven. A negative
input is sent in a second pass, its outputs subtracted, and none is stopped. The digital side knows the levels that it
wrote: here those nearest to the cells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rramkit.array.backend import Array, to_numpy
from rramkit.array.conversions import Conversions
from rramkit.array.mapping.bit_serial import BitSerial
from rramkit.errors import InputError

MEASURED = 256
"""Vectors of a first batch (1) that say what is converted: some 10^5 sums for each input bit and digit."""

_RIDGE = 1e-3  # of the mean square of a level (1): what a few sums of one level outweigh

_VECTORS = 16_384  # read at once (1): their currents take some tens of megabytes

PlaneRead = Callable[[np.ndarray, Conversions], np.ndarray]
"""One read: voltages (N, R) in volts and what is converted, to whole levels in amperes (N, M K)."""


@dataclass(frozen=True)
class WrittenDigits:
    """What the digital side knows of a matrix of N rows and M weights a row, K columns each.

    Attributes
    ----------
    level : ndarray
        Levels as stored (R, M K).
    block : int
        Rows of one array.
    above : ndarray
        Sum of the weights above 0 of each output, as whole numbers (M,).
    """

    level: np.ndarray
    block: int
    above: np.ndarray

    @classmethod
    def of(cls, mapping: BitSerial, g_cell: Array, flips: Array | None, *, block: int) -> "WrittenDigits":
        """Return what cells (1, R, M K) in siemens hold, in arrays of `block` rows."""
        stored = to_numpy(g_cell).astype(float)
        weight = mapping.weight(stored, None if flips is None else to_numpy(flips)) * (mapping.w_top / mapping.w_max)
        level = np.asarray(mapping.levels.level(stored))[0]
        return cls(level, block, np.maximum(np.rint(weight), 0.0).sum(axis=0))

    @cached_property
    def sums(self) -> np.ndarray:
        """Sum of the levels of each column (M K,)."""
        return self.level.sum(axis=0)

    @cached_property
    def block_sums(self) -> np.ndarray:
        """The same of each array below one another (Tr, M K)."""
        starts = range(0, self.level.shape[0], self.block)
        return np.stack([self.level[start : start + self.block].sum(axis=0) for start in starts])


@dataclass(frozen=True)
class Planes:
    """One matrix, ready to be read plane by plane.

    Attributes
    ----------
    mapping : BitSerial
        Its mapping.
    written : WrittenDigits
        What the digital side knows of it.
    flips : ndarray or None
        Columns stored as complements (M K,).
    bits : ndarray of int
        Bits of a conversion at each input bit, of each of a weight's columns (m, K); 0: never converted.
    trims : ndarray
        Currents of no row, of one level, and of a cell at level 0, of each column (3, Tr, M K), in amperes.
    v_max : float
        Voltage of a driven row (V).
    """

    mapping: BitSerial
    written: WrittenDigits
    flips: np.ndarray | None
    bits: np.ndarray
    trims: np.ndarray
    v_max: float

    def product(self, x: np.ndarray, read: PlaneRead, floor: np.ndarray | None) -> np.ndarray:
        """Return x W of whole inputs (N, R) as whole numbers (N, M); outputs below `floor` (N, M) may be any below."""
        if not np.any(x < 0.0):
            parts = [slice(start, start + _VECTORS) for start in range(0, len(x), _VECTORS)]
            return np.vstack([self._summed(x[at], read, None if floor is None else floor[at]) for at in parts])
        both = np.vstack([np.maximum(x, 0.0), np.maximum(-x, 0.0)])
        above, below = np.split(self.product(both, read, None), 2)
        return above - below

    def _summed(self, x: np.ndarray, read: PlaneRead, floor: np.ndarray | None) -> np.ndarray:
        mapping, rest = self.mapping, x.astype(np.int64)
        outputs = self.written.above.size
        acc, active = np.zeros((len(x), outputs)), np.ones((len(x), outputs), dtype=bool)
        for i in range(mapping.input_bits - 1, -1, -1):
            plane, rest = rest >> i, rest & (2**i - 1)
            acc += 2.0**i * self._digits_sum(plane, i, active, read)
            if floor is not None and i:
                reach = mapping.stop * rest.max(axis=1)[:, None] * self.written.above
                active &= acc + reach >= floor
            if not active.any():
                break
        return acc

    def _digits_sum(self, plane: np.ndarray, i: int, active: np.ndarray, read: PlaneRead) -> np.ndarray:
        """Return sum_j 2^j (levels of the digit j) at a plane (N, R) of 0 and 1, of the outputs `active` (N, M)."""
        mapping, rows = self.mapping, plane.shape[1]
        ones = plane.sum(axis=1)
        inverted = mapping.invert & (2 * ones > rows)
        sent = np.where(inverted[:, None], 1 - plane, plane)
        depth, columns = mapping.cells_per_half, self.written.level.shape[1]
        kept = self.bits[i] > 0
        wanted = np.repeat(active, depth, axis=1) & np.tile(kept, active.shape[1])
        bits = self._bits_at(i)
        silent = mapping.invert & ~sent.any(axis=1)
        wanted[silent] = False
        read_too = np.flatnonzero((wanted & np.any(bits > 0, axis=0)).any(axis=1))
        level = np.zeros((len(plane), columns))
        if read_too.size:
            i_unit = self.mapping.levels.g_step * self.v_max
            conversions = Conversions(wanted[read_too], bits, self.trims, i_unit)
            level[read_too] = read(sent[read_too] * self.v_max, conversions) / i_unit
        level = np.rint(level)
        sums = self.written.sums
        level = np.where(inverted[:, None], sums - level, level)
        known = np.tile(kept, active.shape[1])
        level = np.where(known, level, ones[:, None] * (sums / rows))
        if self.flips is not None:
            level = np.where(self.flips > 0.0, mapping.levels.highest * ones[:, None] - level, level)
        number = level.reshape(len(plane), -1, depth) @ mapping.value_of
        return np.where(active, number - mapping.bias * ones[:, None], 0.0)

    def _bits_at(self, i: int) -> np.ndarray:
        """Return the bits of each column's conversion in each array (Tr, M K); a column of level 0 alone needs none."""
        bits, sums = np.tile(self.bits[i], self.written.above.size), self.written.block_sums
        return (
            np.broadcast_to(bits, sums.shape) if self.mapping.converters == "full" else np.minimum(bits, needed(sums))
        )


def needed(sums: np.ndarray) -> np.ndarray:
    """Return the bits that whole sums (...) need without loss: ceil(log2(1 + sum))."""
    return np.ceil(np.log2(1.0 + np.maximum(sums, 0.0))).astype(int)


def some_of(x: np.ndarray) -> np.ndarray:
    """Return at most `MEASURED` of inputs (N, R), evenly spread over those with any number in them."""
    rows = x[np.any(x != 0.0, axis=1)]
    rows = rows if len(rows) else x[:1]
    return rows[:: -(-len(rows) // MEASURED)]


def nominal_trims(mapping: BitSerial, written: WrittenDigits, v_max: float) -> np.ndarray:
    """Return the trims (3, Tr, M K) in amperes of columns without wires and of exact converters."""
    each = np.array([0.0, mapping.levels.g_step * v_max, mapping.levels.g_low * v_max])
    return np.broadcast_to(each[:, None, None], (3, *written.block_sums.shape)).copy()


def without_loss(mapping: BitSerial, written: WrittenDigits, adc_bits: int) -> np.ndarray:
    """Return the bits of conversions (m, K) before any calibration: all of them, or without loss for each column."""
    depth = mapping.cells_per_half
    if mapping.converters == "full":
        return np.full((mapping.input_bits, depth), adc_bits or 16)
    largest = written.block_sums.reshape(-1, depth).max(axis=0)
    return np.tile(needed(largest), (mapping.input_bits, 1))


@dataclass(frozen=True)
class Measured:
    """Sums of a first batch of inputs `x` (N, R), without noise and loss."""

    mapping: BitSerial
    written: WrittenDigits
    flips: np.ndarray | None
    x: np.ndarray

    @classmethod
    def of(cls, mapping: BitSerial, written: WrittenDigits, flips: np.ndarray | None, x: np.ndarray) -> "Measured":
        """Return the sums of whole inputs (N, R), whose signs are left out."""
        return cls(mapping, written, flips, np.abs(x).astype(np.int64))

    def bits(self, start: np.ndarray) -> np.ndarray:
        """Return the bits of conversions (m, K), from `start` without loss: trimmed, and 0 below the threshold T."""
        found = start.copy()
        if self.mapping.converters == "trimmed":
            for i in range(self.mapping.input_bits):
                found[i] = np.minimum(found[i], needed(self._quantiles(i)))
        place = np.arange(self.mapping.input_bits)[:, None] + self.mapping.bits * self.mapping.slice_of
        return np.where(place < self.threshold(), 0, found)

    def threshold(self) -> int:
        """Return T: the largest whose error is within the budget."""
        budget = self.mapping.budget * self.step
        if not budget:
            return 0
        errors = self.errors()
        return int(np.flatnonzero(errors <= budget)[-1])

    @property
    def step(self) -> float:
        """One step of the output: the largest product of the batch over the highest input."""
        return float(np.abs(self._exact()).max()) / self.mapping.x_max

    def errors(self) -> np.ndarray:
        """Return the rms error of all products for each T, from 0 (nothing is left out) up."""
        mapping = self.mapping
        value = self._true_levels() - self._true_levels().mean(axis=0)  # the mean is added for what is left out
        number = value.reshape(len(value), -1, mapping.cells_per_half)
        last = mapping.input_bits + mapping.bits * mapping.slices
        parts = np.zeros((last, len(self.x), number.shape[1]))
        for i in range(mapping.input_bits):
            plane = (self.x >> i & 1).astype(float)
            for k, worth in enumerate(mapping.value_of):
                parts[i + mapping.bits * mapping.slice_of[k]] += 2.0**i * worth * (plane @ number[:, :, k])
        left_out = np.cumsum(parts, axis=0)
        return np.concatenate([[0.0], np.sqrt(np.mean(left_out**2, axis=(1, 2)))])

    def trims(self, i: np.ndarray, v_max: float) -> np.ndarray:
        """Return trims (3, Tr, M K) in amperes by least squares, from currents (Tr, N m, M K) of the planes `sent`.

        Where the planes do not tell (a column without levels), the nominal ones stay.
        """
        nominal = nominal_trims(self.mapping, self.written, v_max)
        planes, found = self.sent(), nominal.copy()
        for block, start in enumerate(range(0, planes.shape[1], self.written.block)):
            rows = slice(start, start + self.written.block)
            sums, lines = planes[:, rows] @ self.written.level[rows], planes[:, rows].sum(axis=1)[:, None]
            known = np.stack([np.ones_like(sums), sums, np.broadcast_to(lines, sums.shape)])  # (3, N m, M K)
            error = i[block] - np.einsum("anc,ac->nc", known, nominal[:, block])
            normal = np.einsum("anc,bnc->cab", known, known) + _RIDGE * len(planes) * np.eye(3)
            change = np.linalg.solve(normal, np.einsum("anc,nc->ca", known, error)[..., None])
            found[:, block] += change[..., 0].T
        return found

    def sent(self) -> np.ndarray:
        """Return all planes as they are sent (N m, R)."""
        planes = [self._sent(i) for i in range(self.mapping.input_bits)]
        return np.vstack(planes)

    def _sent(self, i: int) -> np.ndarray:
        plane = self.x >> i & 1
        inverted = self.mapping.invert & (2 * plane.sum(axis=1) > plane.shape[1])
        return np.where(inverted[:, None], 1 - plane, plane).astype(float)

    def _quantiles(self, i: int) -> np.ndarray:
        """Return the largest sum within the range at input bit i, of each of a weight's columns (K,)."""
        plane, written = self._sent(i), self.written
        starts = range(0, plane.shape[1], written.block)
        blocks = [plane[:, s : s + written.block] @ written.level[s : s + written.block] for s in starts]
        sums = np.concatenate([each.reshape(-1, self.mapping.cells_per_half) for each in blocks])
        return np.quantile(sums, self.mapping.quantile, axis=0, method="higher")

    def _true_levels(self) -> np.ndarray:
        """Return the levels of digits (R, M K), complements undone."""
        level = self.written.level
        return level if self.flips is None else np.where(self.flips > 0.0, self.mapping.levels.highest - level, level)

    def _exact(self) -> np.ndarray:
        """Return the products (N, M) as whole numbers."""
        level = self._true_levels()
        weight = level.reshape(len(level), -1, self.mapping.cells_per_half) @ self.mapping.value_of
        return self.x.astype(float) @ (weight - self.mapping.bias)


def check(mapping: BitSerial, bits: np.ndarray | None, *, serial: bool) -> None:
    """Raise `InputError` where row drivers send bits themselves, or a first batch has not said what is converted."""
    if serial:
        raise InputError(
            "`row_driver.serial` must be false with the mapping bit_serial, which sends one bit a read itself; got "
            "true. Remove it."
        )
    if mapping.calibrates and bits is None:
        raise InputError(
            "`converters` trimmed and `budget` take their numbers from a first batch; none was read. Calibrate the "
            "matrix: `MappedMatrix.calibrated`."
        )
