"""MOS transistors, logic gates and switches: one line a transistor, junctions included.

A MOS transistor's drain and source are strips of length `Technology.l_diffusion` along its width W: area W l, perimeter
2 (W + l). Without them the models count little of the junctions' capacitance.

Every transistor of every circuit is drawn here, so that a technology whose transistors are subcircuits (`Subcircuit` in
`technology`) drops in: an `M` line of a model becomes an `X` line with the subcircuit's own pins and units.

Each switch has its own inverter for the complementary gate, so that one signal at the supply's level drives it. The
kit's thick-oxide cards have a large body effect (k1 = 1.6 V^0.5): around the middle of a 3.3 V supply both transistors
of a transmission gate are barely on. Between a rail of 1.8 V and a cell that takes 0.1 mA a 20 um gate loses 0.28 V, a
10 um gate 0.35 V: width hardly helps; the write rail has to carry that, or the supply has to be higher.
"""

from dataclasses import dataclass
from typing import Literal

from PySpice.Spice.Netlist import Netlist, SubCircuit

from rramkit.circuits.technology import ModelName, Technology

Pins = tuple[str, str, str, str | int]
"""Nodes of drain, gate, source and bulk."""
TRANSISTOR = "Xmos_"  # how the name of a transistor that is a subcircuit begins
_KINDS: dict[str, ModelName] = {
    "n core": "nmos_core",
    "p core": "pmos_core",
    "n io": "nmos_io",
    "p io": "pmos_io",
}


def kind_of(channel: str, oxide: str) -> ModelName:
    """Return the kind of a transistor with an `n` or `p` channel and `core` or `io` oxide."""
    return _KINDS[f"{channel} {oxide}"]


@dataclass(frozen=True)
class Netlister:
    """Draws transistors of one technology into a circuit or subcircuit."""

    into: Netlist
    technology: Technology

    def mosfet(
        self, name: str, nodes: Pins, kind: ModelName, *, w: float, length: float = 0.0, m: int = 1, strips: bool = True
    ) -> None:
        """Add a transistor: nodes drain, gate, source, bulk; width `w` [m]; `length` [m], 0: default; `m` of them.

        `strips` says whether drain and source have their strips (the cell's access transistor is drawn without).
        """
        tech = self.technology
        drawn = length or (tech.l_io if kind.endswith("io") else tech.l_core)
        if tech.kind_of(kind) == "subcircuit":
            sizes = tech.subcircuit.sizes(w, drawn, m, l_strip=tech.l_diffusion if strips else 0.0)
            by_pin = dict(zip("dgsb", nodes, strict=True))
            pins = [by_pin[pin] for pin in tech.subcircuit.pins]
            for index in range(m if not tech.subcircuit.count else 1):
                which = name.removeprefix("_") + (f"__{index + 1}" if index else "")
                self.into.X(TRANSISTOR[1:] + which, getattr(tech, kind), *pins, **sizes)
            return
        more: dict[str, float] = {"m": m} if m != 1 else {}
        if strips:
            area, edge = w * tech.l_diffusion, 2 * (w + tech.l_diffusion)
            more |= {"drain_area": area, "source_area": area, "drain_perimeter": edge, "source_perimeter": edge}
        self.into.M(name, *nodes, model=getattr(tech, kind), width=w, length=drawn, **more)

    def inverter(self, name: str, nodes: tuple[str, str, str], *, w_n: float, w_p: float, core: bool = False) -> None:
        """Add an inverter: nodes input, output, supply; widths of its two transistors [m]."""
        source, out, supply = nodes
        self.mosfet(f"n_{name}", (out, source, "0", 0), "nmos_core" if core else "nmos_io", w=w_n)
        self.mosfet(f"p_{name}", (out, source, supply, supply), "pmos_core" if core else "pmos_io", w=w_p)

    def nand(self, name: str, nodes: tuple[str, str, str, str], *, w: float) -> None:
        """Add a core-logic NAND, all its transistors `w` [m] wide: nodes two inputs, output, supply."""
        first, second, out, supply = nodes
        self.mosfet(f"na_{name}", (out, first, f"stack_{name}", "0"), "nmos_core", w=w)
        self.mosfet(f"nb_{name}", (f"stack_{name}", second, "0", 0), "nmos_core", w=w)
        for side, gate in (("a", first), ("b", second)):
            self.mosfet(f"p{side}_{name}", (out, gate, supply, supply), "pmos_core", w=w)


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
