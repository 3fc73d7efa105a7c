"""The parametric models stored beside a write table: soft bounds and exponential step at each amplitude, the label.

The label is that of a whole train (`fits.nonlinearity`): of the table's staircase, one pulse at each amplitude from the
lowest to the highest, played from the end of the conductances that the polarity leaves; or, where a measurement has
trains of equal pulses, of the longest one.
"""

from collections.abc import Callable

import numpy as np

from rramkit.characterization.fits import exponential_step, nonlinearity, soft_bounds
from rramkit.characterization.fits.estimate import Estimate, column
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Fit, Quantity, Table

_LEAST = 4  # good points that a fit of two parameters needs to have a standard error worth its name
_SLOPE_UNIT = "1/S"


def write_fits(table: Table, *, train: np.ndarray | None = None) -> dict[str, Fit]:
    """Return the fits of a write table by name; `train` (N,) are reads [S] of equal pulses, if there are any."""
    found = {
        "soft_bounds": _at_each_amplitude(
            table, soft_bounds.fit_soft_bounds, soft_bounds.EQUATION, {"rate": "1", "g_bound": "S"}
        ),
        "exponential_step": _at_each_amplitude(
            table, exponential_step.fit_exponential_step, exponential_step.EQUATION, {"step": "S", "slope": _SLOPE_UNIT}
        ),
    }
    reads = _staircase(table) if train is None else train
    if reads.size >= _LEAST and np.ptp(reads) > 0:
        one = nonlinearity.fit_train(np.arange(reads.size, dtype=float), reads)
        units = {"label": "1", "g_first": "S", "g_last": "S"}
        found["nonlinearity"] = Fit(
            equation=nonlinearity.EQUATION,
            signal="delta_g",
            parameters={name: Quantity(np.array(value), units[name]) for name, value in one.values.items()},
            errors={name: np.array(value) for name, value in one.errors.items()},
            residual=one.residual,
        )
    return {name: fit for name, fit in found.items() if fit is not None}


def _at_each_amplitude(
    table: Table, fit: Callable[[np.ndarray, np.ndarray], Estimate], equation: str, units: dict[str, str]
) -> Fit | None:
    """Fit every column of the table; None when a column has too few good points, or never moves."""
    g_start, change = table.axes["g_start"].values, table.signals["delta_g"].values
    estimates = []
    for k in range(change.shape[1]):
        good = np.isfinite(change[:, k])
        if np.count_nonzero(good) < _LEAST or not np.any(change[good, k]):
            return None
        estimates.append(fit(g_start[good], change[good, k]))
    columns = {name: column(estimates, name) for name in units}
    return Fit(
        equation=equation,
        signal="delta_g",
        parameters={name: Quantity(values, units[name]) for name, (values, _) in columns.items()},
        errors={name: errors for name, (_, errors) in columns.items()},
        residual=float(np.sqrt(np.mean([one.residual**2 for one in estimates]))),
        axes=("v_pulse",),
    )


def _staircase(table: Table) -> np.ndarray:
    """Return the conductance (P + 1,) [S] before and after each pulse of the table's staircase; none with holes."""
    surrogate = GridSurrogate(table, "delta_g")
    if np.any(table.masked("delta_g")):
        return np.empty(0)
    low, high = surrogate.x0_range
    reads = [low if table.name == "set" else high]
    for v in table.axes["v_pulse"].values:
        reads.append(float(np.clip(reads[-1] + surrogate.at(reads[-1], v), low, high)))
    return np.array(reads)
