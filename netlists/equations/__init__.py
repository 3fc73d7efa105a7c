"""The device models' published equations in Python, one file a model: the reference that ngspice is compared with.

`equations("stanford")` is what `stanford.py` offers as `EQUATIONS`; a further model needs its file and no entry here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from rramkit.errors import InputError
from rramkit.netlists import models

Values = Mapping[str, float]


@dataclass(frozen=True)
class NoiseEquations:
    """What cycle-to-cycle noise of the state needs of a model.

    Attributes
    ----------
    temperature : callable
        `temperature(p, v, s)` [K] of the filament.
    gate : callable
        `gate(p, v, s)`: from 0 where the state rests to 1 where it moves.
    span : callable
        `span(p)` [nm]: the length that the state's range 0 to 1 stands for.
    voltage : callable
        `voltage(p, i, s)` [V]: the inverse of the current.
    """

    temperature: Callable[[Values, float, float], float]
    gate: Callable[[Values, float, float], float]
    span: Callable[[Values], float]
    voltage: Callable[[Values, float, float], float]


@dataclass(frozen=True)
class Equations:
    """One model's equations.

    Attributes
    ----------
    current : callable
        `current(p, v, s)` [A], from te to be.
    rate : callable
        `rate(p, v, y)` [1/s] of the states y = (s, ...).
    others : tuple
        Initial values of the states after s.
    noise : NoiseEquations, optional
        None: the model's source has no cycle-to-cycle noise.
    """

    current: Callable[[Values, float, float], float]
    rate: Callable[[Values, float, Sequence[float]], list[float]]
    others: tuple[float, ...] = ()
    noise: NoiseEquations | None = None


@cache
def equations(model: str) -> Equations:
    """Return a model's equations; raise `InputError` for a model that is not there."""
    if model not in models.names():
        raise InputError(f"`model` must be one of {', '.join(models.names())}; got {model!r}. Fix the name.")
    return import_module(f"{__name__}.{model}").EQUATIONS


def noisy_models() -> tuple[str, ...]:
    """Return the names of the models with cycle-to-cycle noise."""
    return tuple(name for name in models.names() if equations(name).noise is not None)
