"""Numbers as SPICE writes them."""

import re

_SUFFIXES = {
    "t": 1e12,
    "g": 1e9,
    "meg": 1e6,
    "k": 1e3,
    "mil": 25.4e-6,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
}
_NUMBER = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*")


def spice_number(word: str) -> float:
    """Return the value of a SPICE number such as `50n`, `1.5meg`, `2e-9s`, `1a`; NaN when it is an expression."""
    match = _NUMBER.fullmatch(word.lower())
    return float(match[1]) * _SUFFIXES.get(match[2], 1.0) if match else float("nan")
