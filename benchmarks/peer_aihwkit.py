"""Training steps of a network in IBM's aihwkit, for `train_throughput.py --peer PYTHON`, which starts this.

`PYTHON peer_aihwkit.py NETWORK.npz`, by an interpreter that has aihwkit (its wheel 1.1.0 wants PyTorch 2.10). That is
another PyTorch than the kit's, so this file imports nothing of the kit. The file has the layers (JSON), their weights,
images and labels. Each line of the standard input is a number of steps; the answer is one line of JSON, the seconds of
a step by the clock and of the processor. The configuration is aihwkit's own for mixed precision with ReRAM cells
(`MixedPrecisionReRamESPreset`), whose reads have converters, noise and bound management, forward and backward, and no
wires.
"""
# pyright: reportMissingImports=false

import json
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import nn


def main(path: str) -> None:
    """Answer each line until the input ends."""
    with np.load(path) as file:
        layers, images, labels = json.loads(str(file["layers"])), file["images"], file["labels"]
        weights = [torch.from_numpy(file[f"weight{number}"]) for number in range(int(file["weights"]))]
    torch.set_num_threads(int(layers["threads"]))
    step = stepper(network_of(layers["layers"], weights), torch.from_numpy(images), torch.from_numpy(labels))
    number = 0
    for line in sys.stdin:
        steps = int(line)
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            step(number := number + 1)
        taken = (time.perf_counter() - wall) / steps, (time.process_time() - processor) / steps
        print(json.dumps(taken), flush=True)


def network_of(layers: list[dict[str, Any]], weights: list[torch.Tensor]) -> nn.Module:
    """Return the network with these weights, its products in aihwkit's tiles."""
    from aihwkit.nn.conversion import convert_to_analog
    from aihwkit.simulator.presets import MixedPrecisionReRamESPreset

    kinds = {
        "Conv2d": nn.Conv2d,
        "Linear": nn.Linear,
        "MaxPool2d": nn.MaxPool2d,
        "ReLU": nn.ReLU,
        "Flatten": nn.Flatten,
    }
    network = nn.Sequential(*(kinds[layer["kind"]](**layer["settings"]) for layer in layers))
    with torch.no_grad():
        for parameter, weight in zip(network.parameters(), weights, strict=True):
            parameter.copy_(weight)
    return convert_to_analog(network, MixedPrecisionReRamESPreset())


def stepper(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> Any:  # noqa: ANN401  (a function)
    """Return one step of training, on the batch of its number."""
    from aihwkit.optim import AnalogSGD

    optimiser = AnalogSGD(network.parameters(), lr=0.01)
    optimiser.regroup_param_groups(network)

    def step(number: int) -> None:
        at = number % len(images)
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[at]), labels[at]).backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main(sys.argv[1])
