"""Interpolation along one axis of a stage's table, straight on beyond its ends."""

import numpy as np


def extrapolated(x: np.ndarray, grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return `values` (N,) on `grid` at `x` (...): linear between the points, and straight on beyond the outer two."""
    if grid.size == 1:
        return np.full_like(x, values[0])
    at = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, grid.size - 2)
    part = (x - grid[at]) / (grid[at + 1] - grid[at])
    return values[at] * (1.0 - part) + values[at + 1] * part
