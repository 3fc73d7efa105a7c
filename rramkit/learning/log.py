"""The training log: named series of numbers, each value at the epoch, action or batch after which it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class TrainingLog:
    """Series by name, each a list of (step, value); values of a series are numbers, or arrays of one shape.

    The log grows in place. `steps` and `values` give a series as arrays (N,) and (N, ...).
    """

    series: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, *names: str) -> "TrainingLog":
        """Return a log with empty series of these names."""
        return cls({name: [] for name in names})

    def add(self, step: int, **values: float | np.ndarray) -> None:
        """Append one value to each of the named series."""
        for name, value in values.items():
            self.series.setdefault(name, []).append((step, value))

    def length(self, name: str) -> int:
        """Return how many values a series has."""
        return len(self.series.get(name, ()))

    def last(self, name: str) -> Any:  # noqa: ANN401  (a number or an array, as it was added)
        """Return the last value of a series."""
        return self.series[name][-1][1]

    def row(self, index: int) -> dict[str, Any]:
        """Return one value of every series, for series that are appended to together."""
        return {name: rows[index][1] for name, rows in self.series.items()}

    def steps(self, name: str) -> np.ndarray:
        """Return the steps (N,) of a series."""
        return np.array([step for step, _ in self.series[name]], dtype=np.int64)

    def values(self, name: str) -> np.ndarray:
        """Return the values (N, ...) of a series."""
        return np.array([value for _, value in self.series[name]])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all series as arrays by name, for a checkpoint."""
        steps = {f"{name}.step": self.steps(name) for name in self.series}
        return {**steps, **{f"{name}.value": self.values(name) for name in self.series}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "TrainingLog":
        """Return the log that gave these `arrays`."""
        names = [name.removesuffix(".step") for name in arrays if name.endswith(".step")]
        return cls({name: _rows(arrays[f"{name}.step"], arrays[f"{name}.value"]) for name in names})


def _rows(steps: np.ndarray, values: np.ndarray) -> list[tuple[int, Any]]:
    return list(zip(steps.tolist(), values.tolist() if values.ndim == 1 else list(values), strict=True))
