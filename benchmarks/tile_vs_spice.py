"""Speed of the fast grade against ngspice, and its error: 128 x 128 1T1R cells, 64 input vectors.

Run: `python benchmarks/tile_vs_spice.py TABLES.h5 [SIZE] [VECTORS]`. ngspice solves all vectors in one sweep (with KLU
where it has it), so that its matrix is ordered once; its time is that of the whole run, deck included. The tile holds
the same conductances as pairs of columns, in float32, its read operators ready. Both in processor seconds of this one
run, which depend less on other load than wall time; the tile's is the mean of all repeats, not the best.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

from rramkit import table
from rramkit.array import ArrayModel, Tile
from rramkit.characterization.components.cell import StateMap
from rramkit.characterization.design import cell_plan_of
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.plan import Plan
from rramkit.characterization.spice_arrays import cell_states
from rramkit.circuits.crossbar import CrossbarReadParams, static_reads

REPEATS = 2000


def main(path: Path, size: int = 128, vectors: int = 64) -> None:
    """Time both and print the ratio and the error."""
    tables = table.load(path)
    plan, rng = cell_plan_of(tables.provenance), np.random.default_rng(6)
    assert plan is not None
    g = rng.uniform(plan.conductance.g_min, plan.conductance.g_max, (size, size))
    v = rng.uniform(0, plan.read.v_max, (size, vectors))
    v[rng.uniform(size=v.shape) < 0.3] = 0.0
    with SpicePool(workers=1) as pool:
        states = cell_states(Runner(pool, silent), plan)
    spice, wall, seconds = _spice(plan, states, g, v)
    model = ArrayModel.from_tables(tables)
    assert model.wires is not None
    model = replace(model, wires=replace(model.wires, rows_max=size, cols_max=size))  # this run is the check
    pairs = np.moveaxis(g.reshape(size, size // 2, 2), -1, 0).astype(np.float32)
    tile, inputs = Tile.of(pairs, model), np.ascontiguousarray(v.T, dtype=np.float32)
    currents = tile.forward(inputs).i.T  # plus less minus
    started = time.process_time()
    for _ in range(REPEATS):
        tile.forward(inputs)
    fast = (time.process_time() - started) / REPEATS
    started = time.process_time()
    for _ in range(20):
        tile.programmed(pairs).forward(inputs)
    written = (time.process_time() - started) / 20 - fast
    full_scale = np.max(np.abs(spice))
    error = (currents - (spice[::2] - spice[1::2])) / full_scale
    print(f"{size} x {size} 1T1R, {vectors} vectors, 1 ohm a segment unless the table says otherwise")
    print(f"ngspice, swept: {seconds / vectors:.3f} processor s a vector ({wall / vectors:.3f} s of wall)")
    print(f"fast grade: {1e6 * fast / vectors:.2f} us a vector, and {1e3 * written:.2f} ms after each update")
    print(f"ratio: {seconds / fast:,.0f}")
    print(
        f"error over full scale: rms {100 * np.sqrt(np.mean(error**2)):.3f} %, max {100 * np.max(np.abs(error)):.3f} %"
    )


def _spice(plan: Plan, states: StateMap, g: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return ngspice's currents (C, B), its wall seconds and its processor seconds, without the worker's start."""
    bar = plan.wires.crossbar.model_copy(update={"rows": g.shape[0], "cols": g.shape[1], "cell": plan.cell})
    params = CrossbarReadParams(crossbar=bar, read=plan.read, r_drive=plan.wires.r_drive, r_sense=plan.wires.r_sense)
    small = params.model_copy(update={"crossbar": bar.model_copy(update={"rows": 1, "cols": 1})})
    state = states.state_of(g)
    used = []
    for deck in (static_reads(small, state[:1, :1], v[:1]).text(), static_reads(params, state, v).text()):
        before = getrusage(RUSAGE_CHILDREN)
        with SpicePool(workers=1, timeout=7200.0) as pool:
            waves = pool.run(deck)
        after = getrusage(RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    currents = np.stack([waves[name] for name in params.sense_outputs])
    return currents, waves.seconds, used[1] - used[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:]))
