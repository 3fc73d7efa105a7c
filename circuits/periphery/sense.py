"""Sense units and converters of the transposable array: an ideal probe, or the readout with its amplifier; SAR codes.

::

    ideal            bus_U -[r_sense]- V_sense_U - 0
    transimpedance   bus_U - V_sense_U - in_U -[readout]- out_U            clamp and vdd_ota: shared rails
    converter        out_U -[mux]- adc_A_in_adc - SAR converter A          adc_ref, adc_cm: shared; latch on vdd_core

The probe holds its line at 0 V and inputs stand above it. The readout holds it at v_clamp, and inputs stand below, so
that its output rises with the current, out = v_clamp + i r_feedback; everything else that has to be zero (code 0 of a
converter, lines that wait in a read) stands at v_clamp too, the "rest" of this package. What was chosen (0.3 V, this
kit's choice): low, because thick-oxide NMOS with k1 = 1.6 V^0.5 carry the reads, and yet above the largest read level,
so that no rail goes below ground; converters in core transistors see 0.1 to 0.3 V. The word lines' read rail is lifted
by as much, so that the access transistors keep their gate voltage. The amplifier has its own 1.8 V supply (`ota`).

A line brings the gates of its switches along: with the 20 fF that suit a bare bit line the readout rings for 30 ns;
with C_FEEDBACK = 0.2 pF across r_feedback = 8 kohm (1.6 ns) it does not.

V_sense_U is a 0 V source that measures, in either; positive is into the unit.

`adc_share` neighbouring sense units have one converter, by a multiplexer of thick-oxide transmission gates (an
amplifier's output may go to its 1.8 V, above the core's supply, while nothing is read). Because a unit serves a row in
one mode and a column in another, so does its converter. In every slot that reads, `t_settle` after its start, the units
that are sensed are converted one after the other, all converters at the same time. The converter's digital control
(`adc`) is of ideal sources: it is not in any count.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import PINS, AdcParams, sar_converter
from rramkit.circuits.mosfet import transmission_gate
from rramkit.circuits.ota import OtaParams, ota
from rramkit.circuits.readout import ReadoutParams, readout
from rramkit.circuits.sense_amp import strong_arm
from rramkit.circuits.technology import Technology

SenseKind = Literal["ideal", "transimpedance"]
SenseBlock = Callable[[Circuit, str, str], None]
"""Adds a sense unit: circuit, the unit's name, the node that it senses. It must hold a 0 V source `V_sense_<unit>`."""
C_FEEDBACK = 0.2e-12  # F, across the feedback resistor of a unit behind the switches; this kit's choice
AMPLIFIER = OtaParams(trim_bits=0, i_bias=40e-6, w_bias_p=16e-6, w_bias_n=5.3e-6, w_level_p=2.6e-6, w_level_n=0.48e-6)
"""The readout's amplifier without its trim, its bias four times as strong: here the supplies rise within 5 ns."""
RAILS = ("clamp", "vdd_ota")


def probe(r_sense: float) -> SenseBlock:
    """Return the simplest sense unit: a resistance [ohm] into a source of 0 V that measures."""

    def add(circuit: Circuit, unit: str, node: str) -> None:
        circuit.R(f"_sense_{unit}", node, f"sense_{unit}", r_sense)
        circuit.V(f"_sense_{unit}", f"sense_{unit}", circuit.gnd, 0)

    return add


def transimpedance(params: ReadoutParams) -> SenseBlock:
    """Return the readout as a sense unit; its output is `out_<unit>`, its rails (to be driven) are `RAILS`."""

    def add(circuit: Circuit, unit: str, node: str) -> None:
        for block in (ota(params.amplifier), readout(params)):
            if block.name not in circuit.subcircuit_names:
                circuit.subcircuit(block)
        circuit.V(f"_sense_{unit}", node, f"in_{unit}", 0)
        # The reset pin belongs to the integrating readout; here nothing is joined to it.
        circuit.X(f"_readout_{unit}", "readout", f"in_{unit}", "clamp", f"out_{unit}", circuit.gnd, "vdd_ota")

    return add


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
