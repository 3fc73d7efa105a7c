"""Interpolation of any table at coordinates by name: grids, scattered points, axes of labels.

A grid is interpolated by `GridSurrogate`. Scattered points (one axis `sample`; the first signals are the coordinates,
the condition `coordinates` counts them) are interpolated by a thin-plate spline (SciPy's `RBFInterpolator`) over
coordinates that are scaled to their range: through every point, smooth between, clamped to the range outside.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import InputError, TableError, scipy_for
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table.parts import Quantity, Tabulated

COORDINATES = "coordinates"
"""Condition of a table of scattered points (`schema.SCATTERED`): how many of its first signals are coordinates (1)."""


def look_up(table: Tabulated, signal: str, at: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return a signal at `at`: coordinate name to values, broadcast together; labels or indices on an axis of labels.

    A point outside the range takes the value at the edge.

    Raises
    ------
    InputError
        When the coordinates are not the table's.
    TableError
        When a point lies beside one that failed, or the table lacks the signal.
    """
    names = coordinates(table)
    if set(at) != set(names):
        raise InputError(f"`at` must give {', '.join(names)} of `{table.name}`; got {', '.join(at)}. Pass each once.")
    labelled = next((name for name, axis in table.axes.items() if axis.labels), None)
    if labelled is not None:
        return _by_label(table, signal, at, labelled)
    if COORDINATES in table.conditions:
        return _scattered(table, signal, at)
    if not names:
        return np.asarray(table.signal(signal).values)
    return GridSurrogate(table, signal).at(*(at[name] for name in names))


def answered(table: Tabulated, signal: str, at: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return which of the points `at`, of equal shapes (N,), `look_up` can answer: those not beside failed ones."""
    if not np.any(table.masked(signal)) or COORDINATES in table.conditions:
        return np.ones(np.shape(next(iter(at.values()), ())), dtype=bool)
    names = next((name for name, axis in table.axes.items() if axis.labels), None)
    if names is None:
        surrogate = GridSurrogate(table, signal)
        points = zip(*(np.asarray(at[name]) for name in table.axes), strict=True)
        return np.array([surrogate.masked(*point) == 0 for point in points], dtype=bool)
    valid, given = np.zeros(np.shape(at[names]), dtype=bool), np.asarray(at[names])
    for place, label in enumerate(table.axes[names].labels):
        here, cut = given == place, table.along(names, label)
        if np.any(here) and not np.all(cut.masked(signal)):
            rest = {name: np.asarray(each)[here] for name, each in at.items() if name != names}
            valid[here] = answered(cut, signal, rest)
    return valid


def coordinates(table: Tabulated) -> tuple[str, ...]:
    """Return the names of a table's coordinates: its axes, or those of its scattered points."""
    if COORDINATES in table.conditions:
        return tuple(table.signals)[: round(table.condition(COORDINATES))]
    return tuple(table.axes)


def coordinate_ranges(table: Tabulated) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value of each coordinate of numbers; axes of names have none."""
    if COORDINATES in table.conditions:
        return {
            name: (float(np.min(table.signals[name].values)), float(np.max(table.signals[name].values)))
            for name in coordinates(table)
        }
    return {name: table.valid_range(name) for name, axis in table.axes.items() if not axis.labels}


def _by_label(table: Tabulated, signal: str, at: Mapping[str, ArrayLike], axis: str) -> np.ndarray:
    labels = table.axes[axis].labels
    given = np.asarray(at[axis])
    if given.dtype.kind in "US":
        strange = sorted(set(given.ravel().tolist()) - set(labels))
        if strange:
            raise TableError(f"axis `{table.name}/{axis}` holds {', '.join(labels)}; got {strange[0]!r}. Pass one.")
        given = np.vectorize(labels.index, otypes=[float])(given)
    values = np.broadcast_arrays(given, *(np.asarray(each) for name, each in at.items() if name != axis))
    rest = dict(zip((name for name in at if name != axis), values[1:], strict=True))
    looked_up = np.empty(values[0].shape)
    for place, label in enumerate(labels):
        here = values[0] == place
        if np.any(here):
            looked_up[here] = look_up(
                table.along(axis, label), signal, {name: each[here] for name, each in rest.items()}
            )
    return looked_up


def _scattered(table: Tabulated, signal: str, at: Mapping[str, ArrayLike]) -> np.ndarray:
    with scipy_for(f"`{table.name}`, a table of scattered points,"):
        from scipy.interpolate import RBFInterpolator

    names, good = coordinates(table), ~table.masked(signal)
    quantities = [table.signals[name] for name in names]
    low = np.array([np.min(_scaled(each.values, each)) for each in quantities])
    high = np.array([np.max(_scaled(each.values, each)) for each in quantities])
    points = np.stack([_scaled(each.values, each) for each in quantities], axis=-1)
    values = np.broadcast_arrays(
        *(_scaled(np.asarray(at[name], dtype=float), each) for name, each in zip(names, quantities, strict=True))
    )
    scaled = np.clip(np.stack(values, axis=-1), low, high)
    of = table.signal(signal)
    spline = RBFInterpolator((points[good] - low) / (high - low), _scaled(of.values[good], of))
    interpolated = spline(((scaled - low) / (high - low)).reshape(-1, len(names))).reshape(values[0].shape)
    return np.exp(interpolated) if of.log else interpolated


def _scaled(values: np.ndarray, quantity: Quantity) -> np.ndarray:
    return np.log(values) if quantity.log else values
