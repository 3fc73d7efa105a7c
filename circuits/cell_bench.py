"""Testbenches of one 1T1R cell: the read sweep, and the gradual-write staircase with a read around every pulse."""

from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams, dynamic_cell, held_cell
from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.stimuli import add_driver, staircase_points
from rramkit.parameters import Parameters, quantity

# Gear, because the trapezoidal rule rings on a line whose time constant is far below the step: a read would show it.
TRANSIENT_OPTIONS = "method=gear reltol=1e-4 abstol=1e-13 vntol=1e-7 chgtol=1e-18 itl4=100"


Polarity = Literal["set", "reset"]


class ReadParams(Parameters):
    """How a cell is read."""

    v_read: float = quantity(0.1, "V", "read voltage at which the conductance is defined", ge=0.02, le=0.2)
    v_max: float = quantity(0.2, "V", "largest read voltage of an input", ge=0.02, le=0.3)
    v_wl: float = quantity(2.5, "V", "word line while reading", ge=1.0, le=3.6)
    t_read: float = quantity(10e-9, "s", "duration of a read", ge=3e-9, le=1e-6)


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
    # One side is driven at a time, as in the array: the bit line for v > 0, the source line for v < 0.
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    circuit.raw_spice += "B_bl bl 0 v = max(v(sweep), 0)\nB_sl sl_drive 0 v = max(-v(sweep), 0)\nV_sl sl sl_drive 0\n"
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


class PulseParams(Parameters):
    """The conditions of a write pulse, other than the amplitude on the stepped line."""

    set_line: Literal["wl", "bl"] = quantity("wl", "1", "line that SET steps: wl limits current, bl gives voltage")
    v_bl_set: float = quantity(1.7, "V", "bit line during SET, when the word line is stepped", ge=0.5, le=3.6)
    v_wl_set: float = quantity(3.3, "V", "word line during SET, when the bit line is stepped", ge=0.5, le=3.6)
    v_wl_reset: float = quantity(3.6, "V", "word line during RESET", ge=0.5, le=3.6)
    t_pulse: float = quantity(50e-9, "s", "width of a pulse, edges excluded", ge=1e-9, le=1e-3)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-11, le=1e-6)
    r_driver: float = quantity(100.0, "ohm", "output resistance of each line's driver", ge=1, le=1e5)
    c_line: float = quantity(20e-15, "F", "capacitance of each line", ge=0, le=1e-11)
    t_step: float = quantity(0.2e-9, "s", "largest time step of the simulation", ge=1e-13, le=1e-8)


class WriteParams(Parameters):
    """A gradual-write staircase: pulses of rising amplitude on the stepped line, a read before and after each."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
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
    for index in range(params.pulses + 1):
        start = index * params.t_slot
        steps["wl"] += [(start, read.v_wl), (start + read.t_read + 2 * rise, 0.0)]
        steps["bl"] += [(start + rise, read.v_read), (start + read.t_read + rise, 0.0)]
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
