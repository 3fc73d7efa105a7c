"""The current of a cell against its conductance and its voltage, in a form that an array reads by matrix products.

The table's current is a sum of K separable terms::

    i(g, v) = sum_k a_k(g) b_k(v)

    i  cell current (A)    g  conductance at the read voltage (S)    v  voltage across the cell (V)

An array read is then K matrix products instead of one look-up for each cell and vector: i_j = sum_k sum_i b_k(v_i)
a_k(g_ij). The terms are the leading ones of the singular value decomposition of the table's surrogate, the best
approximation of its rank (Eckart and Young 1936); K is the smallest for which no grid point is off by more than
`SEPARATION_LIMIT` of full scale. A cell whose current's shape does not depend on its conductance needs one term.

v > 0: the bit line is driven (backward read); v < 0: the source line, that is the row, is driven (forward read).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.errors import TableError
from rramkit.surrogate import GridSurrogate
from rramkit.table import Table

SEPARATION_LIMIT = 1e-4
"""Largest error of the sum of terms over the table's largest current (1): a fifth of what resampling may cost."""


@dataclass(frozen=True)
class CellCurrent:
    """The separable form of one read table.

    Attributes
    ----------
    g_grid, v_grid : ndarray
        Conductance (N,) in siemens and voltage (M,) in volts at which the terms are known; linear in between.
    a_grid, b_grid : ndarray
        Terms (K, N) and (K, M); the product of two is in amperes.
    """

    g_grid: np.ndarray
    v_grid: np.ndarray
    a_grid: np.ndarray
    b_grid: np.ndarray

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Separate the signal `i_cell` of a read table; raise `TableError` when it lacks a direction."""
        g_grid, v_grid, current = GridSurrogate(table, "i_cell").fine_grid()
        if v_grid[0] >= 0.0 or v_grid[-1] <= 0.0:
            raise TableError(
                f"axis `{table.name}/v_cell` must reach from below 0 V (row driven) to above (bit line driven); "
                f"got {v_grid[0]:g} to {v_grid[-1]:g} V. Characterise both directions."
            )
        left, singular, right = np.linalg.svd(current, full_matrices=False)
        weighted = left * singular
        terms = 1
        while np.max(np.abs(weighted[:, :terms] @ right[:terms] - current)) > SEPARATION_LIMIT * np.max(
            np.abs(current)
        ):
            terms += 1  # ends: all terms together give the table to rounding
        return cls(g_grid, v_grid, np.ascontiguousarray(weighted[:, :terms].T), right[:terms])

    @property
    def v_forward(self) -> float:
        """Largest magnitude that a row may be driven with (V)."""
        return -float(self.v_grid[0])

    @property
    def v_backward(self) -> float:
        """Largest magnitude that a bit line may be driven with (V)."""
        return float(self.v_grid[-1])

    def conductance_terms(self, g_cell: np.ndarray) -> np.ndarray:
        """Return a_k at conductances (...) in siemens, as (K, ...); outside the table the edge's value holds."""
        return _interpolated(g_cell, self.g_grid, self.a_grid)

    def voltage_terms(self, v_cell: np.ndarray) -> np.ndarray:
        """Return b_k at cell voltages (...) in volts, as (K, ...); outside the table the edge's value holds."""
        return _interpolated(v_cell, self.v_grid, self.b_grid)

    def outside(self, g_cell: np.ndarray) -> int:
        """Return how many conductances lie outside the table: whoever builds a tile counts and reports them."""
        margin = 1e-9 * (self.g_grid[-1] - self.g_grid[0])  # rounding is not an extrapolation
        return int(np.count_nonzero((g_cell < self.g_grid[0] - margin) | (g_cell > self.g_grid[-1] + margin)))


def _interpolated(x: np.ndarray, grid: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Interpolate (K, N) `terms` linearly at `x` (...): one search for all K."""
    position = np.interp(x, grid, np.arange(grid.size, dtype=float))
    below = np.minimum(position.astype(np.intp), grid.size - 2)
    part = position - below
    return terms[:, below] * (1.0 - part) + terms[:, below + 1] * part
