"""A subcircuit of a library: its pins, the defaults of its parameters, its lines."""

import itertools
import re
from dataclasses import dataclass

from rramkit.circuits.model_text.definitions import blocks
from rramkit.circuits.model_text.line import Line
from rramkit.circuits.model_text.text import ModelText
from rramkit.circuits.parameter_cards import assignments


@dataclass(frozen=True)
class Subcircuit:
    """One subcircuit outside any other: pins and parameters of its first line, and the lines inside."""

    name: str
    pins: tuple[str, ...]
    defaults: dict[str, str]
    body: tuple[Line, ...]


def subcircuits(flat: ModelText) -> dict[str, Subcircuit]:
    """Return the subcircuits of a library by name; names of subcircuits, pins and parameters in lower case."""
    found = [block for _, block in blocks(flat.lines) if block[0].text.lower().startswith(".subckt")]
    return {name: _subcircuit(name, block) for block in found for name in [block[0].text.split(None, 2)[1].lower()]}


def _subcircuit(name: str, block: list[Line]) -> Subcircuit:
    words = re.sub(r"\s*=\s*", "=", block[0].text.lower()).split()[2:]
    pins = itertools.takewhile(lambda word: "=" not in word and word != "params:", words)
    defaults = assignments(block[0].text)
    depth = 0
    for line in block[1:-1]:
        card = line.text.split(None, 1)[0].lower()
        depth += (card == ".subckt") - (card == ".ends")
        if depth == 0 and card in (".param", ".params"):  # ngspice takes it as one of the first line
            defaults |= assignments(line.text)
    return Subcircuit(name, tuple(pins), defaults, tuple(block[1:-1]))
