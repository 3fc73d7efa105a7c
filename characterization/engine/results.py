"""The numbers of a plan's runs: every draw of every grid point, by measure, failed runs with their reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.cases import Case, GridPoint, case_at, runs_of
from rramkit.characterization.engine.monte_carlo import DrawNumber
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Outcome
from rramkit.characterization.engine.preparation import Prepared, converted, placed, prepare, raw_measures
from rramkit.characterization.engine.runner import Runner


@dataclass(frozen=True)
class GridPointResult:
    """The numbers of the D draws at one grid point.

    Attributes
    ----------
    values : mapping
        Measure to (D, N) for N steps of a run, or (D,) for what a run gives as a whole; NaN where a run failed.
    reasons : tuple of str
        Why each run failed, (D,); empty where it did not.
    """

    place: GridPoint
    cases: tuple[Case, ...]
    values: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]


def cases_of(plan: ComponentPlan, place: GridPoint) -> tuple[Case, ...]:
    """Return the plan's runs at a grid point: one with equal devices, or one for each draw of a Monte Carlo plan."""
    draws = plan.monte_carlo
    if not draws.at_every_point:
        return (case_at(plan, place),)
    return tuple(case_at(plan, place, draw=number) for number in draw_numbers(plan))


def draw_numbers(plan: ComponentPlan) -> list[DrawNumber]:
    """Return the draws of a Monte Carlo plan."""
    draws = plan.monte_carlo
    return [DrawNumber(draws.seed, k, draws.count, draws.matched) for k in range(draws.count)]


def fresh_cases(plan: ComponentPlan, place: GridPoint, *, seed: int) -> tuple[Case, ...]:
    """Return runs at a fresh point, with plain draws of `seed` that the plan's own tables have not seen."""
    if not plan.monte_carlo.at_every_point:
        return (case_at(plan, place),)
    count = plan.held_out.draws or plan.monte_carlo.count
    return tuple(case_at(plan, place, draw=DrawNumber(seed, k, count, matched=False)) for k in range(count))


Work = Sequence[tuple[GridPoint, tuple[Case, ...]]]


def run_cases(
    runner: Runner, plan: ComponentPlan, work: Work, stage: str, signals: Sequence[str]
) -> list[GridPointResult]:
    """Run the cases of each grid point in one stage."""
    return run_stages(runner, plan, {stage: (work, signals)})[stage]


def run_stages(
    runner: Runner, plan: ComponentPlan, stages: Mapping[str, tuple[Work, Sequence[str]]]
) -> dict[str, list[GridPointResult]]:
    """Run stages that do not build on each other: of each the cases of its grid points, and what to measure."""
    prepared = prepare(runner, plan, [case for work, _ in stages.values() for _, cases in work for case in cases])
    runs, orders = {}, {}
    for stage, (work, signals) in stages.items():
        cases = [placed(plan, prepared, case) for _, cases in work for case in cases]
        labels = [_label(place, k) for place, cases in work for k, _ in enumerate(cases)]
        runs[stage], orders[stage] = runs_of(cases, raw_measures(plan, signals), labels)
    outcomes = {stage: iter(_in_order(each, orders[stage])) for stage, each in runner.together(runs).items()}
    return {
        stage: [
            _result(plan, prepared, place, cases, [next(outcomes[stage]) for _ in cases], signals)
            for place, cases in work
        ]
        for stage, (work, signals) in stages.items()
    }


def _in_order(outcomes: Sequence[Outcome], order: Sequence[int]) -> list[Outcome]:
    """Return outcomes, of which number k belongs to case `order[k]`, in the order of the cases."""
    return [outcome for _, outcome in sorted(zip(order, outcomes, strict=True), key=lambda pair: pair[0])]


def _result(
    plan: ComponentPlan,
    prepared: Prepared,
    place: GridPoint,
    cases: tuple[Case, ...],
    outcomes: Sequence[Outcome],
    signals: Sequence[str],
) -> GridPointResult:
    names, steps = raw_measures(plan, signals), len(place.steps)
    sizes = [steps if name in plan.component.signals else 1 for name in names]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in signals}
    for case, outcome in zip(cases, outcomes, strict=True):
        values = _split(outcome.values, names, sizes)
        if outcome.values is not None:
            values = converted(plan, prepared, placed(plan, prepared, case), values)
        for name in signals:
            size = steps if name in plan.component.signals else 1
            rows[name].append(np.broadcast_to(values.get(name, np.array(np.nan)), (size,)))
    stacked = {name: np.stack(each) for name, each in rows.items()}
    parts = {name: each if name in plan.component.signals else each[:, 0] for name, each in stacked.items()}
    return GridPointResult(place, cases, parts, tuple(outcome.reason or "" for outcome in outcomes))


def _split(values: np.ndarray | None, names: Sequence[str], sizes: Sequence[int]) -> Mapping[str, np.ndarray]:
    if values is None:
        return {}
    return dict(zip(names, np.split(values, np.cumsum(sizes)[:-1]), strict=True))


def _label(place: GridPoint, draw: int) -> str:
    return ", ".join([*(f"{name} = {value:.6g}" for name, value in place.at.items()), f"draw {draw}"])
