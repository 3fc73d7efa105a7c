"""`rramkit prove`: whole test images of a trained run through ngspice, against the tables."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import CompiledCells, Libraries, Timeout, form_named, name_libraries
from rramkit.cli.progress import spice_progress
from rramkit.files import check_writable

if TYPE_CHECKING:
    from rramkit.proof.prove import Proof


def prove(
    run: Annotated[Path, typer.Argument(help="Run file, written by `rramkit train`.", metavar="RUN.h5")],
    images: Annotated[int, typer.Option("--images", help="Test images, drawn at random.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Seed that draws the images.", min=0)] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture of where they differ; default: beside the run.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Run on the workers of this Dask scheduler, not here.", metavar="ADDRESS"),
    ] = None,
    timeout: Timeout = 1800.0,
    compiled_cells: CompiledCells = None,
    library: Libraries = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Decide whole images layer by layer in ngspice, and say how often the tables decide alike, with a bound.

    Cells, wires, row drivers, line switches and readouts are transistors; each ADC has the levels and offsets that were
    drawn for it. Finished runs of ngspice are kept beside the run file: the same command resumes there.
    """
    from rramkit import record
    from rramkit.characterization.run import RunOptions
    from rramkit.proof.prove import prove as decide
    from rramkit.proof.prove import store_path

    name_libraries(library)
    cells = "auto" if compiled_cells is None else form_named(compiled_cells)
    picture = output or run.with_name(f"{run.stem}_proof.png")
    check_writable(picture, keep=(run,))
    with spice_progress(quiet=quiet or json) as show:
        options = RunOptions(workers=workers, scheduler=scheduler, timeout=timeout, report=show)
        proof = decide(record.load(run), images, store_path(run), seed=seed, options=options, compiled_cells=cells)
    _draw(proof, picture)
    if json:
        typer.echo(strict_json.text(as_json(proof), indent=1))
        return
    typer.echo(proof.agreement.statement())
    typer.echo(_steps(proof))
    again = f", {proof.retried} retried" if proof.retried else ""
    typer.echo(f"{picture} ({proof.runs} runs of ngspice, {proof.seconds:.0f} s in it{again})")
    typer.echo(f"Cells: {proof.cell}")


def as_json(proof: "Proof") -> dict[str, object]:
    """Return the outcome as plain values."""
    from rramkit.proof.spice_tile import steps_of

    agreement = proof.agreement
    spice, tile = agreement.accuracies
    return {
        "images": agreement.total,
        "different": [int(proof.images[k]) for k in agreement.differing],
        "bound_95": agreement.bound,
        "accuracy_spice": spice,
        "accuracy_tables": tile,
        "mcnemar_p": agreement.p_value,
        "steps": dict(steps_of(proof.differences)),
        "cells": asdict(proof.cell),
        "spice_runs": proof.runs,
        "spice_retried": proof.retried,
        "spice_seconds": proof.seconds,
    }


def _steps(proof: "Proof") -> str:
    from rramkit.proof.spice_tile import steps_of

    figures = dict(steps_of(proof.differences))
    return (
        f"Array outputs, ngspice less tables, {proof.differences.size} of them: {100 * figures['within 1 step']:.2f} % "
        f"within 1 step of the ADC, rms {figures['rms']:.2f}, largest {figures['largest']:.0f} steps."
    )


def _draw(proof: "Proof", path: Path) -> None:
    from rramkit import plots

    plots.save(lambda ax: plots.margins(ax, proof.scores_tile, proof.scores_spice, proof.agreement.truth), path)
