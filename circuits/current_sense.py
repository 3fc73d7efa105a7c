"""Current sense amplifier with a clamped bit line, a cell's current against a reference, one bit; its test bench.

Two equal branches, one for the cell's bit line and one for a reference line. In each

    the line is held at v_clamp by a follower whose gate a PMOS drives that watches the line: a line that is pulled
    down turns that PMOS on, and the gate rises. Its NMOS load takes its bias from a replica whose PMOS watches v_clamp
    itself, so that the line stands at v_clamp in every corner, but for the gain of that one stage;
    the current falls on a diode-connected PMOS. (A mirror instead would give more voltage, but takes the clamp out of
    saturation as soon as a cell draws more than the reference, and then the bit line is not clamped.)

A StrongARM latch compares the two diodes: out_p high means that the cell draws more than the reference (low
resistance). To the first order a difference of currents di shows as di/g_m = (di/i)/(g_m/i), so the latch's offset of
a few mV is a few per cent of the current. Before a read, `rest` (and its complement `rest_b`) turns the clamps off,
empties the lines, which a follower cannot do, and joins the sense nodes at the supply. Sizes are this kit's choice.
"""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.cell import TRANSIENT_OPTIONS
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.sense_amp import SenseAmpParams, strong_arm
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class CurrentSenseParams(Parameters):
    """Sizes of the branches, and the latch behind them."""

    latch: SenseAmpParams = SenseAmpParams()
    c_sense: float = quantity(30e-15, "F", "capacitor at each sense node, against kickback", ge=0, le=1e-11)
    v_clamp: float = quantity(0.2, "V", "voltage at which the lines are held", ge=0, le=5)
    w_clamp: float = quantity(4e-6, "m", "width of the clamp's follower", ge=0.1e-6, le=1e-3)
    w_watch: float = quantity(0.4e-6, "m", "width of the PMOS that watches the line", ge=0.1e-6, le=1e-3)
    w_watch_load: float = quantity(0.4e-6, "m", "width of its NMOS load", ge=0.1e-6, le=1e-3)
    w_diode: float = quantity(2e-6, "m", "width of a branch's PMOS diode", ge=0.1e-6, le=1e-3)
    w_equalise: float = quantity(1e-6, "m", "width of an equalising PMOS", ge=0.1e-6, le=1e-3)
    w_empty: float = quantity(
        1e-6, "m", "width of an NMOS that empties a line, or turns its clamp off", ge=1e-7, le=1e-3
    )
    l_watch: float = quantity(200e-9, "m", "length of the watching PMOS and its load", ge=20e-9, le=10e-6)


def sense_branch(params: CurrentSenseParams) -> SubCircuit:
    """Return `.subckt sense_branch bl sense bias rest vdd`: clamp from `bl` to `sense`, diode above it."""
    part, cmos = SubCircuit("sense_branch", "bl", "sense", "bias", "rest", "vdd"), params.latch.technology
    draw, length = Netlister(part, cmos), cmos.l_core
    transistors = (
        ("clamp", "sense", "gate", "bl", "n", params.w_clamp, length),
        ("watch", "gate", "bl", "vdd", "p", params.w_watch, params.l_watch),
        ("watch_load", "gate", "bias", "0", "n", params.w_watch_load, params.l_watch),
        ("diode", "sense", "sense", "vdd", "p", params.w_diode, length),
        ("off", "gate", "rest", "0", "n", params.w_empty, length),
        ("empty", "bl", "rest", "0", "n", params.w_empty, length),
    )
    for name, drain, gate, source, kind, width, l_drawn in transistors:
        bulk = "0" if kind == "n" else "vdd"
        draw.mosfet(f"_{name}", (drain, gate, source, bulk), kind_of(kind, "core"), w=width, length=l_drawn)
    return part


