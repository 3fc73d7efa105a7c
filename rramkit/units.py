"""How a number in SI units is written for people: a prefix, four significant digits, and its unit."""

import math

import numpy as np

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_WITHOUT_PREFIX = ("1", "K", "degC", "%")  # units that nobody writes with a prefix

DIGITS = 4


def prefixed(size: float, unit: str) -> tuple[float, str]:
    """Return the factor (1) and the prefixed unit that suit values up to `size` (in `unit`); `1` becomes no unit."""
    if unit in _WITHOUT_PREFIX or size == 0.0 or not math.isfinite(size):
        return 1.0, "" if unit == "1" else unit
    exponent = 3 * math.floor(math.log10(_rounded(abs(size))) / 3)
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**exponent, _PREFIXES[exponent] + unit


def text(value: float, unit: str) -> str:
    """Return a value in SI units as text: `text(1.234e-5, "S")` is `12.34 µS`."""
    if not math.isfinite(value):
        return f"{value} {unit}".removesuffix(" 1")
    scale, label = prefixed(value, unit)
    return f"{_number(value / scale)} {label}".rstrip()


def span(values: np.ndarray, unit: str) -> str:
    """Return the range of some values in one common prefix: `2 to 50 µS`."""
    low, high = float(np.min(values)), float(np.max(values))
    scale, label = prefixed(max(abs(low), abs(high)), unit)
    ends = (_number(end / scale) for end in (low, high))
    return f"{' to '.join(ends)} {label}".rstrip()


def count(number: float) -> str:
    """Return a whole number with its thousands set apart: `1,234,567`."""
    return f"{round(number):,}".replace("-", "\N{MINUS SIGN}")


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with two decimals: `97.31 %`."""
    return f"{100.0 * fraction:.2f} %".replace("-", "\N{MINUS SIGN}")


def _number(value: float) -> str:
    """Return a number with `DIGITS` significant digits, or as it is when it is a larger whole number."""
    shown = f"{value:.{DIGITS}g}" if abs(value) < 10.0**DIGITS else f"{value:,.0f}"
    return shown.replace("-", "\N{MINUS SIGN}")


def _rounded(value: float) -> float:
    """Return the value at `DIGITS` significant digits, so that 999.96 n becomes 1 µ and not 1000 n."""
    return float(f"{value:.{DIGITS - 1}e}")
