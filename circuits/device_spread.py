"""Device-to-device spread: devices whose parameters are drawn in Python and written into decks as numbers."""

import numpy as np

from rramkit.circuits.device import Device
from rramkit.errors import InputError
from rramkit.netlists import models

_TRIES = 1000  # draws of one value; the widest published limits keep four draws of five


def spread_devices(device: Device, count: int, *, rng: np.random.Generator) -> list[Device]:
    """Return `count` devices around `device`: each parameter with a spread is normal, redrawn outside its limits.

    Raises
    ------
    InputError
        When the model has no spread in its source.
    """
    spread = models.model(device.model).spread
    if not spread:
        raise InputError(f"`device` must be of a model with a published spread; {device.model} has none. Use jart.")
    drawn = {
        name: [_within(device.values[name], part.sigma, (part.low, part.high), rng) for _ in range(count)]
        for name, part in spread.items()
    }
    return [
        device.model_copy(update={"overrides": device.overrides | {name: drawn[name][k] for name in drawn}})
        for k in range(count)
    ]


def _within(mean: float, sigma: float, limits: tuple[float, float], rng: np.random.Generator) -> float:
    for _ in range(_TRIES):
        value = float(rng.normal(mean, sigma))
        if limits[0] <= value <= limits[1]:
            return value
    raise InputError(f"`device` has a mean of {mean:g} outside the limits {limits} of its spread. Bring it inside.")
