"""Formatting of SI values for people: prefix, four significant digits (five of a temperature), unit."""

import math

import numpy as np

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_SHOWN = {"1": "", "degree": "\N{DEGREE SIGN}", "ohm": "\N{GREEK CAPITAL LETTER OMEGA}"}
_WITHOUT_PREFIX = ("1", "K", "degC", "degree", "%")  # units written without a prefix

DIGITS = 4


def prefixed(size: float, unit: str) -> tuple[float, str]:
    """Return the factor (1) and the prefixed unit for values up to `size` (in `unit`); the unit `1` becomes empty."""
    if unit in _WITHOUT_PREFIX or size == 0.0 or not math.isfinite(size):
        return 1.0, _SHOWN.get(unit, unit)
    exponent = 3 * math.floor(math.log10(_rounded(abs(size))) / 3)
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**exponent, _PREFIXES[exponent] + _SHOWN.get(unit, unit)


def text(value: float, unit: str, *, beside: float | None = None) -> str:
    """Return a value in SI units as text, `12.34 µS`; with the prefix of `beside` when that is given."""
    scale, label = prefixed(value if beside is None else beside, unit)
    if not math.isfinite(value):
        return f"{value} {label}".rstrip()
    return f"{_number(value / scale, _digits(unit))} {label}".rstrip()


def span(values: np.ndarray, unit: str) -> str:
    """Return the range of some values in one common prefix, `2 to 50 µS`, or the value alone when all are equal."""
    if np.size(values) == 0:
        return "none"
    low, high = float(np.min(values)), float(np.max(values))
    if low == high:
        return text(low, unit)
    scale, label = prefixed(max(abs(low), abs(high)), unit)
    ends = (_number(round(end / scale, 3) + 0.0, _digits(unit)) for end in (low, high))
    return f"{' to '.join(ends)} {label}".rstrip()


def count(number: float, of: str = "") -> str:
    """Return a whole number with thousands separators: `1,234,567`; with what is counted: `1 pulse`, `7,220 pulses`."""
    shown = f"{round(number):,}".replace("-", "\N{MINUS SIGN}")
    return f"{shown} {of}{'' if round(number) == 1 else 's'}" if of else shown


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with two decimals: `97.31 %`."""
    return f"{100.0 * fraction:.2f} %".replace("-", "\N{MINUS SIGN}")


def _digits(unit: str) -> int:
    """Return the significant digits of a unit's values: one more of temperatures, as 300.15 K is 27 degrees Celsius."""
    return DIGITS + 1 if unit == "K" else DIGITS


def _number(value: float, digits: int = DIGITS) -> str:
    """Return a number with `digits` significant digits; from 1000 on all digits before the point."""
    rounded = _rounded(value, digits)
    shown = f"{rounded:.{digits}g}" if abs(rounded) < 1e3 else f"{value:,.0f}"
    return shown.replace("-", "\N{MINUS SIGN}")


def _rounded(value: float, digits: int = DIGITS) -> float:
    """Return the value rounded to `digits` significant digits, so that 999.96 n becomes 1 µ, never 1000 n."""
    return float(f"{value:.{digits - 1}e}")
