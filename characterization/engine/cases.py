"""Runs of a component's plan: where each lies, its deck, and its measures, which a worker takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby, product
from typing import Any

import numpy as np

from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE, Axis, latin_hypercube
from rramkit.characterization.engine.component import Component, Values
from rramkit.characterization.engine.corners import NOMINAL, Condition, at_corner, at_temperature
from rramkit.characterization.engine.monte_carlo import DrawNumber, RandomDraw, SpreadKind, spread_of_devices
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Point, PointGroup
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.parameters import Parameters, is_whole_path, number_of_path, replace_path

Coordinates = tuple[tuple[str, float], ...]
"""Dotted paths of parameters with their values."""


@dataclass(frozen=True)
class Case:
    """One run: the component, its parameters before the run's own, and all that moves.

    Attributes
    ----------
    at : tuple of (dotted path, value)
        The parameters that the axes set.
    steps : tuple of float
        What the run steps through; empty: the component's own.
    draw : DrawNumber, optional
        Which Monte Carlo draw; None: equal devices.
    finer : float
        The largest time step is divided by this.
    """

    component: Component
    params: Parameters
    at: Coordinates = ()
    condition: Condition = NOMINAL
    steps: tuple[float, ...] = ()
    draw: DrawNumber | None = None
    spreads: tuple[SpreadKind, ...] = ()
    finer: float = 1.0

    def resolved(self) -> tuple[Any, np.ndarray, RandomDraw]:
        """Return the run's parameters, its steps (N,) and the random draw of its mismatch."""
        component, params = self.component, self.params
        for path, value in self.at:
            params = replace_path(params, path, value)
        params = at_corner(params, self.condition, component.supplies)
        if self.finer != 1 and component.step:
            params = replace_path(params, component.step, number_of_path(params, component.step) / self.finer)
        draw = RandomDraw()
        if self.draw is not None:
            if "device" in self.spreads:
                params = spread_of_devices(params, rng=self.draw.rng)
            if "mismatch" in self.spreads and component.mismatch is not None:
                draw = component.mismatch.draw(params, self.draw.normals(component.mismatch.size(params)))
        steps = np.array(self.steps) if self.steps or component.steps is None else component.steps.default(params)
        return params, steps, draw

    def text(self) -> str:
        """Return the run's deck as text."""
        return at_temperature(self.component.deck(*self.resolved()), self.condition).text()


@dataclass(frozen=True)
class SharedDeck:
    """Cases of a component that stand side by side in one deck: the first one's, at other values of few parameters."""

    case: Case
    each: tuple[Coordinates, ...]

    def resolved(self) -> tuple[list[Any], np.ndarray, RandomDraw]:
        """Return the parameters of each case, the steps (N,) and the random draw that they share."""
        first, steps, draw = self.case.resolved()
        return [replaced(first, at) for at in self.each], steps, draw

    def text(self) -> str:
        """Return the deck of all cases as text."""
        assert self.case.component.side_by_side is not None
        deck: Deck = self.case.component.side_by_side.deck(*self.resolved())
        return at_temperature(deck, self.case.condition).text()


def replaced(params: Parameters, at: Coordinates) -> Parameters:
    """Return the parameters with those at dotted paths replaced."""
    for path, value in at:
        params = replace_path(params, path, value)
    return params


def measured(waves: Waveforms, *, case: Case, signals: tuple[str, ...]) -> np.ndarray:
    """Return the measures of a run one after the other: of its steps (N,) each, of the whole run one number each."""
    params, steps, _ = case.resolved()
    return _row(case.component.measure(waves, params, steps), signals)


def measured_cycles(waves: Waveforms, *, case: Case, signals: tuple[str, ...]) -> np.ndarray:
    """Return, as `measured`, what the noise from cycle to cycle of a run is drawn from."""
    params, steps, _ = case.resolved()
    assert case.component.cycles is not None
    return _row(case.component.cycles.measure(waves, params, steps), signals)


