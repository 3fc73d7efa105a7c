"""Parts of a table: quantities with units, held-out points, masks of failed points, distributions, parametric fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, Protocol, Self

import numpy as np

Over = Literal["cycles", "devices", "all"]

LEVELS = np.array([0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0])
"""Levels (1) of the quantiles of draws: deciles, closer in the tails, and the smallest and largest draw."""


@dataclass(frozen=True)
class Quantity:
    """Values with a unit: a scalar or an array in SI units; NumPy functions take it as the array of its values.

    Attributes
    ----------
    values : ndarray
        The numbers.
    unit : str
        SI unit; `1` for a pure number.
    labels : tuple of str
        For an axis of names (process corners and the like): one for each value, the values then being 0, 1, 2 ...
        Nothing is interpolated along such an axis; select one of its values (`Table.along`).
    log : bool
        Whether it is interpolated in its logarithm: a logarithmic axis, an exponential signal.
    """

    values: np.ndarray
    unit: str
    labels: tuple[str, ...] = ()
    log: bool = False

    def __float__(self) -> float:
        return float(self.values)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __getitem__(self, key: object) -> np.ndarray:
        return np.asarray(self.values)[key]  # pyright: ignore[reportArgumentType, reportCallIssue]

    def __repr__(self) -> str:
        """Name shape, range and unit in one line."""
        values = np.asarray(self.values)
        if self.labels:
            return f"<Quantity {', '.join(self.labels)}>"
        if values.size == 1:
            return f"<Quantity {values.item():.6g} {self.unit}>"
        finite = values[np.isfinite(values)]
        span = f"{finite.min():.4g} to {finite.max():.4g} {self.unit}" if finite.size else f"no value, {self.unit}"
        return f"<Quantity {values.shape} {span}{', log' if self.log else ''}>"

    @classmethod
    def of_labels(cls, labels: tuple[str, ...]) -> "Quantity":
        """Return an axis of names."""
        return cls(np.arange(len(labels), dtype=float), "1", labels)


@dataclass(frozen=True)
class HeldOut:
    """SPICE points that were not used in a fit, and the fit's values there.

    `at` holds one array (N,) for each coordinate, `spice` and `fit` are (N,); all in the units given. The fit passes
    when its root-mean-square, its 95th percentile and its largest error are all within their limits (same unit); a
    limit of infinity is none.
    """

    at: Mapping[str, Quantity]
    spice: np.ndarray
    fit: np.ndarray
    unit: str
    limit_rms: float
    limit_max: float
    limit_p95: float = inf

    @property
    def error(self) -> np.ndarray:
        """Fit minus SPICE, (N,)."""
        return self.fit - self.spice

    @property
    def rms(self) -> float:
        """Root-mean-square error."""
        return float(np.sqrt(np.mean(self.error**2)))

    @property
    def p95(self) -> float:
        """95th percentile of the absolute error."""
        return float(np.quantile(np.abs(self.error), 0.95))

    @property
    def max(self) -> float:
        """Largest absolute error."""
        return float(np.max(np.abs(self.error)))

    @property
    def passed(self) -> bool:
        """Whether every limit is met."""
        return self.rms <= self.limit_rms and self.p95 <= self.limit_p95 and self.max <= self.limit_max

    @property
    def repeats(self) -> bool:
        """Whether the points are the one run of a table of one condition again: they check no fit."""
        return not self.at and self.max == 0.0

    @property
    def worst(self) -> float:
        """Largest of rms, 95th percentile and maximum over its limit (1); above 1 the points do not pass."""
        return max(self.rms / self.limit_rms, self.p95 / self.limit_p95, self.max / self.limit_max)

    def where(self, keep: np.ndarray) -> "HeldOut":
        """Return the points that `keep` (N,) of bool says."""
        at = {name: Quantity(each.values[keep], each.unit, each.labels) for name, each in self.at.items()}
        return HeldOut(
            at, self.spice[keep], self.fit[keep], self.unit, self.limit_rms, self.limit_max, limit_p95=self.limit_p95
        )


@dataclass(frozen=True)
class Mask:
    """Points of a signal that failed: `codes` (...) of uint8, 0 where it is good, k where `reasons[k - 1]` holds.

    The signal's own value at a masked point is not a number.
    """

    codes: np.ndarray
    reasons: tuple[str, ...]

    @classmethod
    def of_reasons(cls, reasons: Sequence[str | None], shape: tuple[int, ...]) -> Self:
        """Build from the reason of each point (None where it is good), in the order of the flattened signal."""
        distinct = tuple(sorted({reason for reason in reasons if reason is not None}))
        codes = [0 if reason is None else 1 + distinct.index(reason) for reason in reasons]
        return cls(np.array(codes, dtype=np.uint8).reshape(shape), distinct)

    @property
    def bad(self) -> np.ndarray:
        """Where the signal has no value, (...) of bool."""
        return self.codes > 0

    def counts(self) -> dict[str, int]:
        """Return the number of points of each reason."""
        return {reason: int(np.count_nonzero(self.codes == k)) for k, reason in enumerate(self.reasons, start=1)}


@dataclass(frozen=True)
class Fit:
    """A parametric model fitted beside a table.

    Attributes
    ----------
    equation : str
        The model, in the names of its parameters and of the table's axes and signals.
    signal : str
        The signal that it describes.
    parameters : mapping
        Name to estimates; each has the shape of `axes`.
    errors : mapping
        Name to standard errors, of the same shapes and units.
    residual : float
        Root-mean-square of model minus data over the points fitted, in `unit`.
    axes : tuple of str
        Axes of the table along which it was fitted; none when one set of parameters holds for the whole table.
    unit : str
        Unit of the residual; empty: the signal's.
    """

    equation: str
    signal: str
    parameters: Mapping[str, Quantity]
    errors: Mapping[str, np.ndarray]
    residual: float
    axes: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Distribution:
    """Distribution of one signal at each point of its table.

    Attributes
    ----------
    signal : str
        Which signal of the table.
    over : str
        What was drawn for each value: `cycles` (one device, pulse after pulse), `devices` (one pulse each on many
        devices), or `all` (both, or measured data that cannot separate them).
    levels : ndarray
        Probabilities (Q,), rising, within [0, 1].
    quantiles : ndarray
        Values of the signal (..., Q), in its unit, not falling along the levels.
    sigma : ndarray
        Standard deviation (...), in the signal's unit.
    draws : int
        Draws at each point; the fewest where they differ.
    """

    signal: str
    over: Over
    levels: np.ndarray
    quantiles: np.ndarray
    sigma: np.ndarray
    draws: int

    @classmethod
    def of_draws(cls, draws: np.ndarray, *, signal: str, over: Over, levels: np.ndarray = LEVELS) -> Self:
        """Return the distribution of draws (..., N) of a signal, N at each point of the table.

        The quantiles are Hyndman and Fan's definition 7 (Am. Stat. 50, 361, 1996): linear between the sorted draws,
        so that levels 0 and 1 are the smallest and the largest draw.
        """
        quantiles = np.moveaxis(np.quantile(draws, levels, axis=-1), 0, -1)
        sigma = np.std(draws, axis=-1, ddof=1) if draws.shape[-1] > 1 else np.zeros(draws.shape[:-1])
        return cls(signal, over, levels, quantiles, sigma, draws.shape[-1])


class Tabulated(Protocol):
    """What a surrogate reads of a table, as read-only mappings; `rramkit.table.Table` has it, and uses surrogates."""

    @property
    def name(self) -> str:
        """Group name."""
        ...

    @property
    def axes(self) -> Mapping[str, Quantity]:
        """Coordinates in the order of the dimensions."""
        ...

    @property
    def signals(self) -> Mapping[str, Quantity]:
        """Signals over all axes."""
        ...

    @property
    def conditions(self) -> Mapping[str, Quantity]:
        """Scalars that hold for the whole table."""
        ...

    @property
    def masks(self) -> Mapping[str, Mask]:
        """Failed points of each signal."""
        ...

    @property
    def valid(self) -> Mapping[str, tuple[float, float]]:
        """Valid ranges narrower than the axis."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of every signal."""
        ...

    def signal(self, name: str) -> Quantity:
        """Return a signal, or raise."""
        ...

    def condition(self, name: str) -> float:
        """Return a condition, or raise."""
        ...

    def masked(self, signal: str) -> np.ndarray:
        """Return where a signal has no value."""
        ...

    def valid_range(self, axis: str) -> tuple[float, float]:
        """Return the lowest and the highest value of an axis."""
        ...

    def distribution(self, signal: str, over: Over | None = None) -> Distribution | None:
        """Return the distribution of a signal, or None."""
        ...

    def along(self, axis: str, value: float | str) -> "Tabulated":
        """Return the table at one value of an axis."""
        ...
