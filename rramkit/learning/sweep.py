"""Sweeps: every combination of the values under `sweep` in an experiment, each with a run file in one folder."""

import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rramkit import record, table
from rramkit.errors import InputError, TableError, TrainingWarning
from rramkit.files import check_writable, whole_file
from rramkit.learning.checkpoint import path_of
from rramkit.learning.data import DataSettings
from rramkit.learning.data.own import digest_of, npz_arrays
from rramkit.learning.experiment import Experiment
from rramkit.learning.train import train
from rramkit.lock import only_writer
from rramkit.processes import Executor, Processes  # noqa: F401  (Processes: of the example)
from rramkit.table import TableFile

SUMMARY = "summary.json"
"""File of a sweep's results, in the folder of its runs; an ablation's has another name (`ablate.SUMMARY`)."""

_LONGEST = 120  # characters of a label in a file's name; a file system takes 255 bytes


@dataclass(frozen=True)
class Trial:
    """One experiment of a sweep.

    Attributes
    ----------
    label : str
        Short text that distinguishes it from the others.
    experiment : Experiment
        The settings.
    tables, run : Path
        Table file to read and run file to write.
    """

    label: str
    experiment: Experiment
    tables: Path
    run: Path


@dataclass(frozen=True)
class TrialResult:
    """Result of one trial: accuracies (1), pulses after the initial programming, energies (J), time (s), faults.

    `accuracy_validation` (None without validation inputs) ranks trials; `accuracy` is of the test inputs.
    """

    label: str
    run: str
    accuracy_validation: float | None
    accuracy: float
    float_accuracy: float | None
    pulses: int
    energy: float
    clamped: int
    seconds: float
    notices: tuple[str, ...] = ()


def trials(labelled: Sequence[tuple[str, Experiment]], tables: Path, folder: Path) -> list[Trial]:
    """Return a trial for each labelled experiment; a run file is called by its text and its experiment's hash.

    Parameters
    ----------
    labelled : sequence of (str, Experiment)
        As `grid` gives them.
    tables : Path
        Table file of all.
    folder : Path
        Where the run files go.

    Returns
    -------
    list of Trial
        One for each.

    Raises
    ------
    InputError
        When two experiments are the same.

    Examples
    --------
    >>> from rramkit.learning import Experiment
    >>> from rramkit.learning.experiment import grid
    >>> jobs = trials(grid(Experiment(sweep={"seed": [1, 2]})), Path("tables.h5"), Path("runs"))
    >>> [job.label for job in jobs]
    ['seed=1', 'seed=2']
    >>> jobs[0].run.name.startswith("seed=1-")
    True
    """
    jobs = [Trial(label, one, tables, folder / f"{file_name(label)}-{one.key()}.h5") for label, one in labelled]
    if len({job.experiment.key() for job in jobs}) < len(jobs):
        raise InputError("`sweep`: two combinations are the same experiment. Remove the repeated value.")
    return jobs


def file_name(label: str) -> str:
    """Return a label as the readable part of a file's name: in every shell and file system one plain word.

    Parameters
    ----------
    label : str
        Any text.

    Returns
    -------
    str
        ASCII letters, digits and `_.+=-`, at most 120 of them; empty where the label has none.

    Examples
    --------
    >>> file_name("rule.threshold=0.1 seed=2")
    'rule.threshold=0.1_seed=2'
    """
    return re.sub(r"[^\w.=+-]+", "_", re.sub(r"[\[\](){}'\"]", "", label), flags=re.ASCII).strip("_.-")[:_LONGEST]


