"""The amplitude of a wanted change: the table's mean change inverted along the amplitude.

At each conductance g of the table's fine grid, D_a(g) is the change that the driver's a-th amplitude makes, counted
in the polarity's direction; between grid points D_a is linear in g, as the look-up is. A pulse of more volts changes
a cell more, so the running maximum ::

    E_a(g) = max(D_0(g), ..., D_a(g))

is D itself but for what noise and rounding bring, and rises with a. The first a whose E reaches the wanted change is
found by bisection, ceil(log2 A) look-ups instead of A; it or its lower neighbour is the nearest. The method is this
kit's own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, is_tensor
from rramkit.array.kernels import reference


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

    def nearest(self, g_cell: Array, wanted: Array) -> Array:
        """Return the index (N,) of the amplitude whose change is nearest `wanted` (N,); the lowest among equals.

        `wanted` counts in the polarity's direction (S); a conductance `g_cell` (N,) outside the grid counts as its end.
        """
        return (reference if is_tensor(g_cell) else kernels.chosen()).nearest_step(
            g_cell, wanted, self.g_grid, self.reach
        )
