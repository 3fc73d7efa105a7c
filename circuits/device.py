"""The ReRAM device: its model and parameter set, device-to-device spread, and the test bench of a bare device.

A device is a model, a named set of its parameters, and single parameters given by name. The model is one of netlists/,
or a subcircuit of the user's own (`own_device`): both are a `DeviceModel`. Of netlists/, `compiled` says whether a deck
has it as behavioural sources or as compiled Verilog-A (`compiled_cell`).

Every library keeps the same pins and sign: `te be s`, v(te, be) > 0 is SET, s is the state as a voltage of 0 to 1 V,
`s_0` where it starts; the subcircuit with `_held` after its name has no pin s and stays at `s_0`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, get_args

import numpy as np
from pydantic import field_validator, model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import libraries
from rramkit.circuits.compiled_cell import CellUsed, CompiledCell, Form, FormOfDevice, cell_library
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.libraries import ModelFile, UserLibrary, check_path
from rramkit.circuits.own_device import Interface, checked_name, device_library, device_model
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.verilog_a import is_compact_model
from rramkit.errors import InputError, meant
from rramkit.netlists import models
from rramkit.netlists.equations import Equations, equations
from rramkit.netlists.models import DeviceModel
from rramkit.parameters import Given, Parameters, absolute, quantity


class Device(Parameters):
    """One ReRAM device; units and bounds of its parameters are those of the model (`record`)."""

    model: str = quantity("sky130", "1", "device model, or the subcircuit's name in `library`")
    parameter_set: str = quantity("default", "1", "named set of the model's parameters")
    overrides: dict[str, float] = quantity({}, "1", "single parameters of the model, by name, instead of the set's")
    library: str = quantity("", "1", "a user's library with the device; empty: the kit's models")
    interface: Interface | None = quantity(None, "1", "of a user's device: its pins, state, sign, parameters, spread")
    compiled: FormOfDevice = quantity(
        "in_plans",
        "1",
        "a model of the kit as compiled Verilog-A: never, always, auto: where it can be had; in_plans: auto in a plan, "
        "never in a deck of its own",
    )
    unsaid: ClassVar[tuple[str, ...]] = ("compiled",)  # finished points of behavioural cells stay what they were

    @field_validator("library")
    @classmethod
    def _file(cls, path: str) -> str:
        return check_path(absolute(path)) if path else path

    @model_validator(mode="after")
    def _of_a_model(self) -> "Device":
        if self.library:
            checked_name(self.model)
        elif self.model not in models.names():
            hint = meant(self.model, models.names())
            raise ValueError(
                f"model must be one of {', '.join(models.names())}, or `library` must name a file with it; got "
                f"{self.model!r}.{hint} Fix it"
            )
        elif self.interface is not None:
            raise ValueError("interface: a model of the kit has its own; `library` must name the file of yours")
        if self.library and self.compiled not in ("in_plans", "never"):
            raise ValueError("compiled is of the kit's models; a library of yours is compiled if it ends in .va")
        return self

    @model_validator(mode="after")
    def _in_bounds(self) -> "Device":
        record = self.record
        if self.parameter_set not in record.sets:
            raise ValueError(f"parameter_set must be one of {', '.join(record.sets)} for the model {self.model}")
        record.check(self.overrides)
        return self

    @property
    def record(self) -> DeviceModel:
        """The model: parameters with bounds, sets, spread, scatter."""
        if self.library:
            return device_model(self.library, self.model, self.interface or Interface())
        return models.model(self.model)

    @property
    def model_file(self) -> ModelFile:
        """The library that a deck with this device needs: a file of netlists/ by name, compiled, or the user's.

        Raises `SetupError` where it must be compiled and cannot.
        """
        if self.library:
            return device_library(self.library, self.model, self.interface or Interface())
        return cell_library(self.record, self.compiled)

    def used(self, *, held: bool = False) -> CellUsed:
        """Return which text decks have of it, and whether that is compiled; `held`: of the cell whose state is held.

        Of a user's compact model a held cell without a module of its own is the moving one's, its state node held.
        """
        library = self.model_file
        compiled = isinstance(library, UserLibrary) and bool(library.osdi)
        if held and isinstance(library, CompiledCell) and not library.held:
            compiled, library = False, library.behavioural
        return CellUsed(str(library), libraries.sha256(library), compiled)

    @property
    def values(self) -> dict[str, float]:
        """Value of every parameter of the model, in the library's units."""
        return self.record.sets[self.parameter_set].values | self.overrides

    @property
    def equations(self) -> Equations:
        """The model's equations in closed form; raise `InputError` for a device of the user's, which has none."""
        if self.library:
            raise InputError(
                f"`device` must be a model of the kit, whose equations are known in closed form; got {self.model} of "
                f"{Path(self.library).name}. Choose another, or leave out what needs them."
            )
        return equations(self.model)

    def subcircuit(self, *, held: bool = False) -> str:
        """Return the subcircuit's name."""
        return self.record.subcircuit + ("_held" if held else "")

    def instance(self, *, held: bool = False) -> dict[str, float]:
        """Return the parameters to write on an instance line: those that differ from the subcircuit's own defaults."""
        record = self.record
        parameters, default = record.parameters, record.sets["default"].values
        return {
            name: value
            for name, value in (record.sets[self.parameter_set].values | self.overrides).items()
            if value != default[name] and (parameters[name].held or not held)
        }


