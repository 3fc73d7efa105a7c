"""A folded-cascode amplifier with a second stage, in thick-oxide transistors, for clamping a bit line near ground.

PMOS input pair in a well of its own, so that the clamp may stand at a few 100 mV; its currents are folded through NMOS
cascodes into a cascoded PMOS mirror; NMOS common source with a PMOS current source as its load; Miller capacitor with
a resistor in series. To the first order (Gray, Hurst, Lewis, Meyer, "Analysis and design of analog integrated
circuits", chapters 6 and 9): gain g_m1 r_1 g_m2 r_2, r_1 that of the cascodes; unity gain at g_m1/(2 pi c_miller);
output pole at g_m2/(2 pi (c_load + ...)); zero at 1/(2 pi c_miller (1/g_m2 - r_zero)). Sizes are this kit's choice.

The cascodes are there for the bit line: the second stage takes some 0.1 V more at its gate to carry a line's 200 uA,
which a gain of 1,000 in front of it turns into 0.1 mV at the line.

Offset: each gate has its threshold mismatch in series, as the StrongARM latch has. A line of conductance g multiplies
an offset by 1 + g r_feedback at the output, and so the amplifier has a trim: 2^trim_bits - 1 unit currents, each
steered to one of the two folded branches (and one more, always on, that makes the middle code balanced). A unit's
share of the offset is 2 i_unit/g_m1. The code is set once for each amplifier; who sets it, and its registers, are
not modelled. At a fixed code the units of a side are drawn as one transistor of that multiplicity; `swept` draws them
as binary groups whose code is the voltage of the pin `code`.

The supply is 1.8 V and not v_io, this kit's choice: a readout's full scale ends at 1.0 V, and the same bias
current costs a little more than half the power.
"""

from collections.abc import Mapping
from typing import Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mismatch import Matching, checked_thresholds, scaled_thresholds, sigma_threshold
from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity

# A threshold pair of 1 mV um for each nm of oxide (Pelgrom, Tuinhout, Vertregt, IEDM 1998, 915), of 6.65 nm.
_THICK_OXIDE = Matching(a_vt=6.65e-9)


class OtaParams(Parameters):
    """Sizes and bias of the amplifier; the bias branch carries i_bias through a PMOS of w_bias."""

    technology: Technology = Technology()
    matching: Matching = _THICK_OXIDE
    v_dd: float = quantity(1.8, "V", "supply of the amplifier", ge=0.8, le=5)
    i_bias: float = quantity(10e-6, "A", "reference current (an ideal source)", ge=1e-8, le=1e-2)
    w_bias_p: float = quantity(4e-6, "m", "width of a PMOS of the bias", ge=0.1e-6, le=1e-3)
    w_bias_n: float = quantity(1.33e-6, "m", "width of an NMOS of the bias", ge=0.1e-6, le=1e-3)
    w_level_p: float = quantity(
        0.65e-6, "m", "width of the PMOS diode that sets the gates of the PMOS cascodes", ge=0.1e-6, le=1e-3
    )
    w_level_n: float = quantity(
        0.12e-6, "m", "width of the NMOS diode that sets the gates of the NMOS cascodes", ge=0.1e-6, le=1e-3
    )
    w_tail: float = quantity(80e-6, "m", "width of the tail's current source", ge=0.1e-6, le=1e-3)
    w_input: float = quantity(80e-6, "m", "width of an input transistor", ge=0.1e-6, le=1e-3)
    w_sink: float = quantity(20e-6, "m", "width of a current sink of the folded branches", ge=0.1e-6, le=1e-3)
    w_cascode_n: float = quantity(8e-6, "m", "width of an NMOS cascode", ge=0.1e-6, le=1e-3)
    w_cascode_p: float = quantity(14e-6, "m", "width of a PMOS cascode", ge=0.1e-6, le=1e-3)
    w_mirror: float = quantity(18e-6, "m", "width of a mirror transistor", ge=0.1e-6, le=1e-3)
    w_second: float = quantity(28e-6, "m", "width of the second stage's PMOS", ge=0.1e-6, le=1e-3)
    w_load: float = quantity(130e-6, "m", "width of the second stage's NMOS", ge=0.1e-6, le=1e-3)
    l_sink: float = quantity(
        1.6e-6, "m", "length of the NMOS current sinks: long, their mismatch is offset", ge=0.1e-6, le=1e-5
    )
    l_mirror: float = quantity(0.22e-6, "m", "length of a mirror transistor", ge=0.1e-6, le=1e-5)
    w_trim: float = quantity(0.15e-6, "m", "width of a unit of the trim", ge=0.05e-6, le=1e-3)
    l_trim: float = quantity(16e-6, "m", "length of a unit of the trim", ge=0.1e-6, le=1e-4)
    trim_bits: int = quantity(6, "1", "bits of the trim of the offset; 0: none", ge=0, le=10)
    trim: int = quantity(0, "1", "code of the trim, from the middle one, which is balanced", ge=-512, le=511)
    c_miller: float = quantity(0.28e-12, "F", "Miller capacitor", ge=1e-15, le=1e-10)
    r_zero: float = quantity(2e3, "ohm", "resistor in series with it", ge=0.1, le=1e6)

    @property
    def trim_code(self) -> int:
        """Code of the trim, from 0."""
        return 2**self.trim_bits // 2 + self.trim

    @property
    def sizes(self) -> list[tuple[float, float]]:
        """Width and length [m] of each transistor, in the order of `TRANSISTORS`."""
        tech = self.technology
        return [(getattr(self, w), getattr(self, length) if length else tech.l_io) for *_, w, length in TRANSISTORS]

    @model_validator(mode="after")
    def _trim(self) -> Self:
        if self.trim_bits and not 0 <= self.trim_code < 2**self.trim_bits:
            half = 2**self.trim_bits // 2
            raise ValueError(f"`trim` must be -{half} to {half - 1} with {self.trim_bits} bits; got {self.trim}")
        return self


