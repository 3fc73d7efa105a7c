"""The 1T1R cell and its testbenches: read sweep, gradual-write staircase, and many cells side by side in one deck.

A read. Both lines rest at `v_rest`, where the readout holds them, and one of them is pulled down from it: the source
line for v = v(bl) - v(sl) > 0, the bit line for v < 0. With `v_rest` 0 one of them is driven up from ground instead:
the bit line for v > 0, the source line for v < 0. The two differ: the access transistor has its source, and so its
overdrive, elsewhere. The conductance of a cell is g = i/v at v = +v_read, read in this way, wherever the kit speaks of
one.

A ReRAM device lies between bit line and transistor, the transistor's source on the source line. SET drives the bit line
(current flows into the top electrode; the transistor, its source at ground, limits it); RESET drives the source line
(the transistor is then a source follower, so the word line must be boosted).

Cells side by side have drivers of their own and share the time steps and the model cards, nothing else: no line of one
cell is a line of another. So one run gives many points of a plan.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import Field, model_validator
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.device import Device
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import add_driver, staircase_points
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity


class CellParams(Parameters):
    """One 1T1R cell."""

    technology: Technology = Technology()
    device: Device = Device()
    w_access: float = quantity(2e-6, "m", "width of the access transistor", ge=10e-9, le=20e-6)
    l_access: float = quantity(0.22e-6, "m", "length of the access transistor", ge=5e-9, le=2e-6)
    access: Literal["nmos_io", "nmos_core"] = quantity("nmos_io", "1", "which transistor of the technology it is")

    @property
    def libraries(self) -> tuple[ModelFile, ...]:
        """Libraries that a deck with this cell needs."""
        return self.device.model_file, self.technology.library


def dynamic_cell(params: CellParams) -> SubCircuit:
    """Return `.subckt cell_1t1r bl wl sl s`: the state moves; `s_0` is where it starts, pin s its voltage (0 to 1)."""
    cell = SubCircuit("cell_1t1r", "bl", "wl", "sl", "s", s_0=0)
    cell.X("_rram", params.device.subcircuit(), "bl", "d", "s", s_0="{s_0}", **params.device.instance())
    _add_access(cell, params)
    return cell


def held_cell(params: CellParams) -> SubCircuit:
    """Return `.subckt cell_1t1r_held bl wl sl`: the state stands still at `s_0`, for read currents."""
    cell = SubCircuit("cell_1t1r_held", "bl", "wl", "sl", s_0=0)
    held = params.device.instance(held=True)
    cell.X("_rram", params.device.subcircuit(held=True), "bl", "d", s_0="{s_0}", **held)
    _add_access(cell, params)
    return cell


def _add_access(cell: SubCircuit, params: CellParams) -> None:
    draw = Netlister(cell, params.technology)
    draw.mosfet("_access", ("d", "wl", "sl", 0), params.access, w=params.w_access, length=params.l_access, strips=False)


# Gear, because the trapezoidal rule rings on a line whose time constant is far below the step: a read would show it.
TRANSIENT_OPTIONS = "method=gear reltol=1e-4 abstol=1e-13 vntol=1e-7 chgtol=1e-18 itl4=100"


Polarity = Literal["set", "reset"]
Voltage = TypeVar("Voltage", float, np.ndarray)
_READ_OF_0_1_0 = {"v_read", "v_max", "v_wl", "t_read"}  # a record in a table file of 0.1.0 has all of these


class ReadParams(Parameters):
    """How a cell is read."""

    v_read: float = quantity(0.1, "V", "read voltage at which the conductance is defined", ge=0.02, le=0.2)
    v_max: float = quantity(0.1, "V", "largest read voltage of an input", ge=0.02, le=0.3)
    v_rest: float = quantity(
        0.3, "V", "lines at rest; driven ones are pulled down from it. 0: driven up from ground", ge=0, le=1
    )
    v_wl: float = quantity(3.3, "V", "word line while reading", ge=0.3, le=3.6)
    t_read: float = quantity(40e-9, "s", "duration of a read", ge=3e-9, le=1e-6)

    @model_validator(mode="before")
    @classmethod
    def _of_ground(cls, values: Any) -> Any:  # noqa: ANN401  (as pydantic gives it)
        """Take a whole record without `v_rest` for what it was: version 0.1.0 drove lines up from ground."""
        if isinstance(values, Mapping) and _READ_OF_0_1_0 <= values.keys() and "v_rest" not in values:
            return {**values, "v_rest": 0.0}
        return values

    @model_validator(mode="after")
    def _above_ground(self) -> "ReadParams":
        if self.v_rest > 0 and self.v_rest < max(self.v_max, self.v_read):
            raise ValueError(
                f"v_rest must be 0, or v_max and v_read or more: lines are pulled down; got {self.v_rest:g}"
            )
        return self

    def driven(self, v: Voltage) -> Voltage:
        """Return where a line stands that is driven by `v` from its rest [V]."""
        return self.v_rest - v if self.v_rest > 0 else v

    def sources(self, v: str) -> tuple[str, str]:
        """Return the expressions of bit and source line for a cell voltage whose expression is `v`, as SPICE reads."""
        if self.v_rest > 0:
            return f"{self.v_rest:.9g} + min({v}, 0)", f"{self.v_rest:.9g} - max({v}, 0)"
        return f"max({v}, 0)", f"max(-{v}, 0)"


_LINES = {"bl": "bit line", "wl": "word line", "sl": "source line"}


class ReadSweepParams(Parameters):
    """Bit line swept over both signs of the read range, state held."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    state: float = quantity(0.5, "1", "held state of the cell", ge=0, le=1)
    points: int = quantity(21, "1", "swept voltages", ge=3, le=1001)


