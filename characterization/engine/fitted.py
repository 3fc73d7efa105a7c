"""Tables whose values are fitted to runs of their own, at each corner: a wire model fitted to reads of whole arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE
from rramkit.characterization.engine.cases import Case
from rramkit.characterization.engine.component import FittedTable
from rramkit.characterization.engine.corners import Condition, at_corner, at_temperature
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.preparation import of_case, prepare
from rramkit.characterization.engine.runner import Runner
from rramkit.errors import InputError, SimulationError
from rramkit.table import Fit, HeldOut, Quantity, Table

Pairs = Sequence[tuple[Any, np.ndarray]]
"""Inputs of runs and their values; those that failed are left out."""
Place = Mapping[str, float]
"""Coordinates along the axes of a plan's corners."""


def fitted_table(runner: Runner, plan: ComponentPlan, fitted: FittedTable, others: Mapping[str, Table]) -> Table:
    """Run what the fit sees and what it never sees at each corner; fit, and hold the rest against it.

    Raises
    ------
    SimulationError
        When too many runs fail, or all of a stage.
    """
    inputs = fitted.inputs(plan.simulated, plan.seed)
    names = (plan.name, f"{plan.name} held out")
    values = _run(runner, plan, fitted, dict(zip(names, inputs, strict=True)))
    taken = _taken(plan, others)
    tables, conditions = [], _conditions(plan)
    for place, corner in conditions:
        own = {name: _at_corner(table, corner) for name, table in taken.items()}
        seen, unseen = (values[name, _key(place)] for name in names)
        table = fitted.table(plan.name, plan.simulated, seen, own)
        held_out = _limited(plan, fitted.held_out(table, unseen, own))
        tables.append(replace(table, held_out=held_out))
    return tables[0] if len(tables) == 1 else _stacked(plan, tables, [place for place, _ in conditions])


def fresh_runs(
    runner: Runner, plan: ComponentPlan, fitted: FittedTable, tables: Mapping[str, Table], *, seed: int
) -> dict[str, HeldOut]:
    """Run what the fit never sees, drawn by another seed, and hold it against the table."""
    stage = f"{plan.name} held out"
    values = _run(runner, plan, fitted, {stage: fitted.inputs(plan.simulated, seed)[1]})
    taken, parts = _taken(plan, tables), []
    for place, corner in _conditions(plan):
        own = {name: _at_corner(table, corner) for name, table in taken.items()}
        table = _at_corner(tables[plan.name], corner)
        parts.append((place, fitted.held_out(table, values[stage, _key(place)], own)))
    return _limited(plan, _joined(parts))


def _conditions(plan: ComponentPlan) -> list[tuple[Place, Condition]]:
    """Return every combination of the plan's corners, in the order of the table's dimensions."""
    labels = [axis.label for axis in plan.corners.axes]
    grids = product(*(axis.grid.tolist() for axis in plan.corners.axes))
    places = [dict(zip(labels, values, strict=True)) for values in grids]
    return [(place, plan.corners.condition(place)) for place in places]


def _run(
    runner: Runner, plan: ComponentPlan, fitted: FittedTable, stages: Mapping[str, Sequence[Any]]
) -> dict[tuple[str, str], Pairs]:
    """Return inputs with values by stage and corner; raise `SimulationError` when all runs of one failed."""
    cases = {_key(place): Case(plan.component, plan.simulated, condition=corner) for place, corner in _conditions(plan)}
    prepared = prepare(runner, plan, list(cases.values()))
    points = {
        stage: [_point(plan, fitted, case, of_case(prepared, case), each) for case in cases.values() for each in inputs]
        for stage, inputs in stages.items()
    }
    pairs = {}
    for stage, outcomes in runner.together(points).items():
        inputs = stages[stage]
        for k, key in enumerate(cases):
            own = zip(inputs, outcomes[k * len(inputs) : (k + 1) * len(inputs)], strict=True)
            pairs[stage, key] = [(each, outcome.values) for each, outcome in own if outcome.values is not None]
            if not pairs[stage, key]:
                raise SimulationError("incomplete", f"no run of `{stage}` has a result. Simulate one of its decks")
    return pairs


