"""Fast look-up of a two-dimensional table signal: monotone cubic between the measured points, never outside them.

The curve is the tensor PCHIP of Fritsch and Carlson (SIAM J. Numer. Anal. 17, 238, 1980; SciPy's `PchipInterpolator`):
first along the second axis, then along the first. It passes through every measured point and makes no extremum between
them, so that a table of rising conductances gives rising conductances.

A look-up of many points in it is slow, so it is resampled once: every interval between two measured points is cut into
`m` equal parts, and a look-up is bilinear between those. The kinks of a PCHIP (its second derivative jumps) lie at the
measured points, which stay grid points; within an interval the error falls as 1/m^2. `m` is doubled until the error at
the centre of every part, where a bilinear patch is worst, is below `RESAMPLING_LIMIT` of full scale.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from rramkit.errors import InputError, TableError
from rramkit.table import Table

RESAMPLING_LIMIT = 5e-4
"""Largest resampling error over full scale (1). A tenth of the 0.5 % that a good fit leaves against held-out SPICE."""

_PARTS_MAX = 128  # parts an interval tried (1): 126 MB while trying at 32 x 32 points; what wants more is a step
_EDGE = 1e-9  # of the axis' span (1): a value this far outside is rounding, not an extrapolation


class GridSurrogate:
    """One signal of a two-axis table as a function of two arrays.

    Parameters
    ----------
    table : Table
        A table with two axes of at least two values each, in SI units.
    signal : str
        Name of one of its signals, (L, P).

    Attributes
    ----------
    x0_range, x1_range : tuple of float
        Lowest and highest value of the first and the second axis, in the axes' units.
    full_scale : float
        Largest absolute value of the signal, in its unit.
    resampling_error : float
        Largest error of the bilinear look-up against the exact PCHIP, over full scale, measured on this signal.

    Raises
    ------
    TableError
        When the table lacks the signal or does not have two axes.
    """

    def __init__(self, table: Table, signal: str) -> None:
        if signal not in table.signals:
            known = ", ".join(table.signals) or "none"
            raise TableError(f"table `{table.name}` lacks the signal `{signal}` (has: {known}). Characterise again.")
        axes = [axis.values for axis in table.axes.values()]
        if len(axes) != 2 or min(axis.size for axis in axes) < 2:
            raise TableError(
                f"table `{table.name}` must have two axes of at least two values; "
                f"got {[axis.size for axis in axes]}. Characterise again on a grid."
            )
        self._knots0, self._knots1 = (np.asarray(axis, dtype=float) for axis in axes)
        values = np.asarray(table.signals[signal].values, dtype=float)
        self.signal = signal
        self.x0_range = (float(self._knots0[0]), float(self._knots0[-1]))
        self.x1_range = (float(self._knots1[0]), float(self._knots1[-1]))
        self.full_scale = float(np.max(np.abs(values)))
        self._parts, self._grid, self.resampling_error = _resample(self._knots0, self._knots1, values)

    def at(self, x0: ArrayLike, x1: ArrayLike) -> np.ndarray:
        """Return the signal at (`x0`, `x1`), broadcast together; a point outside the axes takes the value at the edge.

        Ask `clamped` how many points that were: whoever looks up counts and reports them.

        Raises
        ------
        InputError
            When a coordinate is not finite.
        """
        row, row_part = self._place(x0, self._knots0)
        column, column_part = self._place(x1, self._knots1)
        width = self._grid.shape[1]
        flat = self._grid.ravel()
        corner = row * width + column
        near = flat[corner] * (1.0 - column_part) + flat[corner + 1] * column_part
        far = flat[corner + width] * (1.0 - column_part) + flat[corner + width + 1] * column_part
        return near * (1.0 - row_part) + far * row_part

    def clamped(self, x0: ArrayLike, x1: ArrayLike) -> int:
        """Return how many of the points (`x0`, `x1`), broadcast together, lie outside the axes."""
        outside = _outside(np.asarray(x0), self.x0_range) | _outside(np.asarray(x1), self.x1_range)
        return int(np.count_nonzero(outside))

    def fine_grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the grid that look-ups are bilinear in: its two axes (N,) and (M,), and the signal (N, M)."""
        return _subdivided(self._knots0, self._parts), _subdivided(self._knots1, self._parts), self._grid

    def _place(self, x: ArrayLike, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the fine grid point below each `x`, and how far (0 to 1) it lies towards the next."""
        values = np.asarray(x, dtype=float)
        if not np.all(np.isfinite(values)):
            raise InputError(f"a coordinate of `{self.signal}` must be finite; got NaN or infinity. Mend the input.")
        position = np.interp(values, knots, np.arange(knots.size) * float(self._parts))  # np.interp clamps
        below = np.minimum(position.astype(np.intp), (knots.size - 1) * self._parts - 1)
        return below, position - below


def _outside(x: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    margin = _EDGE * (limits[1] - limits[0])
    return (x < limits[0] - margin) | (x > limits[1] + margin)


def _resample(knots0: np.ndarray, knots1: np.ndarray, values: np.ndarray) -> tuple[int, np.ndarray, float]:
    """Return the parts an interval, the fine grid and its largest error over full scale at the patches' centres."""
    full_scale = float(np.max(np.abs(values))) or 1.0
    parts = 4
    while True:
        twice = exact_pchip(values, (knots0, knots1), (_subdivided(knots0, 2 * parts), _subdivided(knots1, 2 * parts)))
        grid = twice[::2, ::2]
        centre = (grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:]) / 4.0
        error = float(np.max(np.abs(centre - twice[1::2, 1::2]))) / full_scale
        if error <= RESAMPLING_LIMIT or 2 * parts > _PARTS_MAX:
            return parts, np.ascontiguousarray(grid), error
        parts *= 2


def exact_pchip(
    values: np.ndarray, knots: tuple[np.ndarray, np.ndarray], at: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the tensor PCHIP of `values` (L, P) on the grid of `at[0]` (N,) and `at[1]` (M,): (N, M); not clamped."""
    along_second = PchipInterpolator(knots[1], values, axis=1)(at[1])
    return PchipInterpolator(knots[0], along_second, axis=0)(at[0])


def _subdivided(knots: np.ndarray, parts: int) -> np.ndarray:
    """Return the knots with every interval between them cut into `parts` equal parts, ((L - 1) parts + 1,)."""
    return np.interp(np.arange((knots.size - 1) * parts + 1) / parts, np.arange(knots.size), knots)
