"""Run a block plan: every place, every draw, a sample with half the time step; tables with their held-out points."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.characterization.engine.cases import finer, places
from rramkit.characterization.engine.held_out import ask, compare
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.results import GridPointResult, cases_of, run_stages
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.engine.tables import tables_of
from rramkit.errors import SimulationError
from rramkit.table import Table


def block_tables(bench: Runner, plan: ComponentPlan) -> dict[str, Table]:
    """Run one plan; return its tables by name.

    Raises
    ------
    SimulationError
        When too many runs fail, or when halving the time step changes a measure by more than the plan allows.
    """
    bench, signals = replace(bench, max_failed=plan.max_failed), tuple(plan.signals)
    whole = [(place, cases_of(plan, place)) for place in places(plan)]
    sample = _step_sample(plan, len(whole))
    halved = [(whole[k][0], (finer(whole[k][1][0]),)) for k in sample]
    asked = ask(plan, seed=plan.seed, runs=plan.held_out.runs)
    names = (plan.name, f"{plan.name} time step", f"{plan.name} held out")
    work = ((whole, signals), (halved, signals), (asked.work, asked.signals))
    stages = {name: each for name, each in zip(names, work, strict=True) if each[0]}
    found = run_stages(bench, plan, stages)
    results, steps, fresh = (found.get(name, []) for name in names)
    tables = tables_of(plan, results)
    changes = _step_changes(plan, results, [results[k] for k in sample], steps)
    held_out = compare(plan, tables, asked, fresh)
    return {
        name: replace(
            table,
            held_out=held_out[name],
            fits=plan.measured.fits(table) if plan.measured.fits is not None and name == plan.name else {},
            step_error={signal: changes[signal] for signal in table.signals if signal in changes},
        )
        for name, table in tables.items()
    }


def _step_sample(plan: ComponentPlan, count: int) -> list[int]:
    """Return which places run again with half the time step: `step_runs` of them, evenly over the plan."""
    if not plan.measured.step or not plan.step_runs:
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
        step, unit = plan.measured.step, plan.signals[signal].unit
        raise SimulationError(
            "incomplete",
            f"`{plan.name}`: halving `{step}` changes `{signal}` by {change:.3g} {unit}, {change / full_scale:.2%} of "
            f"its full scale and more than the {limit:.2%} allowed (`max_step_error`). Make `{step}` smaller",
        )
