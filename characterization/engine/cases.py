"""The runs of a block plan: where each lies, its deck, made when it is needed, and its numbers, taken in the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import product

import numpy as np

from rramkit.characterization.components import find
from rramkit.characterization.dotted import is_whole, number_at, with_value
from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE, Axis, latin_hypercube
from rramkit.characterization.engine.corners import NOMINAL, Condition, at_corner, at_temperature
from rramkit.characterization.engine.monte_carlo import DrawNumber, RandomDraw, SpreadKind, spread_of_devices
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Point
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.parameters import Parameters


@dataclass(frozen=True)
class Case:
    """One run: the block, its parameters before the run's own, and all that moves.

    Attributes
    ----------
    at : tuple of (dotted path, value)
        The parameters that the axes set.
    steps : tuple of float
        What the run steps through; empty: the block's own train.
    draw : DrawNumber, optional
        Which Monte Carlo draw; None: equal devices.
    finer : float
        The largest time step is divided by this.
    """

    block: str
    params: Parameters
    at: tuple[tuple[str, float], ...] = ()
    condition: Condition = NOMINAL
    steps: tuple[float, ...] = ()
    draw: DrawNumber | None = None
    spreads: tuple[SpreadKind, ...] = ()
    finer: float = 1.0

    def resolved(self) -> tuple[Parameters, np.ndarray, RandomDraw]:
        """Return the run's parameters, its steps (N,) and what mismatch does to it."""
        block, params = find(self.block), self.params
        for path, value in self.at:
            params = with_value(params, path, value)
        params = at_corner(params, self.condition, block.supplies)
        if self.finer != 1 and block.step:
            params = with_value(params, block.step, number_at(params, block.step) / self.finer)
        draw = RandomDraw()
        if self.draw is not None:
            if "device" in self.spreads:
                params = spread_of_devices(params, rng=self.draw.rng)
            if "mismatch" in self.spreads and block.mismatch is not None:
                draw = block.mismatch.draw(params, self.draw.normals(block.mismatch.size(params)))
        steps = np.array(self.steps) if self.steps or block.steps is None else block.steps.default(params)
        return params, steps, draw

    def deck(self) -> Deck:
        """Return the run's deck."""
        return at_temperature(find(self.block).deck(*self.resolved()), self.condition)

    def text(self) -> str:
        """Return the run's deck as text."""
        return self.deck().text()


@dataclass(frozen=True)
class GridPoint:
    """Coordinates by axis name, those of the run's steps apart; `steps` (N,), empty when no axis steps."""

    at: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[float, ...] = ()


def measured(waves: Waveforms, *, case: Case, signals: tuple[str, ...], code: str) -> np.ndarray:
    """Return the measures of a run one after the other: of its steps (N,) each, of the whole run one number each.

    `code` tells one version of the measures from another (`Component.code`): a stored result is that of its own.
    """
    del code
    params, steps, _ = case.resolved()
    found = find(case.block).measure(waves, params, steps)
    return np.concatenate([np.atleast_1d(np.asarray(found[name], dtype=float)) for name in signals])


def point(case: Case, signals: Sequence[str], *, label: str = "") -> Point:
    """Return what a bench runs of a case."""
    code = code_of(case.block)
    return Point(case.text, partial(measured, case=case, signals=tuple(signals), code=code), label)


@cache
def code_of(block: str) -> str:
    """Return the fingerprint of a block's measures."""
    return find(block).code


def case_at(plan: ComponentPlan, place: GridPoint, *, draw: DrawNumber | None = None) -> Case:
    """Return the run at a place."""
    paths = {axis.label: axis.parameter for axis in plan.axes if axis.parameter not in (SUPPLY, TEMPERATURE)}
    return Case(
        plan.block,
        plan.nominal,
        at=tuple((paths[label], value) for label, value in place.at.items() if label in paths),
        condition=plan.corners.condition(_outside(plan, place)),
        steps=place.steps,
        draw=draw,
        spreads=plan.monte_carlo.spreads if draw is not None else (),
    )


def finer(case: Case) -> Case:
    """Return the case with half its largest time step."""
    return replace(case, finer=2.0)


def places(plan: ComponentPlan) -> list[GridPoint]:
    """Return the plan's own places: of a grid in the order of the table's dimensions, the step axis taken out."""
    if plan.scattered:
        return _scattered(plan, plan.samples, rng=np.random.default_rng([plan.seed, 0]))
    step = plan.step_axis
    outer = [axis for axis in plan.all_axes if axis is not step]
    steps = () if step is None else tuple(step.grid.tolist())
    grids = product(*(axis.grid.tolist() for axis in outer))
    return [GridPoint(dict(zip((axis.label for axis in outer), values, strict=True)), steps) for values in grids]


def fresh_places(plan: ComponentPlan, *, seed: int, runs: int, steps: int) -> list[GridPoint]:
    """Return `runs` places inside the valid range, drawn by `seed`; 0 `steps`: those of the plan, not fresh ones."""
    rng = np.random.default_rng([seed, 1])
    if plan.scattered:
        return _scattered(plan, runs, rng=rng)
    return [_drawn(plan, steps, rng=rng) for _ in range(runs)]


def _drawn(plan: ComponentPlan, steps: int, *, rng: np.random.Generator) -> GridPoint:
    step = plan.step_axis
    at = {axis.label: float(_value(plan, axis, rng.random(1))[0]) for axis in plan.all_axes if axis is not step}
    if step is None:
        return GridPoint(at)
    return GridPoint(at, tuple((np.unique(_value(plan, step, rng.random(steps))) if steps else step.grid).tolist()))


def _scattered(plan: ComponentPlan, samples: int, *, rng: np.random.Generator) -> list[GridPoint]:
    """Return the points of a Latin hypercube, each a run of one step."""
    drawn = np.stack(
        [
            _whole(plan, axis, row)
            for axis, row in zip(plan.axes, latin_hypercube(plan.axes, samples, rng=rng).T, strict=True)
        ]
    )
    found = []
    for column in drawn.T:
        at = {axis.label: float(value) for axis, value in zip(plan.axes, column, strict=True)}
        steps = () if plan.step_axis is None else (at.pop(plan.step_axis.label),)
        found.append(GridPoint(at, steps))
    return found


def _value(plan: ComponentPlan, axis: Axis, part: np.ndarray) -> np.ndarray:
    return _whole(plan, axis, axis.placed(part))


def _whole(plan: ComponentPlan, axis: Axis, values: np.ndarray) -> np.ndarray:
    """Return the values, rounded where the parameter is a whole number."""
    train = plan.measured.steps
    if axis is plan.step_axis:
        return np.round(values) if train is not None and train.whole else values
    outside = axis in plan.corners.axes or axis.parameter in (TEMPERATURE, SUPPLY)
    return np.round(values) if not outside and is_whole(plan.nominal, axis.parameter) else values


def _outside(plan: ComponentPlan, place: GridPoint) -> dict[str, float]:
    """Return the coordinates that are no parameters of the block, by what they are."""
    paths = {axis.label: axis.parameter for axis in plan.all_axes}
    return {paths[label]: value for label, value in place.at.items() if paths[label] in (CORNER, SUPPLY, TEMPERATURE)}
