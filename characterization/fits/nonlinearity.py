"""Nonlinearity of a pulse train in the label of NeuroSim: how far conductance against pulse number bends.

    y(x) = (1 - exp(-x/a)) / (1 - exp(-1/a)),   g = g_first + (g_last - g_first) y(x)

    x  pulse number over the number of pulses (0 to 1)    y  conductance over its range (0 to 1)
    a  the bend (1): small is strongly bent, infinite is straight

The label is NL = max_x(y - x)/0.09899 (device-models of MLP+NeuroSim V3.0, where it stands as a table; the closed form
is derived from its equations): 0 straight, 9 a step. The largest deviation lies where y' = 1, x = -a ln(a (1 -
exp(-1/a))). Here NL > 0 says that the first pulses of the train change most, whichever way it goes; NL < 0 that the
last ones do (`a` < 0).
"""

import numpy as np
from scipy.optimize import brentq

from rramkit.characterization.fits.estimate import Estimate, Start, estimate
from rramkit.errors import InputError

LABEL_UNIT = 0.09899
"""Largest deviation from the straight line that the label calls 1."""

LABEL_MAX = 9.0
_BEND_MIN, _BEND_MAX = 1e-3, 1e4  # `a` of labels 9.96 and 1e-4


def shape(x: np.ndarray, bend: float) -> np.ndarray:
    """Return y (N,) at x (N,) within 0 to 1."""
    if abs(bend) >= _BEND_MAX:
        return np.asarray(x, dtype=float)
    return np.expm1(-np.asarray(x) / bend) / np.expm1(-1.0 / bend)


def label_of(bend: float) -> float:
    """Return the label NL of `a`; it has the sign of `a`."""
    a = abs(bend)
    if a >= _BEND_MAX:
        return 0.0
    # x of the largest deviation; ln(a (1 - e^(-1/a))) loses all digits for a straight line: its series there
    x = -a * np.log(a * -np.expm1(-1.0 / a)) if a < 1e2 else 0.5 - 1.0 / (24.0 * a)
    return float(np.sign(bend) * (shape(np.array(x), a) - x) / LABEL_UNIT)


def bend_of(label: float) -> float:
    """Return `a` of a label NL within -9 to 9."""
    if not abs(label) <= LABEL_MAX:
        raise InputError(f"a nonlinearity label must lie within -9 to 9; got {label:g}. Change it.")
    if abs(label) <= label_of(_BEND_MAX * 0.99):
        return float("inf")
    root = brentq(
        lambda log_a: label_of(float(np.exp(log_a))) - abs(label), np.log(_BEND_MIN), np.log(_BEND_MAX * 0.99)
    )
    return float(np.sign(label) * np.exp(np.asarray(root)))


def fit_train(pulse: np.ndarray, g_cell: np.ndarray) -> Estimate:
    """Fit a train: conductances (N,) in siemens after pulse numbers (N,).

    The estimate holds `label` (1), `g_first` and `g_last` (S): the curve at the first and the last number.
    """
    first, last = float(pulse[0]), float(pulse[-1])
    x = (pulse - first) / (last - first)
    ends = float(np.median(g_cell[: max(g_cell.size // 20, 1)])), float(np.median(g_cell[-max(g_cell.size // 20, 1) :]))

    def residuals(p: np.ndarray) -> np.ndarray:
        return p[1] + (p[2] - p[1]) * shape(x, bend_of(float(np.clip(p[0], -LABEL_MAX, LABEL_MAX)))) - g_cell

    start = Start(_label_guess(x, g_cell, ends), -LABEL_MAX, LABEL_MAX)
    return estimate(residuals, {"label": start, "g_first": Start(ends[0]), "g_last": Start(ends[1])})


def _label_guess(x: np.ndarray, g_cell: np.ndarray, ends: tuple[float, float]) -> float:
    span = ends[1] - ends[0]
    if span == 0:
        raise InputError("a train whose ends have the same conductance has no nonlinearity. Measure a longer one.")
    bow = np.mean((g_cell - ends[0]) / span - x)  # area between curve and line; a parabola's top is 1.5 times its mean
    return float(np.clip(1.5 * bow / LABEL_UNIT, -6.0, 6.0)) or 0.1
