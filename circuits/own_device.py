"""A device of the user's own, a SPICE subcircuit or a Verilog-A module: what the kit must know, the cards around it.

    [cell.device]
    library = "mine.lib"        # flattened and checked as every library of a user (`model_text`)
    model = "mydev"             # the subcircuit
    [cell.device.interface]
    te = "te"                   # its pins: top and bottom electrode
    be = "be"
    state = "x"                 # pin, or node inside, whose voltage is the state
    initial = "x0"              # parameter that says where the state starts, in the state's own units
    low = 0.0                   # voltage of that node in state 0, the low conductance, and in state 1
    high = 1.0
    set_voltage = "positive"    # v(te, be) of SET
    [cell.device.interface.parameters]
    r_on = { value = 10e3, low = 1e3, high = 1e5, unit = "ohm", text = "resistance in state 1" }
    [cell.device.interface.spread]
    r_on = { sigma = 500.0, low = 8e3, high = 12e3 }

The cards are two subcircuits with the pins, the sign and the state of the kit's own models (`netlists.models`), so that
every circuit takes the device as it takes those. The held one is the user's `held` subcircuit, or `NAME_held` where the
library has it; without one, a voltage source holds the state node of the moving one.

A library that ends in `.va` or `.osdi` is a compact model (`verilog_a`), and `model` its module. The state must be a
pin of it: the cards set it there, and give the module the parameter `initial` where it has one of that name.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import field_validator, model_validator

from rramkit.circuits.libraries import CONTROL_WORDS, DeviceLibrary, UserLibrary
from rramkit.circuits.model_text import Line, subcircuits
from rramkit.circuits.verilog_a import check_device, compact_model, is_compact_model
from rramkit.errors import InputError, SetupError
from rramkit.netlists.models import (
    CheckPulses,
    DeviceModel,
    ModelParameter,
    NormalSpread,
    ParameterSet,
    Scatter,
)
from rramkit.parameters import Parameters, quantity

_NAME = re.compile(r"[a-z]\w{0,63}", re.IGNORECASE | re.ASCII)
_NODE = re.compile(r"\w{1,64}", re.ASCII)
_RESERVED = re.compile(rf"(?i)(?:params|gnd|0|{CONTROL_WORDS})")
_STATE = "s_0"  # of the kit's own subcircuits


class OwnParameter(ModelParameter):
    """One parameter of the user's subcircuit; the kit writes its value on every instance."""

    value: float


class Interface(Parameters):
    """What the kit must know of a user's subcircuit: pins, state, sign, parameters, spread, pulses of its test."""

    te: str = quantity("te", "1", "pin of the top electrode")
    be: str = quantity("be", "1", "pin of the bottom electrode")
    state: str = quantity("s", "1", "pin or node inside whose voltage is the state")
    initial: str = quantity(_STATE, "1", "parameter that gives the state at the start, in units of the state's voltage")
    low: float = quantity(0.0, "V", "voltage of the state node in state 0, of low conductance", ge=-1e6, le=1e6)
    high: float = quantity(1.0, "V", "voltage of the state node in state 1, of high conductance", ge=-1e6, le=1e6)
    set_voltage: Literal["positive", "negative"] = quantity("positive", "1", "sign of v(te, be) that is SET")
    held: str = quantity("", "1", "subcircuit whose state stands still; empty: NAME_held if the library has it")
    source: str = quantity("the user's library", "1", "where the model and its numbers come from")
    parameters: dict[str, OwnParameter] = quantity({}, "1", "parameters of the subcircuit, by name")
    spread: dict[str, NormalSpread] = quantity({}, "1", "parameters that vary from device to device")
    scatter: Scatter = Scatter()
    check: CheckPulses = CheckPulses()

    @field_validator("te", "be", "state")
    @classmethod
    def _node(cls, name: str) -> str:
        if not _NODE.fullmatch(name) or _RESERVED.fullmatch(name):
            raise ValueError("must be one name of ASCII letters, digits and _, and no word of SPICE's own")
        return name.lower()

    @field_validator("parameters")
    @classmethod
    def _in_order(cls, given: dict[str, OwnParameter]) -> dict[str, OwnParameter]:
        return dict(sorted(given.items()))  # the cards, and so their hash, are the same from a table file's JSON

    @field_validator("initial", "held")
    @classmethod
    def _word(cls, name: str) -> str:
        return checked_name(name).lower() if name else name

    @model_validator(mode="after")
    def _whole(self) -> "Interface":
        if self.low == self.high:
            raise ValueError(f"low and high must be two voltages; got {self.low:g} twice")
        if len({self.te, self.be, self.state}) != 3 or not self.initial:
            raise ValueError("te, be and state must be three nodes, and `initial` a parameter")
        strange = [name for name in self.parameters if not _NAME.fullmatch(name) or name != name.lower()]
        if strange:
            raise ValueError(f"parameters: a name must be of lower-case letters, digits and _; got {strange[0]!r}")
        if {_STATE, self.initial} & set(self.parameters):
            raise ValueError(f"parameters: {self.initial} and {_STATE} are the state at the start; leave them out")
        return self


