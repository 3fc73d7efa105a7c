r"""The curve between the points of a table: a monotone piecewise cubic (PCHIP), in NumPy.

Between two of the knots x_k, h_k apart, where the values have the secant slope m_k, the curve is the cubic with the
slopes d_k and d_k+1 at its ends::

    y(x) = y_k + d_k s + ((m_k - d_k)/h_k - t) s^2 + t/h_k s^3        s = x - x_k    t = (d_k + d_k+1 - 2 m_k)/h_k

Inside, d_k is the weighted harmonic mean of the two secants, and 0 where they differ in sign or one is 0::

    (w_1 + w_2)/d_k = w_1/m_k-1 + w_2/m_k        w_1 = 2 h_k + h_k-1    w_2 = h_k + 2 h_k-1

At an end it is the slope of the parabola through three points, 0 where that has the sign opposite to the secant's, and
at most 3 m where the secants change sign. Two knots make a straight line. The curve passes through every point, and
monotone data give a monotone curve: no extremum lies between two points.

Sources: Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), the slopes inside; Moler, Numerical Computing
with MATLAB (2004), section 3.6, those at the ends. The arithmetic is in the order of SciPy's `PchipInterpolator`, and
gives its bits: tables and runs that were made with it stay what they are. A training needs no SciPy.
"""

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import InputError


class MonotoneCubic:
    """A monotone cubic through values at knots, along one axis; beyond the ends the last cubics go on.

    Parameters
    ----------
    knots : array_like
        Rising row (L,), of at least two, in any unit.
    values : array_like
        Shape (..., L, ...), in any unit.
    axis : int
        The axis of `values` along which the knots lie.

    Raises
    ------
    InputError
        When the knots are fewer than two, do not rise, or are not one for each value along the axis, or a value is not
        finite.

    Examples
    --------
    >>> curve = MonotoneCubic([0.0, 1.0, 2.0], [0.0, 1.0, 1.0])
    >>> curve([0.0, 0.5, 1.0, 1.5]).tolist()
    [0.0, 0.6875, 1.0, 1.0]
    """

    def __init__(self, knots: ArrayLike, values: ArrayLike, *, axis: int = 0) -> None:
        self._knots, self._axis = np.asarray(knots, dtype=float), axis
        y = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
        if self._knots.ndim != 1 or self._knots.size < 2 or self._knots.size != len(y):
            raise InputError(
                f"`knots` must be (L,) with L at least 2 and `values` (..., L, ...); got {self._knots.shape} and "
                f"{np.shape(values)} along axis {axis}. Pass one knot for each value."
            )
        h = np.diff(self._knots).reshape(-1, *(1,) * (y.ndim - 1))
        if not np.all(h > 0.0):
            raise InputError("`knots` must rise; they do not. Sort the points, and merge equal knots.")
        if not np.isfinite(y).all():  # one would make the curve none over four intervals
            lost = np.count_nonzero(~np.isfinite(y))
            raise InputError(f"`values` must be finite; {lost} of {y.size} are not. Leave their knots out.")
        secant = np.diff(y, axis=0) / h
        slope = _slopes(h, secant)
        bend = (slope[:-1] + slope[1:] - 2.0 * secant) / h
        self._coefficients = y[:-1], slope[:-1], (secant - slope[:-1]) / h - bend, bend / h

    def __call__(self, at: ArrayLike) -> np.ndarray:
        """Return the curve at `at` (...), whose axes stand in the place of the knots' axis."""
        points = np.asarray(at, dtype=float)
        flat = points.ravel()
        intervals = np.clip(np.searchsorted(self._knots, flat, side="right") - 1, 0, self._knots.size - 2)
        around = self._coefficients[0].shape[1:]
        curve = np.empty((flat.size, *around))
        for interval in np.unique(intervals):  # cubic by cubic: no copy of the coefficients for each point
            here = _places(intervals, interval)
            s = (flat[here] - self._knots[interval]).reshape(-1, *(1,) * len(around))
            curve[here] = _cubic(s, *(each[interval] for each in self._coefficients))
        first = self._axis if self._axis >= 0 else self._axis + len(around) + 1
        places = range(points.ndim)
        return np.moveaxis(curve.reshape(points.shape + around), places, [first + place for place in places])


def _cubic(s: np.ndarray, y: np.ndarray, slope: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Return the cubic at distances `s` from its first knot; not by Horner, whose last bits are others."""
    return y + slope * s + second * (s * s) + third * (s * s * s)


def _places(intervals: np.ndarray, interval: int) -> slice | np.ndarray:
    """Return where `intervals` are `interval`: a slice where they stand together, as those of a rising row do."""
    (here,) = np.nonzero(intervals == interval)
    together = here[-1] - here[0] + 1 == here.size
    return slice(here[0], here[-1] + 1) if together else here


def _slopes(h: np.ndarray, secant: np.ndarray) -> np.ndarray:
    """Return the slopes (L, ...) at the knots from their distances (L-1, ...) and the secants (L-1, ...)."""
    if len(h) == 1:
        return np.concatenate([secant, secant])
    before, after = secant[:-1], secant[1:]
    w_1, w_2 = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
    turns = (np.sign(before) != np.sign(after)) | (before == 0.0) | (after == 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = 1.0 / ((w_1 / before + w_2 / after) / (w_1 + w_2))
    first = _end_slope(h[0], h[1], secant[0], secant[1])
    last = _end_slope(h[-1], h[-2], secant[-1], secant[-2])
    return np.concatenate([first[None], np.where(turns, 0.0, mean), last[None]])


def _end_slope(h_end: np.ndarray, h_next: np.ndarray, end: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return the slope at an end, from the distances and the secants of the two intervals beside it."""
    slope = ((2.0 * h_end + h_next) * end - h_end * beside) / (h_end + h_next)
    steep = (np.sign(end) != np.sign(beside)) & (np.abs(slope) > 3.0 * np.abs(end))
    return np.where(np.sign(slope) != np.sign(end), 0.0, np.where(steep, 3.0 * end, slope))