def in_form(params: Given, form: Form) -> Given:
    """Return parameters whose devices of the kit, also those of records in them, are compiled as `form` says.

    Raises
    ------
    InputError
        When `form` is none of the three, or a device is of a user's library, which is what it is: SPICE text where it
        should always be compiled, a compact model where it should never be.
    """
    if form not in get_args(Form):  # a copy of a record is not checked, and any other word would be taken for auto
        raise InputError(f"`compiled` must be one of {', '.join(get_args(Form))}; got {form!r}. Pass one of them.")
    return _each_device(params, lambda device: _formed(device, form))


def in_plan(params: Given) -> Given:
    """Return parameters as a plan runs them: devices that are compiled in plans are compiled, where they can be.

    Elsewhere such a device stays as it is, and its decks with it: what ran without a compiler is found again.
    """
    return _each_device(params, _in_plan)


def _in_plan(device: Device) -> Device:
    if device.library or device.compiled != "in_plans":
        return device
    if not isinstance(cell_library(device.record, "auto"), CompiledCell):
        return device
    return device.model_copy(update={"compiled": "always"})


def _each_device(params: Given, changed: Callable[[Device], Device]) -> Given:
    """Return parameters with the devices of the kit that they hold, at any depth, changed."""
    if isinstance(params, Device):
        return changed(params)
    inner = {name: getattr(params, name) for name in type(params).model_fields}
    return params.model_copy(
        update={name: _each_device(each, changed) for name, each in inner.items() if isinstance(each, Parameters)}
    )


def _formed(device: Device, form: Form) -> Device:
    """Return a device of the kit compiled as `form` says; a user's as it is."""
    return _as_it_is(device, form) if device.library else device.model_copy(update={"compiled": form})


def _as_it_is(device: Device, form: Form) -> Device:
    """Return a user's device; raise `InputError` where `form` asks for one that it is not."""
    compact, file = is_compact_model(device.library), Path(device.library).name
    if form == "always" and not compact:
        raise InputError(
            f"`compiled` = always needs a device that can be compiled; got {device.model} of {file}, SPICE text of "
            "yours. Use auto or never, or name it in Verilog-A: `library` = FILE.va."
        )
    if form == "never" and compact:
        raise InputError(
            f"`compiled` = never needs a device that stands in SPICE text; got {device.model} of {file}, a compact "
            "model of yours. Use auto or always, or name a subcircuit: `library` = FILE.lib."
        )
    return device


_TRIES = 1000  # draws of one value; the widest published limits keep four draws of five