def checked_name(name: str) -> str:
    """Return `name`; raise `ValueError` when it is no name of a subcircuit or parameter."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise ValueError("must be one name of ASCII letters, digits and _, and no word of SPICE's own")
    return name


@dataclass(frozen=True)
class _Part:
    """A subcircuit or module of the user's, all in lower case: name, pins in order, parameters; lines of the former."""

    name: str
    pins: tuple[str, ...]
    parameters: tuple[str, ...]
    body: tuple[Line, ...] | None = None

    @property
    def compact(self) -> bool:
        """Whether it is a module of a compact model."""
        return self.body is None


def device_model(path: str, name: str, interface: Interface) -> DeviceModel:
    """Return the record of a user's device: that of the kit's own models, its subcircuit the kit's cards around his.

    Raises
    ------
    ValueError
        When the library cannot be read, or does not hold what the interface names.
    """
    _, held = _parts(path, name, interface)
    taken = interface.parameters if held is None else set(held.parameters)
    return DeviceModel(
        description=f"{name} of the user's library",
        subcircuit=_wrapper(name),
        parameters={
            key: ModelParameter(unit=each.unit, low=each.low, high=each.high, text=each.text, held=key in taken)
            for key, each in interface.parameters.items()
        },
        sets={
            "default": ParameterSet(
                source=interface.source, values={key: each.value for key, each in interface.parameters.items()}
            )
        },
        spread=interface.spread,
        spread_source=interface.source,
        scatter=interface.scatter,
        scatter_source=interface.source,
        check_pulses=interface.check,
    )


def device_library(path: str, name: str, interface: Interface) -> DeviceLibrary:
    """Return the library of a user's device with the kit's cards around it."""
    moving, held = _parts(path, name, interface)
    inner = () if interface.state in moving.pins else (moving.name, interface.state)
    moving = replace(moving, pins=(*inner[1:], *moving.pins))
    cards = [*_cards(name, moving, interface), *_held_cards(name, moving, held, interface)]
    return DeviceLibrary(path, osdi=(path,) if moving.compact else (), cards="\n".join(cards), inner=inner)


def _wrapper(name: str) -> str:
    return f"rramkit_{name.lower()}"


def _parts(path: str, name: str, interface: Interface) -> tuple[_Part, _Part | None]:
    """Return the user's moving and held subcircuit or module; None: he has no held one."""
    compact = is_compact_model(path)
    try:
        present = _modules(path) if compact else _subcircuits(path)
    except (InputError, SetupError) as error:
        raise ValueError(f"library: {error}") from error
    kind = "module" if compact else "subcircuit"
    moving = _of_name(present, name, "model", kind)
    held_name = interface.held or f"{moving.name}_held"
    held = _of_name(present, interface.held, "held", kind) if interface.held else present.get(held_name)
    _check_pins(moving, interface, (interface.te, interface.be))
    if held is not None:
        _check_pins(held, interface.model_copy(update={"state": ""}), (interface.te, interface.be))
    start = () if compact and interface.initial == _STATE else (interface.initial,)  # a pin can be set from outside
    missing = [key for key in (*start, *interface.parameters) if key not in moving.parameters]
    twice = [key for key in (*interface.parameters, interface.initial) if moving.parameters.count(key) > 1]
    if twice:
        raise ValueError(
            f"the {kind} {moving.name} has two parameters `{twice[0]}`, apart by case, which ngspice ignores"
        )
    if missing or (held is not None and interface.initial not in held.parameters):
        where, what = (moving.name, missing[0]) if missing else (held_name, interface.initial)
        known = ", ".join((moving if missing or held is None else held).parameters) or "none"
        line = "" if compact else " on its `.subckt` line"
        raise ValueError(f"the {kind} {where} has no parameter `{what}`{line}; it has {known}")
    return moving, held


