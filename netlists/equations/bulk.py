"""Bulk-switching b-RRAM: the equations of netlists/rram_bulk.lib (this kit's choice, see there)."""

from collections.abc import Mapping, Sequence
from math import exp, sinh

from rramkit.netlists.equations import Equations


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return i = (g_min + (g_max - g_min) s) v_nl sinh(v/v_nl) [A]."""
    return (p["g_min"] + (p["g_max"] - p["g_min"]) * s) * p["v_nl"] * sinh(v / p["v_nl"])


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Soft bound times a rate exponential in voltage, less the same at 0 V [1/s]."""
    s = y[0]
    if v > 0:
        barrier, v_kin = p["v_set"] + p["dv_set"] * s, p["v_kin_set"]
        return [(1 - s) / p["t_kin"] * (exp((v - barrier) / v_kin) - exp(-barrier / v_kin))]
    barrier, v_kin = p["v_reset"] + p["dv_reset"] * (1 - s), p["v_kin_reset"]
    return [-s / p["t_kin"] * (exp((-v - barrier) / v_kin) - exp(-barrier / v_kin))]


EQUATIONS = Equations(current, rate)
