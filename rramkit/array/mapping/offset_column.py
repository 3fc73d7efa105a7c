"""Weights in plain columns, with one column of the middle conductance for all of them: w stands for g - g_middle.

Half the cells of pairs; the offset column's converter errors enter every output. Where a matrix takes several tiles
across, each output still subtracts the one offset column.
"""

from collections.abc import Sequence

from rramkit.array.backend import Array, full, namespace
from rramkit.array.mapping.mapping import Mapping
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class OffsetColumn(Parameters, Mapping):
    """Real weights, one cell each, and an offset column after the last."""

    w_max: float = quantity(1.0, "1", "largest weight, which half the conductance range stands for", gt=0.0)
    g_low: float = quantity(5e-6, "S", "lowest conductance", gt=0.0)
    g_high: float = quantity(80e-6, "S", "highest conductance", gt=0.0)

    @property
    def g_unit(self) -> float:
        """Conductance that stands for a weight of one (S)."""
        return 0.5 * (self.g_high - self.g_low) / self.w_max

    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (1, N, M + 1) in siemens of weights (N, M)."""
        xp, middle = namespace(weight), 0.5 * (self.g_low + self.g_high)
        if not float(xp.max(xp.abs(weight))) <= self.w_max:
            raise InputError(
                f"`weight` must be within {self.w_max:g}; got {float(xp.max(xp.abs(weight))):g}. Scale it."
            )
        offset = full((weight.shape[0], 1), middle, weight)
        return xp.concat([middle + self.g_unit * weight, offset], axis=-1)[None]

    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (1, N, M + 1)."""
        return (g_cell[0, :, :-1] - g_cell[0, :, -1:]) / self.g_unit

    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return one read, the largest input at the full voltage."""
        xp = namespace(x)
        largest = float(xp.max(xp.abs(x))) or 1.0
        return [(largest, x / largest)]

    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return currents (B, M), the last column's subtracted, over the current of a weight of one."""
        return (i[:, :-1] - i[:, -1:]) / (v_max * self.g_unit)
