"""The device models: library, parameters with unit and bounds, and named sets of values, from netlists/parameters/."""

import re
from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from rramkit.errors import InputError
from rramkit.parameters import Parameters

FOLDER = Path(__file__).resolve().parent / "parameters"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


class ModelParameter(Parameters):
    """One parameter of a library's subcircuit, in the library's own unit."""

    unit: str = Field(pattern=r"^[\w/.^-]{1,12}$")
    low: float
    high: float
    text: str
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


class DeviceModel(Parameters):
    """One model. The subcircuit's own defaults are the set `default`."""

    description: str
    library: str = Field(pattern=r"^rram_[a-z0-9]+\.lib$")
    subcircuit: str = Field(pattern=r"^rram_[a-z0-9]+$")
    parameters: dict[str, ModelParameter]
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
        raise InputError(f"`model` must be one of {', '.join(names())}; got {name!r}. Fix the name.")
    return DeviceModel.from_toml(FOLDER / f"{name}.toml")


@cache
def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