def current_sense(params: CurrentSenseParams) -> SubCircuit:
    """Return `.subckt current_sense bl ref clamp rest rest_b clk out_p out_n sense_cell sense_ref vdd`.

    It uses `sense_branch` and `strong_arm`, which the circuit must hold too.
    """
    pins = ("bl", "ref", "clamp", "rest", "rest_b", "clk", "out_p", "out_n", "sense_cell", "sense_ref", "vdd")
    block = SubCircuit("current_sense", *pins)
    draw, l_watch = Netlister(block, params.latch.technology), params.l_watch
    draw.mosfet("_replica", ("bias", "clamp", "vdd", "vdd"), "pmos_core", w=params.w_watch, length=l_watch)
    draw.mosfet("_replica_load", ("bias", "bias", "0", 0), "nmos_core", w=params.w_watch_load, length=l_watch)
    block.X("_cell", "sense_branch", "bl", "sense_cell", "bias", "rest", "vdd")
    block.X("_ref", "sense_branch", "ref", "sense_ref", "bias", "rest", "vdd")
    for name, drain, source in (
        ("join", "sense_cell", "sense_ref"),
        ("lift_cell", "sense_cell", "vdd"),
        ("lift_ref", "sense_ref", "vdd"),
    ):
        draw.mosfet(f"_{name}", (drain, "rest_b", source, "vdd"), "pmos_core", w=params.w_equalise)
    if params.c_sense > 0:
        for node in ("sense_cell", "sense_ref"):
            block.C(f"_{node}", node, "vdd", params.c_sense)
    # more current, lower diode: the cell's node is the latch's negative input
    block.X("_latch", "strong_arm", "sense_ref", "sense_cell", "clk", "out_p", "out_n", "vdd")
    return block


