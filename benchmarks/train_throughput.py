"""Training speed of a network against PyTorch's: `python benchmarks/train_throughput.py TABLES.h5 --threads 1`.

Needs PyTorch (the extra `torch`), and RRAMKIT_DATA naming the folder of the data's files; with numba (the extra `fast`)
kernels run compiled. Images a second of PyTorch eager float32, of this kit's float network, and of the network in RRAM
with everything on (read noise, input converters of 256 codes, output converters of 8 bits, wires, pulses), with less
on, and with every stage of the file. The rule is that of `examples/experiments/lenet_chip.toml`. LeNet-5 on MNIST, or
with `--network vgg8` VGG-8 on CIFAR-10.

The networks have seen 300 batches before (VGG-8 20, since a float step takes thirty times as long), and go on at half
the learning rate of the whole training, the mean of its schedule, through batches that they have not seen; the first of
them bring what the first programming missed, and do not count. All sides take turns in one process each, a few steps at
a time, so that work beside them bears on all alike; each has the processor to itself while it is its turn. PyTorch runs
on one thread and on two; the better one is the reference, of each of both times apart: the clock's and the processor's.
Printed are medians over the turns.

`--peer PYTHON` names the interpreter of an environment that has aihwkit, which takes its turns beside the others, from
the same weights (`peer_aihwkit.py`). OPENBLAS_CORETYPE, where `rramkit doctor` asks for it, bears on the kit alone.
"""
# pyright: reportMissingImports=false

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from rramkit import compiling, table
from rramkit.array.kernels.parts import VARIABLE as THREADS
from rramkit.learning import DataSet, Experiment, Network, NetworkSettings
from rramkit.learning.data import DataSettings, as_numbers
from rramkit.learning.rules import BoundRule, FloatReference
from rramkit.learning.trainer import Trainer, pulses_by_matrix
from rramkit.table import TableFile

BATCH, TURNS = 64, 7
READ = {"row_driver": {"levels": 256}, "adc": {"bits": 8}, "read_noise": {"sigma_span": 0.02}}
EVERYTHING = {
    "mapping": {"wires": True, "read": READ},
    "chip": {"ideal_periphery": True},
    "rule": {"kind": "mixed_precision", "threshold": 0.05},
    "optimiser": {"learning_rate": 0.002},
    "batch": BATCH,
}
NUMPY = "the same, NumPy kernels"
CASES = {
    "float network": {"rule": {"kind": "float"}},
    "RRAM, everything on": {},
    NUMPY: {},
    "RRAM, without wires": {"mapping": {"wires": False, "read": READ}},
    "RRAM, without wires and converters": {"mapping": {"wires": False}},
    "RRAM, every stage of the file": {"chip": {}, "mapping": {"wires": True}},
}
REFERENCES = {"PyTorch, 1 thread": 1, "PyTorch, 2 threads": 2}
PEER, PEER_BATCHES = "aihwkit, mixed precision, ReRAM", 64


@dataclass(frozen=True)
class Workload:
    """A network, its data, batches before, of them in RRAM without being counted, and steps of a turn."""

    network: str
    data: str
    warm: int
    settled: int
    steps: int


WORKLOADS = {
    "lenet5": Workload("lenet5", "mnist", warm=300, settled=20, steps=8),
    "vgg8": Workload("vgg8", "cifar10", warm=20, settled=3, steps=1),
}


@dataclass(frozen=True)
class Speed:
    """Seconds of a step by the clock and of the processor, and pulses fired in it, median over the turns."""

    wall: float
    processor: float
    pulses: float