# Name, drain, gate, source, kind, field of the width, field of the length ("": the shortest).
TRANSISTORS = (
    ("bias", "bp", "bp", "vdd", "p", "w_bias_p", ""),
    ("copy_n", "bn", "bp", "vdd", "p", "w_bias_p", ""),
    ("diode_n", "bn", "bn", "0", "n", "w_bias_n", "l_sink"),
    ("copy_level", "cn", "bp", "vdd", "p", "w_bias_p", ""),
    ("level_n", "cn", "cn", "0", "n", "w_level_n", ""),
    ("copy_p", "cp", "bn", "0", "n", "w_bias_n", "l_sink"),
    ("level_p", "cp", "cp", "vdd", "p", "w_level_p", ""),
    ("tail", "tail", "bp", "vdd", "p", "w_tail", ""),
    ("input_n", "fold_p", "in_n", "tail", "p", "w_input", ""),
    ("input_p", "fold_n", "in_p", "tail", "p", "w_input", ""),
    ("sink_n", "fold_n", "bn", "0", "n", "w_sink", "l_sink"),
    ("sink_p", "fold_p", "bn", "0", "n", "w_sink", "l_sink"),
    ("cascode_nn", "first", "cn", "fold_n", "n", "w_cascode_n", ""),
    ("cascode_np", "diode", "cn", "fold_p", "n", "w_cascode_n", ""),
    ("cascode_pn", "first", "cp", "top_n", "p", "w_cascode_p", ""),
    ("cascode_pp", "diode", "cp", "top_p", "p", "w_cascode_p", ""),
    ("mirror_n", "top_n", "diode", "vdd", "p", "w_mirror", "l_mirror"),
    ("mirror_p", "top_p", "diode", "vdd", "p", "w_mirror", "l_mirror"),
    ("second", "out", "first", "0", "n", "w_second", ""),
    ("load", "out", "bp", "vdd", "p", "w_load", ""),
)


NAMES = tuple(name for name, *_ in TRANSISTORS)
_V_ON = 0.9  # V, gate to source of a thick-oxide transistor that carries current: its threshold of 0.7 V and 0.2 V
_W_STEER = 0.3e-6  # m, a transistor that steers a group of units


def ota(params: OtaParams, dv_threshold: np.ndarray | None = None, *, swept: bool = False) -> SubCircuit:
    """Return `.subckt ota in_p in_n out vdd`, with a further pin `code` where the trim is `swept`.

    Parameters
    ----------
    dv_threshold : ndarray (20,), optional
        Rise of each transistor's |threshold| [V], in the order of `TRANSISTORS`; none: matched.
    """
    dv = checked_thresholds(dv_threshold, NAMES)
    amplifier = SubCircuit("ota", "in_p", "in_n", "out", "vdd", *(["code"] if swept else []))
    draw = Netlister(amplifier, params.technology)
    amplifier.I("_bias", "bp", 0, params.i_bias)
    for (name, drain, gate, source, kind, *_), (width, length), rise in zip(TRANSISTORS, params.sizes, dv, strict=True):
        inner = gate
        if rise != 0:
            inner = f"g_{name}"
            # the gate sees less of its drive: lower for an NMOS, higher for a PMOS
            amplifier.V(f"_{name}", *((gate, inner) if kind == "n" else (inner, gate)), float(rise))
        bulk = "0" if kind == "n" else "tail" if source == "tail" else "vdd"
        draw.mosfet(f"_{name}", (drain, inner, source, bulk), kind_of(kind, "io"), w=width, length=length)
    if params.trim_bits:
        add_trim(amplifier, params, swept=swept)
    amplifier.R("_zero", "first", "zero", params.r_zero)
    amplifier.C("_miller", "zero", "out", params.c_miller)
    return amplifier


