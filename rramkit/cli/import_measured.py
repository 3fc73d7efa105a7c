"""`rramkit import`: measured pulses and currents, or a published device, as a table file; no netlist, no SPICE."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from rramkit.cli import residuals
from rramkit.cli.options import ParameterFile, ParameterPairs, parameters
from rramkit.errors import InputError
from rramkit.files import check_writable
from rramkit.parameters import listing


def import_measured(
    pulses: Annotated[
        Path | None, typer.Argument(help="Pulse-response file (docs/measured-data.md).", metavar="PULSES.csv")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")] = Path(
        "tables.h5"
    ),
    iv: Annotated[Path | None, typer.Option("--iv", help="I-V file; without one, cells read as ohmic.")] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="A published device instead of a file; `list` lists them.")
    ] = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the settings and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Make the tables that training reads from measured data, or from a published device's figures."""
    from rramkit import table
    from rramkit.characterization.measured import importer
    from rramkit.characterization.measured.presets import presets
    from rramkit.characterization.measured.settings import ImportSettings

    settings = parameters(ImportSettings, params, pairs)
    if list_parameters:
        typer.echo(listing(settings))
        return
    if preset == "list":
        for name, device in presets().items():
            typer.echo(f"{name:<12} {device.label}: {device.source}")
        return
    if (pulses is None) == (preset is None):
        raise InputError("give either a pulse-response file or `--preset NAME`. `rramkit import --help` shows both.")
    check_writable(output, keep=(pulses, iv, params))
    if preset is not None:
        if iv is not None:
            raise InputError("`--iv` goes with a pulse-response file, not with a preset. Leave one of them out.")
        table_file = importer.from_preset(preset, settings)
    else:
        assert pulses is not None
        table_file = importer.from_pulses(pulses, settings, iv=iv)
    table.save(table_file, output)
    checks = residuals.of_tables(table_file)
    if json:
        lacks = table_file.provenance["lacks"].split("; ")
        typer.echo(
            json_format.dumps({"tables": str(output), "lacks": lacks, "fit": residuals.as_json(checks)}, indent=1)
        )
    else:
        if checks:
            residuals.show(residuals.as_grid(checks, "Held-out reads against the tables"))
        for lack in table_file.provenance["lacks"].split("; "):
            typer.echo(f"note: {lack}")
        typer.echo(output)
    if not all(points.passed for points in checks.values()):
        raise typer.Exit(1)
