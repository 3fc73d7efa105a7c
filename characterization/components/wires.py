"""The wires of an array: the four resistances of the fast wire model, fitted to ngspice reads of whole 1T1R arrays.

The fit sees arrays of one size in both directions; held out are other arrays of that size and one of the largest size,
in both directions. The four numbers come back near the netlist's own resistances, which is a check of the model; the
fit lets them absorb what the model leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from rramkit.array.cell_current import CellCurrent
from rramkit.array.wires import RESISTANCES, effective_conductance
from rramkit.characterization.components.cell import CELL_READ, CellReadParams, StateMap
from rramkit.characterization.engine.component import Component, FitRun, FittedTable, Signal, Values
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.fits.estimate import Start, estimate
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.cell import ReadParams
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, static_reads
from rramkit.circuits.deck import Deck
from rramkit.circuits.wires import T_REF
from rramkit.parameters import Parameters, quantity
from rramkit.table import Fit, HeldOut, Quantity, Table

Direction = Literal["forward", "backward"]
SIGNAL = "i_array"
_ZEROS = 0.3  # of the inputs are 0 V: inputs of a network often are


class WireParams(Parameters):
    """Arrays that are read to fit the wire model, and others to check it."""

    crossbar: CrossbarParams = CrossbarParams(rows=32, cols=32)
    read: ReadParams = ReadParams()
    r_drive: float = quantity(
        50.0, "ohm", "output resistance of a row's read driver, or of its sense input", ge=0, le=1e5
    )
    r_sense: float = quantity(50.0, "ohm", "input resistance of a column's sense input, or of its driver", ge=0, le=1e5)
    g_min: float = quantity(4e-6, "S", "lowest conductance of a cell", ge=1e-7, le=1e-4)
    g_max: float = quantity(80e-6, "S", "highest conductance of a cell", ge=1e-6, le=1e-3)
    fit_arrays: int = quantity(3, "1", "arrays of the size of `crossbar` that the fit sees", ge=1, le=100)
    held_out_arrays: int = quantity(2, "1", "arrays of the size of `crossbar` that the fit never sees", ge=1, le=100)
    rows_max: int = quantity(65, "1", "rows of the largest array, which the fit never sees", ge=1, le=512)
    cols_max: int = quantity(96, "1", "columns of the largest array, which the fit never sees", ge=1, le=512)
    vectors: int = quantity(8, "1", "input vectors for each array", ge=2, le=1000)

    @property
    def r_row(self) -> float:
        """Return the resistance of a segment of a row's wire in the netlist [ohm]."""
        return self.crossbar.segment("row").r

    @property
    def r_col(self) -> float:
        """Return the resistance of a segment of a column's wire in the netlist [ohm]."""
        return self.crossbar.segment("col").r


@dataclass(frozen=True)
class ArrayInput:
    """One array to be read: conductances (R, C) [S], inputs (R or C, B) [V]."""

    direction: Direction
    g_cell: np.ndarray
    v_in: np.ndarray


@dataclass(frozen=True)
class ArrayRead:
    """One array read by ngspice: conductances (R, C) [S], inputs (R or C, B) [V], currents (C or R, B) [A]."""

    direction: Direction
    g_cell: np.ndarray
    v_in: np.ndarray
    i_out: np.ndarray


def array_currents(waves: Waveforms, outputs: tuple[str, ...]) -> np.ndarray:
    """Return the currents (N, B) [A] of an array's N `outputs` at the B points of its sweep."""
    return np.stack([waves[name] for name in outputs])


