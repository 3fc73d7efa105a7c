"""Readout of a bit line's current at a clamped voltage: by a resistor (transimpedance) or on a capacitor (integrating).

A two-stage amplifier holds the bit line at v_clamp; the rows rest at v_clamp too, and an input pulls its row v_in below
it. The current i that the cells draw then flows through the feedback, and the output rises:

    transimpedance   out = v_clamp + i r_feedback                     settled
    integrating      out = v_clamp + i t/c_integrate                  a time t after the reset switch opens

so that with v_clamp = 0.3 V full scale ends at 1.0 V, within the range of a converter in core transistors. The clamp is
that low because the array's access transistors need their overdrive. While an output moves at a slope, the amplifier
needs slope/(2 pi f_unity) at its input: that is the error of the clamp of an integrating readout, in proportion to the
current, so that it costs gain and not linearity.
"""

from typing import Literal

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.ota import OtaParams
from rramkit.parameters import Parameters, quantity

Mode = Literal["transimpedance", "integrating"]


class ReadoutParams(Parameters):
    """Amplifier and feedback."""

    ota: OtaParams = OtaParams()
    mode: Mode = quantity("transimpedance", "1", "feedback by a resistor, or by a capacitor with a reset switch")
    v_clamp: float = quantity(0.3, "V", "voltage at which the bit line is held", ge=0, le=5)
    r_feedback: float = quantity(8e3, "ohm", "transimpedance: feedback resistor", ge=10, le=1e8)
    c_feedback: float = quantity(20e-15, "F", "transimpedance: capacitor across it", ge=0, le=1e-10)
    c_integrate: float = quantity(2e-12, "F", "integrating: feedback capacitor", ge=1e-15, le=1e-9)
    w_reset: float = quantity(4e-6, "m", "integrating: width of the reset switch", ge=0.1e-6, le=1e-3)


def add_feedback(circuit: SubCircuit, params: ReadoutParams) -> None:
    """Add the feedback between the nodes `bl` and `out`; the reset switch's gate is `rst`."""
    if params.mode == "transimpedance":
        circuit.R("_feedback", "bl", "out", params.r_feedback)
        if params.c_feedback > 0:
            circuit.C("_feedback", "bl", "out", params.c_feedback)
        return
    circuit.C("_integrate", "bl", "out", params.c_integrate)
    Netlister(circuit, params.ota.technology).mosfet("_reset", ("out", "rst", "bl", 0), "nmos_io", w=params.w_reset)


def readout(params: ReadoutParams) -> SubCircuit:
    """Return `.subckt readout bl clamp out rst vdd`; it uses `ota`, which the circuit must hold too."""
    block = SubCircuit("readout", "bl", "clamp", "out", "rst", "vdd")
    block.X("_ota", "ota", "clamp", "bl", "out", "vdd")
    add_feedback(block, params)
    return block
