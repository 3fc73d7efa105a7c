"""The plan of a cell and its array: shared parameters that expand into the plans of the cell's own tables.

Those are `read`, `set`, `reset`, `wires`, and beside them the noise of a read (`cell_noise`), what IR drop costs a
pulse (`droop_set`, `droop_reset`) and what a pulse does to half-selected cells (`disturb_set`, `disturb_reset`).
"""

from typing import Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from rramkit.characterization.components.cell import CELL_NOISE as NOISE
from rramkit.characterization.components.cell import CELL_READ, CELL_WRITE
from rramkit.characterization.components.disturb import DISTURB_CELL
from rramkit.characterization.components.droop import DROOP
from rramkit.characterization.components.wires import SIGNAL, WIRES, WireParams
from rramkit.characterization.cycle_noise import CycleNoise
from rramkit.characterization.engine.axes import Axis
from rramkit.characterization.engine.corners import Corners
from rramkit.characterization.engine.monte_carlo import MonteCarlo, SpreadKind
from rramkit.characterization.engine.plan import ComponentPlan, HeldOutPlan, Interpolation, Limit, Waiver
from rramkit.characterization.read_noise import ReadNoise
from rramkit.characterization.scatter import PulseScatter
from rramkit.circuits.cell import CellParams, Polarity, PulseParams, ReadParams
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.device import Device
from rramkit.circuits.mismatch import Matching
from rramkit.netlists.models import Scatter
from rramkit.parameters import Parameters, quantity
from rramkit.table.schema import CELL_NOISE, DISTURBS, DROOPS, READ, SET

MARGIN = 1.15  # the read table reaches this factor past both ends of the window: pulses end a little outside it
_SWEEP = 4  # swept voltages for each one of the read table: held-out voltages lie between those of the table
_STEP_RUNS = 12  # most pulses run again with half the time step
_SPREADS: dict[str, SpreadKind] = {"devices": "device"}  # as plans of 0.1.0 write it
_LOSS_STEP_ERROR = 0.01  # of the largest ratio: the step's error is in all of a deck's cells alike
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


class ScatterPlan(Parameters):
    """Scatter of the cell: of pulses in the tables `set` and `reset`, of reads in `cell_noise`.

    What is left out is that of the device model, with its source (`netlists/parameters/`). Zeros are none.
    """

    cycle_relative: float | None = quantity(None, "1", "from pulse to pulse, over the mean change", ge=0, le=2)
    cycle_floor: float | None = quantity(
        None, "1", "from pulse to pulse, of a small change, over the window", ge=0, le=1
    )
    devices: float | None = quantity(None, "1", "from device to device, of the change's logarithm", ge=0, le=2)
    read_relative: float | None = quantity(None, "1", "slow noise of a read over the conductance", ge=0, le=1)
    read_floor: float | None = quantity(None, "1", "slow noise of a read over the window", ge=0, le=1)
    bandwidth: float = quantity(33e6, "Hz", "noise bandwidth of a read: 1/(4 tau), settled to 0.5 % in 40 ns", gt=0)
    points: int = quantity(9, "1", "conductances of the table `cell_noise`; 0: no such table", ge=0, le=200)

    def of(self, device: Device) -> Scatter:
        """Return every number: those given, else those of the device's model."""
        own = device.record.scatter
        given = {name: getattr(self, name) for name in type(own).model_fields}
        return own.model_copy(update={name: value for name, value in given.items() if value is not None})


