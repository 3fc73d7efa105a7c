"""`rramkit characterize`: run a plan in ngspice and write its table file."""

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rramkit.cli import evidence, residuals
from rramkit.cli.given import ParameterFile, ParameterPairs, parameters
from rramkit.cli.progress import spice_progress
from rramkit.files import check_writable
from rramkit.parameters import listing

Workers = Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)]
Points = Annotated[
    Path | None,
    typer.Option(
        "--points",
        help="File of finished points, which never run again; plans may share one. Default: beside the output.",
        metavar="FILE.points",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Run on the workers of this Dask scheduler, not here.", metavar="ADDRESS"),
]


def characterize(
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")] = Path(
        "tables.h5"
    ),
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    workers: Workers = None,
    points: Points = None,
    scheduler: Scheduler = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Run share i of N only, into the file of finished points; `rramkit merge` makes the tables of all.",
            metavar="i/N",
        ),
    ] = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the plan's parameters and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the residuals as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Characterise cell and array in ngspice: read currents, SET and RESET pulses, wires; fits with held-out errors.

    Finished points are kept: a run that was ended, however, goes on with the same command.
    """
    from rramkit.characterization.means import Means
    from rramkit.characterization.plan import Plan
    from rramkit.characterization.run import characterize as run
    from rramkit.characterization.run import characterize_share
    from rramkit.characterization.shard import Shard

    plan = parameters(Plan, params, pairs)
    if list_parameters:
        typer.echo(listing(plan))
        return
    share = None if shard is None else Shard.parsed(shard)
    check_writable(output, keep=(params,))
    with evidence.kept_beside(output), spice_progress(quiet=quiet or json) as show:
        means = Means(workers, scheduler, points, show)
        if share is not None:
            typer.echo(characterize_share(plan, output, share, means))
            return
        tables = run(plan, output, means)
    found = residuals.of_tables(tables)
    if json:
        typer.echo(json_format.dumps({"tables": str(output), "surrogate": residuals.as_json(found)}, indent=1))
    else:
        Console().print(residuals.as_grid(found, "Held-out SPICE points against the tables"))
        typer.echo(f"{output}: {said_of(tables.provenance)}")
    if not all(points.passed for points in found.values()):
        raise typer.Exit(1)


def said_of(provenance: Mapping[str, str]) -> str:
    """Return one line about the runs behind a table file."""
    runs, swept, reused, failed = (provenance[f"spice_{key}"] for key in ("runs", "points", "reused", "failed"))
    parts = [
        f"{runs} points in ngspice, {swept} with their sweeps",
        f"{float(provenance['spice_seconds']):.1f} s in it",
    ]
    parts += [f"{reused} of them found finished"] if int(reused) else []
    parts += [f"{failed} failed and masked"] if int(failed) else []
    return ", ".join(parts)
