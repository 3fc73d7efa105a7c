"""Training speed of LeNet-5 on MNIST against PyTorch's, in one run: `python benchmarks/train_throughput.py TABLES.h5`.

Needs PyTorch (the extra `torch`), and RRAMKIT_DATA naming the folder of MNIST's files. Images a second of PyTorch eager
float32, of this kit's float network, and of the network in RRAM with everything on: input converters of 256 codes,
output converters of 8 bits, read noise, wires, arrays of at most 65 rows by 96 columns, and pulses; and with less on.
The networks have seen 300 batches before, and go on at half the learning rate of the whole training, the mean of its
schedule, through batches that they have not seen. Each side has a process of its own, so that no library's threads wait
in another's way, one after the other; the machine must have nothing else to do.
"""
# pyright: reportMissingImports=false

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from rramkit import table
from rramkit.learning import DataSet, Experiment, Network
from rramkit.learning.data import DataSettings, as_numbers
from rramkit.learning.rules import BoundRule, FloatReference
from rramkit.learning.trainer import Trainer
from rramkit.table import TableFile

BATCH, STEPS, TURNS, WARM = 64, 20, 7, 300
EVERYTHING = {
    "network": {"name": "lenet5", "reach": 5.0},
    "mapping": {
        "wires": True,
        "read": {"row_driver": {"levels": 256}, "adc": {"bits": 8}, "read_noise": {"sigma_span": 0.02}},
    },
    "rule": {"kind": "threshold", "way": "pulse", "placement": "centre", "threshold": 0.1},
    "optimiser": {"learning_rate": 0.002},
    "batch": BATCH,
}
CASES = {
    "float network": {"rule": {"kind": "float"}},
    "RRAM, everything on": {},
    "the same, backend torch": {"mapping": {**EVERYTHING["mapping"], "backend": "torch"}},
    "RRAM, errors back through tiles": {"rule": {**EVERYTHING["rule"], "backward": "tile"}},
    "RRAM, without wires": {"mapping": {**EVERYTHING["mapping"], "wires": False}},
    "RRAM, cells and pulses alone": {"mapping": {"wires": False}},
}
REFERENCE = "PyTorch, float32"


def main(tables: Path) -> None:
    """Print images a second of each side, and over PyTorch's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as alone:
        seconds = {name: alone.submit(seconds_a_step, name, tables).result() for name in (REFERENCE, *CASES)}
    for name, each in seconds.items():
        print(f"{name:34} {BATCH / each:7.0f} images/s  {seconds[REFERENCE] / each:.2f} of PyTorch")


def seconds_a_step(name: str, tables: Path) -> float:
    """Train one side on batches that it has not seen; return the median over turns of the mean time of a step."""
    data, number, turns = DataSettings(name="mnist").loaded(seed=1), WARM, []
    step = pytorch(data) if name == REFERENCE else ours(data, table.load(tables), CASES[name])
    for _ in range(TURNS + 1):
        started = time.perf_counter()
        for _ in range(STEPS):
            step(number := number + 1)
        turns.append((time.perf_counter() - started) / STEPS)
    return float(np.median(turns[1:]))  # the first one warms up


def ours(data: DataSet, tables: TableFile, changes: dict[str, object]) -> Callable[[int], None]:
    """Return one step of this kit's training, which goes on from step to step."""
    experiment = Experiment.checked({**EVERYTHING, **changes}, where="the benchmark")
    network = Network.of(experiment.network, data.shape, data.classes)
    chip = experiment.on(experiment.chip.tables(tables))
    rule = experiment.rule_on(chip)
    optimiser, dtype = experiment.optimiser.built(), np.dtype(experiment.precision)
    trainer, reference = (
        Trainer(network, rule, optimiser),
        Trainer(network, BoundRule(FloatReference(), optimiser), optimiser),
    )
    rng = np.random.default_rng(0)
    digital = reference.init(network.init_weights(rng=rng, dtype=dtype), dtype=dtype, rng=rng)
    for number in range(WARM):  # in the middle of a training, where pulses are as rare as they are over most of it
        x, labels = batch(data, number)
        digital, _ = reference.train_step(digital, x, labels, rng=rng)
    weights = [np.clip(matrix.weight, -1.0, 1.0) for matrix in digital.rule_state.matrices]
    state = replace(trainer.init(weights, dtype=dtype, rng=rng), vectors=digital.vectors)
    state = replace(state, rule_state=replace(state.rule_state, optimiser=digital.rule_state.optimiser))
    if chip.chain.calibrates:
        state = trainer.calibrated(state, digital, *batch(data, 0), margin=experiment.mapping.margin)

    def step(number: int) -> None:
        nonlocal state
        state, _ = trainer.train_step(state, *batch(data, number), rng=rng)

    return step


def pytorch(data: DataSet) -> Callable[[int], None]:
    """Return one step of PyTorch's training of the same network."""
    import torch  # here: everything else of the kit does without it
    from torch import nn

    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001)

    def step(number: int) -> None:
        x, labels = (torch.from_numpy(each) for each in batch(data, number))
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), labels).backward()
        optimiser.step()

    return step


def batch(data: DataSet, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one batch of the training set, images and labels."""
    part = np.arange(BATCH * number, BATCH * (number + 1)) % len(data.y_train)
    return as_numbers(data.x_train[part], np.dtype(np.float32)), data.y_train[part]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
