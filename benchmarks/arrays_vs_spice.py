"""Both wire grades against new ngspice runs of whole arrays.

Run: `python benchmarks/arrays_vs_spice.py TABLES.h5 RUN.h5 [SIZE ...]`; sizes 16, 32 and 64 by default.

Real cells behind real transistors (1T1R), wires of 1 and 2.5 ohm a segment, conductances at random over the window or
those of a trained network (RUN.h5; its first layer, repeated where an array is larger), both directions, eight input
vectors with 30 % zeros. Errors are over the largest current of the array.

* fast: the table's cells and its fitted wires; at 2.5 ohm the fitted segments with the netlist's difference added.
* exact: the table's cells and the netlist's own wires, by Newton. The remaining error is that of the read table.
* linear: the same wires and bare resistors of the same conductances in ngspice, against the exact grade.
"""

import sys
from pathlib import Path

import numpy as np

from rramkit import record, solve_wires, table
from rramkit.array.cell_current import CellCurrent
from rramkit.array.wires import RESISTANCES
from rramkit.characterization.components.wires import ArrayRead, inputs_of, predicted
from rramkit.characterization.design import cell_plan_of
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.plan import Plan
from rramkit.characterization.spice_arrays import cell_states, read_arrays
from rramkit.circuits.crossbar import CrossbarReadParams, static_reads
from rramkit.table import TableFile

SIZES = (16, 32, 64)
SEGMENTS = (1.0, 2.5)  # ohm


def main(tables_path: Path, run_path: Path, sizes: tuple[int, ...]) -> None:
    """Read arrays of all sizes and print a line for each size, wire, pattern and direction."""
    tables = table.load(tables_path)
    plan, current, rng = (
        cell_plan_of(tables.provenance),
        CellCurrent.from_table(tables["read"]),
        np.random.default_rng(5),
    )
    assert plan is not None
    trained = record.load(run_path).layers[0].g_final
    physical = np.moveaxis(trained, 0, -1).reshape(trained.shape[1], -1)
    print("rms, largest error in % of the largest current; ngspice seconds")
    with SpicePool(workers=1, timeout=1200.0) as pool:
        bench = Runner(pool, silent)
        states = cell_states(bench, plan)
        for size in sizes:
            window = (plan.conductance.g_min, plan.conductance.g_max)
            patterns = {
                "random": rng.uniform(*window, (size, size)),
                "trained": np.clip(np.tile(physical, (2, 2))[:size, :size], *window),
            }
            for segment in SEGMENTS:
                here = _with_segments(plan, segment)
                for name, g in patterns.items():
                    before = bench.tally.seconds
                    params = here.wire_params()
                    inputs = inputs_of(params, rng, [g])
                    for read in read_arrays(bench, params, states, inputs, stage="arrays"):
                        where = f"{size:3d} x {size:3d}, {segment:g} ohm, {name:7s} {read.direction:8s}"
                        fast = _error(predicted(current, _fitted(tables, plan, here), read), read.i_out)
                        exact = _error(_exact(here, read, current), read.i_out)
                        linear = _error(_exact(here, read, None), _resistors(pool, here, read))
                        print(f"{where}: fast {fast}; exact {exact}; linear {linear}", flush=True)
                    print(f"    ngspice, 1T1R, both directions: {bench.tally.seconds - before:.1f} s")


def _with_segments(plan: Plan, segment: float) -> Plan:
    bar = plan.wires.crossbar.model_copy(update={"r_row": segment, "r_col": segment})
    return plan.model_copy(update={"wires": plan.wires.model_copy(update={"crossbar": bar})})


def _fitted(tables: TableFile, plan: Plan, here: Plan) -> dict[str, float]:
    """Return the table's resistances, its segments shifted by the change of the netlist's."""
    ohms = {str(name): float(tables["wires"].signals[name]) for name in RESISTANCES}
    ohms["r_row"] += here.wires.crossbar.r_row - plan.wires.crossbar.r_row
    ohms["r_col"] += here.wires.crossbar.r_col - plan.wires.crossbar.r_col
    return ohms


def _exact(plan: Plan, read: ArrayRead, current: CellCurrent | None) -> np.ndarray:
    """Return the currents of the exact grade with the netlist's wires: the table's cells, or linear ones."""
    bar = plan.wires.crossbar
    return solve_wires(
        read.g_cell,
        read.v_in,
        r_row=bar.r_row,
        r_col=bar.r_col,
        r_source=plan.wires.r_drive,
        r_sense=plan.wires.r_sense,
        direction=read.direction,
        cells=None if current is None else current.from_word,
    ).i_out


def _resistors(pool: SpicePool, plan: Plan, read: ArrayRead) -> np.ndarray:
    """Return ngspice's currents of the same array with bare resistors for cells."""
    rows, cols = read.g_cell.shape
    bar = plan.wires.crossbar.model_copy(update={"rows": rows, "cols": cols, "cell_kind": "1R"})
    params = CrossbarReadParams(
        crossbar=bar, direction=read.direction, r_drive=plan.wires.r_drive, r_sense=plan.wires.r_sense
    )
    waves = pool.run(static_reads(params, read.g_cell, read.v_in).text())
    return np.stack([waves[name] for name in params.sense_outputs])


def _error(currents: np.ndarray, spice: np.ndarray) -> str:
    error = 100 * (currents - spice) / np.max(np.abs(spice))
    return f"{np.sqrt(np.mean(error**2)):.4f}, {np.max(np.abs(error)):.4f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), tuple(int(word) for word in sys.argv[3:]) or SIZES)
