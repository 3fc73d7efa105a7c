"""Held-out points: what a fit is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from rramkit.table.quantity import Quantity


@dataclass(frozen=True)
class HeldOut:
    """SPICE points that a fit never saw, and what the fit says there.

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

    def where(self, keep: np.ndarray) -> "HeldOut":
        """Return the points that `keep` (N,) of bool says."""
        at = {name: Quantity(each.values[keep], each.unit, each.labels) for name, each in self.at.items()}
        return HeldOut(
            at, self.spice[keep], self.fit[keep], self.unit, self.limit_rms, self.limit_max, limit_p95=self.limit_p95
        )
