"""Which non-ideality costs the accuracy: each alone, none of them, all of them.

A non-ideality is a setting of the mapping that differs from the ideal mapping's. Its cost is the accuracy without any,
less the accuracy with it alone. What the tables themselves say of the pulses is in every trial, the ideal one too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rramkit.errors import InputError
from rramkit.learning.experiment import Experiment, MappingSettings
from rramkit.learning.sweep import Row, put

NONE, ALL = "none", "all"


@dataclass(frozen=True)
class Cost:
    """One non-ideality's accuracy alone (1), and what it takes off the accuracy without any (1)."""

    name: str
    accuracy: float
    loss: float


def nonidealities(experiment: Experiment) -> dict[str, object]:
    """Return the dotted names under `mapping` that differ from the ideal mapping, with their values."""
    ideal = MappingSettings.ideal().model_dump()
    return _differences(ideal, experiment.mapping.model_dump())


def ablation(experiment: Experiment) -> list[tuple[str, Experiment]]:
    """Return labelled experiments: without any non-ideality, with each alone, and as it is.

    Raises
    ------
    InputError
        When the experiment has none.
    """
    found = nonidealities(experiment)
    if not found:
        raise InputError("the experiment has no non-ideality under `mapping`. Switch on what should be compared.")
    chosen = [(NONE, [])] + [(name, [name]) for name in found] + [(ALL, list(found))]
    if len(found) == 1:
        chosen = [chosen[0], chosen[1]]
    labelled = []
    for label, names in chosen:
        settings = experiment.model_dump(exclude={"sweep", "mapping"})
        settings["mapping"] = MappingSettings.ideal().model_dump()
        for name in names:
            put(settings["mapping"], name, found[name])
        labelled.append((label, Experiment.checked(settings, where=f"ablation, {label}")))
    return labelled


def costs(rows: Sequence[Row]) -> list[Cost]:
    """Return the cost of each non-ideality, the dearest first."""
    without = next(row.accuracy for row in rows if row.label == NONE)
    found = [Cost(row.label, row.accuracy, without - row.accuracy) for row in rows if row.label != NONE]
    return sorted(found, key=lambda cost: (cost.name == ALL, -cost.loss))


def _differences(ideal: Mapping[str, object], real: Mapping[str, object]) -> dict[str, object]:
    """Return what differs: settings of the mapping and stages of its chains, one level down."""
    found: dict[str, object] = {}
    for name, value in real.items():
        other = ideal[name]
        if isinstance(value, dict) and isinstance(other, dict):
            inner = {key: one for key, one in value.items() if one != other.get(key)}
            found.update({f"{name}.{key}": one for key, one in inner.items()})
        elif value != other:
            found[name] = value
    return found
