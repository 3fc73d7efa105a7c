"""The latch-type (StrongARM) voltage sense amplifier, a clocked comparator without static current; its test benches.

    precharge (clk low)   out_p, out_n, x_p and x_n stand at the supply, the tail is off
    evaluation (clk high) the input pair discharges x_n (gate in_p) and x_p (gate in_n) at different rates; the n latch
                          turns on when they have fallen by a threshold, then the outputs fall, and the p latch brings
                          the losing output back up: in_p > in_n ends with out_p high, out_n low.

Razavi, "The StrongARM latch", IEEE Solid-State Circuits Magazine 7(2) (2015) 12, doi 10.1109/MSSC.2015.2418155. Sizes
are this kit's choice. A mismatch is a number: a voltage source in series with each gate, that raises |threshold|.
"""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mismatch import Matching, checked_thresholds, draw_thresholds, scaled_thresholds, sigma_threshold
from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.technology import Technology
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
    dv = checked_thresholds(dv_threshold, NAMES)
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


# The trapezoidal rule: a growing exponential costs second-order gear four times its error, and no line here is so fast
# that the rule would ring on it.
LATCH_OPTIONS = "method=trap reltol=1e-4 abstol=1e-12 vntol=1e-7 chgtol=1e-18"
# Where only the decision counts and not when it falls, a tenth of that tolerance takes a third of the time: an offset
# moves by 0.05 mV, a transition of the converter by 0.004 steps, the energy of a conversion by 0.6 %.
DECISION_OPTIONS = "method=trap reltol=1e-3 abstol=1e-11 vntol=1e-6 chgtol=1e-17"


class SenseAmpBenchParams(Parameters):
    """A latch with its clock, its sources and its load."""

    latch: SenseAmpParams = SenseAmpParams()
    v_cm: float = quantity(0.6, "V", "common mode of the inputs", ge=0, le=5)
    v_first: float = quantity(0.1e-3, "V", "smallest overdrive of the train", ge=1e-6, le=1)
    v_last: float = quantity(100e-3, "V", "largest overdrive of the train", ge=1e-6, le=1)
    decisions: int = quantity(7, "1", "decisions of the train", ge=1, le=1000)
    t_clock: float = quantity(0.5e-9, "s", "clock period, its first half precharge", ge=1e-11, le=1e-3)
    t_rise: float = quantity(20e-12, "s", "edge of the clock and of the inputs", ge=1e-13, le=1e-6)
    t_step_search: float = quantity(10e-12, "s", "offset search: largest time step", ge=1e-14, le=1e-8)
    r_source: float = quantity(1e3, "ohm", "output resistance of each input's source", ge=1, le=1e7)
    c_source: float = quantity(10e-15, "F", "capacitance of each input's node", ge=0, le=1e-10)
    c_load: float = quantity(5e-15, "F", "capacitance of each output", ge=0, le=1e-10)
    v_search: float = quantity(40e-3, "V", "offset search: largest offset that it finds", ge=1e-4, le=0.5)
    search_steps: int = quantity(10, "1", "offset search: halvings, down to v_search/2^n", ge=2, le=20)
    dv_example: float = quantity(
        5e-3, "V", "offset search by name: rise of the first input transistor's threshold", ge=-0.1, le=0.1
    )
    t_step: float = quantity(
        1e-12, "s", "largest time step of the train (a seventh of the regeneration constant)", ge=1e-14, le=1e-8
    )

    @property
    def overdrives(self) -> np.ndarray:
        """Overdrive of each decision of the train, (N,) [V]: geometric, of alternating sign."""
        sizes = np.geomspace(self.v_first, self.v_last, self.decisions)
        return sizes * np.where(np.arange(self.decisions) % 2, -1.0, 1.0)

    def window(self, index: int) -> tuple[float, float]:
        """Return the span [s] of decision number `index`: its evaluation and the precharge after it."""
        return (index + 0.5) * self.t_clock, (index + 1.5) * self.t_clock

    def t_evaluate(self, index: int) -> float:
        """Return when the clock of decision number `index` is half way up [s]."""
        return (index + 0.5) * self.t_clock + 0.5 * self.t_rise


