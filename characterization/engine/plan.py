"""The plan of one component, as data: component, parameters, axes, corners, Monte Carlo, measures, fit, limits.

A plan is a TOML file in SI units (`plans/` holds those of the kit); what it leaves out is filled in when it is read, so
that the copy in the table file is complete.
"""

from collections.abc import Mapping
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, InstanceOf, PlainSerializer, ValidationInfo, field_validator, model_validator

from rramkit.characterization.engine.axes import SUPPLY, TEMPERATURE, Axis
from rramkit.characterization.engine.component import Component, Signal
from rramkit.characterization.engine.corners import Corners
from rramkit.characterization.engine.monte_carlo import MonteCarlo
from rramkit.circuits.device import in_plan
from rramkit.errors import InputError
from rramkit.parameters import Parameters, number_of_path, quantity, unit_of_path

NAME = r"^[a-z][a-z0-9_]{0,39}$"
SUMMARY = "_summary"
SAMPLE = "sample"
Waiver = Annotated[str, Field(pattern=r"^[ -~]{1,200}$")]  # it stands in a comment of a deck
_OF_CORNERS = {TEMPERATURE: "K", SUPPLY: "1"}


class Interpolation(Parameters):
    """How a measure is interpolated between the points of the plan."""

    log: bool = quantity(False, "1", "its logarithm is interpolated: where physics is exponential")


