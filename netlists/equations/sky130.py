"""sky130 ReRAM: filament thickness f and temperature T (SkyWater sky130_fd_pr_reram, Apache-2.0)."""

from collections.abc import Mapping, Sequence
from math import exp, log, sinh, tanh

from rramkit.netlists.equations import Equations

K_EV = 8.617333262e-5  # Boltzmann constant [eV/K], CODATA 2018
WINDOW = 0.001  # width of the kit's one-sided windows, which hold s within 0 to 1 as the source does
SPEED_MAX = 1e4  # the kit's bound on the speed of growth and of rupture [m/s]


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return i = i_k1 exp(-(tox - f)/(tox - tf_ref)) sinh(v/v_ref) [A]."""
    f = p["tf_min"] + (p["tf_max"] - p["tf_min"]) * s
    return p["i_k1"] * exp(-(p["tox"] - f) / (p["tox"] - p["tf_ref"])) * sinh(v / p["v_ref"])


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Return ds/dt [1/s] and du/dt [1/s], u = (T - t_amb)/100 K."""
    s, u = y
    f = p["tf_min"] + (p["tf_max"] - p["tf_min"]) * s
    kt = K_EV * (p["t_amb"] + 100 * u)
    drive = (p["gamma_k0"] + p["gamma_k1"] * (p["tox"] - f) ** 3) * p["a0"] / p["tox"] * v
    top = log(SPEED_MAX / p["velocity_k1"])
    grow = exp(min((-p["ea_g"] + drive) / kt, top)) * tanh((1 - s) / WINDOW)
    shrink = exp(min((-p["ea_r"] - drive) / kt, top)) * tanh(s / WINDOW)
    heat = v * current(p, v, s) / p["c_th"] / 100 - u / p["tau_th"]
    return [p["velocity_k1"] * 1e9 / (p["tf_max"] - p["tf_min"]) * (grow - shrink), heat]


EQUATIONS = Equations(current, rate, others=(0.0,))
