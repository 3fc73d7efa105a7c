"""Random functions of a library: refused where they are switched on, as each run would have other numbers.

A process kit draws its own statistics: `agauss(...)` in a model, or in a parameter that models use. It is off where
what is drawn is multiplied by a parameter that is 0, its switch: `{0.5 + mc_switch*agauss(0, 1, 1)*sigma}`, or
`.param mis_vth=agauss(0, sigma, 1)` in a subcircuit and later `delvto='mis_vth*sw_mismatch'`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Protocol

from rramkit.circuits.parameter_cards import assigned, assignments
from rramkit.errors import InputError

_FUNCTION = r"\b(?:agauss|gauss|aunif|unif|limit|sgauss|sunif)\s*\("
_BEFORE = re.compile(r"(?i)(?<![\w.])(?P<name>[a-z_]\w*)\s*\*\s*$")
_AFTER = re.compile(r"(?i)\s*\*\s*(?P<name>[a-z_]\w*)(?![\w.(])(?!\s*(?:\^|\*\*|\())")
_TARGET = re.compile(r"\s*=(?!=)")
_POWER = ("^", "**")
_WINDOW = 200  # characters before a random function in which the name of its switch is looked for


class Line(Protocol):
    """A card: where it stood, and what it says."""

    @property
    def text(self) -> str:
        """The card."""
        ...

    @property
    def where(self) -> str:
        """File and line."""
        ...


def check_random(lines: Iterable[Line]) -> None:
    """Raise `InputError` at the first line on which a random number acts.

    Parameters
    ----------
    lines : iterable of Line
        Cards of a library. Names of parameters are taken for one in every subcircuit: two of one name, one of them
        random, are both random.
    """
    lines = tuple(lines)
    settings = _settings(lines)
    drawn: set[str] = set()
    while True:
        found = re.compile(rf"(?i){_FUNCTION}" + "".join(rf"|(?<![\w.]){name}(?![\w.(])" for name in sorted(drawn)))
        fresh = {name for line, depth in _depths(lines) for name in _drawn(line, found, settings, inside=depth > 0)}
        fresh -= drawn
        if not fresh:
            return
        drawn |= fresh


def _depths(lines: Iterable[Line]) -> Iterator[tuple[Line, int]]:
    """Yield each line and how many subcircuits it stands in; a first line stands in its own."""
    depth = 0
    for line in lines:
        card = line.text.split(None, 1)[0].lower()
        depth += card == ".subckt"
        yield line, depth
        depth -= card == ".ends"


def _drawn(line: Line, found: re.Pattern[str], settings: dict[str, set[str]], *, inside: bool) -> Iterator[str]:
    """Yield the parameters of a subcircuit that are random by a `.param` card; raise `InputError` for another card."""
    owners: list[tuple[str, int, int]] = []
    for match in found.finditer(line.text):
        if _TARGET.match(line.text, match.end()):
            continue  # where a parameter gets its value
        switches = list(_switches(line.text, match))
        if any(_is_zero(name, settings) for name in switches):
            continue
        owners = owners or assigned(line.text)
        index = bisect_right(owners, match.start(), key=lambda each: each[1]) - 1
        if not inside or not line.text.lower().startswith(".param") or index < 0:
            raise _refusal(line, match, switches, settings)
        yield owners[index][0]


def _switches(text: str, match: re.Match[str]) -> Iterator[str]:
    """Yield the names that a random number is multiplied by, right before it and right after it."""
    head = text[max(0, match.start() - _WINDOW) : match.start()]
    before = _BEFORE.search(head)
    if before and not head[: before.start()].rstrip().endswith(_POWER):
        yield before["name"].lower()
    after = _AFTER.match(text, _closed(text, match.end()) if match[0].endswith("(") else match.end())
    if after:
        yield after["name"].lower()


def _closed(text: str, start: int) -> int:
    """Return the place behind the `)` that closes the `(` before `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index + 1
    return len(text)


def _settings(lines: Iterable[Line]) -> dict[str, set[str]]:
    """Return what each parameter is set to: the last value outside subcircuits, which ngspice takes, and all inside."""
    last: dict[str, str] = {}
    inside: dict[str, set[str]] = {}
    for line, depth in _depths(lines):
        if line.text.lower().startswith((".param", ".subckt")):
            given = assignments(line.text)
            if depth:
                for name, value in given.items():
                    inside.setdefault(name, set()).add(value.lower())
            else:
                last |= {name: value.lower() for name, value in given.items()}
    return {name: inside.get(name, set()) | ({last[name]} if name in last else set()) for name in {*last, *inside}}


def _is_zero(name: str, settings: dict[str, set[str]], depth: int = 0) -> bool:
    """Whether a parameter is 0 wherever it is set, by itself or by the name of another one."""
    known = settings.get(name, set())
    zeros = (_number(value) == 0 or (depth < 10 and _is_zero(value, settings, depth + 1)) for value in known)
    return bool(known) and all(zeros)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _refusal(line: Line, match: re.Match[str], switches: list[str], settings: dict[str, set[str]]) -> InputError:
    what = line.text[match.start() : match.start() + 20]
    cure = "Multiply it by a parameter that is 0"
    if switches:
        name = switches[0]
        state = " and ".join(sorted(settings[name])) if name in settings else "not set"
        cure = f"Its switch `{name}` is {state}: nest the library in a file of your own with `.param {name}=0`"
    return InputError(
        f"{line.where}: a random function that is switched on, `{what}...`: each run would have other numbers. {cure}; "
        "the kit draws mismatch itself."
    )