class Limit(Parameters):
    """Limits of one measure, in its unit: of its values, and of the fit's error at points that it never saw."""

    min: float | None = quantity(None, "SI", "lowest value that passes, at every point of the plan")
    typ: float | None = quantity(None, "SI", "typical value, printed and not enforced")
    max: float | None = quantity(None, "SI", "highest value that passes")
    of: Literal["full scale", "value", "unit"] = quantity(
        "full scale", "1", "what held-out errors are a fraction of: largest value, the value itself, or one unit"
    )
    held_out_rms: float | None = quantity(None, "1", "largest held-out error, rms", gt=0)
    held_out_p95: float | None = quantity(None, "1", "largest held-out error, 95th percentile", gt=0)
    held_out_max: float | None = quantity(None, "1", "largest held-out error of all", gt=0)
    sigma_rms: float | None = quantity(
        None, "1", "Monte Carlo: largest relative error of sigma against independent draws, rms over places", gt=0
    )
    sigma_max: float | None = quantity(None, "1", "the same, at any place", gt=0)
    step_error: float | None = quantity(
        None, "1", "largest change when the time step is halved, over full scale, instead of the plan's", gt=0
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` must not be above `max`; got {self.min:g} and {self.max:g}")
        if (self.held_out_rms is None) != (self.held_out_max is None) or (self.held_out_p95 and not self.held_out_rms):
            raise ValueError("`held_out_rms` and `held_out_max` go together")
        if (self.sigma_rms is None) != (self.sigma_max is None):
            raise ValueError("`sigma_rms` and `sigma_max` go together")
        return self

    @property
    def checks_fit(self) -> bool:
        """Return whether fresh points are held against the fit."""
        return self.held_out_rms is not None


class HeldOutPlan(Parameters):
    """Points that the fit never sees, drawn by seed inside the valid range."""

    runs: int = quantity(
        6, "1", "points, each with its own run; of a Monte Carlo plan with all its draws", ge=1, le=10000
    )
    steps: int = quantity(6, "1", "steps of each run", ge=1, le=10000)
    draws: int = quantity(0, "1", "Monte Carlo: independent draws at each point; 0: as many as the plan's", ge=0)
    where: dict[str, float] = quantity(
        {}, "SI", "measure of a step and its highest value that counts: beyond it the table is not used, nor compared"
    )


class ComponentPlan(Parameters):
    """The characterisation of one component, whole."""

    name: str = Field(description="the table's group", pattern=NAME)
    description: str = quantity("", "1", "what is characterised")
    component: Annotated[InstanceOf[Component], PlainSerializer(lambda each: each.name, return_type=str)] = Field(
        description="a component, in a file by its name"
    )
    seed: int = quantity(2026, "1", "seed of held-out points and of scattered ones", ge=0)
    parameters: dict[str, Any] = Field(
        default={}, validate_default=True, description="the component's parameters; those left out keep their defaults"
    )
    axes: tuple[Axis, ...] = quantity((), "1", "what moves, in the order of the table's dimensions")
    samples: int = quantity(0, "1", "scattered points, when the axes are latin", ge=0, le=100000)
    corners: Corners = Corners()
    monte_carlo: MonteCarlo = MonteCarlo()
    measures: tuple[str, ...] = quantity((), "1", "what is measured; empty: all of the component, axes apart")
    fit: dict[str, Interpolation] = quantity({}, "1", "how a measure is interpolated, by name")
    limits: dict[str, Limit] = quantity({}, "1", "limits of a measure, by name")
    held_out: HeldOutPlan = HeldOutPlan()
    step_runs: int = quantity(2, "1", "runs repeated with half the time step", ge=0, le=1000)
    max_step_error: float = quantity(
        2e-3, "1", "largest change of a measure, over its full scale, when the time step is halved", gt=0, le=1
    )
    max_failed: float = quantity(0.01, "1", "part of the runs that may fail", ge=0, le=1)
    after: tuple[str, ...] = quantity((), "1", "plans of the same file whose tables this one's fit takes")
    waive: tuple[Waiver, ...] = quantity((), "1", "parts of ngspice's warnings that are accepted")

    @field_validator("parameters")
    @classmethod
    def _filled(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "component" not in info.data:
            return given
        try:
            return info.data["component"].parameters.checked(given, where="parameters").model_dump(mode="json")
        except InputError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _fits(self) -> Self:
        measures = {**self.component.signals, **self.component.summary}
        for group, names in (("measures", self.measures), ("fit", self.fit), ("limits", self.limits)):
            strange = [name for name in names if name not in (measures if group == "measures" else self.signals)]
            if strange:
                raise ValueError(f"{group}: {strange[0]!r} is none of {', '.join(measures)}, or is not measured here")
        labels = [axis.label for axis in self.all_axes]
        if len(set(labels)) < len(labels):
            raise ValueError(f"two axes have one name: {', '.join(labels)}. Give `name` to one")
        try:
            for axis in self.axes:
                self.unit_of(axis)
        except InputError as error:
            raise ValueError(str(error)) from error
        unchecked = [name for name in self.held_out.where if not self.limit(name).checks_fit]
        if unchecked:
            raise ValueError(f"held_out.where: {unchecked[0]!r} needs `held_out_rms` and `held_out_max` in its limits")
        self._check_kinds()
        return self

    def _check_kinds(self) -> None:
        scattered = [axis.kind == "latin" for axis in self.axes]
        if any(scattered) and not (all(scattered) and self.samples > len(self.axes) and not self.corners.axes):
            raise ValueError(
                "latin axes stand alone: every axis latin, `samples` more than axes, and no list of corners"
            )
        if self.samples and not any(scattered):
            raise ValueError("`samples` counts scattered points: make the axes latin, or leave it out")
        if self.component.fitted is not None and (self.axes or self.monte_carlo.count):
            raise ValueError(f"the table of {self.component.name} is a fit: it takes no axes but corners, and no draws")
        if self.signals_of_steps and self.step_axis is None:
            name = self.component.steps.name if self.component.steps else ""
            raise ValueError(f"an axis must have the parameter {name!r}: its run steps through it")
        self._check_draws()

    def _check_draws(self) -> None:
        draws = self.monte_carlo
        if draws.count == 1 or (draws.count and self.scattered):
            raise ValueError("monte_carlo needs 2 or more draws, and axes that are not latin")
        if draws.count and "mismatch" in draws.spreads and self.component.mismatch is None:
            raise ValueError(f"the component {self.component.name} takes no mismatch: leave it out of `spreads`")
        if not draws.count:
            return
        if "cycles" in draws.spreads:
            if self.component.cycles is None or not draws.grid:
                raise ValueError("`spreads` has cycles, which need `grid` and a component with noise of each pulse")
            try:
                self.component.cycles.check(self.nominal)
            except InputError as error:
                raise ValueError(str(error)) from error
        strange = [name for name in draws.grid if name not in [axis.label for axis in self.axes]]
        if strange or (draws.grid and self.step_axis is not None):
            raise ValueError(f"monte_carlo.grid names axes that take one value a run; got {', '.join(draws.grid)}")

    @cached_property
    def nominal(self) -> Parameters:
        """Return the component's parameters, before axes and corners."""
        return self.component.parameters.checked(self.parameters, where="parameters")

    @cached_property
    def simulated(self) -> Parameters:
        """Return `nominal` as decks have it: with cells compiled where they can be."""
        return in_plan(self.nominal)

    @property
    def constants(self) -> dict[str, tuple[float, str]]:
        """Return the component's own conditions in numbers: name to value and unit."""
        values = {
            name: (attrgetter(path)(self.nominal), unit) for name, (path, unit) in self.component.constants.items()
        }
        return {name: (float(value), unit) for name, (value, unit) in values.items() if value is not None}

    @property
    def signals(self) -> Mapping[str, Signal]:
        """Return the measures of this plan with their units; where it names none, all but those that are an axis."""
        measures = {**self.component.signals, **self.component.summary}
        every = measures if self.step_axis is not None else self.component.summary
        axes = {axis.label for axis in self.all_axes}
        return {name: measures[name] for name in self.measures or every if self.measures or name not in axes}

    @property
    def signals_of_steps(self) -> tuple[str, ...]:
        """Return the measures that every step gives."""
        return tuple(name for name in self.signals if name in self.component.signals)

    @property
    def signals_of_runs(self) -> tuple[str, ...]:
        """Return the measures that a run gives as a whole."""
        return tuple(name for name in self.signals if name in self.component.summary)

    @property
    def step_axis(self) -> Axis | None:
        """Return the axis that a run steps through by itself."""
        steps = self.component.steps
        return next((axis for axis in self.axes if steps is not None and axis.parameter == steps.name), None)

    @property
    def prepared_axis(self) -> str:
        """Return the parameter of the axis whose coordinates the preparation places; empty: no axis is such."""
        name = self.component.preparation.coordinate if self.component.preparation is not None else ""
        return name if any(axis.parameter == name for axis in self.axes) else ""

    @property
    def all_axes(self) -> tuple[Axis, ...]:
        """Return the plan's axes and those of its corners."""
        return (*self.axes, *self.corners.axes)

    @property
    def scattered(self) -> bool:
        """Return whether the points are those of a Latin hypercube."""
        return bool(self.axes) and self.axes[0].kind == "latin"

    def unit_of(self, axis: Axis) -> str:
        """Return an axis' unit; raise `InputError` when it names no number of the component."""
        steps, preparation = self.component.steps, self.component.preparation
        if steps is not None and axis.parameter == steps.name:
            return steps.unit
        if preparation is not None and axis.parameter == preparation.coordinate:
            return preparation.unit
        if axis in self.corners.axes or axis.parameter in _OF_CORNERS:
            return _OF_CORNERS.get(axis.parameter, "1")
        number_of_path(self.nominal, axis.parameter)
        return unit_of_path(self.nominal, axis.parameter)

    def limit(self, signal: str) -> Limit:
        """Return a measure's limits; none of them when the plan gives none."""
        return self.limits.get(signal, Limit())
