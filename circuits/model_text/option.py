"""Options that a library sets, and numbers as ngspice writes them."""

import math
import re
from collections.abc import Iterator

_OPTION = re.compile(r"(?i)(\w+)(?:=([^\s=]+))?")
_NUMBER = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*")
_SUFFIX_OF = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12} | {
    "f": 1e-15,
    "a": 1e-18,
    "mil": 25.4e-6,
}


def settings(text: str) -> Iterator[tuple[str, float]]:
    """Yield name (lower case) and value of each option on a line; 1 for one without, nan for one that is no number."""
    _, *rest = re.sub(r"\s*=\s*", "=", text).split(None, 1)
    for match in _OPTION.finditer("".join(rest)):
        yield match[1].lower(), 1.0 if match[2] is None else number(match[2])


def number(text: str) -> float:
    """Return a number as ngspice writes it, `1.0u` or `1e-6`; nan for anything else."""
    match = _NUMBER.fullmatch(text.lower().strip("'{}"))
    return float(match[1]) * _SUFFIX_OF[match[2] or ""] if match else math.nan
