"""`rramkit rl`: train a deep Q-network in two banks of RRAM from a table file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.chip import ChipOptions, listed, load_tables, on_chip
from rramkit.cli.options import (
    ParameterFile,
    ParameterPairs,
    TablesArgument,
    TablesNamed,
    parameters,
    say_replaced,
    table_file_or_none,
)
from rramkit.cli.progress import training_progress
from rramkit.cli.rows import rows, settings_list
from rramkit.cli.train import goes_on, show_notices

if TYPE_CHECKING:
    from rramkit.record import EpisodeRun


@on_chip
def rl(
    chip: ChipOptions,
    /,
    argument: TablesArgument = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Run file to write.")] = Path("episodes.h5"),
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture of returns and energy: PNG, PDF or SVG.")] = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the settings and stop.")] = False,
    named: TablesNamed = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start anew: a checkpoint of an unfinished training is removed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train an agent by deep Q-learning with both of its networks in RRAM; without a table file: in float.

    Every `checkpoint_every` actions a checkpoint is written beside the run file: the same command resumes an
    interrupted training, with the same numbers (`--restart` starts anew).
    """
    import warnings

    from rramkit import files  # here, not above: the other commands start without them
    from rramkit.errors import TrainingWarning
    from rramkit.learning import rl
    from rramkit.learning.checkpoint import path_of
    from rramkit.lock import only_writer

    tables = table_file_or_none(argument, named)
    settings, quiet_run = parameters(rl.RlSettings, params, pairs), quiet or as_json
    settings = chip.on_top_of(settings, settings.chip)
    if list_parameters:
        typer.echo(settings_list(settings))
        return
    loaded = None if tables is None else load_tables(tables, settings.chip, quiet=quiet_run)
    for path in (output, plot):
        if path is not None:
            files.check_writable(path, keep=(tables, params))
            say_replaced(path, quiet=quiet_run)
    name = "" if tables is None else tables.name
    with only_writer(output):
        if restart:
            path_of(output).unlink(missing_ok=True)
        with warnings.catch_warnings(), goes_on(output), training_progress(quiet=quiet_run) as show:
            warnings.simplefilter("ignore", TrainingWarning)  # `show_notices` prints them
            run = rl.train(loaded, settings, tables_name=name, progress=show, run_path=output)
        run.save(output)
        path_of(output).unlink(missing_ok=True)
    if plot is not None:
        run.plot(plot)
    show_notices(run)
    if as_json:
        typer.echo(strict_json.text({"episodes": str(output), **run.totals(), "notices": list(run.notices)}))
    else:
        stages = f"{listed(run.stages)}\n" if run.stages else ""
        typer.echo(output if quiet else f"{_summary(run)}\n{stages}{output}")


def _summary(run: "EpisodeRun") -> str:
    from rramkit import units

    total = run.scalars
    shown = (
        ("mean return", f"{run.mean_return:.1f} over {run.final_return.size} episodes without random actions"),
        ("actions", f"{units.count(int(total['steps']))}, {units.count(int(total['batches']))} batches"),
        (
            "target updates",
            f"{run.series['target_updates'].step.size}, which rewrote {units.count(run.cells_rewritten)} cells with "
            f"{units.text(total['energy_target'], 'J')}",
        ),
        ("cells", f"{units.count(int(total['cells']))} in two banks"),
        ("pulses", f"{units.count(int(total['pulses_set']))} set, {units.count(int(total['pulses_reset']))} reset"),
        ("writes", f"{units.text(total['energy_write'], 'J')}, {units.text(total['time_write'], 's')}"),
        ("reads", f"{units.text(total['energy_read'], 'J')}, {units.text(total['time_read'], 's')}"),
        ("clamped", f"{units.count(int(total['clamped']), 'value')} at the edge of the tables' range"),
        ("time", f"{total['train_seconds']:.1f} s"),
    )
    return rows(shown, width=16)
