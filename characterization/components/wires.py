"""The wire table: the four resistances of the fast wire model, fitted to ngspice reads of whole 1T1R arrays.

The fit sees arrays of one size in both directions; held out are other arrays of that size and one of the largest size,
in both directions. The four numbers come back near the netlist's own resistances, which is a check of the model; that
they are fitted lets them take up what the model leaves out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from rramkit.array.cell_current import CellCurrent
from rramkit.array.wires import RESISTANCES, effective_conductance
from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.components.cell_measure import array_currents
from rramkit.characterization.engine.point import Outcome, Point
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.fits.estimate import Start, estimate
from rramkit.characterization.plan import Plan
from rramkit.circuits.crossbar import CrossbarReadParams, static_reads
from rramkit.errors import SimulationError
from rramkit.table import Fit, HeldOut, Quantity, Table

Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class ArrayRead:
    """One array read by ngspice: conductances (R, C) [S], inputs (R or C, B) [V], currents (C or R, B) [A]."""

    direction: Direction
    g_cell: np.ndarray
    v_in: np.ndarray
    i_out: np.ndarray


def wire_table(bench: Runner, plan: Plan, states: StateMap, read: Table) -> Table:
    """Fit the wire model to array reads; hold other arrays out."""
    wires, size = plan.wires, (plan.wires.crossbar.rows, plan.wires.crossbar.cols)
    rng = np.random.default_rng([plan.seed, 4])
    largest = (wires.rows_max, wires.cols_max)
    asked = {
        "array reads": _jobs(plan, rng, _random(plan, rng, [size] * wires.fit_arrays)),
        "arrays held out": _jobs(plan, rng, _random(plan, rng, [*[size] * wires.held_out_arrays, largest])),
    }
    found = bench.together({stage: [_point(states, job) for job in jobs] for stage, jobs in asked.items()})
    fit, held_out = (_reads(jobs, found[stage]) for stage, jobs in asked.items())
    current = CellCurrent.from_table(read)
    model = fit_wires(plan, current, fit)
    resistances = {name: float(value) for name, value in model.parameters.items()}
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
        fits={"wire_model": model},
    )


def read_arrays(
    bench: Runner,
    plan: Plan,
    states: StateMap,
    rng: np.random.Generator,
    sizes: list[tuple[int, int]],
    *,
    stage: str,
) -> list[ArrayRead]:
    """Read arrays of random conductances at random inputs with ngspice, each in both directions."""
    return read_patterns(bench, plan, states, rng, _random(plan, rng, sizes), stage=stage)


def read_patterns(
    bench: Runner, plan: Plan, states: StateMap, rng: np.random.Generator, patterns: list[np.ndarray], *, stage: str
) -> list[ArrayRead]:
    """Read arrays of given conductances (R, C) [S] at random inputs with ngspice, each in both directions."""
    jobs = _jobs(plan, rng, patterns)
    return _reads(jobs, bench.run(stage, [_point(states, job) for job in jobs]))


@dataclass(frozen=True)
class _Job:
    """One array read to be made: conductances (R, C) [S], inputs (R or C, B) [V]."""

    params: CrossbarReadParams
    g_cell: np.ndarray
    v_in: np.ndarray


def _random(plan: Plan, rng: np.random.Generator, sizes: list[tuple[int, int]]) -> list[np.ndarray]:
    """Return uniform random conductances (R, C) [S] within the window for each size."""
    return [rng.uniform(plan.conductance.g_min, plan.conductance.g_max, size) for size in sizes]


def _jobs(plan: Plan, rng: np.random.Generator, patterns: list[np.ndarray]) -> list[_Job]:
    jobs = []
    for g in patterns:
        rows, cols = g.shape
        for direction in ("forward", "backward"):
            driven = rows if direction == "forward" else cols
            v_in = rng.uniform(0, plan.read.v_max, (driven, plan.wires.vectors))
            v_in[rng.uniform(size=v_in.shape) < 0.3] = 0.0  # inputs of a network are often nothing
            jobs.append(_Job(_params(plan, rows, cols, direction), g, v_in))
    return jobs


def _point(states: StateMap, job: _Job) -> Point:
    return Point(
        lambda: static_reads(job.params, states.state_of(job.g_cell), job.v_in).text(),
        partial(array_currents, outputs=job.params.sense_outputs),
        f"{job.params.crossbar.rows} x {job.params.crossbar.cols} {job.params.direction}",
    )


def _reads(jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> list[ArrayRead]:
    """Return the reads that ended; raise `SimulationError` when none did."""
    found = [
        ArrayRead(job.params.direction, job.g_cell, job.v_in, outcome.values)
        for job, outcome in zip(jobs, outcomes, strict=True)
        if outcome.values is not None
    ]
    if not found:
        raise SimulationError("incomplete", "no array read has a result. `rramkit simulate crossbar` shows why")
    return found


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


def fit_wires(plan: Plan, current: CellCurrent, reads: list[ArrayRead]) -> Fit:
    """Least squares on the relative misfit of each array; positive resistances through their logarithms."""
    wires = plan.wires
    bar = wires.crossbar
    netlist = (bar.segment("row").r, bar.segment("col").r, wires.r_drive, wires.r_sense)
    floor = 1e-3  # ohm: below it a wire is nothing to any cell of the window

    def misfit(logs: np.ndarray) -> np.ndarray:
        named: dict[str, float] = dict(zip(RESISTANCES, np.exp(logs).tolist(), strict=True))
        parts = [(predicted(current, named, r) - r.i_out) / np.max(np.abs(r.i_out)) for r in reads]
        return np.concatenate([part.ravel() for part in parts])

    ends = (np.log(floor) - 1, np.log(1e5))
    start = {n: Start(np.log(max(r, floor)), *ends) for n, r in zip(RESISTANCES, netlist, strict=True)}
    found = estimate(misfit, start)
    return Fit(
        equation="the fast wire model (rramkit/array/wires.py), cells of the table `read`",
        signal=RESISTANCES[0],
        parameters={name: Quantity(np.array(np.exp(log)), "ohm") for name, log in found.values.items()},
        errors={name: np.array(np.exp(found.values[name]) * error) for name, error in found.errors.items()},
        residual=found.residual,
        unit="1",
    )


def _params(plan: Plan, rows: int, cols: int, direction: Direction) -> CrossbarReadParams:
    wires = plan.wires
    bar = wires.crossbar.model_copy(update={"rows": rows, "cols": cols, "cell": plan.cell})
    return CrossbarReadParams(
        crossbar=bar, read=plan.read, direction=direction, r_drive=wires.r_drive, r_sense=wires.r_sense
    )
