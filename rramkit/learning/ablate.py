"""Which non-ideality costs the accuracy: each alone, none of them, all of them.

A non-ideality is a setting in which an experiment differs from the same experiment made ideal (`Experiment.ideal`):
parts of the device (`device`), of the reads (`mapping`) and of the writes (`rule`). So each says beside itself what its
off value is, and none is listed here. Its cost is the accuracy without any, less the accuracy with it alone. What makes
a rule that rule (its threshold, its pulses' order) is in every trial, the ideal one too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.experiment import Experiment
from rramkit.learning.sweep import grid, put
from rramkit.table import TableFile
from rramkit.table.schema import RESET, SET

NONE, ALL = "none", "all"
_GROUPS = ("device", "mapping", "rule")
_DRAWN = "rule.update.cycles"


@dataclass(frozen=True)
class Cost:
    """What one non-ideality alone does.

    Attributes
    ----------
    name : str
        Its dotted name, or `all`.
    accuracy, loss : float
        Accuracy with it (1), and what it takes off the accuracy without any (1), means over the seeds.
    error : float
        Standard error of `loss`, seed by seed (1); NaN with one seed.
    """

    name: str
    accuracy: float
    loss: float
    error: float


def nonidealities(experiment: Experiment, tables: TableFile) -> dict[str, object]:
    """Return the dotted names of an experiment's non-idealities with their values, those that the tables can show."""
    found = {}
    for group in _GROUPS:
        ideal, real = (getattr(one, group).model_dump() for one in (experiment.ideal(), experiment))
        found.update(_differences(ideal, real, group))
    if not any(tables[columns.group].distribution(columns.delta_g) for columns in (SET, RESET)):
        found.pop(_DRAWN, None)  # nothing is kept to draw from
    return found


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
    found = nonidealities(experiment, tables)
    if not found:
        raise InputError("the experiment has no non-ideality to leave out. Switch on what should be compared.")
    named = []
    for _, one in grid(experiment):
        named.append((NONE, one.ideal()))
        for name, value in found.items():
            settings = one.ideal().model_dump()
            put(settings, name, value)
            named.append((name, Experiment.checked(settings, where=f"ablation, {name}")))
        named += [(ALL, one)] if len(found) > 1 else []
    return named


def labelled(named: Sequence[tuple[str, Experiment]]) -> list[tuple[str, Experiment]]:
    """Return the experiments with a text each that tells it from all others."""
    several = len({one.seed for _, one in named}) > 1
    return [(f"{name} seed={one.seed}" if several else name, one) for name, one in named]


def costs(names: Sequence[str], accuracies: Sequence[float]) -> list[Cost]:
    """Return the cost of each non-ideality, the dearest first, of trials as `ablation` names them, in its order."""
    of = {name: np.array([a for other, a in zip(names, accuracies, strict=True) if other == name]) for name in names}
    found = []
    for name, accuracy in of.items():
        loss = of[NONE] - accuracy
        error = float(np.std(loss, ddof=1) / np.sqrt(loss.size)) if loss.size > 1 else float("nan")
        found.append(Cost(name, float(accuracy.mean()), float(loss.mean()), error))
    return sorted((cost for cost in found if cost.name != NONE), key=lambda cost: (cost.name == ALL, -cost.loss))


def _differences(ideal: Mapping[str, Any], real: Mapping[str, Any], prefix: str) -> dict[str, object]:
    """Return what differs, by dotted name: settings of a group, and of the chains in it each stage as a whole."""
    found: dict[str, object] = {}
    for key, value in real.items():
        name, other = f"{prefix}.{key}", ideal[key]
        if isinstance(value, dict) and isinstance(other, dict):
            found.update({f"{name}.{stage}": one for stage, one in value.items() if one != other[stage]})
        elif value != other:
            found[name] = value
    return found
