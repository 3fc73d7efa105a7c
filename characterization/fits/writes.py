"""Parametric models stored beside a write table: soft bounds and exponential step at each amplitude, nonlinearity.

Soft bounds: the change of one pulse falls linearly to nothing as the conductance nears its bound::

    delta_g = rate (g_bound - g_start)

    rate  part of the way to the bound that one pulse goes (1)    g_bound  conductance at which a pulse does nothing (S)

It is the update of a soft-bounds device (Gokmen and Vlasov, Front. Neurosci. 10, 333, 2016; aihwkit's `SoftBounds`),
written for one polarity: `g_bound` is the highest conductance for SET, the lowest for RESET.

Exponential step: each pulse's change falls, or rises, exponentially along the range::

    delta_g = step exp(-(g_start - g_low)/g_scale)

    step  change at the lowest conductance fitted (S)    g_scale  distance over which it changes by e (S)
    g_low  lowest conductance fitted (S), not a parameter

It is the family of aihwkit's `ExpStep` (there 1 - A exp(gamma z) along the normalised range), in the form that a log
plot of the change shows as a line.

The nonlinearity label is that of a whole train (`fits.nonlinearity`): of the table's staircase, one pulse at each
amplitude from the lowest to the highest, starting at the end of the conductance range that the polarity leaves; or,
where a measurement has trains of equal pulses, of the longest one. A table with further axes (corner, temperature) has
each fit at every value of them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from rramkit.characterization.fits import nonlinearity
from rramkit.characterization.fits.estimate import Estimate, Start, column, estimate
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Fit, Quantity, Table
from rramkit.table.schema import SET

SOFT_BOUNDS = "delta_g = rate (g_bound - g_start)"


def fit_soft_bounds(g_start: np.ndarray, delta_g: np.ndarray) -> Estimate:
    """Fit changes (N,) in siemens of one pulse at conductances (N,); gives `rate` (1) and `g_bound` (S)."""
    slope, offset = np.polyfit(g_start, delta_g, 1)
    rate = -slope if slope < 0 else 1e-3
    bound = offset / rate if slope < 0 else float(g_start[-1] if np.mean(delta_g) > 0 else g_start[0])
    start = {"rate": Start(float(rate), 0.0), "g_bound": Start(float(bound))}
    return estimate(lambda p: p[0] * (p[1] - g_start) - delta_g, start)


EXPONENTIAL_STEP = "delta_g = step exp(-(g_start - g_low)/g_scale)"


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


_LEAST = 4  # good points that a fit of two parameters needs for a useful standard error
_SLOPE_UNIT = "1/S"
_LABEL_UNITS = {"label": "1", "g_first": "S", "g_last": "S"}


def write_fits(table: Table, *, train: np.ndarray | None = None) -> dict[str, Fit]:
    """Return the fits of a write table by name; `train` (N,) are reads [S] of equal pulses, if there are any."""
    fits = {
        "soft_bounds": _at_each_amplitude(table, fit_soft_bounds, SOFT_BOUNDS, {"rate": "1", "g_bound": "S"}),
        "exponential_step": _at_each_amplitude(
            table, fit_exponential_step, EXPONENTIAL_STEP, {"step": "S", "slope": _SLOPE_UNIT}
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
