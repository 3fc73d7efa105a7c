"""Ablation: the accuracy that each non-ideality costs.

A non-ideality is a stage that the table file characterises, or a setting in which an experiment differs from its ideal
form (`Experiment.ideal`): parts of the device (`device`), of the reads (`mapping`) and of the writes (`rule`). The off
value of each setting stands beside it and the stages are those of the chip (`Experiment.on`), so there is no list of
them here. What defines a rule (its threshold, the order of its pulses), and the operating point, is in every trial.

    each alone       trainings with none, with each alone and with all; cost of one: accuracy with none, less with it
    leave one out    trainings with all, with all but each, with none; cost of one: accuracy without it, less with all

Where stages make good or worsen each other's errors the two differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.chip import SENSE
from rramkit.learning.experiment import Experiment, grid, put
from rramkit.table import TableFile
from rramkit.table.schema import RESET, SET

NONE, ALL = "none", "all"

SUMMARY = "ablation.json"
"""File of an ablation's results: one in the folder of a sweep leaves the sweep's own file."""

_GROUPS = ("device", "mapping", "rule")
_RANDOM = "rule.update.cycles"


@dataclass(frozen=True)
class Cost:
    """Accuracy cost of one non-ideality.

    Attributes
    ----------
    name : str
        Its name, or `all`.
    accuracy, loss : float
        Accuracy of its trials (1), and what it costs (1), means over the seeds.
    error : float
        Standard error of `loss`, seed by seed (1); NaN with one seed.
    """

    name: str
    accuracy: float
    loss: float
    error: float


def nonidealities(experiment: Experiment, tables: TableFile) -> dict[str, object]:
    """Return an experiment's non-idealities by name, those that the tables can show.

    A setting has its dotted name and its value; a stage of the tables its name, and None.
    """
    settings: dict[str, object] = {}
    for group in _GROUPS:
        ideal, real = (getattr(one, group).model_dump() for one in (experiment.ideal(), experiment))
        settings.update(_differences(ideal, real, group))
    if not any(tables[columns.group].distribution(columns.delta_g) for columns in (SET, RESET)):
        settings.pop(_RANDOM, None)  # the tables have no distribution to draw from
    stages = _stages(experiment, tables)
    typed = {f"{where}.{name}" for name, where in stages.items()}
    return {name: value for name, value in settings.items() if name not in typed} | dict.fromkeys(stages)


def ablation(experiment: Experiment, tables: TableFile, *, leave_one_out: bool = False) -> list[tuple[str, Experiment]]:
    """Return named experiments: without any non-ideality, with each, and as it is; each with every seed.

    `with each` is with it alone, or with all but it. Seeds are those of the experiment's `sweep`, or its own.

    Raises
    ------
    InputError
        When the experiment has no non-ideality, or sweeps anything else.
    """
    more = set(experiment.sweep) - {"seed"}
    if more:
        raise InputError(
            f"`sweep` of an ablation must be of `seed` alone; it has {', '.join(sorted(more))}. Remove it."
        )
    if experiment.mapping.layers:
        raise InputError(
            "`mapping.layers` must be left out of an ablation, which switches each stage for all layers; it has "
            f"{', '.join(experiment.mapping.layers)}. Remove it."
        )
    found, stages = nonidealities(experiment, tables), _stages(experiment, tables)
    if leave_one_out and len(found) == 1:
        raise InputError(f"`leave_one_out` must have several non-idealities; there is {next(iter(found))} alone.")
    if not found:
        raise InputError("the experiment has no non-ideality to leave out. Switch on what should be compared.")
    one_trial = _without if leave_one_out else _alone
    named = []
    for _, one in grid(experiment):
        named.append((NONE, _ideal(one, list(stages))))
        named += [(name, one_trial(one, name, stages)) for name in found]
        named += [(ALL, one)] if len(found) > 1 else []
    return named


def _stages(experiment: Experiment, tables: TableFile) -> dict[str, str]:
    """Return the stages that the tables give, cells and wires apart, with the group of settings that types them."""
    chip = experiment.on(experiment.chip.tables(tables))
    records = {"mapping.read": chip.chain.origins(), "rule.update": chip.update.origins(), "rule.verify": (SENSE,)}
    on = {each.stage for each in chip.sources if each.from_table}
    return {name: where for where, names in records.items() for name in names if name in on}


def _ideal(experiment: Experiment, off: Sequence[str]) -> Experiment:
    """Return the ideal experiment with stages off by name: those of the cells' own tables, such as their scatter."""
    ideal = experiment.ideal()
    return ideal.model_copy(update={"chip": ideal.chip.model_copy(update={"off": tuple(off)})})


