"""Retention: conductance drifts with the time since a cell's last pulse, faster when it is warm.

    g(t) = g_0 ((t_0 + t') / t_0)^-nu        t' = t exp(Ea / k (1 / T_0 - 1 / T))        nu ~ N(nu, sigma_nu), each cell

    g_0  conductance right after the pulse (S)    t  time since (s)    T  temperature (K)    Ea  activation energy (J)
    t_0  time at which the drift is seen first (s)    T_0  temperature at which nu and t_0 hold (K)

Power law and Arrhenius acceleration, and their defaults, are this kit's choice: its sources say of their cells only
that they hold (bulk-switching module, arXiv 2305.14547: 24 hours at room temperature, low currents a little up after
two). A positive nu falls, a negative one rises. Time adds up: two rests in a row are one of their sum, at one
temperature or at two.
"""

import numpy as np

from rramkit.parameters import Parameters, quantity

BOLTZMANN = 8.617333262e-5  # eV/K (CODATA 2018, exact)


class RetentionParams(Parameters):
    """Drift of a cell that is left alone."""

    nu: float = quantity(0.005, "1", "drift exponent, mean over the cells", ge=-1, le=1)
    sigma_nu: float = quantity(0.0, "1", "drift exponent, spread over the cells", ge=0, le=1)
    t_0: float = quantity(1.0, "s", "time after a pulse at which the drift is seen first", gt=0, le=1e9)
    kelvin_0: float = quantity(300.0, "K", "temperature at which `nu` and `t_0` hold", ge=200, le=500)
    kelvin: float = quantity(300.0, "K", "temperature of the cells while they train", ge=200, le=500)
    t_batch: float = quantity(0.0, "s", "time from one batch of training to the next", ge=0, le=1e9)
    activation: float = quantity(1.0, "eV", "activation energy of the drift", ge=0, le=5)

    def aged(self, seconds: float, kelvin: float) -> float:
        """Return the time at `kelvin_0` that ages a cell as much as `seconds` at `kelvin` do (s)."""
        return seconds * float(np.exp(self.activation / BOLTZMANN * (1.0 / self.kelvin_0 - 1.0 / kelvin)))

    def factor(self, age: np.ndarray, aged: float, nu: np.ndarray | float) -> np.ndarray:
        """Return what a conductance (...) is multiplied by when its age (...) grows by `aged` (s at `kelvin_0`)."""
        return ((self.t_0 + age + aged) / (self.t_0 + age)) ** -np.asarray(nu)
