"""What must hold in a table that was read: shapes, units, finite values, masks and quantiles that fit their signals."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from rramkit.errors import TableError
from rramkit.table.distribution import Distribution
from rramkit.table.held_out import HeldOut
from rramkit.table.quantity import NEVER_NEGATIVE, UNITS, Quantity
from rramkit.table.table import Fit, Table


def check(path: Path, table: Table) -> None:
    """Raise `TableError`, naming the file and the place in it, for what cannot be."""
    for name, axis in table.axes.items():
        _check_axis(path, table, name, axis)
    for name, signal in table.signals.items():
        _check_shape(path, f"{table.name}/{name}", signal.values, table.shape)
    for name, condition in table.conditions.items():
        if condition.values.ndim:
            raise TableError(
                f"{path}: `{table.name}/conditions/{name}` must be one value. "
                "Regenerate it with `rramkit characterize`."
            )
    _check_masks(path, table)
    for name, quantity in {**table.axes, **table.conditions}.items():
        _check_quantity(path, f"{table.name}/{name}", name, quantity)
    for name, quantity in table.signals.items():
        good = replace(quantity, values=quantity.values[~table.masked(name)])
        _check_quantity(path, f"{table.name}/{name}", name, good)
        if good.log and np.any(good.values <= 0):
            _refuse(path, f"`{table.name}/{name}` is logarithmic: it must hold values above 0")
    for name, points in table.held_out.items():
        _check_held_out(path, f"{table.name}/held_out/{name}", points)
    for name, found in table.distributions.items():
        _check_distribution(path, table, name, found)
    for name, fit in table.fits.items():
        _check_fit(path, table, name, fit)


def _refuse(path: Path, complaint: str) -> NoReturn:
    raise TableError(f"{path}: {complaint}. Regenerate it with `rramkit characterize`.")


def _check_shape(path: Path, place: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        _refuse(path, f"`{place}` must be {shape} as its axes; got {values.shape}")


def _check_axis(path: Path, table: Table, name: str, axis: Quantity) -> None:
    place = f"{table.name}/{name}"
    if axis.values.ndim != 1 or not np.all(np.isfinite(axis.values)) or not np.all(np.diff(axis.values) > 0):
        _refuse(path, f"axis `{place}` must be one rising row of values")
    if axis.log and (axis.labels or axis.values[0] <= 0):
        _refuse(path, f"axis `{place}` is logarithmic: it must hold values above 0, and no labels")
    if axis.labels and len(axis.labels) != axis.values.size:
        _refuse(path, f"axis `{place}` must have a label for each of its {axis.values.size} values")
    low, high = table.valid_range(name)
    if not axis.values[0] <= low <= high <= axis.values[-1]:
        _refuse(path, f"the valid range of axis `{place}`, {low:g} to {high:g}, must lie within the axis")


def _check_quantity(path: Path, place: str, name: str, quantity: Quantity) -> None:
    unit = UNITS.get(name, quantity.unit)
    if quantity.unit != unit:
        raise TableError(f"{path}: `{place}` must be in {unit}; got {quantity.unit!r}. Convert it to SI units.")
    if not np.all(np.isfinite(quantity.values)):
        raise TableError(
            f"{path}: `{place}` holds values that are not finite. Regenerate it with `rramkit characterize`."
        )
    if name in NEVER_NEGATIVE and np.any(quantity.values < 0):
        raise TableError(f"{path}: `{place}` holds values below 0 {unit}. Regenerate it with `rramkit characterize`.")


def _check_masks(path: Path, table: Table) -> None:
    for name, mask in table.masks.items():
        place = f"{table.name}/mask/{name}"
        if name not in table.signals:
            _refuse(path, f"`{place}` masks a signal that is not there")
        _check_shape(path, place, mask.codes, table.shape)
        if mask.codes.dtype != np.uint8 or np.any(mask.codes > len(mask.reasons)):
            _refuse(path, f"`{place}` must hold 0 or the number of one of its {len(mask.reasons)} reasons")


def _check_held_out(path: Path, place: str, points: HeldOut) -> None:
    columns = {"spice": points.spice, "fit": points.fit} | {name: at.values for name, at in points.at.items()}
    for name, values in columns.items():
        if values.shape != (points.spice.size,) or not values.size:
            _refuse(path, f"`{place}/{name}` must be one row, as long as the others")
        if not np.all(np.isfinite(values)):
            raise TableError(
                f"{path}: `{place}/{name}` holds values that are not finite. Regenerate it with `rramkit characterize`."
            )
    if not (0 < points.limit_rms < np.inf and 0 < points.limit_max < np.inf and points.limit_p95 > 0):
        raise TableError(f"{path}: the limits of `{place}` must be above 0. Regenerate it with `rramkit characterize`.")


def _check_distribution(path: Path, table: Table, name: str, found: Distribution) -> None:
    place, levels = f"{table.name}/distribution/{name}", found.levels
    if found.signal not in table.signals:
        _refuse(path, f"`{place}` is of a signal that is not there, {found.signal!r}")
    if levels.ndim != 1 or levels.size < 2 or not np.all(np.diff(levels) > 0) or levels[0] < 0 or levels[-1] > 1:
        _refuse(path, f"`{place}/level` must be two or more rising values within 0 to 1")
    _check_shape(path, f"{place}/quantiles", found.quantiles, (*table.shape, levels.size))
    _check_shape(path, f"{place}/sigma", found.sigma, table.shape)
    good = ~table.masked(found.signal)
    quantiles, sigma = found.quantiles[good], found.sigma[good]
    if not (np.all(np.isfinite(quantiles)) and np.all(np.diff(quantiles, axis=-1) >= 0)):
        _refuse(path, f"`{place}/quantiles` must be finite and fall nowhere along the levels")
    if not (np.all(np.isfinite(sigma)) and np.all(sigma >= 0)):
        _refuse(path, f"`{place}/sigma` must be finite and not below 0")


def _check_fit(path: Path, table: Table, name: str, fit: Fit) -> None:
    place = f"{table.name}/fits/{name}"
    if fit.signal not in table.signals or not set(fit.axes) <= set(table.axes):
        _refuse(path, f"`{place}` is of a signal or of axes that are not there")
    shape = tuple(table.axes[axis].values.size for axis in fit.axes)
    for parameter, quantity in fit.parameters.items():
        for part, values in (("", quantity.values), ("standard_error/", fit.errors[parameter])):
            _check_shape(path, f"{place}/{part}{parameter}", values, shape)
    if not np.isfinite(fit.residual) or fit.residual < 0:
        _refuse(path, f"the residual of `{place}` must be finite and not below 0")
