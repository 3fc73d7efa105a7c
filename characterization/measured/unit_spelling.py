"""Units as people spell them in column names: prefix and base to factor and SI unit.

`uS`, `kOhm`, `micro siemens`, `1/kohm`, `uA/V`, `10^-6 S`, `msec`. Case tells prefixes and symbols apart where it must:
`mS` is no `MS`, and `us` is a time. Nothing is guessed: a spelling that is not known has no meaning here.
"""

import re

_SIGNS = {
    "\N{MICRO SIGN}": "u",
    "\N{GREEK SMALL LETTER MU}": "u",
    "\N{GREEK CAPITAL LETTER OMEGA}": "ohm",
    "\N{OHM SIGN}": "ohm",
    "\N{MINUS SIGN}": "-",
    "\N{SUPERSCRIPT MINUS}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "",
}
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_SIGNS |= {sign: str(digit) for digit, sign in enumerate(_SUPERSCRIPTS)}
_PREFIXES = {"a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
_PREFIX_WORDS = {"femto": -15, "pico": -12, "nano": -9, "micro": -6, "milli": -3, "kilo": 3, "mega": 6, "giga": 9}
_SYMBOLS = {"S": "S", "V": "V", "A": "A", "s": "s", "ohm": "ohm", "Ohm": "ohm", "OHM": "ohm"}
_WORDS = {"siemens": "S", "mho": "S", "mhos": "S", "ohms": "ohm", "volt": "V", "volts": "V", "amp": "A", "amps": "A"}
_WORDS |= {"ampere": "A", "amperes": "A", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "ohm": "ohm"}
_ARBITRARY = ("", "1", "-", "#", "a.u.", "a.u", "au", "arb. u.", "arb.u.", "arb. units", "arb", "norm", "norm.")
_ARBITRARY += ("normalized", "normalised", "arbitrary units")
_POWER = re.compile(r"^(?:[x*]?10\^?|[x*]?1e)([+-]?\d{1,2})[*x]?(?=[^\d])(.+)$")


def parsed(text: str) -> tuple[float, str] | None:
    """Return the factor to SI and the SI unit (S, ohm, V, A, s) of a spelling; None where it is none."""
    plain = "".join(_SIGNS.get(letter, letter) for letter in text.strip())
    plain = re.sub(r"[\s_]+", "", plain)
    power = _POWER.match(plain)
    if power:
        rest = _quotient(power[2])
        return None if rest is None else (10.0 ** int(power[1]) * rest[0], rest[1])
    return _quotient(plain)


def is_arbitrary(text: str) -> bool:
    """Return whether a text says that numbers have no unit, or says nothing."""
    return text.strip().lower() in _ARBITRARY


def _quotient(text: str) -> tuple[float, str] | None:
    above, stroke, below = text.partition("/")
    if stroke:
        bottom = _one(below)
        if bottom is None:
            return None
        if above == "1" and bottom[1] == "ohm":
            return 1.0 / bottom[0], "S"
        top = _one(above)
        if top is None or (top[1], bottom[1]) not in (("A", "V"), ("V", "A")):
            return None
        return top[0] / bottom[0], "S" if top[1] == "A" else "ohm"
    inverse = re.sub(r"\^?-1$", "", text)
    one = _one(inverse)
    if one is not None and inverse != text:
        return (1.0 / one[0], "S") if one[1] == "ohm" else None
    return one


def _one(text: str) -> tuple[float, str] | None:
    for symbol, si in _SYMBOLS.items():
        prefix = text.removesuffix(symbol)
        if prefix != text and prefix in _PREFIXES:
            return 10.0 ** _PREFIXES[prefix], si
    low = text.lower()
    for word, si in _WORDS.items():
        head = low.removesuffix(word)
        if head != low and head in _PREFIX_WORDS:
            return 10.0 ** _PREFIX_WORDS[head], si
        if head != low and text[: len(head)] in _PREFIXES:
            return 10.0 ** _PREFIXES[text[: len(head)]], si
    return None
