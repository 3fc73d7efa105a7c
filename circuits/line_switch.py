"""Line switch: what joins a line of the array to its driver or to its readout, and parts them while it is written.

::

    en -[inverter]- not_en -[inverter]- on,    a -[NMOS, gate `on`]- b

The transistor has a thick oxide, since the line stands at up to 3.3 V while it is written and `b` then must not. A PMOS
beside it would not help: a read is at 0.2 to 0.3 V, its gate cannot go below ground, and its threshold is 0.7 V. (The
gates of `mosfet.transmission_gate` have one, for they pass the voltages of a write.)

A line has one switch to its driver and one to its readout, both of this kind. Its widths are this kit's choice.
"""

from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.cell import TRANSIENT_OPTIONS
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity


class LineSwitchParams(Parameters):
    """One line switch."""

    technology: Technology = Technology()
    w_switch: float = quantity(50e-6, "m", "width of the transistor that joins the two sides", ge=1e-7, le=1e-3)
    w_inverter: float = quantity(
        6e-6, "m", "NMOS of the inverter that drives its gate; its PMOS is twice as wide", ge=1e-7, le=1e-3
    )
    w_first: float = quantity(1e-6, "m", "NMOS of the inverter before; its PMOS is twice as wide", ge=1e-7, le=1e-3)


def line_switch(params: LineSwitchParams) -> SubCircuit:
    """Return `.subckt line_switch a b en vdd`: a joined to b while `en` is at `vdd`."""
    switch = SubCircuit("line_switch", "a", "b", "en", "vdd")
    draw = Netlister(switch, params.technology)
    for name, nodes, width in (
        ("first", ("en", "not_en"), params.w_first),
        ("gate", ("not_en", "on"), params.w_inverter),
    ):
        draw.inverter(f"_{name}", (*nodes, "vdd"), w_n=width, w_p=2 * width)
    draw.mosfet("_switch", ("a", "on", "b", 0), "nmos_io", w=params.w_switch)
    return switch


class LineSwitchBenchParams(Parameters):
    """A switch that closes and opens once, between a line at rest and a source a read voltage below it."""

    switch: LineSwitchParams = LineSwitchParams()
    v_line: float = quantity(0.3, "V", "the side `a`: the rest voltage of a read", ge=0, le=1.5)
    v_read: float = quantity(0.1, "V", "how far below it the load of side `b` ends", gt=0, le=0.3)
    r_load: float = quantity(1e3, "ohm", "load of side `b`", ge=10, le=1e6)
    c_line: float = quantity(500e-15, "F", "capacitance of the line on side `b`", ge=0, le=1e-11)
    t_closed: float = quantity(5e-9, "s", "closed, and open before and after", ge=1e-10, le=1e-6)
    t_rise: float = quantity(50e-12, "s", "edge of the control", ge=1e-13, le=1e-6)
    t_step: float = quantity(20e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def t_sample(self) -> float:
        """Return when the switch is taken as closed [s]."""
        return 1.95 * self.t_closed


def switch_once(params: LineSwitchBenchParams) -> Deck:
    """Return a `.tran` deck of a switch that closes after `t_closed` and opens after as long again."""
    circuit, v_dd = Circuit("line switch"), params.switch.technology.v_io
    circuit.subcircuit(line_switch(params.switch))
    circuit.X("_switch", "line_switch", "a", "b", "en", "vdd")
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    circuit.V("_a", "a", circuit.gnd, params.v_line)
    circuit.V("_end", "end", circuit.gnd, params.v_line - params.v_read)
    circuit.V("_load", "b", "load", 0)
    circuit.R("_load", "load", "end", params.r_load)
    if params.c_line > 0:
        circuit.C("_line", "b", circuit.gnd, params.c_line)
    edges = [(params.t_closed, v_dd), (2 * params.t_closed, 0.0)]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_en", "en", circuit.gnd, values=points)
    return Deck(
        title=f"Line switch {params.switch.w_switch * 1e6:g} um wide: closed and opened once",
        parameters=params,
        circuit=circuit,
        libraries=(params.switch.technology.library,),
        analysis=f".tran {params.t_step:g} {3 * params.t_closed:.9e} 0 {params.t_step:g}",
        outputs=(
            Output("v_en", "v(en)", "V", "the control"),
            Output("v_a", "v(a)", "V", "side a"),
            Output("v_b", "v(b)", "V", "side b"),
            Output("i_load", "i(v_load)", "A", "current of the load, from side b"),
            Output("i_vdd", "i(v_vdd)", "A", "current into the supply of the inverters"),
            Output("i_en", "i(v_en)", "A", "current into the control's source"),
        ),
        measures=(
            Measure("v_closed", f"find v(b) at={params.t_sample:.6e}", "V", "side b, closed"),
            Measure("i_closed", f"find i(v_load) at={params.t_sample:.6e}", "A", "current, closed"),
        ),
        options=TRANSIENT_OPTIONS,
    )


CATALOG = {
    "line_switch": CatalogEntry(
        LineSwitchBenchParams, switch_once, "switch between a line and its driver or readout: closed and opened once"
    ),
}
