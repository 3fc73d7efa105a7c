"""An exploration: which plans are characterised, which experiments run on their tables, and the point to compare with.

An axis has choices. Each is a value of one name (a list), or several values at once under a label (a group)::

    [plans]
    "crossbar.r_row" = [1.0, 4.0]                     # two table files
    [plans.window]
    "4 to 80 uS" = { "conductance.g_min" = 4e-6, "conductance.g_max" = 80e-6 }
    [experiments]
    "mapping.v_read" = [0.1, 0.2]                     # no new table file

Names under `plans` are circuit parameters or keys of the plan of cell and array (`rramkit.proof.parameters`), those
under `experiments` settings of an experiment. The first choice of each axis is the default, unless `default` says
otherwise.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from rramkit.errors import InputError, meant
from rramkit.learning.experiment import Experiment, put
from rramkit.parameters import Parameters, current_path, quantity

_MOST = 10_000
"""Most points of an exploration (1): more is a slip of an axis."""


@dataclass(frozen=True)
class Axis:
    """One axis of an exploration.

    Attributes
    ----------
    name : str
        Name of a parameter or a setting, or of a group of choices.
    choices : mapping
        What each choice sets, by dotted name, under the text that it is called by.
    of_plan : bool
        Whether choices change what is characterised.
    """

    name: str
    choices: Mapping[str, Mapping[str, object]]
    of_plan: bool


class Exploration(Parameters):
    """Settings of one exploration; `rramkit explore` runs it.

    Examples
    --------
    >>> one = Exploration(tables="tables.h5", experiments={"mapping.rows": [16, 64]})
    >>> [one.text(point) for point in one.combinations()]
    ['mapping.rows=16', 'mapping.rows=64']
    >>> one.default_point
    {'mapping.rows': '16'}
    """

    name: str = Field(default="exploration", description="name of the exploration", pattern=r"^[\w .,()+-]{1,80}$")
    plan: str = quantity("", "1", "plan that `plans` changes: of the kit by name, or a TOML file beside this one")
    tables: str = quantity("", "1", "finished table file, in place of a plan; relative to the exploration's own file")
    way: Literal["program", "train"] = quantity(
        "program", "1", "cells hold weights of a float training (program), or are trained themselves (train)"
    )
    grid: Literal["full", "along"] = quantity(
        "full", "1", "every combination of the choices, or those that differ from the default along one axis"
    )
    chips: int = quantity(1, "1", "chips of other draws that weights are written into, at each point", ge=1, le=1000)
    correct: int = quantity(
        0, "1", "training inputs that set gain and offset of each output on its chip; 0: none", ge=0, le=1_000_000
    )
    experiment: Experiment = Experiment()
    plans: dict[str, Any] = quantity({}, "1", "choices of each axis of the plan")
    experiments: dict[str, Any] = quantity({}, "1", "choices of each axis of the experiment")
    default: dict[str, Any] = quantity(
        {}, "1", "choice of each axis that others are compared with; left out: the first"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.plans and not self.plan:
            raise ValueError("plans needs `plan`, which it changes; got none. Name a plan, or leave `plans` out")
        if self.plan and self.tables:
            raise ValueError("plan and tables exclude each other: tables are characterised, or finished. Leave one out")
        if self.way == "train" and (self.chips > 1 or self.correct):
            raise ValueError('chips and correct are of way = "program": trained cells are of one chip. Leave them out')
        if self.correct == 1:
            raise ValueError("correct must be 0, or at least 2 inputs, for a gain and an offset; got 1")
        misfit = self._misfit(self.experiment)
        if misfit:
            raise ValueError(f"experiment.{misfit}")
        try:
            self._check_axes()
        except InputError as error:
            raise ValueError(str(error)) from error
        return self

    def _misfit(self, experiment: Experiment) -> str:
        """Return what of an experiment, that of all points or of one, cannot be explored; empty: nothing."""
        if experiment.sweep:
            return "sweep is of `rramkit sweep`. Move its values to `experiments`"
        if "tables" in experiment.model_fields_set:
            return "tables is not read here. Set `tables` of the exploration, or `plan`"
        if "spiking" in experiment.model_fields_set:
            return "spiking is not read here: no point is run by spikes. Leave it out"
        if not experiment.data.validation:
            return "data.validation must be above 0: validation inputs choose among the points"
        if experiment.loss.takes_targets:
            return (
                "loss.kind must be one of labels: accuracy is that of classes; got "
                f'"{experiment.loss.kind}". Take "cross_entropy" or "hinge"'
            )
        if self.way == "program" and experiment.rule.kind == "float":
            return "rule.kind must be of a rule that writes cells; got 'float'"
        return ""

    def _check_axes(self) -> None:
        twice = sorted(set(self.plans) & set(self.experiments))
        if twice:
            raise InputError(f"`{twice[0]}` is an axis of `plans` and of `experiments`. Give one another name.")
        if not self.axes:
            raise InputError("there is nothing to explore: give `plans` or `experiments`.")
        names = [axis.name for axis in self.axes]
        for name in self.default:
            if name not in names:
                raise InputError(f"default: {name!r} is none of the axes {', '.join(names)}.{meant(name, names)}")
        for name, label in self.default_point.items():
            axis = next(axis for axis in self.axes if axis.name == name)
            if label not in axis.choices:
                raise InputError(f"default: `{name}` must be one of {', '.join(axis.choices)}; got {label}.")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, those of the plan first."""
        groups = ((True, "plans", self.plans), (False, "experiments", self.experiments))
        return tuple(_axis(key, name, given, of_plan) for of_plan, key, each in groups for name, given in each.items())

    @property
    def default_point(self) -> dict[str, str]:
        """The choice of each axis that others are compared with."""
        first = {axis.name: next(iter(axis.choices)) for axis in self.axes}
        return first | {name: _text(value) for name, value in self.default.items()}

    def combinations(self) -> list[dict[str, str]]:
        """Return the points.

        Returns
        -------
        list of dict
            The choice of each axis, by the axis' name.

        Raises
        ------
        InputError
            When there are more than 10,000.

        Examples
        --------
        >>> axes = {"mapping.rows": [16, 64], "seed": [1, 2]}
        >>> len(Exploration(tables="t.h5", experiments=axes).combinations())
        4
        >>> len(Exploration(tables="t.h5", experiments=axes, grid="along").combinations())
        3
        """
        axes, default = self.axes, self.default_point
        if self.grid == "along":
            beside = [{**default, axis.name: label} for axis in axes for label in axis.choices]
            return [default, *(point for point in beside if point != default)]
        count = 1
        for axis in axes:
            count *= len(axis.choices)
        if count > _MOST:
            raise InputError(
                f'the axes give {count} points; {_MOST} at most. Leave choices out, or set grid = "along".'
            )
        labels = itertools.product(*(axis.choices for axis in axes))
        return [dict(zip(default, each, strict=True)) for each in labels]

    def text(self, point: Mapping[str, str]) -> str:
        """Return a point as one line: `window=4 to 80 uS mapping.rows=64`."""
        return " ".join(f"{name}={label}" for name, label in point.items())

    def plan_text(self, point: Mapping[str, str]) -> str:
        """Return the part of that line that says what is characterised; empty: the plan as it is."""
        return self.text({axis.name: point[axis.name] for axis in self.axes if axis.of_plan})

    def plan_changes(self, point: Mapping[str, str], source: Path | None = None) -> dict[str, object]:
        """Return what a point changes in the plan, by the end of a parameter's path; files are beside `source`."""
        changes = dict(self._changes(point, of_plan=True))
        return changes | ({"plan": _beside(str(changes["plan"]), source)} if "plan" in changes else {})

    def experiment_at(self, point: Mapping[str, str]) -> Experiment:
        """Return the experiment of a point.

        Parameters
        ----------
        point : mapping of str to str
            The choice of each axis, by the axis' name.

        Returns
        -------
        Experiment
            With the values of the choices in place.

        Raises
        ------
        InputError
            When a name is no setting, or a value does not fit, by itself or an exploration.

        Examples
        --------
        >>> one = Exploration(tables="t.h5", experiments={"mapping.rows": [16, 64]})
        >>> one.experiment_at({"mapping.rows": "64"}).mapping.rows
        64
        """
        settings = self.experiment.model_dump(exclude_unset=True)
        for name, value in self._changes(point, of_plan=False):
            put(settings, current_path(Experiment, name), value)
        where = f"explore, {self.text(point)}"
        experiment = Experiment.checked(settings, where=where)
        misfit = self._misfit(experiment)
        if misfit:
            raise InputError(f"{where}: {misfit}.")
        return experiment

    def tables_path(self, source: Path | None) -> Path:
        """Return the path of the finished table file, relative to the exploration's own file `source`."""
        return Path(self.tables) if source is None else source.parent / self.tables

    def plan_name(self, source: Path | None) -> str:
        """Return the plan: a name, or the path of a TOML file, relative to the exploration's own file `source`."""
        return _beside(self.plan, source)

    def _changes(self, point: Mapping[str, str], *, of_plan: bool) -> Iterator[tuple[str, object]]:
        for axis in self.axes:
            if axis.of_plan == of_plan:
                yield from axis.choices[point[axis.name]].items()


