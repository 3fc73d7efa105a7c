"""A grid of experiments: every combination of the values under `sweep`, each a run file of its own in one folder."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rramkit import record, table
from rramkit.errors import InputError, TableError
from rramkit.files import check_writable, whole_file
from rramkit.learning.checkpoint import path_of
from rramkit.learning.experiment import Experiment
from rramkit.learning.processes import Executor
from rramkit.learning.train import train
from rramkit.lock import only_writer

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Trial:
    """One experiment of a grid: a short text that tells it from the others, and where its files are."""

    label: str
    experiment: Experiment
    tables: Path
    run: Path


@dataclass(frozen=True)
class TrialResult:
    """What came out of one trial: accuracies (1), pulses after the initial programming, energies (J), time (s)."""

    label: str
    run: str
    accuracy: float
    float_accuracy: float | None
    pulses: int
    energy: float
    clamped: int
    seconds: float


def grid(experiment: Experiment) -> list[tuple[str, Experiment]]:
    """Return every combination of the sweep's values, with a text such as `rule.threshold=0.1 seed=2`.

    Raises
    ------
    InputError
        When a name is no setting or a value does not fit.
    """
    names, found = list(experiment.sweep), []
    for values in itertools.product(*experiment.sweep.values()):
        changed = experiment.model_dump(exclude_unset=True, exclude={"sweep"})
        for name, value in zip(names, values, strict=True):
            put(changed, name, value)
        label = " ".join(f"{name}={_shown(value)}" for name, value in zip(names, values, strict=True))
        found.append((label or "as it is", Experiment.checked(changed, where=f"sweep, {label}")))
    return found


def put(settings: dict[str, Any], name: str, value: object) -> None:
    """Put a value at a dotted name into nested settings; raise `InputError` where that is no group."""
    *path, last = name.split(".")
    for part in path:
        settings = settings.setdefault(part, {})
        if not isinstance(settings, dict):
            raise InputError(f"`sweep`: `{part}` in `{name}` is a value, not a group. Remove what follows the dot.")
    settings[last] = value


def trials(labelled: Sequence[tuple[str, Experiment]], tables: Path, folder: Path) -> list[Trial]:
    """Return a trial for each labelled experiment; a run file is named after its experiment, so none meets another."""
    found = [Trial(label, one, tables, folder / f"{one.key()}.h5") for label, one in labelled]
    if len({trial.run for trial in found}) < len(found):
        raise InputError("`sweep`: two combinations are the same experiment. Remove the value that is there twice.")
    return found


def run_trial(trial: Trial) -> TrialResult:
    """Train one trial, or take up where it was, or read its run file where it is finished already."""
    found = _finished(trial)
    if found is None:
        with only_writer(trial.run):
            tables = table.load(trial.tables)
            found = train(trial.experiment, tables, tables_name=trial.tables.name, run_path=trial.run)
            record.save(found, trial.run)
            path_of(trial.run).unlink(missing_ok=True)
    epochs = found.epochs
    return TrialResult(
        label=trial.label,
        run=trial.run.name,
        accuracy=found.accuracy,
        float_accuracy=found.float_accuracy if found.float_accuracy == found.float_accuracy else None,
        pulses=int(epochs.pulses_set[1:].sum() + epochs.pulses_reset[1:].sum()),
        energy=float(epochs.energy_write.sum() + epochs.energy_read.sum()),
        clamped=int(epochs.clamped.sum()),
        seconds=found.train_seconds,
    )


def sweep(
    chosen: Sequence[Trial], executor: Executor, *, progress: Callable[[TrialResult], None] | None = None
) -> list[TrialResult]:
    """Run trials on an executor; return their rows in order, and write them into the folder's summary."""
    check_writable(chosen[0].run)
    rows: dict[int, TrialResult] = {}
    for index, row in executor.run(run_trial, chosen):
        rows[index] = row
        if progress is not None:
            progress(row)
    ordered = [rows[index] for index in sorted(rows)]
    with whole_file(chosen[0].run.with_name(SUMMARY)) as draft:
        draft.write_text(json.dumps([asdict(row) for row in ordered], indent=1) + "\n", encoding="utf-8")
    return ordered


def _finished(trial: Trial) -> record.Run | None:
    if not trial.run.exists():
        return None
    try:
        found = record.load(trial.run)
    except TableError:
        return None  # of an older format: trained again
    same = found.settings == json.loads(trial.experiment.as_json())
    made = dict(found.tables_provenance) == dict(table.load(trial.tables).provenance)
    return found if same and made else None


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
