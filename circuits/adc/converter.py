"""Successive-approximation converter, 1 to `bits_max` bit: capacitor array, StrongARM comparator, digital control.

The input, `v_low` to `v_high`, is sampled on the common top plate x, through a transmission gate, while the bottom
plates stand at the code 2^(bits_max - 1): that bit's bottom at ground, all others at v_ref. With the gate open and code
D on the bottom plates

    x = v_in + (2^(bits_max - 1) - D) v_ref/2^bits_max C/(C + C_p)

with C the capacitance of the array and C_p all that loads x besides. A trial is kept when x is above v_cm, the middle
of the range; the first trial needs no switching, and x never leaves the range. What the plates move is to be one range,
so that their reference is the range divided by the loss to C_p:

    v_ref = (v_high - v_low) (C + C_p)/C,    C_p = c_parasitic + c_transistors

`c_transistors` is what the sampling gate and the comparator add at the nominal corner, in charge:
`components.adc.top_plate` finds it from levels that ngspice gave, a test finds the default again. At another corner it
is another one, and the gain then errs.

A conversion to fewer bits stops early; the bits it leaves out keep their bottom plates at v_ref, and the range is the
same. Two things that the comparator's kickback asks for, each worth 3 to 10 mV at the threshold when left out:

    v_cm is sampled too, by an equal gate on an equal array that never switches (node y), so that x and y are kicked
    alike; on a plain capacitor in its place every code came 0.4 steps of 2.8 mV late, with the array it is 0.1;
    the inverters that drive the bottom plates are as wide as their capacitors are large, so that x stays stiff.

Sizes are this kit's choice; the array is top-plate sampled as in Liu, Chang, Huang, Lin, IEEE JSSC 45 (2010) 731, doi
10.1109/JSSC.2010.2042254, but switched one way and single-ended.

The digital control is ideal and without XSPICE, so that a deck runs on every ngspice. A bit's register is a capacitor
that a current source drags to the comparator's decision while the decision stands, and that keeps its voltage
otherwise. All of it is smooth (tanh of the comparator's outputs, edges with a rise time), so no event forces a tiny
step.

::

    begin ... t_sample            sampling; in its first half the registers are emptied
    then `bits` times t_bit       one bit each: settling, the comparator's clock, its decision taken
    then t_bit                    a pause in which the code stands
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.mismatch import sigma_capacitor
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.sense_amp import SenseAmpParams, strong_arm
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

V_ABOVE = 0.2  # V: half a PMOS threshold of the kit's core cards
PINS = ("in_adc", "v_cm", "x", "y", "sample", "sample_b", "clk", "out_p", "out_n", "vdd", "vref")


class AdcParams(Parameters):
    """Array, comparator and switches. A `v_ref` without a range means the one from 0 V to it, as in version 0.1."""

    latch: SenseAmpParams = SenseAmpParams()
    bits_max: int = quantity(8, "1", "bits of the capacitor array", ge=1, le=10)
    bits: int = quantity(8, "1", "bits that a conversion finds: 1 to bits_max", ge=1, le=10)
    v_low: float = quantity(0.28, "V", "where the input's range begins: a step below the first transition", ge=0, le=3)
    v_high: float = quantity(1.0, "V", "where it ends: a step above the last transition", ge=0.1, le=3.6)
    v_cm: float | None = quantity(None, "V", "level that x is held against; left out: the range's middle", ge=0, le=3.6)
    v_ref: float | None = quantity(
        None, "V", "reference of the bottom plates; left out: so that they move x by the range", ge=0.1, le=3.6
    )
    c_unit: float = quantity(1e-15, "F", "unit capacitor", ge=1e-17, le=1e-11)
    c_density: float = quantity(2e-3, "F/m2", "capacitance for each area (2e-3 is 2 fF/um2)", ge=1e-5, le=1)
    c_parasitic: float = quantity(10e-15, "F", "top plate to ground", ge=0, le=1e-11)
    c_transistors: float = quantity(
        10.2e-15, "F", "what gate and comparator add to the top plate, nominal corner: for v_ref", ge=0, le=1e-11
    )
    w_sample: float = quantity(2e-6, "m", "width of each transistor of the sampling gate", ge=0.1e-6, le=1e-3)
    w_bottom_n: float = quantity(0.1e-6, "m", "bottom plate's NMOS: width for each unit capacitor", ge=0.1e-6, le=1e-3)
    w_bottom_p: float = quantity(0.15e-6, "m", "bottom plate's PMOS: width for each unit capacitor", ge=0.1e-6, le=1e-3)

    @model_validator(mode="before")
    @classmethod
    def _range_of_the_reference(cls, values: object) -> object:
        """Give files of version 0.1, which know a reference but no range, the range that they meant."""
        if isinstance(values, dict) and values.get("v_ref") is not None and not {"v_low", "v_high"} & set(values):
            return {**values, "v_low": 0.0, "v_high": values["v_ref"]}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.v_high <= self.v_low:
            raise ValueError(f"v_high must exceed v_low; got {self.v_high:g} and {self.v_low:g} V")
        most = self.latch.technology.v_core + V_ABOVE
        for name, volts in (("v_high", self.v_high), ("v_ref", self.v_reference)):
            if volts > most:
                raise ValueError(
                    f"{name} must not exceed v_core + {V_ABOVE} V: the PMOS of gates and plates would not turn off"
                )
        return self

    @property
    def nominal_capacitors(self) -> np.ndarray:
        """Capacitors (bits_max + 1,) [F]: the one that never moves, then bit 0 to bit bits_max - 1."""
        return self.c_unit * np.concatenate([[1.0], 2.0 ** np.arange(self.bits_max)])

    @property
    def v_common(self) -> float:
        """Return the level [V] that the comparator holds x against."""
        return (self.v_low + self.v_high) / 2 if self.v_cm is None else self.v_cm

    @property
    def v_reference(self) -> float:
        """Return the reference [V] of the bottom plates."""
        if self.v_ref is not None:
            return self.v_ref
        c_array = float(np.sum(self.nominal_capacitors))
        return (self.v_high - self.v_low) * (c_array + self.c_parasitic + self.c_transistors) / c_array

    @property
    def v_step(self) -> float:
        """Return the ideal step [V]: the range over its codes."""
        return (self.v_high - self.v_low) / 2**self.bits

    def ideal(self, codes: np.ndarray) -> np.ndarray:
        """Return the inputs (N,) [V] at which the codes (N,) should begin."""
        return self.v_low + codes * self.v_step


SIX_BIT = AdcParams(bits_max=6, bits=6, c_unit=4e-15, w_bottom_n=0.4e-6, w_bottom_p=0.6e-6)
"""A coarser converter of the same total capacitance, so with the same transistors on its top plate."""


def draw_capacitors(params: AdcParams, *, rng: np.random.Generator) -> np.ndarray:
    """Return one draw of the capacitors (bits_max + 1,) [F]: each made of units that deviate by Pelgrom's law."""
    return scaled_capacitors(params, rng.normal(size=params.bits_max + 1))


