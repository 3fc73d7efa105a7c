"""Checks of a table: required columns, shapes, units, finite values and bounds, masks, quantiles, held-out points."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from rramkit.errors import TableError
from rramkit.table import schema
from rramkit.table.parts import Distribution, Fit, HeldOut, Quantity
from rramkit.table.table import Table

_NOISE = 0.01  # of a table's largest value (1): SPICE stays below 1e-13, a fit to noisy pulses below 1e-2
_CURE = "Regenerate the file with `rramkit characterize`, or with the program that wrote it."


def check(path: Path, table: Table) -> None:
    """Raise `TableError`, naming the file and the place in it, for what a table cannot be."""
    _check_schema(path, table)
    for name, axis in table.axes.items():
        _check_axis(path, table, name, axis)
    for name, signal in table.signals.items():
        _check_shape(path, f"{table.name}/{name}", signal.values, table.shape)
    for name, condition in table.conditions.items():
        if condition.values.ndim:
            _refuse(path, f"`{table.name}/conditions/{name}` must be one value")
    _check_masks(path, table)
    for name, quantity in {**table.axes, **table.conditions}.items():
        _check_quantity(path, table, name, quantity)
    for name, quantity in table.signals.items():
        good = replace(quantity, values=quantity.values[~table.masked(name)])
        _check_quantity(path, table, name, good)
        if good.log and np.any(good.values <= 0):
            _refuse(path, f"`{table.name}/{name}` is logarithmic: it must hold values above 0")
    _check_physics(path, table)
    for name, points in table.held_out.items():
        _check_held_out(path, f"{table.name}/held_out/{name}", points)
    for name, distribution in table.distributions.items():
        _check_distribution(path, table, name, distribution)
    for name, fit in table.fits.items():
        _check_fit(path, table, name, fit)
    for name, error in table.step_error.items():
        if not 0.0 <= error < np.inf:
            _refuse(path, f"the step error of `{table.name}/{name}` must be finite and not below 0; got {error:g}")


def _check_schema(path: Path, table: Table) -> None:
    """Refuse a table of a group of the kit that lacks a required column, or has the other polarity."""
    group = schema.GROUPS.get(table.name)
    if group is None:
        return
    for column in group.columns.values():
        present = table.axes if column.kind == "axis" else table
        if column.required and column not in present:
            _refuse(path, f"table `{table.name}` must have the {column.kind} `{column}` ({column.unit}: {column.text})")
    if table.polarity != group.polarity:
        _refuse(path, f"the attribute `polarity` of `{table.name}` must be {group.polarity}; got {table.polarity}")


def _refuse(path: Path, complaint: str) -> NoReturn:
    raise TableError(f"{path}: {complaint}. {_CURE}")


def _check_shape(path: Path, place: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        _refuse(path, f"`{place}` must be {shape} as its axes; got {values.shape}")


def _check_axis(path: Path, table: Table, name: str, axis: Quantity) -> None:
    place = f"{table.name}/{name}"
    if (
        axis.values.ndim != 1
        or not axis.values.size
        or not np.all(np.isfinite(axis.values))
        or not np.all(np.diff(axis.values) > 0)
    ):
        _refuse(path, f"axis `{place}` must be (L,) rising, finite values")
    if axis.log and (axis.labels or axis.values[0] <= 0):
        _refuse(path, f"axis `{place}` is logarithmic: it must hold values above 0, and no labels")
    if axis.labels and len(axis.labels) != axis.values.size:
        _refuse(path, f"axis `{place}` must have a label for each of its {axis.values.size} values")
    low, high = table.valid_range(name)
    if not axis.values[0] <= low <= high <= axis.values[-1]:
        _refuse(path, f"the valid range of axis `{place}`, {low:g} to {high:g}, must lie within the axis")


def _check_quantity(path: Path, table: Table, name: str, quantity: Quantity) -> None:
    place, column = f"{table.name}/{name}", schema.column(table.name, name)
    if column is not None and quantity.unit != column.unit:
        raise TableError(f"{path}: `{place}` must be in {column.unit}; got {quantity.unit!r}. Convert it to SI units.")
    if not np.all(np.isfinite(quantity.values)):
        _refuse(path, f"`{place}` holds values that are not finite")
    if column is None or quantity.labels:
        return
    for wrong, word, bound in (
        (quantity.values < column.low, "below", column.low),
        (quantity.values > column.high, "above", column.high),
    ):
        if np.any(wrong):
            _refuse(path, f"`{place}` holds values {word} {bound:g} {column.unit}")


def _check_physics(path: Path, table: Table) -> None:
    """Refuse a read whose cells deliver energy, and pulses that move the conductance against their polarity."""
    if table.name == schema.READ.group and list(table.axes)[:2] == [schema.READ.g_cell, schema.READ.v_cell]:
        power = table[schema.READ.i_cell].values * _along(table, schema.READ.v_cell)
        place = f"{table.name}/{schema.READ.i_cell}"
        _check_sign(path, table, schema.READ.i_cell, power, f"`{place}` must have the sign of its voltage")
    if table.name not in schema.WRITES:
        return
    columns = schema.WRITES[schema.polarity_of(table.name) or "set"]
    change, place = table[columns.delta_g].values, f"{table.name}/{columns.delta_g}"
    verb, sign = ("lower", -1.0) if table.polarity == "reset" else ("raise", 1.0)
    complaint = f"`{place}` must {verb} the conductance: a {table.polarity} pulse does"
    _check_sign(path, table, columns.delta_g, sign * change, complaint)
    left = change + _along(table, columns.g_start)
    _check_sign(path, table, columns.delta_g, left, f"`{place}` must leave a conductance above 0")


def _along(table: Table, axis: str) -> np.ndarray:
    """Return the values of an axis in a shape that is broadcast over the table."""
    shape = [1] * len(table.axes)
    shape[list(table.axes).index(axis)] = -1
    return table.axes[axis].values.reshape(shape)


def _check_sign(path: Path, table: Table, signal: str, values: np.ndarray, complaint: str) -> None:
    """Refuse values (...) below 0 by more than the solver's or a measurement's noise."""
    good = np.broadcast_to(values, table.shape)[~table.masked(signal)]
    if good.size and good.min() < -_NOISE * max(float(good.max()), 0.0):
        _refuse(path, f"{complaint}; it goes the other way by {-good.min():.2g}")


def _check_masks(path: Path, table: Table) -> None:
    for name, mask in table.masks.items():
        place = f"{table.name}/mask/{name}"
        if name not in table.signals:
            _refuse(path, f"`{place}` masks a signal that the table does not have")
        _check_shape(path, place, mask.codes, table.shape)
        if mask.codes.dtype != np.uint8 or np.any(mask.codes > len(mask.reasons)):
            _refuse(path, f"`{place}` must hold 0 or the number of one of its {len(mask.reasons)} reasons")


def _check_held_out(path: Path, place: str, points: HeldOut) -> None:
    columns = {"spice": points.spice, "fit": points.fit} | {name: at.values for name, at in points.at.items()}
    for name, values in columns.items():
        if values.shape != (points.spice.size,) or not values.size:
            _refuse(path, f"`{place}/{name}` must be (N,), one value a held-out point")
        if not np.all(np.isfinite(values)):
            _refuse(path, f"`{place}/{name}` holds values that are not finite")
    if not (0 < points.limit_rms < np.inf and 0 < points.limit_max < np.inf and points.limit_p95 > 0):
        _refuse(path, f"the limits of `{place}` must be above 0")


def _check_distribution(path: Path, table: Table, name: str, given: Distribution) -> None:
    place, levels = f"{table.name}/distribution/{name}", given.levels
    if given.signal not in table.signals:
        _refuse(path, f"`{place}` is of {given.signal!r}, which the table does not have")
    if given.draws < 0:
        _refuse(path, f"the draws of `{place}` must not be below 0; got {given.draws}")
    if levels.ndim != 1 or levels.size < 2 or not np.all(np.diff(levels) > 0) or levels[0] < 0 or levels[-1] > 1:
        _refuse(path, f"`{place}/level` must be two or more rising values within 0 to 1")
    _check_shape(path, f"{place}/quantiles", given.quantiles, (*table.shape, levels.size))
    _check_shape(path, f"{place}/sigma", given.sigma, table.shape)
    good = ~table.masked(given.signal)
    quantiles, sigma = given.quantiles[good], given.sigma[good]
    if not (np.all(np.isfinite(quantiles)) and np.all(np.diff(quantiles, axis=-1) >= 0)):
        _refuse(path, f"`{place}/quantiles` must be finite and must not fall along the levels")
    if not (np.all(np.isfinite(sigma)) and np.all(sigma >= 0)):
        _refuse(path, f"`{place}/sigma` must be finite and not below 0")


def _check_fit(path: Path, table: Table, name: str, fit: Fit) -> None:
    place = f"{table.name}/fits/{name}"
    if fit.signal not in table.signals or not set(fit.axes) <= set(table.axes):
        _refuse(path, f"`{place}` is of a signal or of axes that the table does not have")
    shape = tuple(table.axes[axis].values.size for axis in fit.axes)
    for parameter, quantity in fit.parameters.items():
        for part, values in (("", quantity.values), ("standard_error/", fit.errors[parameter])):
            _check_shape(path, f"{place}/{part}{parameter}", values, shape)
    if not np.isfinite(fit.residual) or fit.residual < 0:
        _refuse(path, f"the residual of `{place}` must be finite and not below 0")
