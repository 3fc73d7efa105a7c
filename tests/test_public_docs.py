"""Docstrings of what users call: parameters, returns and errors by section, and an example that runs."""

import inspect
import re
from collections.abc import Callable, Iterator

import pytest

import rramkit as rk
from rramkit.array import CellCurrent, TileRng, effective_conductance, program_matrix
from rramkit.array.mapping import Pairs
from rramkit.characterization.measured.importer import from_preset, from_pulses
from rramkit.cost.spiking import spiking_cost
from rramkit.learning import NetworkSettings, digits
from rramkit.learning.condition import Condition
from rramkit.learning.experiment import grid
from rramkit.learning.rules.rram_rule import RramRule
from rramkit.learning.spiking.evaluation import spiking_evaluation
from rramkit.learning.spiking.network import SpikingNetwork
from rramkit.learning.sweep import trials
from rramkit.learning.trained import TrainedNetwork
from rramkit.surrogate.grid import GridSurrogate

CLASSES = [thing for name in rk.__all__ if inspect.isclass(thing := getattr(rk, name))]
FUNCTIONS = [thing for name in rk.__all__ if inspect.isfunction(thing := getattr(rk, name))]
BESIDE = [
    CellCurrent.from_table,
    Condition.load,
    Condition.of,
    GridSurrogate,
    NetworkSettings,
    Pairs,
    RramRule.bind,
    SpikingNetwork.of,
    TileRng.of,
    TileRng.seeded,
    TrainedNetwork,
    digits,
    effective_conductance,
    from_preset,
    from_pulses,
    grid,
    program_matrix,
    spiking_cost,
    spiking_evaluation,
    trials,
]
"""Public names that users call and `rramkit.__all__` does not list."""

INTERNAL = {
    "ArrayModel": ("checked", "placed"),
    "ReadChain": ("drive",),
    "Tile": ("calibrated_as", "sensed"),
    "TrainedNetwork": ("changes", "of", "with_changes"),
}
"""Methods that other modules of the kit call and users do not."""
PLAIN = ("as_json", "described", "items", "key", "keys", "values")
"""Methods without parameters whose first line says all."""
OF_MAPPING = (
    *("backward", "cells_known_by", "cells_of", "changes", "flipped_at", "flips", "forward", "limited"),
    *("weight", "weight_at"),
)
"""Methods of `Pairs` that the rules and `MappedMatrix` call."""


def methods(owner: type) -> Iterator[tuple[str, Callable]]:
    """Yield the public methods of a class, by qualified name."""
    skipped = {*PLAIN, *INTERNAL.get(owner.__name__, ()), *(OF_MAPPING if owner is Pairs else ())}
    for name in dir(owner):
        method = inspect.getattr_static(owner, name)
        method = method.__func__ if isinstance(method, classmethod | staticmethod) else method
        shown = not name.startswith("_") or name == "__call__"
        if shown and name not in skipped and inspect.isfunction(method) and method.__module__.startswith("rramkit"):
            yield f"{owner.__name__}.{name}", method


def documented() -> dict[str, Callable]:
    """Return every function that this test holds, by name."""
    things = [*CLASSES, *FUNCTIONS, *BESIDE]
    owners = [thing for thing in things if inspect.isclass(thing)]
    named = {thing.__qualname__: thing for thing in things if not inspect.isclass(thing)}
    return named | dict(pair for owner in owners for pair in methods(owner))


DOCUMENTED = documented()


def sections(thing: object) -> dict[str, str]:
    """Return the numpydoc sections of a docstring by title."""
    parts = re.split(r"^(\w+)\n-+$", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(section: str) -> set[str]:
    """Return the names that a Parameters section describes."""
    lines = re.findall(r"^(\S.*)$", section, flags=re.MULTILINE)
    return {name.strip(" *") for line in lines for name in line.partition(" :")[0].split(",")}


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_a_function_describes_parameters_result_and_errors(name):
    function, own = DOCUMENTED[name], sections(DOCUMENTED[name])
    signature = inspect.signature(function)
    assert set(signature.parameters) - {"self", "cls"} == described(own.get("Parameters", "")), "Parameters"
    assert ("Returns" in own) == (signature.return_annotation not in (None, "None")), "Returns"
    if re.search(r"^\s+raise \w", inspect.getsource(function), flags=re.MULTILINE):
        assert "Raises" in own, "Raises"
    assert ">>> " in own.get("Examples", ""), "Examples"


@pytest.mark.parametrize("owner", [*CLASSES, *(thing for thing in BESIDE if inspect.isclass(thing))])
def test_a_class_has_an_example(owner):
    assert ">>> " in sections(owner).get("Examples", "")


def test_the_list_is_long_enough():
    assert len(DOCUMENTED) > 80
    for name in ("Table.at", "TableFile.at", "GridSurrogate.at", "load", "Pairs.from_tables", "solve_wires"):
        assert name in DOCUMENTED or name.replace("Pairs", "Mapping") in DOCUMENTED
