"""Every quantity of every block says something: changed alone, it changes the circuit, the analysis or a measure.

Many say something in one variant only (the selector's in a 1S1R array); so each block has variants, and a quantity must
matter in one of them. What matters in none is listed below, with the reason.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from rramkit.circuits import catalog
from rramkit.circuits.verilog_a import find_compiler
from rramkit.errors import InputError, SetupError
from rramkit.netlists import models
from rramkit.parameters import Parameters

Dotted = tuple[str, ...]

NO_COMPILER = "where no compiler is found: test_compiled_cells.py"

# Block, quantity (both as regular expressions), and why it has no say in the deck that the block's name gives.
SILENT = (
    (".*", r".*technology\.(library_file|section|osdi|corners|devices?)", "test_technology*.py, test_compact_models"),
    (".*", r".*technology\.([np]mos_\w+|subcircuit\.\w+)", "test_technology*.py"),
    (".*", r".*device\.overrides", "one of many names: test_device.py"),
    (".*", r".*device\.(library|interface)", "a user's: test_own_device.py"),
    (".*", r".*device\.compiled", NO_COMPILER),
    (".*", r".*cell\.device\.parameter_set", "the default model has one set: test_device.py"),
    (".*", r".*matching\.a_(vt|c)|.*sar\.c_density", "deviations are drawn in Python and enter as numbers"),
    ("cell_read|cell_write|crossbar.*", r".*technology\.(v_core|v_io|l_core|l_io|l_diffusion)", "cells have their own"),
    ("cell_noise|disturb_cell|droop", r"cell\.technology\.(v_io|l_io|l_diffusion)", "cells have their own"),
    ("cell_noise", r"read\.(v_read|t_read)", "a sweep, whose points are the read voltages"),
    ("disturb_cell|droop", r"read\.\w+", "what a state's conductance is: `preparation` of the engine"),
    ("array_system", r"crossbar\.(c_row|c_col|c_word|r_word|wires\.c_length)|read\.(t_read|v_read)", "static"),
    ("array_system", r"driver\.(bits|r_string|v_full|v_rest|w_inverter)", "only the gate of the selected level"),
    ("array_system", r"readout\.(bank|c_integrate|c_miller|w_reset)", "static, at a gain as given"),
    ("array_system", r"readout\.v_clamp|read\.v_rest", "one value for both, else refused"),
    ("write_.*|disturb", r"cell\.technology\.(v_io)", "the write path has its own supply, driver.v_write"),
    ("readout.*|multibit_read", r"readout\.ota\.technology\.(v_io|v_core|l_core)", "an amplifier with its own supply"),
    ("readout", r"v_full", "what counts as settled"),
    ("readout_offset", r"readout\.ota\.trim", "swept"),
    ("periphery.*", r"periphery\.readout\.ota\.(trim|w_trim|l_trim)", "no trim by default"),
    ("periphery.*", r"periphery\.readout\.r_lowest", "capacitors as given: bank is 0"),
    ("multibit_read", r".*latch\.technology\.(v_io|l_io)", "core transistors only"),
    ("cell_read", r"read\.(v_read|t_read)", "a sweep has neither"),
    ("cell_write", r"read\.v_max", "a staircase reads at v_read"),
    ("crossbar", r"read\.v_read", "inputs go to v_max"),
    ("crossbar_pairs", r"read\.(t_rise|t_step|direction)|read\.read\.(t_read|v_max)", "static forward reads at v_read"),
    ("crossbar_pairs", r"read\.crossbar\.(r_word|c_row|c_col|c_word)|.*c_length", "static: no capacitance"),
    ("write_driver_pulses|disturb", r"code_last", "said so in its description"),
    ("crossbar_driver_write", r"driver\.lines\.\w+", "refused: the array has wires of its own"),
    ("crossbar_driver_write", r".*technology\.v_io", "the write path has its own supply, driver.v_write"),
    ("crossbar_driver_write", r"crossbar\.(cell_kind|row_line|gating|selector\.\w+)", "one value of each is allowed"),
    ("sense_amp", r"v_search|search_steps|t_step_search|dv_example", "the offset search's"),
    ("sense_amp_offset", r"v_first|v_last|decisions|t_step", "the train's"),
    ("periphery.*", r"periphery\.crossbar\.(row_line|gating)", "one value of each is allowed"),
    ("periphery.*", r"periphery\.readout\.(mode|c_integrate|c_miller|w_reset)", "transimpedance only, else refused"),
)  # fmt: skip

_WRITES: tuple[dict[str, Any], ...] = (
    {"polarity": "reset"},
    {"driver.set_line": "bl"},
    {"driver.buffer.gain": 1.2},
)
_PULSES: tuple[dict[str, Any], ...] = (
    {"polarity": "reset"},
    {"pulse.set_line": "bl"},
    {"polarity": "reset", "pulse.set_line": "bl"},
)
_ARRAY: tuple[dict[str, Any], ...] = (
    {"crossbar.cell_kind": "1S1R"},
    {"crossbar.wires.table": "neurosim"},
    {"spread.sigma": 0.1},
)
_PERIPHERY = tuple({f"periphery.{k}" if k[0] == "c" else k: v for k, v in each.items()} for each in _ARRAY)
_PAIRS = tuple({f"read.{k}": v for k, v in each.items()} for each in _ARRAY)
_READOUTS: dict[str, Any] = {"periphery.sense": "transimpedance", "t_slot": 70e-9}
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "array_system": _ARRAY[:2],
    "cell_write": ({"polarity": "reset"}, {"pulse.set_line": "bl"}),
    "disturb_cell": _PULSES,
    "droop": _PULSES,
    "write_driver_set": _WRITES,
    "write_driver_reset": ({"polarity": "set"}, *_WRITES[1:], {"polarity": "set", "driver.set_line": "bl"}),
    "write_driver_pulses": _WRITES,
    "write_verify": ({"polarity": "reset"}, {"driver.buffer.gain": 1.2}),
    "disturb": _WRITES,
    "crossbar": _ARRAY,
    "crossbar_write": (
        {"crossbar.cell_kind": "1S1R", "selection.scheme": "half"},
        *_ARRAY[1:],
        {"spread.sigma": 0.1, "spread.stuck_low": 0.1, "spread.stuck_high": 0.1},
    ),
    "crossbar_driver_write": ({"polarity": "reset"}, {"crossbar.wires.table": "neurosim"}, *_WRITES[1:]),
    "crossbar_pairs": (*_PAIRS, {"read.crossbar.cell_kind": "1R"}),
    "periphery": (*_PERIPHERY, {"periphery.switches": "ideal"}, _READOUTS, {**_READOUTS, "periphery.convert": "sar"}),
    "periphery_codes": (
        {"periphery.switches": "ideal"},
        {"periphery.convert": "none"},
        {"periphery.convert": "none", "periphery.sense": "ideal"},
        *_PERIPHERY,
    ),
    "readout": ({"readout.mode": "integrating"}, {"readout.r_feedback": 7e3}),
    "readout_offset": ({"readout.mode": "integrating"}, {"readout.r_feedback": 7e3}),
    "multibit_read": ({"readout.mode": "integrating"}, {"readout.r_feedback": 7e3}),
}


def fields(params: Parameters, path: Dotted = ()) -> Iterator[tuple[Dotted, FieldInfo, object]]:
    for name, field in type(params).model_fields.items():
        value = getattr(params, name)
        if isinstance(value, Parameters):
            yield from fields(value, (*path, name))
        else:
            yield (*path, name), field, value


def others(field: FieldInfo, value: object) -> Iterator[object]:
    """Yield other values, likely ones first."""
    words = get_args(field.annotation)
    if words and all(isinstance(word, str) for word in words):
        yield from (word for word in words if word != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 2 * value, value // 2, value + 20)
    elif isinstance(value, float):
        yield from (1.01 * value, 0.99 * value, value + 0.4, value + 1e-9, value + 1e-15)
    elif isinstance(value, tuple) and value:
        yield (*value, value[-1])
    elif isinstance(value, str):
        yield from ("symmetric", "ted16_a", "biolek", *models.names())
    elif value is None:
        yield from (3e-7, 0.7)  # a time, a voltage


def with_values(params: Parameters, values: dict[str, Any]) -> Parameters:
    """Return the parameters with other values; a technology's in all technologies, since a deck has one."""
    tree = params.model_dump()
    for dotted, value in values.items():
        head, _, tail = dotted.partition("technology.")
        if tail:
            _everywhere(tree, tail, value)
            continue
        node, *inner = tree, *head.split(".")
        for name in inner[:-1]:
            node = node[name]
        node[inner[-1]] = value
    return type(params).model_validate(tree)