def measured_side_by_side(waves: Waveforms, *, shared: SharedDeck, signals: tuple[str, ...]) -> np.ndarray:
    """Return the measures of each case of a shared deck, (len(shared.each), ...)."""
    params, steps, _ = shared.resolved()
    assert shared.case.component.side_by_side is not None
    return np.stack(
        [_row(values, signals) for values in shared.case.component.side_by_side.measure(waves, params, steps)]
    )


def _row(values: Values, signals: Sequence[str]) -> np.ndarray:
    return np.concatenate([np.atleast_1d(np.asarray(values[name], dtype=float)) for name in signals])


def point(case: Case, signals: Sequence[str], *, label: str = "") -> Point:
    """Return what a runner takes of a case."""
    return Point(case.text, partial(measured, case=case, signals=tuple(signals)), label)


def runs_of(
    cases: Sequence[Case], signals: Sequence[str], labels: Sequence[str]
) -> tuple[list[Point | PointGroup], list[int]]:
    """Return the runs of cases, side by side where the component can, and whose outcome each of theirs is, in order."""
    order = list(range(len(cases)))
    if not cases or cases[0].component.side_by_side is None:
        return [point(case, signals, label=label) for case, label in zip(cases, labels, strict=True)], order
    side = cases[0].component.side_by_side
    keys = [_shared_key(case, side.paths) for case in cases]
    first = {key: k for k, key in reversed(list(enumerate(keys)))}
    order.sort(key=lambda k: (first[keys[k]], k))
    runs: list[Point | PointGroup] = []
    for _, members in groupby(order, key=lambda k: keys[k]):
        same = list(members)
        for chunk in (same[k : k + side.most] for k in range(0, len(same), side.most)):
            runs.append(_group([cases[k] for k in chunk], signals, [labels[k] for k in chunk]))
    return runs, order


def _shared_key(case: Case, paths: tuple[str, ...]) -> tuple[object, ...]:
    """Return what the cases of one deck have in common."""
    at = tuple(each for each in case.at if each[0] not in paths)
    return id(case.params), at, case.condition, case.steps, case.draw, case.spreads, case.finer


def _group(cases: Sequence[Case], signals: Sequence[str], labels: Sequence[str]) -> PointGroup:
    assert cases[0].component.side_by_side is not None
    paths = cases[0].component.side_by_side.paths
    shared = SharedDeck(cases[0], tuple(tuple(each for each in case.at if each[0] in paths) for case in cases))
    alone = tuple(point(case, signals, label=label) for case, label in zip(cases, labels, strict=True))
    return PointGroup(alone, shared.text, partial(measured_side_by_side, shared=shared, signals=tuple(signals)))


@dataclass(frozen=True)
class GridPoint:
    """Coordinates by axis name, those of the run's steps apart; `steps` (N,), empty when no axis steps."""

    at: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[float, ...] = ()


def case_at(plan: ComponentPlan, place: GridPoint, *, draw: DrawNumber | None = None) -> Case:
    """Return the run at a point of the plan; a coordinate that its preparation places stands under its own name."""
    paths = {axis.label: axis.parameter for axis in plan.axes if axis.parameter not in (SUPPLY, TEMPERATURE)}
    return Case(
        plan.component,
        plan.simulated,
        at=tuple((paths[label], value) for label, value in place.at.items() if label in paths),
        condition=plan.corners.condition(_corner_coordinates(plan, place)),
        steps=place.steps,
        draw=draw,
        spreads=plan.monte_carlo.spreads if draw is not None else (),
    )


def halved_step(case: Case) -> Case:
    """Return the case with half its largest time step."""
    return replace(case, finer=2.0)


def places(plan: ComponentPlan) -> list[GridPoint]:
    """Return the plan's own points: of a grid in the order of the table's dimensions, the step axis taken out."""
    if plan.scattered:
        return _scattered(plan, plan.samples, rng=np.random.default_rng([plan.seed, 0]))
    return grid_of(plan, {axis.label: axis.grid for axis in plan.all_axes})


