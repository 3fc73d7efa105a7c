"""Run a component's plan and make its tables: grids with corners, scattered points, distributions, masks, held out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE, Axis
from rramkit.characterization.engine.cases import halved_step, places
from rramkit.characterization.engine.fitted import fitted_table
from rramkit.characterization.engine.held_out import compare, request
from rramkit.characterization.engine.plan import SAMPLE, SUMMARY, ComponentPlan
from rramkit.characterization.engine.results import GridPointResult, cases_of, run_stages
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.engine.spread import distributions
from rramkit.errors import InputError, SimulationError
from rramkit.surrogate.look_up import COORDINATES
from rramkit.table import Distribution, Mask, Quantity, Table


def component_tables(
    runner: Runner, plan: ComponentPlan, others: Mapping[str, Table] | None = None
) -> dict[str, Table]:
    """Run one plan; return its tables by name. `others` are the tables that it names in `after`.

    Raises
    ------
    SimulationError
        When too many runs fail, or when halving the time step changes a measure by more than the plan allows.
    InputError
        When two process corners, supplies or temperatures give the same numbers: the axis does nothing.
    """
    runner, signals = replace(runner, max_failed=plan.max_failed), tuple(plan.signals)
    if plan.component.fitted is not None:
        fitted = {plan.name: fitted_table(runner, plan, plan.component.fitted, others or {})}
        _check_conditions(plan, fitted)
        return fitted
    whole = [(place, cases_of(plan, place)) for place in places(plan)]
    sample = _step_sample(plan, len(whole))
    halved = [(whole[k][0], (halved_step(whole[k][1][0]),)) for k in sample]
    fresh = request(plan, seed=plan.seed, runs=plan.held_out.runs)
    names = (plan.name, f"{plan.name} time step", f"{plan.name} held out")
    work = ((whole, signals), (halved, signals), (fresh.work, fresh.signals))
    stages = {name: each for name, each in zip(names, work, strict=True) if each[0]}
    numbers = run_stages(runner, plan, stages)
    results, steps, fresh_results = (numbers.get(name, []) for name in names)
    tables = tables_of(plan, results)
    _check_conditions(plan, tables)
    changes = _step_changes(plan, results, [results[k] for k in sample], steps)
    held_out = compare(plan, tables, fresh, fresh_results)
    scatter = plan.component.scatter
    closed = scatter(plan.nominal, tables[plan.name]) if scatter is not None else {}
    drawn = distributions(runner, plan, tables[plan.name])  # what is drawn in SPICE takes the place of a closed form
    return {
        name: replace(
            table,
            held_out=held_out[name],
            fits=plan.component.fits(table) if plan.component.fits is not None and name == plan.name else {},
            step_error={signal: changes[signal] for signal in table.signals if signal in changes},
            distributions={**table.distributions, **({**closed, **drawn} if name == plan.name else {})},
        )
        for name, table in tables.items()
    }


def _check_conditions(plan: ComponentPlan, tables: Mapping[str, Table]) -> None:
    """Raise `InputError` where two entries of a condition's axis give the same values of all measures, everywhere."""
    axes = [axis for axis in plan.all_axes if axis.parameter in (CORNER, SUPPLY, TEMPERATURE)]
    for axis in axes if not plan.scattered else ():
        seen: dict[tuple[bytes, ...], int] = {}
        for k in range(axis.grid.size):
            numbers = tuple(
                np.take(each.values, k, axis=list(table.axes).index(axis.label)).tobytes()
                for table in tables.values()
                for each in table.signals.values()
                if axis.label in table.axes
            )
            if numbers and numbers in seen:
                raise InputError(_idle(plan, axis, seen[numbers], k))
            seen[numbers] = k


def _idle(plan: ComponentPlan, axis: Axis, first: int, second: int) -> str:
    values = plan.corners.process if axis.parameter == CORNER else [f"{value:.6g}" for value in axis.grid]
    return (
        f"the plan {plan.name}: {values[first]} and {values[second]} of the axis {axis.label} give the same numbers: "
        "the axis does nothing. Leave it out of the plan, or see whether the model file knows of it."
    )


def tables_of(plan: ComponentPlan, results: Sequence[GridPointResult]) -> dict[str, Table]:
    """Return the plan's tables by name: `NAME` of what its steps gave, else of its runs; both: `NAME_summary` too."""
    groups = [names for names in (plan.signals_of_steps, plan.signals_of_runs) if names]
    names = (plan.name, plan.name + SUMMARY)
    return {name: _table(plan, name, signals, results) for name, signals in zip(names, groups, strict=False)}


def _table(plan: ComponentPlan, name: str, signals: Sequence[str], results: Sequence[GridPointResult]) -> Table:
    stepped = signals[0] in plan.component.signals
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
        if plan.monte_carlo.at_every_point
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
    columns = {}
    for axis in plan.axes:
        column = [each.place.steps[0] if axis is step else each.place.at[axis.label] for each in results]
        columns[axis.label] = Quantity(np.array(column), plan.unit_of(axis), log=axis.is_ratio)
    return columns


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
    """Return what every point of the plan has in common, and is a number: corner, time step, the component's own."""
    alone = {SUPPLY: (plan.corners.supply, "1"), TEMPERATURE: (plan.corners.temperature, "K")}
    moved = {axis.parameter for axis in plan.all_axes}
    fixed = {name: (values[0], unit) for name, (values, unit) in alone.items() if values and name not in moved}
    shared = {name: Quantity(np.array(value), unit) for name, (value, unit) in fixed.items()}
    if plan.scattered:
        shared[COORDINATES] = Quantity(np.array(float(len(plan.axes))), "1")
    labels = {axis.label for axis in plan.all_axes}
    constants = {name: each for name, each in plan.constants.items() if name not in labels}
    return shared | {name: Quantity(np.array(value), unit) for name, (value, unit) in constants.items()}


def _step_sample(plan: ComponentPlan, count: int) -> list[int]:
    """Return which places run again with half the time step: `step_runs` of them, evenly over the plan."""
    if not plan.component.step or not plan.step_runs:
        return []
    return np.unique(np.linspace(0, count - 1, plan.step_runs).round().astype(int)).tolist()


def _step_changes(
    plan: ComponentPlan,
    results: Sequence[GridPointResult],
    whole: Sequence[GridPointResult],
    halved: Sequence[GridPointResult],
) -> dict[str, float]:
    """Return the largest change of each measure, in its unit, when the time step is halved, first draw of each place.

    Raise when a change is above its limit, a fraction of the largest value that the measure has in the plan.
    """
    pairs = [(a, b) for a, b in zip(whole, halved, strict=True) if not a.reasons[0] and not b.reasons[0]]
    changes = {}
    for signal in plan.signals if pairs else ():
        changes[signal] = float(max(np.max(np.abs(a.values[signal][0] - b.values[signal][0])) for a, b in pairs))
        _check(
            plan,
            signal,
            changes[signal],
            float(
                max(
                    np.max(np.abs(each.values[signal]), where=np.isfinite(each.values[signal]), initial=0.0)
                    for each in results
                )
            ),
        )
    return changes


def _check(plan: ComponentPlan, signal: str, change: float, full_scale: float) -> None:
    limit = plan.limit(signal).step_error or plan.max_step_error
    if change > limit * full_scale:
        step, unit = plan.component.step, plan.signals[signal].unit
        raise SimulationError(
            "incomplete",
            f"`{plan.name}`: halving `{step}` changes `{signal}` by {change:.3g} {unit}, {change / full_scale:.2%} of "
            f"its full scale and more than the {limit:.2%} allowed (`max_step_error`). Make `{step}` smaller",
        )
