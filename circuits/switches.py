"""Switches of the periphery: transmission gates of thick-oxide or core transistors, an ideal one, the word-line driver.

Every one has its own inverter for the complementary gate, so that what drives it is one signal at the supply's level.

The kit's thick-oxide cards have a large body effect (k1 = 1.6 V^0.5): around the middle of a 3.3 V supply both
transistors of a gate are barely on. Between a rail of 1.8 V and a cell that takes 0.1 mA a 20 um gate loses 0.28 V, a
10 um gate 0.35 V: width hardly helps; the write rail has to carry that, or the supply has to be higher.
"""

from typing import Literal

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.mosfet import Netlister, kind_of
from rramkit.circuits.technology import Technology

SwitchKind = Literal["io", "core", "ideal"]


def transmission_gate(name: str, kind: SwitchKind, technology: Technology, *, w_n: float, r_on: float) -> SubCircuit:
    """Return `.subckt NAME a b en vdd`: a joined to b while `en` is at `vdd`.

    io, core : an n transistor of width `w_n` and a p transistor twice as wide; an inverter a quarter of their size.
    ideal : a conductance of 1/r_on, 2e-9 of it when open; linear, so that a linear array stays linear.
    """
    switch = SubCircuit(name, "a", "b", "en", "vdd")
    if kind == "ideal":
        switch.raw_spice += f"B_sw a b i = v(a,b)*{1 / r_on:.12g}*0.5*(1 + tanh(20*(v(en)/v(vdd) - 0.5)))\n"
        return switch
    draw = Netlister(switch, technology)
    n, p = kind_of("n", kind), kind_of("p", kind)
    draw.mosfet("_n", ("a", "en", "b", 0), n, w=w_n)
    draw.mosfet("_p", ("a", "off", "b", "vdd"), p, w=2 * w_n)
    draw.mosfet("_inv_n", ("off", "en", "0", 0), n, w=w_n / 4)
    draw.mosfet("_inv_p", ("off", "en", "vdd", "vdd"), p, w=w_n / 2)
    return switch


def word_driver(technology: Technology, *, w_n: float) -> SubCircuit:
    """Return `.subckt word_driver en out vdd rail`: two inverters; the output stands at `rail` while `en` is at vdd."""
    driver = SubCircuit("word_driver", "en", "out", "vdd", "rail")
    draw = Netlister(driver, technology)
    draw.mosfet("_in_n", ("mid", "en", "0", 0), "nmos_io", w=w_n / 2)
    draw.mosfet("_in_p", ("mid", "en", "vdd", "vdd"), "pmos_io", w=w_n)
    draw.mosfet("_out_n", ("out", "mid", "0", 0), "nmos_io", w=w_n)
    draw.mosfet("_out_p", ("out", "mid", "rail", "rail"), "pmos_io", w=2 * w_n)
    return driver
