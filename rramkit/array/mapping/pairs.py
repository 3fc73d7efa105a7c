"""Weights as differences of pairs: w stands for (g_plus - g_minus) / g_unit.

`centre`: both halves move apart from the middle of the range, which keeps the sum of a pair; `edge`: one half carries
the weight and the other stays lowest, as in the bulk-switching module (arXiv 2305.14547).
"""

from collections.abc import Sequence
from typing import Literal

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.mapping import Mapping
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class Pairs(Parameters, Mapping):
    """Real weights, one pair each."""

    w_max: float = quantity(1.0, "1", "largest weight, which the full conductance range stands for", gt=0.0)
    g_low: float = quantity(5e-6, "S", "lowest conductance", gt=0.0)
    g_high: float = quantity(80e-6, "S", "highest conductance", gt=0.0)
    about: Literal["centre", "edge"] = quantity("centre", "1", "whether both halves or one carry the weight")

    @property
    def g_unit(self) -> float:
        """Conductance difference that stands for a weight of one (S)."""
        return (self.g_high - self.g_low) / self.w_max

    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (2, N, M) in siemens of weights (N, M)."""
        xp = namespace(weight)
        if not float(xp.max(xp.abs(weight))) <= self.w_max:
            raise InputError(
                f"`weight` must be within {self.w_max:g}; got {float(xp.max(xp.abs(weight))):g}. Scale it."
            )
        if self.about == "centre":
            half, centre = 0.5 * self.g_unit * weight, 0.5 * (self.g_low + self.g_high)
            return xp.stack([centre + half, centre - half])
        size = xp.abs(weight)
        return self.g_low + 0.5 * self.g_unit * xp.stack([size + weight, size - weight])

    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (2, N, M)."""
        return (g_cell[0] - g_cell[1]) / self.g_unit

    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return one read, the largest input at the full voltage."""
        xp = namespace(x)
        largest = float(xp.max(xp.abs(x))) or 1.0
        return [(largest, x / largest)]

    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return currents (B, M) over the current of a weight of one."""
        return i / (v_max * self.g_unit)