def read_sweep(params: ReadSweepParams) -> Deck:
    """Return a `.dc` deck of the cell current against v = v(bl) - v(sl) over [-v_max, v_max]."""
    circuit = Circuit("read sweep")
    circuit.subcircuit(held_cell(params.cell))
    circuit.X("_cell", "cell_1t1r_held", "bl", "wl", "sl", s_0=params.state)
    circuit.V("_wl", "wl", circuit.gnd, params.read.v_wl)
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    bit, source = params.read.sources("v(sweep)")  # one side is driven at a time, as in the array
    circuit.raw_spice += f"B_bl bl 0 v = {bit}\nB_sl sl_drive 0 v = {source}\nV_sl sl sl_drive 0\n"
    step = 2 * params.read.v_max / (params.points - 1)
    return Deck(
        title="1T1R cell: read current against voltage, state held",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".dc V_sweep {-params.read.v_max} {params.read.v_max * (1 + 1e-9)} {step}",
        outputs=(
            Output("i_cell", "i(v_sl)", "A", "cell current, from bit line to source line"),
            Output("v_cell", "v(sweep)", "V", "bit line minus source line"),
        ),
        measures=(Measure("i_max", "max i(v_sl)", "A", "current at the largest voltage"),),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


class PulseShape(Parameters):
    """Timing of a write pulse, and the drivers' loads."""

    t_pulse: float = quantity(50e-9, "s", "width of a pulse, edges excluded", ge=1e-9, le=1e-3)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-11, le=1e-6)
    r_driver: float = quantity(100.0, "ohm", "output resistance of each line's driver", ge=1, le=1e5)
    c_line: float = quantity(20e-15, "F", "capacitance of each line", ge=0, le=1e-11)
    t_step: float = quantity(0.2e-9, "s", "largest time step of the simulation", ge=1e-13, le=1e-8)