def scaled_capacitors(params: AdcParams, normals: np.ndarray) -> np.ndarray:
    """Return the capacitors (bits_max + 1,) [F] of standard normals (bits_max + 1,)."""
    nominal = params.nominal_capacitors
    sigma = sigma_capacitor(params.latch.matching, params.c_unit / params.c_density)
    return nominal * (1 + sigma * np.sqrt(params.c_unit / nominal) * normals)


def levels_by_hand(params: AdcParams, capacitors: np.ndarray) -> np.ndarray:
    """Return the transition levels (2^bits - 1,) [V] of the input that charge conservation gives for code 1, 2, ...

    T_D = v_cm + v_ref (sum of D's capacitors - that of the sampled code)/(all + c_parasitic + c_transistors).
    """
    _check(params, capacitors)
    codes = np.arange(1, 2**params.bits) * 2 ** (params.bits_max - params.bits)
    on = (codes[:, np.newaxis] >> np.arange(params.bits_max)) & 1
    total = np.sum(capacitors) + params.c_parasitic + params.c_transistors
    return params.v_common + params.v_reference * (on @ capacitors[1:] - capacitors[-1]) / total


def sar_converter(params: AdcParams, capacitors: np.ndarray | None = None) -> SubCircuit:
    """Return the converter's analog part as `.subckt sar` with the pins `PINS` and then `bit_0` to `bit_n`.

    It uses `strong_arm`, which the circuit must hold too. `in_adc` and `v_cm` are sampled on `x` (the array's top
    plate) and `y` by gates that `sample` and `sample_b` open; `bit_k` high puts capacitor k's bottom plate to ground.

    Parameters
    ----------
    capacitors : ndarray (bits_max + 1,), optional
        As `AdcParams.nominal_capacitors`; default: those.
    """
    values = params.nominal_capacitors if capacitors is None else capacitors
    _check(params, values)
    block = SubCircuit("sar", *pins(params))
    draw = Netlister(block, params.latch.technology)
    block.X("_comparator", "strong_arm", "x", "y", "clk", "out_p", "out_n", "vdd")
    for source, plate in (("in_adc", "x"), ("v_cm", "y")):
        draw.mosfet(f"_{plate}_n", (plate, "sample", source, 0), "nmos_core", w=params.w_sample)
        draw.mosfet(f"_{plate}_p", (plate, "sample_b", source, "vdd"), "pmos_core", w=params.w_sample)
    block.C("_fixed", "x", "vref", float(values[0]))
    for bit in range(params.bits_max):
        block.C(f"_{bit}", "x", f"bottom_{bit}", float(values[bit + 1]))
        w_n, w_p = 2**bit * params.w_bottom_n, 2**bit * params.w_bottom_p
        draw.inverter(f"_bottom_{bit}", (f"bit_{bit}", f"bottom_{bit}", "vref"), w_n=w_n, w_p=w_p, core=True)
    _add_still_array(block, draw, params)
    for plate in ("x", "y") if params.c_parasitic > 0 else ():
        block.C(f"_parasitic_{plate}", plate, 0, params.c_parasitic)
    return block


