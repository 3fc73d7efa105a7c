"""Bit-serial weights that are encoded, so that columns carry little current, and of which not every bit is converted.

Data encoding and dynamic quantisation (Chen, Jiang, Zhu, Tsui, ASP-DAC 2018, doi 10.1109/ASPDAC.2018.8297293). FOUND is
the abstract: weights and inputs are encoded for less energy in the array and fewer bits of the converters, converters
are trimmed further, and products are quantised while they are computed. Its encodings and bits are not known here: all
that follows is this kit's own DESIGN. A weight is a whole number w from -(2^(n - 1) - 1) to 2^(n - 1) - 1, of n bits
with its sign, an input a whole number x from 0 to 2^m - 1, read bit by bit through columns without partners:

    offset            w + 2^(n - 1) in binary digits; with `flip` a column of high levels is stored as its complement
    sign_magnitude    the digits of |w|, in the columns of one sign or of the other

    flip      sum x d = top sum x - sum x (top - d)                 a flag for each column; sum x once a read
    invert    sum x d = D - sum (1 - x) d                           inputs of mostly ones; D a stored sum of the column

Both are exact. `rramkit.array.bit_planes` reads matrices of this mapping; what it converts:

    converters   full: in all bits; lossless: in as many as the largest sum that a column can give, the sum of its
                 levels, needs; trimmed: the same for the `quantile` of the sums of a first batch, larger ones saturate
    budget       partial products of input bit i and weight bit j with i + j < T are never converted; T the largest with
                 an error of at most `budget` steps of the output (rms, on a first batch); one step is the largest
                 output over 2^m - 1
    stop         outputs that a ReLU makes zero: none of their lower planes is converted once
                 acc + stop (2^k - 1) sum of the weights above 0 lies below the ReLU's threshold, k planes left;
                 1: no output changes (the bound of CompRRAE, arXiv 1906.03180, in our own form), less: a prediction

Columns of one weight: two that differ most in significance share a sense unit, so that where only high bits are
converted each unit has one turn. `part` is the part of the conductance window that levels take: small currents lose
little in the wires, large ones stand out of the noise. Backward reads (this kit's own) convert everything.
"""

from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.backend import Array, full, namespace
from rramkit.array.mapping.conductance_levels import ConductanceLevels, composed, digits, whole
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.errors import InputError
from rramkit.parameters import quantity


