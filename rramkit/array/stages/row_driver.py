"""The input converter: what a line is really driven with when a voltage is asked for.

Off (`levels` 0): the voltage itself. On: the nearest of `levels` evenly spaced codes from 0 V to the full read voltage,
as one pulse of that code's voltage; or `serial`, as one pulse a bit, each of the full read voltage, so that the cell's
own nonlinearity drops out: the n bits of a code D send their currents one after the other, and

    i = sum_j 2^j bit_j(D) i(g, v_max) / (levels - 1)

is formed either by charge, halved after each bit, with one conversion at the end (`charge`; the bulk-switching module,
arXiv 2305.14547), or from n conversions, shifted and added (`digital`; ISAAC's way).

`transfer` holds the voltage of each code over the full one where the converter is not a straight line; a table file's
block `dac` gives it.
"""

import math
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from rramkit.parameters import Parameters, quantity


class RowDriver(Parameters):
    """Levels, serial or not, and the transfer of the input converters."""

    levels: int = quantity(0, "1", "codes from 0 V to the full read voltage; 0: no converter", ge=0, le=65536)
    serial: bool = quantity(
        False, "1", "one pulse of the full read voltage for each bit, not one of the code's voltage"
    )
    accumulate: Literal["charge", "digital"] = quantity("charge", "1", "how serial bits are weighted and added")
    transfer: tuple[float, ...] = Field(
        default=(), description="voltage of each code over the full one; empty: a line", json_schema_extra={"unit": "1"}
    )
    energy: float = quantity(0.0, "J", "energy of one driven line and pulse, beside the array's own", ge=0.0)

    @model_validator(mode="after")
    def _fits(self) -> "RowDriver":
        if self.levels == 1:
            raise ValueError("levels must be 0 (off) or at least 2")
        if self.serial and (self.levels < 2 or self.levels & (self.levels - 1)):
            raise ValueError("levels must be a power of two when serial")
        if self.transfer and (self.serial or len(self.transfer) != self.levels):
            raise ValueError("transfer must hold one voltage for each level, and none when serial")
        if any(later < earlier for earlier, later in zip(self.transfer, self.transfer[1:], strict=False)):
            raise ValueError("transfer must not fall")
        return self

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return math.ceil(math.log2(self.levels)) if self.levels else 0

    @property
    def pulses(self) -> int:
        """Pulses that one vector takes."""
        return self.bits if self.serial else 1

    @property
    def shots(self) -> int:
        """Conversions that one phase of a vector takes."""
        return self.bits if self.serial and self.accumulate == "digital" else 1

    def fractions(self) -> np.ndarray:
        """Return the voltage of each code over the full one, (levels,)."""
        return np.asarray(self.transfer) if self.transfer else np.linspace(0.0, 1.0, self.levels)
