"""HDF5 layout of one table: writing and reading side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import cast, get_args

import numpy as np

from rramkit import hdf5
from rramkit.table.columns import Polarity
from rramkit.table.parts import Distribution, Fit, HeldOut, Mask, Over, Quantity
from rramkit.table.table import Table


def write_table(group: hdf5.Group, table: Table) -> None:
    """Write one table into its group."""
    group.attrs["signal"] = str(next(iter(table.signals)))
    group.attrs["axes"] = _names(table.axes)
    group.attrs["signals"] = _names(table.signals)
    if table.polarity is not None:
        group.attrs["polarity"] = table.polarity
    for name, axis in table.axes.items():
        dataset = hdf5.write_axis(group, name, axis.values, axis.unit)
        dataset.attrs["valid_range"] = np.array(table.valid_range(name))
        if axis.labels:
            dataset.attrs["labels"] = list(axis.labels)
        if axis.log:
            dataset.attrs["log"] = True
    scales = [hdf5.dataset(group, name) for name in table.axes]
    for name, signal in table.signals.items():
        dataset = hdf5.write(group, name, signal.values, signal.unit)
        hdf5.attach(dataset, scales)
        if name in table.step_error:
            dataset.attrs["step_error"] = table.step_error[name]
        if signal.log:
            dataset.attrs["log"] = True
    _write_quantities(group.create_group("conditions"), table.conditions)
    for name, points in table.held_out.items():
        _write_held_out(group.require_group("held_out").create_group(name), points)
    for name, mask in table.masks.items():
        dataset = hdf5.write(group.require_group("mask"), name, mask.codes, "1", "0 good, k the k-th of `reasons`")
        hdf5.attach(dataset, scales)
        dataset.attrs["reasons"] = list(mask.reasons)
    for name, each in table.distributions.items():
        unit = table.signals[each.signal].unit
        _write_distribution(group.require_group("distribution").create_group(name), each, unit, scales)
    for name, fit in table.fits.items():
        _write_fit(group.require_group("fits").create_group(name), fit, table, scales)


def read_table(name: str, group: hdf5.Group) -> Table:
    """Read one table from its group."""
    axes = {axis: _axis(group, axis) for axis in hdf5.words(group, "axes")}
    signals = {signal: _quantity(group, signal) for signal in hdf5.words(group, "signals")}
    step_error = {
        signal: hdf5.number(hdf5.dataset(group, signal), "step_error")
        for signal in signals
        if "step_error" in hdf5.dataset(group, signal).attrs
    }
    conditions = hdf5.subgroup(group, "conditions")
    return Table(
        name=name,
        axes=axes,
        signals=signals,
        conditions={key: _quantity(conditions, key) for key in hdf5.names(conditions)},
        held_out={key: _read_held_out(part) for key, part in _parts(group, "held_out")},
        masks=_read_masks(hdf5.subgroup(group, "mask")) if "mask" in group else {},
        distributions={key: _read_distribution(part) for key, part in _parts(group, "distribution")},
        fits={key: _read_fit(part) for key, part in _parts(group, "fits")},
        step_error=step_error,
        valid=_narrower(group, axes),
        polarity=_polarity(group),
    )


def _names(columns: Iterable[str]) -> list[str]:
    """Return names as plain `str`, the only text that h5py stores in a list."""
    return [str(name) for name in columns]


def _polarity(group: hdf5.Group) -> Polarity | None:
    if "polarity" not in group.attrs:
        return None
    polarity = str(group.attrs["polarity"])
    if polarity not in get_args(Polarity):
        raise ValueError(f"{group.name}: `polarity` is {polarity!r}, not one of {', '.join(get_args(Polarity))}")
    return cast(Polarity, polarity)


def _write_held_out(group: hdf5.Group, points: HeldOut) -> None:
    scale = hdf5.write_axis(group, "point", np.arange(points.spice.size), "1")
    for name, quantity in points.at.items():
        hdf5.attach(hdf5.write(group, name, quantity.values, quantity.unit), [scale])
    text = "SPICE value, not used in the fit"
    hdf5.attach(hdf5.write(group, "spice", points.spice, points.unit, text), [scale])
    hdf5.attach(hdf5.write(group, "fit", points.fit, points.unit, "value of the fit at the same point"), [scale])
    group.attrs["at"] = _names(points.at)
    group.attrs.update({"rms": points.rms, "p95": points.p95, "max": points.max, "units": points.unit})
    group.attrs.update({"limit_rms": points.limit_rms, "limit_max": points.limit_max, "passed": points.passed})
    if points.limit_p95 < inf:
        group.attrs["limit_p95"] = points.limit_p95


def _read_held_out(group: hdf5.Group) -> HeldOut:
    return HeldOut(
        at={name: _quantity(group, name) for name in hdf5.words(group, "at")},
        spice=hdf5.read(group, "spice"),
        fit=hdf5.read(group, "fit"),
        unit=str(group.attrs["units"]),
        limit_rms=hdf5.number(group, "limit_rms"),
        limit_max=hdf5.number(group, "limit_max"),
        limit_p95=hdf5.number(group, "limit_p95") if "limit_p95" in group.attrs else inf,
    )


def _read_masks(group: hdf5.Group) -> dict[str, Mask]:
    return {
        name: Mask(hdf5.read(group, name), tuple(hdf5.words(hdf5.dataset(group, name), "reasons")))
        for name in hdf5.names(group)
    }


def _write_distribution(group: hdf5.Group, each: Distribution, unit: str, scales: Sequence[hdf5.Dataset]) -> None:
    level = hdf5.write_axis(group, "level", each.levels, "1")
    hdf5.attach(hdf5.write(group, "quantiles", each.quantiles, unit), [*scales, level])
    hdf5.attach(hdf5.write(group, "sigma", each.sigma, unit), scales)
    group.attrs.update({"signal": str(each.signal), "over": each.over, "draws": each.draws})


def _read_distribution(group: hdf5.Group) -> Distribution:
    over = str(group.attrs["over"])
    if over not in get_args(Over):
        raise ValueError(f"{group.name}: `over` is {over!r}, not one of {', '.join(get_args(Over))}")
    return Distribution(
        signal=str(group.attrs["signal"]),
        over=cast(Over, over),
        levels=hdf5.read(group, "level"),
        quantiles=hdf5.read(group, "quantiles"),
        sigma=hdf5.read(group, "sigma"),
        draws=round(hdf5.number(group, "draws")),
    )


def _write_fit(group: hdf5.Group, fit: Fit, table: Table, scales: Sequence[hdf5.Dataset]) -> None:
    errors, unit = group.create_group("standard_error"), table.signals[fit.signal].unit
    scales = [scales[list(table.axes).index(name)] for name in fit.axes]
    for name, quantity in fit.parameters.items():
        hdf5.attach(hdf5.write(group, name, quantity.values, quantity.unit), scales)
        hdf5.attach(hdf5.write(errors, name, fit.errors[name], quantity.unit), scales)
    group.attrs.update({"equation": fit.equation, "signal": str(fit.signal)})
    group.attrs.update({"residual": fit.residual, "units": fit.unit or unit})
    group.attrs.update({"axes": _names(fit.axes), "parameters": _names(fit.parameters)})


def _read_fit(group: hdf5.Group) -> Fit:
    names, errors = hdf5.words(group, "parameters"), hdf5.subgroup(group, "standard_error")
    return Fit(
        equation=str(group.attrs["equation"]),
        signal=str(group.attrs["signal"]),
        parameters={name: _quantity(group, name) for name in names},
        errors={name: hdf5.read(errors, name) for name in names},
        residual=hdf5.number(group, "residual"),
        unit=str(group.attrs["units"]),
        axes=tuple(hdf5.words(group, "axes")),
    )


def _write_quantities(group: hdf5.Group, quantities: Mapping[str, Quantity]) -> None:
    for name, quantity in quantities.items():
        hdf5.write(group, name, quantity.values, quantity.unit)


def _quantity(group: hdf5.Group, name: str) -> Quantity:
    dataset = hdf5.dataset(group, name)
    return Quantity(hdf5.read(group, name), str(dataset.attrs["units"]), log=bool(dataset.attrs.get("log", False)))


def _axis(group: hdf5.Group, name: str) -> Quantity:
    dataset = hdf5.dataset(group, name)
    labels = tuple(hdf5.words(dataset, "labels")) if "labels" in dataset.attrs else ()
    return replace(_quantity(group, name), labels=labels)


def _narrower(group: hdf5.Group, axes: Mapping[str, Quantity]) -> dict[str, tuple[float, float]]:
    """Return the valid ranges that are not simply an axis' ends."""
    ranges = {}
    for name, axis in axes.items():
        limits = hdf5.dataset(group, name).attrs.get("valid_range")
        if limits is not None and tuple(limits) != (axis.values.flat[0], axis.values.flat[-1]):
            ranges[name] = (float(limits[0]), float(limits[1]))
    return ranges


def _parts(group: hdf5.Group, name: str) -> Iterable[tuple[str, hdf5.Group]]:
    if name not in group:
        return []
    parts = hdf5.subgroup(group, name)
    return [(key, hdf5.subgroup(parts, key)) for key in hdf5.names(parts)]
