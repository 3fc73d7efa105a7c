# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""A convolutional network on MNIST and a transformer block on the digits, in PyTorch: in float and on tiles.

    python examples/torch/small_networks.py TABLES.h5

Each is trained twice from the same weights: as it is, and on tiles with every stage that the table file has, errors
going back through the cells. Printed: accuracy of both on test images, and energy and time of each layer for one image.
RRAMKIT_DATA names the folder of MNIST's files.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rramkit import units
from rramkit.learning.data import DataSet, as_numbers
from rramkit.learning.data.settings import DataSettings
from rramkit.table import TablesLike, loaded
from rramkit.torch import cells_of, convert


def cnn() -> nn.Module:
    """Return a network for images (B, 1, 28, 28)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(16 * 9, 10)),
    )


class RowsTransformer(nn.Module):
    """Images (B, 64) as eight rows: embedding, one encoder layer, the mean over the rows, a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(8, 16)
        self.place = nn.Embedding(8, 16)
        self.block = nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (B, 10)."""
        rows = self.embedding(x.reshape(-1, 8, 8)) + self.place(torch.arange(8))
        return self.head(self.block(rows).mean(dim=1))


@dataclass(frozen=True)
class Task:
    """A network with its data and its budget."""

    model: Callable[[], nn.Module]
    data: DataSettings
    epochs: int
    rate: float = 3e-3


TASKS = {
    "CNN, MNIST": Task(cnn, DataSettings(name="mnist", train_images=2500, test_images=500), epochs=2),
    "transformer block, digits": Task(RowsTransformer, DataSettings(), epochs=12, rate=5e-3),
}


def numbers(x: np.ndarray) -> Tensor:
    """Return inputs as a tensor of float32."""
    return torch.from_numpy(as_numbers(x, np.float32))


def trained(model: nn.Module, data: DataSet, task: Task) -> nn.Module:
    """Return a model trained by Adam on batches of 32."""
    optimiser = torch.optim.Adam(model.parameters(), lr=task.rate)
    x, labels = numbers(data.x_train), torch.from_numpy(data.y_train)
    generator = torch.Generator().manual_seed(0)
    for _ in range(task.epochs):
        for batch in torch.randperm(len(x), generator=generator).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), labels[batch]).backward()
            optimiser.step()
    return model.eval()


def accuracy(model: nn.Module, data: DataSet) -> float:
    """Return the part of test inputs that a model classifies correctly."""
    with torch.no_grad():
        predicted = model(numbers(data.x_test)).argmax(dim=1).numpy()
    return float(np.mean(predicted == data.y_test))


def compared(name: str, tables: TablesLike) -> dict[str, float]:
    """Train a task in float and on tiles; print both, and return the accuracies."""
    task = TASKS[name]
    data = task.data.loaded(seed=1)
    torch.manual_seed(1)
    model = task.model()
    tiles = trained(convert(model, tables, seed=1), data, task)
    found = {"float": accuracy(trained(model, data, task), data)}
    before = {place: (cells.energy, cells.seconds) for place, cells in cells_of(tiles).items()}
    found["tiles"] = accuracy(tiles, data)
    count = len(data.y_test)
    print(f"{name}: float {found['float']:.1%}, on tiles {found['tiles']:.1%} of {count} test images")
    for place, cells in cells_of(tiles).items():
        spent = [(now - old) / count for now, old in zip((cells.energy, cells.seconds), before[place], strict=True)]
        print(f"    {place:<30} {units.text(spent[0], 'J'):>10} {units.text(spent[1], 's'):>10} an image, {cells.grid}")
    return found


def main(tables: Path) -> None:
    """Compare both."""
    file = loaded(tables)
    for name in TASKS:
        compared(name, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