def float_experiment(experiment: Experiment) -> Experiment:
    """Return the float training whose weights the cells of an experiment are to hold; the chip has no part in it.

    Parameters
    ----------
    experiment : Experiment
        Settings of a point.

    Returns
    -------
    Experiment
        The same network, data and budget in float, with inputs as they are.

    Examples
    --------
    >>> one, other = Experiment(mapping={"rows": 16}), Experiment(mapping={"rows": 64})
    >>> float_experiment(one).key() == float_experiment(other).key()
    True
    """
    settings = experiment.model_dump(exclude_unset=True, exclude={"mapping", "rule", "chip", "device", "tables"})
    settings["data"] = {**settings.get("data", {}), "fluctuation": 0.0}
    settings |= {"rule": {"kind": "float"}, "chip": {"ideal_periphery": True}, "float_reference": False}
    return Experiment.checked(settings, where="the float training")


def _axis(key: str, name: str, given: object, of_plan: bool) -> Axis:
    """Return an axis of a list of values, or of a group of labelled choices, each a group of values."""
    if isinstance(given, list | tuple) and given:
        labels = [_text(value) for value in given]
        if len(set(labels)) < len(labels):
            raise InputError(f"{key}: `{name}` has a value twice; got {', '.join(labels)}. Remove one.")
        return Axis(name, {label: {name: value} for label, value in zip(labels, given, strict=True)}, of_plan)
    if isinstance(given, Mapping) and given and all(isinstance(each, Mapping) and each for each in given.values()):
        return Axis(name, {label: dict(_flat(each)) for label, each in given.items()}, of_plan)
    raise InputError(
        f"{key}: `{name}` must be a list of values, or a group of labelled choices, each a group of values; got "
        f'{str(given)[:60]}. Write a dotted name in quotes: "mapping.rows" = [16, 64].'
    )


def _beside(plan: str, source: Path | None) -> str:
    """Return a plan's name, or its file's path where that is relative to a file `source`."""
    return str(source.parent / plan) if source is not None and plan.endswith(".toml") else plan


def _flat(values: Mapping[str, Any], group: Sequence[str] = ()) -> Iterator[tuple[str, object]]:
    """Yield dotted name and value of everything in nested groups."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*group, name))
        else:
            yield ".".join((*group, name)), value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