def main() -> None:
    """Print images a second of each side, and over PyTorch's."""
    parser = argparse.ArgumentParser(description="Training speed of a network against PyTorch's.")
    parser.add_argument("tables", type=Path, help="table file of a whole design", metavar="TABLES.h5")
    parser.add_argument("--threads", type=int, default=1, help="threads of the kit: of its kernels, and of BLAS")
    parser.add_argument("--network", default="lenet5", choices=list(WORKLOADS), help="which network, on its data")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of a few steps that count")
    parser.add_argument("--sides", nargs="*", default=list(CASES), choices=list(CASES), help="sides to take")
    parser.add_argument("--peer", type=Path, help="interpreter that has aihwkit", metavar="PYTHON")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    chosen = parser.parse_args()
    if chosen.threads < 1 or chosen.turns < 1:
        parser.error(f"--threads and --turns must be 1 or more; got {chosen.threads} and {chosen.turns}")
    workload, names = WORKLOADS[chosen.network], [*REFERENCES, *chosen.sides]
    speeds = measured(workload, chosen.tables, names, threads=chosen.threads, turns=chosen.turns, peer=chosen.peer)
    wall = min(speeds[name].wall for name in REFERENCES)
    processor = min(speeds[name].processor for name in REFERENCES)
    rows = {
        name: {
            "threads": REFERENCES.get(name, chosen.threads),
            "images_per_s": round(BATCH / speed.wall, 1),
            "ratio": round(wall / speed.wall, 3),
            "images_per_processor_s": round(BATCH / speed.processor, 1),
            "processor_ratio": round(processor / speed.processor, 3),
            "pulses": None if np.isnan(speed.pulses) else speed.pulses,
        }
        for name, speed in speeds.items()
    }
    if chosen.json:
        print(json.dumps({"network": chosen.network, "kernels": compiling.family(), "batch": BATCH, "sides": rows}))
        return
    print(
        f"{chosen.network}, {compiling.family()}; {BATCH} images a step; over the better of PyTorch's, each time apart"
    )
    for name, row in rows.items():
        print(
            f"{name:35} {row['threads']} threads {row['images_per_s']:7.0f} images/s {row['ratio']:.2f}   processor "
            f"{row['images_per_processor_s']:7.0f} images/s {row['processor_ratio']:.2f}"
            + ("" if row["pulses"] is None else f"   {row['pulses']:.0f} pulses")
        )


def measured(
    workload: Workload, tables: Path, names: list[str], *, threads: int, turns: int, peer: Path | None = None
) -> dict[str, Speed]:
    """Let all sides take turns, each in a process of its own; return the speed of each."""
    sides: dict[str, Connection | Peer] = {
        name: started(name, workload, tables, REFERENCES.get(name, threads)) for name in names
    }
    if peer is not None:
        sides[PEER], names = Peer(peer, workload, threads), [*names, PEER]
    for pipe in sides.values():
        pipe.recv()  # it is ready
    taken: dict[str, list[Speed]] = {name: [] for name in names}
    for _ in range(turns + 1):
        for name, pipe in sides.items():
            pipe.send(workload.steps)
            taken[name].append(pipe.recv())
    for pipe in sides.values():
        pipe.send(0)
    each = {name: np.array([[s.wall, s.processor, s.pulses] for s in own[1:]]) for name, own in taken.items()}
    return {name: Speed(*(float(x) for x in np.median(own, axis=0))) for name, own in each.items()}


def started(name: str, workload: Workload, tables: Path, threads: int) -> Connection:
    """Start the process of a side; return the pipe to it."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", THREADS):
        os.environ[variable] = str(threads)  # before it loads a library of threads
    os.environ[compiling.VARIABLE] = "numpy" if name == NUMPY else ""
    context.Process(target=serve, args=(theirs, name, workload, tables, threads), daemon=True).start()
    theirs.close()
    return mine


class Peer:
    """The process of aihwkit, with what a pipe to a side has: `send` a number of steps, `recv` their speed."""

    def __init__(self, python: Path, workload: Workload, threads: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "network.npz"
        data = DataSettings.checked({"name": workload.data}, where="the data").loaded(seed=1)
        write_for_peer(file, workload, data, threads)
        words = [str(python), str(Path(__file__).with_name("peer_aihwkit.py")), str(file)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        environment.pop("PYTHONPATH", None)  # the packages of the kit are not those of the peer
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        self.send(workload.settled)

    def send(self, steps: int) -> None:
        """Ask for steps; for none, end."""
        assert self._process.stdin is not None
        if not steps:
            self._process.stdin.close()
            self._process.wait()
            self._folder.cleanup()
            return
        self._process.stdin.write(f"{steps}\n")

    def recv(self) -> Speed:
        """Return the speed of the steps that were asked for; pulses are not counted."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"aihwkit ended with exit code {self._process.wait()}; its reason stands above")
        return Speed(*json.loads(line), pulses=float("nan"))


