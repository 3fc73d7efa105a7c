"""The device models: library, parameters with unit and bounds, and named sets of values, from netlists/parameters/."""

import re
from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from rramkit.errors import InputError, meant
from rramkit.parameters import Parameters, quantity

FOLDER = Path(__file__).resolve().parent / "parameters"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


class ModelParameter(Parameters):
    """One parameter of a library's subcircuit, in the library's own unit."""

    unit: str = Field(default="1", pattern=r"^[\w/.^-]{1,12}$")
    low: float
    high: float
    text: str = ""
    held: bool = Field(default=False, description="the held subcircuit takes it too")


class ParameterSet(Parameters):
    """A complete set of values and where they come from."""

    source: str
    values: dict[str, float]


class NormalSpread(Parameters):
    """How one parameter varies from device to device: a normal distribution, redrawn outside its limits."""

    sigma: float = Field(gt=0)
    low: float
    high: float


class Scatter(Parameters):
    """How a cell of this device scatters beside what its equations say; the forms stand with those who use it."""

    cycle_relative: float = Field(default=0.0, ge=0, le=2, description="of a pulse, over its mean change")
    cycle_floor: float = Field(default=0.0, ge=0, le=1, description="of a pulse of small change, over the window")
    devices: float = Field(default=0.0, ge=0, le=2, description="of the logarithm of the change, over devices")
    read_relative: float = Field(default=0.0, ge=0, le=1, description="of a read, over the conductance")
    read_floor: float = Field(default=0.0, ge=0, le=1, description="of a read, over the window")


class CheckPulses(Parameters):
    """Pulses at a device behind a resistor that its physical test applies (`rramkit device check`); in the kit's sign.

    SET and RESET need not be complete: one that moves the state by 10 % or more says most.
    """

    state: float = quantity(0.3, "1", "state before the SET pulse", gt=0, lt=1)
    v_set: float = quantity(2.0, "V", "amplitude at the source that moves the state up", gt=0, le=50)
    v_reset: float = quantity(2.0, "V", "amplitude, without its sign, that moves it down again", gt=0, le=50)
    v_max: float = quantity(3.0, "V", "strongest pulse, of either sign, that the model is meant for", gt=0, le=50)
    v_reads: tuple[float, ...] = quantity((0.1, -0.1), "V", "read voltages; with one alone, it is read one way only")
    t_pulse: float = quantity(50e-9, "s", "width of a pulse", ge=1e-12, le=1)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-14, le=0.1)
    t_rest: float = quantity(5e-9, "s", "time at 0 V after each pulse", ge=1e-13, le=1)
    t_read: float = quantity(40e-9, "s", "duration of a read", ge=1e-12, le=1)
    t_step: float = quantity(0.1e-9, "s", "largest time step of the simulation", ge=1e-15, le=1e-2)
    r_series: float = quantity(5e3, "ohm", "resistor to the source, as its transistor would be", ge=1, le=1e7)

    @model_validator(mode="after")
    def _reads_are_weaker(self) -> "CheckPulses":
        if not self.v_reads or any(v == 0 or abs(v) >= min(self.v_set, self.v_reset) for v in self.v_reads):
            raise ValueError("v_reads must be one or more voltages, not 0 and below v_set and v_reset")
        return self


class DeviceModel(Parameters):
    """One model, of the kit or of a user. The subcircuit's own defaults are the set `default`.

    Its subcircuit has pins `te be s` and the parameter `s_0`, v(te, be) > 0 is SET, s is the state as a voltage of 0 to
    1 V; the one with `_held` after its name has no pin s and stays at `s_0`.
    """

    description: str
    library: str = Field(default="", pattern=r"^(rram_[a-z0-9]+\.lib)?$", description="empty: a file of the user's")
    subcircuit: str = Field(pattern=r"^rram(kit)?_\w+$")
    parameters: dict[str, ModelParameter]
    check_pulses: CheckPulses = CheckPulses()
    sets: dict[str, ParameterSet]
    spread: dict[str, NormalSpread] = Field(default={})
    spread_source: str = ""
    scatter: Scatter = Scatter()
    scatter_source: str = ""

    @model_validator(mode="after")
    def _complete(self) -> "DeviceModel":
        bad = [name for name in (*self.parameters, *self.sets) if not _NAME.fullmatch(name)]
        if bad:
            raise ValueError(f"a name must be lower-case letters, digits and underscores; got {bad[0]!r}")
        if "default" not in self.sets:
            raise ValueError("the set `default` is missing")
        for name, chosen in self.sets.items():
            missing = set(self.parameters) ^ set(chosen.values)
            if missing:
                raise ValueError(f"set {name}: it must give every parameter and no other; see {sorted(missing)[0]}")
            self.check(chosen.values)
        if set(self.spread) - set(self.parameters):
            raise ValueError("the spread names a parameter that is not there")
        return self

    def check(self, values: dict[str, float]) -> None:
        """Raise `ValueError` when a value has an unknown name or lies outside its bounds."""
        for name, value in values.items():
            if name not in self.parameters:
                raise ValueError(f"unknown parameter {name!r}; the model has {', '.join(self.parameters)}")
            own = self.parameters[name]
            if not own.low <= value <= own.high:
                raise ValueError(f"{name} must be within {own.low:g} to {own.high:g} {own.unit}; got {value:g}")


@cache
def model(name: str) -> DeviceModel:
    """Return a model by name; raise `InputError` for one that is not there, or whose file does not fit."""
    if name not in names():
        raise InputError(
            f"`model` must be one of {', '.join(names())}; got {name!r}.{meant(name, names())} Fix the name."
        )
    return DeviceModel.from_toml(FOLDER / f"{name}.toml")


@cache
def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
