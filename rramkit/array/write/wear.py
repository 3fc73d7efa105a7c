"""Endurance: the window of a cell shrinks with the pulses that it has taken.

    w(n) = 2^-(n / n_half)^shape
    low(n) = end - (end - low) w(n)      high(n) = end + (high - end) w(n)

n is the number of pulses fired at the cell, w what is left of its window, `end` the conductance at which a worn-out
cell stands. This kit's choice: none of its sources has a law for it, and what is known of endurance are single counts.
"""

import numpy as np

from rramkit.parameters import Parameters, quantity


class WearParams(Parameters):
    """How fast a cell's window closes, and where."""

    n_half: float = quantity(1e6, "1", "pulses that leave half of the window", gt=0, le=1e18)
    shape: float = quantity(
        1.0, "1", "exponent of the count: above 1 the window holds first and then falls", gt=0, le=20
    )
    end: float = quantity(0.0, "1", "where a worn cell stands: 0 the lowest conductance, 1 the highest", ge=0, le=1)

    def window(self, pulses: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the window's ends (...) in siemens after `pulses` (...), from those of a fresh cell."""
        lost = -np.expm1(-np.log(2.0) * (pulses / self.n_half) ** self.shape)  # 1 - w, exactly 0 for a fresh cell
        end = low + self.end * (high - low)
        left_low = low + (end - low) * lost
        return left_low, np.maximum(high - (high - end) * lost, left_low)  # worn out, rounding must not turn them