def random_patterns(params: WireParams, rng: np.random.Generator, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Return uniform random conductances (R, C) [S] within the window for each size."""
    return [rng.uniform(params.g_min, params.g_max, size) for size in sizes]


def inputs_of(params: WireParams, rng: np.random.Generator, patterns: Sequence[np.ndarray]) -> list[ArrayInput]:
    """Return reads of arrays of given conductances (R, C) [S] at random inputs, each in both directions."""
    inputs = []
    for g in patterns:
        for direction in ("forward", "backward"):
            driven = g.shape[0] if direction == "forward" else g.shape[1]
            v_in = rng.uniform(0, params.read.v_max, (driven, params.vectors))
            v_in[rng.uniform(size=v_in.shape) < _ZEROS] = 0.0
            inputs.append(ArrayInput(direction, g, v_in))
    return inputs


def array_inputs(params: WireParams, seed: int) -> tuple[list[ArrayInput], list[ArrayInput]]:
    """Return the array reads that the fit sees, and those that it never sees."""
    rng, size = np.random.default_rng([seed, 4]), (params.crossbar.rows, params.crossbar.cols)
    largest = (params.rows_max, params.cols_max)
    seen = inputs_of(params, rng, random_patterns(params, rng, [size] * params.fit_arrays))
    sizes = [*[size] * params.held_out_arrays, largest]
    return seen, inputs_of(params, rng, random_patterns(params, rng, sizes))


def array_params(params: WireParams, shape: tuple[int, int], direction: Direction) -> CrossbarReadParams:
    """Return the parameters of a read of an array of a size."""
    bar = params.crossbar.model_copy(update={"rows": shape[0], "cols": shape[1]})
    return CrossbarReadParams(
        crossbar=bar, read=params.read, direction=direction, r_drive=params.r_drive, r_sense=params.r_sense
    )


def array_run(params: WireParams, states: StateMap, each: ArrayInput) -> FitRun:
    """Return the run of one array read."""
    rows, cols = each.g_cell.shape
    bench = array_params(params, (rows, cols), each.direction)
    return FitRun(
        partial(_array_deck, bench, states, each),
        partial(array_currents, outputs=bench.sense_outputs),
        f"{rows} x {cols} {each.direction}",
    )


def _array_deck(bench: CrossbarReadParams, states: StateMap, each: ArrayInput) -> Deck:
    return static_reads(bench, states.state_of(each.g_cell), each.v_in)


def reads_of(pairs: Sequence[tuple[ArrayInput, np.ndarray]]) -> list[ArrayRead]:
    """Return array reads with their currents."""
    return [ArrayRead(each.direction, each.g_cell, each.v_in, i_out) for each, i_out in pairs]


def wire_table(
    name: str, params: WireParams, pairs: Sequence[tuple[ArrayInput, np.ndarray]], others: Mapping[str, Table]
) -> Table:
    """Fit the wire model to array reads, cells as in the table `read`."""
    model = fit_wires(params, CellCurrent.from_table(others["read"]), reads_of(pairs))
    values = {name: float(value) for name, value in model.parameters.items()}
    conditions = {
        "rows_max": (params.rows_max, "1"),
        "cols_max": (params.cols_max, "1"),
        "g_max": (params.g_max, "S"),
        "tcr": (params.crossbar.segment("row").tcr, "1/K"),
        "t_ref": (T_REF, "K"),
        "netlist_r_row": (params.r_row, "ohm"),
        "netlist_r_col": (params.r_col, "ohm"),
        "netlist_r_drive": (params.r_drive, "ohm"),
        "netlist_r_sense": (params.r_sense, "ohm"),
    }
    return Table(
        name=name,
        axes={},
        signals={name: Quantity(np.array(value), "ohm") for name, value in values.items()},
        conditions={name: Quantity(np.array(float(value)), unit) for name, (value, unit) in conditions.items()},
        fits={"wire_model": model},
    )


def held_out(
    table: Table, pairs: Sequence[tuple[ArrayInput, np.ndarray]], others: Mapping[str, Table]
) -> dict[str, HeldOut]:
    """Return ngspice against the model over all currents of the reads."""
    current = CellCurrent.from_table(others["read"])
    resistances = {str(name): float(table.signals[name].values) for name in RESISTANCES}
    reads = reads_of(pairs)
    spice = np.concatenate([read.i_out.ravel() for read in reads])
    fit = np.concatenate([predicted(current, resistances, read).ravel() for read in reads])
    cells = np.concatenate([np.full(read.i_out.size, read.g_cell.size) for read in reads])
    backward = np.concatenate([np.full(read.i_out.size, read.direction == "backward") for read in reads])
    at = {"cells": Quantity(cells.astype(float), "1"), "backward": Quantity(backward.astype(float), "1")}
    return {SIGNAL: HeldOut(at=at, spice=spice, fit=fit, unit="A", limit_rms=np.inf, limit_max=np.inf)}


def predicted(current: CellCurrent, resistances: dict[str, float], read: ArrayRead) -> np.ndarray:
    """Return what the fast wire model says of a read, in the shape of `read.i_out` [A]."""
    terms = current.terms_behind_wires(read.g_cell, lambda g: effective_conductance(g, **resistances))
    sign = current.sign(backward=read.direction == "backward")
    drive = current.voltage_terms(sign * read.v_in)
    return sign * np.einsum(
        "krb,krc->cb" if read.direction == "forward" else "kcb,krc->rb", drive, terms, optimize=True
    )


def fit_wires(params: WireParams, current: CellCurrent, reads: list[ArrayRead]) -> Fit:
    """Least squares on the relative misfit of each array; positive resistances through their logarithms."""
    netlist = (params.r_row, params.r_col, params.r_drive, params.r_sense)
    floor = 1e-3  # ohm: below it a wire is nothing to any cell of the window

    def misfit(logs: np.ndarray) -> np.ndarray:
        named: dict[str, float] = dict(zip(RESISTANCES, np.exp(logs).tolist(), strict=True))
        parts = [(predicted(current, named, r) - r.i_out) / np.max(np.abs(r.i_out)) for r in reads]
        return np.concatenate([part.ravel() for part in parts])

    ends = (np.log(floor) - 1, np.log(1e5))
    start = {str(n): Start(np.log(max(r, floor)), *ends) for n, r in zip(RESISTANCES, netlist, strict=True)}
    best = estimate(misfit, start)
    return Fit(
        equation="the fast wire model (rramkit/array/wires.py), cells of the table `read`",
        signal=RESISTANCES[0],
        parameters={name: Quantity(np.array(np.exp(log)), "ohm") for name, log in best.values.items()},
        errors={name: np.array(np.exp(best.values[name]) * error) for name, error in best.errors.items()},
        residual=best.residual,
        unit="1",
    )


def cell_of(params: WireParams) -> CellReadParams:
    """Return how the arrays' cell is read for its state map."""
    return CellReadParams(cell=params.crossbar.cell, read=params.read, points=1)


def example_deck(params: WireParams, _: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the read of one array, all of its cells in the middle of their range."""
    del draw
    bar, inputs = params.crossbar, array_inputs(params, 0)[0][0]
    return static_reads(
        array_params(params, (bar.rows, bar.cols), "forward"), np.full((bar.rows, bar.cols), 0.5), inputs.v_in
    )


def largest_current(waves: Waveforms, params: WireParams, _: np.ndarray) -> Values:
    """Return the largest current of a read of one array."""
    bench = array_params(params, (params.crossbar.rows, params.crossbar.cols), "forward")
    return {SIGNAL: np.max(array_currents(waves, bench.sense_outputs))}


_TEXTS = {
    "r_row": "segment of a row's wire",
    "r_col": "segment of a column's wire",
    "r_drive": "driver of a row, or its sense input",
    "r_sense": "sense input of a column, or its driver",
}
_MAP = CELL_READ.preparation
assert _MAP is not None
WIRES = Component(
    name="wires",
    parameters=WireParams,
    deck=example_deck,
    measure=largest_current,
    summary={name: Signal("ohm", _TEXTS[name]) for name in RESISTANCES} | {SIGNAL: Signal("A", "current of an array")},
    step="",
    preparation=replace(_MAP, parameters=cell_of),
    fitted=FittedTable(array_inputs, array_run, wire_table, held_out),
)
COMPONENTS = (WIRES,)
