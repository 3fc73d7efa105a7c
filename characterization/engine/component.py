"""What it takes to characterise a block: its deck for given steps and draws, and its measures with their units."""

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.parameters import Parameters
from rramkit.table import Fit, Table


@dataclass(frozen=True)
class Signal:
    """A measured quantity."""

    unit: str
    text: str


@dataclass(frozen=True)
class Steps:
    """What one run steps through, so that many values cost one run.

    `default` gives the steps (N,) of a run whose plan has no axis of that name.
    """

    name: str
    unit: str
    text: str
    default: Callable[[Any], np.ndarray]
    whole: bool = False


@dataclass(frozen=True)
class Mismatch:
    """How Pelgrom's law spreads a block: `size` standard normals of its parameters, and the draw that they make."""

    size: Callable[[Any], int]
    draw: Callable[[Any, np.ndarray], RandomDraw]


@dataclass(frozen=True)
class Component:
    """A block of the catalogue that can be characterised.

    Attributes
    ----------
    name : str
        The component's one name, that of its entry in the catalogue.
    parameters : type
        What its deck takes.
    deck : callable
        Parameters, steps (N,), a draw of mismatch: the deck of one run. As `measure` a function of a module, so that
        it travels to a worker.
    measure : callable
        Waveforms, parameters, steps: each of `signals` (N,) and each of `summary` (), NaN where there is none.
    signals, summary : mapping
        What is measured at every step; what one run gives.
    steps : Steps, optional
        None: a run has no steps, and only `summary` measures.
    mismatch : Mismatch, optional
        None: the block takes no mismatch.
    supplies : tuple of str
        Dotted paths of supplies that the corner's factor moves beside those of technologies and amplifiers.
    step : str
        Dotted path of the largest time step; empty for a block without one.
    fits : callable, optional
        A table of the signals: parametric models beside it, by name.
    constants : mapping
        What whoever reads the table needs besides: name to dotted path (of parameters or properties) and unit.
    """

    name: str
    parameters: type[Parameters]
    deck: Callable[[Any, np.ndarray, RandomDraw], Deck]
    measure: Callable[[Waveforms, Any, np.ndarray], Mapping[str, np.ndarray]]
    signals: Mapping[str, Signal] = field(default_factory=dict)
    summary: Mapping[str, Signal] = field(default_factory=dict)
    steps: Steps | None = None
    mismatch: Mismatch | None = None
    supplies: tuple[str, ...] = ()
    step: str = "t_step"
    fits: Callable[[Table], Mapping[str, Fit]] | None = None
    constants: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Return the SHA-256 of the modules that measure the block: a changed measure is another one."""
        names = {self.measure.__module__, *_kit_modules(sys.modules[self.measure.__module__])}
        texts = [inspect.getsource(sys.modules[name]) for name in sorted(names)]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@cache
def _kit_modules(module: ModuleType) -> frozenset[str]:
    """Return the names of the modules of characterization/ that a module takes functions from."""
    held = (each.__name__ if isinstance(each, ModuleType) else each.__module__ for each in _named(module))
    return frozenset(name for name in held if name.startswith("rramkit.characterization."))


def _named(module: ModuleType) -> list[ModuleType | FunctionType]:
    return [each for each in vars(module).values() if isinstance(each, ModuleType | FunctionType)]
