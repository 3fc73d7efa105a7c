"""What it takes to characterise a component: its decks, its measures with their units, and its optional abilities.

A component is plain functions of a module and data, so that it travels to a worker process by pickle. The engine is
handed components; it never looks one up.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.engine.point import Measurement
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.parameters import Parameters
from rramkit.table import Fit, HeldOut, Table
from rramkit.table.parts import Distribution

Values = Mapping[str, np.ndarray]
"""Measures of one run by name: of its steps (N,) each, of the whole run one number () each."""


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
    """How Pelgrom's law spreads a component: `size` standard normals of its parameters, and the draw of these."""

    size: Callable[[Any], int]
    draw: Callable[[Any, np.ndarray], RandomDraw]


@dataclass(frozen=True)
class SideBySide:
    """Many cases in one deck, each with its own copy of the circuit: they share time steps and model cards.

    Attributes
    ----------
    most : int
        Cases in one deck at most.
    paths : tuple of str
        Dotted paths of the parameters in which the cases of a deck may differ.
    deck, measure : callable
        As those of the component, for the parameters of each case; `measure` returns one mapping a case.
    """

    most: int
    paths: tuple[str, ...]
    deck: Callable[[Sequence[Any], np.ndarray, RandomDraw], Deck]
    measure: Callable[[Waveforms, Sequence[Any], np.ndarray], Sequence[Values]]


@dataclass(frozen=True)
class Preparation:
    """A prerequisite run for each corner and each random draw, such as the map from conductance to state.

    Attributes
    ----------
    stage : str
        Name of the stage, for progress.
    component : Component
        What runs first, at the same corner and with the same draw.
    parameters : callable
        Its parameters, from those of the component that is prepared.
    points : tuple of (dotted path, value)
        Where it runs.
    measures : tuple of str
        What is measured there, one number a run each.
    result : callable
        From those numbers (len(points), len(measures)) to the prepared object.
    coordinate, unit : str
        Name and unit of the axis that the prepared object places; no parameter of the component.
    place : callable
        Prepared object, coordinate, whether the nearest possible value will do: dotted path and value of a parameter.
    raw : tuple of str
        Measures of a run that `convert` turns into the component's own; none: nothing is converted.
    convert : callable, optional
        Prepared object, parameters of the run, raw measures: the component's measures.
    """

    stage: str
    component: "Component"
    parameters: Callable[[Any], Parameters]
    points: tuple[tuple[str, float], ...]
    measures: tuple[str, ...]
    result: Callable[[np.ndarray], Any]
    coordinate: str
    unit: str
    place: Callable[[Any, float, bool], tuple[str, float]]
    raw: tuple[str, ...] = ()
    convert: Callable[[Any, Any, Values], Values] | None = None


@dataclass(frozen=True)
class CycleSpread:
    """Noise from cycle to cycle that is drawn after a run, from what the run's own waveform says of its size.

    Attributes
    ----------
    check : callable
        Raises `InputError` for parameters whose device has no such noise.
    raw, measure : tuple of str, callable
        What is measured of a run besides; `measure` as the component's.
    added : callable
        Prepared object, raw measures, standard normals (D,): what the noise adds to each signal, (D,).
    """

    check: Callable[[Any], None]
    raw: tuple[str, ...]
    measure: Callable[[Waveforms, Any, np.ndarray], Values]
    added: Callable[[Any, Values, np.ndarray], Values]


@dataclass(frozen=True)
class FitRun:
    """One run of a fitted table: its deck, made when it is needed, and the measure of its waveforms."""

    deck: Callable[[], Deck]
    measure: Measurement
    label: str


@dataclass(frozen=True)
class FittedTable:
    """A component whose table is a fit, such as resistances fitted to reads of whole arrays.

    Attributes
    ----------
    inputs : callable
        Parameters, seed: inputs of the runs that the fit sees, and of those that it never sees.
    run : callable
        Parameters, prepared object, one of the inputs: the run.
    table : callable
        Name, parameters, inputs and values of the runs that the fit sees, tables of `after`: the table.
    held_out : callable
        Table, inputs and values of other runs, tables of `after`: by signal what SPICE gave and what the fit says.
    """

    inputs: Callable[[Any, int], tuple[Sequence[Any], Sequence[Any]]]
    run: Callable[[Any, Any, Any], FitRun]
    table: Callable[[str, Any, Sequence[tuple[Any, np.ndarray]], Mapping[str, Table]], Table]
    held_out: Callable[[Table, Sequence[tuple[Any, np.ndarray]], Mapping[str, Table]], Mapping[str, HeldOut]]


@dataclass(frozen=True)
class Component:
    """A circuit that can be characterised.

    Attributes
    ----------
    name : str
        Snake case; the same in every room.
    parameters : type
        Of its parameters.
    deck : callable
        Parameters, steps (N,), a draw of mismatch: the deck of one run.
    measure : callable
        Waveforms, parameters, steps: each of `signals` (N,) and each of `summary` (), NaN where there is none.
    signals, summary : mapping
        What is measured at every step; what one run gives.
    steps : Steps, optional
        None: a run has no steps, and only `summary` measures.
    mismatch : Mismatch, optional
        None: the component takes no mismatch.
    supplies : tuple of str
        Dotted paths of supplies that the corner's factor moves beside those of technologies and amplifiers.
    step : str
        Dotted path of the largest time step; empty for a component without one.
    fits : callable, optional
        A table of the signals: parametric models beside it, by name.
    constants : mapping
        Conditions of the table: name to dotted path (of parameters or properties) and unit; None values are left out.
    scatter : callable, optional
        Parameters, a table of the signals: distributions of its first signal in closed form, without draws, by name.
    side_by_side, preparation, cycles, fitted : optional
        Abilities; None: the component does not have it.
    """

    name: str
    parameters: type[Parameters]
    deck: Callable[[Any, np.ndarray, RandomDraw], Deck]
    measure: Callable[[Waveforms, Any, np.ndarray], Values]
    signals: Mapping[str, Signal] = field(default_factory=dict)
    summary: Mapping[str, Signal] = field(default_factory=dict)
    steps: Steps | None = None
    mismatch: Mismatch | None = None
    supplies: tuple[str, ...] = ()
    step: str = "t_step"
    fits: Callable[[Table], Mapping[str, Fit]] | None = None
    constants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    side_by_side: SideBySide | None = None
    preparation: Preparation | None = None
    cycles: CycleSpread | None = None
    fitted: FittedTable | None = None
    scatter: Callable[[Any, Table], Mapping[str, Distribution]] | None = None

    @property
    def code(self) -> str:
        """Return the SHA-256 of the modules that measure the component: a changed measure is another one."""
        return _code(self.measure.__module__)

    @property
    def identity(self) -> str:
        """Return a text that names the component and its measure, the same on every machine."""
        return f"{self.name}:{self.measure.__module__}.{self.measure.__qualname__}@{self.code}"


@cache
def _code(module: str) -> str:
    names = {module, *_kit_modules(sys.modules[module])}
    texts = [inspect.getsource(sys.modules[name]) for name in sorted(names)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _kit_modules(module: ModuleType) -> frozenset[str]:
    """Return the names of the modules of characterization/ that a module takes functions from."""
    sources = (each.__name__ if isinstance(each, ModuleType) else each.__module__ for each in _imports(module))
    return frozenset(name for name in sources if name.startswith("rramkit.characterization."))


def _imports(module: ModuleType) -> list[ModuleType | FunctionType]:
    return [each for each in vars(module).values() if isinstance(each, ModuleType | FunctionType)]
