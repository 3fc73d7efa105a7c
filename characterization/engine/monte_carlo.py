"""Monte Carlo: which spreads, how many draws, and one draw of them. Every value is drawn here, none by ngspice.

Draw number k of a plan is the same at every corner and at every place of the axes (common random numbers), so that the
spread, as a function of them, is smooth however few draws there are.

Matched draws (of mismatch): the standard normals Z (N, M) of all N draws are shifted and turned so that over the draws
every mean is 0, every sigma 1 and every correlation 0 (quadratic resampling: Barraquand, Management Science 41 (1995)
1882). The sigma of a response that is linear in them is then that of endless draws, where N plain ones know it to
1/sqrt(2(N - 1)) only; what is left is the response's curvature. Fresh draws, which check a table, are plain ones.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import Field

from rramkit.circuits.device import Device, spread_devices
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

SpreadKind = Literal["mismatch", "device", "cycles"]
Given = TypeVar("Given", bound=Parameters)


class MonteCarlo(Parameters):
    """Draws at every point of the axes, or on a coarser grid of them; 0: none, devices are equal."""

    count: int = quantity(0, "1", "draws; 0: none", ge=0, le=100000)
    seed: int = quantity(7, "1", "seed of the draws", ge=0)
    spreads: tuple[SpreadKind, ...] = quantity(
        ("mismatch",),
        "1",
        "mismatch (Pelgrom's law: transistors, capacitors), device (published ReRAM spread), "
        "cycles (noise of each pulse, drawn after it; needs `grid`)",
    )
    matched: bool = quantity(
        True, "1", "mismatch: draws matched in mean, sigma and correlation; else plain independent ones"
    )
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = quantity(
        (0.05, 0.25, 0.5, 0.75, 0.95), "1", "levels of the quantiles that the table keeps, rising"
    )
    grid: dict[str, Annotated[int, Field(ge=2, le=500)]] = quantity(
        {},
        "1",
        "axis name to points at which draws run, between which the added spread is linear; axes left out keep all. "
        "Given: the table holds equal devices, its distributions 17 quantiles from the lowest to the highest draw",
    )

    @property
    def at_every_point(self) -> bool:
        """Return whether each point of the plan runs with all draws."""
        return self.count > 0 and not self.grid


@dataclass(frozen=True)
class RandomDraw:
    """What mismatch does to one circuit; None: nothing. Shapes as `strong_arm` and `add_sar` take them."""

    dv_threshold: np.ndarray | None = None
    capacitors: np.ndarray | None = None


@dataclass(frozen=True)
class DrawNumber:
    """Which draw: number `number` of `count` by `seed`, matched to the others or not."""

    seed: int
    number: int
    count: int
    matched: bool

    @property
    def rng(self) -> np.random.Generator:
        """Generator of this draw alone."""
        return np.random.default_rng([self.seed, self.number])

    def normals(self, size: int) -> np.ndarray:
        """Return this draw's standard normals (size,)."""
        if self.matched:
            return matched_normals(np.random.default_rng([self.seed, self.count]), self.count, size)[self.number]
        return self.rng.normal(size=size)


def matched_normals(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Return normals (count, size) whose columns have mean 0, variance 1 (divisor count - 1) and no correlation."""
    if count <= size + 1:
        raise InputError(
            f"`monte_carlo.count` must exceed {size + 1}, the number of spread values and one, for matched draws; "
            f"got {count}. Draw more, or give matched = false."
        )
    plain = rng.normal(size=(count, size))
    centred = plain - np.mean(plain, axis=0)
    root = np.linalg.cholesky(centred.T @ centred / (count - 1))
    return np.linalg.solve(root, centred.T).T


def spread_of_devices(params: Given, *, rng: np.random.Generator) -> Given:
    """Return the parameters with every ReRAM device in them drawn anew from its model's published spread."""
    changes: dict[str, object] = {}
    for name in type(params).model_fields:
        inner = getattr(params, name)
        if isinstance(inner, Device):
            changes[name] = spread_devices(inner, 1, rng=rng)[0]
        elif isinstance(inner, Parameters):
            changes[name] = spread_of_devices(inner, rng=rng)
    return params.model_copy(update=changes) if changes else params
