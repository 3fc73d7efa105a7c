"""Images a second of training LeNet-5 on MNIST through tiles, against PyTorch: `train_throughput.py BULK.h5`.

One process, two threads for either side, batches of 64: the step of PyTorch's own network (eager, float32, Adam), of
this kit's float network, and of the network in RRAM with everything on: input converters of 256 codes, output
converters of 8 bits, read noise, wires, arrays of at most 65 rows by 96 columns, and pulses. The networks have seen 300
batches before. Each side takes turns with the others and its best turn counts, so that what else the machine does falls
out of the ratios.
"""
# pyright: reportMissingImports=false

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from rramkit import table
from rramkit.learning import DataSet, Experiment, Network
from rramkit.learning.data import DataSettings, as_numbers
from rramkit.learning.rules import FloatReference
from rramkit.learning.student import Teacher
from rramkit.table import TableFile

BATCH, STEPS, TURNS, WARM = 64, 10, 8, 300
EVERYTHING = {
    "network": {"name": "lenet5", "reach": 5.0},
    "mapping": {
        "wires": True,
        "read": {"dac": {"levels": 256}, "converter": {"bits": 8}, "noise": {"sigma_span": 0.02}},
    },
    "rule": {"kind": "threshold", "way": "pulse", "placement": "centre", "threshold": 0.1},
    "optimiser": {"learning_rate": 0.004},
    "batch": BATCH,
}
CASES = {
    "RRAM, everything on": {},
    "RRAM, without wires": {"mapping": {**EVERYTHING["mapping"], "wires": False}},
    "RRAM, cells and pulses alone": {"mapping": {"wires": False}},
}


def main(tables: Path) -> None:
    """Print images a second of each side, and over PyTorch's."""
    data, file = DataSettings(name="mnist").loaded(seed=1), table.load(tables)
    sides: dict[str, Callable[[int], None]] = {"PyTorch, float32": pytorch(data)}
    sides["float network"] = ours(data, file, {"rule": {"kind": "float"}})
    sides |= {name: ours(data, file, changes) for name, changes in CASES.items()}
    best = dict.fromkeys(sides, np.inf)
    for _ in range(TURNS):
        for name, step in sides.items():
            started = time.perf_counter()
            for number in range(STEPS):
                step(number)
            best[name] = min(best[name], (time.perf_counter() - started) / STEPS)
    reference = best["PyTorch, float32"]
    for name, seconds in best.items():
        print(f"{name:30} {BATCH / seconds:7.0f} images/s  {reference / seconds:.2f} of PyTorch")


def ours(data: DataSet, tables: TableFile, changes: dict[str, object]) -> Callable[[int], None]:
    """Return one step of this kit's training, which goes on from step to step."""
    experiment = Experiment.checked({**EVERYTHING, **changes}, where="the benchmark")
    network = Network.of(experiment.network, data.shape, data.classes)
    rule = experiment.built_rule(tables)
    optimiser, dtype = experiment.optimiser.built(), np.dtype(experiment.precision)
    teacher, twin = Teacher(network, rule, optimiser), Teacher(network, FloatReference(optimiser), optimiser)
    rng = np.random.default_rng(0)
    digital = twin.enrolled(network.drawn(rng=rng, dtype=dtype), dtype=dtype, rng=rng)
    for number in range(WARM):  # in the middle of a training, where pulses are as rare as they are over most of it
        part = slice(BATCH * number, BATCH * (number + 1))
        digital, _ = twin.taught(digital, as_numbers(data.x_train[part], dtype), data.y_train[part], rng=rng)
    weights = [np.clip(matrix.weight, -1.0, 1.0) for matrix in digital.learner.matrices]
    student = replace(teacher.enrolled(weights, dtype=dtype, rng=rng), vectors=digital.vectors)
    student = replace(student, learner=replace(student.learner, optimiser=digital.learner.optimiser))
    x, labels = as_numbers(data.x_train[: BATCH * STEPS], dtype), data.y_train[: BATCH * STEPS]
    if experiment.mapping.calibrates:
        student = teacher.calibrated(student, digital, x[:BATCH], labels[:BATCH], margin=experiment.mapping.margin)

    def step(number: int) -> None:
        nonlocal student
        part = slice(BATCH * number, BATCH * (number + 1))
        student, _ = teacher.taught(student, x[part], labels[part], rng=rng)

    return step


def pytorch(data: DataSet) -> Callable[[int], None]:
    """Return one step of PyTorch's training of the same network."""
    import torch  # here: everything else of the kit does without it
    from torch import nn

    torch.set_num_threads(2)
    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001)
    x = torch.from_numpy(as_numbers(data.x_train[: BATCH * STEPS], np.float32))
    labels = torch.from_numpy(data.y_train[: BATCH * STEPS])

    def step(number: int) -> None:
        part = slice(BATCH * number, BATCH * (number + 1))
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x[part]), labels[part]).backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main(Path(sys.argv[1]))
