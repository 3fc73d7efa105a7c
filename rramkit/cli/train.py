"""`rramkit train`: train a network in RRAM from a table file and an experiment."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.chip import ChipOptions, listed, load_tables, on_chip
from rramkit.cli.interrupted import Interrupted
from rramkit.cli.options import ListSettings, ParameterPairs, parameters, say_replaced
from rramkit.cli.progress import training_progress
from rramkit.cli.rows import rows, settings_list
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.learning.experiment import Experiment
    from rramkit.record import Run
    from rramkit.record.outcome import TrainingOutcome
    from rramkit.table import TableFile

ExperimentFile = Annotated[
    Path | None, typer.Argument(help="TOML file of an experiment; left out: the digits.", metavar="EXPERIMENT.toml")
]
TablesOption = Annotated[
    Path | None, typer.Option("--tables", help="Table file, instead of the experiment's own.", metavar="TABLES.h5")
]


@on_chip
def train(
    chip: ChipOptions,
    /,
    experiment: ExperimentFile = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Run file to write.")] = Path("run.h5"),
    tables: TablesOption = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs, instead of the experiment's.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of every random choice.")] = None,
    pairs: ParameterPairs = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Run file to go on from; its settings hold unless said.", metavar="RUN.h5"),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start anew: a checkpoint of an unfinished training is removed.")
    ] = False,
    list_settings: ListSettings = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train a network with every matrix product and every weight in RRAM.

    A float network with the same budget and initial weights is trained beside it. After each epoch a checkpoint is
    written beside the run file: the same command resumes an interrupted training, with the same numbers; `--restart`
    starts anew.
    """
    from rramkit import files, record  # here, not above: the other commands start without them
    from rramkit.learning.checkpoint import path_of
    from rramkit.lock import only_writer

    before = None if start is None else record.load(start)
    pairs = [*(pairs or []), *_pair("epochs", epochs), *_pair("seed", seed)]
    settings = experiment_of(experiment, pairs, chip, before=before)
    if list_settings:
        typer.echo(settings_list(settings))
        return
    path = tables or settings.tables_path(experiment)
    table_file = load_tables(path, settings.chip, quiet=quiet or as_json)
    files.check_writable(output, keep=(path, experiment, start))
    say_replaced(output, quiet=quiet or as_json)
    with only_writer(output):
        if restart:
            path_of(output).unlink(missing_ok=True)
        run = train_with_progress(
            table_file, settings, tables_name=path.name, quiet=quiet or as_json, run_path=output, start=before
        )
        run.save(output)
        path_of(output).unlink(missing_ok=True)
    show_notices(run)
    if as_json:
        typer.echo(strict_json.text({"run": str(output), **run.totals(), "notices": list(run.notices)}))
    elif quiet:
        typer.echo(output)
    else:
        typer.echo(_summary(run))
        typer.echo(listed(run.stages))
        typer.echo(output)


def show_notices(run: "TrainingOutcome") -> None:
    """Print on standard error what a training did not do although it ran, `--quiet` or not."""
    for notice in run.notices:
        typer.echo(f"warning: {notice}", err=True)


def experiment_of(
    path: Path | None, pairs: list[str], chip: ChipOptions, *, before: "Run | None" = None
) -> "Experiment":
    """Return the experiment of a file, of a run, or the digits, with pairs and options of the chip on top.

    `pairs` are `key=value`.
    """
    from rramkit.learning.chip import of_then
    from rramkit.learning.experiment import Experiment

    if path is not None and path.suffix == ".h5":
        kind, option = ("run", "--from") if _is_run(path) else ("table", "--tables")
        raise InputError(f"{path}: is a {kind} file, not an experiment. Give it as `{option} {path}`.")
    base = None if before is None or path is not None else of_then(before.settings)
    if base is not None:
        base = {key: value for key, value in base.items() if key != "pretrain"}  # its weights are there
    experiment = parameters(Experiment, path, pairs, base=base)
    return chip.on_top_of(experiment, experiment.chip)


