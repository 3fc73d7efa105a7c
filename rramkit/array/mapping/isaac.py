"""ISAAC's bit-serial slices and flip encoding (Shafiee et al., ISCA 2016).

RECALLED from secondary sources: arrays of 128 x 128, 16-bit weights over eight cells of two bits, inputs bit by bit in
16 cycles, an eight-bit converter, and a flip encoding that saves the converter one bit. How the flip is done is
recalled: a column whose levels sum to more than half of the maximum is stored as its complement, and its sum follows
from the number of rows driven::

    sum_r x_r d_r = (2^b - 1) sum_r x_r - sum_r x_r (2^b - 1 - d_r)

Weights are biased by 2^(b S - 1), so that no cell is negative, and the bias is subtracted with the same sum of inputs.
This kit's own choices: that sum is formed digitally, and the current of level 0 is subtracted with it; negative inputs
are bits of negative voltage; backward, columns are driven bit by bit and slice by slice; and a network in training
keeps the flips of its first weights, since another flip would rewrite a whole column.
"""

from typing import ClassVar, Literal

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.bit_slices import by_digit, on_digit
from rramkit.array.mapping.conductance_levels import ConductanceLevels, composed, digits, whole
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.parameters import quantity


class Isaac(Mapping):
    """Inputs of n bits and a sign, one bit a read; weights of b S bits in S cells, without pairs."""

    halves: ClassVar[int] = 1
    kind: Literal["isaac"] = quantity("isaac", "1", "biased weights in bit slices, inputs bit by bit")
    bits: int = quantity(2, "1", "bits of a cell", ge=1, le=8)
    slices: int = quantity(8, "1", "cells of a weight", ge=1, le=16)
    input_bits: int = quantity(16, "1", "bits of an input, one read each", ge=1, le=24)
    flip: bool = quantity(True, "1", "whether a column of high levels is stored as its complement")

    @property
    def levels(self) -> ConductanceLevels:
        """Conductance levels of a cell."""
        return ConductanceLevels(self.bits, *self.window)

    @property
    def g_spacing(self) -> float:
        """Conductance from a level to the next (S)."""
        return self.levels.g_step

    @property
    def cells_per_half(self) -> int:
        """Cells of a weight: the slices."""
        return self.slices

    @property
    def bias(self) -> int:
        """Whole number that is added to a weight so that none is negative."""
        return 2 ** (self.bits * self.slices - 1)

    @property
    def w_top(self) -> int:
        """Whole number that `w_max` stands for."""
        return self.bias - 1

    @property
    def x_max(self) -> int:
        """Levels of an input."""
        return 2**self.input_bits - 1

    @property
    def g_unit(self) -> float:
        """Weighted sum of conductance steps that stands for a weight of one (S)."""
        return self.levels.g_step * self.w_top / self.w_max

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances (S, ...) in siemens of weights (...), rounded."""
        return self.levels.conductance(self._complemented(self._digits(weight), flipped))

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) of conductances (S, ...) in siemens, each cell at its nearest level."""
        level = self._complemented(self.levels.level(g_cell), flipped)
        return (composed(list(level), self.bits) - self.bias) * (self.w_max / self.w_top)

    def changes(self, g_cell: Array, change: Array, flipped: Array | None = None) -> Array:
        """Return the wanted change (S, n) in siemens of the cells of weights; zero where the digit stays."""
        wanted = super().changes(g_cell, change, flipped)
        moves = self.levels.level(g_cell + wanted) != self.levels.level(g_cell)
        return wanted * moves

    def flips(self, weight: Array) -> Array | None:
        """Return 1.0 for each column (M S,) whose levels sum to more than half of the maximum."""
        if not self.flip:
            return None
        level = self._as_columns(self._digits(weight))[0]
        half = 0.5 * self.levels.highest * level.shape[0]
        return namespace(level).astype(level.sum(axis=0) > half, level.dtype)

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, M): the levels of each column and bit, flipped back, shifted, added."""
        parts = []
        for bit in self._bits(v, v_max):
            rows = total(bit)
            level = self._levels(read(bit * v_max), rows, v_max)
            if flips is not None:
                level = level * (1.0 - flips) + (self.levels.highest * rows - level) * flips
            parts.append(composed(by_digit(level, self.slices), self.bits) - self.bias * rows)
        return composed(parts, 1) * (self.levels.g_step * v_max / self.x_max)

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, N): flipped columns driven with the other sign, one bit and slice a read."""
        parts = []
        for bit in self._bits(v, v_max):
            slices = [self._slice(read, on_digit(bit, k, self.slices), flips, v_max) for k in range(self.slices)]
            parts.append(composed(slices, self.bits) - self.bias * bit.sum(axis=-1)[:, None])
        return composed(parts, 1) * (self.levels.g_step * v_max / self.x_max)

    def _slice(self, read: Read, bit: Array, flips: Array | None, v_max: float) -> Array:
        """Return the levels (B, N) summed over driven columns `bit` (B, M S), -1, 0 or 1."""
        driven = bit if flips is None else bit * (1.0 - 2.0 * flips)
        level = self._levels(read(driven * v_max), driven.sum(axis=-1)[:, None], v_max)
        return level if flips is None else level + self.levels.highest * (bit * flips).sum(axis=-1)[:, None]

    def _levels(self, i: Array, lines: Array, v_max: float) -> Array:
        """Return whole sums of levels from currents, the current of level 0 of `lines` (B, 1) driven subtracted."""
        return namespace(i).round((i / v_max - self.levels.g_low * lines) / self.levels.g_step)

    def _bits(self, v: Array, v_max: float) -> list[Array]:
        """Return the bits of inputs, lowest first, each -1, 0 or 1."""
        xp, x = namespace(v), whole(v, self.x_max / v_max, -self.x_max, self.x_max)
        return [xp.sign(x) * bit for bit in digits(xp.abs(x), 1, self.input_bits)]

    def _digits(self, weight: Array) -> Array:
        """Return the digits (S, ...) of biased weights (...), lowest first."""
        number = whole(weight, self.w_top / self.w_max, -self.w_top, self.w_top) + float(self.bias)
        return namespace(number).stack(digits(number, self.bits, self.slices))

    def _complemented(self, level: Array, flipped: Array | None) -> Array:
        if flipped is None:
            return level
        return level * (1.0 - flipped) + (self.levels.highest - level) * flipped
