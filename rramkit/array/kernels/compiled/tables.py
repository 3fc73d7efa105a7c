"""Look-ups: curves over an even grid, and the amplitude whose change is nearest a wanted one."""

import numpy as np

from rramkit.array.kernels import reference
from rramkit.array.kernels.parts import in_parts
from rramkit.compiling import kernel


def even_curves(x: np.ndarray, values: np.ndarray, steps: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Return curves (K, ...) at `x` (...): see `reference.even_curves`."""
    if not (x.flags.c_contiguous and x.dtype == values.dtype):
        return reference.even_curves(x, values, steps, span)
    flat, kind = x.reshape(-1), x.dtype.type
    found = np.empty((len(values), flat.size), x.dtype)
    low, high, scale = kind(span[0]), kind(span[1]), kind(values.shape[1] / (span[1] - span[0]))
    numbers = low, high, scale, kind(values.shape[1] - 1.0)
    in_parts(lambda *part: _even_curves(flat, values, steps, *numbers, found, *part), flat.size, 4 * found.size)
    return found.reshape(len(values), *x.shape)


def pair_matrices(
    terms: np.ndarray, variance: np.ndarray | None, attenuation: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Return difference and sum of the halves of each term, and of their variances: see `reference.pair_matrices`."""
    given = [each for each in (terms, variance, attenuation) if each is not None]
    if not all(each.flags.c_contiguous and each.dtype == terms.dtype for each in given):
        return reference.pair_matrices(terms, variance, attenuation)
    count, tiles, _, rows, columns = terms.shape
    nothing, noisy = np.empty((0, 2, 0), terms.dtype), variance is not None
    cells = [nothing if each is None else each.reshape(tiles, 2, -1) for each in (variance, attenuation)]
    pairs = np.empty((2, tiles, count, rows * columns), terms.dtype)
    noise = np.empty((2, tiles if noisy else 0, rows * columns), terms.dtype)
    flat = terms.reshape(count, tiles, 2, -1)
    in_parts(lambda *part: _pair_matrices(flat, *cells, pairs, noise, *part), tiles, terms.size)
    found = tuple(pairs.reshape(2, tiles, count, rows, columns))
    return (*found, *noise.reshape(2, tiles, rows, columns)) if noisy else found


@kernel
def _pair_matrices(terms, variance, attenuation, pairs, noise, first, end):  # noqa: ANN001, ANN202
    for t in range(first, end):
        for k in range(terms.shape[0]):
            plus, minus, less, both = terms[k, t, 0], terms[k, t, 1], pairs[0, t, k], pairs[1, t, k]
            for n in range(plus.size):
                less[n] = plus[n] - minus[n]
                both[n] = plus[n] + minus[n]
        if noise.shape[1] > 0:
            if attenuation.shape[0] > 0:
                for half in range(2):
                    own, part = variance[t, half], attenuation[t, half]
                    for n in range(own.size):
                        square = part[n] * part[n]
                        own[n] *= square * square
            plus, minus, both, less = variance[t, 0], variance[t, 1], noise[0, t], noise[1, t]
            for n in range(plus.size):
                both[n] = plus[n] + minus[n]
                less[n] = plus[n] - minus[n]


@kernel
def _even_curves(x, values, steps, low, high, scale, last, found, first, end):  # noqa: ANN001, ANN202
    for n in range(first, end):
        position = (min(max(x[n], low), high) - low) * scale
        below = np.int64(min(max(position, low - low), last))
        part = position - x.dtype.type(below)
        for k in range(values.shape[0]):
            found[k, n] = steps[k, below] * part + values[k, below]


def nearest_step(g_cell: np.ndarray, wanted: np.ndarray, g_grid: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return the index (N,) of the amplitude whose change is nearest: see `reference.nearest_step`."""
    cells, changes = (np.ascontiguousarray(each, dtype=float) for each in (g_cell, wanted))
    if cells.shape != changes.shape or cells.ndim != 1:
        return reference.nearest_step(g_cell, wanted, g_grid, reach)
    chosen = np.empty(cells.size, np.intp)
    _nearest_step(cells, changes, g_grid, reach, chosen)
    return chosen


@kernel
def _nearest_step(g_cell, wanted, g_grid, reach, chosen):  # noqa: ANN001, ANN202
    count = reach.shape[1]
    for n in range(g_cell.size):
        position = _place(g_cell[n], g_grid)
        below = min(np.int64(position), g_grid.size - 2)
        part = position - below
        upper = min(_first(reach, below, part, wanted[n]), count - 1)
        lower = max(upper - 1, 0)
        near = _change(reach, below, part, lower)
        if abs(near - wanted[n]) <= abs(_change(reach, below, part, upper) - wanted[n]):
            chosen[n] = _first(reach, below, part, near)
        else:
            chosen[n] = upper


@kernel
def _place(x, grid):  # noqa: ANN001, ANN202
    """Return the place of x in a rising grid, what np.interp gives."""
    if not x > grid[0]:
        return 0.0
    if x >= grid[-1]:
        return np.float64(grid.size - 1)
    low, high = 0, grid.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= x:
            low = middle
        else:
            high = middle
    return 1.0 / (grid[low + 1] - grid[low]) * (x - grid[low]) + low


@kernel
def _change(reach, below, part, index):  # noqa: ANN001, ANN202
    return reach[below, index] * (1.0 - part) + reach[below + 1, index] * part


@kernel
def _first(reach, below, part, wanted):  # noqa: ANN001, ANN202
    """Return the first index whose change is at least `wanted`; their number where none is."""
    count = reach.shape[1]
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if _change(reach, below, part, min(middle, count - 1)) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low
