"""Bit-line readout at a clamped voltage, by a resistor (transimpedance) or on a capacitor (integrating); its benches.

A two-stage amplifier holds the bit line at v_clamp; the rows rest at v_clamp too, and an input pulls its row v_in below
it. The current i that the cells draw then flows through the feedback, and the output rises:

    transimpedance   out = v_clamp + i r_feedback                     settled
    integrating      out = v_clamp + i t/c_integrate                  a time t after the reset switch opens

so that with v_clamp = 0.3 V full scale ends at 1.0 V, within the range of a converter in core transistors. The clamp is
that low because the array's access transistors need their overdrive. While an output moves at a slope, the amplifier
needs slope/(2 pi f_unity) at its input: that is the error of the clamp of an integrating readout, in proportion to the
current, so that it costs gain and not linearity.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.ota import NAMES, OtaParams, ota, start_near
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

Mode = Literal["transimpedance", "integrating"]


class ReadoutParams(Parameters):
    """Amplifier and feedback."""

    ota: OtaParams = OtaParams()
    mode: Mode = quantity("transimpedance", "1", "feedback by a resistor, or by a capacitor with a reset switch")
    v_clamp: float = quantity(0.3, "V", "voltage at which the bit line is held", ge=0, le=5)
    r_feedback: float = quantity(3.5e3, "ohm", "transimpedance: feedback resistor", ge=10, le=1e8)
    c_feedback: float = quantity(
        290e-15, "F", "transimpedance: capacitor across it, at the lowest gain setting", ge=0, le=1e-10
    )
    r_lowest: float = quantity(3.5e3, "ohm", "transimpedance: lowest gain setting", ge=10, le=1e8)
    bank: float = quantity(
        0.5, "1", "transimpedance: c_feedback and c_miller fall as this power of r_lowest/r_feedback", ge=0, le=1
    )
    c_integrate: float = quantity(2e-12, "F", "integrating: feedback capacitor", ge=1e-15, le=1e-9)
    c_miller: float = quantity(0.5e-12, "F", "integrating: Miller capacitor of the amplifier", ge=1e-15, le=1e-10)
    w_reset: float = quantity(4e-6, "m", "integrating: width of the reset switch", ge=0.1e-6, le=1e-3)

    @property
    def bank_factor(self) -> float:
        """Return c_feedback of this gain setting over that of the lowest one; c_miller goes with it."""
        return (self.r_lowest / self.r_feedback) ** self.bank

    @property
    def amplifier(self) -> OtaParams:
        """Return the amplifier with the Miller capacitor of this gain setting, or of the integrator; its zero stays."""
        wanted = self.c_miller if self.mode == "integrating" else self.ota.c_miller * self.bank_factor
        scaled = {"c_miller": wanted, "r_zero": self.ota.r_zero * self.ota.c_miller / wanted}
        return self.ota.model_copy(update=scaled)


def add_feedback(circuit: Circuit | SubCircuit, params: ReadoutParams) -> None:
    """Add the feedback between the nodes `bl` and `out`; the reset switch's gate is `rst`."""
    if params.mode == "transimpedance":
        circuit.R("_feedback", "bl", "out", params.r_feedback)
        if params.c_feedback > 0:
            circuit.C("_feedback", "bl", "out", params.c_feedback * params.bank_factor)
        return
    circuit.C("_integrate", "bl", "out", params.c_integrate)
    Netlister(circuit, params.ota.technology).mosfet("_reset", ("out", "rst", "bl", 0), "nmos_io", w=params.w_reset)


def readout(params: ReadoutParams) -> SubCircuit:
    """Return `.subckt readout bl clamp out rst vdd`; it uses `ota`, which the circuit must hold too."""
    block = SubCircuit("readout", "bl", "clamp", "out", "rst", "vdd")
    block.X("_ota", "ota", "clamp", "bl", "out", "vdd")
    add_feedback(block, params)
    return block


class ReadoutLineParams(Parameters):
    """A readout, its load, and the bit line with its cells as one conductance at its far end."""

    readout: ReadoutParams = ReadoutParams()
    g_cells: float = quantity(1e-3, "S", "conductance of all cells of the line together", ge=0, le=1)
    r_line: float = quantity(65.0, "ohm", "resistance of the bit line", ge=1e-3, le=1e6)
    c_line: float = quantity(500e-15, "F", "capacitance of the bit line, half at either end", ge=1e-18, le=1e-10)
    c_load: float = quantity(400e-15, "F", "capacitance at the output: a converter's sampling array", ge=0, le=1e-10)


