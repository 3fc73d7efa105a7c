"""Docstrings of what users call: parameters, returns, errors, shapes, units, sources, and an example that runs."""

import ast
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fixtures.pages import ROOT

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


def shown_names() -> dict[str, Any]:
    """Return what the page of the API shows, by name: things of the kit, and the members that it lists."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    for name, members in re.findall(r"\.\. auto\w+:: ([\w.]+)(?:\n   :members: (.*))?", text):
        found[name] = pkgutil.resolve_name(name)
        found |= {f"{name}.{each}": getattr(found[name], each) for each in members.split(", ") if each}
    return {name: thing for name, thing in found.items() if callable(thing) or isinstance(thing, property)}


SHOWN = shown_names()


def documented() -> dict[str, Callable]:
    """Return every function that this test holds, by name."""
    of_page = [getattr(thing, "__func__", thing) for thing in SHOWN.values() if inspect.isroutine(thing)]
    things = [*CLASSES, *FUNCTIONS, *BESIDE, *of_page]
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
    assert ("Returns" in own or "Yields" in own) == (signature.return_annotation not in (None, "None")), "Returns"
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


ITEM = re.compile(r"(?m)^(\S[^\n]*?)(?: : ([^\n]*))?\n((?:    .*\n?|\n)+)")
SHAPE = re.compile(r"\((?:\.\.\.|[A-Za-z]+|\d)(?: [A-Z])?,[^()]*\)|shape|broadcast|tuple of arrays|each axis")
UNIT = re.compile(
    r"\((?:1|%|[a-zA-Z]{1,3}(?:[/^ ][-\w/ ]+)?)\)"  # (S), (ohm), (A/V)
    r"|\b(?:siemens|amperes?|volts|ohms?|joules|seconds|kelvin|percent)\b|its unit|own unit"
    r"|0 to 1|-1|real numbers|[;,] numbers|fraction|part of|over full scale|over its|counted|labels|classes|DataSet"
    r"|each axis",
    re.IGNORECASE,
)
OF_NUMBERS = re.compile(r"\b(?:float|u?int\d* array|nd?array|array)\b")
OF_TRUTH = re.compile(r"of (?:bool|int\d*|str)\b")


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_what_the_api_page_shows_has_shapes_and_units(name):
    """Each array says its shape, each real number its unit: (1) where it has none."""
    own = sections(getattr(SHOWN[name], "__func__", SHOWN[name]))
    for title in ("Parameters", "Attributes", "Returns"):
        for names, kind, text in ITEM.findall(own.get(title, "") + "\n"):
            kind, said = kind or names, " ".join(f"{names} {text}".split())
            if "array" in kind:
                assert SHAPE.search(said), f"{title}: a shape: {said}"
            if OF_NUMBERS.search(kind) and not OF_TRUTH.search(kind):
                assert UNIT.search(said), f"{title}: a unit: {said}"


PHYSICS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("rramkit/array", "rramkit/cost", "rramkit/learning/rules", "rramkit/learning/spiking", "netlists")
    for path in (ROOT / folder).rglob("*.py")
)
EQUATION = re.compile(r"(?m)^ {4}.*=")
SOURCE = re.compile(
    r"[Ss]ource|arXiv|et al|\bown\b|\bours\b|Kirchhoff|published|paper|\b(?:19|20)\d\d\b|choice|\bAfter \w"
)


def test_every_module_with_an_equation_says_where_it_is_from():
    """A publication, a law, or that it is this kit's own."""
    texts = {path: ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8"))) or "" for path in PHYSICS}
    equations = {path: text for path, text in texts.items() if EQUATION.search(text)}
    assert len(equations) > 40
    assert [path for path, text in equations.items() if not SOURCE.search(text)] == []
