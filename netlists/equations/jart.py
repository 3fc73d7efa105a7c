"""JART VCM v1b (doi:10.1109/TCSI.2020.3018502), explicit current (doi:10.1109/SMACD58065.2023.10192107).

The equations are in the source's own sign: u = -v, SET at u < 0. n in 1e26/m3, lengths of the parameters in nm.
"""

from collections.abc import Mapping, Sequence
from math import asin, exp, log, pi, sqrt

from rramkit.netlists.equations import Equations

K_B, Q = 1.380649e-23, 1.602176634e-19  # SI, exact
Z = 2  # charge number of a vacancy


def explicit_current(u: float, x: float) -> float:
    """I(u, x) [A], x = ln(n/4e-3)."""
    if u > 0:
        p5 = 1.3769e-3 * (1 - exp(-8.1819e-2 * u))
        p6, p7 = 0.19687 - 0.021833 * u, -97.606 + 7.825 * u + 99.296 * exp(-0.071092 * u)
        p8, p10 = 0.11713 + 0.08137 * u, 0.97733 + 0.035214 * u + 0.012856 * u**2
        p11 = 0.94207 + 0.038953 * u + 0.023436 * u**2
        return p5 / (p6 + p7 * (p8 * exp(x)) ** -p10) ** (1 / p11)
    p1 = 1.1830 * (-2.7034e-3 * u - 4.5379e-6 * u**2) / (1 + 0.99115 * u + 0.44093 * u**2)
    p2, p3, p4 = -2595.5, 6.8845 - 0.58995 * u, 2589.0 + 2.9537 * exp(0.54031 * u)
    p5 = 6.4705e-4 * u + 5.1529e-5 * u**2
    p9 = 3.9052 + (9.6130 - 3.9052) / (1 + exp((u + 0.45637) / 1.4310))
    p10 = 0.46925 + (3.4731 - 0.46925) / (1 + exp((u + 1.1871) / 0.56947))
    p11 = 1 / (10.667 + (0.12812 - 10.667) / (1 + exp((u - 0.74414) / 0.42381)))
    logistic = p5 / (1 + 0.11708 * exp(x - p9) ** -p10) ** (1 / p11)
    return p1 * (p2 * (exp((x - p3) / p4) - 1) + x - p3) + logistic


def concentration(p: Mapping[str, float], s: float) -> float:
    """Return n = n_min (n_max/n_min)^s [1e26/m3]."""
    return p["n_min"] * (p["n_max"] / p["n_min"]) ** s


def current(p: Mapping[str, float], v: float, s: float) -> float:
    """Return the current from te to be [A]."""
    return -explicit_current(-v, log(concentration(p, s) / 4e-3))


def rate(p: Mapping[str, float], v: float, y: Sequence[float]) -> list[float]:
    """Return ds/dt = dn/dt/(n ln(n_max/n_min)) [1/s]."""
    n, u = concentration(p, y[0]), -v
    i = -current(p, v, y[0])
    area = pi * (p["r_fil"] * 1e-9) ** 2
    inner = u - i * (p["r_tiox"] + p["r_0"] * (1 + p["r_0"] * p["alpha_line"] * i**2 * p["r_th_line"]))
    r_heat = p["r_th"] * (45 / p["r_fil"]) ** 2 * (1 if u < 0 else p["r_th_scaling"])
    kt = K_B * (p["t_amb"] + i * inner * r_heat)
    field = i / (n * 1e26 * Z * Q * p["mu_n"] * area) if u < 0 else inner / (p["l_cell"] * 1e-9)
    limit = 1 - (n / p["n_max"]) ** 10 if u < 0 else 1 - (p["n_min"] / n) ** 10
    g = Z * field * p["a_hop"] * 1e-9 / (pi * p["w_a"])
    flat, tilt = sqrt(1 - g**2) + g * asin(g), g * pi / 2
    hops = exp(-p["w_a"] * Q * (flat - tilt) / kt) - exp(-p["w_a"] * Q * (flat + tilt) / kt)
    dn = -(p["n_plug"] + n) / 2 * p["a_hop"] / p["l_disc"] * p["nu_0"] * hops * limit
    return [dn / (n * log(p["n_max"] / p["n_min"]))]


EQUATIONS = Equations(current, rate)
