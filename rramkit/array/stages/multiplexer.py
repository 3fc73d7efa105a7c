"""Column multiplexer: series on-resistance and RC settling between the array and what senses or drives a column.

The switch lies in the column's path in both directions, so its resistance adds to the column's end of the wires. The
current settles with one time constant, and is sensed at the end of the read pulse::

    i = i_end (1 - exp(-t_read / tau))

Off: 0 ohm, 0 s.
"""

import math

from rramkit.array.stages.stage import CellTerms, Stage
from rramkit.parameters import quantity


class Multiplexer(Stage):
    """Series resistance and settling of the multiplexer."""

    r_series: float = quantity(0.0, "ohm", "resistance of the closed switch", ge=0.0, le=1e6)
    tau: float = quantity(0.0, "s", "time constant of the current behind it", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether the switch resists or settles slowly."""
        return self.r_series > 0.0 or self.tau > 0.0

    @property
    def r_column(self) -> float:
        """Resistance of the closed switch (ohm)."""
        return self.r_series

    def settled(self, t_read: float) -> float:
        """Return the part of its end value that a current has reached after `t_read` (s)."""
        return 1.0 if self.tau == 0.0 else -math.expm1(-t_read / self.tau)

    def prepare(self, cells: CellTerms) -> None:
        """Scale the currents of all cells, and their noise, by the part that has settled."""
        settled = self.settled(cells.t_read)
        if settled == 1.0:
            return
        cells.terms *= settled
        if cells.variance is not None:
            cells.variance *= settled**2