class LossPlan(Parameters):
    """Tables over amplitude and state of what happens on the lines: `droop_*` and `disturb_*`."""

    g_points: int = quantity(4, "1", "conductances, evenly in their logarithm; 0: no such tables", ge=0, le=100)
    v_points: int = quantity(5, "1", "amplitudes of the plan's own range", ge=2, le=200)
    held_out: int = quantity(6, "1", "points of each table that it never sees", ge=1, le=1000)


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
    droop_rms: float = quantity(0.1, "1", "volts lost for a volt dropped, of the 30 mV of a line, rms", gt=0, le=1)
    droop_max: float = quantity(0.3, "1", "the same, largest", gt=0, le=1)
    disturb: float = quantity(0.01, "1", "relative change of a half-selected cell by one pulse, largest", gt=0, le=1)
    noise_rms: float = quantity(5e-3, "1", "noise of a read, over the largest, rms", gt=0, le=1)
    noise_max: float = quantity(0.02, "1", "the same, largest", gt=0, le=1)


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
    scatter: ScatterPlan = ScatterPlan()
    droop: LossPlan = LossPlan(v_points=8)
    disturb: LossPlan = LossPlan(v_points=4)
    corners: Corners = _NOMINAL
    limits: Limits = Limits()
    max_step_error: float = quantity(
        1e-3, "1", "largest change, over the window, when the time step is halved", gt=0, le=1
    )
    max_failed: float = quantity(
        0.01, "1", "largest fraction of a stage's points that may fail and be masked", ge=0, le=1
    )

    waive: tuple[Waiver, ...] = quantity((), "1", "parts of ngspice's warnings that are accepted")

    def expanded(self) -> tuple[ComponentPlan, ...]:
        """Return the plans of the cell's tables, in the order in which they run: read, set, reset, wires first."""
        polarities: tuple[Polarity, Polarity] = ("set", "reset")
        plans = [self._read(), *(self._write(polarity) for polarity in polarities), self._wires()]
        if self.scatter.points:
            plans.append(self._noise())
        if self.droop.g_points:
            plans += [self._droop(polarity) for polarity in polarities]
        if self.disturb.g_points:
            plans += [self._disturb(polarity) for polarity in polarities]
        return tuple(plan.model_copy(update={"waive": self.waive}) for plan in plans)

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
            "scatter": self._pulse_scatter(window),
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

    def _pulse_scatter(self, window: float) -> PulseScatter:
        scatter = self.scatter.of(self.cell.device)
        return PulseScatter(
            relative=scatter.cycle_relative, floor=scatter.cycle_floor * window, devices=scatter.devices
        )

    def _noise(self) -> ComponentPlan:
        axis, scatter = self.conductance, self.scatter.of(self.cell.device)
        params = {
            "cell": self.cell,
            "read": self.read,
            "matching": self.monte_carlo.matching,
            "noise": ReadNoise(
                bandwidth=self.scatter.bandwidth,
                relative=scatter.read_relative,
                floor=scatter.read_floor * (axis.g_max - axis.g_min),
            ),
        }
        limit = Limit(held_out_rms=self.limits.noise_rms, held_out_max=self.limits.noise_max)
        return _checked(
            name=CELL_NOISE.group,
            description="1T1R cell: noise of a read against conductance",
            component=NOISE,
            seed=self.seed,
            parameters=_as_values(params),
            axes=(_geometric(CELL_NOISE.g_cell, axis, self.scatter.points),),
            corners=self.corners,
            limits={CELL_NOISE.sigma_g: limit},
            max_failed=self.max_failed,
        )

    def _droop(self, polarity: Polarity) -> ComponentPlan:
        limit = Limit(of="unit", held_out_rms=self.limits.droop_rms, held_out_max=self.limits.droop_max)
        columns = DROOPS[polarity]
        return _checked(
            name=columns.group,
            description=f"1T1R cell, {polarity.upper()}: amplitude lost for each volt dropped along its lines",
            component=DROOP,
            parameters=_as_values(self._pulse_params(polarity)),
            axes=self._over_pulses(columns.g_start, polarity, self.droop),
            fit={name: Interpolation(log=True) for name in (columns.source, columns.bit)},
            limits={columns.source: limit, columns.bit: limit},
            held_out=HeldOutPlan(runs=self.droop.held_out),
            max_step_error=_LOSS_STEP_ERROR,
            **self._shared,
        )

    def _disturb(self, polarity: Polarity) -> ComponentPlan:
        columns = DISTURBS[polarity]
        return _checked(
            name=columns.group,
            description=f"1T1R cell, {polarity.upper()}: change of a half-selected neighbour by one pulse",
            component=DISTURB_CELL,
            parameters=_as_values(self._pulse_params(polarity)),
            axes=self._over_pulses(columns.g_cell, polarity, self.disturb),
            fit={name: Interpolation(log=True) for name in (columns.half, columns.gated)},
            limits={name: Limit(max=self.limits.disturb) for name in (columns.half, columns.gated)},
            max_step_error=_LOSS_STEP_ERROR,
            **self._shared,
        )

    def _pulse_params(self, polarity: Polarity) -> dict[str, Any]:
        own = {"cell": self.cell, "read": self.read, "pulse": self.pulse, "matching": self.monte_carlo.matching}
        return own | {"polarity": polarity}

    @property
    def _shared(self) -> dict[str, Any]:
        return {"seed": self.seed, "corners": _ends(self.corners), "max_failed": self.max_failed, "step_runs": 1}

    def _over_pulses(self, conductance: str, polarity: Polarity, plan: LossPlan) -> tuple[Axis, Axis]:
        """Return the axes of a table of losses: the window's conductances, the amplitudes of the polarity's table."""
        pulses = self.set if polarity == "set" else self.reset
        return (
            _geometric(conductance, self.conductance, plan.g_points),
            Axis(parameter="v_first", name=SET.v_pulse, first=pulses.v_first, last=pulses.v_last, points=plan.v_points),
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


def _geometric(name: str, axis: ConductanceAxis, points: int) -> Axis:
    """Return an axis of conductances over the window, evenly in their logarithm."""
    values = np.geomspace(axis.g_min, axis.g_max, points)
    return Axis(parameter=name, kind="list", values=tuple(np.round(values, 12).tolist()))


def _ends(corners: Corners) -> Corners:
    """Return the corners with their lowest and highest temperature alone: what is between is interpolated."""
    kelvin = corners.temperature
    return corners.model_copy(update={"temperature": (kelvin[0], kelvin[-1])}) if len(kelvin) > 2 else corners


def _denser_above(first: float, last: float, points: int) -> tuple[float, ...]:
    """Return amplitudes that lie the closer the higher: there the access transistor saturates."""
    part = 1.0 - (1.0 - np.linspace(0.0, 1.0, points)) ** 1.5
    return tuple(np.round(first + (last - first) * part, 6).tolist())


def _diagonal(points: int) -> int:
    """Return how many runs, spread evenly over a grid of `points` rows, lie on its diagonal."""
    return 1 + max(count for count in range(1, _STEP_RUNS) if (points - 1) % count == 0)
