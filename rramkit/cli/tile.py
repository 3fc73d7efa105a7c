"""`rramkit tile`: program a matrix into tiles of a table file, read vectors, compare the currents with references."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from rramkit import files, units
from rramkit.cli import strict_json
from rramkit.cli.chip import ChipOptions, listed, load_tables, on_chip
from rramkit.cli.options import (
    Libraries,
    ParameterFile,
    ParameterPairs,
    TablesArgument,
    TablesNamed,
    Timeout,
    name_libraries,
    parameters,
    say_replaced,
    table_file,
)
from rramkit.cli.progress import spice_progress, stage
from rramkit.cli.rows import rows
from rramkit.errors import InputError, one_line

if TYPE_CHECKING:
    from rramkit.array.exact import Solver
    from rramkit.array.read import Reading
    from rramkit.array.read_model import ReadModel
    from rramkit.array.tile_grid import TileGrid
    from rramkit.array.write.program import ProgramCost
    from rramkit.learning.chip import Chip
    from rramkit.table import TableFile

_SIZE = (16, 8)  # rows and pairs of a random target (1): ngspice solves it in a second


@on_chip
def tile(
    options: ChipOptions,
    /,
    argument: TablesArgument = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", "-i", help="Voltages, one vector a row (CSV or NPY), in volts; default: random."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--target", "-t", help="Matrix from -1 to 1 (CSV or NPY) to program; default: random."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the currents here (CSV or NPY), in amperes.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture of the errors.", metavar="FILE.png")] = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Fail where the table file characterises no read stage.", hidden=True)
    ] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Drive the bit lines and sense the rows.")] = False,
    wires: Annotated[bool, typer.Option("--wires/--no-wires", help="With the table's wires, or ideal ones.")] = True,
    pulses: Annotated[
        bool, typer.Option("--pulses/--exactly", help="Program the cells by one pulse each, or set them exactly.")
    ] = True,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with the exact solution of the wires.")] = False,
    ngspice: Annotated[bool, typer.Option("--ngspice", help="Compare with ngspice, the whole array.")] = False,
    named: TablesNamed = None,
    timeout: Timeout = 3600.0,
    library: Libraries = None,
    vectors: Annotated[int, typer.Option("--vectors", help="Random vectors.", min=1, max=1_000_000)] = 8,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every random choice.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Program a matrix into tiles, read vectors through them, and print the error against the ideal product.

    Every stage that the table file characterises is on, unless `--off` or `--ideal-periphery` says otherwise.

    `--params` and `--set` describe the read chain: row_driver, read_noise, telegraph, line_switch, clamp, readout, adc,
    subtraction. For instance: --set adc.bits=8 --set row_driver.levels=256
    """
    # Imported here, not above: the other commands start without them.
    from rramkit.array import ArrayModel, ReadChain, TileGrid, TileRng, UpdateParams, WriteVerify, program_matrix
    from rramkit.array.compare import ideal_currents, reference_currents
    from rramkit.learning.chip import Chip

    tables = table_file(argument, named)
    for path in (output, plot):
        if path is not None:
            files.check_writable(path, keep=(tables, inputs, target, params))
            say_replaced(path, quiet=quiet or json)
    if plot is not None:
        from rramkit.plots.canvas import check_picture  # here: without a picture a tile needs no matplotlib

        check_picture(plot)
    settings = options.chip()
    if ngspice and not (settings.condition.is_nominal and settings.write_condition.is_nominal):
        raise InputError(
            "`--ngspice` solves the array at the nominal condition only; got another corner, temperature or supply. "
            "Remove that option, or pass `--exact` instead of `--ngspice`."
        )
    taken = settings.tables(load_tables(tables, settings, quiet=quiet or json))
    typed, mean = parameters(ReadChain, params, pairs), UpdateParams(cycles=False)
    chip = Chip.of(taken, settings, chain=typed, update=mean, wires=wires)
    if blocks:
        _check_characterised(tables, chip)
    file, model = taken.read, ArrayModel(taken.read, wires=chip.wires, chain=chip.chain)
    rng = np.random.default_rng(seed)
    weight = rng.uniform(-1.0, 1.0, _SIZE) if target is None else _load_target(target)
    loop = WriteVerify.from_tables(taken.write, chip.verify, chip.update)
    method = "pulse" if pulses else "exact"
    stage("programming the matrix")
    done = program_matrix(weight, loop, method=method, w_max=1.0, rng=np.random.default_rng((seed, 3)))
    shape = TileGrid.shape_of(done.cells.g_cell, model)
    grid = TileGrid.of(done.cells.g_cell, model, rng=TileRng.seeded((seed, 1), shape))
    v_max, lines = (model.cells.v_backward, grid.pairs) if backward else (model.cells.v_forward, grid.rows)
    v = rng.uniform(-v_max, v_max, (vectors, lines)) if inputs is None else _load_matrix(inputs, "inputs")
    stage("reading the vectors")
    started = time.perf_counter()
    reading = (grid.backward if backward else grid.forward)(v, rng=TileRng.seeded((seed, 2), shape))
    seconds = time.perf_counter() - started
    references = {"product": ideal_currents(grid, v, backward=backward)}
    if exact or ngspice:
        name_libraries(library)
        stage("solving the wires")
        with _solvers(file, model, exact=exact, ngspice=ngspice, timeout=timeout, quiet=quiet) as solvers:
            references |= reference_currents(grid, v, solvers, backward=backward)
    if output is not None:
        _save_matrix(output, reading.i)
    if plot is not None:
        from rramkit.plots.tile import save_error_map

        with files.whole_file(plot) as draft:
            save_error_map(draft, done.error, reading.i, references, kind=plot.suffix.removeprefix("."))
    outcome = _outcome(grid, done.cost, reading, references, seconds=seconds)
    outcome["stages"] = {each.stage: each.source for each in chip.sources}
    typer.echo(strict_json.text(outcome) if json else f"{_summary(outcome)}\n{listed(chip.sources)}")
    for path in (output, plot):
        if path is not None:
            typer.echo(path, err=json)


