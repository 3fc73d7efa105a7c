"""The stepped write voltage: an R-2R converter between two references, and the buffer that drives the lines with it.

Converter   Each bit's level shifter drives a leg: an NMOS to `v_low`, a PMOS (its well at `v_high`) to `v_high`, both
            gates at the write supply's levels, so that each is well on over the whole range. Open-circuit output
            v_low + (v_high - v_low) code / 2^bits: a step is the span over 2^bits, whatever the span.
Buffer      Two stages, its output back to its input: a PMOS pair (wells at its own tail, since the body effect of a
            thick oxide would cost it a volt) into a folded cascode, then a PMOS output transistor with a Miller
            capacitor and a resistor that puts the zero beyond the band. Sources milliamperes, sinks `i_sink`:
            a write line asks for current out, and is discharged by its own pull-down. A switch to a stiff analog
            rail would need a decoupling capacitor that many times outweighs the lines, and hence cannot step
            between two pulses; a source follower loses a threshold and its body effect, more than a volt here.
            With `gain` above one a divider feeds the output back: the pair's PMOS transistors need their gates a volt
            and a half below the supply, and a rail that goes up to 3 V leaves its own gate there.
All sizes are this kit's choice.
"""

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits import level_shifter
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity

CONVERTER, BUFFER = "step_converter", "step_buffer"


class ConverterParams(Parameters):
    """The converter's resolution and sizes."""

    bits: int = quantity(6, "1", "bits of the amplitude's code", ge=1, le=10)
    r_unit: float = quantity(40e3, "ohm", "R of the R-2R ladder", ge=100, le=1e6)
    w_leg: float = quantity(10e-6, "m", "NMOS width of a leg; its PMOS is twice as wide", ge=0.1e-6, le=100e-6)


class BufferParams(Parameters):
    """The buffer's bias and sizes."""

    i_ref: float = quantity(10e-6, "A", "reference current", ge=0.1e-6, le=1e-3)
    w_ref: float = quantity(4e-6, "m", "NMOS width of the reference mirror, PMOS twice it", ge=0.1e-6, le=100e-6)
    l_bias: float = quantity(0.4e-6, "m", "length of the mirrors", ge=20e-9, le=20e-6)
    n_tail: int = quantity(4, "1", "tail current over the reference", ge=1, le=100)
    n_fold: int = quantity(6, "1", "current of a folding sink over the reference (more than the tail)", ge=2, le=200)
    n_sink: int = quantity(12, "1", "output sink current over the reference", ge=1, le=1000)
    w_pair: float = quantity(8e-6, "m", "width of a transistor of the pair", ge=0.1e-6, le=100e-6)
    w_cascode: float = quantity(16e-6, "m", "width of a cascode, and of a transistor of its load", ge=0.1e-6, le=100e-6)
    l_signal: float = quantity(0.3e-6, "m", "length of pair and cascodes", ge=20e-9, le=20e-6)
    l_load: float = quantity(0.6e-6, "m", "length of the load, which sets the gain", ge=20e-9, le=20e-6)
    w_out: float = quantity(200e-6, "m", "width of the PMOS output transistor", ge=1e-6, le=2e-3)
    c_miller: float = quantity(0.8e-12, "F", "Miller capacitor", ge=1e-14, le=1e-10)
    r_zero: float = quantity(2e3, "ohm", "resistor in series with it", ge=1, le=1e6)
    gain: float = quantity(1.0, "1", "output over input", ge=1, le=4)
    r_divider: float = quantity(40e3, "ohm", "divider of the feedback, for a gain above one", ge=1e3, le=1e7)


