"""Ageing of cells: retention loss (drift) between writes, and endurance (the window closes with the pulses).

Retention: conductance drifts with the time since a cell's last pulse, faster when it is warm::

    g(t) = g_0 (1 + (t' / t_0)^shape)^-nu    t' = t exp(Ea / k (1 / T_ref - 1 / T))
    nu ~ N(nu, sigma_nu) for each cell

    g_0  conductance right after the pulse (S)    t  time since (s)    T  temperature (K)    Ea  activation energy (eV)
    t_0  time at which the drift is seen first (s)    T_ref  temperature at which nu and t_0 hold (K)

Power law and Arrhenius acceleration, and their defaults, are this kit's choice: its sources say of their cells only
that they retain (bulk-switching module, arXiv 2305.14547: 24 hours at room temperature, low currents a little up after
two). A positive nu falls, a negative one rises. Long before t_0 the loss is nu (t' / t_0)^shape: a shape of 1, the
plain power law, is a straight line there, 1/2 a diffusion, 2 a loss that speeds up. Time adds up: two rests in a row
are one of their sum, at one temperature or at two.

Endurance: the window of a cell shrinks with the pulses that it has received::

    w(n) = 2^-(n / n_half)^shape
    low(n) = end - (end - low) w(n)      high(n) = end + (high - end) w(n)

n is the number of pulses fired at the cell, w the remaining part of its window, `end` the conductance of a worn-out
cell. This kit's choice: none of its sources has a law for it, and published endurance figures are single counts.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rramkit.array.backend import namespace
from rramkit.parameters import Parameters, quantity

BOLTZMANN = 8.617333262e-5  # eV/K (CODATA 2018, exact)


class RetentionParams(Parameters):
    """Drift of a cell at rest."""

    old_names: ClassVar[Mapping[str, str]] = {"kelvin": "t_cell", "kelvin_0": "t_ref"}
    unsaid: ClassVar[tuple[str, ...]] = ("shape",)

    nu: float = quantity(0.005, "1", "drift exponent, mean over the cells", ge=-1, le=1)
    sigma_nu: float = quantity(0.0, "1", "drift exponent, spread over the cells", ge=0, le=1)
    t_0: float = quantity(1.0, "s", "time after a pulse at which the drift is seen first", gt=0, le=1e9)
    shape: float = quantity(1.0, "1", "exponent of the time over `t_0`; 1: a plain power law", ge=0.1, le=10)
    t_ref: float = quantity(300.0, "K", "temperature at which `nu` and `t_0` hold", ge=200, le=500)
    t_cell: float = quantity(300.0, "K", "temperature of the cells during training", ge=200, le=500)
    t_batch: float = quantity(0.0, "s", "time from one batch of training to the next", ge=0, le=1e9)
    activation: float = quantity(1.0, "eV", "activation energy of the drift", ge=0, le=5)

    def aged(self, seconds: float, t_cell: float) -> float:
        """Return the time at `t_ref` that ages a cell as much as `seconds` at `t_cell` (K) do (s)."""
        return seconds * float(np.exp(self.activation / BOLTZMANN * (1.0 / self.t_ref - 1.0 / t_cell)))

    def factor(self, age: np.ndarray, aged: float, nu: np.ndarray | float) -> np.ndarray:
        """Return the factor on a conductance (...) when its age (...) grows by `aged` (s at `t_ref`)."""
        if self.shape == 1.0:
            return ((self.t_0 + age + aged) / (self.t_0 + age)) ** (-nu)
        before, after = ((age / self.t_0) ** self.shape, ((age + aged) / self.t_0) ** self.shape)
        return ((1.0 + after) / (1.0 + before)) ** (-nu)


class WearParams(Parameters):
    """Endurance: how fast a cell's window closes, and where."""

    n_half: float = quantity(1e6, "1", "pulses that leave half of the window", gt=0, le=1e18)
    shape: float = quantity(
        1.0, "1", "exponent of the count: above 1 the window holds first and then falls", gt=0, le=20
    )
    end: float = quantity(0.0, "1", "conductance of a worn cell: 0 the lowest, 1 the highest", ge=0, le=1)

    def window(self, pulses: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the window's ends (...) in siemens after `pulses` (...), from those of a fresh cell."""
        xp = namespace(low)
        used = (xp.astype(pulses, low.dtype) / self.n_half) ** self.shape
        lost = -xp.expm1(-float(np.log(2.0)) * used)  # 1 - w, exactly 0 for a fresh cell
        end = low + self.end * (high - low)
        left_low = low + (end - low) * lost
        return left_low, xp.maximum(high - (high - end) * lost, left_low)  # worn out, rounding must not swap them
