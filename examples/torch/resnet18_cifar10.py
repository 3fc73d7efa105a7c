# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""ResNet-18 trained in float by PyTorch on the images of an experiment; weights by the kit's names, for `evaluate`.

    python examples/torch/resnet18_cifar10.py examples/experiments/resnet18_cifar10.toml -o resnet18.npz

Stochastic gradient descent with Nesterov's momentum, a rate that rises and falls once, images mirrored and shifted;
epochs, batch, rate, weight decay and seed are the experiment's. Products are computed in bfloat16, weights kept in
float32; accuracies are those of float32.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rramkit.learning import Experiment
from rramkit.learning.data.dataset import as_numbers, augmented


class Block(nn.Module):
    """A residual block by the kit's names: `main` and `shortcut`."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *(nn.Conv2d(inputs, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()),
            *(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)),
        )
        widened = (nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Sequential(*(widened if inputs != channels else ()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the rectified sum of both paths."""
        return torch.relu(self.main(x) + self.shortcut(x))


def resnet18(classes: int) -> nn.Sequential:
    """Return the network that `network.name = "resnet18"` is."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    before = 64
    for stage, channels in enumerate((64, 128, 256, 512)):
        layers += [Block(before, channels, 2 if stage else 1), Block(channels, channels, 1)]
        before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


def trained(model: nn.Module, x: np.ndarray, labels: np.ndarray, experiment: Experiment) -> None:
    """Train a model on images (N, C, H, W)."""
    rng, count = np.random.default_rng(experiment.seed), len(labels)
    rate, decay = experiment.optimiser.learning_rate, experiment.optimiser.weight_decay
    steps = experiment.epochs * (count // experiment.batch)
    optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
    for epoch in range(experiment.epochs):
        order, start, losses = rng.permutation(count), time.process_time(), []
        for step in range(count // experiment.batch):
            batch = order[step * experiment.batch : (step + 1) * experiment.batch]
            images = augmented(as_numbers(x[batch], np.float32), rng=rng)
            images = torch.from_numpy(images).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = model(images)
            loss = nn.functional.cross_entropy(scores.float(), torch.from_numpy(labels[batch]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        spent = time.process_time() - start
        print(f"epoch {epoch + 1}: loss {np.mean(losses[-50:]):.3f}, {spent:.0f} s of processor", flush=True)


def accuracy(model: nn.Module, x: np.ndarray, labels: np.ndarray) -> float:
    """Return the part of images (N, C, H, W) that a model classifies correctly, in float32."""
    with torch.no_grad():
        batches = [torch.from_numpy(as_numbers(x[i : i + 100], np.float32)) for i in range(0, len(x), 100)]
        predicted = np.concatenate([model(batch).argmax(dim=1).numpy() for batch in batches])
    return float(np.mean(predicted == labels))


def main() -> None:
    """Train, write the weights, print the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.toml")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NPZ")
    options = parser.parse_args()
    experiment = Experiment.from_toml(options.experiment)
    data = experiment.data.loaded(seed=experiment.seed)
    torch.manual_seed(experiment.seed)
    model = resnet18(data.classes)
    for kernel in model.parameters():
        if kernel.ndim == 4:  # convolutions of a processor are faster so
            kernel.data = kernel.data.contiguous(memory_format=torch.channels_last)
    trained(model, data.x_train, data.y_train, experiment)
    model.eval()
    numbers = {name: values.detach().contiguous().numpy() for name, values in model.state_dict().items()}
    np.savez(options.output, **numbers)
    parts = {"validation": (data.x_validation, data.y_validation), "test": (data.x_test, data.y_test)}
    for name, (x, labels) in parts.items():
        print(f"{name}: {100.0 * accuracy(model, x, labels):.1f} % of {len(labels)} images in float")


if __name__ == "__main__":
    main()
