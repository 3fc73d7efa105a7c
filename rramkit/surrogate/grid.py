"""Monotone cubic interpolation (PCHIP) of a table signal over any number of axes, as a fast look-up table.

The curve is the tensor PCHIP of Fritsch and Carlson (SIAM J. Numer. Anal. 17, 238, 1980; `rramkit.monotone_cubic`):
along the last axis first, along the first axis last. It passes through every measured point and makes no extremum
between them: monotone data give a monotone curve. It does not extrapolate: outside, the value at the edge holds.

A look-up of many points in it is slow, so it is resampled once: every interval between two measured points is cut into
`m_k` equal parts along axis k, and a look-up is multilinear between those. The kinks of a PCHIP (its second derivative
jumps) lie at the measured points, which stay grid points; within an interval the error falls as 1/m_k^2. Each `m_k` is
doubled until the error at the centre of every part, where a multilinear patch is worst, is below `RESAMPLING_LIMIT` of
full scale. An axis or a signal whose quantity is logarithmic (`Quantity.log`) is interpolated in its logarithm; the
resampling error of such a signal is relative to its value.

Failed points. A masked point invalidates every patch whose curve it would shape: those between it and the second
measured point on each side. A look-up there raises.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import ArrayLike

from rramkit import compiling
from rramkit.errors import InputError, TableError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.table.parts import Quantity, Tabulated

RESAMPLING_LIMIT = 5e-4
"""Largest resampling error over full scale (1). A tenth of the 0.5 % of a good fit's held-out error."""

_PARTS_FIRST, _PARTS_MAX = 4, 128  # parts an interval (1): a signal that needs more is a step
_POINTS_MAX = 2**24  # grid points (1): 134 MB, twice that while the error is measured
_EDGE = 1e-9  # of the axis' span (1): a value this far outside is rounding, not an extrapolation


