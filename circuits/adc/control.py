"""The SAR converter's digital control, ideal and without XSPICE, so that a deck runs on every ngspice.

A bit's register is a capacitor that a current source drags to the comparator's decision while the decision stands, and
that keeps its voltage otherwise. All of it is smooth (tanh of the comparator's outputs, edges with a rise time), so no
event forces a tiny step.

::

    begin ... t_sample            sampling; in its first half the registers are emptied
    then `bits` times t_bit       one bit each: settling, the comparator's clock, its decision taken
    then t_bit                    a pause in which the code stands
"""

from collections.abc import Sequence

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc.converter import AdcParams
from rramkit.circuits.stimuli import staircase_points
from rramkit.parameters import Parameters, quantity

_C_REGISTER = 1e-12  # F; cancels out of the register's equation, chosen so that currents are of the order of 10 mA


class ConversionParams(Parameters):
    """A converter and the timing of its conversions."""

    sar: AdcParams = AdcParams()
    t_sample: float = quantity(2e-9, "s", "sampling", ge=1e-11, le=1e-3)
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
