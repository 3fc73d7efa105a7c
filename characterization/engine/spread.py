"""Distributions of a table's first signal from draws on a coarser grid of the table's own points.

The value added by a draw to the table's own value is linear between the points of the coarse grid; the quantiles are
those of the sums. Draws are over devices (mismatch, published spread), each the same device at every point, or over
cycles (noise drawn after each run, of the size that the run's own waveform gives).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from rramkit.characterization.engine.cases import Case, case_at, grid_of, measured_cycles
from rramkit.characterization.engine.component import CycleSpread
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Point, values_or_nan
from rramkit.characterization.engine.preparation import of_case, placed, prepare
from rramkit.characterization.engine.results import draw_numbers, run_cases
from rramkit.characterization.engine.runner import Runner
from rramkit.errors import SimulationError
from rramkit.table import Distribution, Table

_KEPT_LEAST = 2 / 3  # of the draws must end at every point: fewer would be a choice, not a sample


def distributions(runner: Runner, plan: ComponentPlan, table: Table) -> dict[str, Distribution]:
    """Return the distributions over `cycles` and `devices` that a plan with a coarse grid asks for.

    Raises
    ------
    SimulationError
        When more than a third of the draws fail at some point.
    """
    draws = plan.monte_carlo
    if not draws.count or not draws.grid:
        return {}
    coarse, made = CoarseGrid.of(plan, table), {}
    if "cycles" in draws.spreads and plan.component.cycles is not None:
        made["cycles"] = _over_cycles(runner, plan, plan.component.cycles, coarse)
    if {"mismatch", "device"} & set(draws.spreads):
        made["devices"] = _over_devices(runner, plan, coarse)
    return {
        over: Distribution.of_draws(
            coarse.widened(added), signal=coarse.signal, over="cycles" if over == "cycles" else "devices"
        )
        for over, added in made.items()
    }


@dataclass(frozen=True)
class CoarseGrid:
    """Every few points of a table along each axis: `picks` are their indices, `values` (...) the signal there."""

    plan: ComponentPlan
    table: Table
    signal: str
    picks: tuple[np.ndarray, ...]
    values: np.ndarray

    @classmethod
    def of(cls, plan: ComponentPlan, table: Table) -> "CoarseGrid":
        """Take the points that the plan's `monte_carlo.grid` counts, evenly over each axis, both ends among them."""
        picks = tuple(
            np.unique(np.linspace(0, size - 1, min(size, plan.monte_carlo.grid.get(name, size))).round().astype(int))
            for name, size in zip(table.axes, table.shape, strict=True)
        )
        signal = next(iter(plan.signals))
        return cls(plan, table, signal, picks, table.signals[signal].values[np.ix_(*picks)])

    def cases(self) -> list[Case]:
        """Return the plan's runs at the points, with equal devices."""
        grids = {axis.label: axis.grid[pick] for axis, pick in zip(self.plan.all_axes, self.picks, strict=True)}
        return [case_at(self.plan, place) for place in grid_of(self.plan, grids)]

    def widened(self, added: np.ndarray) -> np.ndarray:
        """Return draws (..., D) on the whole table from what they add on the coarse grid (..., D)."""
        axes = [axis.values for axis in self.table.axes.values()]
        if any(axis.size == 1 for axis in axes):
            raise SimulationError("incomplete", "an axis of one point cannot hold draws. Give it two, or leave it out")
        coarse = tuple(axis[pick] for axis, pick in zip(axes, self.picks, strict=True))
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        between = RegularGridInterpolator(coarse, added)(grid)
        return self.table.signals[self.signal].values[..., None] + between

    def kept(self, more: np.ndarray) -> np.ndarray:
        """Return what draws add (P, D) as (..., D), without those that failed at some point that has a value."""
        more = np.where(np.isfinite(self.values).ravel()[:, None], more, 0.0)  # masked: never looked up
        good = np.all(np.isfinite(more), axis=0)
        if np.count_nonzero(good) < _KEPT_LEAST * good.size:
            raise SimulationError(
                "incomplete",
                f"{np.count_nonzero(~good)} of {good.size} draws of `monte_carlo` have a point of `{self.plan.name}` "
                "that failed. Draw less wide spreads, or narrow the window",
            )
        return more[:, good].reshape(*self.values.shape, -1)


def _over_devices(runner: Runner, plan: ComponentPlan, coarse: CoarseGrid) -> np.ndarray:
    """Run the coarse grid on each drawn device; return what they add (..., D)."""
    grids = {axis.label: axis.grid[pick] for axis, pick in zip(plan.all_axes, coarse.picks, strict=True)}
    work = [
        (place, tuple(case_at(plan, place, draw=number) for number in draw_numbers(plan)))
        for place in grid_of(plan, grids)
    ]
    results = run_cases(runner, plan, work, f"{plan.name} draws", [coarse.signal])
    drawn = np.stack([each.values[coarse.signal] for each in results])
    return coarse.kept(drawn - coarse.values.ravel()[:, None])


def _over_cycles(runner: Runner, plan: ComponentPlan, cycles: CycleSpread, coarse: CoarseGrid) -> np.ndarray:
    """Run the coarse grid once, draw the noise after each run; return what it adds (..., D)."""
    cases = coarse.cases()
    prepared = prepare(runner, plan, cases)
    points = [
        Point(
            case.text,
            partial(measured_cycles, case=case, signals=cycles.raw),
            ", ".join(f"{p} = {v:.6g}" for p, v in case.at),
        )
        for case in (placed(plan, prepared, each) for each in cases)
    ]
    raw = values_or_nan(runner.run(f"{plan.name} cycles", points), (len(cycles.raw),))
    normals = np.random.default_rng(plan.monte_carlo.seed).standard_normal((plan.monte_carlo.count, len(cases)))
    more = np.full((len(cases), plan.monte_carlo.count), np.nan)
    for k, case in enumerate(cases):
        if np.all(np.isfinite(raw[k])):
            values = dict(zip(cycles.raw, raw[k], strict=True))
            more[k] = cycles.added(of_case(prepared, case), values, normals[:, k])[coarse.signal]
    return coarse.kept(more)
