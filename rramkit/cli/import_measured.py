"""`rramkit import`: measured pulses and currents, or a published device, as a table file; no netlist, no SPICE."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table as Grid

from rramkit import units
from rramkit.cli import residuals
from rramkit.cli.options import ParameterFile, ParameterPairs, parameters, say_replaced
from rramkit.cli.progress import stage
from rramkit.cli.rows import settings_list
from rramkit.errors import InputError
from rramkit.files import check_writable

if TYPE_CHECKING:
    from rramkit.table import TableFile


def import_measured(
    pulses: Annotated[
        Path | None, typer.Argument(help="Measured pulses: text, log or spreadsheet (docs/measured-data.md).")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")] = Path(
        "tables.h5"
    ),
    iv: Annotated[Path | None, typer.Option("--iv", help="I-V file; without one, cells read as ohmic.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="What a column of the pulse file holds, by number from 1 or by name: conductance=3, set=2, ignore=5. "
            "May be repeated.",
            metavar="ROLE=COLUMN",
        ),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            "--unit",
            help="Unit of what was read, where the header has none (uS), or of another column (width=ns). May be "
            "repeated.",
            metavar="[ROLE=]UNIT",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="A published device instead of a file; `list` lists them.")
    ] = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the settings and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Make the tables that training reads from measured data, or from a published device's figures.

    Prints how each column was read before it writes anything, and what it had to assume. A picture of the reads under
    the fit is written beside the table file.
    """
    from rramkit import table
    from rramkit.characterization.measured import importer
    from rramkit.characterization.measured.presets import presets
    from rramkit.characterization.measured.settings import ImportSettings

    settings = parameters(ImportSettings, params, [*_columns(column), *_units(unit), *(pairs or [])])
    if list_parameters:
        typer.echo(settings_list(settings))
        return
    if preset == "list":
        for name, device in presets().items():
            typer.echo(f"{name:<12} {device.label}: {device.source}")
        return
    if (pulses is None) == (preset is None):
        got = "neither" if pulses is None else f"{pulses} and the preset {preset}"
        raise InputError(
            f"`rramkit import` takes a file of measured pulses, or a published device by `--preset NAME`; got {got}. "
            "Give one of them; `rramkit import --preset list` lists the devices."
        )
    picture = output.with_suffix(".png")
    for path in (output, picture):
        check_writable(path, keep=(pulses, iv, params))
    stage("reading and fitting")
    if preset is not None:
        if iv is not None or column or unit:
            raise InputError(
                "`--iv`, `--column` and `--unit` go with a pulse-response file, not with a preset. Leave them out."
            )
        table_file = importer.from_preset(preset, settings)
    else:
        assert pulses is not None
        table_file = importer.from_pulses(pulses, settings, iv=iv)
    say_replaced(output, quiet=json)
    stage("checks and picture")
    checks = residuals.of_tables(table_file)
    table.save(table_file, output)  # before anything is printed: a reader such as `head` may close the pipe
    written = [output]
    if preset is None and _draw(table_file, picture):
        written.append(picture)
    if json:
        typer.echo(json_format.dumps(_outcome(table_file, written), indent=1, allow_nan=False))
    else:
        _show(table_file)
        if checks:
            residuals.show(residuals.as_grid(checks, "Held-out reads against the tables"))
        for line in _lines(table_file):
            typer.echo(line)
        for path in written:
            typer.echo(path)
    if not all(points.passed for points in checks.values()):
        raise typer.Exit(1)


def _draw(tables: "TableFile", path: Path) -> bool:
    """Draw the reads under the fit; return whether that was done: tables are made where matplotlib is not installed."""
    try:
        from rramkit import plots
    except ImportError as error:
        typer.echo(f"rramkit: note: no picture of the reads under the fit ({error}).", err=True)
        return False
    plots.save_fits(tables, path, title=f"{tables.provenance['source']}: reads under the fit")
    return True


def _columns(given: list[str] | None) -> list[str]:
    """Return `--column ROLE=COLUMN` as settings; a role that is repeated has several columns."""
    roles: dict[str, list[int | str]] = {}
    for each in given or []:
        role, equals, where = (part.strip() for part in each.partition("="))
        if not equals or not role or not where:
            raise InputError(f"`--column` must be ROLE=COLUMN; got {each!r}. For instance: --column conductance=3")
        parts = where.split(",") if all(part.strip().isdecimal() for part in where.split(",")) else [where]
        roles.setdefault(role, []).extend(int(part) if part.strip().isdecimal() else part for part in parts)
    return [f"pulses.columns.{role}={json_format.dumps(where)}" for role, where in roles.items()]


def _units(given: list[str] | None) -> list[str]:
    """Return `--unit [ROLE=]UNIT` as settings."""
    pairs = [each.partition("=") for each in given or []]
    return [
        f"pulses.units.{role.strip() if equals else 'value'}={unit if equals else role}" for role, equals, unit in pairs
    ]


def _show(tables: "TableFile") -> None:
    """Print how columns were read, and the ramps that they hold."""
    from rramkit.table.schema import SET

    rows = json_format.loads(tables.provenance.get("columns", "[]"))
    if rows:
        grid = Grid(title="Columns as they were read", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
        for name in ("column", "name", "role", "unit", "holds", "by"):
            grid.add_column(name, overflow="fold")
        for row in rows:
            grid.add_row(*(escape(str(row[name])) for name in ("column", "name", "role", "unit", "holds", "by")))
        residuals.show(grid)
    rows = json_format.loads(tables.provenance.get("ramps", "[]"))
    if rows:
        grid = Grid(title="Ramps", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
        names = ("polarity", "amplitude", "width", "devices", "ramps", "reads", "conductance", "noise, read", "pulse")
        for name in names:
            grid.add_column(name, overflow="fold")
        for row in rows:
            low, high = units.text(row["g_low"], "S", beside=row["g_high"]), units.text(row["g_high"], "S")
            counts = (units.count(row[name]) for name in ("devices", "ramps", "reads"))
            noise = (units.text(row[name], "S") for name in (SET.sigma_read, "sigma_write"))
            pulse = units.text(row[SET.v_pulse], "V"), units.text(row[SET.t_pulse], "s")
            grid.add_row(row["polarity"], *pulse, *counts, f"{low} to {high}", *noise)
        residuals.show(grid)


def _texts(tables: "TableFile", name: str) -> list[str]:
    return [each for each in tables.provenance.get(name, "").split("; ") if each]


def _lines(tables: "TableFile") -> list[str]:
    """Return what the reader must know of the tables: found, assumed, not there."""
    assumed = [f"assumed: {each} (neither the file nor a setting gives it)" for each in _texts(tables, "assumed")]
    notes = [f"note: {each}" for name in ("notes", "lacks") for each in _texts(tables, name)]
    return [*assumed, *notes]


def _outcome(tables: "TableFile", written: list[Path]) -> dict[str, object]:
    """Return the outcome as plain values for JSON."""
    return {
        "tables": str(written[0]),
        "picture": str(written[1]) if len(written) > 1 else None,
        "columns": json_format.loads(tables.provenance.get("columns", "[]")),
        "ramps": json_format.loads(tables.provenance.get("ramps", "[]")),
        "assumed": dict(each.split(" = ", 1) for each in _texts(tables, "assumed")),
        "notes": _texts(tables, "notes"),
        "lacks": _texts(tables, "lacks"),
        "fit": residuals.as_json(residuals.of_tables(tables)),
    }
