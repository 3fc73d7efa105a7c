"""Monte Carlo: which spreads, how many draws, and one draw of them. Every value is drawn here, none by ngspice.

Draw number k of a plan is the same at every corner and at every place of the axes (common random numbers), so that the
spread, as a function of them, is smooth however few draws there are.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import Field

from rramkit.circuits.device import Device
from rramkit.circuits.device_spread import spread_devices
from rramkit.parameters import Parameters, quantity

Spread = Literal["mismatch", "device"]
Given = TypeVar("Given", bound=Parameters)


class MonteCarlo(Parameters):
    """Draws at every place of the axes; 0: none, devices are equal."""

    count: int = quantity(0, "1", "draws; 0: none", ge=0, le=100000)
    seed: int = quantity(7, "1", "seed of the draws", ge=0)
    spreads: tuple[Spread, ...] = quantity(
        ("mismatch",), "1", "mismatch (Pelgrom's law: transistors, capacitors), device (published ReRAM spread)"
    )
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = quantity(
        (0.05, 0.25, 0.5, 0.75, 0.95), "1", "levels of the quantiles that the table keeps, rising"
    )


@dataclass(frozen=True)
class Draw:
    """What mismatch does to one circuit; None: nothing. Shapes as `strong_arm` and `add_sar` take them."""

    dv_threshold: np.ndarray | None = None
    capacitors: np.ndarray | None = None


def generator(seed: int, number: int) -> np.random.Generator:
    """Return the generator of draw `number`."""
    return np.random.default_rng([seed, number])


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
