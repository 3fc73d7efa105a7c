"""Current sense amplifier with a clamped bit line: a cell's current against a reference current, one bit.

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

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.sense_amp import SenseAmpParams
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
