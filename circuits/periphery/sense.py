"""Sense units of the transposable array: an ideal probe, or the transimpedance readout with its transistor amplifier.

::

    ideal            bus_U -[r_sense]- V_sense_U - 0
    transimpedance   bus_U - V_sense_U - in_U -[readout]- out_U            clamp and vdd_ota: shared rails

The probe holds its line at 0 V and inputs stand above it. The readout holds it at v_clamp, and inputs stand below, so
that its output rises with the current, out = v_clamp + i r_feedback; everything else that has to be zero (code 0 of a
converter, lines that wait in a read) stands at v_clamp too, the "rest" of these two files. What was chosen (0.3 V, this
kit's choice): low, because thick-oxide NMOS with k1 = 1.6 V^0.5 carry the reads, and yet above the largest read level,
so that no rail goes below ground; converters in core transistors see 0.1 to 0.3 V. The word lines' read rail is lifted
by as much, so that the access transistors keep their gate voltage. The amplifier has its own 1.8 V supply (`ota`).

A line brings the gates of its switches along: with the 20 fF that suit a bare bit line the readout rings for 30 ns;
with C_FEEDBACK = 0.2 pF across r_feedback = 8 kohm (1.6 ns) it does not.

V_sense_U is a 0 V source that measures, in either; positive is into the unit.
"""

from collections.abc import Callable
from typing import Literal

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.ota import ota
from rramkit.circuits.readout import ReadoutParams, readout

SenseKind = Literal["ideal", "transimpedance"]
SenseBlock = Callable[[Circuit, str, str], None]
"""Adds a sense unit: circuit, the unit's name, the node that it senses. It must hold a 0 V source `V_sense_<unit>`."""
C_FEEDBACK = 0.2e-12  # F, across the feedback resistor of a unit behind the switches; this kit's choice
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
        for block in (ota(params.ota), readout(params)):
            if block.name not in circuit.subcircuit_names:
                circuit.subcircuit(block)
        circuit.V(f"_sense_{unit}", node, f"in_{unit}", 0)
        # The reset pin belongs to the integrating readout; here nothing is joined to it.
        circuit.X(f"_readout_{unit}", "readout", f"in_{unit}", "clamp", f"out_{unit}", circuit.gnd, "vdd_ota")

    return add