def _subcircuits(path: str) -> dict[str, _Part]:
    found = subcircuits(UserLibrary(path).models)
    return {name: _Part(each.name, each.pins, tuple(each.defaults), each.body) for name, each in found.items()}


def _modules(path: str) -> dict[str, _Part]:
    """Return the modules of a compact model; raise `InputError` where its text has what no device may have."""
    check_device(path)
    return {each.name: _Part(each.name, each.pins, each.parameters) for each in compact_model(path).modules}


def _of_name(present: dict[str, _Part], name: str, key: str, kind: str) -> _Part:
    if name.lower() not in present:
        names = ", ".join(present) or "none"
        raise ValueError(f"{key}: the library has no {kind} `{name}`; it has {names}")
    return present[name.lower()]


def _check_pins(found: _Part, interface: Interface, wanted: tuple[str, str]) -> None:
    """Raise `ValueError` unless the pins are the electrodes and, where it is one, the state."""
    strange = [pin for pin in found.pins if pin not in (*wanted, interface.state)]
    missing = [pin for pin in wanted if pin not in found.pins]
    if strange or missing:
        raise ValueError(
            f"the pins of {found.name} are {' '.join(found.pins)}: "
            + (f"none is `{missing[0]}`" if missing else f"`{strange[0]}` is neither electrode nor state")
        )
    if not interface.state or interface.state in found.pins:
        return
    if found.body is None:
        raise ValueError(
            f"state: {found.name} has no pin `{interface.state}`. Make the node of the state a pin of the module: no "
            "deck can set one that lies inside"
        )
    if not any(re.search(rf"(?i)\b{interface.state}\b", line.text) for line in found.body):
        raise ValueError(f"state: {found.name} has no pin or node `{interface.state}`")


def _cards(name: str, part: _Part, interface: Interface) -> list[str]:
    """Return the moving subcircuit in the kit's pins and sign."""
    low, span = interface.low, interface.high - interface.low
    direct = (low, span) == (0.0, 1.0)
    state = "s" if direct else "x"
    return [
        f".subckt {_wrapper(name)} te be s s_0=0{_declared(interface, list(interface.parameters))}",
        *_placed(part, interface, list(interface.parameters), state=state),
        *([f".ic v({state})={{{_start(interface)}}}"] if part.compact else []),
        *([] if direct else [f"Bs s 0 v = (v(x) - ({low:.12g}))/({span:.12g})"]),
        ".ends",
    ]


def _held_cards(name: str, moving: _Part, held: _Part | None, interface: Interface) -> list[str]:
    """Return the held subcircuit: the user's own, or the moving one with its state node at a voltage source."""
    wrapper = f"{_wrapper(name)}_held"
    part, names = moving, list(interface.parameters)
    if held is not None:
        part, names = held, [key for key in interface.parameters if key in held.parameters]
    return [
        f".subckt {wrapper} te be s_0=0{_declared(interface, names)}",
        *_placed(part, interface, names, state="x"),
        *([f"Vstate x 0 {{{_start(interface)}}}"] if held is None else []),
        ".ends",
    ]


def _declared(interface: Interface, names: list[str]) -> str:
    return "".join(f" {key}={interface.parameters[key].value:.12g}" for key in names)


def _placed(part: _Part, interface: Interface, names: list[str], *, state: str) -> list[str]:
    """Return the lines that place the user's subcircuit or module: SET at v(te, be) > 0 of the kit's pins.

    The parameters of a module stand on a `.model` line inside, so that each instance has its own.
    """
    ends = ("te", "be") if interface.set_voltage == "positive" else ("be", "te")
    nodes = dict(zip((interface.te, interface.be, interface.state), (*ends, state), strict=True))
    pins = " ".join(nodes[pin] for pin in part.pins)
    given = [f"{interface.initial}={{{_start(interface)}}}"] if interface.initial in part.parameters else []
    given += [f"{key}={{{key}}}" for key in names]
    if part.compact:
        return [f".model rramkit_own {' '.join([part.name, *given])}", f"Nown {pins} rramkit_own"]
    return [" ".join([f"Xown {pins} {part.name}", *given])]


def _start(interface: Interface) -> str:
    low, span = interface.low, interface.high - interface.low
    return _STATE if (low, span) == (0.0, 1.0) else f"{low:.12g} + ({span:.12g})*{_STATE}"
