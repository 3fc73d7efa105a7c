"""Tables of a block plan's results: a grid with its corners, scattered points, distributions, masks."""

from collections.abc import Mapping, Sequence

import numpy as np

from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE, Axis
from rramkit.characterization.engine.plan import SAMPLE, SUMMARY, ComponentPlan
from rramkit.characterization.engine.results import GridPointResult
from rramkit.surrogate.look_up import COORDINATES
from rramkit.table import Distribution, Mask, Quantity, Table


def tables_of(plan: ComponentPlan, results: Sequence[GridPointResult]) -> dict[str, Table]:
    """Return the plan's tables by name: `NAME` of what its steps gave, else of its runs; both: `NAME_summary` too."""
    groups = [names for names in (plan.signals_of_steps, plan.signals_of_runs) if names]
    names = (plan.name, plan.name + SUMMARY)
    return {name: _table(plan, name, signals, results) for name, signals in zip(names, groups, strict=False)}


def _table(plan: ComponentPlan, name: str, signals: Sequence[str], results: Sequence[GridPointResult]) -> Table:
    stepped = signals[0] in plan.measured.signals
    axes = _axes(plan, stepped=stepped)
    shape = tuple(axis.values.size for axis in axes.values())
    draws = {signal: _draws(plan, results, signal, shape) for signal in signals}
    masks = {signal: mask for signal in signals if (mask := _mask(plan, results, shape, stepped=stepped)) is not None}
    values = {signal: _quantity(plan, signal, _mean(each)) for signal, each in draws.items()}
    return Table(
        name=name,
        axes=axes,
        signals=_coordinates(plan, results) | values,
        conditions=conditions(plan),
        masks=masks,
        distributions={signal: _distribution(plan, signal, draws[signal]) for signal in signals}
        if plan.monte_carlo.count
        else {},
    )


def _axes(plan: ComponentPlan, *, stepped: bool) -> dict[str, Quantity]:
    if plan.scattered:
        return {SAMPLE: Quantity(np.arange(float(plan.samples)), "1")}
    kept = [axis for axis in plan.all_axes if stepped or axis is not plan.step_axis]
    return {axis.label: _axis(plan, axis) for axis in kept}


def _axis(plan: ComponentPlan, axis: Axis) -> Quantity:
    if axis.parameter == CORNER:
        return Quantity.of_labels(plan.corners.process)
    return Quantity(axis.grid, plan.unit_of(axis), log=axis.is_ratio)


def _coordinates(plan: ComponentPlan, results: Sequence[GridPointResult]) -> dict[str, Quantity]:
    """Return where scattered points lie, one signal for each axis."""
    if not plan.scattered:
        return {}
    step = plan.step_axis
    found = {}
    for axis in plan.axes:
        column = [each.place.steps[0] if axis is step else each.place.at[axis.label] for each in results]
        found[axis.label] = Quantity(np.array(column), plan.unit_of(axis), log=axis.is_ratio)
    return found


def _draws(plan: ComponentPlan, results: Sequence[GridPointResult], signal: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a measure over the table's axes and the draws, (..., D)."""
    stacked = np.stack([each.values[signal] for each in results])  # (places, draws) or (places, draws, steps)
    if stacked.ndim == 2 or plan.scattered:
        return stacked.reshape(*shape, stacked.shape[1])
    step = list(plan.all_axes).index(plan.step_axis) if plan.step_axis is not None else 0
    outer = shape[:step] + shape[step + 1 :]
    whole = stacked.reshape(*outer, stacked.shape[1], shape[step])
    return np.moveaxis(np.moveaxis(whole, -1, step), -1, -1)


def _mean(draws: np.ndarray) -> np.ndarray:
    """Return the mean (...) of the draws that did not fail; NaN where all did."""
    good = np.isfinite(draws)
    count = np.sum(good, axis=-1)
    total = np.sum(np.where(good, draws, 0.0), axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mask(
    plan: ComponentPlan, results: Sequence[GridPointResult], shape: tuple[int, ...], *, stepped: bool
) -> Mask | None:
    """Return which points have no value because every draw failed, with the first reason of each."""
    failed = [each.reasons[0] if all(each.reasons) else "" for each in results]
    reasons = tuple(sorted({reason for reason in failed if reason}))
    if not reasons:
        return None
    codes = np.array([reasons.index(reason) + 1 if reason else 0 for reason in failed], dtype=np.uint8)
    if not stepped or plan.scattered or plan.step_axis is None:
        return Mask(codes.reshape(shape), reasons)
    step = list(plan.all_axes).index(plan.step_axis)
    whole = np.expand_dims(codes.reshape(shape[:step] + shape[step + 1 :]), step)
    return Mask(np.ascontiguousarray(np.broadcast_to(whole, shape)), reasons)


def _distribution(plan: ComponentPlan, signal: str, draws: np.ndarray) -> Distribution:
    """Sum up the draws; one that failed is left out where it failed, by the median of its place's others."""
    filled = np.where(np.isfinite(draws), draws, np.nanmedian(draws, axis=-1, keepdims=True))
    return Distribution.of_draws(filled, signal=signal, over="devices", levels=np.array(plan.monte_carlo.quantiles))


def _quantity(plan: ComponentPlan, signal: str, values: np.ndarray) -> Quantity:
    return Quantity(values, plan.signals[signal].unit, log=plan.fit[signal].log if signal in plan.fit else False)


def conditions(plan: ComponentPlan) -> Mapping[str, Quantity]:
    """Return what every point of the plan has in common, and is a number: corner, time step, the block's own."""
    alone = {SUPPLY: (plan.corners.supply, "1"), TEMPERATURE: (plan.corners.temperature, "K")}
    moved = {axis.parameter for axis in plan.all_axes}
    found = {name: Quantity(np.array(values[0]), unit) for name, (values, unit) in alone.items() if name not in moved}
    if plan.scattered:
        found[COORDINATES] = Quantity(np.array(float(len(plan.axes))), "1")
    return found | {name: Quantity(np.array(value), unit) for name, (value, unit) in plan.constants.items()}