class CurrentSenseBenchParams(Parameters):
    """A current sense amplifier with its two lines, a reference conductance, and a train of cells."""

    sense: CurrentSenseParams = CurrentSenseParams()
    g_ref: float = quantity(30e-6, "S", "conductance on the reference line", gt=0, le=0.1)
    g_first: float = quantity(4e-6, "S", "smallest conductance of the train", gt=0, le=0.1)
    g_last: float = quantity(100e-6, "S", "largest conductance of the train", gt=0, le=0.1)
    reads: int = quantity(6, "1", "reads of the train, conductances in geometric steps", ge=2, le=1000)
    c_line: float = quantity(100e-15, "F", "capacitance of each line", ge=0, le=1e-10)
    t_rest: float = quantity(1e-9, "s", "rest before a read: lines emptied, sense nodes joined", ge=1e-11, le=1e-3)
    t_develop: float = quantity(6e-9, "s", "from then to the latch's clock", ge=1e-11, le=1e-3)
    t_decide: float = quantity(1e-9, "s", "clock high", ge=1e-11, le=1e-3)
    t_rise: float = quantity(50e-12, "s", "edge of the controls", ge=1e-13, le=1e-6)
    t_step: float = quantity(20e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def conductances(self) -> np.ndarray:
        """Conductance of each cell of the train, (N,) [S]."""
        return np.geomspace(self.g_first, self.g_last, self.reads)

    @property
    def t_slot(self) -> float:
        """Return the time from one read to the next [s]."""
        return self.t_rest + self.t_develop + self.t_decide

    def t_clock(self, index: int) -> float:
        """Return when the clock of read `index` rises [s]."""
        return index * self.t_slot + self.t_rest + self.t_develop


def current_train(
    params: CurrentSenseBenchParams,
    conductances: Sequence[float] | np.ndarray | None = None,
    *,
    dv_threshold: np.ndarray | None = None,
) -> Deck:
    """Return a `.tran` deck of reads, one for each conductance [S] (default: the train's), from a new cell each time.

    The cell is a conductance that is switched to the next one's value while the amplifier rests; `dv_threshold` is
    the latch's mismatch, as `strong_arm`.
    """
    g_cell = params.conductances if conductances is None else np.asarray(conductances, dtype=float)
    _check(g_cell)
    circuit, sense, count = Circuit("current sense"), params.sense, len(g_cell)
    v_dd = sense.latch.technology.v_core
    for block in (strong_arm(sense.latch, dv_threshold), sense_branch(sense), current_sense(sense)):
        circuit.subcircuit(block)
    pins = ("bl", "ref", "clamp", "rest", "rest_b", "clk", "out_p", "out_n", "sense_cell", "sense_ref", "vdd")
    circuit.X("_sense", "current_sense", *pins)
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, sense.v_clamp)
    edges = [(k * params.t_slot, 1e6 * float(g)) for k, g in enumerate(g_cell)]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_g", "g", circuit.gnd, values=points)
    circuit.V("_cell", "bl", "cell", 0)
    circuit.raw_spice += "B_cell cell 0 i = 1e-6*v(g)*v(cell)\nR_cell cell 0 1e12\n"
    circuit.R("_ref", "ref", circuit.gnd, 1 / params.g_ref)
    for line in ("bl", "ref"):
        circuit.C(f"_{line}", line, circuit.gnd, params.c_line)
    clocks = [(params.t_clock(k), params.t_clock(k) + params.t_decide) for k in range(count)]
    ready = [(k * params.t_slot + params.t_rest, (k + 1) * params.t_slot) for k in range(count)]
    for name, spans in (("clk", clocks), ("rest_b", ready)):
        edges = [edge for begin, end in spans for edge in ((begin, v_dd), (end, 0.0))]
        points = staircase_points(edges, t_rise=params.t_rise)
        circuit.PieceWiseLinearVoltageSource(f"_{name}", name, circuit.gnd, values=points)
    circuit.raw_spice += f"B_rest rest 0 v = {v_dd:.9g} - v(rest_b)\n"
    return Deck(
        title=f"Current sense amplifier: {count} reads",
        parameters=params,
        circuit=circuit,
        libraries=(sense.latch.technology.library,),
        analysis=f".tran {params.t_step:g} {count * params.t_slot:.9e} 0 {params.t_step:g}",
        outputs=_OUTPUTS,
        measures=tuple(
            Measure(f"v_bl_{k}", f"find v(bl) at={params.t_clock(k):.6e}", "V", f"bit line, cell of {1e6 * g:.3g} uS")
            for k, g in enumerate(g_cell)
        ),
        options=TRANSIENT_OPTIONS,
    )


_OUTPUTS = (
    Output("v_bl", "v(bl)", "V", "the cell's bit line"),
    Output("v_ref", "v(ref)", "V", "the reference line"),
    Output("v_sense_cell", "v(sense_cell)", "V", "diode of the cell's branch"),
    Output("v_sense_ref", "v(sense_ref)", "V", "diode of the reference branch"),
    Output("v_rest", "v(rest)", "V", "rest before a read"),
    Output("v_clk", "v(clk)", "V", "the latch's clock"),
    Output("v_out_p", "v(out_p)", "V", "output: high when the cell draws more than the reference"),
    Output("v_out_n", "v(out_n)", "V", "output: low then"),
    Output("i_cell", "i(v_cell)", "A", "the cell's current"),
    Output("i_vdd", "i(v_vdd)", "A", "current into the supply"),
)


def _check(conductances: np.ndarray) -> None:
    if conductances.ndim != 1 or conductances.size < 1 or not np.all((conductances > 0) & (conductances <= 0.1)):
        raise InputError(
            f"`conductances` must be (N,) in siemens within (0, 0.1]; got {conductances.shape}, "
            f"{np.min(conductances, initial=np.inf):g} S and more. Pass the cells' conductances."
        )


CATALOG = {
    "current_sense": CatalogEntry(
        CurrentSenseBenchParams,
        current_train,
        "current sense amplifier with a clamped bit line: reads of cells against one reference",
    ),
}
