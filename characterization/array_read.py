"""The wire table: the four resistances of the fast wire model, fitted to ngspice reads of whole 1T1R arrays.

The fit sees arrays of one size in both directions; held out are other arrays of that size and one of the largest size,
in both directions. The four numbers come back near the netlist's own resistances, which is a check of the model; that
they are fitted lets them take up what the model leaves out.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.optimize import least_squares

from rramkit.array.cells import CellCurrent
from rramkit.array.wires import RESISTANCES, effective_conductance
from rramkit.characterization.batch import Bench
from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.measure import array_currents
from rramkit.characterization.plan import Plan
from rramkit.characterization.point import Point
from rramkit.circuits.crossbar_bench import CrossbarReadParams, static_reads
from rramkit.table import HeldOut, Quantity, Table

Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class ArrayRead:
    """One array read by ngspice: conductances (R, C) [S], inputs (R or C, B) [V], currents (C or R, B) [A]."""

    direction: Direction
    g_cell: np.ndarray
    v_in: np.ndarray
    i_out: np.ndarray


def wire_table(bench: Bench, plan: Plan, states: StateMap, read: Table) -> Table:
    """Fit the wire model to array reads; hold other arrays out."""
    wires, size = plan.wires, (plan.wires.crossbar.rows, plan.wires.crossbar.cols)
    rng = np.random.default_rng([plan.seed, 4])
    fit = read_arrays(bench, plan, states, rng, [size] * wires.fit_arrays, stage="array reads")
    largest = (wires.rows_max, wires.cols_max)
    held_out_sizes = [size] * wires.held_out_arrays + [largest]
    held_out = read_arrays(bench, plan, states, rng, held_out_sizes, stage="arrays held out")
    current = CellCurrent.from_table(read)
    resistances = _fit(plan, current, fit)
    return Table(
        name="wires",
        axes={},
        signals={name: Quantity(np.array(value), "ohm") for name, value in resistances.items()},
        conditions={
            "rows_max": Quantity(np.array(float(wires.rows_max)), "1"),
            "cols_max": Quantity(np.array(float(wires.cols_max)), "1"),
            "g_max": Quantity(np.array(plan.conductance.g_max), "S"),
            "netlist_r_row": Quantity(np.array(wires.crossbar.segment("row").r), "ohm"),
            "netlist_r_col": Quantity(np.array(wires.crossbar.segment("col").r), "ohm"),
            "netlist_r_drive": Quantity(np.array(wires.r_drive), "ohm"),
            "netlist_r_sense": Quantity(np.array(wires.r_sense), "ohm"),
        },
        held_out={"i_array": compare(plan, current, resistances, held_out)},
    )


def read_arrays(
    bench: Bench,
    plan: Plan,
    states: StateMap,
    rng: np.random.Generator,
    sizes: list[tuple[int, int]],
    *,
    stage: str,
) -> list[ArrayRead]:
    """Read arrays of random conductances at random inputs with ngspice, each in both directions."""
    window = (plan.conductance.g_min, plan.conductance.g_max)
    return read_patterns(bench, plan, states, rng, [rng.uniform(*window, size) for size in sizes], stage=stage)


def read_patterns(
    bench: Bench, plan: Plan, states: StateMap, rng: np.random.Generator, patterns: list[np.ndarray], *, stage: str
) -> list[ArrayRead]:
    """Read arrays of given conductances (R, C) [S] at random inputs with ngspice, each in both directions."""
    jobs: list[tuple[CrossbarReadParams, np.ndarray, np.ndarray]] = []
    for g in patterns:
        for direction in ("forward", "backward"):
            params = _params(plan, g.shape[0], g.shape[1], direction)
            v_in = rng.uniform(0, plan.read.v_max, (g.shape[0 if direction == "forward" else 1], plan.wires.vectors))
            v_in[rng.uniform(size=v_in.shape) < 0.3] = 0.0  # inputs of a network are often nothing
            jobs.append((params, g, v_in))
    points = [
        Point(
            lambda p=p, g=g, v=v: static_reads(p, states.state_of(g), v).text(),
            partial(array_currents, outputs=_sensed(p)),
            f"{p.crossbar.rows} x {p.crossbar.cols} {p.direction}",
        )
        for p, g, v in jobs
    ]
    currents = bench.need(stage, points)
    return [ArrayRead(p.direction, g, v_in, i_out) for (p, g, v_in), i_out in zip(jobs, currents, strict=True)]


def predicted(current: CellCurrent, resistances: dict[str, float], read: ArrayRead) -> np.ndarray:
    """Return what the fast wire model says of a read, in the shape of `read.i_out` [A]."""
    terms = current.terms_behind_wires(read.g_cell, lambda g: effective_conductance(g, **resistances))
    if read.direction == "forward":
        drive = current.voltage_terms(-read.v_in)  # a driven row is the source line: v < 0
        return -np.einsum("krb,krc->cb", drive, terms, optimize=True)
    return np.einsum("kcb,krc->rb", current.voltage_terms(read.v_in), terms, optimize=True)


def compare(plan: Plan, current: CellCurrent, resistances: dict[str, float], reads: list[ArrayRead]) -> HeldOut:
    """Return ngspice against the model over all currents of the reads; full scale is the largest current."""
    spice = np.concatenate([read.i_out.ravel() for read in reads])
    fit = np.concatenate([predicted(current, resistances, read).ravel() for read in reads])
    cells = np.concatenate([np.full(read.i_out.size, read.g_cell.size) for read in reads])
    backward = np.concatenate([np.full(read.i_out.size, read.direction == "backward") for read in reads])
    full_scale = float(np.max(np.abs(spice)))
    return HeldOut(
        at={"cells": Quantity(cells.astype(float), "1"), "backward": Quantity(backward.astype(float), "1")},
        spice=spice,
        fit=fit,
        unit="A",
        limit_rms=plan.limits.array_rms * full_scale,
        limit_max=plan.limits.array_max * full_scale,
    )


def _fit(plan: Plan, current: CellCurrent, reads: list[ArrayRead]) -> dict[str, float]:
    """Least squares on the relative misfit of each array; positive resistances through their logarithms."""
    wires = plan.wires
    bar = wires.crossbar
    start = np.array([bar.segment("row").r, bar.segment("col").r, wires.r_drive, wires.r_sense])
    floor = 1e-3  # ohm: below it a wire is nothing to any cell of the window

    def named(logs: np.ndarray) -> dict[str, float]:
        return dict(zip(RESISTANCES, np.exp(logs).tolist(), strict=True))

    def misfit(logs: np.ndarray) -> np.ndarray:
        parts = [(predicted(current, named(logs), r) - r.i_out) / np.max(np.abs(r.i_out)) for r in reads]
        return np.concatenate([part.ravel() for part in parts])

    found = least_squares(misfit, np.log(np.maximum(start, floor)), bounds=(np.log(floor) - 1, np.log(1e5)))
    return named(found.x)


def _params(plan: Plan, rows: int, cols: int, direction: Direction) -> CrossbarReadParams:
    wires = plan.wires
    bar = wires.crossbar.model_copy(update={"rows": rows, "cols": cols, "cell": plan.cell})
    return CrossbarReadParams(
        crossbar=bar, read=plan.read, direction=direction, r_drive=wires.r_drive, r_sense=wires.r_sense
    )


def _sensed(params: CrossbarReadParams) -> int:
    return params.crossbar.cols if params.direction == "forward" else params.crossbar.rows
