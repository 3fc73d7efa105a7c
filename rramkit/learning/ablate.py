"""Ablation: the accuracy that each non-ideality costs; trainings with each alone, with none and with all.

A non-ideality is a setting in which an experiment differs from its ideal form (`Experiment.ideal`): parts of the device
(`device`), of the reads (`mapping`) and of the writes (`rule`). The off value of each stands beside the setting, so
there is no list of them here. The cost of one is the accuracy without any, less the accuracy with it alone. What
defines a rule (its threshold, the order of its pulses) is in every trial, the ideal one too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.experiment import Experiment, grid, put
from rramkit.table import TableFile
from rramkit.table.schema import RESET, SET

NONE, ALL = "none", "all"
_GROUPS = ("device", "mapping", "rule")
_RANDOM = "rule.update.cycles"


@dataclass(frozen=True)
class Cost:
    """Accuracy cost of one non-ideality alone.

    Attributes
    ----------
    name : str
        Its dotted name, or `all`.
    accuracy, loss : float
        Accuracy with it (1), and the accuracy without any less that (1), means over the seeds.
    error : float
        Standard error of `loss`, seed by seed (1); NaN with one seed.
    """

    name: str
    accuracy: float
    loss: float
    error: float


def nonidealities(experiment: Experiment, tables: TableFile) -> dict[str, object]:
    """Return the dotted names of an experiment's non-idealities with their values, those that the tables can show."""
    settings: dict[str, object] = {}
    for group in _GROUPS:
        ideal, real = (getattr(one, group).model_dump() for one in (experiment.ideal(), experiment))
        settings.update(_differences(ideal, real, group))
    if not any(tables[columns.group].distribution(columns.delta_g) for columns in (SET, RESET)):
        settings.pop(_RANDOM, None)  # the tables have no distribution to draw from
    return settings


def ablation(experiment: Experiment, tables: TableFile) -> list[tuple[str, Experiment]]:
    """Return named experiments: without any non-ideality, with each alone, and as it is; each with every seed.

    Seeds are those of the experiment's `sweep`, or its own.

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
    settings_on = nonidealities(experiment, tables)
    if not settings_on:
        raise InputError("the experiment has no non-ideality to leave out. Switch on what should be compared.")
    named = []
    for _, one in grid(experiment):
        named.append((NONE, one.ideal()))
        for name, value in settings_on.items():
            settings = one.ideal().model_dump()
            put(settings, name, value)
            named.append((name, Experiment.checked(settings, where=f"ablation, {name}")))
        named += [(ALL, one)] if len(settings_on) > 1 else []
    return named


def labelled(named: Sequence[tuple[str, Experiment]]) -> list[tuple[str, Experiment]]:
    """Return the experiments with a text each that distinguishes it from all others."""
    several = len({one.seed for _, one in named}) > 1
    return [(f"{name} seed={one.seed}" if several else name, one) for name, one in named]


def costs(names: Sequence[str], accuracies: Sequence[float]) -> list[Cost]:
    """Return the cost of each non-ideality, the largest first, of trials as `ablation` names them, in its order."""
    of = {name: np.array([a for other, a in zip(names, accuracies, strict=True) if other == name]) for name in names}
    ranked = []
    for name, accuracy in of.items():
        loss = of[NONE] - accuracy
        error = float(np.std(loss, ddof=1) / np.sqrt(loss.size)) if loss.size > 1 else float("nan")
        ranked.append(Cost(name, float(accuracy.mean()), float(loss.mean()), error))
    return sorted((cost for cost in ranked if cost.name != NONE), key=lambda cost: (cost.name == ALL, -cost.loss))


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