class PulseParams(PulseShape):
    """The conditions of a write pulse, other than the amplitude on the stepped line."""

    # A bare cell: the driver and the lines have tables of their own, and what they lose is taken off the amplitude.
    r_driver: float = quantity(1.0, "ohm", "output resistance of each line's driver", ge=1, le=1e5)
    c_line: float = quantity(0.0, "F", "capacitance of each line", ge=0, le=1e-11)
    set_line: Literal["wl", "bl"] = quantity("wl", "1", "line that SET steps: wl limits current, bl gives voltage")
    v_bl_set: float = quantity(1.7, "V", "bit line during SET, when the word line is stepped", ge=0.5, le=3.6)
    v_wl_set: float = quantity(3.3, "V", "word line during SET, when the bit line is stepped", ge=0.5, le=3.6)
    v_wl_reset: float = quantity(3.3, "V", "word line during RESET", ge=0.5, le=3.6)


class WriteParams(Parameters):
    """A gradual-write staircase: pulses of rising amplitude on the stepped line, a read before and after each."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams(t_read=10e-9)
    pulse: PulseParams = PulseParams()
    polarity: Polarity = quantity("set", "1", "set steps the line `pulse.set_line`, reset the source line")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    v_first: float = quantity(1.0, "V", "amplitude of the first pulse on the stepped line", ge=0, le=3.6)
    v_last: float = quantity(1.5, "V", "amplitude of the last pulse", ge=0, le=3.6)
    pulses: int = quantity(11, "1", "number of pulses", ge=1, le=1000)

    @property
    def amplitudes(self) -> np.ndarray:
        """Amplitude of each pulse, (P,) [V]."""
        return np.linspace(self.v_first, self.v_last, self.pulses) if self.pulses > 1 else np.array([self.v_first])

    @property
    def t_slot(self) -> float:
        """Return the time from one pulse's read to the next one's [s]."""
        return self.read.t_read + self.pulse.t_pulse + 6 * self.pulse.t_rise

    def t_read_at(self, index: int) -> float:
        """Return the time [s] at which read number `index` (0: before the first pulse) is taken, settled."""
        return index * self.t_slot + self.pulse.t_rise + 0.95 * self.read.t_read

    def write_window(self, index: int) -> tuple[float, float]:
        """Return when pulse number `index` starts and ends [s], all its edges included."""
        begin = index * self.t_slot + self.read.t_read + 3 * self.pulse.t_rise
        return begin, begin + self.pulse.t_pulse + 3 * self.pulse.t_rise


def write_staircase(params: WriteParams) -> Deck:
    """Return a `.tran` deck of the staircase through drivers with output resistance and line capacitance."""
    circuit, pulse = Circuit("write staircase"), params.pulse
    circuit.subcircuit(dynamic_cell(params.cell))
    circuit.X("_cell", "cell_1t1r", "bl", "wl", "sl", "s", s_0=params.state)
    for line, steps in _line_steps(params).items():
        points = staircase_points(steps, t_rise=pulse.t_rise)
        add_driver(circuit, line, points, r_out=pulse.r_driver, c_line=pulse.c_line)
    t_stop = params.pulses * params.t_slot + params.read.t_read + 4 * pulse.t_rise
    reads = tuple(
        Measure(f"i_read_{k}", f"find i(v_sl) at={params.t_read_at(k):.6e}", "A", "read current " + _when(k, params))
        for k in range(params.pulses + 1)
    )
    return Deck(
        title=f"1T1R cell: gradual {params.polarity} staircase, {params.pulses} pulses",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".tran {pulse.t_step} {t_stop:.9e} 0 {pulse.t_step} uic",
        outputs=(
            Output("state", "v(s)", "1", "normalised filament thickness"),
            *(Output(f"v_{line}", f"v({line}_src)", "V", f"{name}'s driver") for line, name in _LINES.items()),
            *(
                Output(f"i_{line}", f"i(v_{line})", "A", f"current into the {name}'s driver")
                for line, name in _LINES.items()
            ),
        ),
        measures=reads,
        options=TRANSIENT_OPTIONS,
    )


def _when(read: int, params: WriteParams) -> str:
    return "before any pulse" if read == 0 else f"after {params.amplitudes[read - 1]:.4g} V"


def _line_steps(params: WriteParams) -> dict[str, list[tuple[float, float]]]:
    """Edges of each line: the word line opens one edge before the others rise and closes one edge after they fall."""
    steps: dict[str, list[tuple[float, float]]] = {"bl": [], "wl": [], "sl": []}
    read, rise = params.read, params.pulse.t_rise
    high, low = (read.v_rest, read.driven(read.v_read)) if read.v_rest > 0 else (read.v_read, 0.0)
    for index in range(params.pulses + 1):
        start = index * params.t_slot
        steps["wl"] += [(start, read.v_wl), (start + read.t_read + 2 * rise, 0.0)]
        for line, level in (("bl", high), ("sl", low)):
            steps[line] += [(start + rise, level), (start + read.t_read + rise, 0.0)]
        if index < params.pulses:
            word, line, drive = pulse_levels(params.pulse, params.polarity, float(params.amplitudes[index]))
            begin, end = params.write_window(index)
            steps["wl"] += [(begin, word), (end - rise, 0.0)]
            steps[line] += [(begin + rise, drive), (end - 2 * rise, 0.0)]
    return steps


def pulse_levels(pulse: PulseParams, polarity: Polarity, amplitude: float) -> tuple[float, str, float]:
    """Return the word line's voltage, the line that is driven besides it, and that line's voltage."""
    if polarity == "set" and pulse.set_line == "bl":
        return pulse.v_wl_set, "bl", amplitude
    if polarity == "set":
        return amplitude, "bl", pulse.v_bl_set
    return pulse.v_wl_reset, "sl", amplitude


LINES = ("bl", "wl", "sl")
# Those of the staircase, but for the charge below which no step is cut: that fineness is for its reads, and there are
# none here. State and energy after a pulse come out the same (7e-6, 4e-5 from a tenth of the step), a sixth sooner.
ROW_OPTIONS = TRANSIENT_OPTIONS.replace("chgtol=1e-18", "chgtol=1e-16")


class ReadRowParams(Parameters):
    """Cells whose states are held, read statically."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    state: tuple[float, ...] = Field(default=(0.5,), description="held state of each cell", min_length=1)
    points: int = quantity(21, "1", "swept voltages of both signs; 1: v_read alone", ge=1, le=1001)


