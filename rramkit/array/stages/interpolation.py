"""Interpolation along one axis of a stage's table, straight on beyond its ends."""

import numpy as np

from rramkit.array.backend import Array, full, is_tensor, limited, on_pieces


def extrapolated(x: Array, grid: np.ndarray, values: np.ndarray) -> Array:
    """Return `values` (N,) on `grid` at `x` (...): linear between the points, and straight on beyond the outer two."""
    if grid.size == 1:
        return full(tuple(x.shape), float(values[0]), x) if is_tensor(x) else np.full_like(x, values[0])
    if is_tensor(x):
        return on_pieces(x, grid, values)
    at = limited(np.searchsorted(grid, x, side="right") - 1, 0, grid.size - 2)
    part = (x - grid.take(at)) / (grid.take(at + 1) - grid.take(at))
    return values.take(at) * (1.0 - part) + values.take(at + 1) * part
