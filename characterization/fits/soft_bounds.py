"""Soft bounds: the change of one pulse falls linearly to nothing as the conductance nears its bound.

    delta_g = rate (g_bound - g_start)

    rate  part of the way to the bound that one pulse goes (1)    g_bound  conductance at which a pulse does nothing (S)

The update of a soft-bounds device (Gokmen and Vlasov, Front. Neurosci. 10, 333, 2016; aihwkit's `SoftBounds`), written
for one polarity: `g_bound` is the highest conductance for SET, the lowest for RESET.
"""

import numpy as np

from rramkit.characterization.fits.estimate import Estimate, Start, estimate

EQUATION = "delta_g = rate (g_bound - g_start)"


def fit_soft_bounds(g_start: np.ndarray, delta_g: np.ndarray) -> Estimate:
    """Fit changes (N,) in siemens of one pulse at conductances (N,); gives `rate` (1) and `g_bound` (S)."""
    slope, offset = np.polyfit(g_start, delta_g, 1)
    rate = -slope if slope < 0 else 1e-3
    bound = offset / rate if slope < 0 else float(g_start[-1] if np.mean(delta_g) > 0 else g_start[0])
    start = {"rate": Start(float(rate), 0.0), "g_bound": Start(float(bound))}
    return estimate(lambda p: p[0] * (p[1] - g_start) - delta_g, start)
