"""Write-verify of a 128 x 128 random target to 1 % of the range: `python benchmarks/programming.py TABLES.h5`.

A target is drawn for each of 128 x 128 cells, and for every pair of a 128 x 128 matrix (twice the cells); they take
as many arrays as the tables' wires allow. Printed for ramps from the lowest amplitude and from that of the nearest mean
change, with every stage of the update chain off and on: seconds (best of three), cells that missed, pulses, energy and
time of the writing itself, and in the same run how many times faster a cell is than the same loop pair by pair.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from rramkit import table
from rramkit.array import UpdateParams, VerifyParams, VerifyState, WriteVerify
from rramkit.array.write.ageing import WearParams
from rramkit.array.write.disturb import DisturbParams
from rramkit.array.write.droop import DroopParams
from rramkit.array.write.spread import SpreadParams, StuckParams

SHAPES = {"128 x 128 cells": (2, 128, 64), "128 x 128 pairs": (2, 128, 128)}
STAGES = {
    "all off": UpdateParams(),
    "all on": UpdateParams(
        droop=DroopParams(),
        disturb=DisturbParams(),
        spread=SpreadParams(sigma_gain=0.2, sigma_offset=0.02),
        stuck=StuckParams(low=0.001, high=0.001),
        wear=WearParams(n_half=1e6),
    ),
}
REPEATS, ALONE = 3, 24  # times that a matrix is written; pairs written one by one for the ratio


@dataclass(frozen=True)
class Trial:
    """One loop on one array, and its duration (s)."""

    loop: WriteVerify
    done: VerifyState
    seconds: float

    def line(self, alone: float) -> str:
        """Return what to print; `alone` is the time of one cell by itself (s)."""
        done, span = self.done, self.loop.chain.writer.span
        cells, miss = done.pulses.size, np.abs(done.error) / span
        stuck = 0 if done.cells.traits.stuck is None else int(np.count_nonzero(done.cells.traits.stuck))
        return (
            f"{self.seconds:5.2f} s  missed {np.count_nonzero(miss > self.loop.params.window):4d} of {cells} "
            f"({stuck} stuck)  pulses a cell {done.pulses.mean():5.2f} (largest {done.pulses.max()}), "
            f"reads {done.tally.reads / cells:5.2f}  {1e12 * done.tally.energy / cells:6.1f} pJ a cell  "
            f"{1e3 * done.tally.seconds:5.2f} ms to write  {alone * cells / self.seconds:4.0f} times a single pair"
        )


def main(path: Path) -> None:
    """Write every array in every way and print a line for each."""
    tables = table.load(path)
    for start in ("lowest", "table"):
        for stages, update in STAGES.items():
            loop = WriteVerify.from_tables(tables, VerifyParams(start=start), update)
            alone = sum(_written(loop, (2, 1, 1), seed).seconds for seed in range(ALONE)) / (2 * ALONE)
            for name, shape in SHAPES.items():
                best = min((_written(loop, shape, 0) for _ in range(REPEATS)), key=lambda trial: trial.seconds)
                print(f"{name}  start {start:6s}  {stages:7s}  {best.line(alone)}")


def _written(loop: WriteVerify, shape: tuple[int, int, int], seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    low, high = loop.chain.writer.g_range
    target = rng.uniform(low, high, shape)
    cells = loop.chain.init(np.full(shape, low), rng=rng)
    started = perf_counter()
    done = loop.program(cells, target, rng=rng)
    return Trial(loop, done, perf_counter() - started)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