def decision_train(
    params: SenseAmpBenchParams,
    overdrives: Sequence[float] | np.ndarray | None = None,
    *,
    dv_threshold: np.ndarray | None = None,
) -> Deck:
    """Return a `.tran` deck of one decision after the other, each with its overdrive [V] (default: the train's)."""
    v_in = params.overdrives if overdrives is None else np.asarray(overdrives, dtype=float)
    circuit = _clocked_latch(params, len(v_in), dv_threshold)
    steps = [(index * params.t_clock, float(v)) for index, v in enumerate(v_in)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_drive", "drive", circuit.gnd, values=points)
    return Deck(
        title=f"StrongARM latch: {len(v_in)} decisions",
        parameters=params,
        circuit=circuit,
        libraries=(params.latch.technology.library,),
        analysis=_analysis(params, len(v_in), params.t_step),
        outputs=_OUTPUTS,
        measures=tuple(_delay(params, k, float(v)) for k, v in enumerate(v_in)),
        options=LATCH_OPTIONS,
    )


def example_offset(params: SenseAmpBenchParams) -> Deck:
    """Return the offset search of a latch of which one input transistor's threshold is off by `dv_example`."""
    dv_threshold = np.zeros(len(NAMES))
    dv_threshold[NAMES.index(_PAIR[0])] = params.dv_example
    return offset_search(params, dv_threshold)


def offset_search(params: SenseAmpBenchParams, dv_threshold: np.ndarray | None = None) -> Deck:
    """Return a `.tran` deck that finds the offset: after each decision the input moves against it by half as much.

    The input difference is the voltage of a capacitor; while a decision stands, a current of a known charge moves it
    by v_search/2^k, in the direction that the outputs tell. At the end it stands at the offset within
    v_search/2^search_steps.
    """
    circuit = _clocked_latch(params, params.search_steps, dv_threshold)
    circuit.raw_spice += _search_source(params)
    c_hold = 1e-12
    circuit.C("_hold", "drive", circuit.gnd, c_hold, initial_condition=0)
    circuit.R("_hold", "drive", circuit.gnd, 1 / c_hold)  # decays in 1 s; without it the start has no solution
    circuit.raw_spice += f"B_move 0 drive i = -{c_hold:g}*v(step)*tanh(v(out)/0.05)\n"
    t_end, found_to = (params.search_steps + 0.4) * params.t_clock, params.v_search / 2**params.search_steps
    return Deck(
        title=f"StrongARM latch: offset by {params.search_steps} halvings",
        parameters=params,
        circuit=circuit,
        libraries=(params.latch.technology.library,),
        analysis=_analysis(params, params.search_steps, params.t_step_search),
        outputs=_OUTPUTS,
        measures=(
            Measure("v_offset", f"find v(drive) at={t_end:.9e}", "V", "input difference that balances it", found_to),
        ),
        options=DECISION_OPTIONS,
    )


def input_pair(params: SenseAmpBenchParams) -> Deck:
    """Return a `.dc` deck of the input pair alone, as the hand analysis takes it: clock high, nodes x at the supply."""
    circuit, v_dd = Circuit("input pair"), params.latch.technology.v_core
    circuit.V("_drive", "drive", circuit.gnd, 0)
    circuit.V("_clk", "clk", circuit.gnd, v_dd)
    for sign, side in (("+", "p"), ("-", "n")):
        circuit.raw_spice += f"B_in_{side} in_{side} 0 v = {params.v_cm:.9g} {sign} 0.5*v(drive)\n"
        circuit.V(f"_x_{side}", f"x_{side}", circuit.gnd, v_dd)
    draw = Netlister(circuit, params.latch.technology)
    kept = [row for row in zip(TRANSISTORS, params.latch.sizes, strict=True) if row[0][0] in ("tail", *_PAIR)]
    for (name, _, _, drain, gate, source), (width, length) in kept:
        draw.mosfet(f"_{name}", (drain, gate, source, 0), "nmos_core", w=width, length=length)
    return Deck(
        title="StrongARM latch: its input pair, for the hand analysis",
        parameters=params,
        circuit=circuit,
        libraries=(params.latch.technology.library,),
        analysis=".dc V_drive -0.001 0.0010001 0.001",
        outputs=(
            Output("i_x_n", "i(v_x_n)", "A", "current into the source at x_n (minus the drain current of input_p)"),
            Output("i_x_p", "i(v_x_p)", "A", "current into the source at x_p (minus the drain current of input_n)"),
        ),
        measures=(
            Measure("i_half", "find i(v_x_n) at=0", "A", "current of one transistor of the pair, its sign turned"),
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


_PAIR = ("input_p", "input_n")
_OUTPUTS = (
    Output("v_clk", "v(clk)", "V", "clock"),
    Output("v_out_p", "v(out_p)", "V", "output: high for in_p > in_n"),
    Output("v_out_n", "v(out_n)", "V", "output: low for in_p > in_n"),
    Output("v_out", "v(out)", "V", "difference of the outputs"),
    Output("v_in_p", "v(in_p)", "V", "input at the latch, behind its source's resistance"),
    Output("v_in_n", "v(in_n)", "V", "input at the latch"),
    Output("v_drive", "v(drive)", "V", "input difference that the sources apply"),
    Output("i_vdd", "i(v_vdd)", "A", "current into the supply"),
    Output("i_clk", "i(v_clk)", "A", "current into the clock's driver"),
)


def _clocked_latch(params: SenseAmpBenchParams, cycles: int, dv_threshold: np.ndarray | None) -> Circuit:
    circuit, v_dd = Circuit("strong arm"), params.latch.technology.v_core
    circuit.subcircuit(strong_arm(params.latch, dv_threshold))
    circuit.X("_latch", "strong_arm", "in_p", "in_n", "clk", "out_p", "out_n", "vdd")
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    edges = [(k * 0.5 * params.t_clock, v_dd * (k % 2)) for k in range(1, 2 * cycles + 1)]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_clk", "clk", circuit.gnd, values=points)
    for sign, name in (("+", "in_p"), ("-", "in_n")):
        circuit.raw_spice += f"B_{name} {name}_src 0 v = {params.v_cm:.9g} {sign} 0.5*v(drive)\n"
        circuit.R(f"_{name}", f"{name}_src", name, params.r_source)
        circuit.C(f"_{name}", name, circuit.gnd, params.c_source)
    for name in ("out_p", "out_n"):
        circuit.C(f"_{name}", name, circuit.gnd, params.c_load)
    circuit.raw_spice += "B_out out 0 v = v(out_p) - v(out_n)\n"
    return circuit


def _analysis(params: SenseAmpBenchParams, cycles: int, t_step: float) -> str:
    # Without `uic`: the operating point with the clock low is the precharged state.
    return f".tran {t_step:g} {(cycles + 0.5) * params.t_clock:.9e} 0 {t_step:g}"


def _delay(params: SenseAmpBenchParams, index: int, v_in: float) -> Measure:
    half, begin = 0.5 * params.latch.technology.v_core, index * params.t_clock
    crossing = f"val={half:g} rise=1" if v_in > 0 else f"val={-half:g} fall=1"
    clock = f"trig v(clk) val={half:g} td={begin:.6e} rise=1"
    expression = f"{clock} targ v(out) {crossing} td={begin + 0.5 * params.t_clock:.6e}"
    return Measure(f"t_decide_{index}", expression, "s", f"decision time at {v_in * 1e3:.3g} mV of overdrive")


def _search_source(params: SenseAmpBenchParams) -> str:
    """Return the source `step`: in the last quarter of each evaluation a pulse of area v_search/2^k [V s/s]."""
    width, edge = 0.15 * params.t_clock, params.t_rise
    corners = [(0.0, 0.0)]
    for k in range(params.search_steps):
        begin, rate = (k + 0.8) * params.t_clock, params.v_search / 2 ** (k + 1) / width
        corners += [(begin, 0.0), (begin + edge, rate), (begin + width, rate), (begin + width + edge, 0.0)]
    pairs = " ".join(f"{t:.6e} {v:.9e}" for t, v in corners)
    return f"V_step step 0 PWL({pairs})\n"


CATALOG = {
    "sense_amp": CatalogEntry(
        SenseAmpBenchParams,
        decision_train,
        "sense amplifier (StrongARM latch): decisions at overdrives from small to large",
    ),
    "sense_amp_offset": CatalogEntry(
        SenseAmpBenchParams,
        example_offset,
        "sense amplifier (StrongARM latch): search for the offset by repeated clocking",
    ),
}
