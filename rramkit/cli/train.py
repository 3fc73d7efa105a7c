"""`rramkit train`: a network in RRAM, from a table file alone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rramkit.learning import EpochReport, TrainSettings
    from rramkit.record import Run
    from rramkit.table import TableFile


def train(
    tables: Annotated[Path, typer.Argument(help="Table file, made by `rramkit characterize`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Run file to write.")] = Path("run.h5"),
    settings: Annotated[Path | None, typer.Option("--settings", help="TOML file of training settings.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the training set.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of every random choice.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train a network on handwritten digits with every matrix product and weight in RRAM.

    A float network with the same budget and initial weights is trained beside it.
    """
    from rramkit import files, record, table  # here, not above: the other commands start without them

    chosen = _settings(settings, {"epochs": epochs, "seed": seed})
    found = table.load(tables)
    files.check_writable(output, keep=(tables, settings))
    run = train_with_progress(found, chosen, tables_name=tables.name, quiet=quiet or as_json)
    record.save(run, output)
    if as_json:
        typer.echo(json.dumps({"run": str(output), **outcome(run)}))
    elif quiet:
        typer.echo(output)
    else:
        typer.echo(_summary(run))
        typer.echo(output)


def train_with_progress(
    tables: "TableFile", settings: "TrainSettings", *, tables_name: str, quiet: bool = False
) -> "Run":
    """Train, with a progress bar on the error stream unless `quiet`."""
    from rramkit import learning

    with _Progress(settings.epochs, shown=not quiet) as progress:
        return learning.train(tables, settings, tables_name=tables_name, progress=progress.show)


def _settings(path: Path | None, given: dict[str, int | None]) -> "TrainSettings":
    """Return the settings of the file, or the defaults, with what was given on the command line in their place."""
    from rramkit.learning import TrainSettings

    base = TrainSettings() if path is None else TrainSettings.from_toml(path)
    options = {name: value for name, value in given.items() if value is not None}
    return TrainSettings.checked({**base.model_dump(), **options}, where="the command line")


def outcome(run: "Run") -> dict[str, float | int]:
    """Return a run's totals by name, in SI units; the pulses and the write energy include the initial programming."""
    epochs = run.epochs
    return {
        "accuracy": run.accuracy,
        "float_accuracy": run.float_accuracy,
        "accuracy_before": float(epochs.accuracy_test[0]),
        "epochs": int(epochs.epoch[-1]),
        "pulses_set": int(epochs.pulses_set.sum()),
        "pulses_reset": int(epochs.pulses_reset.sum()),
        "energy_write": float(epochs.energy_write.sum()),
        "energy_read": float(epochs.energy_read.sum()),
        "clamped": int(epochs.clamped.sum()),
        "train_seconds": run.train_seconds,
        "seed": run.seed,
    }


def _summary(run: "Run") -> str:
    from rramkit import units

    totals = outcome(run)
    cells = sum(layer.pulses.size for layer in run.layers)
    pulses = totals["pulses_set"] + totals["pulses_reset"]
    before = units.percent(totals["accuracy_before"])
    rows = (
        (
            "test accuracy",
            f"{units.percent(run.accuracy)} (before training {before})",
        ),
        ("float reference", units.percent(run.float_accuracy)),
        ("cells", units.count(cells)),
        (
            "pulses",
            f"{units.count(totals['pulses_set'])} set, {units.count(totals['pulses_reset'])} reset; "
            f"{pulses / cells:.2f} a cell, initial programming included",
        ),
        ("write energy", units.text(totals["energy_write"], "J")),
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

        self._pulses += report.tally.pulses_set + report.tally.pulses_reset
        self._energy += report.tally.energy + report.energy_read
        state = (
            f"test {units.percent(report.accuracy_test)} (float {units.percent(report.float_accuracy_test)})  "
            f"{units.count(self._pulses)} pulses  {units.text(self._energy, 'J')}"
        )
        self._bar.update(self._task, completed=report.epoch, state=state)