class ReadoutBenchParams(ReadoutLineParams):
    """A train of reads."""

    v_max: float = quantity(0.1, "V", "input of the last read", ge=1e-3, le=1)
    v_full: float = quantity(
        0.7, "V", "full scale: output above its rest, to the end of the converter's range", ge=1e-3, le=5
    )
    reads: int = quantity(5, "1", "reads, their inputs in equal steps from 0 to v_max", ge=2, le=1000)
    t_read: float = quantity(40e-9, "s", "duration of a read", ge=1e-10, le=1e-3)
    t_reset: float = quantity(20e-9, "s", "rest before a read, and the reset switch closed", ge=1e-10, le=1e-3)
    t_integrate: float = quantity(16e-9, "s", "integrating: time after which the output is taken", ge=1e-10, le=1e-3)
    t_rise: float = quantity(0.2e-9, "s", "edge of the inputs and of the reset", ge=1e-12, le=1e-6)
    t_step: float = quantity(0.2e-9, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def inputs(self) -> np.ndarray:
        """Input of each read (N,) [V]: how far its row is pulled below the clamp."""
        return np.linspace(0, self.v_max, self.reads)

    @property
    def t_slot(self) -> float:
        """Return the time from one read to the next [s]."""
        return self.t_reset + self.t_read

    def t_begin(self, index: int) -> float:
        """Return when read `index` starts [s]: its row's edge."""
        return index * self.t_slot + self.t_reset

    def t_sample(self, index: int) -> float:
        """Return when the output of read `index` is taken [s]."""
        t_hold = 0.98 * self.t_read if self.readout.mode == "transimpedance" else self.t_integrate
        return self.t_begin(index) + 0.5 * self.t_rise + t_hold


def read_train(params: ReadoutBenchParams, inputs: Sequence[float] | np.ndarray | None = None) -> Deck:
    """Return a `.tran` deck of reads: rest (reset), row pulled down by its input [V], output taken.

    `inputs` are `params.reads` of them (default: the train's).
    """
    v_inputs = params.inputs if inputs is None else np.asarray(inputs, dtype=float)
    if v_inputs.shape != (params.reads,):
        raise InputError(f"`inputs` must be ({params.reads},) in volt; got {v_inputs.shape}. Pass as many as `reads`.")
    circuit, block = Circuit("readout"), params.readout
    circuit.subcircuit(ota(block.amplifier))
    circuit.subcircuit(readout(block))
    circuit.X("_readout", "readout", "bl", "clamp", "out", "rst", "vdd")
    circuit.V("_vdd", "vdd", circuit.gnd, block.ota.v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, block.v_clamp)
    rows, resets = [], []
    for index, v_in in enumerate(v_inputs):
        begin, end = params.t_begin(index), params.t_begin(index) + params.t_read
        resets += [(end - params.t_slot, block.ota.v_dd), (begin - 2 * params.t_rise, 0.0)]
        rows += [(begin, -float(v_in)), (end, 0.0)]
    points = staircase_points(rows, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_row", "row", "clamp", values=points)
    # the first reset is on from the start, so that the operating point is a reset one
    points = [(0.0, block.ota.v_dd), *staircase_points(resets, t_rise=params.t_rise)[2:]]
    circuit.PieceWiseLinearVoltageSource("_rst", "rst", circuit.gnd, values=points)
    _add_line(circuit, params, "bl", "row")
    circuit.C("_load", "out", circuit.gnd, params.c_load)
    circuit.raw_spice += start_near(block.ota, "x_readout.x_ota", bl=block.v_clamp, out=block.v_clamp)
    t_stop = params.reads * params.t_slot
    measures = tuple(
        Measure(f"v_out_{k}", f"find v(out) at={params.t_sample(k):.6e}", "V", f"output for {1e3 * v:.4g} mV")
        for k, v in enumerate(v_inputs)
    )
    return Deck(
        title=f"Readout, {block.mode}: {params.reads} reads",
        parameters=params,
        circuit=circuit,
        libraries=(block.ota.technology.library,),
        analysis=f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}",
        outputs=_OUTPUTS,
        measures=measures,
        options="method=gear reltol=1e-5 abstol=1e-12 vntol=1e-7 chgtol=1e-18",
    )


class ReadoutOffsetParams(Parameters):
    """A readout at rest, its trim swept through every code."""

    readout: ReadoutParams = ReadoutParams()
    g_cells: float = quantity(1e-3, "S", "conductance of all cells of the line, its rows at the clamp", ge=0, le=1)
    r_line: float = quantity(65.0, "ohm", "resistance of the bit line", ge=1e-3, le=1e6)
    dv_example: float = quantity(
        2e-3, "V", "offset by name: rise of the first input transistor's threshold", ge=-0.1, le=0.1
    )


def offset_sweep(params: ReadoutOffsetParams, dv_threshold: np.ndarray | None = None) -> Deck:
    """Return a `.dc` deck of the bit line at no input, over every code of the amplifier's trim.

    `dv_threshold` (20,) [V] raises the thresholds of the amplifier's transistors, as `ota` takes them.
    """
    block = params.readout
    if block.ota.trim_bits == 0:
        raise InputError("`readout.ota.trim_bits` must be 1 or more to sweep the trim; got 0. Give the amplifier one.")
    circuit = Circuit("offset")
    circuit.subcircuit(ota(block.amplifier, dv_threshold, swept=True))
    circuit.X("_ota", "ota", "clamp", "bl", "out", "vdd", "code")
    add_feedback(circuit, block)
    circuit.V("_vdd", "vdd", circuit.gnd, block.ota.v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, block.v_clamp)
    circuit.V("_code", "code", circuit.gnd, 0)
    circuit.R("_line", "bl", "far", params.r_line)
    if params.g_cells > 0:
        circuit.R("_cells", "far", "clamp", 1 / params.g_cells)
    circuit.raw_spice += start_near(block.ota, "x_ota", bl=block.v_clamp, out=block.v_clamp)
    middle = 2**block.ota.trim_bits // 2
    return Deck(
        title="Readout: offset over the codes of its trim",
        parameters=params,
        circuit=circuit,
        libraries=(block.ota.technology.library,),
        analysis=f".dc V_code 0 {2**block.ota.trim_bits - 1} 1",
        outputs=(
            Output("v_bl", "v(bl)", "V", "bit line"),
            Output("v_out", "v(out)", "V", "output"),
        ),
        measures=(
            Measure("v_first", "find v(bl) at=0", "V", "bit line at the trim's code 0"),
            Measure("v_middle", f"find v(bl) at={middle}", "V", "bit line at the middle code"),
        ),
        options="reltol=1e-6 abstol=1e-12 vntol=1e-8",
        swept="code of the trim (1)",
    )


def example_offset(params: ReadoutOffsetParams) -> Deck:
    """Return the sweep of an amplifier of which one input transistor's threshold is off by `dv_example`."""
    dv_threshold = np.zeros(len(NAMES))
    dv_threshold[NAMES.index("input_n")] = params.dv_example
    return offset_sweep(params, dv_threshold)


class ReadoutNoiseParams(ReadoutLineParams):
    """A readout at rest, and the band of its noise."""

    f_low: float = quantity(1e3, "Hz", "lower end of the band: what is slower is offset", ge=1e-3, le=1e9)
    f_high: float = quantity(1e11, "Hz", "upper end of the band", ge=1e6, le=1e13)
    points: int = quantity(10, "1", "frequencies a decade", ge=2, le=1000)


def noise_at_rest(params: ReadoutNoiseParams) -> Deck:
    """Return a `.noise` deck of the output at no input: amplifier, feedback, line and cells.

    The cells are a resistor of their conductance and have its thermal noise, 4 k T g; what a cell has beyond it (RTN,
    1/f) belongs to the cell.
    """
    block = params.readout
    circuit = Circuit("noise")
    circuit.subcircuit(ota(block.amplifier))
    circuit.subcircuit(readout(block))
    circuit.X("_readout", "readout", "bl", "clamp", "out", "rst", "vdd")
    circuit.V("_vdd", "vdd", circuit.gnd, block.ota.v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, block.v_clamp)
    circuit.V("_rst", "rst", circuit.gnd, 0)
    circuit.raw_spice += "V_row row clamp dc 0 ac 1\n"
    _add_line(circuit, params, "bl", "row")
    circuit.C("_load", "out", circuit.gnd, params.c_load)
    circuit.raw_spice += start_near(block.ota, "x_readout.x_ota", bl=block.v_clamp, out=block.v_clamp)
    return Deck(
        title=f"Readout, {block.mode}: noise at rest",
        parameters=params,
        circuit=circuit,
        libraries=(block.ota.technology.library,),
        analysis=f".noise v(out) V_row dec {params.points} {params.f_low:g} {params.f_high:g}",
        outputs=(
            Output("v_noise", "onoise_spectrum", "V/Hz^0.5", "noise density of the output"),
            Output("v_noise_total", "onoise_total", "V", "rms noise of the output over the band"),
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


_OUTPUTS = (
    Output("v_row", "v(row)", "V", "the rows: at the clamp, or an input below it"),
    Output("v_bl", "v(bl)", "V", "bit line at the clamp"),
    Output("v_out", "v(out)", "V", "output"),
    Output("v_rst", "v(rst)", "V", "gate of the reset switch (integrating)"),
    Output("i_row", "i(v_row)", "A", "current out of the bit line, through the cells"),
    Output("i_vdd", "i(v_vdd)", "A", "current into the supply"),
)


def loop_gain(params: ReadoutLineParams, v_in: float = 0.0) -> Deck:
    """Return an `.ac` deck of the loop, cut at the amplifier's inverting input without unloading it.

    Two copies of the circuit: in one a voltage, in the other a current of 1 is put in at the cut (Middlebrook, Int. J.
    Electronics 38 (1975) 485); `components.readout.loop_gain` combines what comes back. The integrating readout is run
    with its reset switch open; its operating point is set by 1 Gohm across the capacitor.
    """
    block = params.readout
    circuit = Circuit("loop gain")
    circuit.subcircuit(ota(block.amplifier))
    circuit.subcircuit(_opened(params))
    circuit.V("_vdd", "vdd", circuit.gnd, block.ota.v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, block.v_clamp)
    circuit.V("_row", "row", "clamp", -v_in)
    for name in ("v", "i"):
        circuit.X(f"_{name}", "opened", f"gate_{name}", f"bl_{name}", f"out_{name}", "clamp", "row", "vdd")
    for name in ("v", "i"):
        ends = {f"{node}_{name}": block.v_clamp for node in ("bl", "out")}
        circuit.raw_spice += start_near(block.ota, f"x_{name}.x_ota", **ends)
    circuit.raw_spice += "V_probe gate_v bl_v dc 0 ac 1\n"
    circuit.raw_spice += "I_probe 0 cut dc 0 ac 1\nV_gate cut gate_i 0\nV_back cut bl_i 0\n"
    return Deck(
        title=f"Readout, {block.mode}: loop gain",
        parameters=params,
        circuit=circuit,
        libraries=(block.ota.technology.library,),
        analysis=".ac dec 20 1e4 1e10",
        outputs=(
            Output("v_gate", "v(gate_v)", "V", "voltage put in: at the amplifier's side of the cut"),
            Output("v_back", "v(bl_v)", "V", "voltage put in: what came back"),
            Output("i_gate", "i(v_gate)", "A", "current put in: into the amplifier"),
            Output("i_back", "i(v_back)", "A", "current put in: into the feedback's side"),
        ),
        measures=(
            Measure("back_db", "find vdb(bl_v) at=1e6", "dB", "voltage put in: what came back, at 1 MHz"),
            Measure("gate_db", "find vdb(gate_v) at=1e6", "dB", "voltage put in: at the amplifier's side, at 1 MHz"),
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


def _opened(params: ReadoutLineParams) -> SubCircuit:
    """Return `.subckt opened gate bl out clamp row vdd`: readout, line, load; the loop cut between `gate` and `bl`."""
    block = SubCircuit("opened", "gate", "bl", "out", "clamp", "row", "vdd")
    block.X("_ota", "ota", "clamp", "gate", "out", "vdd")
    add_feedback(block, params.readout)
    if params.readout.mode == "integrating":
        block.V("_rst", "rst", 0, 0)
        block.R("_set", "bl", "out", 1e9)
    _add_line(block, params, "bl", "row")
    block.C("_load", "out", 0, params.c_load)
    return block


def _add_line(circuit: Circuit | SubCircuit, params: ReadoutLineParams, near: str, row: str) -> None:
    circuit.C("_line_near", near, 0, params.c_line / 2)
    circuit.R("_line", near, "far", params.r_line)
    circuit.C("_line_far", "far", 0, params.c_line / 2)
    if params.g_cells > 0:
        circuit.R("_cells", "far", row, 1 / params.g_cells)


CATALOG = {
    "readout": CatalogEntry(
        ReadoutBenchParams,
        read_train,
        "bit-line readout with a clamp amplifier: transimpedance or integrating, a train of reads",
    ),
    "readout_offset": CatalogEntry(
        ReadoutOffsetParams,
        example_offset,
        "offset of the readout's amplifier, over the codes of its trim",
    ),
}
