"""Transistors and the two gates that the logic is made of: one line each, junctions included.

A MOS transistor's drain and source are strips of length `Technology.l_diffusion` along its width W:
area W l, perimeter 2 (W + l). Without them the models count no junction capacitance.
"""

from dataclasses import dataclass

from PySpice.Spice.Netlist import Netlist

from rramkit.circuits.technology import ModelName, Technology


@dataclass(frozen=True)
class Draw:
    """Draws transistors of one technology into a circuit or subcircuit."""

    into: Netlist
    technology: Technology

    def mosfet(
        self,
        name: str,
        nodes: tuple[str, str, str, str | int],
        kind: ModelName,
        *,
        w: float,
        length: float = 0.0,
        m: int = 1,
    ) -> None:
        """Add a transistor: nodes drain, gate, source, bulk; width `w` [m]; `length` [m], 0: default; `m` of them."""
        tech = self.technology
        drawn = length or (tech.l_io if kind.endswith("io") else tech.l_core)
        area, edge = w * tech.l_diffusion, 2 * (w + tech.l_diffusion)
        self.into.M(
            name, *nodes, model=getattr(tech, kind), width=w, length=drawn, m=m,
            drain_area=area, source_area=area, drain_perimeter=edge, source_perimeter=edge,
        )  # fmt: skip

    def inverter(self, name: str, nodes: tuple[str, str, str], *, w_n: float, w_p: float, core: bool = False) -> None:
        """Add an inverter: nodes input, output, supply; widths of its two transistors [m]."""
        source, out, supply = nodes
        self.mosfet(f"n_{name}", (out, source, "0", 0), "nmos_core" if core else "nmos_io", w=w_n)
        self.mosfet(f"p_{name}", (out, source, supply, supply), "pmos_core" if core else "pmos_io", w=w_p)

    def nand(self, name: str, nodes: tuple[str, str, str, str], *, w: float) -> None:
        """Add a core-logic NAND, all its transistors `w` [m] wide: nodes two inputs, output, supply."""
        first, second, out, supply = nodes
        self.mosfet(f"na_{name}", (out, first, f"stack_{name}", 0), "nmos_core", w=w)
        self.mosfet(f"nb_{name}", (f"stack_{name}", second, "0", 0), "nmos_core", w=w)
        for side, gate in (("a", first), ("b", second)):
            self.mosfet(f"p{side}_{name}", (out, gate, supply, supply), "pmos_core", w=w)