def grid_of(plan: ComponentPlan, grids: Mapping[str, np.ndarray]) -> list[GridPoint]:
    """Return the points of a grid of the plan's axes, in the order of the table's dimensions."""
    step = plan.step_axis
    outer = [axis.label for axis in plan.all_axes if axis is not step]
    steps = () if step is None else tuple(grids[step.label].tolist())
    values = product(*(grids[label].tolist() for label in outer))
    return [GridPoint(dict(zip(outer, each, strict=True)), steps) for each in values]


def fresh_places(plan: ComponentPlan, *, seed: int, runs: int, steps: int) -> list[GridPoint]:
    """Return `runs` points inside the valid range, drawn by `seed`; 0 `steps`: those of the plan, not fresh ones.

    Every process corner has as many of them as any other, or one more or less: few draws would leave a corner out.
    """
    rng = np.random.default_rng([seed, 1])
    if plan.scattered:
        return _scattered(plan, runs, rng=rng)
    places = [_random_place(plan, steps, rng=rng) for _ in range(runs)]
    for axis in plan.corners.axes:
        if axis.parameter == CORNER:
            places = _over_all(axis, places, rng=np.random.default_rng([seed, 2]))
    return places


def _over_all(axis: Axis, places: list[GridPoint], *, rng: np.random.Generator) -> list[GridPoint]:
    """Return the places with the values of an axis shared out evenly among them, in an order drawn by `rng`."""
    shared = rng.permutation(np.resize(rng.permutation(axis.grid), len(places))).tolist()
    return [replace(place, at={**place.at, axis.label: value}) for place, value in zip(places, shared, strict=True)]


def _random_place(plan: ComponentPlan, steps: int, *, rng: np.random.Generator) -> GridPoint:
    step = plan.step_axis
    at = {axis.label: float(_value(plan, axis, rng.random(1))[0]) for axis in plan.all_axes if axis is not step}
    if step is None:
        return GridPoint(at)
    return GridPoint(at, tuple((np.unique(_value(plan, step, rng.random(steps))) if steps else step.grid).tolist()))


def _scattered(plan: ComponentPlan, samples: int, *, rng: np.random.Generator) -> list[GridPoint]:
    """Return the points of a Latin hypercube, each a run of one step."""
    rows = zip(plan.axes, latin_hypercube(plan.axes, samples, rng=rng).T, strict=True)
    columns = np.stack([_whole(plan, axis, row) for axis, row in rows]).T
    points = []
    for column in columns:
        at = {axis.label: float(value) for axis, value in zip(plan.axes, column, strict=True)}
        steps = () if plan.step_axis is None else (at.pop(plan.step_axis.label),)
        points.append(GridPoint(at, steps))
    return points


def _value(plan: ComponentPlan, axis: Axis, part: np.ndarray) -> np.ndarray:
    return _whole(plan, axis, axis.placed(part))


def _whole(plan: ComponentPlan, axis: Axis, values: np.ndarray) -> np.ndarray:
    """Return the values, rounded where the parameter is a whole number."""
    steps = plan.component.steps
    if axis is plan.step_axis:
        return np.round(values) if steps is not None and steps.whole else values
    outside = axis in plan.corners.axes or axis.parameter in (TEMPERATURE, SUPPLY, plan.prepared_axis)
    return np.round(values) if not outside and is_whole_path(plan.nominal, axis.parameter) else values


def _corner_coordinates(plan: ComponentPlan, place: GridPoint) -> dict[str, float]:
    """Return the coordinates along process corner, supply and temperature, by what they are."""
    paths = {axis.label: axis.parameter for axis in plan.all_axes}
    return {paths[label]: value for label, value in place.at.items() if paths[label] in (CORNER, SUPPLY, TEMPERATURE)}
