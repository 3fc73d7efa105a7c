"""Held-out points: fresh SPICE points, and fresh draws, against a plan's tables, which never saw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from rramkit.characterization.engine.cases import Case, GridPoint, fresh_places
from rramkit.characterization.engine.fitted import fresh_runs
from rramkit.characterization.engine.plan import SUMMARY, ComponentPlan, Limit
from rramkit.characterization.engine.results import GridPointResult, fresh_cases, run_cases
from rramkit.characterization.engine.runner import Runner
from rramkit.surrogate.look_up import answered, look_up
from rramkit.table import HeldOut, Quantity, Table

RATIO, SIGMA = "_ratio", "_sigma"
_SEED = 1_000_003  # a stride between seeds of draws (1); a prime, so that places of two verifications do not meet


@dataclass(frozen=True)
class HeldOutRequest:
    """Fresh points: the measures that they check, and the runs, place by place."""

    signals: tuple[str, ...]
    work: tuple[tuple[GridPoint, tuple[Case, ...]], ...]


def request(plan: ComponentPlan, *, seed: int, runs: int) -> HeldOutRequest:
    """Return `runs` places drawn by `seed`, with their draws, for the measures whose fit the plan limits."""
    limits = {name: plan.limit(name) for name in plan.signals}
    checked = tuple(name for name, each in limits.items() if each.checks_fit or each.sigma_rms is not None)
    if not checked:
        return HeldOutRequest((), ())
    # what a run gives as a whole belongs to the plan's own steps: then the steps are those, and all else is fresh
    steps = 0 if any(name in plan.component.summary for name in checked) else plan.held_out.steps
    at = fresh_places(plan, seed=seed, runs=runs, steps=steps)
    # the draws of fresh points are others than the plan's, and others at each of them
    return HeldOutRequest(
        checked, tuple((place, fresh_cases(plan, place, seed=seed + _SEED * (k + 1))) for k, place in enumerate(at))
    )


def fresh_points(
    runner: Runner, plan: ComponentPlan, tables: Mapping[str, Table], *, seed: int, points: int
) -> dict[str, dict[str, HeldOut]]:
    """Run fresh points drawn by `seed`, about `points` of them and no more runs than the plan has; compare them."""
    runner = replace(runner, max_failed=plan.max_failed)
    if plan.component.fitted is not None:
        return {plan.name: fresh_runs(runner, plan, plan.component.fitted, tables, seed=seed)}
    steps = plan.held_out.steps if plan.step_axis is not None else 1
    fresh = request(plan, seed=seed, runs=max(1, min(plan.held_out.runs, ceil(points / steps))))
    return compare(plan, tables, fresh, run_cases(runner, plan, fresh.work, f"{plan.name} held out", fresh.signals))


def compare(
    plan: ComponentPlan, tables: Mapping[str, Table], fresh: HeldOutRequest, results: Sequence[GridPointResult]
) -> dict[str, dict[str, HeldOut]]:
    """Return, for each of the plan's tables, SPICE against it, by measure; runs that failed are left out.

    A measure whose errors are a fraction of its own value is held as fit over SPICE, named with `_ratio`, against 1;
    the sigma of a Monte Carlo is held as `_sigma`, table over independent draws, against 1.
    """
    good = [each for each in results if not any(each.reasons)]
    own = {name: tables[name] for name in (plan.name, plan.name + SUMMARY) if name in tables}
    return {
        name: _of_table(plan, table, good, [signal for signal in fresh.signals if signal in table.signals])
        for name, table in own.items()
    }


def _of_table(
    plan: ComponentPlan, table: Table, results: Sequence[GridPointResult], signals: Sequence[str]
) -> dict[str, HeldOut]:
    held_out: dict[str, HeldOut] = {}
    for signal in signals if results else ():
        limit, at = plan.limit(signal), _coordinates(plan, results, signal)
        inside = answered(table, signal, at) if at else np.ones(len(results), dtype=bool)
        if signal in plan.component.signals:
            inside &= _where(plan, results)
        at = {name: values[inside] for name, values in at.items()}
        if not np.any(inside):
            continue
        if limit.checks_fit:
            spice = np.concatenate([np.mean(each.values[signal], axis=0).ravel() for each in results])
            held_out |= _compared(table, signal, limit, at, spice[inside])
        if limit.sigma_rms is not None:
            spice = np.concatenate([np.std(each.values[signal], axis=0, ddof=1).ravel() for each in results])
            fit = look_up(_sigma_table(table, signal), signal, at)
            of_sigma = Limit(of="value", held_out_rms=limit.sigma_rms, held_out_max=limit.sigma_max)
            held_out[signal + SIGMA] = _ratio(table, at, fit / spice[inside], of_sigma)
    return held_out


def _where(plan: ComponentPlan, results: Sequence[GridPointResult]) -> np.ndarray:
    """Return which steps of the results lie where the table is used, one after the other."""
    kept = [
        np.concatenate([np.mean(each.values[name], axis=0).ravel() for each in results]) <= most
        for name, most in plan.held_out.where.items()
    ]
    return np.all(kept, axis=0) if kept else np.array(True)


def _compared(
    table: Table, signal: str, limit: Limit, at: Mapping[str, np.ndarray], spice: np.ndarray
) -> dict[str, HeldOut]:
    fit, values = np.broadcast_to(look_up(table, signal, at), spice.shape), table.signals[signal]
    scale = 1.0 if limit.of == "unit" else float(np.max(np.abs(values.values[~table.masked(signal)])))
    rms, p95, most = _limits(limit)
    absolute = HeldOut(
        at=_named(table, at),
        spice=spice,
        fit=fit,
        unit=values.unit,
        limit_rms=rms * scale,
        limit_max=most * scale,
        limit_p95=p95 * scale,
    )
    return {signal: absolute} | ({signal + RATIO: _ratio(table, at, fit / spice, limit)} if limit.of == "value" else {})


def _ratio(table: Table, at: Mapping[str, np.ndarray], ratio: np.ndarray, limit: Limit) -> HeldOut:
    rms, p95, most = _limits(limit)
    ones = np.ones_like(ratio)
    return HeldOut(_named(table, at), ones, ratio, "1", limit_rms=rms, limit_max=most, limit_p95=p95)


def _limits(limit: Limit) -> tuple[float, float, float]:
    """Return the largest rms, 95th percentile and maximum of held-out errors, as fractions."""
    assert limit.held_out_rms is not None and limit.held_out_max is not None
    return limit.held_out_rms, limit.held_out_p95 or np.inf, limit.held_out_max


def _coordinates(plan: ComponentPlan, results: Sequence[GridPointResult], signal: str) -> dict[str, np.ndarray]:
    """Return where the values of a measure lie, one row for each axis: every step of every place, or every place."""
    step = plan.step_axis if signal in plan.component.signals else None
    counts = [len(each.place.steps) if step is not None else 1 for each in results]
    at = {}
    for axis in plan.all_axes:
        if axis is step:
            at[axis.label] = np.concatenate([each.place.steps for each in results])
        elif axis is not plan.step_axis:
            at[axis.label] = np.repeat([each.place.at[axis.label] for each in results], counts)
    return at


def _named(table: Table, at: Mapping[str, np.ndarray]) -> dict[str, Quantity]:
    units = {name: each.unit for name, each in {**table.signals, **table.axes}.items()}
    return {name: Quantity(values, units[name]) for name, values in at.items()}


def _sigma_table(table: Table, signal: str) -> Table:
    """Return the table with a signal's standard deviation in the signal's place."""
    spread = table.distributions[signal]
    return replace(table, signals={signal: Quantity(spread.sigma, table.signals[signal].unit)}, distributions={})
