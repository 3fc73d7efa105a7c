"""The numbers of a plan's runs: every draw of every place, stacked by measure, failed runs with their reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.cases import Case, GridPoint, case_at, point
from rramkit.characterization.engine.monte_carlo import DrawNumber
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Outcome
from rramkit.characterization.engine.runner import Runner


@dataclass(frozen=True)
class GridPointResult:
    """What the D draws of one place gave.

    Attributes
    ----------
    values : mapping
        Measure to (D, N) for N steps of a train, or (D,) for what a run gives as a whole; NaN where a run failed.
    reasons : tuple of str
        Why each run failed, (D,); empty where it did not.
    """

    place: GridPoint
    cases: tuple[Case, ...]
    values: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]


def cases_of(plan: ComponentPlan, place: GridPoint) -> tuple[Case, ...]:
    """Return the plan's runs at a place: one with equal devices, or one for each draw of a Monte Carlo plan."""
    draws = plan.monte_carlo
    if not draws.count:
        return (case_at(plan, place),)
    numbers = (DrawNumber(draws.seed, k, draws.count, draws.matched) for k in range(draws.count))
    return tuple(case_at(plan, place, draw=number) for number in numbers)


def fresh_cases(plan: ComponentPlan, place: GridPoint, *, seed: int) -> tuple[Case, ...]:
    """Return runs at a fresh place, with plain draws of `seed` that the plan's own tables have not seen."""
    if not plan.monte_carlo.count:
        return (case_at(plan, place),)
    count = plan.held_out.draws or plan.monte_carlo.count
    return tuple(case_at(plan, place, draw=DrawNumber(seed, k, count, matched=False)) for k in range(count))


Work = Sequence[tuple[GridPoint, tuple[Case, ...]]]


def run_cases(
    bench: Runner, plan: ComponentPlan, work: Work, stage: str, signals: Sequence[str]
) -> list[GridPointResult]:
    """Run the cases of each place in one stage."""
    return run_stages(bench, plan, {stage: (work, signals)})[stage]


def run_stages(
    bench: Runner, plan: ComponentPlan, stages: Mapping[str, tuple[Work, Sequence[str]]]
) -> dict[str, list[GridPointResult]]:
    """Run stages that do not build on each other: of each the cases of its places, and what to measure."""
    points = {
        stage: [point(case, signals, label=_label(place, k)) for place, cases in work for k, case in enumerate(cases)]
        for stage, (work, signals) in stages.items()
    }
    found = {stage: iter(outcomes) for stage, outcomes in bench.together(points).items()}
    return {
        stage: [_result(plan, place, cases, [next(found[stage]) for _ in cases], signals) for place, cases in work]
        for stage, (work, signals) in stages.items()
    }


def _result(
    plan: ComponentPlan, place: GridPoint, cases: tuple[Case, ...], outcomes: Sequence[Outcome], signals: Sequence[str]
) -> GridPointResult:
    steps = len(place.steps)
    sizes = [steps if name in plan.measured.signals else 1 for name in signals]
    blank = np.full(sum(sizes), np.nan)
    rows = np.stack([blank if outcome.values is None else outcome.values for outcome in outcomes])
    parts = dict(zip(signals, np.split(rows, np.cumsum(sizes)[:-1], axis=1), strict=True))
    values = {name: part if name in plan.measured.signals else part[:, 0] for name, part in parts.items()}
    return GridPointResult(place, cases, values, tuple(outcome.reason or "" for outcome in outcomes))


def _label(place: GridPoint, draw: int) -> str:
    return ", ".join([*(f"{name} = {value:.6g}" for name, value in place.at.items()), f"draw {draw}"])