def write_for_peer(path: Path, workload: Workload, data: DataSet, threads: int) -> None:
    """Write the layers of the network, weights after the batches before, and the next batches."""
    network, step = pytorch(workload, data, threads)
    for number in range(workload.warm):
        step(number)
    batches = [batch(data, workload.warm + number) for number in range(PEER_BATCHES)]
    weights = {f"weight{n}": each.detach().numpy() for n, each in enumerate(network.parameters())}
    np.savez(
        path,
        layers=json.dumps({"threads": threads, "layers": [layer_of(each) for each in network]}),
        weights=len(weights),
        images=np.stack([images for images, _ in batches]),
        labels=np.stack([labels for _, labels in batches]).astype(np.int64),
        **weights,
    )


def layer_of(module: Any) -> dict[str, Any]:  # noqa: ANN401  (a module of PyTorch)
    """Return the kind and the settings of a layer, as `peer_aihwkit.network_of` takes them."""
    names = {
        "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
        "Linear": ("in_features", "out_features"),
        "MaxPool2d": ("kernel_size",),
    }
    kind = type(module).__name__
    settings = {name: getattr(module, name) for name in names.get(kind, ())}
    if getattr(module, "weight", None) is not None:
        settings["bias"] = module.bias is not None
    return {"kind": kind, "settings": settings}


def serve(pipe: Connection, name: str, workload: Workload, tables: Path, threads: int) -> None:
    """Train one side on batches that it has not seen, as many steps as are asked for, until none is."""
    data, number = DataSettings.checked({"name": workload.data}, where="the data").loaded(seed=1), workload.warm
    if name in REFERENCES:
        step, fired = pytorch(workload, data, threads)[1], lambda: 0
    else:
        step, fired = ours(workload, data, table.load(tables), CASES[name])
    for _ in range(workload.settled):
        step(number := number + 1)
    pipe.send(None)
    while steps := pipe.recv():
        pulses, wall, processor = fired(), time.perf_counter(), time.process_time()
        for _ in range(steps):
            step(number := number + 1)
        taken = time.perf_counter() - wall, time.process_time() - processor
        pipe.send(Speed(*(each / steps for each in (*taken, fired() - pulses))))


def ours(
    workload: Workload, data: DataSet, tables: TableFile, changes: dict[str, Any]
) -> tuple[Callable[[int], None], Callable[[], int]]:
    """Return one step of this kit's training, which goes on from step to step, and the pulses that it has fired."""
    settings = {"network": {"name": workload.network, "reach": 5.0}, **EVERYTHING, **changes}
    experiment = Experiment.checked(settings, where="the benchmark")
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
    # to the middle of a training, where pulses are as rare as they are over most of it
    for number in range(workload.warm):
        x, labels = batch(data, number)
        digital, _ = reference.train_step(digital, x, labels, rng=rng)
    weights = [np.clip(matrix.weight, -1.0, 1.0) for matrix in digital.rule_state.matrices]
    state = replace(trainer.init(weights, dtype=dtype, rng=rng), vectors=digital.vectors, means=digital.means)
    state = replace(state, rule_state=replace(state.rule_state, optimiser=digital.rule_state.optimiser))
    if chip.chain.calibrates:
        state = trainer.calibrated(state, digital, *batch(data, 0), margin=experiment.mapping.margin)

    def step(number: int) -> None:
        nonlocal state
        state, _ = trainer.train_step(state, *batch(data, number), rng=rng)

    def fired() -> int:
        return int(pulses_by_matrix(None, state).sum())

    return step, fired


def pytorch(workload: Workload, data: DataSet, threads: int) -> tuple[Any, Callable[[int], None]]:
    """Return the same network in PyTorch, and one step of its training."""
    import torch  # here: everything else of the kit does without it
    from on_device import modules
    from torch import nn

    torch.set_num_threads(threads)
    network = modules(
        NetworkSettings.checked({"name": workload.network}, where="the benchmark").chain(images=True).layers
    )
    network(torch.from_numpy(batch(data, 0)[0]))  # lazy modules take their sizes from it
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001)

    def step(number: int) -> None:
        x, labels = (torch.from_numpy(each) for each in batch(data, number))
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), labels).backward()
        optimiser.step()

    return network, step


def batch(data: DataSet, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one batch of the training set, images and labels."""
    part = np.arange(BATCH * number, BATCH * (number + 1)) % len(data.y_train)
    return as_numbers(data.x_train[part], np.dtype(np.float32)), data.y_train[part]


if __name__ == "__main__":
    sys.exit(main())
