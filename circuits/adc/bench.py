"""Testbenches of the SAR converter: conversions in closed loop, its transition levels, the noise that it samples."""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc.converter import AdcParams, ConversionParams, add_control, add_sampling, add_sar
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.sense_amp import DECISION_OPTIONS
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class AdcTrainParams(ConversionParams):
    """A converter with its timing and its sources, converting without a pause."""

    r_in: float = quantity(500.0, "ohm", "output resistance of the input's source and of v_cm's", ge=1, le=1e6)
    c_in: float = quantity(100e-15, "F", "capacitance at the input and at v_cm", ge=0, le=1e-9)
    t_step: float = quantity(50e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def t_slot(self) -> float:
        """Return the time from one conversion to the next [s]."""
        return self.t_conversion

    def begins(self, count: int) -> list[float]:
        """Return when each of `count` conversions starts [s]."""
        return [index * self.t_slot for index in range(count)]

    def t_phase(self, index: int, step: int) -> float:
        """Return when step `step` of conversion `index` begins [s]; step `bits` is the pause in which codes stand."""
        return self.step_at(index * self.t_slot, step)

    def t_code(self, index: int) -> float:
        """Return when the code of conversion `index` is taken [s]."""
        return self.code_at(index * self.t_slot)


class AdcBenchParams(AdcTrainParams):
    """The same with a train of conversions."""

    conversions: int = quantity(4, "1", "conversions, their inputs in equal steps over the range", ge=1, le=4096)

    @property
    def inputs(self) -> np.ndarray:
        """Input of each conversion (N,) [V]: the middles of N equal parts of the range."""
        sar = self.sar
        return sar.v_low + (sar.v_high - sar.v_low) * (np.arange(self.conversions) + 0.5) / self.conversions


def conversion_train(
    params: AdcBenchParams,
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
    add_supplies(circuit, params)
    add_sampling(circuit, params, params.begins(count))
    add_control(circuit, params, params.begins(count))
    return Deck(
        title=f"SAR converter, {sar.bits} bit: {count} conversions",
        parameters=params,
        circuit=circuit,
        libraries=(sar.latch.technology.library,),
        analysis=_analysis(params, count * params.t_slot),
        outputs=sar_outputs(params),
        measures=code_measures(params, count),
        options=DECISION_OPTIONS,
    )


def transition_train(
    params: AdcTrainParams, capacitors: np.ndarray | None = None, *, codes: Sequence[float] | np.ndarray | None = None
) -> Deck:
    """Return a `.tran` deck that samples each ideal transition's input and then puts its code on the array.

    `codes` are those that begin at the transitions, 1 to 2^bits - 1 (default: all of them).

    What is left of x - y at the end of slot k (`t_code`) is how far the transition to code k + 1 lies below its
    ideal place: charge injection at that very input, parasitics and mismatch in it, the comparator's offset not.
    """
    sar = params.sar
    codes = np.arange(1, 2**sar.bits) if codes is None else np.asarray(codes).astype(int)
    _check_codes(params, codes)
    v_in = sar.ideal(codes)
    circuit = Circuit("sar")
    add_sar(circuit, sar, capacitors)
    _add_input(circuit, params, v_in)
    add_supplies(circuit, params)
    add_sampling(circuit, params, params.begins(v_in.size))
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
        options=DECISION_OPTIONS,
    )


class AdcNoiseParams(Parameters):
    """A converter that samples, and the band of the noise that it samples."""

    sar: AdcParams = AdcParams()
    v_in: float = quantity(0.64, "V", "input", ge=0, le=3.6)
    r_in: float = quantity(500.0, "ohm", "output resistance of the input's source and of v_cm's", ge=1, le=1e6)
    c_in: float = quantity(100e-15, "F", "capacitance at the input and at v_cm", ge=0, le=1e-9)
    f_low: float = quantity(1e3, "Hz", "lower end of the band: what is slower is offset", ge=1e-3, le=1e9)
    f_high: float = quantity(2e10, "Hz", "upper end of the band: what the comparator sees", ge=1e6, le=1e13)
    points: int = quantity(10, "1", "frequencies a decade", ge=2, le=1000)


def sampled_noise(params: AdcNoiseParams) -> Deck:
    """Return a `.noise` deck of x - y while both are sampled: what is there when the gates open stays on the plates.

    The charge that the sources' resistors and the gates' channels leave on x and y is k T/C of either. The drivers of
    the bottom plates add theirs, over a band that only the little capacitance beside the plates ends (k T/20 fF); the
    comparator, which integrates its input for some 25 ps, sees of it what lies below f_high = 1/(2 25 ps). The
    comparator's own noise has no operating point to be found at, and is left out.
    """
    sar, v_dd = params.sar, params.sar.latch.technology.v_core
    circuit = Circuit("sar")
    add_sar(circuit, sar)
    add_supplies(circuit, params)
    circuit.raw_spice += f"V_in in_src 0 dc {params.v_in:.9g} ac 1\n"
    circuit.R("_in", "in_src", "in_adc", params.r_in)
    circuit.C("_in", "in_adc", circuit.gnd, params.c_in)
    for node, volts in (("sample", v_dd), ("sample_b", 0), ("clk", 0)):
        circuit.V(f"_{node}", node, circuit.gnd, volts)
    for bit in range(sar.bits_max):
        circuit.V(f"_bit_{bit}", f"bit_{bit}", circuit.gnd, v_dd if bit == sar.bits_max - 1 else 0)
    return Deck(
        title="SAR converter: noise of the sampled input",
        parameters=params,
        circuit=circuit,
        libraries=(sar.latch.technology.library,),
        analysis=f".noise v(x,y) V_in dec {params.points} {params.f_low:g} {params.f_high:g}",
        outputs=(
            Output("v_noise", "onoise_spectrum", "V/Hz^0.5", "noise density of x less y"),
            Output("v_noise_total", "onoise_total", "V", "rms noise of x less y over the band"),
        ),
        options="reltol=1e-6 abstol=1e-15 vntol=1e-9",
    )


def add_supplies(circuit: Circuit, params: AdcTrainParams | AdcNoiseParams) -> None:
    """Add the supplies and v_cm to a circuit that holds a converter."""
    sar, v_dd = params.sar, params.sar.latch.technology.v_core
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    circuit.V("_vref", "vref", circuit.gnd, sar.v_reference)
    circuit.V("_cm", "cm_src", circuit.gnd, sar.v_common)
    circuit.R("_cm", "cm_src", "v_cm", params.r_in)
    circuit.C("_cm", "v_cm", circuit.gnd, params.c_in)


def code_measures(params: AdcTrainParams, count: int) -> tuple[Measure, ...]:
    """Return the measures of all registers at the end of each of `count` conversions."""
    return tuple(
        Measure(f"q_{k}_{bit}", f"find v(q_{bit}) at={params.t_code(k):.9e}", "1", f"conversion {k}, bit {bit}")
        for k in range(count)
        for bit in params.decided
    )


def _add_input(circuit: Circuit, params: AdcTrainParams, v_in: np.ndarray) -> None:
    steps = [(k * params.t_slot, float(v)) for k, v in enumerate(v_in)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_in", "in_src", circuit.gnd, values=points)
    circuit.R("_in", "in_src", "in_adc", params.r_in)
    circuit.C("_in", "in_adc", circuit.gnd, params.c_in)


def sar_outputs(params: AdcTrainParams) -> tuple[Output, ...]:
    """Return what a closed loop's measures need: analog nodes, controls, supply currents, registers."""
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
        *(Output(f"v_bit_{b}", f"v(bit_{b})", "V", f"control of bottom plate {b}") for b in params.decided),
        *(
            Output(f"i_bit_{b}", f"i(b_bit_{b})", "A", f"current into the driver of that control {b}")
            for b in params.decided
        ),
        *(Output(f"q_{b}", f"v(q_{b})", "1", f"register of bit {b}") for b in params.decided),
    )


def _analysis(params: AdcTrainParams, t_stop: float) -> str:
    return f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}"


def _check_inputs(params: AdcTrainParams, v_in: np.ndarray) -> None:
    most = params.sar.latch.technology.v_core  # the sampling gate's supply: above it the gate does not turn off
    if v_in.ndim != 1 or v_in.size < 1 or not np.all((v_in >= 0) & (v_in <= most)):
        raise InputError(
            f"`inputs` must be (N,) in volt within 0 to {most:g}; got {v_in.shape}, "
            f"{np.min(v_in, initial=np.inf):g} to {np.max(v_in, initial=-np.inf):g} V. Scale them to the range."
        )


def _check_codes(params: AdcTrainParams, codes: np.ndarray) -> None:
    most = 2**params.sar.bits - 1
    if codes.ndim != 1 or codes.size < 1 or not np.all((codes >= 1) & (codes <= most)):
        raise InputError(f"`codes` must be (N,) of 1 to {most}; got {codes}. Name transitions that the converter has.")


CATALOG = {
    "adc": CatalogEntry(
        AdcBenchParams,
        conversion_train,
        "SAR converter of 1 to 8 bit with a StrongARM comparator: conversions in closed loop",
    ),
    "adc_levels": CatalogEntry(
        AdcTrainParams, transition_train, "SAR converter: its transition levels one after the other"
    ),
}
