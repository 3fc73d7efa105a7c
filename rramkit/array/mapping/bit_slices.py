"""Whole weights cut into digits, each in a pair of cells of its own: w = sum_k 2^(b k) d_k, b bits a cell.

The digits of |w| stand in the plus halves where w > 0 and in the minus halves where w < 0. Columns of one weight are
neighbours, lowest digit first; their sums are shifted and added.
"""

from collections.abc import Sequence

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.levels import ConductanceLevels, digits, whole
from rramkit.array.mapping.mapping import Mapping
from rramkit.parameters import Parameters, quantity


class BitSliced(Parameters, Mapping):
    """Whole weights from -(2^(b S) - 1) to 2^(b S) - 1 in S pairs; whole inputs as levels of the read voltage."""

    levels: ConductanceLevels = ConductanceLevels()
    slices: int = quantity(4, "1", "cells of a half", ge=1, le=16)
    x_max: int = quantity(15, "1", "largest input, which the full read voltage stands for", ge=1, le=65535)

    @property
    def w_max(self) -> int:
        """Largest weight."""
        return 2 ** (self.levels.bits * self.slices) - 1

    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (2, N, M S) in siemens of whole weights (N, M)."""
        xp = namespace(weight)
        size, positive = xp.abs(whole(weight, -self.w_max, self.w_max, "weight")), weight > 0.0
        found = xp.stack(digits(size, self.levels.bits, self.slices), axis=-1)  # (N, M, S)
        halves = xp.stack([found * positive[..., None], found * ~positive[..., None]])
        return self.levels.conductance(halves.reshape(2, weight.shape[0], -1))

    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (2, N, M S), each cell at its nearest level."""
        level = self.levels.level(g_cell)
        return self._composed(level[0] - level[1])

    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return one read."""
        return [(1.0, whole(x, -self.x_max, self.x_max, "x") / self.x_max)]

    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return whole sums (B, M): steps counted in each column, shifted and added."""
        steps = namespace(i).round(i * (self.x_max / (v_max * self.levels.g_step)))
        return self._composed(steps)

    def _composed(self, columns: Array) -> Array:
        parts = columns.reshape(columns.shape[0], -1, self.slices)
        return sum(parts[..., k] * float(2 ** (self.levels.bits * k)) for k in range(self.slices))