class BitSerial(Mapping):
    """Encoded weights in columns without partners, inputs bit by bit, conversions trimmed and left out.

    Examples
    --------
    >>> import numpy as np
    >>> mapping = BitSerial(code="sign_magnitude", weight_bits=3, g_low=10e-6, g_high=60e-6, w_max=3)
    >>> mapping.targets(np.array([[3.0, -2.0]])) * 1e6
    array([[[60., 60., 10., 10., 10., 10., 10., 60.]]])
    """

    halves: ClassVar[int] = 1
    kind: Literal["bit_serial"] = quantity("bit_serial", "1", "encoded weights, inputs bit by bit, trimmed conversions")
    code: Literal["offset", "sign_magnitude"] = quantity("sign_magnitude", "1", "digits of a weight and its sign")
    bits: int = quantity(1, "1", "bits of a cell", ge=1, le=8)
    weight_bits: int = quantity(8, "1", "bits of a weight, its sign among them", ge=2, le=16)
    input_bits: int = quantity(8, "1", "bits of an input, one read each", ge=1, le=16)
    flip: bool = quantity(False, "1", "whether a column of high levels is stored as its complement; code offset")
    invert: bool = quantity(
        False, "1", "whether inputs of mostly ones are sent inverted, and ones without any are not read"
    )
    converters: Literal["full", "lossless", "trimmed"] = quantity("full", "1", "bits of a conversion")
    quantile: float = quantity(0.9999, "1", "sums of a first batch within the range of `trimmed`", ge=0.9, le=1.0)
    budget: float = quantity(0.0, "1", "rms error by products that are never converted, in steps of the output", ge=0.0)
    stop: float = quantity(
        0.0, "1", "part of its bound that the rest of a sum is taken to reach; 0: no stop", ge=0, le=1
    )
    part: float = quantity(1.0, "1", "part of the conductance window that levels take", gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.flip and self.code != "offset":
            raise ValueError("flip is for the code offset: with sign_magnitude it does nothing. Leave it out")
        if self.converters != "trimmed" and self.quantile != type(self).model_fields["quantile"].default:
            raise ValueError("quantile is of trimmed converters: otherwise it does nothing. Leave it out")
        return self

    @property
    def levels(self) -> ConductanceLevels:
        """Conductance levels of a cell."""
        low, high = self.window
        return ConductanceLevels(self.bits, low, low + self.part * (high - low))

    @property
    def g_spacing(self) -> float:
        """Conductance from a level to the next (S)."""
        return self.levels.g_step

    @property
    def slices(self) -> int:
        """Digits of a weight."""
        magnitude = self.weight_bits - (self.code == "sign_magnitude")
        return -(-magnitude // self.bits)

    @property
    def cells_per_half(self) -> int:
        """Cells of a weight: its digits, of each sign where it has two sets."""
        return self.slices * (2 if self.code == "sign_magnitude" else 1)

    @property
    def bias(self) -> int:
        """Whole number that is added to a weight so that none is negative; 0 with a sign."""
        return 2 ** (self.weight_bits - 1) if self.code == "offset" else 0

    @property
    def w_top(self) -> int:
        """Whole number that `w_max` stands for."""
        return 2 ** (self.weight_bits - 1) - 1

    @property
    def x_max(self) -> int:
        """Levels of an input."""
        return 2**self.input_bits - 1

    @property
    def g_unit(self) -> float:
        """Weighted sum of conductance steps that stands for a weight of one (S)."""
        return self.levels.g_step * self.w_top / self.w_max

    @property
    def calibrates(self) -> bool:
        """Whether a first batch says what is converted."""
        return self.converters == "trimmed" or self.budget > 0.0

    @cached_property
    def order(self) -> np.ndarray:
        """Which of a weight's cells, by rising significance and plus first, each of its columns is (K,)."""
        count, half = self.cells_per_half, -(-self.cells_per_half // 2)
        both = [first + half * second for first in range(half) for second in (0, 1)]
        return np.array([each for each in both if each < count])

    @cached_property
    def slice_of(self) -> np.ndarray:
        """Number of the digit, from the lowest, that each of a weight's columns holds (K,)."""
        return self.order // (self.cells_per_half // self.slices)

    @cached_property
    def value_of(self) -> np.ndarray:
        """What one level in each of a weight's columns (K,) stands for, with its sign: whole numbers."""
        negative = (self.order % 2 == 1) & (self.code == "sign_magnitude")
        return 2.0 ** (self.bits * self.slice_of) * np.where(negative, -1.0, 1.0)

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances (K, ...) in siemens of weights (...), rounded."""
        return self.levels.conductance(self._complemented(self._digits(weight), flipped))

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) of conductances (K, ...) in siemens, each cell at its nearest level."""
        level = self._complemented(self.levels.level(g_cell), flipped)
        number = sum(level[k] * float(value) for k, value in enumerate(self.value_of))
        return (number - self.bias) * (self.w_max / self.w_top)

    def changes(self, g_cell: Array, change: Array, flipped: Array | None = None) -> Array:
        """Return the wanted change (K, n) in siemens of the cells of weights; zero where the digit stays."""
        wanted = super().changes(g_cell, change, flipped)
        return wanted * (self.levels.level(g_cell + wanted) != self.levels.level(g_cell))

    def flips(self, weight: Array) -> Array | None:
        """Return 1.0 for each column (M K,) whose levels sum to more than half of the maximum."""
        if not self.flip:
            return None
        level = self._as_columns(self._digits(weight))[0]
        half = 0.5 * self.levels.highest * level.shape[0]
        return namespace(level).astype(level.sum(axis=0) > half, level.dtype)

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Refuse: a matrix of this mapping is read plane by plane, by `rramkit.array.bit_planes`."""
        raise InputError("bit_serial reads need the matrix with its cells. Use `MappedMatrix.forward`.")

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, N): one bit and one column of each weight a read, all of them converted."""
        xp, x = namespace(v), whole(v, self.x_max / v_max, -self.x_max, self.x_max)
        parts = []
        for size in digits(xp.abs(x), 1, self.input_bits):
            bit = xp.sign(x) * size
            sums = sum(self._column(read, bit, k, flips, v_max) * float(value) for k, value in enumerate(self.value_of))
            parts.append(sums - self.bias * bit.sum(axis=-1)[:, None])
        return composed(parts, 1) * (self.levels.g_step * v_max / self.x_max)

    def _column(self, read: Read, bit: Array, k: int, flips: Array | None, v_max: float) -> Array:
        """Return the levels (B, N) summed over the columns `k` of all weights, driven by `bit` (B, M): -1, 0 or 1."""
        flipped = None if flips is None else flips[k :: self.cells_per_half]
        driven = bit if flipped is None else bit * (1.0 - 2.0 * flipped)
        spread = full((*bit.shape, self.cells_per_half), 0.0, bit)
        spread[..., k] = driven
        i = read(spread.reshape(bit.shape[0], -1) * v_max) / v_max
        level = namespace(i).round((i - self.levels.g_low * driven.sum(axis=-1)[:, None]) / self.levels.g_step)
        return level if flipped is None else level + self.levels.highest * (bit * flipped).sum(axis=-1)[:, None]

    def _digits(self, weight: Array) -> Array:
        """Return the levels (K, ...) of weights (...) before any complement, as columns are in order."""
        xp, number = namespace(weight), whole(weight, self.w_top / self.w_max, -self.w_top, self.w_top)
        if self.code == "offset":
            found = digits(number + self.bias, self.bits, self.slices)
        else:
            plus = xp.astype(number > 0.0, number.dtype)
            size = digits(xp.abs(number), self.bits, self.slices)
            found = [each * half for each in size for half in (plus, 1.0 - plus)]
        return xp.stack([found[k] for k in self.order])

    def _complemented(self, level: Array, flipped: Array | None) -> Array:
        return level if flipped is None else level * (1.0 - flipped) + (self.levels.highest - level) * flipped
