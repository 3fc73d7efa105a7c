"""Read noise: each cell's conductance varies from read to read.

In each pulse of a read the conductance of a cell has an independent normal error of standard deviation::

    sigma = sqrt((sigma_span (g_high - g_low))^2 + (sigma_rel g)^2)

with the table's lowest and highest conductance. The sum of independent normal numbers is normal, with the variances
added, so one number is drawn for each sensed current instead of one for each cell (exact in distribution)::

    var(i_c) = sum_r sigma_rc^2 v_r^2

Off: both 0.
"""

from rramkit.array.backend import Array
from rramkit.array.stages.stage import CellTerms, Stage
from rramkit.parameters import quantity


class ReadNoise(Stage):
    """Standard deviation of a cell's conductance from read to read."""

    sigma_span: float = quantity(0.0, "1", "standard deviation over the table's conductance range", ge=0.0, le=1.0)
    sigma_rel: float = quantity(0.0, "1", "standard deviation over the cell's conductance", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether cells are noisy."""
        return self.sigma_span > 0.0 or self.sigma_rel > 0.0

    @property
    def random(self) -> bool:
        """Each read draws its noise."""
        return self.on

    def variance(self, g_cell: Array, span: float) -> Array:
        """Return sigma^2 (...) in siemens squared for conductances (...) of a table whose range is `span` (S)."""
        return (self.sigma_span * span) ** 2 + (self.sigma_rel * g_cell) ** 2

    def prepare(self, cells: CellTerms) -> None:
        """Give each cell the variance of its conductance."""
        own = self.variance(cells.g_cell, cells.g_span)
        cells.variance = own if cells.variance is None else cells.variance + own