def _is_run(path: Path) -> bool:
    from rramkit import hdf5

    return hdf5.format_of(path) == "rramkit run"


def _pair(name: str, value: int | None) -> list[str]:
    return [] if value is None else [f"{name}={value}"]


def train_with_progress(
    tables: "TableFile",
    experiment: "Experiment",
    *,
    tables_name: str,
    quiet: bool = False,
    run_path: Path | None = None,
    start: "Run | None" = None,
) -> "Run":
    """Train, with a progress bar on the error stream unless `quiet`; with checkpoints beside `run_path`."""
    import warnings

    from rramkit.errors import TrainingWarning
    from rramkit.learning.train import train as run_training

    with warnings.catch_warnings(), goes_on(run_path), training_progress(quiet=quiet) as show:
        warnings.simplefilter("ignore", TrainingWarning)  # `show_notices` prints them
        return run_training(experiment, tables, tables_name=tables_name, progress=show, run_path=run_path, start=start)


@contextmanager
def goes_on(run_path: Path | None) -> Iterator[None]:
    """Say of a training that is interrupted after an epoch that nothing of it is lost."""
    from rramkit.learning.checkpoint import path_of

    try:
        yield
    except Interrupted as interrupted:
        if run_path is not None and path_of(run_path).exists():
            interrupted.add_note("The same command goes on after the last finished epoch.")
        raise


def _summary(run: "Run") -> str:
    from math import isfinite

    from rramkit import units

    totals = run.totals()
    cells = max(sum(layer.pulses.size for layer in run.layers), 1)
    pulses = totals["pulses_set"] + totals["pulses_reset"]
    images, accuracy, _ = run.epochs.followed
    before, last = units.percent(accuracy[0]), units.percent(accuracy[-1])
    epochs = units.count(totals["epochs"], "epoch")
    shown = (
        ("test accuracy", f"{units.percent(run.accuracy)}, of test images that were read once"),
        *_errors(run),
        (f"{images} accuracy", f"{last} (before training {before})"),
        ("float reference", units.percent(run.float_accuracy) if isfinite(run.float_accuracy) else "not trained"),
        ("data", run.data_name),
        ("cells", units.count(cells)),
        (
            "pulses",
            f"{units.count(totals['pulses_set'])} set, {units.count(totals['pulses_reset'])} reset; "
            f"{pulses / cells:.2f} per cell, initial programming included",
        ),
        (
            "write energy",
            f"{units.text(totals['energy_write'], 'J')}, {units.count(totals['reads'], 'cell')} read for it",
        ),
        ("write time", units.text(totals["time_write"], "s")),
        ("read energy", units.text(totals["energy_read"], "J")),
        ("read time", units.text(totals["time_read"], "s")),
        ("digital memory", _memory(run)),
        *([("by the tables", ", ".join(f"{k} = {v}" for k, v in run.chosen.items()))] if run.chosen else []),
        ("clamped", f"{units.count(totals['clamped'], 'value')} at the edge of the tables' range"),
        ("time", f"{run.train_seconds:.1f} s for {epochs}, both networks"),
    )
    return rows(shown, width=19)


def _errors(run: "Run") -> list[tuple[str, str]]:
    """Return the relative errors of a training on targets, a row for each network."""
    from rramkit import units

    said = []
    for of, name in (("", "relative error"), ("float_", "float error")):
        if f"{of}mean" in run.errors:
            mean, largest = (units.percent(run.errors[f"{of}{which}"]) for which in ("mean", "largest"))
            said.append((name, f"mean {mean}, largest {largest} of the range; accuracy is 1 less the mean"))
    return said


def _memory(run: "Run") -> str:
    if not run.memory:
        return "no number a weight beside the cells"
    return f"{sum(run.memory.values())} numbers a weight: {', '.join(run.memory)}"
