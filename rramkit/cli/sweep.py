"""`rramkit sweep` and `rramkit ablate`: many trainings of one experiment, compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli.chip import ChipOptions, load_tables, on_chip
from rramkit.cli.options import ListSettings, ParameterPairs
from rramkit.cli.progress import log
from rramkit.cli.rows import settings_list
from rramkit.cli.train import TablesOption, experiment_of

if TYPE_CHECKING:
    from rramkit.learning.ablate import Cost
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.sweep import Trial, TrialResult
    from rramkit.processes import Executor

ExperimentFile = Annotated[Path, typer.Argument(help="TOML file of an experiment.", metavar="EXPERIMENT.toml")]
Workers = Annotated[int | None, typer.Option(help="Processes; default: one for each core.", min=1)]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, to train on its workers.", metavar="ADDRESS")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")]


@on_chip
def sweep(
    chip: ChipOptions,
    /,
    experiment: ExperimentFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the run files.")] = Path("sweep"),
    tables: TablesOption = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    pairs: ParameterPairs = None,
    list_settings: ListSettings = False,
    quiet: Quiet = False,
) -> None:
    """Train every combination of the values under `sweep` in an experiment; list them by validation accuracy.

    `--list` prints the settings and the combinations, and trains nothing. The same command again skips finished
    trainings and resumes interrupted ones.
    """
    from rramkit.learning.experiment import grid
    from rramkit.learning.sweep import SUMMARY, trials

    settings = experiment_of(experiment, list(pairs or []), chip)
    if list_settings:
        typer.echo(_planned(settings))
        return
    path = tables or settings.tables_path(experiment)
    file, combinations = load_tables(path, settings.chip, quiet=quiet), grid(settings)
    for _, one in combinations:
        one.on(one.chip.tables(file))  # errors come once, before any process starts
    jobs = trials(combinations, path, output)
    rows = _train_all(jobs, _executor(workers, scheduler), summary=SUMMARY, quiet=quiet)
    if not quiet:
        typer.echo(_listing(rows))
    typer.echo(output / SUMMARY)


@on_chip
def ablate(
    chip: ChipOptions,
    /,
    experiment: ExperimentFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for runs and plot.")] = Path("ablation"),
    tables: TablesOption = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Leave each out from all, in place of each alone.")
    ] = False,
    pairs: ParameterPairs = None,
    quiet: Quiet = False,
) -> None:
    """Train with each non-ideality alone, with none and with all; print the accuracy that each costs.

    Non-idealities are the stages that the table file characterises, and those of the device (its current, its pulses,
    its driver's steps), of the reads and of the writes that the experiment sets.
    Values of `seed` under `sweep` repeat every training and give the costs standard errors.
    """
    from rramkit.learning.ablate import ALL, NONE, SUMMARY, ablation, costs, labelled
    from rramkit.learning.sweep import trials

    settings = experiment_of(experiment, list(pairs or []), chip)
    path = tables or settings.tables_path(experiment)
    named = ablation(settings, load_tables(path, settings.chip, quiet=quiet), leave_one_out=leave_one_out)
    jobs = trials(labelled(named), path, output)
    rows = _train_all(jobs, _executor(workers, scheduler), summary=SUMMARY, quiet=quiet)
    names, accuracies = [name for name, _ in named], [row.accuracy for row in rows]
    ranked = costs(names, accuracies, leave_one_out=leave_one_out)
    start = ALL if leave_one_out else NONE
    those = [accuracy for name, accuracy in zip(names, accuracies, strict=True) if name == start]
    reference, words = sum(those) / len(those), "with all" if leave_one_out else "without any"
    picture = output / "ablation.svg"
    _draw(ranked, reference, picture, words=words)
    if not quiet:
        typer.echo(_verdict(ranked, reference, words=words))
    typer.echo(picture)


def _executor(workers: int | None, scheduler: str | None) -> "Executor":
    from rramkit.processes import DaskCluster, Processes

    return Processes(workers) if scheduler is None else DaskCluster(scheduler)


def _train_all(jobs: "list[Trial]", executor: "Executor", *, summary: str, quiet: bool) -> "list[TrialResult]":
    from rramkit import units
    from rramkit.learning.sweep import sweep as run

    ended: list[str] = []
    with log("trainings", quiet=quiet) as lines:

        def show(row: "TrialResult") -> None:
            seen = row.accuracy if row.accuracy_validation is None else row.accuracy_validation
            images = "test" if row.accuracy_validation is None else "validation"
            ended.append(row.label)
            for notice in row.notices:
                typer.echo(f"warning: {row.label}: {notice}", err=True)
            lines.step("trainings", len(ended), len(jobs), f"{row.label}: {images} {units.percent(seen)}")

        return run(jobs, executor, progress=show, summary=summary)


def _planned(settings: "Experiment") -> str:
    """Return the settings of a sweep, and its trainings."""
    from rramkit.learning.experiment import grid

    labels = [label for label, _ in grid(settings)]
    return "\n".join([settings_list(settings), f"{len(labels)} trainings:", *(f"  {label}" for label in labels)])


def _listing(rows: "Sequence[TrialResult]") -> str:
    from rramkit import units
    from rramkit.learning.sweep import ranked

    width = max(len(row.label) for row in rows)
    lines = [f"{'':{width}}  validation      test    float     pulses    energy"]
    for row in ranked(rows):
        chosen = "" if row.accuracy_validation is None else units.percent(row.accuracy_validation)
        digital = "" if row.float_accuracy is None else units.percent(row.float_accuracy)
        numbers = f"{units.percent(row.accuracy):>8}  {digital:>7}  {units.count(row.pulses):>9}"
        lines.append(f"{row.label:{width}}  {chosen:>10}  {numbers}  {units.text(row.energy, 'J')}")
    return "\n".join(lines)


def _verdict(ranked: "Sequence[Cost]", reference: float, *, words: str) -> str:
    """Return the listing; `words` say what the reference is: accuracy without any, or with all."""
    from math import isfinite

    from rramkit import units
    from rramkit.learning.ablate import ALL

    lines, width = [f"{words}: {units.percent(reference)}"], max(len(cost.name) for cost in ranked)
    for cost in ranked:
        error = f" +- {100.0 * cost.error:.2f}" if isfinite(cost.error) else ""
        change = round(100.0 * (cost.accuracy - reference), 2) + 0.0  # points; + 0.0: no minus before a zero
        lines.append(f"{cost.name + ':':{width + 1}} {units.percent(cost.accuracy)} ({change:+.2f}{error} points)")
    worst, *others = (cost for cost in ranked if cost.name != ALL)
    if worst.loss > 0.0:
        points = f"{100.0 * worst.loss:.2f} points{_doubt(worst, others)}"
        lines.append(f"largest single contribution: {worst.name}, {points}")
    else:
        lines.append("none costs accuracy by itself")
    return "\n".join(lines)


def _doubt(worst: "Cost", others: "Sequence[Cost]") -> str:
    """Return what the errors say against a cost being the largest, or one at all; empty: nothing."""
    from math import hypot, isfinite

    if not isfinite(worst.error):
        return "; one seed: more of them under `sweep` give it an error"
    if worst.loss <= 2.0 * worst.error:
        return ", within two standard errors of none"
    alike = [
        cost.name
        for cost in others
        if cost.loss > 2.0 * cost.error and worst.loss - cost.loss <= 2.0 * hypot(worst.error, cost.error)
    ]
    return f"\nwithin two standard errors of it: {', '.join(alike)}" if alike else ""


def _draw(ranked: "Sequence[Cost]", reference: float, path: Path, *, words: str) -> None:
    from rramkit import plots

    names, accuracies, errors = zip(*((cost.name, cost.accuracy, cost.error) for cost in ranked), strict=True)
    plots.save(lambda ax: plots.ablation(ax, names, accuracies, reference=reference, errors=errors, words=words), path)
