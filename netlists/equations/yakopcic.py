"""Yakopcic et al. (doi:10.1109/LED.2011.2163292) with eta = 1."""

from collections.abc import Mapping, Sequence
from math import exp, sinh

from rramkit.netlists.equations import Equations


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return i = a s sinh(b v) [A], a = a_1 for v >= 0, a_2 below."""
    return (p["a_1"] if v >= 0 else p["a_2"]) * max(s, 0) * sinh(p["b"] * v)


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Return dx/dt = g(v) f(x) [1/s]."""
    x = y[0]
    if v > p["v_p"]:
        over = x - p["x_p"]
        window = exp(-p["alpha_p"] * over) * (1 - over / (1 - p["x_p"])) if over >= 0 else 1.0
        return [p["a_p"] * (exp(v) - exp(p["v_p"])) * window]
    if v < -p["v_n"]:
        window = exp(p["alpha_n"] * (x + p["x_n"] - 1)) * x / (1 - p["x_n"]) if x <= 1 - p["x_n"] else 1.0
        return [-p["a_n"] * (exp(-v) - exp(p["v_n"])) * window]
    return [0.0]


EQUATIONS = Equations(current, rate)
