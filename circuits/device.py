"""The ReRAM device of a cell: which model, which named set of its parameters, and single parameters given by name.

Every library keeps the same pins and sign: `te be s`, v(te, be) > 0 is SET, s is the state as a voltage of 0 to 1 V,
`s_0` where it starts; the subcircuit with `_held` after its name has no pin s and stays at `s_0`.
"""

from typing import Literal

from pydantic import model_validator

from rramkit.netlists import models
from rramkit.parameters import Parameters, quantity

ModelName = Literal["sky130", "bulk", "stanford", "vteam", "yakopcic", "jart"]


class Device(Parameters):
    """One ReRAM device; units and bounds of its parameters are those of the model (netlists/parameters/)."""

    model: ModelName = quantity("sky130", "1", "device model")
    parameter_set: str = quantity("default", "1", "named set of the model's parameters")
    overrides: dict[str, float] = quantity({}, "1", "single parameters of the model, by name, instead of the set's")

    @model_validator(mode="after")
    def _known(self) -> "Device":
        sets = models.model(self.model).sets
        if self.parameter_set not in sets:
            raise ValueError(f"parameter_set must be one of {', '.join(sets)} for the model {self.model}")
        models.model(self.model).check(self.overrides)
        return self

    @property
    def library(self) -> str:
        """Name of the library file in netlists/."""
        return models.model(self.model).library

    @property
    def values(self) -> dict[str, float]:
        """Value of every parameter of the model, in the library's units."""
        return models.model(self.model).sets[self.parameter_set].values | self.overrides

    def subcircuit(self, *, held: bool = False) -> str:
        """Return the subcircuit's name."""
        return models.model(self.model).subcircuit + ("_held" if held else "")

    def instance(self, *, held: bool = False) -> dict[str, float]:
        """Return the parameters to write on an instance line: those that differ from the subcircuit's own defaults."""
        known, default = models.model(self.model).parameters, models.model(self.model).sets["default"].values
        return {
            name: value
            for name, value in self.values.items()
            if value != default[name] and (known[name].held or not held)
        }