def _add_still_array(block: SubCircuit, draw: Netlister, params: AdcParams) -> None:
    """Add what v_cm is sampled on: as much as the array, half at ground and half at vref as it is sampled.

    Its drivers are as wide and never switch: the comparator kicks both of its inputs through the same resistances.
    """
    half, units = float(np.sum(params.nominal_capacitors)) / 2, 2 ** (params.bits_max - 1)
    for name, level in (("ground", "vdd"), ("ref", "0")):
        block.C(f"_y_{name}", "y", f"y_{name}", half)
        w_n, w_p = units * params.w_bottom_n, units * params.w_bottom_p
        draw.inverter(f"_y_{name}", (level, f"y_{name}", "vref"), w_n=w_n, w_p=w_p, core=True)


def pins(params: AdcParams) -> tuple[str, ...]:
    """Return the pins of `.subckt sar`."""
    return (*PINS, *(f"bit_{bit}" for bit in range(params.bits_max)))


def add_sar(
    circuit: Circuit, params: AdcParams, capacitors: np.ndarray | None = None, dv_threshold: np.ndarray | None = None
) -> None:
    """Add one converter to a circuit, its nodes named like its pins; `dv_threshold` (11,) as `strong_arm`."""
    circuit.subcircuit(strong_arm(params.latch, dv_threshold))
    circuit.subcircuit(sar_converter(params, capacitors))
    circuit.X("_sar", "sar", *pins(params))


def _check(params: AdcParams, capacitors: np.ndarray) -> None:
    if params.bits > params.bits_max:
        raise InputError(f"`bits` must be 1 to bits_max = {params.bits_max}; got {params.bits}. Use a larger array.")
    shape = (params.bits_max + 1,)
    if capacitors.shape != shape or not np.all((capacitors > 0) & (capacitors < 1e-9)):
        raise InputError(
            f"`capacitors` must be {shape} in farad, above 0; got {capacitors.shape}. "
            "One that never moves, then one for each bit."
        )


_C_REGISTER = 1e-12  # F; cancels out of the register's equation, chosen so that currents are of the order of 10 mA


