"""The plan of a cell and its array: shared parameters that expand into the plans of `read`, `set`, `reset`, `wires`."""

from typing import Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from rramkit.characterization.components.cell import CELL_READ, CELL_WRITE
from rramkit.characterization.components.wires import SIGNAL, WIRES, WireParams
from rramkit.characterization.cycle_noise import CycleNoise
from rramkit.characterization.engine.axes import Axis
from rramkit.characterization.engine.corners import Corners
from rramkit.characterization.engine.monte_carlo import MonteCarlo, SpreadKind
from rramkit.characterization.engine.plan import ComponentPlan, HeldOutPlan, Limit
from rramkit.circuits.cell import CellParams, Polarity, PulseParams, ReadParams
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.mismatch import Matching
from rramkit.parameters import Parameters, quantity
from rramkit.table.schema import READ, SET

MARGIN = 1.15  # the read table reaches this factor past both ends of the window: pulses end a little outside it
_SWEEP = 4  # swept voltages for each one of the read table: held-out voltages lie between those of the table
_STEP_RUNS = 12  # most pulses run again with half the time step
_SPREADS: dict[str, SpreadKind] = {"devices": "device"}  # as plans of 0.1.0 write it
_NOMINAL = Corners(process=(), supply=(), temperature=())


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
    """Amplitudes of the stepped line: those of the write driver's codes (`WriteDriverParams`), SET by the word line."""

    v_first: float = quantity(0.9, "V", "lowest amplitude", ge=0, le=3.6)
    v_last: float = quantity(1.53, "V", "highest amplitude", ge=0, le=3.6)
    points: int = quantity(27, "1", "amplitudes", ge=4, le=500)
    v_step: float = quantity(0.01, "V", "step of the driver that writes in the array", gt=0, le=0.5)
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


class ResetAxis(PulseAxis):
    """The same of RESET, on the source line."""

    v_first: float = quantity(1.2, "V", "lowest amplitude", ge=0, le=3.6)
    v_last: float = quantity(1.704, "V", "highest amplitude", ge=0, le=3.6)
    v_step: float = quantity(0.008, "V", "step of the driver that writes in the array", gt=0, le=0.5)


