"""Speed of the grades of IR drop: `python benchmarks/wires.py [SIZE] [VECTORS]`, 128 and 64 by default.

* exact: `solve_wires` against badcrossbar (MIT; compared only where it is installed); both give all currents and node
  voltages. Linear cells, four equal wire resistances.
* fast: time of an update (`effective_conductance`), and error against the exact grade.
* a read: of a tile of SIZE x SIZE pairs through the synthetic table of the tests, against the bare float32 product.

Ratios are of the best of several rounds, run alternately.
"""
# pyright: reportMissingImports=false

import importlib.util
import logging
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rramkit import solve_wires
from rramkit.array import ArrayModel, Tile, effective_conductance
from rramkit.array.elimination import Ladder
from rramkit.array.exact import exact_transfer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables

OHM = 1.0  # every segment and end: badcrossbar has no others


def main(size: int = 128, vectors: int = 64) -> None:
    """Time all three and print ratios and errors."""
    rng = np.random.default_rng(7)
    g, v = rng.uniform(G_LOW, G_HIGH, (size, size)), rng.uniform(0, V_READ, (size, vectors))
    _exact(g, v)
    _fast(g, v)
    _read(size, vectors)
    _memory(size)


def _exact(g: np.ndarray, v: np.ndarray) -> None:
    def ours() -> np.ndarray:
        return solve_wires(g, v, r_row=OHM, r_col=OHM, r_source=OHM, r_sense=OHM).i_out

    if importlib.util.find_spec("badcrossbar") is None:
        print("badcrossbar is not installed: no comparison with it (pip install badcrossbar)")
        print(f"exact: {_best(ours, 3):.3f} s")
        return
    import badcrossbar

    logging.disable(logging.INFO)  # it logs every step

    def theirs() -> np.ndarray:
        return badcrossbar.compute(v, 1 / g, r_i_word_line=OHM, r_i_bit_line=OHM).currents.output.T

    times = np.array([[_best(ours, 1), _best(theirs, 1)] for _ in range(5)]).min(axis=0)
    apart = np.max(np.abs(ours() - theirs())) / np.max(ours())
    print(f"exact, {g.shape[0]} x {g.shape[1]} x {v.shape[1]} vectors: {times[0]:.3f} s, badcrossbar {times[1]:.3f} s:")
    print(f"  ratio {times[1] / times[0]:.2f}, largest difference {apart:.1e} of the largest current")


def _fast(g: np.ndarray, v: np.ndarray) -> None:
    ends = {"r_row": 1.0, "r_col": 1.0, "r_drive": 50.0, "r_sense": 50.0}
    single = g.astype(np.float32)
    seconds = [_best(lambda x=x: effective_conductance(x, **ends), 50) for x in (single, g)]
    exact = exact_transfer(g, Ladder(50.0, 1.0, 1.0, 50.0))
    slow = _best(lambda: exact_transfer(g, Ladder(50.0, 1.0, 1.0, 50.0)), 3)
    error = (v.T @ (effective_conductance(single, **ends) - exact)) / np.max(v.T @ exact)
    print(
        f"update, fast: {1e3 * seconds[0]:.2f} ms in float32, {1e3 * seconds[1]:.2f} in float64; exact {1e3 * slow:.0f}"
    )
    print(
        f"  fast against exact: rms {100 * np.sqrt(np.mean(error**2)):.4f} %, max {100 * np.max(np.abs(error)):.4f} %"
    )


def _read(size: int, vectors: int) -> None:
    rng, wide = np.random.default_rng(8), ArrayModel.from_tables(tables(), wires=False)
    g = rng.uniform(G_LOW, G_HIGH, (2, size, size)).astype(np.float32)
    v = rng.uniform(-V_READ, V_READ, (vectors, size)).astype(np.float32)
    tile, weight = Tile.of(g, wide), g[0] - g[1]  # wires change the values of the terms, not their number
    times = np.array([[_best(lambda: tile.forward(v), 50), _best(lambda: v @ weight, 50)] for _ in range(5)]).min(
        axis=0
    )
    print(f"read of {size} x {size} pairs: {1e6 * times[0] / vectors:.2f} us a vector, signed inputs;")
    print(f"  {times[0] / times[1]:.1f} times the bare float32 product ({1e6 * times[1] / vectors:.2f} us)")


def _memory(size: int) -> None:
    ends = {"r_row": 1.0, "r_col": 1.0, "r_drive": 50.0, "r_sense": 50.0}
    for tiles in (4, 8, 16):
        g = np.full((tiles, size, size), 2e-5, dtype=np.float32)
        tracemalloc.start()
        effective_conductance(g, **ends)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"update of {tiles:2d} tiles: {peak / 1e6:.1f} MB at most, {g.nbytes / 1e6:.1f} of them the result")


def _best(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
