"""Testbenches of the SAR converter: conversions in closed loop, and its transition levels one after the other.

The control is ideal and needs no XSPICE, so that a deck runs on every ngspice: a bit's register is a capacitor that a
current source drags to the comparator's decision while the decision stands, and that keeps its voltage otherwise. All
of it is smooth (tanh of the comparator's outputs, edges with a rise time), so no event forces a tiny step.
"""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.sar import SarParams, add_sar
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.strongarm_bench import LATCH_OPTIONS
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

_C_REGISTER = 1e-12  # F; cancels out of the register's equation, chosen so that currents are of the order of 10 mA


class SarBenchParams(Parameters):
    """A converter with its timing, and a train of conversions."""

    sar: SarParams = SarParams()
    conversions: int = quantity(4, "1", "conversions, their inputs in equal steps over the range", ge=1, le=4096)
    t_sample: float = quantity(2e-9, "s", "sampling", ge=1e-11, le=1e-3)
    t_bit: float = quantity(1e-9, "s", "one bit: settling, then the comparator's clock", ge=1e-11, le=1e-3)
    t_rise: float = quantity(30e-12, "s", "edge of the controls", ge=1e-13, le=1e-6)
    r_in: float = quantity(500.0, "ohm", "output resistance of the input's source and of v_cm's", ge=1, le=1e6)
    c_in: float = quantity(100e-15, "F", "capacitance at the input and at v_cm", ge=0, le=1e-9)
    t_step: float = quantity(50e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def inputs(self) -> np.ndarray:
        """Input of each conversion (N,) [V]: the middles of N equal parts of the range."""
        return self.sar.v_ref * (np.arange(self.conversions) + 0.5) / self.conversions

    @property
    def t_slot(self) -> float:
        """Return the time from one conversion to the next [s]."""
        return self.t_sample + (self.sar.bits + 1) * self.t_bit

    def t_phase(self, index: int, step: int) -> float:
        """Return when step `step` of conversion `index` begins [s]; step `bits` is the pause in which codes stand."""
        return index * self.t_slot + self.t_sample + 3 * self.t_rise + step * self.t_bit

    def t_code(self, index: int) -> float:
        """Return when the code of conversion `index` is taken [s]."""
        return self.t_phase(index, self.sar.bits) + 0.5 * self.t_bit


def conversion_train(
    params: SarBenchParams,
    inputs: Sequence[float] | np.ndarray | None = None,
    *,
    capacitors: np.ndarray | None = None,
    dv_threshold: np.ndarray | None = None,
) -> Deck:
    """Return a `.tran` deck of conversions in closed loop, one for each input [V] (default: the train's)."""
    v_in = params.inputs if inputs is None else np.asarray(inputs, dtype=float)
    _check_inputs(params, v_in)
    sar, count = params.sar, len(v_in)
    circuit = Circuit("sar")
    add_sar(circuit, sar, capacitors, dv_threshold)
    _add_input(circuit, params, v_in)
    add_supplies(circuit, params, count)
    add_control(circuit, params, count)
    return Deck(
        title=f"SAR converter, {sar.bits} bit: {count} conversions",
        parameters=params,
        circuit=circuit,
        libraries=(sar.latch.technology.library,),
        analysis=_analysis(params, count * params.t_slot),
        outputs=sar_outputs(params),
        measures=code_measures(params, count),
        options=LATCH_OPTIONS,
    )


def transition_train(
    params: SarBenchParams, capacitors: np.ndarray | None = None, *, codes: Sequence[float] | np.ndarray | None = None
) -> Deck:
    """Return a `.tran` deck that samples each ideal transition's input and then puts its code on the array.

    `codes` are those that begin at the transitions, 1 to 2^bits - 1 (default: all of them).

    What is left of x - y at the end of slot k (`t_code`) is how far the transition to code k + 1 lies below its
    ideal place: charge injection at that very input, parasitics and mismatch in it, the comparator's offset not.
    """
    sar = params.sar
    codes = np.arange(1, 2**sar.bits) if codes is None else np.asarray(codes).astype(int)
    _check_codes(params, codes)
    v_in = codes * sar.v_ref / 2**sar.bits
    circuit = Circuit("sar")
    add_sar(circuit, sar, capacitors)
    _add_input(circuit, params, v_in)
    add_supplies(circuit, params, v_in.size)
    circuit.V("_clk", "clk", circuit.gnd, 0)
    circuit.raw_spice += "B_residue residue 0 v = v(x) - v(y)\n"
    full = codes * 2 ** (sar.bits_max - sar.bits)
    for bit in range(sar.bits_max):
        sampled = bit == sar.bits_max - 1
        edges = [(0.0, float(sampled))] if sampled else []
        for k, code in enumerate(full):
            edges += [(params.t_phase(k, 0), float(code >> bit & 1)), ((k + 1) * params.t_slot, float(sampled))]
        high = sar.latch.technology.v_core
        points = staircase_points([(t, high * v) for t, v in edges], t_rise=params.t_rise)
        circuit.PieceWiseLinearVoltageSource(f"_bit_{bit}", f"bit_{bit}", circuit.gnd, values=points)
    return Deck(
        title=f"SAR converter, {sar.bits} bit: transition levels",
        parameters=params,
        circuit=circuit,
        libraries=(sar.latch.technology.library,),
        analysis=_analysis(params, len(codes) * params.t_slot),
        outputs=(
            Output("v_x", "v(x)", "V", "top plate"),
            Output("v_y", "v(y)", "V", "v_cm as sampled"),
            Output("v_residue", "v(residue)", "V", "x less y: 0 for an ideal converter"),
            Output("v_in", "v(in_adc)", "V", "input at the gate"),
        ),
        measures=tuple(
            Measure(f"residue_{code}", f"find v(residue) at={params.t_code(k):.9e}", "V", f"transition to code {code}")
            for k, code in enumerate(codes)
        ),
        options=LATCH_OPTIONS,
    )


def add_supplies(circuit: Circuit, params: SarBenchParams, count: int) -> None:
    """Add the supplies, v_cm, and the sampling clock of `count` conversions to a circuit that holds a converter."""
    sar, v_dd = params.sar, params.sar.latch.technology.v_core
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    circuit.V("_vref", "vref", circuit.gnd, sar.v_ref)
    circuit.V("_cm", "cm_src", circuit.gnd, sar.v_cm)
    circuit.R("_cm", "cm_src", "v_cm", params.r_in)
    circuit.C("_cm", "v_cm", circuit.gnd, params.c_in)
    spans = [(k * params.t_slot, k * params.t_slot + params.t_sample) for k in range(count)]
    _pulses(circuit, "sample", spans, params, high=v_dd)
    circuit.raw_spice += f"B_sample_b sample_b 0 v = {v_dd:.9g} - v(sample)\n"


def add_control(circuit: Circuit, params: SarBenchParams, count: int) -> None:
    """Add the comparator's clock and the registers that close the loop, for `count` conversions."""
    sar = params.sar
    resets = [(k * params.t_slot, k * params.t_slot + params.t_sample / 2) for k in range(count)]
    _pulses(circuit, "rst", resets, params)
    circuit.raw_spice += "B_out out 0 v = v(out_p) - v(out_n)\n"
    clocks = [params.t_phase(k, step) + 0.5 * params.t_bit for k in range(count) for step in range(sar.bits)]
    spans = [(t, t + 0.5 * params.t_bit) for t in clocks]
    _pulses(circuit, "clk", spans, params, high=sar.latch.technology.v_core)
    for bit in range(sar.bits_max):
        _add_register(circuit, params, bit, count)


def code_measures(params: SarBenchParams, count: int) -> tuple[Measure, ...]:
    """Return the measures of all registers at the end of each of `count` conversions."""
    return tuple(
        Measure(f"q_{k}_{bit}", f"find v(q_{bit}) at={params.t_code(k):.9e}", "1", f"conversion {k}, bit {bit}")
        for k in range(count)
        for bit in range(params.sar.bits_max - params.sar.bits, params.sar.bits_max)
    )


def _add_input(circuit: Circuit, params: SarBenchParams, v_in: np.ndarray) -> None:
    steps = [(k * params.t_slot, float(v)) for k, v in enumerate(v_in)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_in", "in_src", circuit.gnd, values=points)
    circuit.R("_in", "in_src", "in_adc", params.r_in)
    circuit.C("_in", "in_adc", circuit.gnd, params.c_in)


def _pulses(
    circuit: Circuit, node: str, spans: list[tuple[float, float]], params: SarBenchParams, *, high: float = 1.0
) -> None:
    edges = [edge for begin, end in spans for edge in ((begin, high), (end, 0.0))]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource(f"_{node}", node, circuit.gnd, values=points)


def _add_register(circuit: Circuit, params: SarBenchParams, bit: int, count: int) -> None:
    """Add bit `bit`'s register q, its trial, and the control of its bottom plate: high for a trial or a kept bit."""
    sar = params.sar
    step, v_dd = sar.bits_max - 1 - bit, sar.latch.technology.v_core
    if step >= sar.bits:
        circuit.V(f"_bit_{bit}", f"bit_{bit}", circuit.gnd, 0)
        return
    trials, takes = [], []
    for k in range(count):
        begin = params.t_phase(k, step)
        # the first bit is tried from the sampling on: its trial is the code that is sampled
        trials.append((k * params.t_slot if step == 0 else begin, begin + params.t_bit))
        takes.append((begin + 0.8 * params.t_bit, begin + 0.95 * params.t_bit))
    _pulses(circuit, f"trial_{bit}", trials, params)
    _pulses(circuit, f"take_{bit}", takes, params)
    rate = _C_REGISTER * 20 / (0.15 * params.t_bit)  # 20 time constants in the span in which the decision is taken
    circuit.C(f"_q_{bit}", f"q_{bit}", circuit.gnd, _C_REGISTER, initial_condition=0)
    circuit.R(f"_q_{bit}", f"q_{bit}", circuit.gnd, 1e12)
    circuit.raw_spice += (
        f"B_q_{bit} 0 q_{bit} i = {rate:.9e}*(v(take_{bit})*(0.5 + 0.5*tanh(v(out)/0.05) - v(q_{bit}))"
        f" - v(rst)*v(q_{bit}))\n"
        f"B_bit_{bit} bit_{bit} 0 v = {v_dd:.9g}*max(v(trial_{bit}), v(q_{bit}))\n"
    )


def sar_outputs(params: SarBenchParams) -> tuple[Output, ...]:
    """Return what a closed loop's measures need: analog nodes, controls, supply currents, registers."""
    sar = params.sar
    decided = range(sar.bits_max - sar.bits, sar.bits_max)
    return (
        Output("v_x", "v(x)", "V", "top plate"),
        Output("v_y", "v(y)", "V", "v_cm as sampled"),
        Output("v_in", "v(in_adc)", "V", "input at the sampling gate"),
        Output("v_clk", "v(clk)", "V", "comparator's clock"),
        Output("v_sample", "v(sample)", "V", "gate of the sampling switch"),
        Output("i_vdd", "i(v_vdd)", "A", "current into the comparator's supply"),
        Output("i_vref", "i(v_vref)", "A", "current into the reference"),
        Output("i_clk", "i(v_clk)", "A", "current into the clock's driver"),
        Output("i_sample", "i(v_sample)", "A", "current into the sampling gate's NMOS driver"),
        Output("i_sample_b", "i(b_sample_b)", "A", "current into the sampling gate's PMOS driver"),
        *(Output(f"v_bit_{b}", f"v(bit_{b})", "V", f"control of bottom plate {b}") for b in decided),
        *(Output(f"i_bit_{b}", f"i(b_bit_{b})", "A", f"current into the driver of that control {b}") for b in decided),
        *(Output(f"q_{b}", f"v(q_{b})", "1", f"register of bit {b}") for b in decided),
    )


def _analysis(params: SarBenchParams, t_stop: float) -> str:
    return f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}"


def _check_inputs(params: SarBenchParams, v_in: np.ndarray) -> None:
    if v_in.ndim != 1 or v_in.size < 1 or not np.all((v_in >= 0) & (v_in <= params.sar.v_ref)):
        raise InputError(
            f"`inputs` must be (N,) in volt within 0 to {params.sar.v_ref:g}; got {v_in.shape}, "
            f"{np.min(v_in, initial=np.inf):g} to {np.max(v_in, initial=-np.inf):g} V. Scale them to the range."
        )


def _check_codes(params: SarBenchParams, codes: np.ndarray) -> None:
    most = 2**params.sar.bits - 1
    if codes.ndim != 1 or codes.size < 1 or not np.all((codes >= 1) & (codes <= most)):
        raise InputError(f"`codes` must be (N,) of 1 to {most}; got {codes}. Name transitions that the converter has.")
