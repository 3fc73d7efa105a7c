"""Training speed on a GPU: `python benchmarks/on_device.py TABLES.h5 --device cuda --json`.

Needs PyTorch (the extra `torch`). Images a second of LeNet-5, VGG-8 and ResNet-18 in RRAM, with every stage of the file
and `mapping.backend` torch (docs/tutorials/gpu.md), and of the same layers in PyTorch eager float32 on the same device.
Images are made up and lie on the device: a step's time does not depend on what they show, nor, in RRAM, on how many
cells it writes. Both sides take turns of a few steps, each waited for until the device has finished it; what is printed
is the median. First weights are written exactly, which is not part of the time. Without a GPU: `--device cpu --steps 2
--networks lenet5`; without a table file, the kit's made-up one.
"""
# pyright: reportMissingImports=false

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rramkit import table
from rramkit.learning import DataSet, Experiment
from rramkit.learning.condition import OperatingTables
from rramkit.learning.layers import (
    Activation,
    AnyLayer,
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    MeanPool,
    Residual,
)
from rramkit.learning.supervised import SupervisedTraining
from rramkit.table.example import example

NETWORKS = {"lenet5": (1, 28, 28), "vgg8": (3, 32, 32), "resnet18": (3, 32, 32)}
"""Networks and the shape of their images (C, H, W)."""

CLASSES, WARM, TURNS = 10, 3, 5
"""Classes of the made-up images, steps that do not count, and turns of each side (1)."""

Step = Callable[[], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print images a second of each network on both sides, and their ratio."""
    parser = argparse.ArgumentParser(description="Training speed in RRAM against PyTorch's on one device.")
    parser.add_argument("tables", nargs="?", type=Path, help="table file of a whole design; left out, a made-up one")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--steps", type=int, default=20, help="steps of a turn")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of each side, whose median is taken")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    chosen = parser.parse_args(arguments)
    if min(chosen.batch, chosen.steps, chosen.turns) < 1:
        given = f"{chosen.batch}, {chosen.steps} and {chosen.turns}"
        parser.error(f"--batch, --steps and --turns must be 1 or more; got {given}")
    rows = {name: compared(name, chosen) for name in chosen.networks}
    where = torch.cuda.get_device_name(chosen.device) if chosen.device != "cpu" else "cpu"
    about = {"device": where, "pytorch": torch.__version__, "batch": chosen.batch, "steps": chosen.steps}
    if chosen.json:
        print(json.dumps({**about, "networks": rows}))
        return
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    for name, row in rows.items():
        print(f"{name:10} " + "  ".join(f"{key} {value:.4g}" for key, value in row.items()))


def compared(name: str, chosen: argparse.Namespace) -> dict[str, float]:
    """Return images a second of one network in RRAM and in PyTorch, and the ratio."""
    rng = np.random.default_rng(0)
    x = rng.random((chosen.batch, *NETWORKS[name]), dtype=np.float32)
    y = np.arange(chosen.batch) % CLASSES
    training = in_rram(name, x, y, chosen)
    sides = {"rram": rram_step(training), "pytorch": pytorch_step(training.rram.network.chain, x, y, chosen.device)}
    for step in sides.values():
        taken(step, min(WARM, chosen.steps), chosen.device)
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(chosen.turns):
        for side, step in sides.items():
            seconds[side].append(taken(step, chosen.steps, chosen.device) / chosen.steps)
    speeds = {side: chosen.batch / statistics.median(each) for side, each in seconds.items()}
    return {"rram_images_per_s": speeds["rram"], "pytorch_images_per_s": speeds["pytorch"]} | {
        "ratio": speeds["rram"] / speeds["pytorch"]
    }


def taken(step: Step, steps: int, device: str) -> float:
    """Return the time of some steps by the clock (s), all of which the device has finished."""
    finish(device)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    finish(device)
    return time.perf_counter() - start


def finish(device: str) -> None:
    """Wait until a device has finished its queue."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def in_rram(name: str, x: np.ndarray, y: np.ndarray, chosen: argparse.Namespace) -> SupervisedTraining:
    """Return the training of a network in RRAM, its first weights written and its converters calibrated."""
    file = example() if chosen.tables is None else table.load(chosen.tables)
    experiment = Experiment.checked(
        {
            "network": {"name": name},
            "rule": {"kind": "mixed_precision", "write": "nearest", "start": "error"},
            "mapping": {"backend": "torch", "device": chosen.device},
            "batch": chosen.batch,
            "float_reference": False,
        },
        where="the benchmark",
    )
    tables: OperatingTables = experiment.chip.tables(file)
    return SupervisedTraining(experiment, tables, DataSet(x, y, x, y, "made up"))


def rram_step(training: SupervisedTraining) -> Step:
    """Return one step of a training in RRAM on its device, which goes on from step to step."""
    trainer, data = training.rram, training.data
    state, rng = trainer.placed(training.states.rram), trainer.random((0,))
    x, y = trainer.placed((data.x_train, data.y_train))

    def step() -> None:
        nonlocal state
        state, _ = trainer.train_step(state, x, y, rng=rng)

    return step


def pytorch_step(chain: Chain, x: np.ndarray, y: np.ndarray, device: str) -> Step:
    """Return one step of PyTorch's training of the same layers in float32."""
    images, labels = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    network = modules(chain.layers).to(device)
    network(images)  # lazy modules take their sizes from it
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()

    return step


class Block(nn.Module):
    """A residual block: the rectified sum of two paths."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's outputs."""
        return torch.relu(self.main(x) + self.shortcut(x))


def modules(layers: Sequence[AnyLayer]) -> nn.Sequential:
    """Return layers of the kit as modules of PyTorch."""
    return nn.Sequential(*(module(layer) for layer in layers))


def module(layer: Any) -> nn.Module:  # noqa: ANN401  (one of the classes below)
    """Return a layer of the kit as a module of PyTorch."""
    match layer:
        case Convolution():
            sizes = (layer.channels, layer.kernel, layer.stride, layer.pad)
            return nn.LazyConv2d(*sizes, bias=layer.bias == "digital")
        case Dense():
            return nn.LazyLinear(layer.units or CLASSES)
        case BatchNorm():
            return nn.LazyBatchNorm2d()
        case MaxPool():
            return nn.MaxPool2d(layer.size)
        case MeanPool():
            return nn.AvgPool2d(layer.size) if layer.size else nn.AdaptiveAvgPool2d(1)
        case Activation():
            return nn.ReLU()
        case Flatten():
            return nn.Flatten()
        case Residual():
            return Block(modules(layer.main), modules(layer.shortcut))
    raise TypeError(f"no module for {type(layer).__name__}")


if __name__ == "__main__":
    sys.exit(main())
