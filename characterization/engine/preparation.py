"""Prerequisite runs: what a component needs to know at each corner, and of each random draw, before its own runs.

A cell's plan gives conductances; a deck takes states. Which state has which conductance differs from corner to corner
and from drawn device to drawn device, so it is measured for each, once for all plans that need it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rramkit.characterization.engine.cases import Case, replaced, runs_of
from rramkit.characterization.engine.component import Preparation, Values
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.runner import Runner

Prepared = Mapping[tuple[object, ...], Any]
"""What was prepared, by corner and draw."""


def prepare(runner: Runner, plan: ComponentPlan, cases: Sequence[Case]) -> Prepared:
    """Run what the cases of a plan need first; nothing for a component that needs nothing.

    Raises
    ------
    SimulationError
        When one of these runs fails: every later deck builds on them.
    """
    preparation = _needed(plan)
    if preparation is None:
        return {}
    params = preparation.parameters(plan.simulated)
    wanted = {_key(case): case for case in cases}
    names = {key: (preparation.component.name, params.as_json(), *key) for key in wanted}
    missing = [case for key, case in wanted.items() if names[key] not in runner.prepared]
    before = [
        Case(preparation.component, params, (at,), case.condition, draw=case.draw, spreads=case.spreads)
        for case in missing
        for at in preparation.points
    ]
    labels = [f"{path} = {value:.6g}" for _ in missing for path, value in preparation.points]
    runs, order = runs_of(before, preparation.measures, labels)
    values: list[np.ndarray] = [np.empty(0)] * len(before)
    for place, each in zip(order, runner.need(preparation.stage, runs) if runs else [], strict=True):
        values[place] = each
    count = len(preparation.points)
    for k, case in enumerate(missing):
        rows = np.stack(values[k * count : (k + 1) * count])
        runner.prepared[names[_key(case)]] = preparation.result(rows)
    return {key: runner.prepared[name] for key, name in names.items()}


def placed(plan: ComponentPlan, prepared: Prepared, case: Case) -> Case:
    """Return the case with its prepared coordinate as a parameter; a drawn device takes the nearest it can be."""
    preparation = plan.component.preparation
    if preparation is None or not plan.prepared_axis:
        return case
    at = [
        preparation.place(prepared[_key(case)], value, case.draw is not None)
        if path == plan.prepared_axis
        else (path, value)
        for path, value in case.at
    ]
    return replace(case, at=tuple(at))


def raw_measures(plan: ComponentPlan, signals: Sequence[str]) -> tuple[str, ...]:
    """Return what the runs of a plan measure so that they give the signals."""
    preparation = plan.component.preparation
    return preparation.raw if preparation is not None and preparation.convert is not None else tuple(signals)


def converted(plan: ComponentPlan, prepared: Prepared, case: Case, raw: Values) -> Values:
    """Return a run's signals from its raw measures."""
    preparation = plan.component.preparation
    if preparation is None or preparation.convert is None:
        return raw
    return preparation.convert(prepared[_key(case)], replaced(case.params, case.at), raw)


def of_case(prepared: Prepared, case: Case) -> Any:  # noqa: ANN401  (the component's own object)
    """Return what was prepared for a case; None for a component that needs nothing."""
    return prepared.get(_key(case))


def _needed(plan: ComponentPlan) -> Preparation | None:
    preparation = plan.component.preparation
    if preparation is None or not (plan.prepared_axis or preparation.convert or plan.component.fitted):
        return None
    return preparation


def _key(case: Case) -> tuple[object, ...]:
    return case.condition, case.draw, case.spreads
