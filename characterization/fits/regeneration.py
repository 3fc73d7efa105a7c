"""Regeneration constant of a latch from its decision times.

    t_decide = t_0 + tau ln(v_swing/|v_diff|)

    tau  regeneration constant (s)    t_0  time before regeneration (s)    v_swing  voltage of a decision (V), given

A latch's difference grows as exp(t/tau) from the input's, so that each decade less of input costs 2.3 tau (Wicht et
al., IEEE JSSC 39, 1148, 2004). The equation holds while the input is small against the swing.
"""

import numpy as np

from rramkit.characterization.fits.estimate import Estimate, Start, estimate
from rramkit.errors import InputError

EQUATION = "t_decide = t_0 + tau ln(v_swing/|v_diff|)"


def fit_regeneration(v_diff: np.ndarray, t_decide: np.ndarray, *, v_swing: float = 1.0) -> Estimate:
    """Fit decision times (N,) in seconds at input differences (N,) in volts; gives `tau` and `t_0` (s).

    Raises
    ------
    InputError
        When there are fewer than three times, or one is not finite: a decision is missing.
    """
    if v_diff.size < 3 or not np.all(np.isfinite(t_decide)):
        raise InputError(
            f"`t_decide` must be 3 or more finite times; got {t_decide}. A decision is missing: allow a longer period."
        )
    lags = np.log(v_swing / np.abs(v_diff))
    tau, first = np.polyfit(lags, t_decide, 1)
    start = {
        "tau": Start(float(max(tau, 1e-15)), 0.0),
        "t_0": Start(float(first), size=float(np.max(np.abs(t_decide)))),
    }
    return estimate(lambda p: p[1] + p[0] * lags - t_decide, start)