def spread_devices(device: Device, count: int, *, rng: np.random.Generator) -> list[Device]:
    """Return `count` devices around `device`: each parameter with a spread is normal, redrawn outside its limits.

    Raises
    ------
    InputError
        When the model has no spread in its source.
    """
    spread, mean = device.record.spread, device.values
    if not spread:
        raise InputError(
            f"`device` must be of a model with a published spread; {device.model} has none. Use jart, or a device of "
            "your own with `interface.spread`."
        )
    drawn = {
        name: [_within(mean[name], part.sigma, (part.low, part.high), rng) for _ in range(count)]
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


# A cell that runs away changes its conductance by decades within one step: Newton then needs more than ngspice's 10
# iterations, and how far it ran hangs on the step error: the cell's benches are a decade coarser (reltol, trtol).
OPTIONS = "method=gear reltol=1e-5 trtol=1 abstol=1e-13 vntol=1e-7 chgtol=1e-18 itl4=100"


class DevicePulseParams(Parameters):
    """A device, what drives it, and where it starts."""

    device: Device = Device(model="bulk")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    r_series: float = quantity(5e3, "ohm", "resistor between source and top electrode", ge=1, le=1e7)
    v_pulse: tuple[float, ...] = quantity(
        (2.3, 2.6, -1.7), "V", "amplitude of each pulse; above zero is SET", min_length=1
    )
    t_pulse: float = quantity(50e-9, "s", "width of a pulse, edges excluded", ge=1e-13, le=100)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-15, le=1)
    t_rest: float = quantity(5e-9, "s", "time at 0 V after each pulse", ge=1e-14, le=100)
    t_step: float = quantity(0.1e-9, "s", "largest time step of the simulation", ge=1e-16, le=1)

    @property
    def t_slot(self) -> float:
        """Return the time from one pulse to the next [s]."""
        return 2 * self.t_rise + self.t_pulse + self.t_rest

    def t_after(self, index: int) -> float:
        """Return the time [s] at the end of the rest that follows pulse number `index`."""
        return (index + 1) * self.t_slot


def pulse_train(params: DevicePulseParams) -> Deck:
    """Return a `.tran` deck of the train."""
    circuit, device = Circuit("pulse train"), params.device
    steps: list[tuple[float, float]] = []
    for k, amplitude in enumerate(params.v_pulse):
        begin = k * params.t_slot
        steps += [(begin, amplitude), (begin + params.t_rise + params.t_pulse, 0.0)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_drive", "drive", circuit.gnd, values=points)
    circuit.R("_series", "drive", "te", params.r_series)
    circuit.X("_device", device.subcircuit(), "te", 0, "s", s_0=params.state, **device.instance())
    count = len(params.v_pulse)
    return Deck(
        title=f"{device.model} device ({device.parameter_set}): {count} pulses through a resistor",
        parameters=params,
        circuit=circuit,
        libraries=(device.model_file,),
        analysis=f".tran {params.t_step} {params.t_after(count - 1):.9e} 0 {params.t_step} uic",
        outputs=(
            Output("state", "v(s)", "1", "state of the device, 0 to 1"),
            Output("v_drive", "v(drive)", "V", "source"),
            Output("v_device", "v(te)", "V", "over the device"),
            Output("i_drive", "i(v_drive)", "A", "current into the source's positive terminal"),
        ),
        measures=tuple(
            Measure(f"state_{k}", f"find v(s) at={0.9999 * params.t_after(k):.9e}", "1", f"state after {v:.4g} V")
            for k, v in enumerate(params.v_pulse)
        ),
        options=OPTIONS,
    )


class HeldReadsParams(Parameters):
    """Devices alone whose states are held, at one read voltage of both signs."""

    device: Device = Device()
    state: tuple[float, ...] = quantity((0.0, 0.5, 1.0), "1", "held state of each device", min_length=1)
    v_read: float = quantity(0.1, "V", "voltage across each device", gt=0, le=50)


def held_reads(params: HeldReadsParams) -> Deck:
    """Return a `.dc` deck of the current of each device at -v_read, 0 and v_read."""
    circuit, device = Circuit("held reads"), params.device
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    for k, state in enumerate(params.state):
        circuit.V(f"_te_{k}", "sweep", f"te_{k}", 0)
        circuit.X(f"_device_{k}", device.subcircuit(held=True), f"te_{k}", 0, s_0=state, **device.instance(held=True))
    return Deck(
        title=f"{device.model} device ({device.parameter_set}): read currents of {len(params.state)} held states",
        parameters=params,
        circuit=circuit,
        libraries=(device.model_file,),
        analysis=f".dc V_sweep {-params.v_read} {params.v_read * (1 + 1e-9)} {params.v_read}",
        outputs=tuple(
            Output(f"i_device_{k}", f"i(v_te_{k})", "A", f"current of the device in state {state:.6g}")
            for k, state in enumerate(params.state)
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


CATALOG = {
    "device_pulse": CatalogEntry(DevicePulseParams, pulse_train, "bare ReRAM device: a pulse train through a resistor"),
}
