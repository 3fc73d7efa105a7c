"""Inventory of a circuit: transistors, their active area, gate capacitance that a node drives, switching energy.

The active area of a transistor is m W (L + 2 l), l the technology's `l_diffusion`, m equal ones in parallel. The gate
capacitance is m W L eps_ox/t_ox with t_ox the card's `toxe` (`tox` in simpler ones); overlaps and junctions are left
out, so a switching energy C V^2 from it is a lower estimate. Every function takes the technology that drew the circuit,
because a transistor may be a subcircuit of the user's library.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit, Netlist

from rramkit.circuits import libraries
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.mosfet import TRANSISTOR
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

EPS_OX = 3.9 * 8.8541878128e-12  # F/m
_SCALES = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3}  # SPICE's suffixes, as far as an oxide has them


@dataclass(frozen=True)
class Transistor:
    """One transistor of the flattened circuit: where it stands, its model, its gate's node, width and length [m].

    `strip` is the length [m] of its drain and of its source, `count` how many equal ones stand in parallel.
    """

    path: str
    model: str
    gate: str
    width: float
    length: float
    strip: float
    count: int = 1

    @property
    def area(self) -> float:
        """Return the active area [m^2]."""
        return self.count * self.width * (self.length + 2 * self.strip)

    @property
    def gate_area(self) -> float:
        """Return the area of the gate [m^2]."""
        return self.count * self.width * self.length


@dataclass(frozen=True)
class Count:
    """Transistors and their active area [m^2]; sources that stand for a circuit, by their kind."""

    transistors: int
    area: float
    ideal: dict[str, int]


def transistors(circuit: Circuit, technology: Technology) -> list[Transistor]:
    """Return every transistor of a circuit, subcircuits opened up, cells of a crossbar included."""
    definitions = {cell.name: cell for cell in circuit.subcircuits}
    return list(_inside(circuit, definitions, technology, "", {}))


def count(circuit: Circuit, technology: Technology, *, periphery_only: bool = False) -> Count:
    """Count a circuit; without the array's cells where `periphery_only`."""
    found = [t for t in transistors(circuit, technology) if not (periphery_only and t.path.startswith("X_cell_"))]
    ideal: dict[str, int] = {}
    for kind, pattern in (
        ("sense unit", r"R_sense_\S+"),  # a probe's resistance; its V_sense_ measures in a unit of transistors too
        ("subtraction", r"B_sub_\S+"),
        ("activation", r"B_act_\S+"),
        ("derivative", r"B_der_\S+"),
    ):
        ideal[kind] = len({name for name in _names(circuit) if re.fullmatch(pattern, name)})
    return Count(sum(t.count for t in found), sum(t.area for t in found), ideal)


def capacitance(circuit: Circuit) -> float:
    """Return the sum of all capacitors [F] within the top level's subcircuits, the array's cells left out."""
    definitions = {cell.name: cell for cell in circuit.subcircuits}
    total = 0.0
    for words in _lines(circuit):
        if words[0][0] in "Xx" and not words[0].startswith("X_cell_") and words[-1] in definitions:
            total += _capacitance(definitions[words[-1]], definitions)
    return total


def gate_capacitances(circuit: Circuit, nodes: Iterable[str], technology: Technology) -> dict[str, float]:
    """Return the capacitance [F] of the gates that each node switches, those behind its switch's inverter included.

    Raises
    ------
    InputError
        When the technology's library states no oxide thickness in a plain `.model` card of that name.
    """
    per_area = {name: EPS_OX / t_ox for name, t_ox in oxide_thicknesses(technology.library).items()}
    on_gate: dict[str, float] = {}
    for t in transistors(circuit, technology):
        if t.model not in per_area:
            raise InputError(
                f"`library_file` must hold a `.model {t.model}` with `toxe` or `tox` for a gate's capacitance; got "
                f"{technology.library}. Use plain model cards for this account."
            )
        owner = t.gate
        if owner.endswith((".off", ".mid")):  # the inverter's output inside a switch or driver: same signal, complement
            owner = _signal(circuit, t.path)
        on_gate[owner] = on_gate.get(owner, 0.0) + t.gate_area * per_area[t.model]
    return {node: on_gate.get(node, 0.0) for node in nodes}


