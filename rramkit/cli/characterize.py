"""`rramkit characterize`: run a plan in ngspice and write its table file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table as Grid

from rramkit import units
from rramkit.cli import failed_deck, residuals, strict_json
from rramkit.cli.console import console
from rramkit.cli.options import ParameterFile, ParameterPairs, Timeout, form_named, parameters
from rramkit.cli.progress import spice_progress
from rramkit.errors import InputError
from rramkit.files import check_writable

if TYPE_CHECKING:
    from rramkit.characterization.design import Design
    from rramkit.characterization.plan import Plan
    from rramkit.table import TableFile

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
DesignCells = Annotated[
    str | None,
    typer.Option(
        "--compiled-cells",
        help="The kit's device models as compiled Verilog-A: never, always, or auto: where a compiler or its result is "
        "found. Default: as the plan says (`device.compiled`), which is auto where it says nothing.",
        metavar="never|auto|always",
    ),
]


COUNTS = ("runs", "points", "reused", "retried", "alone", "failed")  # of the provenance, of `RunCounts`
PlanName = Annotated[
    str | None,
    typer.Option(
        "--plan",
        help="A design's or a component's plan: a TOML file, or a plan of the kit by name (`design`: all of them). "
        "Default: cell and array alone, whose keys --params and --set change.",
        metavar="NAME|FILE.toml",
    ),
]


def characterize(
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")] = Path(
        "tables.h5"
    ),
    plan_name: PlanName = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    workers: Workers = None,
    points: Points = None,
    scheduler: Scheduler = None,
    compiled_cells: DesignCells = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Run share i of N only, into the file of finished points; `rramkit merge` makes the tables of all.",
            metavar="i/N",
        ),
    ] = None,
    timeout: Timeout = 120.0,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the plan's parameters and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the residuals as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Characterise cell and array in ngspice (read currents, SET and RESET pulses, wires), or a whole design.

    Finished points are kept: the same command resumes a run that was ended, for whatever reason.
    """
    from rramkit.characterization.design import listed, parts_of
    from rramkit.characterization.engine.runner import Shard
    from rramkit.characterization.engine.store import store_of
    from rramkit.characterization.run import RunOptions, characterize_share
    from rramkit.characterization.run import characterize as run

    plan = with_form(chosen(plan_name, params, pairs), compiled_cells)
    if list_parameters:
        typer.echo("\n".join(listed(each) for each in parts_of(plan)))
        return
    share = None if shard is None else Shard.parsed(shard)
    check_writable(output, keep=(params,))
    with failed_deck.kept_beside(output), spice_progress(quiet=quiet or json) as show:
        options = RunOptions(workers=workers, scheduler=scheduler, timeout=timeout, points=points, report=show)
        if share is not None:
            tally = characterize_share(plan, output, share, options)
            typer.echo(f"{points or store_of(output)}: share {share}, {tally.runs} points, {tally.failed} failed")
            return
        tables = run(plan, output, options)
    say(tables, output, json=json)


def with_form(plan: "Plan | Design", form: str | None) -> "Plan | Design":
    """Return the plan with its devices compiled or not, as the option says."""
    from rramkit.characterization.design import design_of, with_cells

    return plan if form is None else with_cells(design_of(plan), form_named(form))


def chosen(plan_name: str | None, params: Path | None, pairs: list[str] | None) -> "Plan | Design":
    """Return the plan that the options of a command give."""
    from rramkit.characterization.design import find_design
    from rramkit.characterization.plan import Plan

    if plan_name is None:
        return parameters(Plan, params, pairs)
    if params is not None or pairs:
        raise InputError("`--plan` and `--params` or `--set` exclude each other: change the plan's own file.")
    return find_design(plan_name)


def say(tables: "TableFile", output: Path, *, json: bool) -> None:
    """Print the residuals and what it took; exit 1 when a table misses its limits."""
    from rramkit.characterization.limits import all_broken, data_sheet

    held_out = residuals.of_tables(tables)
    if json:
        spice = {key: int(tables.provenance.get(f"spice_{key}", "0")) for key in COUNTS}
        shown = {"tables": str(output), "spice": spice, "surrogate": residuals.as_json(held_out)}
        typer.echo(strict_json.text(shown, indent=1))
    else:
        residuals.show(residuals.as_grid(held_out, "Held-out SPICE points against the tables"))
        sheet = data_sheet(tables)
        if sheet:
            console().print(as_grid(sheet))
        typer.echo(f"{output}: {counts_of(tables.provenance)}")
    outside = all_broken(tables)
    for line in outside:
        typer.echo(f"outside its limits: {line}", err=True)
    if outside or not all(points.passed for points in held_out.values()):
        raise typer.Exit(1)


def counts_of(provenance: Mapping[str, str]) -> str:
    """Return one line about the runs behind a table file."""
    from rramkit.characterization.engine.runner import retries

    runs, swept, reused, failed = (provenance[f"spice_{key}"] for key in ("runs", "points", "reused", "failed"))
    again = retries(int(provenance.get("spice_retried", "0")), int(provenance.get("spice_alone", "0")))
    parts = [
        f"{runs} points in ngspice, {swept} with their sweeps",
        f"{float(provenance['spice_seconds']):.1f} s in it",
    ]
    parts += [f"{reused} of them already finished"] if int(reused) else []
    parts += [again] if again else []
    parts += [f"{failed} failed and masked"] if int(failed) else []
    parts += cells_of(provenance)
    return ", ".join(parts)


def cells_of(provenance: Mapping[str, str]) -> list[str]:
    """Return whether the device models of the kit ran compiled, for a person; nothing where none ran."""
    import json

    from rramkit.characterization.run import COMPILED_CELLS

    compiled = sorted(json.loads(provenance.get(COMPILED_CELLS, "{}")))
    if compiled:
        return [f"cells compiled from {', '.join(compiled)}"]
    behavioural = any(name.startswith("rram_") for name in json.loads(provenance.get("models", "{}")))
    return ["cells in behavioural sources"] if behavioural else []


if TYPE_CHECKING:
    from rramkit.characterization.limits import DataSheetLine


def as_grid(lines: "Sequence[DataSheetLine]") -> Grid:
    """Return a terminal table: measure, smallest, median and largest value, each with its limit in brackets."""
    grid = Grid(
        title=escape("Measures over all points [limit]"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0)
    )
    for name in ("measure", "min", "median [typ]", "max", "verdict"):
        grid.add_column(name, justify="left" if name in ("measure", "verdict") else "right", no_wrap=True)
    for line in lines:
        low, high = line.limit.min, line.limit.max
        passed = (low is None or line.low >= low) and (high is None or line.high <= high)
        values = ((line.low, low), (line.middle, line.limit.typ), (line.high, high))
        verdict = "[green]pass[/]" if passed else "[bold red]FAIL[/]"
        grid.add_row(line.name, *(_cell(value, limit, line.unit) for value, limit in values), verdict)
    return grid


def _cell(value: float, limit: float | None, unit: str) -> str:
    return _short(value, unit) + ("" if limit is None else escape(f" [{_short(limit, unit)}]"))


def _short(value: float, unit: str) -> str:
    scale, label = units.prefixed(value, unit)
    return f"{value / scale:.3g} {label}".strip()
