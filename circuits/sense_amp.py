"""The latch-type (StrongARM) voltage sense amplifier: a clocked comparator that draws no direct current.

    precharge (clk low)   out_p, out_n, x_p and x_n stand at the supply, the tail is off
    evaluation (clk high) the input pair discharges x_n (gate in_p) and x_p (gate in_n) at different rates; the n latch
                          turns on when they have fallen by a threshold, then the outputs fall, and the p latch brings
                          the losing output back up: in_p > in_n ends with out_p high, out_n low.

Razavi, "The StrongARM latch", IEEE Solid-State Circuits Magazine 7(2) (2015) 12, doi 10.1109/MSSC.2015.2418155. Sizes
are this kit's choice. A mismatch is a number: a voltage source in series with each gate, that raises |threshold|.
"""

import numpy as np
from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mismatch import Matching, draw_thresholds, scaled_thresholds, sigma_threshold
from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class SenseAmpParams(Parameters):
    """Sizes of a StrongARM latch in core transistors."""

    technology: Technology = Technology()
    matching: Matching = Matching()
    w_tail: float = quantity(4e-6, "m", "width of the clocked tail transistor", ge=0.1e-6, le=100e-6)
    w_input: float = quantity(4e-6, "m", "width of an input transistor", ge=0.1e-6, le=100e-6)
    w_latch_n: float = quantity(2e-6, "m", "width of a cross-coupled NMOS", ge=0.1e-6, le=100e-6)
    w_latch_p: float = quantity(1e-6, "m", "width of a cross-coupled PMOS", ge=0.1e-6, le=100e-6)
    w_precharge: float = quantity(0.5e-6, "m", "width of a precharge PMOS", ge=0.1e-6, le=100e-6)

    @property
    def sizes(self) -> list[tuple[float, float]]:
        """Width and length [m] of each transistor, in the order of `TRANSISTORS`."""
        return [(getattr(self, width), self.technology.l_core) for _, width, *_ in TRANSISTORS]


# Name, field of its width, kind, drain, gate, source.
TRANSISTORS = (
    ("tail", "w_tail", "n", "tail", "clk", "0"),
    ("input_p", "w_input", "n", "x_n", "in_p", "tail"),
    ("input_n", "w_input", "n", "x_p", "in_n", "tail"),
    ("latch_np", "w_latch_n", "n", "out_p", "out_n", "x_p"),
    ("latch_nn", "w_latch_n", "n", "out_n", "out_p", "x_n"),
    ("latch_pp", "w_latch_p", "p", "out_p", "out_n", "vdd"),
    ("latch_pn", "w_latch_p", "p", "out_n", "out_p", "vdd"),
    ("pre_out_p", "w_precharge", "p", "out_p", "clk", "vdd"),
    ("pre_out_n", "w_precharge", "p", "out_n", "clk", "vdd"),
    ("pre_x_p", "w_precharge", "p", "x_p", "clk", "vdd"),
    ("pre_x_n", "w_precharge", "p", "x_n", "clk", "vdd"),
)
NAMES = tuple(name for name, *_ in TRANSISTORS)


def strong_arm(params: SenseAmpParams, dv_threshold: np.ndarray | None = None) -> SubCircuit:
    """Return `.subckt strong_arm in_p in_n clk out_p out_n vdd`.

    Parameters
    ----------
    dv_threshold : ndarray (11,), optional
        Rise of each transistor's |threshold| [V], in the order of `TRANSISTORS`; none: matched.
    """
    dv = np.zeros(len(TRANSISTORS)) if dv_threshold is None else dv_threshold
    if dv.shape != (len(TRANSISTORS),) or not np.all(np.abs(dv) <= 0.5):
        raise InputError(
            f"`dv_threshold` must be ({len(TRANSISTORS)},) in volt within +-0.5; got {dv.shape}, up to "
            f"{np.max(np.abs(dv), initial=0):g} V. One for each of {', '.join(NAMES)}."
        )
    latch = SubCircuit("strong_arm", "in_p", "in_n", "clk", "out_p", "out_n", "vdd")
    draw = Netlister(latch, params.technology)
    for (name, _, kind, drain, gate, source), (width, length), rise in zip(TRANSISTORS, params.sizes, dv, strict=True):
        inner = gate
        if rise != 0:
            inner = f"g_{name}"
            # the gate sees less of its drive: lower for an NMOS, higher for a PMOS
            latch.V(f"_{name}", *((gate, inner) if kind == "n" else (inner, gate)), float(rise))
        bulk = "0" if kind == "n" else "vdd"
        draw.mosfet(f"_{name}", (drain, inner, source, bulk), kind_of(kind, "core"), w=width, length=length)
    return latch


def draw_mismatch(params: SenseAmpParams, *, rng: np.random.Generator) -> np.ndarray:
    """Return one draw of threshold rises (11,) [V] for `strong_arm`."""
    return draw_thresholds(params.matching, params.sizes, rng=rng)


def scaled_mismatch(params: SenseAmpParams, normals: np.ndarray) -> np.ndarray:
    """Return threshold rises (11,) [V] for `strong_arm` from standard normals (11,)."""
    return scaled_thresholds(params.matching, params.sizes, normals)


def offset_by_hand(params: SenseAmpParams, gm_over_i: float, v_threshold: float) -> float:
    """Return the standard deviation [V] of the offset that Pelgrom's law and a hand analysis give.

    The input pair's threshold difference acts in full. That of the n latch acts when the latch turns on: the nodes x
    have then fallen by `v_threshold` [V] and stand apart by a_x v_in, a_x = (gm/I) v_threshold, gm/I of one input
    transistor ("gm_over_i", 1/V), because both fall and difference integrate on the same capacitance. So

        sigma^2 = 2 sigma_input^2 + 2 sigma_latch_n^2 / a_x^2.

    The p latch turns on later, behind a further gain of that kind, and is left out.
    """
    length, gain = params.technology.l_core, gm_over_i * v_threshold
    sigma_input = sigma_threshold(params.matching, params.w_input, length)
    sigma_latch = sigma_threshold(params.matching, params.w_latch_n, length)
    return float(np.sqrt(2 * sigma_input**2 + 2 * sigma_latch**2 / gain**2))
