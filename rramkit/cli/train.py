"""`rramkit train`: a network in RRAM, from a table file and an experiment."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli.options import ParameterPairs, parameters
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.learning import EpochReport, Experiment
    from rramkit.record import Run
    from rramkit.table import TableFile

ExperimentFile = Annotated[
    Path | None, typer.Argument(help="TOML file of an experiment; left out: the digits.", metavar="EXPERIMENT.toml")
]
TablesOption = Annotated[
    Path | None, typer.Option("--tables", help="Table file, instead of the experiment's own.", metavar="TABLES.h5")
]


def train(
    experiment: ExperimentFile = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Run file to write.")] = Path("run.h5"),
    tables: TablesOption = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs, instead of the experiment's.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of every random choice.")] = None,
    pairs: ParameterPairs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train a network with every matrix product and every weight in RRAM.

    A float network with the same budget and initial weights is trained beside it. After each epoch a checkpoint lies
    beside the run file: the same command takes an interrupted training up where it was, to the same numbers.
    """
    from rramkit import files, record, table  # here, not above: the other commands start without them
    from rramkit.learning.checkpoint import path_of
    from rramkit.lock import only_writer

    chosen = chosen_experiment(experiment, [*(pairs or []), *_given("epochs", epochs), *_given("seed", seed)])
    place = tables or chosen.tables_path(experiment)
    found = table.load(place)
    files.check_writable(output, keep=(place, experiment))
    with only_writer(output):
        run = train_with_progress(found, chosen, tables_name=place.name, quiet=quiet or as_json, run_path=output)
        record.save(run, output)
        path_of(output).unlink(missing_ok=True)
    if as_json:
        typer.echo(json.dumps({"run": str(output), **outcome(run)}))
    elif quiet:
        typer.echo(output)
    else:
        typer.echo(_summary(run))
        typer.echo(output)


def chosen_experiment(path: Path | None, pairs: list[str]) -> "Experiment":
    """Return the experiment of a file, or the digits, with `key=value` pairs on top."""
    from rramkit.learning import Experiment

    if path is not None and path.suffix == ".h5":
        raise InputError(f"{path}: is a table file, not an experiment. Give it as `--tables {path}`.")
    return parameters(Experiment, path, pairs)


def _given(name: str, value: int | None) -> list[str]:
    return [] if value is None else [f"{name}={value}"]


def train_with_progress(
    tables: "TableFile",
    experiment: "Experiment",
    *,
    tables_name: str,
    quiet: bool = False,
    run_path: Path | None = None,
) -> "Run":
    """Train, with a progress bar on the error stream unless `quiet`; with checkpoints beside `run_path`."""
    from rramkit import learning

    with _Progress(experiment.epochs, shown=not quiet) as progress:
        return learning.train(experiment, tables, tables_name=tables_name, progress=progress.show, run_path=run_path)


def outcome(run: "Run") -> dict[str, float | int]:
    """Return a run's totals by name, in SI units; what writes took includes the initial programming."""
    epochs = run.epochs
    return {
        "accuracy": run.accuracy,
        "float_accuracy": run.float_accuracy,
        "accuracy_before": float(epochs.accuracy_test[0]),
        "epochs": int(epochs.epoch[-1]),
        "pulses_set": int(epochs.pulses_set.sum()),
        "pulses_reset": int(epochs.pulses_reset.sum()),
        "reads": int(epochs.reads.sum()),
        "energy_write": float(epochs.energy_write.sum()),
        "time_write": float(epochs.time_write.sum()),
        "energy_read": float(epochs.energy_read.sum()),
        "clamped": int(epochs.clamped.sum()),
        "train_seconds": run.train_seconds,
        "seed": run.seed,
    }


def _summary(run: "Run") -> str:
    from math import isfinite

    from rramkit import units

    totals = outcome(run)
    cells = max(sum(layer.pulses.size for layer in run.layers), 1)
    pulses = totals["pulses_set"] + totals["pulses_reset"]
    before = units.percent(totals["accuracy_before"])
    rows = (
        (
            "test accuracy",
            f"{units.percent(run.accuracy)} (before training {before})",
        ),
        ("float reference", units.percent(run.float_accuracy) if isfinite(run.float_accuracy) else "not trained"),
        ("data", run.data_name),
        ("cells", units.count(cells)),
        (
            "pulses",
            f"{units.count(totals['pulses_set'])} set, {units.count(totals['pulses_reset'])} reset; "
            f"{pulses / cells:.2f} a cell, initial programming included",
        ),
        (
            "write energy",
            f"{units.text(totals['energy_write'], 'J')}, {units.count(totals['reads'])} cells read for it",
        ),
        ("write time", units.text(totals["time_write"], "s")),
        ("read energy", units.text(totals["energy_read"], "J")),
        ("clamped", f"{units.count(totals['clamped'])} values at the edge of the tables' range"),
        ("time", f"{run.train_seconds:.1f} s for {totals['epochs']} epochs, both networks"),
    )
    return "\n".join(f"{name:<16} {value}" for name, value in rows)


class _Progress:
    """A progress bar on the error stream, with accuracy, pulses and energy; or nothing at all."""

    def __init__(self, epochs: int, *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not shown)
        self._task = self._bar.add_task("training", total=epochs, state="")
        self._pulses, self._energy = 0, 0.0

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def show(self, report: "EpochReport") -> None:
        """Show one more epoch."""
        from rramkit import units

        self._pulses += report.pulses_set + report.pulses_reset
        self._energy += report.energy_write + report.energy_read
        state = (
            f"test {units.percent(report.accuracy_test)} (float {units.percent(report.float_accuracy_test)})  "
            f"loss {report.loss:.3f}  {units.count(self._pulses)} pulses  {units.text(self._energy, 'J')}  "
            f"{units.count(report.clamped)} clamped"
        )
        self._bar.update(self._task, completed=report.epoch, state=state)
