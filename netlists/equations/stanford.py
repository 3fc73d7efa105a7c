"""Stanford/ASU filament gap: v1.0.0 (doi:10.4231/D37H1DN48) and TED 63(5) 1884 (doi:10.1109/TED.2016.2545412)."""

from collections.abc import Mapping, Sequence
from math import exp, log, sinh, tanh

import numpy as np

from rramkit.netlists.equations import Equations, NoiseEquations

K_EV = 8.617333262e-5  # Boltzmann constant [eV/K], CODATA 2018
WINDOW = 0.01  # width of the kit's one-sided windows
SPEED_MAX = 1e4  # the kit's bound on the speed of the gap [m/s]
FIELD_WIDTH = 0.014  # width of the kit's smooth field threshold [V/nm]


def gap(p: Mapping[str, float], s: float) -> float:
    """Gap of a state [nm]."""
    return p["gap_max"] - (p["gap_max"] - p["gap_min"]) * s


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return i = i_0 exp(-gap/g_0) sinh(v/v_0) [A]."""
    return p["i_0"] * exp(-gap(p, s) / p["g_0"]) * sinh(v / p["v_0"])


def temperature(p: Mapping[str, float], v: float, s: float) -> float:
    """T = t_amb + v i r_th [K]."""
    return p["t_amb"] + v * current(p, v, s) * p["r_th"]


def local_field(p: Mapping[str, float], v: float, s: float) -> float:
    """Return gamma |v|/tox [V/nm], gamma = gamma_set - beta_set gap^alpha (or of RESET), never below 0."""
    side = "set" if v > 0 else "reset"
    gamma = p[f"gamma_{side}"] - p[f"beta_{side}"] * max(gap(p, s), 0) ** p["alpha"]
    return max(gamma, 0) * abs(v) / p["tox"]


def gate(p: Mapping[str, float], v: float, s: float) -> float:
    """Return the kit's smooth field threshold: 0 where the gap rests, 1 where it moves."""
    return 0.5 * (1 + tanh((local_field(p, v, s) - p["f_min"]) / FIELD_WIDTH))


def span(p: Mapping[str, float]) -> float:
    """Return the range of the gap [nm]."""
    return p["gap_max"] - p["gap_min"]


def voltage(p: Mapping[str, float], i: float, s: float) -> float:
    """Return v = v_0 asinh(i exp(gap/g_0)/i_0) [V], the inverse of the current."""
    return p["v_0"] * float(np.arcsinh(i * np.exp(gap(p, s) / p["g_0"]) / p["i_0"]))


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Return ds/dt = nu_0 exp(-e_a/kT) sinh(gamma a_0/tox v/kT)/(gap_max - gap_min), bounded smoothly [1/s]."""
    s, field = y[0], local_field(p, v, y[0])
    kt = K_EV * temperature(p, v, s)
    gate = 0.5 * (1 + tanh((field - p["f_min"]) / FIELD_WIDTH))
    window = tanh((1 - s if v > 0 else s) / WINDOW)
    barrier, gain = -p["e_a"] / kt, p["a_0"] * field / kt
    top = log(2 * SPEED_MAX / p["nu_0"])
    speed = (
        p["nu_0"] * 1e9 / (p["gap_max"] - p["gap_min"]) * 0.5 * (exp(min(barrier + gain, top)) - exp(barrier - gain))
    )
    return [speed * gate * window * (1 if v > 0 else -1)]


EQUATIONS = Equations(current, rate, noise=NoiseEquations(temperature, gate, span, voltage))