def _point(plan: ComponentPlan, fitted: FittedTable, case: Case, prepared: object, each: object) -> Point:
    params = at_corner(plan.simulated, case.condition, plan.component.supplies)
    run = fitted.run(params, prepared, each)
    return Point(lambda: at_temperature(run.deck(), case.condition).text(), run.measure, run.label)


def _taken(plan: ComponentPlan, others: Mapping[str, Table]) -> dict[str, Table]:
    missing = [name for name in plan.after if name not in others]
    if missing:
        raise InputError(f"`{plan.name}` takes the table `{missing[0]}`: add a plan of that name before it.")
    return {name: others[name] for name in plan.after}


def _at_corner(table: Table, corner: Condition) -> Table:
    """Return a table at a corner, without the axes of corners; one without such axes stays as it is."""
    for name, value in ((CORNER, corner.process), (SUPPLY, corner.supply), (TEMPERATURE, corner.temperature)):
        if name in table.axes and value is not None:
            table = table.along(name, value)
    return table


def _limited(plan: ComponentPlan, held_out: Mapping[str, HeldOut]) -> dict[str, HeldOut]:
    """Return the held-out points with the plan's limits, fractions of the largest value that SPICE gave."""
    limited = {}
    for name, points in held_out.items():
        limit, scale = plan.limit(name), float(np.max(np.abs(points.spice)))
        rms, most = limit.held_out_rms or np.inf, limit.held_out_max or np.inf
        limited[name] = replace(points, limit_rms=rms * scale, limit_max=most * scale)
    return limited


def _joined(parts: Sequence[tuple[Place, Mapping[str, HeldOut]]]) -> dict[str, HeldOut]:
    """Join the held-out points of several corners; their coordinates say which."""
    if len(parts) == 1:
        return dict(parts[0][1])
    joined = {}
    for signal, first in parts[0][1].items():
        each = [(place, held_out[signal]) for place, held_out in parts]
        at = {
            name: replace(first.at[name], values=np.concatenate([points.at[name].values for _, points in each]))
            for name in first.at
        }
        at |= {
            name: Quantity(np.concatenate([np.full(points.spice.size, place[name]) for place, points in each]), unit)
            for name, unit in ((name, "K" if name == TEMPERATURE else "1") for name in parts[0][0])
        }
        spice, fit = (np.concatenate([getattr(points, part) for _, points in each]) for part in ("spice", "fit"))
        joined[signal] = replace(first, at=at, spice=spice, fit=fit)
    return joined


def _stacked(plan: ComponentPlan, tables: Sequence[Table], places: Sequence[Place]) -> Table:
    """Return the tables of all corners as one whose axes are those of the corners."""
    first, shape = tables[0], tuple(axis.grid.size for axis in plan.corners.axes)

    def stacked(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(values).reshape(*shape, *values[0].shape)

    axes = {
        axis.label: Quantity.of_labels(plan.corners.process)
        if axis.parameter == CORNER
        else Quantity(axis.grid, plan.unit_of(axis))
        for axis in plan.corners.axes
    }
    fits = {name: _stacked_fit([table.fits[name] for table in tables], tuple(axes), stacked) for name in first.fits}
    held_out = _joined([(place, table.held_out) for place, table in zip(places, tables, strict=True)])
    signals = {
        name: replace(each, values=stacked([table.signals[name].values for table in tables]))
        for name, each in first.signals.items()
    }
    return replace(first, axes=axes, signals=signals, fits=fits, held_out=_limited(plan, held_out))


def _stacked_fit(fits: Sequence[Fit], axes: tuple[str, ...], stacked: Any) -> Fit:  # noqa: ANN401  (a local function)
    first = fits[0]
    return replace(
        first,
        parameters={
            name: replace(each, values=stacked([fit.parameters[name].values for fit in fits]))
            for name, each in first.parameters.items()
        },
        errors={name: stacked([fit.errors[name] for fit in fits]) for name in first.errors},
        residual=float(np.sqrt(np.mean([fit.residual**2 for fit in fits]))),
        axes=axes,
    )


def _key(place: Place) -> str:
    return repr(sorted(place.items()))
