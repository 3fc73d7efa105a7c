"""Level shifter: core logic (0, v_core) in, thick-oxide logic (0, v_io) out, true and complement.

Two cross-coupled thick-oxide PMOS transistors, each pulled down by a thick-oxide NMOS whose gate stands at v_core only.
The pull-down must win against the PMOS that still conducts: with overdrives v_core - v_tn against v_io - |v_tp|, 0.15 V
against 2.9 V at the worst, that asks for an NMOS some thirty times as wide (`w_pull_down`, `w_cross`); both are short,
because after that the narrow PMOS has to lift the wide NMOS's junction, and a long one would take twice the time. An
inverter of each side restores the edges and drives what hangs on the output, gates of switches at most: wide ones would
load the latch, which lifts its nodes slowly. A word line has a driver of two more inverters (`word_driver`) behind it.
"""

from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister, word_driver
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity

NAME = "level_shifter"


class LevelShifterParams(Parameters):
    """Sizes of a level shifter; this kit's choice, for v_core from 0.9 V and v_io to 3.6 V, every corner."""

    w_pull_down: float = quantity(24e-6, "m", "width of the thick-oxide pull-down transistors", ge=0.1e-6, le=100e-6)
    w_cross: float = quantity(0.8e-6, "m", "width of the cross-coupled PMOS transistors", ge=0.1e-6, le=20e-6)
    l_cross: float = quantity(0.22e-6, "m", "length of the cross-coupled PMOS transistors", ge=20e-9, le=20e-6)
    w_core: float = quantity(
        2e-6, "m", "NMOS width of the core inverter; its PMOS is twice as wide", ge=0.05e-6, le=50e-6
    )
    w_out: float = quantity(
        0.8e-6, "m", "NMOS width of the output inverters; their PMOS is 2.5 times it", ge=0.1e-6, le=100e-6
    )


def level_shifter(params: LevelShifterParams, technology: Technology) -> SubCircuit:
    """Return `.subckt level_shifter in_core out outb vcore vio`."""
    cell = SubCircuit(NAME, "in_core", "out", "outb", "vcore", "vio")
    draw = Netlister(cell, technology)
    draw.inverter("in", ("in_core", "inb", "vcore"), w_n=params.w_core, w_p=2 * params.w_core, core=True)
    for side, gate, other in (("a", "in_core", "b"), ("b", "inb", "a")):
        draw.mosfet(f"pull_{side}", (side, gate, "0", 0), "nmos_io", w=params.w_pull_down)
        draw.mosfet(f"cross_{side}", (side, other, "vio", "vio"), "pmos_io", w=params.w_cross, length=params.l_cross)
    draw.inverter("out", ("a", "out", "vio"), w_n=params.w_out, w_p=2.5 * params.w_out)
    draw.inverter("outb", ("b", "outb", "vio"), w_n=params.w_out, w_p=2.5 * params.w_out)
    return cell


class LevelShifterBench(Parameters):
    """A level shifter between a core-logic pulse and a word line, through the line's driver."""

    technology: Technology = Technology()
    shifter: LevelShifterParams = LevelShifterParams()
    w_driver: float = quantity(12e-6, "m", "NMOS width of the word line's driver; PMOS twice it", ge=0.1e-6, le=1e-3)
    c_load: float = quantity(400e-15, "F", "the word line: 96 cells of 4 fF and its wire", ge=0, le=1e-11)
    t_high: float = quantity(5e-9, "s", "duration of the input pulse", ge=0.5e-9, le=1e-6)
    t_rise: float = quantity(50e-12, "s", "edges of the input", ge=1e-12, le=1e-8)
    t_step: float = quantity(5e-12, "s", "largest time step", ge=1e-14, le=1e-9)


def level_shifter_bench(params: LevelShifterBench) -> Deck:
    """Return a `.tran` deck of one input pulse: delays, swing and the charge drawn from both supplies."""
    # What the complement's inverter costs is in it: the shifter has it, though the word line needs one side only.
    tech, high = params.technology, params.t_high
    circuit = Circuit("level shifter")
    circuit.subcircuit(level_shifter(params.shifter, tech))
    circuit.subcircuit(word_driver(tech, w_n=params.w_driver))
    circuit.V("_core", "vcore", circuit.gnd, tech.v_core)
    circuit.V("_io", "vio", circuit.gnd, tech.v_io)
    edges = [(0, 0), (1e-9, 0), (1e-9 + params.t_rise, tech.v_core)]
    edges += [(1e-9 + high, tech.v_core), (1e-9 + high + params.t_rise, 0)]
    circuit.PieceWiseLinearVoltageSource("_in", "in_core", circuit.gnd, values=edges)
    circuit.X("_shifter", NAME, "in_core", "shifted", "shifted_b", "vcore", "vio")
    circuit.X("_driver", "word_driver", "shifted", "out", "vio", "vio")
    circuit.C("_line", "out", circuit.gnd, params.c_load)
    t_stop = 1e-9 + 2 * high
    half_in, half_out = tech.v_core / 2, tech.v_io / 2
    edge = f"trig v(out) val={0.1 * tech.v_io} rise=1 targ v(out) val={0.9 * tech.v_io} rise=1"
    return Deck(
        title="Level shifter from core to thick-oxide logic: one pulse",
        parameters=params,
        circuit=circuit,
        libraries=(tech.library,),
        analysis=f".tran {params.t_step} {t_stop:.6e} 0 {params.t_step}",
        outputs=(
            Output("v_in", "v(in_core)", "V", "input, core logic"),
            Output("v_out", "v(out)", "V", "word line"),
            Output("v_shifted", "v(shifted)", "V", "the shifter's output, thick-oxide logic"),
            Output("v_shifted_b", "v(shifted_b)", "V", "its complement"),
            Output("i_io", "i(v_io)", "A", "current of the thick-oxide supply"),
            Output("i_core", "i(v_core)", "A", "current of the core supply"),
        ),
        measures=(
            Measure("t_up", f"trig v(in_core) val={half_in} rise=1 targ v(out) val={half_out} rise=1", "s", "delay up"),
            Measure("t_down", f"trig v(in_core) val={half_in} fall=1 targ v(out) val={half_out} fall=1", "s", "delay"),
            Measure("t_rise", edge, "s", "rising edge"),
            Measure("v_high", f"find v(out) at={1e-9 + 0.9 * high:.6e}", "V", "output while the input is high"),
            Measure("v_low", f"find v(out) at={0.99 * t_stop:.6e}", "V", "output after the pulse"),
            Measure("q_io", f"integ i(v_io) from=0.5e-9 to={t_stop:.6e}", "C", "charge of supply v_io (negative)"),
        ),
        options="method=gear reltol=1e-4",
    )  # fmt: skip


CATALOG = {
    "level_shifter": CatalogEntry(
        LevelShifterBench,
        level_shifter_bench,
        "level shifter from core to thick-oxide logic: delays, swing, charge",
    ),
}