def converter(params: ConverterParams, technology: Technology) -> SubCircuit:
    """Return `.subckt step_converter out b_0 .. b_n vhigh vlow vcore vwrite`: bit 0 is the least significant."""
    bits = [f"b_{k}" for k in range(params.bits)]
    cell = SubCircuit(CONVERTER, "out", *bits, "vhigh", "vlow", "vcore", "vwrite")
    draw = Netlister(cell, technology)
    for k, bit in enumerate(bits):
        tap = _tap(params, k)
        cell.X(f"_shift_{k}", level_shifter.NAME, bit, f"on_{k}", f"off_{k}", "vcore", "vwrite")
        draw.mosfet(f"low_{k}", (f"leg_{k}", f"off_{k}", "vlow", 0), "nmos_io", w=params.w_leg)
        draw.mosfet(f"high_{k}", (f"leg_{k}", f"off_{k}", "vhigh", "vhigh"), "pmos_io", w=2 * params.w_leg)
        cell.R(f"_leg_{k}", f"leg_{k}", tap, 2 * params.r_unit)
        if k > 0:
            cell.R(f"_rung_{k}", _tap(params, k - 1), tap, params.r_unit)
    cell.R("_end", _tap(params, 0), "vlow", 2 * params.r_unit)
    return cell


def _tap(params: ConverterParams, k: int) -> str:
    return "out" if k == params.bits - 1 else f"tap_{k}"


def buffer(params: BufferParams, technology: Technology) -> SubCircuit:
    """Return `.subckt step_buffer ref out vwrite`: the voltage of `ref`, from a low resistance."""
    cell = SubCircuit(BUFFER, "ref", "out", "vwrite")
    draw = Netlister(cell, technology)
    _bias(draw, params)
    w_p, supply = 2 * params.w_ref, "vwrite"
    bias, signal = params.l_bias, params.l_signal
    draw.mosfet("tail", ("tail", "bias_p", supply, supply), "pmos_io", w=w_p, length=bias, m=params.n_tail)
    for side, gate, drain in (("a", _feedback(cell, params), "y"), ("b", "ref", "x")):
        draw.mosfet(f"pair_{side}", (f"fold_{side}", gate, "tail", "tail"), "pmos_io", w=params.w_pair, length=signal)
        fold = (f"fold_{side}", "bias_n", "0", 0)
        draw.mosfet(f"fold_{side}", fold, "nmos_io", w=params.w_ref, length=bias, m=params.n_fold)
        draw.mosfet(f"casc_{side}", (drain, "bias_c", f"fold_{side}", 0), "nmos_io", w=params.w_cascode, length=signal)
        draw.mosfet(f"load_{side}", (drain, "y", supply, supply), "pmos_io", w=params.w_cascode, length=params.l_load)
    draw.mosfet("out", ("out", "x", supply, supply), "pmos_io", w=params.w_out)
    draw.mosfet("sink", ("out", "bias_n", "0", 0), "nmos_io", w=params.w_ref, length=bias, m=params.n_sink)
    cell.C("_miller", "out", "zero", params.c_miller)
    cell.R("_zero", "zero", "x", params.r_zero)
    return cell


def _feedback(cell: SubCircuit, params: BufferParams) -> str:
    """Return the node that goes back to the pair: the output, or a divider's tap."""
    if params.gain == 1:
        return "out"
    lower = params.r_divider / params.gain
    cell.R("_divider_low", "tap", 0, lower)
    cell.R("_divider_high", "out", "tap", params.r_divider - lower)
    return "tap"


def _bias(draw: Netlister, params: BufferParams) -> None:
    """Add the reference's mirrors, and a narrow diode whose voltage carries a cascode above its sink."""
    draw.into.I("_ref", "vwrite", "bias_n", params.i_ref)
    for drain in ("bias_n", "bias_p"):
        draw.mosfet(f"ref_{drain}", (drain, "bias_n", "0", 0), "nmos_io", w=params.w_ref, length=params.l_bias)
    for drain in ("bias_p", "bias_c"):
        nodes = (drain, "bias_p", "vwrite", "vwrite")
        draw.mosfet(f"top_{drain}", nodes, "pmos_io", w=2 * params.w_ref, length=params.l_bias)
    draw.mosfet("diode", ("bias_c", "bias_c", "0", 0), "nmos_io", w=0.15 * params.w_ref, length=params.l_bias)
