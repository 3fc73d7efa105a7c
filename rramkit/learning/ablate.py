"""Which non-ideality costs the accuracy: each alone, none of them, all of them.

A non-ideality is a setting in which an experiment differs from the same experiment made ideal (`Experiment.ideal`):
parts of the device (`device`), of the reads (`mapping`) and of the writes (`rule`). So each says beside itself what its
off value is, and none is listed here. Its cost is the accuracy without any, less the accuracy with it alone. What makes
a rule that rule (its threshold, its pulses' order) is in every trial, the ideal one too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rramkit.errors import InputError
from rramkit.learning.experiment import Experiment
from rramkit.learning.sweep import Row, put
from rramkit.table import TableFile

NONE, ALL = "none", "all"
_GROUPS = ("device", "mapping", "rule")
_DRAWN = "rule.update.cycles"


@dataclass(frozen=True)
class Cost:
    """One non-ideality's accuracy alone (1), and what it takes off the accuracy without any (1)."""

    name: str
    accuracy: float
    loss: float


def nonidealities(experiment: Experiment, tables: TableFile) -> dict[str, object]:
    """Return the dotted names of an experiment's non-idealities with their values, those that the tables can show."""
    found = {}
    for group in _GROUPS:
        ideal, real = (getattr(one, group).model_dump() for one in (experiment.ideal(), experiment))
        found.update(_differences(ideal, real, group))
    if not any(tables[name].distribution("delta_g") for name in ("set", "reset")):
        found.pop(_DRAWN, None)  # nothing is kept to draw from
    return found


def ablation(experiment: Experiment, tables: TableFile) -> list[tuple[str, Experiment]]:
    """Return labelled experiments: without any non-ideality, with each alone, and as it is.

    Raises
    ------
    InputError
        When the experiment has none.
    """
    found = nonidealities(experiment, tables)
    if not found:
        raise InputError("the experiment has no non-ideality to leave out. Switch on what should be compared.")
    experiment = experiment.model_copy(update={"sweep": {}})
    labelled = [(NONE, experiment.ideal())]
    for name, value in found.items():
        settings = experiment.ideal().model_dump()
        put(settings, name, value)
        labelled.append((name, Experiment.checked(settings, where=f"ablation, {name}")))
    return labelled if len(found) == 1 else [*labelled, (ALL, experiment)]


def costs(rows: Sequence[Row]) -> list[Cost]:
    """Return the cost of each non-ideality, the dearest first."""
    without = next(row.accuracy for row in rows if row.label == NONE)
    found = [Cost(row.label, row.accuracy, without - row.accuracy) for row in rows if row.label != NONE]
    return sorted(found, key=lambda cost: (cost.name == ALL, -cost.loss))


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
