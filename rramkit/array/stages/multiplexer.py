"""The column multiplexer between the array and what senses or drives a column: a series resistance that takes time.

It lies in the column's path in both directions, so its resistance adds to the column's end of the wires; what the
current still lacks when the read ends is that of one time constant::

    i = i_end (1 - exp(-t_read / tau))

Off: 0 ohm, 0 s.
"""

import math

from rramkit.parameters import Parameters, quantity


class Multiplexer(Parameters):
    """Series resistance and settling of the multiplexer."""

    r_series: float = quantity(0.0, "ohm", "resistance of the closed switch", ge=0.0, le=1e6)
    tau: float = quantity(0.0, "s", "time constant of the current behind it", ge=0.0, le=1.0)

    def settled(self, t_read: float) -> float:
        """Return the part of its end value that a current has reached after `t_read` (s)."""
        return 1.0 if self.tau == 0.0 else -math.expm1(-t_read / self.tau)
