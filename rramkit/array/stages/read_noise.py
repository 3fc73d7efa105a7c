"""Read noise of the cells: a conductance that is a little different in each read.

Each cell's conductance has, in each pulse of a read, an independent normal error of standard deviation::

    sigma = sqrt((sigma_span (g_high - g_low))^2 + (sigma_rel g)^2)

with the table's lowest and highest conductance. The sum of independent normal numbers is normal, with the variance
summed, so one number is drawn for each sensed current instead of one for each cell (exact in distribution)::

    var(i_c) = sum_r sigma_rc^2 v_r^2

Off: both 0.
"""

from rramkit.array.backend import Array
from rramkit.parameters import Parameters, quantity


class ReadNoise(Parameters):
    """Standard deviation of a cell's conductance from read to read."""

    sigma_span: float = quantity(0.0, "1", "standard deviation over the table's conductance range", ge=0.0, le=1.0)
    sigma_rel: float = quantity(0.0, "1", "standard deviation over the cell's conductance", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether cells are noisy at all."""
        return self.sigma_span > 0.0 or self.sigma_rel > 0.0

    def variance(self, g_cell: Array, span: float) -> Array:
        """Return sigma^2 (...) in siemens squared for conductances (...) of a table whose range is `span` (S)."""
        return (self.sigma_span * span) ** 2 + (self.sigma_rel * g_cell) ** 2