class WriteSpread(Parameters):
    """Monte Carlo of the write tables; every draw is made here and goes into a deck as a number."""

    count: int = quantity(0, "1", "draws; 0: none", ge=0, le=100000)
    seed: int = quantity(11, "1", "seed of the draws", ge=0)
    spreads: tuple[SpreadKind, ...] = quantity(
        ("mismatch",),
        "1",
        "cycles (stanford), device (published ReRAM spread: jart), mismatch (access transistor's threshold)",
    )
    g_points: int = quantity(
        5, "1", "start conductances at which draws run; the table's others are between", ge=2, le=200
    )
    v_points: int = quantity(7, "1", "amplitudes at which draws run", ge=2, le=500)
    noise: CycleNoise = CycleNoise()
    matching: Matching = Matching()

    @field_validator("spreads", mode="before")
    @classmethod
    def _present_names(cls, given: Any) -> Any:  # noqa: ANN401  (as pydantic gives it)
        return [_SPREADS.get(each, each) for each in given] if isinstance(given, list | tuple) else given

    def on(self, axes: tuple[str, str]) -> MonteCarlo:
        """Return the draws on a coarse grid of two axes."""
        grid = dict(zip(axes, (self.g_points, self.v_points), strict=True))
        return MonteCarlo(count=self.count, seed=self.seed, spreads=self.spreads, matched=False, grid=grid)


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
    reset: ResetAxis = ResetAxis()
    monte_carlo: WriteSpread = WriteSpread()
    wires: WirePlan = WirePlan()
    corners: Corners = _NOMINAL
    limits: Limits = Limits()
    max_step_error: float = quantity(
        1e-3, "1", "largest change, over the window, when the time step is halved", gt=0, le=1
    )
    max_failed: float = quantity(
        0.01, "1", "largest fraction of a stage's points that may fail and be masked", ge=0, le=1
    )

    def expanded(self) -> tuple[ComponentPlan, ...]:
        """Return the plans of the four tables, in the order in which they run."""
        return (self._read(), self._write("set"), self._write("reset"), self._wires())

    def wire_params(self) -> WireParams:
        """Return the arrays of the wire table: the cell of this plan in the crossbar of `wires`."""
        wires = {name: getattr(self.wires, name) for name in type(self.wires).model_fields}
        window = {"g_min": self.conductance.g_min, "g_max": self.conductance.g_max}
        bar = self.wires.crossbar.model_copy(update={"cell": self.cell})
        return WireParams.checked(wires | window | {"crossbar": bar, "read": self.read}, where="the plan")

    def _read(self) -> ComponentPlan:
        axis, v_max = self.conductance, self.read.v_max
        # an odd number of voltages, in which 0 V stands, and `v_read` or nearly so
        points = 2 * max(round(v_max / self.read.v_read * 5), 5) + 1
        wanted = np.geomspace(axis.g_min / MARGIN, axis.g_max * MARGIN, axis.read_points)
        params = {"cell": self.cell, "read": self.read, "points": _SWEEP * (points - 1) + 1}
        limit = Limit(held_out_rms=self.limits.current_rms, held_out_max=self.limits.current_max)
        return _checked(
            name=READ.group,
            description="1T1R cell: read current against conductance and voltage",
            component=CELL_READ,
            seed=self.seed,
            parameters=_as_values(params),
            axes=(
                Axis(parameter=READ.g_cell, kind="list", values=tuple(wanted.tolist())),
                Axis(parameter=READ.v_cell, first=-v_max, last=v_max, points=points),
            ),
            corners=self.corners,
            limits={READ.i_cell: limit},
            held_out=HeldOutPlan(runs=self.read_held_out, steps=points),
            max_failed=self.max_failed,
        )

    def _write(self, polarity: Polarity) -> ComponentPlan:
        axis = self.set if polarity == "set" else self.reset
        window = self.conductance.g_max - self.conductance.g_min
        params = {
            "cell": self.cell,
            "read": self.read,
            "pulse": self.pulse,
            "polarity": polarity,
            "v_first": axis.v_first,
            "v_step": axis.v_step,
            "matching": self.monte_carlo.matching,
            "noise": self.monte_carlo.noise,
        }
        limits = self.limits
        return _checked(
            name=polarity,
            description=f"1T1R cell, {polarity.upper()}: change of conductance and energy of one pulse",
            component=CELL_WRITE,
            seed=self.seed,
            parameters=_as_values(params),
            axes=(
                Axis(parameter=SET.g_start, kind="list", values=tuple(self.conductance.values.tolist())),
                Axis(parameter="v_first", name=SET.v_pulse, first=axis.v_first, last=axis.v_last, points=axis.points),
            ),
            corners=self.corners,
            monte_carlo=self.monte_carlo.on((SET.g_start, SET.v_pulse)),
            limits={
                SET.delta_g: Limit(
                    of="unit", held_out_rms=limits.delta_g_rms * window, held_out_max=limits.delta_g_max * window
                ),
                SET.energy: Limit(held_out_rms=limits.energy_rms, held_out_max=limits.energy_max),
            },
            held_out=HeldOutPlan(runs=axis.held_out),
            step_runs=_diagonal(self.conductance.points),
            max_step_error=self.max_step_error,
            max_failed=self.max_failed,
        )

    def _wires(self) -> ComponentPlan:
        return _checked(
            name="wires",
            description="wires of a crossbar: resistances of the fast wire model",
            component=WIRES,
            seed=self.seed,
            parameters=_as_values(self.wire_params().model_dump()),
            limits={SIGNAL: Limit(held_out_rms=self.limits.array_rms, held_out_max=self.limits.array_max)},
            max_failed=self.max_failed,
            corners=self.corners.nominal,
            after=("read",),
        )


def _checked(**values: Any) -> ComponentPlan:  # noqa: ANN401  (as the plan's fields)
    return ComponentPlan.checked(values, where="the plan of cell and array")


def _as_values(params: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.model_dump(mode="json") if isinstance(value, Parameters) else value
        for name, value in params.items()
    }


def _diagonal(points: int) -> int:
    """Return how many runs, spread evenly over a grid of `points` rows, lie on its diagonal."""
    return 1 + max(count for count in range(1, _STEP_RUNS) if (points - 1) % count == 0)
