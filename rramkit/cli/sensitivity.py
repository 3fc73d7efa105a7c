"""`rramkit sensitivity`: change of loss, accuracy and energy of a training with circuit parameters."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table as Grid

from rramkit import units
from rramkit.cli import strict_json
from rramkit.cli.chip import ChipOptions, on_chip
from rramkit.cli.console import console
from rramkit.cli.options import Timeout
from rramkit.cli.progress import spice_progress, stage, training_progress
from rramkit.cli.train import ExperimentFile, experiment_of

if TYPE_CHECKING:
    from rramkit.proof.sensitivity import Sensitivity


@on_chip
def sensitivity(
    chip: ChipOptions,
    parameters: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            "-p",
            help="Circuit parameter, the end of its dotted path, for instance readout.ota.w_input; may be repeated.",
            metavar="NAME",
        ),
    ],
    experiment: ExperimentFile = None,
    plan: Annotated[str, typer.Option("--plan", help="Design to characterise.", metavar="NAME|FILE.toml")] = "chip",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of table files and finished points.", metavar="FOLDER")
    ] = Path("sensitivity"),
    step: Annotated[float, typer.Option(help="Relative change of each parameter to either side.")] = 0.1,
    seeds: Annotated[int, typer.Option(help="Seeds of the trainings, from 1; two or more.", min=2)] = 3,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs, instead of the experiment's.")] = None,
    workers: Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)] = None,
    timeout: Timeout = 120.0,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="One setting of the experiment.", metavar="KEY=VALUE")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Regenerate the tables that each parameter touches, train with several seeds, print the slopes with error bars.

    Finished points and table files are kept in the folder: the same command resumes there.
    """
    from rramkit.characterization.design import find_design
    from rramkit.characterization.run import RunOptions
    from rramkit.proof.sensitivity import sensitivity as run
    from rramkit.proof.variants import Watch

    settings = experiment_of(experiment, [*(pairs or []), *([] if epochs is None else [f"epochs={epochs}"])], chip)
    silent = quiet or json
    stage("tables of the design")
    outcomes = run(
        find_design(plan),
        settings,
        parameters,
        output,
        step=step,
        seeds=range(1, seeds + 1),
        options=RunOptions(workers=workers, timeout=timeout),
        watch=Watch(
            line=(lambda _: None) if silent else (lambda text: typer.echo(text, err=True)),
            points=partial(spice_progress, quiet=silent),
            epochs=lambda _: training_progress(quiet=silent),
        ),
    )
    if json:
        typer.echo(strict_json.text([as_json(each) for each in outcomes], indent=1))
    else:
        console().print(as_grid(outcomes))


def as_json(outcome: "Sensitivity") -> dict[str, object]:
    """Return an outcome as a dictionary of plain values."""
    return {**vars(outcome), "mean": dict(outcome.mean), "error": dict(outcome.error)}


def as_grid(outcomes: "list[Sensitivity]") -> Grid:
    """Return a terminal table: change of each metric for 1 % more of each parameter, with its standard error.

    A line a metric: no figure is cut on a terminal of 80 characters.
    """
    from rramkit.proof.sensitivity import METRICS

    grid = Grid(title="Change for 1 % more of the parameter", title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("parameter", overflow="fold")
    grid.add_column("metric", no_wrap=True)
    for column in ("change", "standard error"):
        grid.add_column(column, justify="right", no_wrap=True)
    for each in outcomes:
        names = [f"{each.name} = {each.value:g}", *[""] * (len(METRICS) - 1)]
        for name, (metric, (unit, _)) in zip(names, METRICS.items(), strict=True):
            grid.add_row(name, metric, *_cells(each, metric, unit), end_section=metric == list(METRICS)[-1])
    return grid


def _cells(outcome: "Sensitivity", metric: str, unit: str) -> tuple[str, str]:
    mean, error = 0.01 * outcome.mean[metric], 0.01 * outcome.error[metric]
    if unit == "1":
        return f"{100 * mean:+.3f} points", f"{100 * error:.3f} points"
    return units.text(mean, unit), units.text(error, unit)
