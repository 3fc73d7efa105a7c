"""Instances of subcircuits: what ngspice passes over without a word, found in the text of a deck.

An `X` line may give parameters that its subcircuit does not have, on its first line or by `.param` inside (sky130's
sizes stand there): ngspice drops them. Its `m=` multiplies what stands
in the subcircuit by writing `m=` on each line there, in the place of one that stands there already (ngspice 46: `m=3`
inside of `m=2` gives 2), and a current-controlled source (`F`, `H`, `W`) sees the multiplied current once more. Where
`m` is a parameter of the subcircuit, it is one like any other, and multiplies nothing by itself.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rramkit.circuits.model_text import Line
from rramkit.circuits.parameter_cards import assignments

_QUOTED = re.compile(r"'[^']*'|\{[^{}]*\}")
_ASSIGNED = re.compile(r"\s*=\s*")
_INHERITED = ("1", "{m}", "'m'", "m")  # values of m on an inner line that its replacement leaves right
_BY_CURRENT = "fhw"
_M_OF_LINE = re.compile(r"\bm\s*=")
_USES_M = re.compile(r"\bm\b")


@dataclass(frozen=True)
class Fault:
    """An instance that would not be simulated as it is written: where, and what is wrong."""

    line: Line
    text: str

    def __str__(self) -> str:
        return f"{self.line.where}: {self.text}"


@dataclass
class _Subcircuit:
    """What a subcircuit takes, with the values that it has by itself, and what it holds."""

    parameters: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


def instance_faults(instances: Iterable[Line], definitions: Iterable[Line]) -> Iterator[Fault]:
    """Yield what is wrong with the `X` lines among `instances`.

    Parameters
    ----------
    instances : iterable of Line
        Lines of a circuit, also those of its subcircuits.
    definitions : iterable of Line
        Lines that hold the subcircuits; an instance of one that is not there is passed over: ngspice refuses it.
    """
    known = _subcircuits(definitions)
    for line in instances:
        if line.text[0] not in "xX":
            continue
        name, given = _call(line.text)
        if name not in known:
            continue
        own = known[name].parameters
        strange = [each for each in given if each != "m" and each not in own]
        if strange:
            yield Fault(line, f"`{line.text.split()[0]}` gives `{strange[0]}`, which `{name}` does not take")
        if given.get("m", "1") not in _INHERITED:
            found = _unused(name, known) if "m" in own else _multiplied(name, known, own | given, frozenset())
            yield from (Fault(line, text) for text in found)


def _unused(name: str, known: dict[str, _Subcircuit]) -> Iterator[str]:
    """Yield a subcircuit that takes `m` as a parameter and holds no line that uses it."""
    if not any(_USES_M.search(_M_OF_LINE.sub("", line.text.lower())) for line in known[name].lines):
        yield f"`m=` of this line would do nothing: `{name}` takes `m` as a parameter and does not use it"


def _multiplied(
    name: str, known: dict[str, _Subcircuit], values: dict[str, str], above: frozenset[str]
) -> Iterator[str]:
    """Yield what in a subcircuit, and in those that it holds, `m=` of its instance would get wrong.

    `values` are the parameters of the instance: an inner `m` that is one of them, and 1, is replaced without harm.
    """
    for line in known[name].lines:
        inner, given = _call(line.text)
        own = given.get("m", "1")
        if own not in _INHERITED and values.get(own.strip("{}'")) != "1":
            yield f"`m=` of this line would replace that of `{line.text[:40]}` in `{name}`, not multiply it"
            return
        if line.text[0].lower() in _BY_CURRENT:
            yield f"`m=` of this line would count twice in `{line.text[:40]}` of `{name}`"
            return
        if line.text[0] in "xX" and inner in known and inner not in above:
            yield from _multiplied(inner, known, known[inner].parameters | given, above | {name})


def _subcircuits(lines: Iterable[Line]) -> dict[str, _Subcircuit]:
    """Return the subcircuits by name, in lower case; parameters of several with one name are joined."""
    known: dict[str, _Subcircuit] = {}
    inside: list[str] = []
    for line in lines:
        card = line.text.split(None, 1)[0].lower()
        if card == ".subckt":
            inside.append((line.text.split(None, 2)[1:2] or [""])[0].lower())
            known.setdefault(inside[-1], _Subcircuit()).parameters.update(_call(line.text)[1])
        elif card == ".ends":
            inside = inside[:-1]
        elif inside and card in (".param", ".params"):
            known[inside[-1]].parameters.update(assignments(line.text.lower()))
            known[inside[-1]].lines.append(line)
        elif inside and not card.startswith("."):
            known[inside[-1]].lines.append(line)
    return known


def _call(text: str) -> tuple[str, dict[str, str]]:
    """Return the last word before the parameters, and the parameters with their values, all in lower case."""
    quoted: list[str] = []

    def kept(match: re.Match[str]) -> str:
        quoted.append(re.sub(r"\s", "", match[0]))
        return f"\0{len(quoted) - 1}\0"

    words = _ASSIGNED.sub("=", _QUOTED.sub(kept, text.lower())).split()
    given = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [word for word in words if "=" not in word and not word.endswith(":")]
    values = {name: re.sub(r"\0(\d+)\0", lambda match: quoted[int(match[1])], value) for name, value in given.items()}
    return plain[-1] if plain else "", values
