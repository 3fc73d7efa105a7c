"""`rramkit characterize`: run a plan in ngspice and write its table file."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rramkit.cli import evidence, residuals
from rramkit.cli.given import ParameterFile, ParameterPairs, parameters
from rramkit.cli.progress import spice_progress
from rramkit.files import check_writable
from rramkit.parameters import listing


def characterize(
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")] = Path(
        "tables.h5"
    ),
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    workers: Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)] = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the plan's parameters and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the residuals as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Characterise cell and array in ngspice: read currents, SET and RESET pulses, wires; fits with held-out errors."""
    from rramkit.characterization.plan import Plan
    from rramkit.characterization.run import characterize as run

    plan = parameters(Plan, params, pairs)
    if list_parameters:
        typer.echo(listing(plan))
        return
    check_writable(output, keep=(params,))
    with evidence.kept_beside(output), spice_progress(quiet=quiet or json) as show:
        tables = run(plan, output, workers=workers, report=show)
    found = residuals.of_tables(tables)
    if json:
        typer.echo(json_format.dumps({"tables": str(output), "surrogate": residuals.as_json(found)}, indent=1))
    else:
        Console().print(residuals.as_grid(found, "Held-out SPICE points against the tables"))
        runs, points, seconds = (tables.provenance[f"spice_{key}"] for key in ("runs", "points", "seconds"))
        typer.echo(f"{output}: {runs} ngspice runs, {points} points, {float(seconds):.1f} s in ngspice")
    if not all(points.passed for points in found.values()):
        raise typer.Exit(1)
