"""The fast wire model against ngspice by array size: `python benchmarks/arrays_vs_spice.py TABLES.h5`.

For each size one fresh array of random conductances is read in both directions at eight input vectors; printed are the
root-mean-square and the largest error over the largest current, and the time of one ngspice vector over that of one
model vector, taken in the same run.
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from rramkit import table
from rramkit.array.cells import CellCurrent
from rramkit.array.wires import RESISTANCES
from rramkit.characterization.array_read import ArrayRead, predicted, read_arrays
from rramkit.characterization.batch import Bench
from rramkit.characterization.cell_read import state_map
from rramkit.characterization.pool import SpicePool
from rramkit.characterization.progress import silent
from rramkit.characterization.verify import plan_of

SIZES = ((16, 16), (32, 32), (48, 48), (64, 64), (65, 96))
REPEATS = 20


def main(path: Path) -> None:
    """Read arrays of all sizes and print a line for each size and direction."""
    tables = table.load(path)
    plan, current = plan_of(tables), CellCurrent.from_table(tables["read"])
    resistances = {name: float(tables["wires"].signals[name]) for name in RESISTANCES}
    with SpicePool(workers=1) as pool:
        bench = Bench(pool, silent)
        states = state_map(bench, plan)
        for size in SIZES:
            before = bench.tally.seconds
            reads = read_arrays(bench, plan, states, np.random.default_rng(5), [size], stage="arrays")
            spice_seconds = (bench.tally.seconds - before) / sum(read.v_in.shape[1] for read in reads)
            for read in reads:
                print(f"{size[0]:3d} x {size[1]:3d} {_line(read, current, resistances, spice_seconds)}")


def _line(read: ArrayRead, current: CellCurrent, resistances: dict[str, float], spice_seconds: float) -> str:
    started = perf_counter()
    for _ in range(REPEATS):
        predicted(current, resistances, read)
    model_seconds = (perf_counter() - started) / REPEATS / read.v_in.shape[1]
    found = predicted(current, resistances, read)
    error = (found - read.i_out) / np.max(np.abs(read.i_out))
    return (
        f"{read.direction:8s} rms {100 * np.sqrt(np.mean(error**2)):.3f} % max {100 * np.max(np.abs(error)):.3f} %, "
        f"ngspice/model {spice_seconds / model_seconds:,.0f} (model terms rebuilt for every batch of 8)"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
