"""LeNet-5 on all of MNIST through b-RRAM tables: `benchmarks/lenet_mnist.py BULK.h5 FOLDER [VARIANT [SEED ...]]`.

`rramkit characterize --params examples/bulk_plan.toml -o BULK.h5` makes the tables; the environment variable
RRAMKIT_DATA names the folder of MNIST's files. Trainings run one on each core; given again, the same command takes
interrupted ones up and reads finished ones. Without a variant: `examples/experiments/lenet_mnist.toml` as it is, three
seeds. Each variant changes that experiment, has the same budget, and takes its first seed unless told others:

    everything    wires, input converters of 256 codes, output converters of 8 bits, read noise of 2 % of the range
    error         the rule `threshold` (1/15 of the range); each write has a normal error of half of one of 16 levels
    error-direct  the same error without accumulation: each batch's change is written at once
    pulse-direct  without accumulation and without an error: each batch's change is the nearest pulse there is, and
                  where the change is smaller than the smallest pulse, that one
    none-direct   without accumulation, changes below 0.05 of the range lost: no pulse fires, digital biases learn alone
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rramkit import record
from rramkit.learning import Experiment
from rramkit.learning.experiment import grid
from rramkit.learning.sweep import Trial, TrialResult, sweep, trials
from rramkit.processes import Processes

EXPERIMENT = Path(__file__).parents[1] / "examples" / "experiments" / "lenet_mnist.toml"
ERROR = {"kind": "threshold", "placement": "centre", "start": "error", "way": "error", "sigma_program": 0.5 / 15}
DIRECT = {"accumulate": False, "reading": "device", "threshold": 0.0}
PULSE = {"kind": "threshold", "placement": "centre", "way": "pulse"}
READ = {"row_driver": {"levels": 256}, "adc": {"bits": 8}, "read_noise": {"sigma_span": 0.02}}
VARIANTS = {
    "everything": {"mapping": {"wires": True, "read": READ}},
    "error": {"rule": {**ERROR, "threshold": 1 / 15}},
    "error-direct": {"rule": {**ERROR, **DIRECT}},
    "pulse-direct": {"rule": {**PULSE, **DIRECT}},
    "none-direct": {"rule": {**PULSE, **DIRECT, "threshold": 0.05}},
}


def main(tables: Path, folder: Path, variant: str = "", *, seeds: Sequence[int] = ()) -> None:
    """Train with each seed; print accuracies, their means, and weights times batches over device writes."""
    experiment = experiment_of(variant, seeds)
    jobs = trials(grid(experiment), tables, folder)
    rows = sweep(jobs, Processes(), progress=lambda row: print(f"{row.label}: {100 * row.accuracy:.2f} %", flush=True))
    for row, trial in zip(rows, jobs, strict=True):
        print(line(row, trial))
    rram, digital = (np.array([row.accuracy for row in rows]), np.array([row.float_accuracy for row in rows], float))
    beside = f", float {100 * digital.mean():.2f} %, gap {100 * (digital - rram).mean():.2f} points"
    print(f"mean: RRAM {100 * rram.mean():.2f} %{'' if variant else beside}")


def experiment_of(variant: str, seeds: Sequence[int]) -> Experiment:
    """Return the experiment of a variant, with the seeds to sweep; a variant's float network is that of the whole."""
    settings = Experiment.from_toml(EXPERIMENT).model_dump(exclude_unset=True)
    if variant:
        settings |= {**VARIANTS[variant], "name": f"LeNet-5, {variant}", "float_reference": False}
        settings["sweep"] = {"seed": settings["sweep"]["seed"][:1]}
    if seeds:
        settings["sweep"] = {"seed": tuple(seeds)}
    return Experiment.checked(settings, where=variant or str(EXPERIMENT))


def line(row: TrialResult, trial: Trial) -> str:
    """Return what came out of one training."""
    run, budget = record.load(trial.run), trial.experiment
    weights = sum(layer.pulses[0].size for layer in run.layers)
    most, batches = max(int(layer.pulses.max()) for layer in run.layers), budget.epochs * budget.batches
    beside = f", float {100 * run.float_accuracy:.2f} %" if budget.float_reference else ""
    return (
        f"{row.label}: RRAM {100 * run.accuracy:.2f} %{beside}; "
        f"{row.pulses} pulses after the first programming, {row.pulses / weights:.2f} a weight, at most {most} a cell; "
        f"writes cut {weights * batches / max(row.pulses, 1):.1f} times; energy {row.energy:.3g} J"
    )


if __name__ == "__main__":
    name = sys.argv[3] if len(sys.argv) > 3 else ""
    main(Path(sys.argv[1]), Path(sys.argv[2]), name, seeds=[int(seed) for seed in sys.argv[4:]])
