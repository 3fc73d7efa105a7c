"""Bit slicing: a weight as signed digits of b bits, each in a pair of cells: w = (w_max / w_top) sum_k 2^(b k) d_k.

w_top = 2^(b S) - 1 for S slices: weights are rounded to multiples of w_max / w_top. The digits of |w| stand in the
plus halves where w > 0 and in the minus halves where w < 0. Columns of one weight are neighbours, lowest digit first.

    forward    inputs in whole levels of the read voltage; the steps of each column are rounded, shifted and added
    backward   one read for each slice: its columns are driven alone; rounded, shifted and added

Slicing as in ISAAC (Shafiee et al., ISCA 2016) and PRIME; signed pairs and the backward pass are this kit's own.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, full, namespace
from rramkit.array.mapping.conductance_levels import ConductanceLevels, composed, digits, whole
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.parameters import quantity


class SignedDigits(Mapping):
    """Weights of b S bits and a sign: the digits of |w| in S pairs of cells, in the plus halves where w > 0."""

    bits: int = quantity(2, "1", "bits of a cell", ge=1, le=8)
    slices: int = quantity(4, "1", "cells of a half", ge=1, le=16)

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
        """Cells of a weight in each half: the slices."""
        return self.slices

    @property
    def w_top(self) -> int:
        """Whole number that `w_max` stands for."""
        return 2 ** (self.bits * self.slices) - 1

    @property
    def g_unit(self) -> float:
        """Weighted sum of conductance steps that stands for a weight of one (S)."""
        return self.levels.g_step * self.w_top / self.w_max

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances (2 S, ...) in siemens of weights (...), rounded: plus digits, then minus digits."""
        xp, number = namespace(weight), whole(weight, self.w_top / self.w_max, -self.w_top, self.w_top)
        plus = xp.astype(number > 0.0, number.dtype)
        size = digits(xp.abs(number), self.bits, self.slices)
        return self.levels.conductance(xp.stack([*(d * plus for d in size), *(d * (1.0 - plus) for d in size)]))

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) of conductances (2 S, ...) in siemens, each cell at its nearest level."""
        level = self.levels.level(g_cell)
        number = composed(list(level[: self.slices] - level[self.slices :]), self.bits)
        return number * (self.w_max / self.w_top)

    def changes(self, g_cell: np.ndarray, change: np.ndarray, flipped: np.ndarray | None = None) -> np.ndarray:
        """Return the wanted change (K, n) in siemens of the cells of weights; zero where the digit stays."""
        wanted = super().changes(g_cell, change, flipped)
        return np.where(self.levels.level(g_cell + wanted) == self.levels.level(g_cell), 0.0, wanted)


class BitSlices(SignedDigits):
    """Weights of b S bits and a sign in S pairs of cells; inputs as levels of the read voltage."""

    kind: Literal["bit_slices"] = quantity("bit_slices", "1", "digits of a weight in pairs of cells")
    x_max: int = quantity(15, "1", "levels of an input, of which the highest is the full read voltage", ge=1, le=65_535)

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, M) of one read of rounded inputs."""
        x = whole(v, self.x_max / v_max, -self.x_max, self.x_max)
        return self._columns(read(x * (v_max / self.x_max)), v_max / self.x_max)

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, N) of a read for each slice."""
        x = whole(v, self.x_max / v_max, -self.x_max, self.x_max)
        return self._slices_driven(read, x, v_max / self.x_max)

    def _columns(self, i: Array, v_step: float) -> Array:
        """Return currents (B, M) from those of all columns (B, M S), in whole steps of `v_step` volts."""
        unit = v_step * self.levels.g_step
        return composed(by_digit(namespace(i).round(i / unit), self.slices), self.bits) * unit

    def _slices_driven(self, read: Read, x: Array, v_step: float) -> Array:
        """Return currents (B, N) with the columns of one slice driven at a time by `x` (B, M) levels of `v_step`."""
        unit = v_step * self.levels.g_step
        parts = [read(on_digit(x * v_step, k, self.slices)) for k in range(self.slices)]
        return composed([namespace(i).round(i / unit) for i in parts], self.bits) * unit


def by_digit(columns: Array, depth: int) -> Sequence[Array]:
    """Return columns (B, M S) as S parts (B, M), lowest digit first."""
    split = columns.reshape(columns.shape[0], -1, depth)
    return [split[..., k] for k in range(depth)]


def on_digit(v: Array, digit: int, depth: int) -> Array:
    """Return voltages (B, M S) that drive the columns of one digit of each weight with `v` (B, M), others with 0 V."""
    spread = full((*v.shape, depth), 0.0, v)
    spread[..., digit] = v
    return spread.reshape(v.shape[0], -1)
