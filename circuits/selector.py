"""The selector of a 1S1R cell: a two-terminal switch that conducts exponentially to its threshold, ohmically above it.

Equations, source and choices stand in the header of `netlists/selector_threshold.lib`.
"""

import numpy as np

from rramkit import netlists
from rramkit.parameters import Parameters, quantity


class SelectorParams(Parameters):
    """One selector; all four defaults are this kit's choice."""

    v_th: float = quantity(0.8, "V", "threshold: above it the selector is ohmic", ge=0.05, le=3)
    v_slope: float = quantity(0.04, "V", "voltage for a factor e of current below the threshold", ge=0.01, le=0.5)
    r_on: float = quantity(2e3, "ohm", "differential resistance above the threshold", ge=1, le=1e6)
    g_off: float = quantity(1e-11, "S", "leakage conductance, in parallel", ge=0, le=1e-6)

    @property
    def library(self) -> str:
        """Name of the library file in netlists/."""
        return netlists.SELECTOR_THRESHOLD

    def spice(self) -> dict[str, float]:
        """Return the parameters as the library's subcircuit takes them."""
        return {"v_th": self.v_th, "v_slope": self.v_slope, "r_on": self.r_on, "g_off": self.g_off}

    def current(self, v: np.ndarray) -> np.ndarray:
        """Return the current (...) [A] at the voltages (...) [V] across the selector: the library's own equation."""
        up, down = (np.logaddexp(0, (sign * v - self.v_th) / self.v_slope) for sign in (1, -1))
        return self.v_slope / self.r_on * (up - down) + self.g_off * np.asarray(v)
