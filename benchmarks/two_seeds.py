"""Two seeds of one experiment side by side over one: `python benchmarks/two_seeds.py TABLES.h5`.

Needs RRAMKIT_DATA, the folder of MNIST's files; with numba (the extra `fast`) kernels run compiled. LeNet-5 in RRAM
with read noise, converters, wires and pulses, trained as `rramkit sweep --workers` does: one seed by one worker
process, then two seeds by two, in turn. Asked of two cores: 1.8 times the seeds an hour of one.

Printed are the clock's and the processor's seconds of each sweep, the start of its workers included, and two ratios. By
the clock: what this machine did, whatever else ran on it. By processor time: what two idle cores would do if each seed
took the processor seconds that it took beside the other: below 2 by what two seeds take from each other (caches,
memory) and by what the parent does alone.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import compiling
from rramkit.learning import Experiment
from rramkit.learning.experiment import grid
from rramkit.learning.sweep import sweep, trials
from rramkit.processes import Processes

EXPERIMENT = {
    "network": {"name": "lenet5", "reach": 5.0},
    "mapping": {
        "wires": True,
        "read": {"row_driver": {"levels": 256}, "adc": {"bits": 8}, "read_noise": {"sigma_span": 0.02}},
    },
    "chip": {"ideal_periphery": True},
    "rule": {"kind": "mixed_precision", "threshold": 0.05},
    "batch": 64,
    "epochs": 1,
}
ASKED = 1.8  # seeds of two workers over those of one (1)


@dataclass(frozen=True)
class Taken:
    """Seconds of a sweep: by the clock, of its workers' processors, and of the parent's (s)."""

    wall: float
    workers: float
    parent: float


def main() -> None:
    """Print the seconds of one seed and of two, and both ratios."""
    parser = argparse.ArgumentParser(description="Two seeds of one experiment side by side over one.")
    parser.add_argument("tables", type=Path, help="table file of a whole design", metavar="TABLES.h5")
    parser.add_argument("--images", type=int, default=6400, help="training images of each seed")
    parser.add_argument("--turns", type=int, default=3, help="turns, of which the medians are taken")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    chosen = parser.parse_args()
    if chosen.images < 100 or chosen.turns < 1:
        parser.error(f"--images must be 100 or more, --turns 1 or more; got {chosen.images} and {chosen.turns}")
    turns = [(seeds, taken(chosen.tables, seeds, chosen.images)) for _ in range(chosen.turns) for seeds in (1, 2)]
    one, two = (median([each for count, each in turns if count == seeds]) for seeds in (1, 2))
    by_clock = 2.0 * one.wall / two.wall
    by_processor = 2.0 * (one.workers + one.parent) / (0.5 * two.workers + two.parent)
    load = os.getloadavg()[0]
    if chosen.json:
        numbers = {"one": vars(one), "two": vars(two), "by_clock": by_clock, "by_processor": by_processor, "load": load}
        print(json.dumps({"kernels": compiling.family(), "images": chosen.images, **numbers}))
        return
    print(f"{compiling.family()}; {chosen.images} images a seed, load {load:.1f} on {os.cpu_count()} cores")
    for name, each in (("one seed", one), ("two seeds", two)):
        processor = f"{each.workers:6.1f} s of workers and {each.parent:.1f} s of the parent"
        print(f"{name:10} {each.wall:7.1f} s, processor {processor}")
    print(f"two over one: {by_clock:.2f} by the clock, {by_processor:.2f} by processor time; asked {ASKED}")


def taken(tables: Path, seeds: int, images: int) -> Taken:
    """Train so many seeds, one a worker, into a folder of their own; return what that took."""
    data = {"name": "mnist", "train_images": images, "test_images": 500, "validation": 0.0}
    settings = {**EXPERIMENT, "data": data, "sweep": {"seed": list(range(1, seeds + 1))}}
    experiment = Experiment.checked(settings, where="the benchmark")
    with tempfile.TemporaryDirectory() as folder:
        jobs = trials(grid(experiment), tables, Path(folder))
        wall, own, before = time.perf_counter(), time.process_time(), children()
        sweep(jobs, Processes(seeds))
        return Taken(time.perf_counter() - wall, children() - before, time.process_time() - own)


def children() -> float:
    """Return the processor seconds of the worker processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def median(turns: list[Taken]) -> Taken:
    """Return the median of each number."""
    return Taken(*(float(x) for x in np.median([[t.wall, t.workers, t.parent] for t in turns], axis=0)))


if __name__ == "__main__":
    main()