class ConversionParams(Parameters):
    """A converter and the timing of its conversions."""

    sar: AdcParams = AdcParams()
    t_sample: float = quantity(3e-9, "s", "sampling", ge=1e-11, le=1e-3)
    t_bit: float = quantity(1e-9, "s", "one bit: settling, then the comparator's clock", ge=1e-11, le=1e-3)
    t_rise: float = quantity(30e-12, "s", "edge of the controls", ge=1e-13, le=1e-6)

    @property
    def t_conversion(self) -> float:
        """Return the time of one conversion [s]."""
        return self.t_sample + (self.sar.bits + 1) * self.t_bit

    @property
    def decided(self) -> range:
        """Return the bits of the array that a conversion finds."""
        return range(self.sar.bits_max - self.sar.bits, self.sar.bits_max)

    def step_at(self, begin: float, step: int) -> float:
        """Return when step `step` of the conversion that starts at `begin` begins [s]; step `bits` is the pause."""
        return begin + self.t_sample + 3 * self.t_rise + step * self.t_bit

    def code_at(self, begin: float) -> float:
        """Return when the code of the conversion that starts at `begin` is taken [s]."""
        return self.step_at(begin, self.sar.bits) + 0.5 * self.t_bit


def add_sampling(circuit: Circuit, params: ConversionParams, begins: Sequence[float], *, prefix: str = "") -> None:
    """Add the sampling gates' sources for conversions that start at `begins` [s]; every name begins with `prefix`."""
    v_dd = params.sar.latch.technology.v_core
    add_pulses(circuit, f"{prefix}sample", [(t, t + params.t_sample) for t in begins], params, high=v_dd)
    circuit.raw_spice += f"B_{prefix}sample_b {prefix}sample_b 0 v = {v_dd:.9g} - v({prefix}sample)\n"


def add_control(circuit: Circuit, params: ConversionParams, begins: Sequence[float], *, prefix: str = "") -> None:
    """Add the comparator's clock and the registers that close the loop, for conversions that start at `begins` [s]."""
    add_pulses(circuit, f"{prefix}rst", [(t, t + params.t_sample / 2) for t in begins], params)
    circuit.raw_spice += f"B_{prefix}out {prefix}out 0 v = v({prefix}out_p) - v({prefix}out_n)\n"
    clocks = [params.step_at(t, step) + 0.5 * params.t_bit for t in begins for step in range(params.sar.bits)]
    spans = [(t, t + 0.5 * params.t_bit) for t in clocks]
    add_pulses(circuit, f"{prefix}clk", spans, params, high=params.sar.latch.technology.v_core)
    for bit in range(params.sar.bits_max):
        _add_register(circuit, params, bit, begins, prefix=prefix)


def add_pulses(
    circuit: Circuit,
    node: str,
    spans: Sequence[tuple[float, float]],
    params: ConversionParams,
    *,
    high: float = 1.0,
) -> None:
    """Add a source that stands at `high` [V] in each of the `spans` [s] and at 0 otherwise."""
    edges = [edge for begin, end in spans for edge in ((begin, high), (end, 0.0))]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource(f"_{node}", node, circuit.gnd, values=points)


def _add_register(
    circuit: Circuit, params: ConversionParams, bit: int, begins: Sequence[float], *, prefix: str
) -> None:
    """Add bit `bit`'s register q, its trial, and the control of its bottom plate: high for a trial or a kept bit."""
    step, v_dd = params.sar.bits_max - 1 - bit, params.sar.latch.technology.v_core
    control, q, trial, take = (f"{prefix}{name}_{bit}" for name in ("bit", "q", "trial", "take"))
    if bit not in params.decided:
        circuit.V(f"_{control}", control, circuit.gnd, 0)
        return
    starts = [params.step_at(t, step) for t in begins]
    # the first bit is tried from the sampling on: its trial is the code that is sampled
    trials = [(t if step == 0 else start, start + params.t_bit) for t, start in zip(begins, starts, strict=True)]
    add_pulses(circuit, trial, trials, params)
    add_pulses(circuit, take, [(t + 0.8 * params.t_bit, t + 0.95 * params.t_bit) for t in starts], params)
    rate = _C_REGISTER * 20 / (0.15 * params.t_bit)  # 20 time constants in the span in which the decision is taken
    circuit.C(f"_{q}", q, circuit.gnd, _C_REGISTER, initial_condition=0)
    circuit.R(f"_{q}", q, circuit.gnd, 1e12)
    decision = f"0.5 + 0.5*tanh(v({prefix}out)/0.05)"
    circuit.raw_spice += (
        f"B_{q} 0 {q} i = {rate:.9e}*(v({take})*({decision} - v({q})) - v({prefix}rst)*v({q}))\n"
        f"B_{control} {control} 0 v = {v_dd:.9g}*max(v({trial}), v({q}))\n"
    )