def _check_characterised(path: Path, chip: "Chip") -> None:
    """Raise `InputError` where no stage of reads is from the table file, cells and wires apart."""
    stages = chip.chain.origins()
    if not any(each.from_table for each in chip.sources if each.stage in stages):
        raise InputError(
            f"{path}: holds no table of a read stage, which `--blocks` needs. Leave it out, or regenerate the file "
            "with `rramkit characterize --plan design`."
        )


def _outcome(
    grid: "TileGrid", cost: "ProgramCost", reading: "Reading", references: dict[str, np.ndarray], *, seconds: float
) -> dict[str, Any]:
    """Return the outcome by name, in SI units; errors are over the largest current of the reference."""
    from rramkit.array.compare import ReadError

    return {
        "rows": grid.rows,
        "pairs": grid.pairs,
        "tiles": list(grid.shape),
        "vectors": int(reading.i.shape[0]),
        "write": {name: getattr(cost, name) for name in ("pulses", "energy", "error_rms", "error_max")},
        "read": {"energy": reading.energy, "duration": reading.duration, "seconds": seconds},
        "error": {name: asdict(ReadError.of(reading.i, i)) for name, i in references.items()},
        "clamped": {
            "written": cost.clamped,
            "cells": grid.clamped,
            "inputs": reading.clamped - reading.beyond,
            "currents": reading.beyond,
        },
    }


def _load_target(path: Path) -> np.ndarray:
    """Read the matrix to program, whose values are weights from -1 to 1."""
    matrix = _load_matrix(path, "target")
    largest = float(np.abs(matrix).max())
    if largest > 1.0:
        raise InputError(
            f"{path}: `--target` must hold values from -1 to 1; got {largest:g}. Divide it by {largest:g}."
        )
    return matrix


def _load_matrix(path: Path, name: str) -> np.ndarray:
    """Read a matrix from CSV or NPY; a single row is a matrix of one row.

    Raises
    ------
    InputError
        When the file is not there, or holds no matrix of finite numbers.
    """
    try:
        matrix = _mapped(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Pass a CSV or NPY file.") from error
    except (ValueError, TypeError, EOFError, MemoryError, SyntaxError) as error:
        raise InputError(one_line(f"{path}: not a table of numbers ({error}). Pass a CSV or NPY file.")) from error
    matrix = np.atleast_2d(matrix)
    if matrix.ndim != 2 or not matrix.size or matrix.dtype.kind not in "iuf" or not np.all(np.isfinite(matrix)):
        raise InputError(f"{path}: `{name}` must be a matrix of finite numbers; got {matrix.shape}. Fix the file.")
    return matrix.astype(float)


def _mapped(path: Path) -> np.ndarray:
    """Return the array of an NPY file, mapped: a header that claims more than the file holds is then an error."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _save_matrix(path: Path, matrix: np.ndarray) -> None:
    """Write a matrix as CSV, or as NPY where the name ends in it."""
    with files.whole_file(path) as draft:
        if path.suffix == ".npy":
            with draft.open("wb") as stream:
                np.save(stream, matrix)
        else:
            np.savetxt(draft, matrix, delimiter=",")


@contextmanager
def _solvers(
    file: "TableFile", model: "ReadModel", *, exact: bool, ngspice: bool, timeout: float, quiet: bool
) -> "Iterator[dict[str, Solver]]":
    """Give the references by name; ngspice runs until the end of the context."""
    from rramkit.array.compare import exact_solver

    solvers: dict[str, Solver] = {"exact": exact_solver(model)} if exact else {}
    if not ngspice:
        yield solvers
        return
    from rramkit.characterization.spice_arrays import spice_arrays

    with spice_progress(quiet=quiet) as report, spice_arrays(file, timeout=timeout, report=report) as arrays:
        yield {**solvers, "ngspice": arrays.solve}


def _summary(outcome: dict[str, Any]) -> str:
    write, read, tiles = outcome["write"], outcome["read"], outcome["tiles"]
    shown = [
        ("matrix", f"{outcome['rows']} x {outcome['pairs']} pairs on {tiles[0]} x {tiles[1]} tiles"),
        (
            "programmed",
            f"{units.count(write['pulses'], 'pulse')}, {units.text(write['energy'], 'J')}; error "
            f"{units.percent(write['error_rms'])} rms, {units.percent(write['error_max'])} max of the range",
        ),
        (
            "read",
            f"{units.count(outcome['vectors'], 'vector')}, {units.text(read['energy'], 'J')}, "
            f"{units.text(read['duration'], 's')} in the array, {units.text(read['seconds'], 's')} here",
        ),
    ]
    for name, error in outcome["error"].items():
        rms, largest = units.percent(error["rms"]), units.percent(error["max"])
        shown.append((f"against {name}", f"{rms} rms, {largest} max of {units.text(error['full_scale'], 'A')}"))
    clamped = ", ".join(f"{units.count(number)} {name}" for name, number in outcome["clamped"].items())
    shown.append(("clamped", f"{clamped}: held at the edge of a range"))
    return rows(shown, width=16)