def read_row(params: ReadRowParams) -> Deck:
    """Return a `.dc` deck of the current of each cell against v = v(bl) - v(sl)."""
    circuit, read = Circuit("row of reads"), params.read
    circuit.subcircuit(held_cell(params.cell))
    circuit.V("_wl", "wl", circuit.gnd, read.v_wl)
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    bit, source = read.sources("v(sweep)")  # one side is driven at a time, as in the array
    circuit.raw_spice += f"B_bl bl 0 v = {bit}\nB_sl sl 0 v = {source}\n"
    for k, state in enumerate(params.state):
        circuit.V(f"_sl_{k}", f"sl_{k}", "sl", 0)
        circuit.X(f"_cell_{k}", "cell_1t1r_held", "bl", "wl", f"sl_{k}", s_0=state)
    step = 2 * read.v_max / max(params.points - 1, 1)
    first, last = (-read.v_max, read.v_max) if params.points > 1 else (read.v_read, read.v_read)
    return Deck(
        title=f"1T1R cells side by side: read currents of {len(params.state)} held states",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".dc V_sweep {first} {last * (1 + 1e-9)} {step}",
        outputs=tuple(
            Output(f"i_cell_{k}", f"i(v_sl_{k})", "A", f"current of the cell in state {state:.6g}")
            for k, state in enumerate(params.state)
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


class PulseRowParams(Parameters):
    """One write pulse at each cell."""

    cell: CellParams = CellParams()
    pulse: PulseParams = PulseParams()
    polarity: Polarity = quantity("set", "1", "set steps the line `pulse.set_line`, reset the source line")
    state: tuple[float, ...] = Field(default=(0.5,), description="state of each cell at the start", min_length=1)
    v_pulse: tuple[float, ...] = Field(default=(1.3,), description="amplitude at each cell, V", min_length=1)

    @model_validator(mode="after")
    def _one_each(self) -> "PulseRowParams":
        if len(self.state) != len(self.v_pulse):
            raise ValueError(f"v_pulse must have one value for each of the {len(self.state)} states")
        return self

    @property
    def t_stop(self) -> float:
        """Return the end of the run [s]: three edges around the plateau, and one more edge's time at rest."""
        return self.pulse.t_pulse + 4 * self.pulse.t_rise


def pulse_row(params: PulseRowParams) -> Deck:
    """Return a `.tran` deck of one write pulse at each cell; its edges are those of `write_staircase`."""
    circuit, pulse = Circuit("row of pulses"), params.pulse
    circuit.subcircuit(dynamic_cell(params.cell))
    circuit.subcircuit(driven_cell(pulse))
    outputs = []
    for k, (state, amplitude) in enumerate(zip(params.state, params.v_pulse, strict=True)):
        circuit.X(f"_cell_{k}", "driven_cell", *(f"{line}_{k}_src" for line in LINES), f"s_{k}", s_0=state)
        for line, steps in _edges(params, amplitude).items():
            points = staircase_points(steps, t_rise=pulse.t_rise)
            circuit.PieceWiseLinearVoltageSource(f"_{line}_{k}", f"{line}_{k}_src", circuit.gnd, values=points)
        outputs += _outputs(k, state, amplitude)
    return Deck(
        title=f"1T1R cells side by side: one {params.polarity} pulse at each of {len(params.state)}",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".tran {pulse.t_step} {params.t_stop:.9e} 0 {pulse.t_step} uic",
        outputs=tuple(outputs),
        options=ROW_OPTIONS,
    )


def driven_cell(pulse: PulseParams) -> SubCircuit:
    """Return `.subckt driven_cell bl_src wl_src sl_src s`: a cell whose lines have a driver's resistance and wires.

    The deck needs `dynamic_cell` beside it.
    """
    driven = SubCircuit("driven_cell", *(f"{line}_src" for line in LINES), "s", s_0=0)
    driven.X("_cell", "cell_1t1r", *LINES, "s", s_0="{s_0}")
    for line in LINES:
        driven.R(f"_out_{line}", f"{line}_src", line, pulse.r_driver)
        if pulse.c_line > 0:
            driven.C(f"_{line}", line, 0, pulse.c_line)
    return driven


def _edges(params: PulseRowParams, amplitude: float) -> dict[str, list[tuple[float, float]]]:
    """Edges of the lines: the word line opens one edge before the other rises and closes one edge after it falls."""
    rise = params.pulse.t_rise
    end = params.pulse.t_pulse + 3 * rise
    word, line, drive = pulse_levels(params.pulse, params.polarity, amplitude)
    steps: dict[str, list[tuple[float, float]]] = {name: [] for name in LINES}
    steps["wl"] = [(0.0, word), (end - rise, 0.0)]
    steps[line] = [(rise, drive), (end - 2 * rise, 0.0)]
    return steps


def _outputs(k: int, state: float, amplitude: float) -> list[Output]:
    which = f"from state {state:.6g} at {amplitude:.4g} V"
    return [
        Output(f"state_{k}", f"v(s_{k})", "1", f"state {which}"),
        *(Output(f"v_{line}_{k}", f"v({line}_{k}_src)", "V", f"driver {which}") for line in LINES),
        *(Output(f"i_{line}_{k}", f"i(v_{line}_{k})", "A", f"current into it {which}") for line in LINES),
    ]


CATALOG = {
    "cell_noise": CatalogEntry(ReadSweepParams, read_sweep, "1T1R cell: the static read whose noise is computed"),
    "cell_read": CatalogEntry(ReadSweepParams, read_sweep, "1T1R cell: read current against voltage, state held"),
    "cell_write": CatalogEntry(
        WriteParams,
        write_staircase,
        "1T1R cell: gradual SET (word line stepped) or RESET (source line stepped), a read around every pulse",
    ),
}
