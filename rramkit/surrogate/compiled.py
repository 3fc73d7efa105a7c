"""Look-ups in a multilinear grid, compiled: all axes of a point in one pass, the same as NumPy's to the last bit."""

import numpy as np

from rramkit.compiling import kernel


@kernel
def interpolated(points, values, knots, ends, parts, strides, out):  # noqa: ANN001, ANN201
    """Write the values at points (A, N) into `out` (N,); return whether every coordinate is finite.

    `values` is the grid, flat; `knots` those of all axes, one after the other, of axis a up to `ends[a]`; `parts` and
    `strides` (A,) as `grid.MultilinearGrid` has them.
    """
    axes, part, steps = points.shape[0], np.empty(points.shape[0]), np.empty(points.shape[0], np.int64)
    corners = np.empty(1 << axes)
    for n in range(points.shape[1]):
        corner, used = 0, 0
        for axis in range(axes):
            x, first = points[axis, n], ends[axis - 1] if axis else 0
            if not np.isfinite(x):
                return False
            last = ends[axis] - 1
            if last == first:
                continue
            position = _position(x, knots, first, last, parts[axis])
            below = min(np.int64(position), np.int64((last - first) * parts[axis] - 1))
            corner += below * strides[axis]
            part[used], steps[used] = position - below, strides[axis]
            used += 1
        for k in range(1 << used):  # the bits of k, the first axis in the highest one: its lower or its upper side
            place = corner
            for axis in range(used):
                place += steps[axis] * ((k >> (used - 1 - axis)) & 1)
            corners[k] = values[place]
        for axis in range(used - 1, -1, -1):
            for k in range(1 << axis):
                corners[k] = corners[2 * k] * (1.0 - part[axis]) + corners[2 * k + 1] * part[axis]
        out[n] = corners[0]
    return True


@kernel
def _position(x, knots, first, last, parts):  # noqa: ANN001, ANN202
    """Return the place of x among the knots `first` to `last`, `parts` between two of them: what np.interp gives."""
    if x <= knots[first]:
        return 0.0
    if x >= knots[last]:
        return np.float64((last - first) * parts)
    low, high = first, last
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle
    below, above = np.float64((low - first) * parts), np.float64((low - first + 1) * parts)
    slope = (above - below) / (knots[low + 1] - knots[low])
    return slope * (x - knots[low]) + below
