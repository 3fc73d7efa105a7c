"""Transistors and the two gates that the logic is made of: one line each, junctions included.

A MOS transistor's drain and source are strips of length `Technology.l_diffusion` along its width W: area W l, perimeter
2 (W + l). Without them the models count little of the junctions' capacitance.

Every transistor of every circuit is drawn here, so that a technology whose transistors are subcircuits (`Subcircuit` in
`technology`) drops in: an `M` line of a model becomes an `X` line with the subcircuit's own pins and units.
"""

from dataclasses import dataclass

from PySpice.Spice.Netlist import Netlist

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
        if tech.device == "subcircuit":
            sizes = tech.subcircuit.sizes(w, drawn, m, l_strip=tech.l_diffusion if strips else 0.0)
            by_pin = dict(zip("dgsb", nodes, strict=True))
            pins = [by_pin[pin] for pin in tech.subcircuit.pins]
            self.into.X(TRANSISTOR[1:] + name.removeprefix("_"), getattr(tech, kind), *pins, **sizes)
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
