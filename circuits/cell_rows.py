"""Cells side by side in one deck, each with drivers of its own: many points of a plan in one run.

They share the time steps and the model cards, nothing else: no line of one cell is a line of another.
"""

from pydantic import Field, model_validator
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.cell import CellParams, dynamic_cell, held_cell
from rramkit.circuits.cell_bench import TRANSIENT_OPTIONS, Polarity, PulseParams, ReadParams, pulse_levels
from rramkit.circuits.deck import Deck, Output
from rramkit.circuits.stimuli import staircase_points
from rramkit.parameters import Parameters, quantity

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
    # One side is driven at a time, as in the array: the bit line for v > 0, the source line for v < 0.
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    circuit.raw_spice += "B_bl bl 0 v = max(v(sweep), 0)\nB_sl sl 0 v = max(-v(sweep), 0)\n"
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
    """Return a `.tran` deck of one write pulse at each cell; its edges are those of `cell_bench.write_staircase`."""
    circuit, pulse = Circuit("row of pulses"), params.pulse
    circuit.subcircuit(dynamic_cell(params.cell))
    circuit.subcircuit(_driven_cell(pulse))
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


def _driven_cell(pulse: PulseParams) -> SubCircuit:
    """Return `.subckt driven_cell bl_src wl_src sl_src s`: a cell whose lines have a driver's resistance and wires."""
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
