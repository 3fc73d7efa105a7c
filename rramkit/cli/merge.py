"""`rramkit merge`: the tables of a plan whose points were run in shares."""

from pathlib import Path
from typing import Annotated

import typer

from rramkit.cli import characterize, failed_deck
from rramkit.cli.options import ParameterFile, ParameterPairs, Timeout
from rramkit.cli.progress import spice_progress
from rramkit.files import check_writable


def merge(
    output: Annotated[Path, typer.Argument(help="Table file to write.", metavar="OUT.h5", show_default=False)],
    shares: Annotated[
        list[Path],
        typer.Argument(
            help="What the shares wrote: files of finished points, or the names that were given as outputs.",
            metavar="SHARD...",
            show_default=False,
        ),
    ],
    plan_name: characterize.PlanName = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    workers: characterize.Workers = None,
    points: characterize.Points = None,
    compiled_cells: characterize.DesignCells = None,
    timeout: Timeout = 120.0,
    json: Annotated[bool, typer.Option("--json", help="Print the residuals as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Make the tables of a plan from the points that `characterize --shard i/N` ran; give the same parameters.

    Points that no share has are run here, and counted in the last line.
    """
    from rramkit.characterization.run import RunOptions
    from rramkit.characterization.run import characterize as run

    plan = characterize.with_form(characterize.chosen(plan_name, params, pairs), compiled_cells)
    check_writable(output, keep=(params, *shares))
    with failed_deck.kept_beside(output), spice_progress(quiet=quiet or json) as show:
        options = RunOptions(workers=workers, timeout=timeout, points=points, shares=tuple(shares), report=show)
        tables = run(plan, output, options)
    characterize.say(tables, output, json=json)
