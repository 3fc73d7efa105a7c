"""`rramkit rl`: a deep Q-network in two banks of RRAM, from a table file alone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli.options import ParameterFile, ParameterPairs, parameters

if TYPE_CHECKING:
    from rramkit.episodes import EpisodeRun
    from rramkit.learning.rl import RlReport


def rl(
    tables: Annotated[
        Path | None, typer.Argument(help="Table file, made by `rramkit characterize`; left out: weights in memory.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Episode file to write.")] = Path("episodes.h5"),
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw the returns into this PNG, PDF or SVG.")] = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the settings and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train an agent by deep Q-learning with both of its networks in RRAM.

    Every `checkpoint_every` actions a checkpoint lies beside the episode file: the same command takes an interrupted
    training up where it was, to the same numbers.
    """
    from rramkit import episodes, files, table  # here, not above: the other commands start without them
    from rramkit.learning import rl
    from rramkit.learning.checkpoint import path_of
    from rramkit.lock import only_writer
    from rramkit.parameters import listing

    settings = parameters(rl.RlSettings, params, pairs)
    if list_parameters:
        typer.echo(listing(settings))
        return
    found = None if tables is None else table.load(tables)
    for path in (output, plot):
        if path is not None:
            files.check_writable(path, keep=(tables, params))
    name = "" if tables is None else tables.name
    with only_writer(output):
        with _Progress(settings.steps, shown=not (quiet or as_json)) as progress:
            run = rl.train(found, settings, tables_name=name, progress=progress.show, run_path=output)
        episodes.save(run, output)
        path_of(output).unlink(missing_ok=True)
    if plot is not None:
        from rramkit.plots import episodes as picture

        picture.save(run, plot)
    if as_json:
        typer.echo(json.dumps({"episodes": str(output), **outcome(run)}))
    else:
        typer.echo(output if quiet else f"{_summary(run)}\n{output}")


def outcome(run: "EpisodeRun") -> dict[str, float | int]:
    """Return a run's totals by name, in SI units."""
    counts = ("steps", "batches", "pulses_set", "pulses_reset", "pulses_target", "cells", "clamped")
    return {
        "mean_return": run.mean_return,
        "target_updates": int(run.series["target_updates"].step.size),
        "cells_rewritten": run.cells_rewritten,
        **{name: int(value) if name in counts else value for name, value in run.scalars.items()},
    }


def _summary(run: "EpisodeRun") -> str:
    from rramkit import units

    total = run.scalars
    rows = (
        ("mean return", f"{run.mean_return:.1f} over {run.final_return.size} episodes without chance actions"),
        ("actions", f"{units.count(int(total['steps']))}, {units.count(int(total['batches']))} batches"),
        (
            "target updates",
            f"{run.series['target_updates'].step.size}, which rewrote {units.count(run.cells_rewritten)} cells with "
            f"{units.text(total['energy_target'], 'J')}",
        ),
        ("cells", f"{units.count(int(total['cells']))} in two banks"),
        ("pulses", f"{units.count(int(total['pulses_set']))} set, {units.count(int(total['pulses_reset']))} reset"),
        ("write energy", units.text(total["energy_write"], "J")),
        ("read energy", units.text(total["energy_read"], "J")),
        ("clamped", f"{units.count(int(total['clamped']))} values at the edge of the tables' range"),
        ("time", f"{total['train_seconds']:.1f} s"),
    )
    return "\n".join(f"{name:<16} {value}" for name, value in rows)


class _Progress:
    """A progress bar on the error stream, with the last evaluation's mean return; or nothing at all."""

    def __init__(self, steps: int, *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("actions  {task.fields[state]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not shown)
        self._task = self._bar.add_task("training", total=steps, state="")

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def show(self, report: "RlReport") -> None:
        """Show one more evaluation."""
        from rramkit import units

        pulses = report.tally.pulses_set + report.tally.pulses_reset
        state = (
            f"mean return {report.mean_return:.0f}  {units.count(pulses)} pulses  {report.target_updates} target "
            f"updates rewrote {units.count(report.cells_rewritten)} cells"
        )
        self._bar.update(self._task, completed=report.step, state=state)
