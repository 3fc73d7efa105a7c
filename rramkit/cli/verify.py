"""`rramkit verify`: fresh SPICE points, or an older file, against a table file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import failed_deck, residuals, strict_json
from rramkit.cli.options import (
    CompiledCells,
    Libraries,
    TablesArgument,
    TablesNamed,
    Timeout,
    form_named,
    name_libraries,
    table_file,
)
from rramkit.cli.progress import spice_progress
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.characterization.engine.runner import RunCounts
    from rramkit.circuits.compiled_cell import Form
    from rramkit.table import TableFile


def verify(
    argument: TablesArgument = None,
    seed: Annotated[int, typer.Option(help="Seed of the fresh points; the plan's own seed is refused.", min=0)] = 1,
    points: Annotated[int, typer.Option(help="Fresh points for each table.", min=4, max=10000)] = 40,
    golden: Annotated[
        Path | None, typer.Option(help="An older table file to compare with instead; needs no SPICE.", metavar="OLD.h5")
    ] = None,
    system: Annotated[
        bool,
        typer.Option(
            "--system",
            help="Whole arrays with their periphery instead, at three corners; the outcome is stored in the file.",
        ),
    ] = False,
    compiled_cells: CompiledCells = None,
    workers: Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)] = None,
    timeout: Timeout = 120.0,
    library: Libraries = None,
    named: TablesNamed = None,
    json: Annotated[bool, typer.Option("--json", help="Print the residuals as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Run fresh points in ngspice, drawn inside the valid range, and compare them with the tables; exit 1 on a miss."""
    from rramkit import table

    form = None if compiled_cells is None else form_named(compiled_cells)
    if form is not None and not system:
        raise InputError(
            "`--compiled-cells` goes with `--system`: fresh points have the cells of the file's own plans. Leave it "
            "out, or add `--system`."
        )
    tables = table_file(argument, named)
    file = table.load(tables)
    if golden is not None:
        _against(file, tables, golden, json=json)
        return
    from rramkit.characterization.engine.runner import RunCounts
    from rramkit.characterization.verify import verify as run

    name_libraries(library)
    if system:
        form = form or "auto"
        _system(file, tables, seed, form=form, workers=workers, timeout=timeout, json=json, quiet=quiet)
        return
    tally = RunCounts()
    with failed_deck.kept_beside(tables), spice_progress(quiet=quiet or json) as show:
        fresh = run(file, seed=seed, points=points, workers=workers, timeout=timeout, report=show, tally=tally)
    if json:
        shown = {"tables": str(tables), "seed": seed, "spice": _counts(tally), "surrogate": residuals.as_json(fresh)}
        typer.echo(strict_json.text(shown, indent=1))
    else:
        residuals.show(residuals.as_grid(fresh, f"Fresh SPICE points (seed {seed}) against {tables}"))
        _say_retries(tally)
    if not all(points.passed for points in fresh.values()):
        raise typer.Exit(1)


def _counts(tally: "RunCounts") -> dict[str, int]:
    return {"runs": tally.runs, "retried": tally.retried, "alone": tally.alone, "failed": tally.failed}


def _say_retries(tally: "RunCounts") -> None:
    if tally.retried:
        typer.echo(f"{tally.runs} points in ngspice, {tally.retries()}")


def _against(file: "TableFile", tables: Path, golden: Path, *, json: bool) -> None:
    """Compare two files quantity by quantity; exit 1 when one misses its limit or cannot be compared."""
    from rramkit import table
    from rramkit.table.compare import compare

    comparison = compare(file, table.load(golden))
    if json:
        shown = {"tables": str(tables), "golden": str(golden), "complaints": list(comparison.complaints)}
        typer.echo(strict_json.text({**shown, "surrogate": residuals.as_json(comparison.quantities)}, indent=1))
    else:
        residuals.show(residuals.as_grid(comparison.quantities, f"{tables} against {golden}"))
        for complaint in comparison.complaints:
            typer.echo(complaint)
    if not comparison.passed:
        raise typer.Exit(1)


def _system(
    file: "TableFile",
    path: Path,
    seed: int,
    *,
    form: "Form",
    workers: int | None,
    timeout: float,
    json: bool,
    quiet: bool,
) -> None:
    """Check whole arrays at each condition, store the outcome in the file, and print it; exit 1 on a miss."""
    from dataclasses import asdict

    from rramkit import table
    from rramkit.characterization.design import plans_of, waived_by
    from rramkit.characterization.engine.pool import SpicePool
    from rramkit.characterization.engine.runner import RunCounts, Runner
    from rramkit.proof.system import cells_used, check_system, conditions_of, with_checks

    cells = cells_used(file.nominal(), form)
    checks, joined, tally = {}, {}, RunCounts()
    waive = waived_by(plans_of(file.provenance))
    with (
        failed_deck.kept_beside(path),
        spice_progress(quiet=quiet or json) as show,
        SpicePool(workers=workers, timeout=timeout) as pool,
    ):
        for name, tables in conditions_of(file):
            runner = Runner(pool, show, 0.0, waive=waive, tally=tally)
            found = check_system(tables, runner, seed=seed, compiled_cells=form)
            checks |= {f"{signal}, {name}": each for signal, each in found.items()}
            joined[name] = found
    table.save(with_checks(file, joined, cells), path)
    if json:
        used = {name: asdict(each) for name, each in cells.items()}
        shown = {"tables": str(path), "seed": seed, "cells": used, "spice": _counts(tally)}
        typer.echo(strict_json.text({**shown, "system": residuals.as_json(checks)}, indent=1))
    else:
        residuals.show(residuals.as_grid(checks, f"Whole arrays in ngspice (seed {seed}) against {path}"))
        typer.echo(f"Cells: {', '.join(f'{name} {each}' for name, each in cells.items())}")
        _say_retries(tally)
    if not all(points.passed for points in checks.values()):
        raise typer.Exit(1)
