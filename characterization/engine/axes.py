"""Axes of a plan: which number moves and over which values; scattered points of a Latin hypercube.

Latin hypercube: McKay, Beckman, Conover, Technometrics 21 (1979) 239. With N samples every axis is cut into N equal
parts and each part holds one sample, so that every axis alone is covered evenly, whatever their number.
"""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.parameters import Parameters, quantity

Kind = Literal["list", "linear", "logarithmic", "latin"]
TEMPERATURE, SUPPLY, CORNER = "temperature", "supply", "corner"


class Axis(Parameters):
    """One number that moves; `list` takes `values`, the other kinds `first` and `last`."""

    parameter: str = Field(
        description="dotted path of a parameter, a run's steps, `temperature`, `supply`, or a prepared one (`g_cell`)",
        pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*){0,8}$",
    )
    name: str = quantity("", "1", "name in the table; empty: the last word of `parameter`")
    kind: Kind = quantity("linear", "1", "list, linear, logarithmic, or latin (scattered; `samples` of the plan)")
    values: tuple[float, ...] = quantity((), "SI", "list: the values, rising")
    first: float = quantity(0.0, "SI", "lowest value")
    last: float = quantity(0.0, "SI", "highest value")
    points: int = quantity(0, "1", "linear, logarithmic: how many values", ge=0, le=10000)
    ratio: bool = quantity(False, "1", "list, latin: a factor counts, not a difference (logarithmic: always)")
    between: bool = quantity(True, "1", "fresh points may lie between the values of the axis")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "list":
            if len(self.values) < 1 or any(b <= a for a, b in zip(self.values, self.values[1:], strict=False)):
                raise ValueError(f"`values` of the axis {self.label} must be one or more rising values")
            if self.first or self.last or self.points:
                raise ValueError(f"the axis {self.label} is a list: give `values` alone")
        elif self.values or self.last <= self.first:
            raise ValueError(f"the axis {self.label} needs `first` below `last`, and no `values`")
        if self.kind in ("linear", "logarithmic") and self.points < 2:
            raise ValueError(f"the axis {self.label} needs `points`, 2 or more")
        if self.is_ratio and self.range[0] <= 0:
            raise ValueError(f"the axis {self.label} is logarithmic: its values must be above 0")
        return self

    @property
    def label(self) -> str:
        """Return the axis' name in the table."""
        return self.name or self.parameter.rpartition(".")[2]

    @property
    def is_ratio(self) -> bool:
        """Return whether a factor counts and not a difference."""
        return self.ratio or self.kind == "logarithmic"

    @property
    def range(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return (self.values[0], self.values[-1]) if self.kind == "list" else (self.first, self.last)

    @property
    def grid(self) -> np.ndarray:
        """Return the values (N,) of an axis that is not scattered."""
        if self.kind == "list":
            return np.array(self.values)
        values = (np.geomspace if self.is_ratio else np.linspace)(self.first, self.last, self.points)
        return np.concatenate([[self.first], values[1:-1], [self.last]])  # the ends to the last digit

    def placed(self, part: np.ndarray) -> np.ndarray:
        """Return where parts (N,) of the axis, from 0 to 1, lie; on its own values when none between them counts."""
        low, high = self.range
        if not self.between:
            grid = self.grid
            return grid[np.minimum((part * grid.size).astype(int), grid.size - 1)]
        return low * (high / low) ** part if self.is_ratio else low + (high - low) * part


def latin_hypercube(axes: Sequence[Axis], samples: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return `samples` scattered points (samples, len(axes)) over the axes' ranges."""
    parts = (np.array([rng.permutation(samples) for _ in axes]).T + rng.random((samples, len(axes)))) / samples
    return np.stack([axis.placed(parts[:, k]) for k, axis in enumerate(axes)], axis=1)