def switching_energy(circuit: Circuit, controls: Mapping[str, Sequence[float]], technology: Technology) -> float:
    """Return the energy [J] that the gates take while controls go through their levels [V] once round, E = C V^2 n/2.

    n counts a node's edges: at the rising ones it is charged itself, at the falling ones its complement.
    """
    energy = 0.0
    for node, c in gate_capacitances(circuit, controls, technology).items():
        levels = controls[node]
        steps = [abs(after - before) for before, after in zip(levels, [*levels[1:], levels[0]], strict=True)]
        energy += 0.5 * c * sum(step**2 for step in steps)
    return energy


def oxide_thicknesses(library: ModelFile) -> dict[str, float]:
    """Return `toxe`, else `tox`, [m] of every model card of a library file."""
    text = libraries.text(library).replace("\n+", " ")
    cards = re.findall(r"(?im)^\.model\s+(\w+)\s+[np]mos\b(.*)$", text)
    found = {name: re.findall(r"(?i)\btoxe?\s*=\s*([-+.\d]+(?:e[-+]?\d+)?)([a-z]?)", body) for name, body in cards}
    return {
        name: float(text) * _SCALES[letter.lower()] for name, all_of in found.items() for text, letter in all_of[-1:]
    }


def _signal(circuit: Circuit, path: str) -> str:
    """Return the node that an instance's `en` pin is joined to."""
    element = circuit[path.split(".")[0]]
    pins = {cell.name: cell.external_nodes for cell in circuit.subcircuits}[element.subcircuit_name]
    return str(element.nodes[list(pins).index("en")])


def _inside(
    netlist: Netlist, definitions: dict[str, Netlist], technology: Technology, path: str, outer: dict[str, str]
) -> Iterator[Transistor]:
    for words in _lines(netlist):
        name, plain = words[0], [word for word in words[1:] if "=" not in word]
        nodes = [outer.get(node, path + node) for node in plain[:-1]]
        sizes = dict(word.split("=", 1) for word in words if "=" in word)
        if name[0] in "Mm":
            width, length = float(sizes["w"]), float(sizes["l"])
            yield Transistor(
                path + name, plain[-1], nodes[1], width, length, technology.l_diffusion, int(sizes.get("m", 1))
            )
        elif name[0] in "Xx" and plain[-1] in definitions:
            cell = definitions[plain[-1]]
            pins = [str(node) for node in cell.external_nodes]
            inner = dict(zip(pins, nodes, strict=True))
            yield from _inside(cell, definitions, technology, f"{path}{name}.", inner)
        elif name.startswith(TRANSISTOR) and technology.has_subcircuits:
            of = technology.subcircuit  # any other unknown subcircuit is a device of a library, such as a ReRAM
            width, length = (float(sizes[word]) * of.unit for word in (of.width, of.length))
            gate = nodes[of.pins.index("g")]
            count = int(sizes.get(of.count, 1))
            yield Transistor(path + name, plain[-1], gate, width, length, technology.l_diffusion, count)


def _capacitance(netlist: Netlist, definitions: dict[str, Netlist]) -> float:
    total = 0.0
    for words in _lines(netlist):
        if words[0][0] in "Cc":
            total += float(words[3])
        elif words[0][0] in "Xx" and words[-1] in definitions:
            total += _capacitance(definitions[words[-1]], definitions)
    return total


def _lines(netlist: Netlist) -> Iterator[list[str]]:
    """Yield the words of every element's line."""
    for line in [str(element) for element in netlist.elements] + str(netlist.raw_spice).splitlines():
        if words := line.split():
            yield words


def _names(circuit: Circuit) -> Iterator[str]:
    yield from (str(name) for name in circuit.element_names)
    yield from (line.split()[0] for line in str(circuit.raw_spice).splitlines() if line.strip())
