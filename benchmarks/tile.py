"""Time of a tile's read over that of the bare product, and its memory; all ratios are of one run.

Run: `python benchmarks/tile.py TABLES.h5 [--memory]`, for instance with tables.h5 of `rramkit characterize`.

* Time: float32, batch 64, an array of 128 rows and 128 columns (64 pairs), and one of 128 pairs; each against NumPy's
  product of (64, 128) with (128, 128) float32, which runs between the reads. Unsigned vectors (what comes out of a
  ReLU) take one phase, signed ones two. "All on" is row drivers and ADCs, read noise of each cell and each
  conversion, and one ADC for 8 columns.
* Noise: normal numbers by Box and Muller on raw bits against NumPy's generators.
* Memory (`--memory`): a 4096 x 4096 layer on 128 x 128 arrays, and how it grows with batch and tiles. Resident memory
  is the process's, so this part runs in processes of its own.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rramkit import table
from rramkit.array import ArrayModel, ReadChain, Tile, TileGrid, TileRng
from rramkit.array.rng import box_muller

ALL_ON: dict[str, Any] = {
    "row_driver": {"levels": 256},
    "adc": {"bits": 8, "noise": 1e-7, "shared": 8},
    "read_noise": {"sigma_span": 0.02},
}
CHAINS: dict[str, dict[str, Any]] = {
    "cells alone": {},
    "read noise": {"read_noise": {"sigma_span": 0.02}},
    "all on": ALL_ON,
    "all on, bits by charge": {**ALL_ON, "row_driver": {"levels": 256, "serial": True}},
    "all on, halves apart": {**ALL_ON, "subtraction": "digital"},
}


def best(*jobs: Callable[[], object], rounds: int = 400, repeats: int = 1) -> list[float]:
    """Return the least time of each job (s), the jobs taking turns so that a disturbance meets all."""
    times = [float("inf")] * len(jobs)
    for _ in range(rounds):
        for number, job in enumerate(jobs):
            started = time.perf_counter()
            for _ in range(repeats):
                job()
            times[number] = min(times[number], (time.perf_counter() - started) / repeats)
    return times


def reads(path: Path) -> None:
    """Print the time of reads over that of the bare product."""
    tables, rng = table.load(path), np.random.default_rng(0)
    low, high = tables["read"].axes["g_cell"].values[[0, -1]]
    left, right = (rng.normal(size=shape).astype(np.float32) for shape in ((64, 128), (128, 128)))
    print("128 x 128, batch 64, float32: time over the bare product's")
    print(f"{'':34} {'bare':>7} {'unsigned':>9} {'signed':>9} {'backward':>9}   microseconds a vector, unsigned")
    for pairs in (64, 128):
        g_cell = rng.uniform(low, high, (2, 128, pairs)).astype(np.float32)
        for name, chain in CHAINS.items():
            model = ArrayModel.from_tables(tables, wires=False, chain=ReadChain.checked(chain, where="benchmark"))
            tile, streams = Tile.of(g_cell, model), TileRng.seeded(1)
            v = rng.uniform(-model.cells.v_forward, model.cells.v_forward, (64, 128)).astype(np.float32)
            u, e = np.abs(v), np.ascontiguousarray(v[:, :pairs])
            bare, *others = best(
                lambda: left @ right,
                lambda t=tile, u=u, s=streams: t.forward(u, rng=s),
                lambda t=tile, v=v, s=streams: t.forward(v, rng=s),
                lambda t=tile, e=e, s=streams: t.backward(e, rng=s),
            )
            ratios = " ".join(f"{other / bare:8.1f}x" for other in others)
            print(f"{pairs:4d} pairs, {name:22} {bare * 1e6:5.1f} us {ratios}   {others[0] / 64 * 1e6:.2f}")


def noise() -> None:
    """Print the time of a normal number in float32."""
    generator, out = np.random.Generator(np.random.SFC64(0)), np.empty(8192, np.float32)
    ours, theirs = best(
        lambda: box_muller(generator, 8192), lambda: generator.standard_normal(out=out, dtype=np.float32)
    )
    print(f"normal numbers, 8192 at once: {ours / 8192 * 1e9:.1f} ns each, NumPy's {theirs / ours:.1f} times that")


def memory(path: Path, rows: int, batch: int) -> None:
    """Print the peak memory of a square layer with everything on, read forward and backward."""
    tables = table.load(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    low, high = tables["read"].axes["g_cell"].values[[0, -1]]
    rng = np.random.default_rng(0)
    g_cell = rng.random((2, rows, rows), dtype=np.float32)
    g_cell *= np.float32(high - low)
    g_cell += np.float32(low)
    model = ArrayModel.from_tables(tables, wires=False, chain=ReadChain.checked(ALL_ON, where="benchmark"))
    shape = TileGrid.shape_of(g_cell, model, largest=(128, 128))
    grid, streams = TileGrid.of(g_cell, model, largest=(128, 128)), TileRng.seeded(0, shape)
    del g_cell
    v = rng.uniform(0.0, model.cells.v_forward, (batch, rows)).astype(np.float32)
    started = time.perf_counter()
    grid.forward(v, rng=streams)
    forward = time.perf_counter() - started
    grid.backward(v, rng=streams)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{rows:5d} x {rows:<5d} batch {batch:4d}: {shape[0] * shape[1]:5d} tiles, peak {peak:6.0f} MiB "
        f"({peak - before:6.0f} above the bare process), forward {forward:.2f} s",
        flush=True,
    )


def main(words: list[str]) -> None:
    """Run the part that the command line names."""
    path = Path(words[0])
    if "--memory" not in words:
        reads(path)
        noise()
    elif len(words) == 4:
        memory(path, int(words[2]), int(words[3]))
    else:
        for rows, batch in ((1024, 16), (2048, 16), (4096, 16), (4096, 32), (4096, 64)):
            subprocess.run([sys.executable, __file__, str(path), "--memory", str(rows), str(batch)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
