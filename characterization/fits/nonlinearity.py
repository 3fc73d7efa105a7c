"""Nonlinearity of a pulse train in the label of NeuroSim: how far conductance against pulse number bends.

    y(x) = (1 - exp(-c x)) / (1 - exp(-c)),   g = g_first + (g_last - g_first) y(x)

    x  pulse number over the number of pulses (0 to 1)    y  conductance over its range (0 to 1)
    c  curvature (1): 0 is straight; 1/c is NeuroSim's A over the number of pulses

The label is NL = max_x(y - x)/0.09899 (in MLP+NeuroSim V3.0 it stands as a table; the closed form is derived from its
equations): 0 straight, 9 a step. The largest deviation lies where y' = 1, x = -ln((1 - exp(-c))/c)/c. Here NL > 0 says
that the first pulses of the train change most, whichever way it goes; NL < 0 that the last ones do (c < 0).
"""

import numpy as np
from scipy.optimize import brentq

from rramkit.characterization.fits.estimate import Estimate, Start, estimate
from rramkit.errors import InputError

EQUATION = "g = g_first + (g_last - g_first) y(x), y = (1 - exp(-c x))/(1 - exp(-c)), label = max(y - x)/0.09899"

LABEL_UNIT = 0.09899
"""Largest deviation from the straight line that the label calls 1."""

LABEL_MAX = 9.0
_CURVED_MAX = 1e3  # of a label of 9.96
_STRAIGHT = 1e-4  # below it the series in c is exact to rounding


def shape(x: np.ndarray, curvature: float) -> np.ndarray:
    """Return y (N,) at x (N,) within 0 to 1."""
    x = np.asarray(x, dtype=float)
    if abs(curvature) < _STRAIGHT:
        return x + curvature * x * (1 - x) / 2
    return np.expm1(-curvature * x) / np.expm1(-curvature)


def label_of(curvature: float) -> float:
    """Return the label NL of a curvature; they have one sign."""
    c = abs(curvature)
    x = -np.log(-np.expm1(-c) / c) / c if c > 1e-2 else 0.5 - c / 24
    return float(np.sign(curvature) * (shape(np.array(x), c) - x) / LABEL_UNIT)


def curvature_of(label: float) -> float:
    """Return the curvature of a label NL within -9 to 9."""
    if not abs(label) <= LABEL_MAX:
        raise InputError(f"a nonlinearity label must lie within -9 to 9; got {label:g}. Change it.")
    root = brentq(lambda c: label_of(float(c)) - abs(label), 0.0, _CURVED_MAX, xtol=1e-12)
    return float(np.sign(label) * np.asarray(root))


def fit_train(pulse: np.ndarray, g_cell: np.ndarray) -> Estimate:
    """Fit a train: conductances (N,) in siemens after pulse numbers (N,).

    The estimate holds `label` (1), `g_first` and `g_last` (S): the curve at the first and the last number.
    """
    first, last = float(pulse[0]), float(pulse[-1])
    x, tail = (pulse - first) / (last - first), max(g_cell.size // 20, 1)
    ends = float(np.median(g_cell[:tail])), float(np.median(g_cell[-tail:]))
    largest = curvature_of(LABEL_MAX)

    def residuals(p: np.ndarray) -> np.ndarray:
        return p[1] + (p[2] - p[1]) * shape(x, float(p[0])) - g_cell

    start = {"label": Start(_guess(x, g_cell, ends), -largest, largest), "g_first": Start(ends[0])}
    solution = estimate(residuals, {**start, "g_last": Start(ends[1])})
    curvature, error = solution.values["label"], solution.errors["label"]
    step = 1e-4 * max(abs(curvature), 1.0)
    slope = (label_of(curvature + step) - label_of(curvature - step)) / (2 * step)
    return Estimate(
        {**solution.values, "label": label_of(curvature)},
        {**solution.errors, "label": slope * error},
        solution.residual,
    )


def _guess(x: np.ndarray, g_cell: np.ndarray, ends: tuple[float, float]) -> float:
    """Return a curvature from the area between curve and line, which is c/12 for a small one."""
    span = ends[1] - ends[0]
    if span == 0:
        raise InputError("a train whose ends have the same conductance has no nonlinearity. Measure a longer one.")
    return float(np.clip(12 * np.mean((g_cell - ends[0]) / span - x), -20.0, 20.0))
