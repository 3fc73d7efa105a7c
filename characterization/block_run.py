"""Run a block plan: every place, every draw, a sample with half the time step; tables with their held-out points."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.characterization.batch import Bench
from rramkit.characterization.block_fresh import fresh
from rramkit.characterization.block_plan import BlockPlan
from rramkit.characterization.block_points import finer, places
from rramkit.characterization.block_results import PlaceResult, cases_of, run_cases
from rramkit.characterization.block_tables import tables_of
from rramkit.errors import SimulationError
from rramkit.table import Table


def block_tables(bench: Bench, plan: BlockPlan) -> dict[str, Table]:
    """Run one plan; return its tables by name.

    Raises
    ------
    SimulationError
        When too many runs fail, or when halving the time step changes a measure by more than the plan allows.
    """
    bench = replace(bench, max_failed=plan.max_failed)
    signals = tuple(plan.signals)
    work = [(place, cases_of(plan, place)) for place in places(plan)]
    results = run_cases(bench, plan, work, plan.name, signals)
    tables = tables_of(plan, results)
    changes = step_changes(bench, plan, results)
    held_out = fresh(bench, plan, tables, seed=plan.seed, runs=plan.held_out.runs)
    return {
        name: replace(
            table,
            held_out=held_out[name],
            step_error={signal: changes[signal] for signal in table.signals if signal in changes},
        )
        for name, table in tables.items()
    }


def step_changes(bench: Bench, plan: BlockPlan, results: Sequence[PlaceResult]) -> dict[str, float]:
    """Return the largest change of each measure, in its unit, when the time step is halved in a sample of the runs.

    The sample: `step_runs` of the runs, evenly over the plan, the first draw of each. Raise when a change is above its
    limit, a fraction of the largest value that the measure has in the plan.
    """
    good = [each for each in results if not each.reasons[0]]
    if not plan.measured.step or not plan.step_runs or not good:
        return {}
    chosen = [good[k] for k in np.unique(np.linspace(0, len(good) - 1, plan.step_runs).round().astype(int))]
    work = [(each.place, (finer(each.cases[0]),)) for each in chosen]
    again = run_cases(bench, plan, work, f"{plan.name} time step", tuple(plan.signals))
    changes = {}
    for signal in plan.signals:
        pairs = [(a.values[signal][0], b.values[signal][0]) for a, b in zip(chosen, again, strict=True)]
        changes[signal] = float(np.nanmax([np.max(np.abs(a - b)) for a, b in pairs]))
        _check(plan, signal, changes[signal], float(max(np.nanmax(np.abs(each.values[signal])) for each in good)))
    return changes


def _check(plan: BlockPlan, signal: str, change: float, full_scale: float) -> None:
    limit = plan.limit(signal).step_error or plan.max_step_error
    if change > limit * full_scale:
        step, unit = plan.measured.step, plan.signals[signal].unit
        raise SimulationError(
            "incomplete",
            f"`{plan.name}`: halving `{step}` changes `{signal}` by {change:.3g} {unit}, {change / full_scale:.2%} of "
            f"its full scale and more than the {limit:.2%} allowed (`max_step_error`). Make `{step}` smaller",
        )