def run_trial(trial: Trial) -> TrialResult:
    """Train one trial, resume it from its checkpoint, or read its run file where it is finished already."""
    tables = table.load(trial.tables)
    run = _finished(trial, tables)
    if run is None:
        with only_writer(trial.run), warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # the result has them
            run = train(trial.experiment, tables, tables_name=trial.tables.name, run_path=trial.run)
            run.save(trial.run)
            path_of(trial.run).unlink(missing_ok=True)
    epochs = run.epochs
    return TrialResult(
        label=trial.label,
        run=trial.run.name,
        accuracy_validation=_or_none(float(epochs.accuracy_validation[-1])),
        accuracy=run.accuracy,
        float_accuracy=_or_none(run.float_accuracy),
        pulses=int(epochs.pulses_set[1:].sum() + epochs.pulses_reset[1:].sum()),
        energy=float(epochs.energy_write.sum() + epochs.energy_read.sum()),
        clamped=int(epochs.clamped.sum()),
        seconds=run.train_seconds,
        notices=run.notices,
    )


def sweep(
    jobs: Sequence[Trial],
    executor: Executor,
    *,
    progress: Callable[[TrialResult], None] | None = None,
    summary: str = SUMMARY,
) -> list[TrialResult]:
    """Run trials on an executor; return their results in order, and write them into the folder's summary.

    Parameters
    ----------
    jobs : sequence of Trial
        Of one folder, as `trials` makes them.
    executor : Executor
        `Processes` of this machine, or a `DaskCluster`.
    progress : callable, optional
        Called with each `TrialResult` as it comes.
    summary : str
        Name of the file in the folder that holds the results.

    Returns
    -------
    list of TrialResult
        In the order of the trials; the file `summary` in the folder holds the same.

    Raises
    ------
    InputError, TableError
        Of a training.
    SetupError
        When a process is killed or no scheduler answers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from rramkit.learning.experiment import Experiment, grid
    >>> experiment = Experiment(sweep={"seed": [1, 2], "rule.threshold": [0.05, 0.1]})
    >>> [label for label, _ in grid(experiment)][:2]
    ['seed=1 rule.threshold=0.05', 'seed=1 rule.threshold=0.1']
    >>> jobs = trials(grid(experiment), Path("tables.h5"), Path("sweep"))
    >>> results = sweep(jobs, Processes(2))  # doctest: +SKIP
    """
    check_writable(jobs[0].run)
    results: dict[int, TrialResult] = {}
    for index, result in executor.run(run_trial, jobs):
        results[index] = result
        if progress is not None:
            progress(result)
    ordered = [results[index] for index in sorted(results)]
    with whole_file(jobs[0].run.with_name(summary)) as draft:
        draft.write_text(json.dumps([asdict(result) for result in ordered], indent=1) + "\n", encoding="utf-8")
    return ordered


def ranked(rows: Sequence[TrialResult]) -> list[TrialResult]:
    """Return results by falling validation accuracy, equal ones in their order; as they are where one has none.

    Parameters
    ----------
    rows : sequence of TrialResult
        Of a sweep.

    Returns
    -------
    list of TrialResult
        The best first. The test accuracy has no part in it: what is chosen by it would be reported too high.

    Examples
    --------
    >>> rows = [TrialResult(str(a), "", a, 0.9, None, 0, 0.0, 0, 0.0) for a in (0.8, 0.9)]
    >>> [row.label for row in ranked(rows)]
    ['0.9', '0.8']
    """
    if any(row.accuracy_validation is None for row in rows):
        return list(rows)
    return sorted(rows, key=lambda row: -(row.accuracy_validation or 0.0))


def _or_none(number: float) -> float | None:
    return number if number == number else None


def _finished(trial: Trial, tables: TableFile) -> record.Run | None:
    """Return the run file's run where it has this experiment and these tables, and the kit's own format."""
    if not trial.run.exists():
        return None
    try:
        run = record.load(trial.run)
    except TableError:
        return None  # of an older format: trained again
    same_settings = run.settings == json.loads(trial.experiment.as_json())
    taken = trial.experiment.chip.tables(tables).read
    same_tables = dict(run.tables_provenance) == dict(taken.provenance)
    same_data = run.data_digest == data_digest(trial.experiment.data)
    return run if same_settings and same_tables and same_data else None


def data_digest(settings: DataSettings) -> str:
    """Return the hash of what a user's own file of data holds now; empty where the data are of no such file.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    return digest_of(npz_arrays(Path(settings.file).expanduser())) if settings.name == "npz" else ""
