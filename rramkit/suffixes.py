"""Numbers as circuit designers type them: `1.2V`, `1200m`, `2um`, `50ns`, `10k`, `33MHz`, against a quantity's SI unit.

    f p n u m k meg g t    alone, as in SPICE: femto to tera; N U K G T MEG too, which have no other meaning
    f p n u m k M G T      before the unit; M is mega there

Refused, since two readings differ: `M` alone (milli in SPICE, mega elsewhere), `2m` of a length (milli, or metres),
`10F` of a capacitance (femto in SPICE). A unit that is not the quantity's is refused too.
"""

import re

_NUMBER = re.compile(
    r"\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+))(?:[eE](?P<exponent>[-+]?\d{1,3}))?\s*(?P<suffix>\S.{0,20})\s*"
)
_MICRO = "\N{MICRO SIGN}"
_ALONE = {"f": -15, "p": -12, "n": -9, "u": -6, _MICRO: -6, "m": -3, "k": 3, "meg": 6, "g": 9, "t": 12}
_UPPER = ("N", "U", "K", "G", "T")  # P is peta elsewhere, F the farad, M milli or mega
_BEFORE = {"f": -15, "p": -12, "n": -9, "u": -6, _MICRO: -6, "m": -3, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
_OHM = ("ohm", "Ohm", "OHM", "ohms", "\N{GREEK CAPITAL LETTER OMEGA}", "\N{OHM SIGN}")
_SPELT = {"V": ("V", "v"), "A": ("A",), "s": ("s",), "m": ("m",), "ohm": _OHM, "F": ("F",), "S": ("S",), "K": ("K",)}
_SPELT |= {"Hz": ("Hz", "hz", "HZ"), "J": ("J",), "W": ("W",)}
_AFTER_PREFIX = {"A": ("a",), "F": ("f",)}  # `1ma`, `10pf`
_CELSIUS = ("C", "c", "degC", "\N{DEGREE SIGN}C")
UNKNOWN = ("SI", "")
"""Units of a number whose unit depends on another key, or that has none written beside it."""


def number(text: str, unit: str) -> float:
    """Return the value, in `unit`, of a number with a suffix.

    Raises
    ------
    ValueError
        When the text is no number with a suffix, or the suffix is not this quantity's: the message says why.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("should be a number")
    exponent = int(match["exponent"] or 0) + _exponent(match["suffix"].strip(), match["number"], unit)
    return float(f"{match['number']}e{exponent}")  # rounded once, as if it had been written so


def has_suffix(text: str) -> bool:
    """Return whether a text is a number followed by letters or signs."""
    return _NUMBER.fullmatch(text) is not None


def _exponent(suffix: str, number: str, unit: str) -> int:
    """Return the power of ten of a suffix; raise `ValueError` where it has none, or two."""
    if suffix == "M":
        raise ValueError(
            f"should not end in M, which is milli in SPICE and mega elsewhere: write {number}m or {number}meg"
        )
    readings = set(_readings(suffix, unit))
    if len(readings) > 1:
        ways = " or ".join(f"{number}e{each}" if each else number for each in sorted(readings))
        raise ValueError(f"can be read in two ways ({ways} {unit}): write one of these")
    if not readings:
        raise ValueError(_why_not(suffix, number, unit))
    return readings.pop()


def _readings(suffix: str, unit: str) -> list[int]:
    found, alone = [], suffix if suffix in _ALONE else suffix.lower()
    is_kelvin = suffix == "K" == unit
    if suffix in _ALONE or (suffix in _UPPER and not is_kelvin) or alone == "meg":
        found.append(_ALONE[alone])
    for spelt in (*_SPELT.get(unit, (unit,)), *_AFTER_PREFIX.get(unit, ())):
        before = suffix.removesuffix(spelt)
        if unit in ("1", *UNKNOWN) or before == suffix:
            continue
        if not before and spelt not in _AFTER_PREFIX.get(unit, ()):
            found.append(0)
            found += [_ALONE[alone]] if alone in _ALONE and not is_kelvin else []  # `10F`
        elif before in _BEFORE and unit in _SPELT:
            found.append(_BEFORE[before])
        elif before.lower() == "meg" and unit in _SPELT:
            found.append(6)
    return found


def _why_not(suffix: str, number: str, unit: str) -> str:
    if unit == "K" and suffix in _CELSIUS:
        return f"should be in K: {number} degrees Celsius and 273.15"
    if unit == "1":
        return f"should be a number without unit; {suffix!r} is no prefix (f p n u m k meg g t)"
    if unit in UNKNOWN:
        return f"should be a number in SI units, a prefix at most (f p n u m k meg g t) after it; {suffix!r} is none"
    return f"should be in {unit}; {suffix!r} is neither this unit nor a prefix (f p n u m k meg g t)"
