"""`rramkit tile`: a matrix in the cells of tiles from a table file: written, read, and compared."""

import json as json_format
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from rramkit import files, units
from rramkit.cli.options import ParameterFile, ParameterPairs, parameters
from rramkit.cli.progress import spice_progress
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.array import Reading, TileGrid
    from rramkit.table import TableFile

_SIZE = (16, 8)  # rows and pairs of a random target (1): what ngspice solves in a second


def tile(
    tables: Annotated[Path, typer.Argument(help="Table file, made by `rramkit characterize`.")],
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", "-i", help="Voltages, one vector a row (CSV or NPY), in volts; default: random."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--target", "-t", help="Matrix from -1 to 1 (CSV or NPY) to hold in the cells; default: random."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the currents here (CSV or NPY), in amperes.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture of the errors.", metavar="FILE.png")] = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="With the converters that the table file characterises.")
    ] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Drive the bit lines and sense the rows.")] = False,
    wires: Annotated[bool, typer.Option("--wires/--no-wires", help="With the table's wires, or none.")] = True,
    pulses: Annotated[
        bool, typer.Option("--pulses/--exactly", help="Write the cells by one pulse each, or as if by magic.")
    ] = True,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with the exact solution of the wires.")] = False,
    ngspice: Annotated[bool, typer.Option("--ngspice", help="Compare with ngspice, the whole array.")] = False,
    vectors: Annotated[int, typer.Option("--vectors", help="Random vectors.", min=1, max=1_000_000)] = 8,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every random choice.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Hold a matrix in tiles, read vectors through them, and say how far that is from the product.

    `--params` and `--set` describe the read chain: dac, mux, clamp, converter, noise, telegraph, subtraction. For
    instance: --set converter.bits=8 --set dac.levels=256
    """
    from rramkit import table  # here, not above: the other commands start without them
    from rramkit.array import ArrayModel, ReadChain, TileGrid, TileRng, characterised_chain

    for path in (output, plot):
        if path is not None:
            files.check_writable(path, keep=(tables, inputs, target, params))
    _check_picture(plot)
    found = table.load(tables)
    chain = parameters(ReadChain, params, pairs)
    model = ArrayModel.from_tables(found, wires=wires, chain=characterised_chain(found, chain) if blocks else chain)
    rng = np.random.default_rng(seed)
    weight = _matrix(target, "target") if target is not None else rng.uniform(-1.0, 1.0, _SIZE)
    written = _written(found, weight, pulses=pulses)
    shape = TileGrid.shape_of(written.g_cell, model)
    grid = TileGrid.of(written.g_cell, model, rng=TileRng.seeded((seed, 1), shape))
    v = _voltages(inputs, grid, rng, vectors, backward=backward)
    started = time.perf_counter()
    reading = (grid.backward if backward else grid.forward)(v, rng=TileRng.seeded((seed, 2), shape))
    seconds = time.perf_counter() - started
    ideal = v @ (_pair(written.g_cell).T if backward else _pair(written.g_cell))
    others = {
        "product": ideal,
        **_references(found, grid, v, backward=backward, exact=exact, spice=ngspice, quiet=quiet),
    }
    if output is not None:
        _save(output, reading.i)
    if plot is not None:
        _draw(plot, written, reading, others)
    outcome = _outcome(grid, written, reading, others, seconds=seconds)
    typer.echo(json_format.dumps(outcome) if json else _summary(outcome))
    for path in (output, plot):
        if path is not None:
            typer.echo(path, err=json)


@dataclass(frozen=True)
class _Written:
    """What a target became: conductances wanted and reached (2, N, M) in siemens, pulses, energy (J), clamps."""

    wanted: np.ndarray
    g_cell: np.ndarray
    pulses: int = 0
    energy: float = 0.0
    clamped: int = 0


def _written(found: "TableFile", weight: np.ndarray, *, pulses: bool) -> _Written:
    """Return the matrix in pairs about the middle of the range that both write tables share."""
    from rramkit.array import Writer
    from rramkit.array.mapping import Pairs

    writer = Writer.from_tables(found)
    low, high = writer.g_range
    wanted = np.asarray(Pairs(g_low=low, g_high=high).targets(weight))
    if not pulses:
        return _Written(wanted, wanted)
    start = np.full(wanted.size, low)
    v_pulse, _ = writer.set.nearest(start, wanted.ravel() - low)
    pulse = writer.set.fire(start, v_pulse)
    energy = float(np.sum(pulse.energy))
    return _Written(wanted, pulse.g_cell.reshape(wanted.shape), wanted.size, energy, pulse.clamped)


def _voltages(
    path: Path | None, grid: "TileGrid", rng: np.random.Generator, vectors: int, *, backward: bool
) -> np.ndarray:
    cells, lines = grid.model.cells, grid.pairs if backward else grid.rows
    v_max = cells.v_backward if backward else cells.v_forward
    return _matrix(path, "inputs") if path is not None else rng.uniform(-v_max, v_max, (vectors, lines))


def _references(
    found: "TableFile", grid: "TileGrid", v: np.ndarray, *, backward: bool, exact: bool, spice: bool, quiet: bool
) -> dict[str, np.ndarray]:
    """Return what other ways say the currents are: one array alone, without the read chain."""
    from rramkit.array.physical import exact_solver, signed_read

    others: dict[str, np.ndarray] = {}
    if (exact or spice) and grid.shape != (1, 1):
        raise InputError(
            f"`--exact` and `--ngspice` compare one array; this matrix takes {grid.shape[0]} x {grid.shape[1]} tiles. "
            "Take a smaller target."
        )
    if exact:
        others["exact"] = signed_read(grid.g_cell, v, exact_solver(grid.model), backward=backward)
    if spice:
        from rramkit.characterization.spice_arrays import spice_arrays

        with spice_progress(quiet=quiet) as report, spice_arrays(found, report=report) as arrays:
            others["ngspice"] = signed_read(grid.g_cell, v, arrays.solve, backward=backward)
    return others


def _pair(g_cell: np.ndarray) -> np.ndarray:
    return g_cell[0] - g_cell[1]


def _matrix(path: Path, name: str) -> np.ndarray:
    """Read a matrix from CSV or NPY; a single row is a matrix of one row."""
    try:
        found = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Give a CSV or NPY file.") from error
    except ValueError as error:
        raise InputError(f"{path}: not a table of numbers ({error}). Give a CSV or NPY file.") from error
    found = np.atleast_2d(found)
    if found.ndim != 2 or not found.size or found.dtype.kind not in "iuf" or not np.all(np.isfinite(found)):
        raise InputError(f"{path}: `{name}` must be a matrix of finite numbers; got {found.shape}. Mend the file.")
    return found.astype(float)


def _save(path: Path, i: np.ndarray) -> None:
    with files.whole_file(path) as draft:
        if path.suffix == ".npy":
            with draft.open("wb") as stream:
                np.save(stream, i)
        else:
            np.savetxt(draft, i, delimiter=",")


def _check_picture(path: Path | None) -> None:
    if path is not None:
        from rramkit.characterization.plots import check_picture

        check_picture(path)


def _draw(path: Path, written: _Written, reading: "Reading", others: dict[str, np.ndarray]) -> None:
    from rramkit.plots.tile import save_error_map

    error = _pair(written.g_cell) - _pair(written.wanted)
    with files.whole_file(path) as draft:
        save_error_map(draft, error, reading.i, others, kind=path.suffix.removeprefix("."))


def _outcome(
    grid: "TileGrid", written: _Written, reading: "Reading", others: dict[str, np.ndarray], *, seconds: float
) -> dict[str, object]:
    """Return what came out by name, in SI units; errors are over the largest current of the reference."""
    missed = _pair(written.g_cell) - _pair(written.wanted)
    span = grid.model.cells.g_span
    errors = {}
    for name, other in others.items():
        error, full_scale = reading.i - other, float(np.max(np.abs(other))) or 1.0
        errors[name] = {
            "rms": float(np.sqrt(np.mean(error**2))) / full_scale,
            "max": float(np.max(np.abs(error))) / full_scale,
            "full_scale": full_scale,
        }
    return {
        "rows": grid.rows,
        "pairs": grid.pairs,
        "tiles": list(grid.shape),
        "vectors": int(reading.i.shape[0]),
        "write": {
            "pulses": written.pulses,
            "energy": written.energy,
            "error_rms": float(np.sqrt(np.mean(missed**2))) / span,
            "error_max": float(np.max(np.abs(missed))) / span,
        },
        "read": {"energy": reading.energy, "duration": reading.duration, "seconds": seconds},
        "error": errors,
        "clamped": {
            "written": written.clamped,
            "cells": grid.clamped,
            "inputs": reading.clamped - reading.beyond,
            "currents": reading.beyond,
        },
    }


def _summary(outcome: dict[str, object]) -> str:
    write, read, errors, clamped = (outcome[name] for name in ("write", "read", "error", "clamped"))
    assert isinstance(write, dict) and isinstance(read, dict) and isinstance(errors, dict) and isinstance(clamped, dict)
    tiles = outcome["tiles"]
    assert isinstance(tiles, list)
    rows = [
        ("matrix", f"{outcome['rows']} x {outcome['pairs']} pairs on {tiles[0]} x {tiles[1]} tiles"),
        (
            "written",
            f"{units.count(write['pulses'])} pulses, {units.text(write['energy'], 'J')}; missed by "
            f"{units.percent(write['error_rms'])} rms, {units.percent(write['error_max'])} max of the range",
        ),
        (
            "read",
            f"{units.count(float(str(outcome['vectors'])))} vectors, {units.text(read['energy'], 'J')}, "
            f"{units.text(read['duration'], 's')} in the array, {units.text(read['seconds'], 's')} here",
        ),
    ]
    for name, error in errors.items():
        rows.append(
            (
                f"against {name}",
                f"{units.percent(error['rms'])} rms, {units.percent(error['max'])} max of "
                f"{units.text(error['full_scale'], 'A')}",
            )
        )
    held = ", ".join(f"{units.count(number)} {name}" for name, number in clamped.items())
    rows.append(("clamped", f"{held}: held at the edge of a range"))
    return "\n".join(f"{name:<16} {value}" for name, value in rows)
