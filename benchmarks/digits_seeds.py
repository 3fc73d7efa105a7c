"""Accuracy of the digits network over seeds, in RRAM and in float: `python benchmarks/digits_seeds.py TABLES.h5`."""

import sys
from pathlib import Path

import numpy as np

from rramkit import table
from rramkit.learning import Experiment, train

SEEDS = range(1, 6)


def main(path: Path) -> None:
    """Train with each seed and print both accuracies, then their means."""
    tables = table.load(path)
    runs = [train(Experiment(seed=seed), tables) for seed in SEEDS]
    for seed, run in zip(SEEDS, runs, strict=True):
        print(f"seed {seed}: RRAM {100 * run.accuracy:.2f} %, float {100 * run.float_accuracy:.2f} %")
    rram, digital = (np.array([getattr(run, name) for run in runs]) for name in ("accuracy", "float_accuracy"))
    gap = 100 * (digital - rram).mean()
    print(f"mean: RRAM {100 * rram.mean():.2f} %, float {100 * digital.mean():.2f} %, gap {gap:.2f} points")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
