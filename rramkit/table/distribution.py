"""The whole distribution of a quantity at each point of a table: quantiles and standard deviation."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

Over = Literal["cycles", "devices", "all"]

LEVELS = np.array([0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0])
"""Levels (1) at which draws are summed up: deciles, closer where a tail bends, and both ends of what was drawn."""


@dataclass(frozen=True)
class Distribution:
    """How one signal scatters at each point of its table.

    Attributes
    ----------
    signal : str
        Which signal of the table.
    over : str
        What was drawn again for each value: `cycles` (one device, pulse after pulse), `devices` (one pulse each on many
        devices), or `all` (both at once, or measured data that cannot tell them apart).
    levels : ndarray
        Probabilities (Q,), rising, within [0, 1].
    quantiles : ndarray
        Values of the signal (..., Q), in its unit, falling nowhere along the levels.
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
        """Sum up draws (..., N) of a signal, N at each point of the table.

        The quantiles are Hyndman and Fan's definition 7 (Am. Stat. 50, 361, 1996): linear between the sorted draws,
        so that levels 0 and 1 are the smallest and the largest draw.
        """
        quantiles = np.moveaxis(np.quantile(draws, levels, axis=-1), 0, -1)
        sigma = np.std(draws, axis=-1, ddof=1) if draws.shape[-1] > 1 else np.zeros(draws.shape[:-1])
        return cls(signal, over, levels, quantiles, sigma, draws.shape[-1])