class GridSurrogate:
    """One signal of a table as a function of one array for each axis.

    Parameters
    ----------
    table : Table
        A table with axes of numbers, in SI units; along an axis of one value the signal is a constant.
    signal : str
        Name of one of its signals.

    Attributes
    ----------
    ranges : mapping
        Axis name to the lowest and the highest value that the table holds for, in the axis' unit.
    full_scale : float
        Largest absolute value of the signal, in its unit.
    resampling_error : float
        Largest error of the multilinear look-up against the exact PCHIP, over full scale, measured on this signal.

    Raises
    ------
    TableError
        When the table lacks the signal, has no axis or one of labels, or every point of the signal failed.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> delta_g = GridSurrogate(example()["set"], "delta_g")
    >>> delta_g.ranges["v_pulse"], delta_g.resampling_error <= RESAMPLING_LIMIT
    ((0.8, 1.8), True)
    """

    def __init__(self, table: Tabulated, signal: str) -> None:
        values = np.asarray(table.signal(signal).values, dtype=float)
        self._table, self.signal = table, signal
        _check_axes(table)
        knots = [_scaled(np.asarray(axis.values, dtype=float), axis) for axis in table.axes.values()]
        bad, self._log = table.masked(signal), table.signal(signal).log
        self._refused = _beside(bad) if np.any(bad) else None
        self.ranges = {name: table.valid_range(name) for name in table.axes}
        self.full_scale = float(np.max(np.abs(values[~bad]), initial=0.0))
        filled = _scaled(_filled(table, signal, values, bad), table.signal(signal))
        parts, grid, self.resampling_error = _resample(knots, filled, 1.0 if self._log else self.full_scale or 1.0)
        self._grid = MultilinearGrid(knots, grid, parts=parts, name=signal)

    @property
    def x0_range(self) -> tuple[float, float]:
        """Lowest and highest value of the first axis."""
        return next(iter(self.ranges.values()))

    @property
    def x1_range(self) -> tuple[float, float]:
        """Lowest and highest value of the second axis."""
        return list(self.ranges.values())[1]

    def at(self, *x: ArrayLike) -> np.ndarray:
        """Return the signal; a point outside takes the value at the edge.

        `clamped` counts those points; callers report the count.

        Parameters
        ----------
        *x : array_like
            One value or array for each axis, in its unit, broadcast together.

        Returns
        -------
        ndarray
            The signal in its unit, in the broadcast shape.

        Raises
        ------
        InputError
            When a coordinate is not finite.
        TableError
            When a point lies beside one that failed; `masked` says which do.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> delta_g = GridSurrogate(example()["set"], "delta_g")
        >>> float(delta_g.at(20e-6, 1.3).round(8))  # S, of siemens and volts
        1.75e-05
        """
        inside = self._within(x)
        if self._refused is not None and any(_on_device(each) for each in x):
            raise TableError(
                f"`{self._table.name}/{self.signal}` must have every point to be looked up on a device "
                "(`mapping.backend` torch), where no single value is looked at; some failed. Regenerate the table with "
                "`rramkit characterize`, or take the backend numpy."
            )
        if self._refused is not None and (count := int(np.count_nonzero(self._beside(inside)))):
            reasons = "; ".join(f"{n} of {reason}" for reason, n in self._table.masks[self.signal].counts().items())
            raise TableError(
                f"{count} points of `{self._table.name}/{self.signal}` lie beside failed ones ({reasons}). "
                "Regenerate the table with `rramkit characterize`, or read elsewhere."
            )
        values = self._grid.at(*inside)
        return _raised(values) if self._log else values

    def masked(self, *x: ArrayLike) -> np.ndarray:
        """Return which points lie beside ones that failed.

        Parameters
        ----------
        *x : array_like
            One value or array for each axis, in its unit, broadcast together.

        Returns
        -------
        ndarray of bool
            In the broadcast shape.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> delta_g = GridSurrogate(example()["set"], "delta_g")
        >>> bool(delta_g.masked(20e-6, 1.3))
        False
        """
        shape = np.broadcast_shapes(*(np.shape(each) for each in x))
        return np.zeros(shape, dtype=bool) if self._refused is None else self._beside(self._within(x))

    def clamped(self, *x: ArrayLike, live: Any = None) -> int:  # noqa: ANN401  (NumPy's, or a tensor)
        """Return how many points lie outside the valid range.

        Parameters
        ----------
        *x : array_like
            One value or array for each axis, in its unit, broadcast together; or PyTorch's tensors.
        live : array of bool, optional
            Which points count; left out, all.

        Returns
        -------
        int
            The count; of tensors a tensor of one number.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> delta_g = GridSurrogate(example()["set"], "delta_g")
        >>> delta_g.clamped(20e-6, [1.3, 2.5])
        1
        """
        outside = False
        for each, limits in zip(x, self.ranges.values(), strict=True):
            outside = _outside(each if _on_device(each) else np.asarray(each), limits) | outside
        if live is not None:
            outside = live & outside
        return outside.sum() if _on_device(outside) else int(np.count_nonzero(outside))  # pyright: ignore

    def fine_grid(self) -> tuple[np.ndarray, ...]:
        """Return the resampled grid.

        Look-ups are multilinear in it, in the logarithm of a logarithmic axis or signal; returned are the values.

        Returns
        -------
        tuple of ndarray
            The axes (N,), (M,) ..., and the signal (N, M, ...), in their units.

        Raises
        ------
        TableError
            When points of the signal failed.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> delta_g = GridSurrogate(example()["set"], "delta_g")
        >>> g_start, v_pulse, values = delta_g.fine_grid()
        >>> values.shape == (g_start.size, v_pulse.size)
        True
        """
        if self._refused is not None:
            counts = self._table.masks[self.signal].counts()
            raise TableError(
                f"`{self._table.name}/{self.signal}` must have every point; {sum(counts.values())} failed "
                f"({', '.join(counts)}). Regenerate the table with `rramkit characterize`."
            )
        axes = [_subdivided(k, m) for k, m in zip(self._grid.knots, self._grid.parts, strict=True)]
        logs = [axis.log for axis in self._table.axes.values()]
        values = np.exp(self._grid.values) if self._log else self._grid.values
        return (*(np.exp(axis) if log else axis for axis, log in zip(axes, logs, strict=True)), values)

    def _within(self, x: Sequence[ArrayLike]) -> list[ArrayLike]:
        """Return the coordinates as the grid takes them, clamped where its axis' ends do not."""
        if len(x) != len(self.ranges):
            raise TypeError(f"`{self.signal}` has the axes {', '.join(self.ranges)}; got {len(x)} coordinates")
        axes, valid = self._table.axes, self._table.valid
        clipped = {n for n in axes if n in valid or axes[n].log}  # no logarithm of what lies below a range
        inside = [_clipped(each, self.ranges[n]) if n in clipped else each for each, n in zip(x, axes, strict=True)]
        numbers = [each if _on_device(each) else np.asarray(each, dtype=float) for each in inside]
        return [_scaled(each, axes[n]) for each, n in zip(numbers, axes, strict=True)]

    def _beside(self, x: Sequence[ArrayLike]) -> np.ndarray:
        places = (self._grid.place(each, axis)[0] // self._grid.parts[axis] for axis, each in enumerate(x))
        assert self._refused is not None
        return self._refused[tuple(places)]


def _check_axes(table: Tabulated) -> None:
    labelled = [name for name, axis in table.axes.items() if axis.labels]
    if labelled:
        raise TableError(f"table `{table.name}` has an axis of labels, `{labelled[0]}`. Select one with `along` first.")
    if not table.axes or min(table.shape) < 1:
        raise TableError(f"table `{table.name}` must have axes to be looked up along; got none. Use its value.")


def _filled(table: Tabulated, signal: str, values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Return the values with the nearest good one, in steps along axes, at each failed point; no look-up uses those."""
    if np.all(bad):
        raise TableError(
            f"every point of `{table.name}/{signal}` failed. Regenerate the table with `rramkit characterize`."
        )
    if not np.any(bad):
        return values
    filled, missing = values.copy(), bad.copy()
    while np.any(missing):
        here = missing.copy()
        for axis in range(values.ndim):
            rows, lacking, before = (np.moveaxis(each, axis, 0) for each in (filled, missing, here))
            for to, source in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
                taken = lacking[to] & ~before[source]
                rows[to][taken], lacking[to][taken] = rows[source][taken], False
    return filled


def _beside(bad: np.ndarray) -> np.ndarray:
    """Return which patches between measured points a failed one would shape, (max(L_k - 1, 1), ...) of bool."""
    for axis, size in enumerate(bad.shape):
        if size > 1:
            around = np.pad(bad, [(1, 1) if k == axis else (0, 0) for k in range(bad.ndim)])
            shifted = [np.take(around, np.arange(size - 1) + k, axis=axis) for k in range(4)]
            bad = np.logical_or.reduce(shifted)
    return bad


def _outside(x: Any, limits: tuple[float, float]) -> Any:  # noqa: ANN401  (NumPy's, or tensors)
    margin = _EDGE * ((limits[1] - limits[0]) or abs(limits[0]))
    return (x < limits[0] - margin) | (x > limits[1] + margin)


def _scaled(values: Any, quantity: Quantity) -> Any:  # noqa: ANN401  (NumPy's, or tensors)
    """Return what is interpolated: the values, or their logarithm."""
    return values if not quantity.log else values.log() if _on_device(values) else np.log(values)


def _raised(values: Any) -> Any:  # noqa: ANN401  (NumPy's, or tensors)
    return values.exp() if _on_device(values) else np.exp(values)


def _clipped(values: Any, limits: tuple[float, float]) -> Any:  # noqa: ANN401  (NumPy's, or tensors)
    return values.clip(*limits) if _on_device(values) else np.clip(values, *limits)


def _on_device(x: object) -> bool:
    """Return whether `x` is a tensor: neither a number nor NumPy's, nor what NumPy makes an array of."""
    return not isinstance(x, np.ndarray | np.generic | float | int) and array_api_compat.is_array_api_obj(x)


def _resample(
    knots: Sequence[np.ndarray], values: np.ndarray, full_scale: float
) -> tuple[list[int], np.ndarray, float]:
    """Return the parts an interval of each axis, the fine grid and its largest error over full scale at the centres."""
    parts = [_PARTS_FIRST if knot.size > 1 else 1 for knot in knots]
    while True:
        grid = exact_pchip(values, knots, [_subdivided(k, m) for k, m in zip(knots, parts, strict=True)])
        error = _centre_error(values, knots, parts, grid) / full_scale
        worst = int(np.argmax([_axis_error(values, knots, parts, axis) for axis in range(len(knots))]))
        wider = [2 * m if axis == worst else m for axis, m in enumerate(parts)]
        points = prod((k.size - 1) * m + 1 for k, m in zip(knots, wider, strict=True))
        if error <= RESAMPLING_LIMIT or wider[worst] > _PARTS_MAX or points > _POINTS_MAX:
            return parts, grid, error
        parts = wider


def _centre_error(values: np.ndarray, knots: Sequence[np.ndarray], parts: Sequence[int], grid: np.ndarray) -> float:
    """Return the largest error of the multilinear patches at their centres."""
    centres, mean = [], grid
    for axis, (knot, m) in enumerate(zip(knots, parts, strict=True)):
        fine = _subdivided(knot, m)
        if fine.size > 1:
            along = np.moveaxis(mean, axis, 0)  # a view: copies of a fine grid are slow
            fine, mean = (fine[:-1] + fine[1:]) / 2.0, np.moveaxis((along[:-1] + along[1:]) / 2.0, 0, axis)
        centres.append(fine)
    return float(np.max(np.abs(mean - exact_pchip(values, knots, centres))))


def _axis_error(values: np.ndarray, knots: Sequence[np.ndarray], parts: Sequence[int], axis: int) -> float:
    """Return the largest error that parts along one axis alone leave, on the measured points of the others."""
    if knots[axis].size < 2:
        return 0.0
    fine = _subdivided(knots[axis], 2 * parts[axis])
    curve = np.moveaxis(MonotoneCubic(knots[axis], values, axis=axis)(fine), axis, 0)
    return float(np.max(np.abs((curve[:-2:2] + curve[2::2]) / 2.0 - curve[1::2])))


def exact_pchip(values: np.ndarray, knots: Sequence[np.ndarray], at: Sequence[np.ndarray]) -> np.ndarray:
    """Return the tensor PCHIP of `values` (L, P, ...) on the grid of `at`, (N, M, ...); not clamped."""
    for axis in reversed(range(len(knots))):
        if knots[axis].size > 1:
            values = MonotoneCubic(knots[axis], values, axis=axis)(at[axis])
        else:
            values = np.repeat(values, at[axis].size, axis=axis)
    return values


def _subdivided(knots: np.ndarray, parts: int) -> np.ndarray:
    """Return the knots with every interval between them cut into `parts` equal parts, ((L - 1) parts + 1,)."""
    return np.interp(np.arange((knots.size - 1) * parts + 1) / parts, np.arange(knots.size), knots)


class MultilinearGrid:
    """Values on a grid whose axes are `knots`, each interval between two of them cut into equal parts.

    A look-up is multilinear; a point outside takes the value at the edge, and along an axis of one value the values are
    constant.

    Parameters
    ----------
    knots : sequence of ndarray
        One rising row (L_k,) for each axis.
    values : ndarray
        Shape ((L_0 - 1) parts_0 + 1, ...).
    parts : sequence of int
        Parts an interval of each axis is cut into.
    name : str
        What is looked up, for the message of a coordinate that is not finite.
    """

    def __init__(self, knots: Sequence[np.ndarray], values: np.ndarray, *, parts: Sequence[int], name: str) -> None:
        self.knots, self.parts, self.name = tuple(knots), tuple(parts), name
        self.values = np.ascontiguousarray(values)
        strides = np.array(self.values.strides) // self.values.itemsize
        self._strides = tuple(int(stride) for stride in strides)
        self._corners = np.zeros(1, dtype=np.int64)  # from the lowest corner of an interval to each
        for stride, knot in zip(self._strides, self.knots, strict=True):
            if knot.size > 1:
                self._corners = np.add.outer(self._corners, [0, stride]).ravel()
        self._flat, ends = self.values.ravel(), np.cumsum([knot.size for knot in self.knots])
        self._layout = np.concatenate(self.knots), ends, np.array(self.parts, dtype=np.int64), strides.astype(np.int64)
        self._cuts: dict[tuple[tuple[int, float], ...], MultilinearGrid] = {}
        self._positions = tuple(np.arange(knot.size) * float(m) for knot, m in zip(self.knots, self.parts, strict=True))

    def at(self, *x: ArrayLike) -> np.ndarray:
        """Return the values at the points `x`, one array for each axis, broadcast together."""
        tensors = [each for each in x if _on_device(each)]
        if tensors:
            return self._of_tensors(x, tensors[0])
        if compiling.compiled():
            return self._at_once(x)
        corner, moves = np.asarray(0), []
        for axis, each in enumerate(x):
            below, part = self.place(each, axis)
            corner = corner + below * self._strides[axis]
            if self.knots[axis].size > 1:
                moves.append((self._strides[axis], part))
        return _folded(self._flat, corner, moves)

    def _of_tensors(self, x: Sequence[Any], first: Any) -> Any:  # noqa: ANN401  (tensors)
        """Return what `at` does for points some of which are tensors, `first` one of them; no value is looked at."""
        from rramkit.array.backend import interpolated, resident  # its room uses this one

        fixed = tuple((axis, float(each)) for axis, each in enumerate(x) if not _on_device(each))
        if fixed:
            return self._cut(fixed)._of_tensors([each for each in x if _on_device(each)], first)
        corner, along = None, []
        for axis, (each, knots, parts) in enumerate(zip(x, self.knots, self.parts, strict=True)):
            if knots.size == 1:
                continue
            position, stride = interpolated(each, knots, self._positions[axis]), self._strides[axis]
            below = position.long().clamp(0, (knots.size - 1) * parts - 1)
            corner = below * stride if corner is None else corner.add(below, alpha=stride)
            along.append(position - below)
        flat = resident(self._flat, first)
        if corner is None:  # along every axis the values are constant
            return flat.expand(first.shape).clone()
        # all corners of an interval in one look-up (2^axes, N); then one axis after the other, the last first
        sides = resident(self._corners, corner, index=True).reshape(-1, *(1 for _ in corner.shape))
        values = flat.take(corner + sides)
        for part in reversed(along):
            values = values.unflatten(0, (-1, 2))
            values = values.select(1, 0).lerp(values.select(1, 1), part)
        return values.select(0, 0)

    def _cut(self, fixed: tuple[tuple[int, float], ...]) -> "MultilinearGrid":
        """Return the values at fixed places along some axes, as a function of the others; computed once for a place."""
        if fixed not in self._cuts:
            values = self.values
            for axis, at in reversed(fixed):
                below, part = (each.item() for each in self.place(at, axis))
                low, high = (np.take(values, below + k, axis=axis, mode="clip") for k in (0, 1))
                values = low * (1.0 - part) + high * part
            kept = [axis for axis in range(len(self.knots)) if axis not in dict(fixed)]
            knots, parts = [self.knots[axis] for axis in kept], [self.parts[axis] for axis in kept]
            self._cuts[fixed] = MultilinearGrid(knots, values, parts=parts, name=self.name)
        return self._cuts[fixed]

    def _at_once(self, x: Sequence[ArrayLike]) -> np.ndarray:
        """Return what `at` does, by the compiled kernel."""
        from rramkit.surrogate.compiled import interpolated  # numba is an extra

        shapes = {np.shape(each) for each in x}
        points = np.empty((len(x), *(shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes))))
        for axis, each in enumerate(x):
            points[axis] = each
        values = np.empty(points.shape[1:])
        if not interpolated(points.reshape(len(x), -1), self._flat, *self._layout, values.reshape(-1)):
            raise self._not_finite()
        return values

    def _not_finite(self) -> InputError:
        return InputError(f"a coordinate of `{self.name}` must be finite; got NaN or infinity. Fix the input.")

    def place(self, x: ArrayLike, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the grid point below each `x`, and how far (0 to 1) it lies towards the next."""
        values, knots = np.asarray(x, dtype=float), self.knots[axis]
        if not np.all(np.isfinite(values)):
            raise self._not_finite()
        position = np.interp(values, knots, np.arange(knots.size) * float(self.parts[axis]))  # np.interp clamps
        last = max((knots.size - 1) * self.parts[axis] - 1, 0)
        below = np.minimum(position.astype(np.intp), last)
        return below, position - below


def _folded(flat: Any, corner: Any, moves: list[tuple[int, Any]]) -> Any:  # noqa: ANN401  (NumPy's, or tensors)
    """Interpolate along the first move between what the others give on its two sides."""
    if not moves:
        return flat[corner]
    (stride, part), rest = moves[0], moves[1:]
    return _folded(flat, corner, rest) * (1.0 - part) + _folded(flat, corner + stride, rest) * part
