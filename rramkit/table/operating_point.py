"""Tables at one operating condition: process corner, supply, temperature.

Along the corner, an axis of labels, one is selected. Along supply and temperature signals are interpolated by the same
monotone cubic as everywhere (PCHIP along that axis; the last axis first, as `GridSurrogate` does, so that a look-up at
the condition equals one in the whole table); quantiles less their signal, and sigmas, linearly, as `QuantileSurrogate`
does. A value that the axis holds is selected without interpolation.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rramkit.errors import TableError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.table.parts import HeldOut, Mask, Quantity
from rramkit.table.schema import CORNERS, WIRES
from rramkit.table.table import Table

NOMINAL_CORNER, NOMINAL_SUPPLY, NOMINAL_TEMPERATURE = "tt", 1.0, 300.15
"""Corner, factor on the supplies (1) and temperature (K) where a file holds several and none is given."""


def at_condition(
    table: Table, *, corner: str | None = None, supply: float | None = None, temperature: float | None = None
) -> Table:
    """Return a table at one condition, without axes of corner, supply and temperature; None: the nominal value.

    A table without such an axis stays as it is: it holds for the one condition that it was characterised at. (Wires
    have a temperature coefficient in place of the axis; their reader applies it.)

    Raises
    ------
    TableError
        When an axis does not hold the corner, or does not reach the supply or the temperature.
    """
    for axis, value in ((CORNERS.temperature, temperature), (CORNERS.supply, supply)):  # the last axis first
        if axis in table.axes:
            table = _at_value(table, axis, _nominal_value(table, axis) if value is None else value)
    if CORNERS.corner in table.axes:
        table = _at_label(table, _nominal_corner(table) if corner is None else corner)
    return table


def axes_of_condition(table: Table) -> tuple[str, ...]:
    """Return which of corner, temperature and supply a table changes with: its axes, and wires by their `tcr`."""
    names = (CORNERS.corner, CORNERS.temperature, CORNERS.supply)
    moved = (CORNERS.temperature,) if WIRES.tcr in table.conditions else ()
    return tuple(str(name) for name in names if name in table.axes or name in moved)


def nominal_condition(table: Table) -> str:
    """Return the nominal condition of a table as text, e.g. `tt-300.15K`; empty for a table without such axes."""
    parts = []
    if CORNERS.corner in table.axes:
        parts.append(_nominal_corner(table))
    for axis, unit in ((CORNERS.supply, "x"), (CORNERS.temperature, "K")):
        if axis in table.axes:
            parts.append(f"{_nominal_value(table, axis):g}{unit}")
    return "-".join(parts)


def _nominal_corner(table: Table) -> str:
    labels = table.axes[CORNERS.corner].labels
    return NOMINAL_CORNER if NOMINAL_CORNER in labels else labels[0]


def _nominal_value(table: Table, axis: str) -> float:
    """Return the value within the axis' range that is nearest the nominal one."""
    nominal = NOMINAL_SUPPLY if axis == CORNERS.supply else NOMINAL_TEMPERATURE
    return float(np.clip(nominal, *table.valid_range(axis)))


def _at_label(table: Table, corner: str) -> Table:
    labels = table.axes[CORNERS.corner].labels
    if corner not in labels:
        raise TableError(
            f"table `{table.name}` has the corners {', '.join(labels)}; got {corner!r}. Pass one of them, or "
            "characterise the table at that corner."
        )
    return table.along(CORNERS.corner, corner)


def _at_value(table: Table, axis: str, value: float) -> Table:
    """Return a table at a value of an axis of numbers; held-out points keep their own value as a coordinate."""
    knots, (low, high) = np.asarray(table.axes[axis].values, dtype=float), table.valid_range(axis)
    if not low <= value <= high:
        raise TableError(
            f"`{axis}` must lie within {low:g} to {high:g} {table.axes[axis].unit}, the range of table "
            f"`{table.name}`; got {value:g}. Pass a value inside, or characterise a wider range."
        )
    condition = {axis: Quantity(np.array(value), table.axes[axis].unit)}
    if value in knots:
        cut = table.along(axis, value)
    else:
        cut = _interpolated(table, axis, value)
    return replace(
        cut, held_out=_held_out_at(table.held_out, axis, value), conditions={**table.conditions, **condition}
    )


def _held_out_at(held_out: Mapping[str, HeldOut], axis: str, value: float) -> dict[str, HeldOut]:
    """Return all held-out points; those that are all at the value lose the coordinate, others keep their own."""

    def coordinates(points: HeldOut) -> dict[str, Quantity]:
        same = axis in points.at and np.all(points.at[axis].values == value)
        return {name: each for name, each in points.at.items() if name != axis or not same}

    return {signal: replace(points, at=coordinates(points)) for signal, points in held_out.items()}


def _interpolated(table: Table, axis: str, value: float) -> Table:
    """Return a table between two values of an axis."""
    dimension, knots = list(table.axes).index(axis), table.axes[axis]
    masks = {name: _mask_between(mask, dimension, knots, value) for name, mask in table.masks.items()}
    signals = {
        name: replace(each, values=_pchip(each, table.masked(name), dimension, knots, value, masks.get(name)))
        for name, each in table.signals.items()
    }
    distributions = {}
    for name, each in table.distributions.items():
        signal = np.asarray(table.signals[each.signal].values)
        width = _linear(each.quantiles - signal[..., None], dimension, knots, value)
        distributions[name] = replace(
            each,
            quantiles=np.asarray(signals[each.signal].values)[..., None] + width,
            sigma=_linear(each.sigma, dimension, knots, value),
        )
    return replace(
        table,
        axes={name: each for name, each in table.axes.items() if name != axis},
        signals=signals,
        masks=masks,
        distributions=distributions,
        fits={name: fit for name, fit in table.fits.items() if axis not in fit.axes},
        valid={name: each for name, each in table.valid.items() if name != axis},
    )


def _scale(values: np.ndarray, quantity: Quantity) -> np.ndarray:
    return np.log(values) if quantity.log else np.asarray(values, dtype=float)


def _pchip(
    signal: Quantity, bad: np.ndarray, dimension: int, knots: Quantity, value: float, mask: Mask | None
) -> np.ndarray:
    """Return a signal between two knots of an axis; NaN where a failed point would shape the curve."""
    filled = np.where(bad, 1.0, signal.values)  # any number: the result there is masked
    curve = MonotoneCubic(_scale(knots.values, knots), _scale(filled, signal), axis=dimension)
    values = curve(_scale(np.asarray(value), knots))
    values = np.exp(values) if signal.log else values
    return values if mask is None else np.where(mask.bad, np.nan, values)


def _linear(values: np.ndarray, dimension: int, knots: Quantity, value: float) -> np.ndarray:
    """Return values between two knots of an axis, on the straight line between theirs."""
    above = int(np.searchsorted(knots.values, value))
    low, high = (float(knots.values[k]) for k in (above - 1, above))
    part = (value - low) / (high - low)
    return (1.0 - part) * np.take(values, above - 1, axis=dimension) + part * np.take(values, above, axis=dimension)


def _mask_between(mask: Mask, dimension: int, knots: Quantity, value: float) -> Mask:
    """Return where one of the points that shape the curve there failed: two knots on each side."""
    above, last = int(np.searchsorted(knots.values, value)), knots.values.size - 1
    near = np.arange(max(above - 2, 0), min(above + 1, last) + 1)
    return Mask(np.max(np.take(mask.codes, near, axis=dimension), axis=dimension), mask.reasons)
