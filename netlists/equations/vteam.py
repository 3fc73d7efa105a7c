"""VTEAM (doi:10.1109/TCSII.2015.2433536), its voltage turned round: SET at v > 0."""

from collections.abc import Mapping, Sequence
from math import tanh

from rramkit.netlists.equations import Equations

WINDOW = 0.01  # width of the kit's one-sided windows


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return i = v/r, r between r_off and r_on linear (law = 0) or geometric (law = 1) in s [A]."""
    if p["law"] > 0.5:
        return v / (p["r_on"] * (p["r_off"] / p["r_on"]) ** (1 - s))
    return v / max(p["r_off"] + (p["r_on"] - p["r_off"]) * s, p["r_on"] / 2)  # the bound acts past s = 1 only


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Return dx/dt = k (u/v_threshold - 1)^a beyond the threshold; s falls as x rises [1/s]."""
    u, length = -v, p["w_off"] - p["w_on"]
    if u < p["v_on"]:
        return [-p["k_on"] * (u / p["v_on"] - 1) ** p["a_on"] / length * tanh((1 - y[0]) / WINDOW)]
    if u > p["v_off"]:
        return [-p["k_off"] * (u / p["v_off"] - 1) ** p["a_off"] / length * tanh(y[0] / WINDOW)]
    return [0.0]


EQUATIONS = Equations(current, rate)
