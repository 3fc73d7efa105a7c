"""Exponential step: each pulse's change falls, or rises, exponentially along the range.

    delta_g = step exp(-(g_start - g_low)/g_scale)

    step  change at the lowest conductance fitted (S)    g_scale  distance over which it changes by e (S)
    g_low  lowest conductance fitted (S), not a parameter

The family of aihwkit's `ExpStep` (there 1 - A exp(gamma z) along the normalised range), in the form that a log plot of
the change shows as a line.
"""

import numpy as np

from rramkit.characterization.fits.estimate import Estimate, Start, estimate

EQUATION = "delta_g = step exp(-(g_start - g_low)/g_scale)"


def fit_exponential_step(g_start: np.ndarray, delta_g: np.ndarray) -> Estimate:
    """Fit changes (N,) in siemens of one pulse at conductances (N,); gives `step` (S), `slope` = 1/g_scale (1/S).

    The slope, not the scale, is estimated: it passes through zero where the step is the same everywhere.
    """
    g_low, sign = float(np.min(g_start)), float(np.sign(np.mean(delta_g))) or 1.0
    along = g_start - g_low
    size = np.maximum(sign * delta_g, 1e-3 * float(np.max(np.abs(delta_g))) or 1e-30)
    slope, log_step = np.polyfit(along, np.log(size), 1, w=size)
    span = float(np.max(along)) or 1.0
    start = {
        "step": Start(sign * float(np.exp(log_step))),
        "slope": Start(float(-slope), -50.0 / span, 50.0 / span),
    }
    return estimate(lambda p: p[0] * np.exp(-p[1] * along) - delta_g, start)