def _everywhere(tree: dict[str, Any], name: str, value: object) -> None:
    for key, node in tree.items():
        if key == "technology":
            node[name] = value
        elif isinstance(node, dict):
            _everywhere(node, name, value)


def said(block: catalog.CatalogEntry, params: Parameters) -> tuple[object, ...]:
    """Everything of a deck that ngspice acts on."""
    deck = block.deck(params)
    return str(deck.circuit), deck.libraries, deck.analysis, deck.measures, deck.options


@cache
def silent(name: str) -> set[str]:
    """Quantities of a block that change nothing in any of its variants."""
    block = catalog.block(name)
    left = {".".join(path) for path, _, _ in fields(block.parameters())}
    for variant in reversed(({}, *VARIANTS.get(name, ()))):  # the last has the most parts: little is left after it
        params = with_values(block.parameters(), variant)
        reference = said(block, params)
        for path, field, value in fields(params):
            dotted = ".".join(path)
            if dotted not in left:
                continue
            # In a variant one value will do for what may be silent: all of them are tried in the block as it is.
            tried = islice(others(field, value), 1 if variant and _reason(name, dotted) else None)
            if any(_differs(block, params, dotted, other, reference) for other in tried):
                left.discard(dotted)
    return left


def _differs(block: catalog.CatalogEntry, params: Parameters, dotted: str, value: object, reference: object) -> bool:
    try:
        return said(block, with_values(params, {dotted: value})) != reference
    except (ValidationError, InputError, SetupError):
        return False


def _reason(name: str, dotted: str) -> str:
    """Return why a quantity may be silent; length and supply of an oxide are, where no transistor has that oxide."""
    oxide = re.fullmatch(r".*technology\.[vl]_(core|io)", dotted)
    if oxide and not re.search(rf"\b[np]mos_{oxide[1]}\b", _deck(name)):
        return f"no {oxide[1]} transistor"
    found = [why for block, quantity, why in SILENT if re.fullmatch(block, name) and re.fullmatch(quantity, dotted)]
    return found[0] if found else ""


@cache
def _deck(name: str) -> str:
    block = catalog.block(name)
    return str(block.deck(block.parameters()).circuit)


@pytest.mark.parametrize("name", sorted(catalog.BLOCKS))
def test_every_quantity_matters(name):
    assert sorted(dotted for dotted in silent(name) if not _reason(name, dotted)) == []


def test_no_reason_is_stale():
    every = [(name, dotted) for name in catalog.BLOCKS for dotted in silent(name)]
    for block, quantity, why in SILENT:
        if why == NO_COMPILER and find_compiler() is not None:
            continue
        assert any(re.fullmatch(block, name) and re.fullmatch(quantity, dotted) for name, dotted in every), why
