"""LeNet-5 on all of MNIST through b-RRAM tables, three seeds: `python benchmarks/lenet_mnist.py BULK.h5 FOLDER`.

`rramkit characterize --params examples/bulk_plan.toml -o BULK.h5` makes the tables; the environment variable
RRAMKIT_DATA names the folder of MNIST's files. Trainings run one on each core; given again, the same command takes
interrupted ones up. With `naive` as a third argument: without accumulation, one seed.
"""

import sys
from pathlib import Path

import numpy as np

from rramkit import record
from rramkit.learning import Experiment
from rramkit.learning.processes import Processes
from rramkit.learning.sweep import grid, sweep, trials

EXPERIMENT = Path(__file__).parents[1] / "examples" / "experiments" / "lenet_mnist.toml"
NAIVE = {
    "rule": {"kind": "threshold", "accumulate": False, "threshold": 0.1, "placement": "centre", "way": "pulse"},
    "sweep": {},
}


def main(tables: Path, folder: Path, *, naive: bool = False) -> None:
    """Train with each seed; print accuracies, their means, and how much rarer device writes are than batches."""
    experiment = Experiment.from_toml(EXPERIMENT)
    if naive:
        experiment = Experiment.checked({**experiment.model_dump(), **NAIVE}, where="without accumulation")
    chosen = trials(grid(experiment), tables, folder)
    rows = sweep(
        chosen, Processes(), progress=lambda row: print(f"{row.label}: {100 * row.accuracy:.2f} %", flush=True)
    )
    for row, trial in zip(rows, chosen, strict=True):
        run = record.load(trial.run)
        weights = sum(layer.pulses[0].size for layer in run.layers)
        batches = experiment.epochs * experiment.batches
        most = max(int(layer.pulses.max()) for layer in run.layers)
        print(
            f"{row.label}: RRAM {100 * run.accuracy:.2f} %, float {100 * run.float_accuracy:.2f} %; "
            f"{row.pulses} pulses after the first programming, {row.pulses / weights:.2f} a weight, most at a cell {most}; "
            f"writes cut {weights * batches / max(row.pulses, 1):.0f} times; energy {row.energy:.3g} J"
        )
    rram, digital = (np.array([row.accuracy for row in rows]), np.array([row.float_accuracy for row in rows], float))
    gap = 100 * (digital - rram).mean()
    print(f"mean: RRAM {100 * rram.mean():.2f} %, float {100 * digital.mean():.2f} %, gap {gap:.2f} points")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), naive="naive" in sys.argv[3:])
