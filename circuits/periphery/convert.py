"""Converters behind the transposable array's readouts: what a forward and a backward read give is a code.

::

    out_U -[mux]- adc_A_in_adc - SAR converter A        adc_ref, adc_cm: shared rails; the latch stands on vdd_core

`adc_share` neighbouring sense units have one converter, by a multiplexer of thick-oxide transmission gates (an
amplifier's output may go to its 1.8 V, above the core's supply, while nothing is read). Because a unit serves a row in
one mode and a column in another, so does its converter. In every slot that reads, `t_settle` after its start, the units
that are sensed are converted one after the other, all converters at the same time.

The converter's digital control (`adc.control`) is of ideal sources: it is not in any count.
"""

from collections.abc import Mapping

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import PINS, AdcParams, sar_converter
from rramkit.circuits.sense_amp import strong_arm
from rramkit.circuits.switches import transmission_gate
from rramkit.circuits.technology import Technology

_SHARED = {"v_cm": "adc_cm", "vdd": "vdd_core", "vref": "adc_ref"}


def add_converters(
    circuit: Circuit, sar: AdcParams, converter_of: Mapping[str, str], *, technology: Technology, w_mux: float
) -> None:
    """Add a multiplexer's gate for each unit and the converters; `converter_of` says which one a unit has.

    Missing are the rails and the controls: `ctl_mux_UNIT`, and `adc_A_` before each pin of `sar` that is not shared.
    """
    for block in (
        transmission_gate("mux_switch", "io", technology, w_n=w_mux, r_on=1.0),
        strong_arm(sar.latch),
        sar_converter(sar),
    ):
        circuit.subcircuit(block)
    for unit, name in converter_of.items():
        circuit.X(f"_mux_{unit}", "mux_switch", f"out_{unit}", f"adc_{name}_in_adc", f"ctl_mux_{unit}", "vdd_io")
    for name in dict.fromkeys(converter_of.values()):
        nodes = [_SHARED.get(pin, f"adc_{name}_{pin}") for pin in PINS]
        circuit.X(f"_adc_{name}", "sar", *nodes, *(f"adc_{name}_bit_{k}" for k in range(sar.bits_max)))