def _alone(experiment: Experiment, name: str, stages: Mapping[str, str]) -> Experiment:
    """Return the ideal experiment with one non-ideality."""
    others = [other for other in stages if other != name]
    settings, real = _ideal(experiment, others).model_dump(), experiment.model_dump()
    typed = f"{stages[name]}.{name}" if name in stages else name
    put(settings, typed, _taken(real, typed))
    if name in stages:
        settings["chip"] = {**settings["chip"], "ideal_periphery": False, "off": [*experiment.chip.off, *others]}
    return Experiment.checked(settings, where=f"ablation, {name} alone")


def _without(experiment: Experiment, name: str, stages: Mapping[str, str]) -> Experiment:
    """Return the experiment without one non-ideality."""
    settings, ideal = experiment.model_dump(), _ideal(experiment, list(stages)).model_dump()
    typed = f"{stages[name]}.{name}" if name in stages else name
    put(settings, typed, _taken(ideal, typed))
    if name in stages:
        settings["chip"] = {**settings["chip"], "off": [*experiment.chip.off, name]}
    return Experiment.checked(settings, where=f"ablation, without {name}")


def _taken(settings: Mapping[str, Any], name: str) -> object:
    """Return the value at a dotted name of nested settings."""
    value: Any = settings
    for part in name.split("."):
        value = value[part]
    return value


def labelled(named: Sequence[tuple[str, Experiment]]) -> list[tuple[str, Experiment]]:
    """Return the experiments with a text each that distinguishes it from all others."""
    several = len({one.seed for _, one in named}) > 1
    return [(f"{name} seed={one.seed}" if several else name, one) for name, one in named]


def costs(names: Sequence[str], accuracies: Sequence[float], *, leave_one_out: bool = False) -> list[Cost]:
    """Return the cost of each non-ideality, the largest first, of trials as `ablation` names them, in its order.

    Where each was left out, `all` stands for the trials with all of them left out.
    """
    of = {name: np.array([a for other, a in zip(names, accuracies, strict=True) if other == name]) for name in names}
    reference, sign = of.pop(ALL if leave_one_out else NONE), -1.0 if leave_one_out else 1.0
    ranked = []
    for name, accuracy in of.items():
        loss = sign * (reference - accuracy)
        error = float(np.std(loss, ddof=1) / np.sqrt(loss.size)) if loss.size > 1 else float("nan")
        ranked.append(Cost(ALL if name == NONE else name, float(accuracy.mean()), float(loss.mean()), error))
    return sorted(ranked, key=lambda cost: (cost.name == ALL, -cost.loss))


def _differences(ideal: Mapping[str, Any], real: Mapping[str, Any], prefix: str) -> dict[str, object]:
    """Return what differs, by dotted name: settings of a group, and in the chains of it each stage as a whole."""
    differences: dict[str, object] = {}
    for key, value in real.items():
        name, other = f"{prefix}.{key}", ideal[key]
        if isinstance(value, dict) and isinstance(other, dict):
            differences.update({f"{name}.{stage}": one for stage, one in value.items() if one != other[stage]})
        elif value != other:
            differences[name] = value
    return differences
