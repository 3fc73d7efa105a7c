"""ISAAC's bit-serial slices and flip encoding (Shafiee et al., ISCA 2016).

Known of ISAAC at second hand: arrays of 128 x 128, 16-bit weights over eight cells of two bits, inputs bit by bit in 16
cycles, an eight-bit converter, and a flip encoding that saves the converter one bit. How the flip is done is recalled:
a column whose levels sum to more than half of what they could is stored as its complement, and what it would have given
follows from the number of rows driven::

    sum_r x_r d_r = (2^b - 1) sum_r x_r - sum_r x_r (2^b - 1 - d_r)

Weights are biased by 2^(b S - 1), so that no cell is negative, and the bias is taken off with the same sum of inputs.
That this sum is formed digitally, and that what level 0 conducts is taken off with it, is this kit's own choice.
"""

from collections.abc import Sequence

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.levels import ConductanceLevels, digits, whole
from rramkit.array.mapping.mapping import Mapping
from rramkit.parameters import Parameters, quantity


class Isaac(Parameters, Mapping):
    """Whole inputs from 0 to 2^n - 1, one bit a read; whole weights from -2^(b S - 1) to 2^(b S - 1) - 1 in S cells."""

    levels: ConductanceLevels = ConductanceLevels(bits=2)
    slices: int = quantity(8, "1", "cells of a weight", ge=1, le=16)
    input_bits: int = quantity(16, "1", "bits of an input, one read each", ge=1, le=24)
    flip: bool = quantity(True, "1", "whether a column of high levels is stored as its complement")

    @property
    def bias(self) -> int:
        """What is added to a weight so that none is negative."""
        return 2 ** (self.levels.bits * self.slices - 1)

    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (1, N, M S) in siemens of whole weights (N, M)."""
        level, flipped = self._stored(weight), self.flips(weight)
        if flipped is not None:
            level = level * (1.0 - flipped) + (self.levels.highest - level) * flipped
        return self.levels.conductance(level)[None]

    def flips(self, weight: Array) -> Array | None:
        """Return 1.0 for each column (M S,) whose levels sum to more than half of what they could."""
        if not self.flip:
            return None
        level = self._stored(weight)
        half = 0.5 * self.levels.highest * level.shape[0]
        return namespace(level).astype(level.sum(axis=0) > half, level.dtype)

    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (1, N, M S), each cell at its nearest level."""
        level = self.levels.level(g_cell[0])
        if flips is not None:
            level = level * (1.0 - flips) + (self.levels.highest - level) * flips
        return self._composed(level) - self.bias

    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return one read for each bit, lowest first."""
        bits = digits(whole(x, 0, 2**self.input_bits - 1, "x"), 1, self.input_bits)
        return [(2.0**j, bit) for j, bit in enumerate(bits)]

    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return whole sums (B, M): steps counted in each column, flipped back, shifted, added, the bias taken off."""
        rows = driven.sum(axis=-1)[:, None]
        steps = namespace(i).round((i / v_max - self.levels.g_low * rows) / self.levels.g_step)
        if flips is not None:
            steps = steps * (1.0 - flips) + (self.levels.highest * rows - steps) * flips
        return self._composed(steps) - self.bias * rows

    def _stored(self, weight: Array) -> Array:
        """Return the levels (N, M S) of biased weights, lowest digit first."""
        biased = whole(weight, -self.bias, self.bias - 1, "weight") + float(self.bias)
        found = digits(biased, self.levels.bits, self.slices)
        return namespace(biased).stack(found, axis=-1).reshape(biased.shape[0], -1)

    def _composed(self, columns: Array) -> Array:
        parts = columns.reshape(columns.shape[0], -1, self.slices)
        return sum(parts[..., k] * float(2 ** (self.levels.bits * k)) for k in range(self.slices))
