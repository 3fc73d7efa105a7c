"""A two-stage operational amplifier in thick-oxide transistors, for clamping a bit line near ground.

PMOS input pair, so that the clamp may stand at a few 100 mV; NMOS mirror; NMOS common source with a PMOS current source
as its load; Miller capacitor with a resistor in series. To the first order (Gray, Hurst, Lewis, Meyer, "Analysis and
design of analog integrated circuits", chapter 9): unity gain at g_m1/(2 pi c_miller), output pole at
g_m2/(2 pi (c_load + ...)), zero at 1/(2 pi c_miller (1/g_m2 - r_zero)). Sizes are this kit's choice.

The supply is 1.8 V and not v_io, this kit's choice: a readout's full scale ends at 1.0 V, and the same bias
current costs a little more than half the power.
"""

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity


class OtaParams(Parameters):
    """Sizes and bias of the amplifier; the bias branch carries i_bias through a PMOS of w_bias."""

    technology: Technology = Technology()
    v_dd: float = quantity(1.8, "V", "supply of the amplifier", ge=0.8, le=5)
    i_bias: float = quantity(30e-6, "A", "reference current (an ideal source)", ge=1e-8, le=1e-2)
    w_bias: float = quantity(4e-6, "m", "width of the bias diode", ge=0.1e-6, le=1e-3)
    w_tail: float = quantity(40e-6, "m", "width of the tail's current source", ge=0.1e-6, le=1e-3)
    w_input: float = quantity(60e-6, "m", "width of an input transistor", ge=0.1e-6, le=1e-3)
    w_mirror: float = quantity(10e-6, "m", "width of a mirror transistor", ge=0.1e-6, le=1e-3)
    w_second: float = quantity(20e-6, "m", "width of the second stage's NMOS", ge=0.1e-6, le=1e-3)
    w_load: float = quantity(40e-6, "m", "width of the second stage's PMOS", ge=0.1e-6, le=1e-3)
    c_miller: float = quantity(0.3e-12, "F", "Miller capacitor", ge=1e-15, le=1e-10)
    r_zero: float = quantity(600.0, "ohm", "resistor in series with it", ge=0.1, le=1e6)


def ota(params: OtaParams) -> SubCircuit:
    """Return `.subckt ota in_p in_n out vdd`."""
    amplifier = SubCircuit("ota", "in_p", "in_n", "out", "vdd")
    draw = Netlister(amplifier, params.technology)
    amplifier.I("_bias", "bias", 0, params.i_bias)
    transistors = (
        ("bias", "bias", "bias", "vdd", "p", params.w_bias),
        ("tail", "tail", "bias", "vdd", "p", params.w_tail),
        ("input_n", "fold", "in_n", "tail", "p", params.w_input),
        ("input_p", "first", "in_p", "tail", "p", params.w_input),
        ("mirror_n", "fold", "fold", "0", "n", params.w_mirror),
        ("mirror_p", "first", "fold", "0", "n", params.w_mirror),
        ("second", "out", "first", "0", "n", params.w_second),
        ("load", "out", "bias", "vdd", "p", params.w_load),
    )
    for name, drain, gate, source, kind, width in transistors:
        bulk = "0" if kind == "n" else "vdd"
        draw.mosfet(f"_{name}", (drain, gate, source, bulk), kind_of(kind, "io"), w=width)
    amplifier.R("_zero", "first", "zero", params.r_zero)
    amplifier.C("_miller", "zero", "out", params.c_miller)
    return amplifier
