"""Uniform look-up table: several curves over one range at evenly spaced points; no search, one index for all."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import array_api_compat
import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, like
from rramkit.array.kernels import reference

PARTS = 8192
"""Parts of the range (1): the rounding at the kinks of a curve of hundreds of points is below 1e-6 of its scale."""


@dataclass(frozen=True)
class UniformLut:
    """Curves (K,) over `low` to `high`, linear within each of `PARTS` parts: their values and steps (K, PARTS)."""

    low: float
    high: float
    values: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, grid: np.ndarray, curves: np.ndarray) -> Self:
        """Resample curves (K, N) that are linear between the points of `grid` (N,)."""
        even = np.linspace(grid[0], grid[-1], PARTS + 1)
        values = np.stack([np.interp(even, grid, curve) for curve in curves])
        return cls(float(grid[0]), float(grid[-1]), values[:, :-1].copy(), np.diff(values, axis=1))

    def at(self, x: Array) -> Array:
        """Return the curves at `x` (...), as (K, ...); beyond an end the value at the end holds."""
        values, steps = self._curves(x)
        even_curves = (kernels.chosen() if isinstance(x, np.ndarray) else reference).even_curves
        return even_curves(x, values, steps, (self.low, self.high))

    def _curves(self, x: Array) -> tuple[Array, Array]:
        """Return values and steps (K, PARTS) in the kind of array that `x` is, converted once for each kind."""
        kind = (type(x).__module__, str(x.dtype), str(array_api_compat.device(x)))
        if kind not in self._converted:
            self._converted[kind] = like(self.values, x), like(self.steps, x)
        return self._converted[kind]

    @cached_property
    def _converted(self) -> dict[tuple[str, str, str], tuple[Array, Array]]:
        return {}
