"""The parametric model beside a latch's decision times: its regeneration constant at every other coordinate."""

import numpy as np

from rramkit.characterization.fits.estimate import column
from rramkit.characterization.fits.regeneration import EQUATION, fit_regeneration
from rramkit.table import Fit, Quantity, Table

STEPS, SIGNAL = "overdrive", "t_decide"
SMALL = 10e-3  # V: the equation holds while the input is small against the swing
_LEAST = 3  # points that a line needs to have a standard error


def latch_fits(table: Table) -> dict[str, Fit]:
    """Return `regeneration`: tau and t_0 [s] over the table's axes but the overdrive; {} where points are missing."""
    if STEPS not in table.axes or SIGNAL not in table.signals or np.any(table.masked(SIGNAL)):
        return {}
    overdrive, place = table.axes[STEPS].values, list(table.axes).index(STEPS)
    small = overdrive <= SMALL
    if np.count_nonzero(small) < _LEAST:
        return {}
    times = np.moveaxis(table.signals[SIGNAL].values, place, 0)
    estimates = [fit_regeneration(overdrive[small], row) for row in times.reshape(overdrive.size, -1)[small].T]
    found = {name: column(estimates, name) for name in ("tau", "t_0")}
    fit = Fit(
        equation=EQUATION + ", v_swing = 1 V",
        signal=SIGNAL,
        parameters={name: Quantity(values.reshape(times.shape[1:]), "s") for name, (values, _) in found.items()},
        errors={name: errors.reshape(times.shape[1:]) for name, (_, errors) in found.items()},
        residual=float(np.sqrt(np.mean([estimate.residual**2 for estimate in estimates]))),
        axes=tuple(name for name in table.axes if name != STEPS),
    )
    return {"regeneration": fit}
