"""Interface of a table that is interpolated: signals over axes, masks of failed points, valid ranges, distributions.

`rramkit.table.Table` has it. The table module uses the surrogates, so they name what they take instead of importing it.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from rramkit.table.parts import Distribution, Mask, Over, Quantity


class Tabulated(Protocol):
    """A table with its parts as read-only mappings; see `rramkit.table.Table`."""

    @property
    def name(self) -> str:
        """Group name."""
        ...

    @property
    def axes(self) -> Mapping[str, Quantity]:
        """Coordinates in the order of the dimensions."""
        ...

    @property
    def signals(self) -> Mapping[str, Quantity]:
        """Signals over all axes."""
        ...

    @property
    def conditions(self) -> Mapping[str, Quantity]:
        """Scalars that hold for the whole table."""
        ...

    @property
    def masks(self) -> Mapping[str, Mask]:
        """Failed points of each signal."""
        ...

    @property
    def valid(self) -> Mapping[str, tuple[float, float]]:
        """Valid ranges narrower than the axis."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of every signal."""
        ...

    def signal(self, name: str) -> Quantity:
        """Return a signal, or raise."""
        ...

    def condition(self, name: str) -> float:
        """Return a condition, or raise."""
        ...

    def masked(self, signal: str) -> np.ndarray:
        """Return where a signal has no value."""
        ...

    def valid_range(self, axis: str) -> tuple[float, float]:
        """Return the lowest and the highest value of an axis."""
        ...

    def distribution(self, signal: str, over: Over | None = None) -> Distribution | None:
        """Return the distribution of a signal, or None."""
        ...

    def along(self, axis: str, value: float | str) -> "Tabulated":
        """Return the table at one value of an axis."""
        ...