def add_trim(amplifier: SubCircuit, params: OtaParams, *, swept: bool) -> None:
    """Add the trim's unit currents: `code` of them from the branch that in_p drives, the others from the other one."""
    draw = Netlister(amplifier, params.technology)

    def group(name: str, units: int, steered: list[tuple[str, str]], *, groups: int = 1) -> None:
        """Add `units` units, and for each of `groups` a transistor to each branch (branch, gate) that takes them."""
        sink = (f"units_{name}", "bn", "0", 0)
        draw.mosfet(f"_units_{name}", sink, "nmos_io", w=params.w_trim, length=params.l_trim, m=units)
        for branch, gate in steered:
            draw.mosfet(f"_{branch}_{name}", (branch, gate, sink[0], 0), "nmos_io", w=_W_STEER, m=groups)

    last = 2**params.trim_bits - 1
    if not swept:
        code = params.trim_code
        if code:
            group("n", code, [("fold_n", "vdd")], groups=code.bit_count())
        group("p", last - code + 1, [("fold_p", "vdd")], groups=(last - code).bit_count() + 1)
        return
    group("fixed", 1, [("fold_p", "vdd")])
    for bit in range(params.trim_bits):
        on = f"floor((v(code) + 0.5)/{2**bit}) - 2*floor((v(code) + 0.5)/{2 ** (bit + 1)})"
        amplifier.raw_spice += f"B_on_{bit} on_{bit} 0 v = v(vdd)*({on})\n"
        amplifier.raw_spice += f"B_off_{bit} off_{bit} 0 v = v(vdd)*(1 - ({on}))\n"
        group(str(bit), 2**bit, [("fold_n", f"on_{bit}"), ("fold_p", f"off_{bit}")])


def scaled_mismatch(params: OtaParams, normals: np.ndarray) -> np.ndarray:
    """Return threshold rises (20,) [V] for `ota` from standard normals (20,)."""
    return scaled_thresholds(params.matching, params.sizes, normals)


def offset_by_hand(params: OtaParams, g_m: Mapping[str, float]) -> float:
    """Return the standard deviation [V] of the untrimmed offset from the transconductances [S] of the transistors.

    Each pair's mismatch acts through its transconductance, against that of the input; cascodes carry a current that
    others set, and the second stage stands behind the gain, so that both are left out:

        sigma^2 = 2 (sigma_input^2 + (g_sink/g_input)^2 sigma_sink^2 + (g_mirror/g_input)^2 sigma_mirror^2).
    """
    size = dict(zip(NAMES, params.sizes, strict=True))
    parts = [
        g_m[name] / g_m["input_n"] * sigma_threshold(params.matching, *size[name])
        for name in ("input_n", "sink_n", "mirror_n")
    ]
    return float(np.sqrt(2 * np.sum(np.square(parts))))


def first_guess(params: OtaParams) -> dict[str, float]:
    """Return a voltage [V] near the operating one of the first stage's output and of its mirror's gate, by node.

    With these (within 0.1 V) and the lines at their rest the solver finds the operating point of an array of amplifiers
    in 16 to 20 iterations; more of the amplifier's nodes change nothing, one alone does not help.
    """
    return {"first": _V_ON, "diode": params.v_dd - _V_ON}


def start_near(params: OtaParams, amplifier: str, **held: float) -> str:
    """Return the line that starts the solver near the operating point of an amplifier and of the nodes around it.

    Without it ngspice steps gmin, in 1,700 to 2,200 iterations in place of 12 to 30. At ff and 358 K it still does:
    there the bias would have to be known to 20 mV, and guesses farther off make it diverge for seconds, so its nodes
    have none. For whole arrays see `array_system`: such a line for each node would cost them more than it saves.

    Parameters
    ----------
    amplifier : str
        The amplifier's place in the circuit: `x_readout.x_ota`.
    held : float
        Voltages [V] of nodes of the circuit.
    """
    guesses = {f"{amplifier}.{node}": volts for node, volts in first_guess(params).items()} | held
    return f".nodeset {' '.join(f'v({node})={volts:.9g}' for node, volts in guesses.items())}\n"
