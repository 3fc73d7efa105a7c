"""The amplitude of a wanted change: the table's mean change inverted along the amplitude.

At each conductance g of the table's fine grid, D_a(g) is the change that the driver's a-th amplitude makes, counted
in the polarity's direction; between grid points D_a is linear in g, as the look-up is. A pulse of more volts changes
a cell more, so the running maximum ::

    E_a(g) = max(D_0(g), ..., D_a(g))

is D itself but for what noise and rounding bring, and rises with a. The first a whose E reaches the wanted change is
found by bisection, ceil(log2 A) look-ups instead of A; it or its lower neighbour is the nearest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Inversion:
    """Amplitudes against conductance and wanted change.

    Attributes
    ----------
    g_grid : ndarray
        Conductances (N,) in siemens, rising; linear in between.
    reach : ndarray
        E_a(g) as (N, A), in siemens, at least as large with each a.
    """

    g_grid: np.ndarray
    reach: np.ndarray

    @classmethod
    def of(cls, g_grid: np.ndarray, change: np.ndarray) -> Self:
        """Invert changes (N, A) in siemens at conductances (N,), counted in the polarity's direction."""
        return cls(g_grid, np.ascontiguousarray(np.maximum.accumulate(change, axis=1)))

    def nearest(self, g_cell: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Return the index (N,) of the amplitude whose change is nearest `wanted` (N,); the lowest among equals.

        `wanted` counts in the polarity's direction (S); a conductance `g_cell` (N,) outside the grid counts as its end.
        """
        position = np.interp(g_cell, self.g_grid, np.arange(self.g_grid.size, dtype=float))
        below = np.minimum(position.astype(np.intp), self.g_grid.size - 2)
        part, width, flat = position - below, self.reach.shape[1], self.reach.ravel()
        corner = below * width

        def reach(index: np.ndarray) -> np.ndarray:
            return flat[corner + index] * (1.0 - part) + flat[corner + width + index] * part

        upper = np.minimum(_first(reach, wanted, width), width - 1)
        lower = np.maximum(upper - 1, 0)
        near_lower = reach(lower)
        take_lower = np.abs(near_lower - wanted) <= np.abs(reach(upper) - wanted)
        return np.where(take_lower, _first(reach, near_lower, width), upper)


def _first(reach: Callable[[np.ndarray], np.ndarray], wanted: np.ndarray, count: int) -> np.ndarray:
    """Return the first index (N,) of `count` where the rising `reach` is at least `wanted` (N,); `count` where none."""
    low = np.zeros(wanted.shape, dtype=np.intp)
    high = np.full(wanted.shape, count, dtype=np.intp)  # the answer lies within low and high, both included
    for _ in range(int(count).bit_length()):
        middle = (low + high) // 2
        there = reach(np.minimum(middle, count - 1)) >= wanted
        searching = low < high
        high = np.where(searching & there, middle, high)
        low = np.where(searching & ~there, middle + 1, low)
    return high
