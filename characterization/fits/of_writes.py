"""Parametric models stored beside a write table: soft bounds and exponential step at each amplitude, nonlinearity.

The nonlinearity label is that of a whole train (`fits.nonlinearity`): of the table's staircase, one pulse at each
amplitude from the lowest to the highest, starting at the end of the conductance range that the polarity leaves; or,
where a measurement has trains of equal pulses, of the longest one. A table with further axes (corner, temperature) has
each fit at every value of them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from rramkit.characterization.fits import exponential_step, nonlinearity, soft_bounds
from rramkit.characterization.fits.estimate import Estimate, column
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Fit, Quantity, Table
from rramkit.table.schema import SET

_LEAST = 4  # good points that a fit of two parameters needs for a useful standard error
_SLOPE_UNIT = "1/S"
_LABEL_UNITS = {"label": "1", "g_first": "S", "g_last": "S"}


def write_fits(table: Table, *, train: np.ndarray | None = None) -> dict[str, Fit]:
    """Return the fits of a write table by name; `train` (N,) are reads [S] of equal pulses, if there are any."""
    fits = {
        "soft_bounds": _at_each_amplitude(
            table, soft_bounds.fit_soft_bounds, soft_bounds.EQUATION, {"rate": "1", "g_bound": "S"}
        ),
        "exponential_step": _at_each_amplitude(
            table, exponential_step.fit_exponential_step, exponential_step.EQUATION, {"step": "S", "slope": _SLOPE_UNIT}
        ),
        "nonlinearity": _label(table, [_staircase(each) for each in _single(table)] if train is None else [train]),
    }
    return {name: fit for name, fit in fits.items() if fit is not None}


def _conditions(table: Table) -> tuple[str, ...]:
    """Return the axes beside conductance and amplitude."""
    return tuple(name for name in table.axes if name not in (SET.g_start, SET.v_pulse))


def _single(table: Table) -> Iterator[Table]:
    """Yield the table over conductance and amplitude at each combination of its other axes."""
    axes = {name: table.axes[name] for name in _conditions(table)}
    for values in product(*(axis.labels or axis.values.tolist() for axis in axes.values())):
        yield table.sel(**dict(zip(axes, values, strict=True)))


def _label(table: Table, trains: Sequence[np.ndarray]) -> Fit | None:
    """Return the nonlinearity of each train; None when one is too short or never moves."""
    if any(reads.size < _LEAST or np.ptp(reads) == 0 for reads in trains):
        return None
    estimates = [nonlinearity.fit_train(np.arange(reads.size, dtype=float), reads) for reads in trains]
    axes = _conditions(table) if len(trains) > 1 else ()
    return _fit(table, estimates, nonlinearity.EQUATION, _LABEL_UNITS, axes)


def _at_each_amplitude(
    table: Table, fit: Callable[[np.ndarray, np.ndarray], Estimate], equation: str, units: dict[str, str]
) -> Fit | None:
    """Fit the change over the conductance everywhere else; None when there are too few good points or no change."""
    g_start, place = table.axes[SET.g_start].values, list(table.axes).index(SET.g_start)
    change = np.moveaxis(table.signals[SET.delta_g].values, place, 0).reshape(g_start.size, -1)
    estimates = []
    for values in change.T:
        good = np.isfinite(values)
        if np.count_nonzero(good) < _LEAST or not np.any(values[good]):
            return None
        estimates.append(fit(g_start[good], values[good]))
    return _fit(table, estimates, equation, units, tuple(name for name in table.axes if name != SET.g_start))


def _fit(
    table: Table, estimates: Sequence[Estimate], equation: str, units: dict[str, str], axes: tuple[str, ...]
) -> Fit:
    """Return estimates as one fit over some axes of the table."""
    shape = tuple(table.axes[name].values.size for name in axes)
    columns = {name: column(estimates, name) for name in units}
    return Fit(
        equation=equation,
        signal=SET.delta_g,
        parameters={name: Quantity(values.reshape(shape), units[name]) for name, (values, _) in columns.items()},
        errors={name: errors.reshape(shape) for name, (_, errors) in columns.items()},
        residual=float(np.sqrt(np.mean([one.residual**2 for one in estimates]))) if axes else estimates[0].residual,
        axes=axes,
    )


def _staircase(table: Table) -> np.ndarray:
    """Return the conductance (P + 1,) [S] before and after each pulse of the staircase; (0,) with failed points."""
    if np.any(table.masked(SET.delta_g)):
        return np.empty(0)
    surrogate = GridSurrogate(table, SET.delta_g)
    low, high = surrogate.x0_range
    reads = [low if table.polarity == "set" else high]
    for v in table.axes[SET.v_pulse].values:
        reads.append(float(np.clip(reads[-1] + surrogate.at(reads[-1], v), low, high)))
    return np.array(reads)
