"""What to characterise: blocks, axes, held-out points and limits, as one validated record that goes into the table."""

import numpy as np
from pydantic import Field, model_validator

from rramkit.circuits.cell import CellParams
from rramkit.circuits.cell_bench import PulseParams, ReadParams
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.parameters import Parameters, quantity


class ConductanceAxis(Parameters):
    """Start conductances of the write tables; the read table reaches a little past both ends."""

    g_min: float = quantity(4e-6, "S", "lowest conductance of the operating window", ge=1e-7, le=1e-4)
    g_max: float = quantity(80e-6, "S", "highest conductance of the operating window", ge=1e-6, le=1e-3)
    points: int = quantity(15, "1", "start conductances", ge=4, le=200)
    read_points: int = quantity(25, "1", "conductances of the read table", ge=4, le=500)

    @model_validator(mode="after")
    def _rising(self) -> "ConductanceAxis":
        if self.g_max <= self.g_min:
            raise ValueError(f"g_max must be above g_min = {self.g_min:g} S; got {self.g_max:g}")
        return self

    @property
    def values(self) -> np.ndarray:
        """Return the start conductances (L,) [S], denser at the low end, where the changes bend most."""
        return np.linspace(np.sqrt(self.g_min), np.sqrt(self.g_max), self.points) ** 2


class PulseAxis(Parameters):
    """Amplitudes of the stepped line."""

    v_first: float = quantity(0.9, "V", "lowest amplitude", ge=0, le=3.6)
    v_last: float = quantity(1.55, "V", "highest amplitude", ge=0, le=3.6)
    points: int = quantity(27, "1", "amplitudes", ge=4, le=500)
    v_step: float = quantity(0.0125, "V", "step of the driver that writes in the array", gt=0, le=0.5)
    held_out: int = quantity(60, "1", "points that the fit never sees", ge=4, le=10000)

    @model_validator(mode="after")
    def _rising(self) -> "PulseAxis":
        if self.v_last <= self.v_first:
            raise ValueError(f"v_last must be above v_first = {self.v_first:g} V; got {self.v_last:g}")
        return self

    @property
    def values(self) -> np.ndarray:
        """Return the amplitudes (P,) [V]."""
        return np.linspace(self.v_first, self.v_last, self.points)


class WirePlan(Parameters):
    """Arrays that are read to fit the wire model, and others to check it."""

    crossbar: CrossbarParams = CrossbarParams(rows=32, cols=32)
    r_drive: float = quantity(
        50.0, "ohm", "output resistance of a row's read driver, or of its sense input", ge=0, le=1e5
    )
    r_sense: float = quantity(50.0, "ohm", "input resistance of a column's sense input, or of its driver", ge=0, le=1e5)
    fit_arrays: int = quantity(3, "1", "arrays of the size of `crossbar` that the fit sees", ge=1, le=100)
    held_out_arrays: int = quantity(2, "1", "arrays of the size of `crossbar` that the fit never sees", ge=1, le=100)
    rows_max: int = quantity(65, "1", "rows of the largest array, which the fit never sees", ge=1, le=512)
    cols_max: int = quantity(96, "1", "columns of the largest array, which the fit never sees", ge=1, le=512)
    vectors: int = quantity(8, "1", "input vectors for each array", ge=2, le=1000)


class Limits(Parameters):
    """Largest held-out errors, as fractions of each quantity's full scale, that pass."""

    current_rms: float = quantity(5e-4, "1", "read current, rms", gt=0, le=1)
    current_max: float = quantity(2e-3, "1", "read current, largest", gt=0, le=1)
    delta_g_rms: float = quantity(2e-3, "1", "conductance change over the window, rms", gt=0, le=1)
    delta_g_max: float = quantity(0.01, "1", "conductance change over the window, largest", gt=0, le=1)
    energy_rms: float = quantity(2e-3, "1", "energy of a pulse, rms", gt=0, le=1)
    energy_max: float = quantity(0.01, "1", "energy of a pulse, largest", gt=0, le=1)
    array_rms: float = quantity(3e-3, "1", "array read current, rms", gt=0, le=1)
    array_max: float = quantity(0.01, "1", "array read current, largest", gt=0, le=1)


class Plan(Parameters):
    """One characterisation, whole."""

    name: str = Field(default="sky130 1T1R", description="what is characterised", pattern=r"^[\w .,()+-]{1,80}$")
    seed: int = quantity(2026, "1", "seed of every held-out point and of every array", ge=0)
    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    read_held_out: int = quantity(20, "1", "states of the read table that the fit never sees", ge=2, le=1000)
    pulse: PulseParams = PulseParams()
    conductance: ConductanceAxis = ConductanceAxis()
    set: PulseAxis = PulseAxis()
    reset: PulseAxis = PulseAxis(v_first=1.2, v_last=1.9)
    wires: WirePlan = WirePlan()
    limits: Limits = Limits()
    max_step_error: float = quantity(
        1e-3, "1", "largest change, over the window, when the time step is halved", gt=0, le=1
    )
    max_failed: float = quantity(
        0.01, "1", "largest fraction of a stage's points that may fail and be masked", ge=0, le=1
    )
