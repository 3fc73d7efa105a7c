"""Differential pairs: w = (g_plus - g_minus) / g_unit, with g_unit = (g_high - g_low) / w_max.

    centre    g_plus = g_centre + w g_unit / 2    g_minus = g_centre - w g_unit / 2
    low       g_plus = g_low + max(w, 0) g_unit   g_minus = g_low + max(-w, 0) g_unit

`centre` keeps the mean of a pair; g_centre = g_low + centre (g_high - g_low). `low` lets one half carry the weight
while the other stays at the lowest conductance, as in the bulk-switching module (arXiv 2305.14547). With `levels`,
targets are rounded to as many evenly spaced conductances. Targets beyond the window are clipped to it.
"""

from typing import Literal

from rramkit.array.backend import Array, limited, namespace
from rramkit.array.mapping.mapping import Mapping
from rramkit.parameters import quantity

Placement = Literal["centre", "low"]


class Pairs(Mapping):
    """Real weights, one pair of cells each.

    Examples
    --------
    >>> import numpy as np
    >>> pairs = Pairs(g_low=10e-6, g_high=60e-6)
    >>> pairs.targets(np.array([[1.0, -0.5]])) * 1e6
    array([[[60. , 22.5]],
    <BLANKLINE>
           [[10. , 47.5]]])
    """

    kind: Literal["pairs"] = quantity("pairs", "1", "a pair of cells a weight")
    placement: Placement = quantity("centre", "1", "a pair around the centre, or one half at the lowest conductance")
    centre: float = quantity(0.5, "1", "mean of a pair in the window (0 lowest, 1 highest)", gt=0.0, lt=1.0)
    levels: int = quantity(0, "1", "conductance levels of a target; 0: any conductance", ge=0, le=65_536)

    @property
    def g_unit(self) -> float:
        """Conductance difference that stands for a weight of one (S)."""
        return self.span / self.w_max

    @property
    def g_centre(self) -> float:
        """Conductance that the mean of a pair is held near (S)."""
        return self.window[0] + self.centre * self.span

    @property
    def g_spacing(self) -> float:
        """Conductance between two levels of a target; without levels, the span (S)."""
        return self.span / (self.levels - 1) if self.levels > 1 else self.span

    @property
    def reach(self) -> float:
        """Largest magnitude of a weight none of whose cells is cut: a pair off the middle has less room on one side."""
        return self.w_max if self.placement == "low" else 2.0 * min(self.centre, 1.0 - self.centre) * self.w_max

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances of weights, within the window and on its levels.

        Parameters
        ----------
        weight : array
            Weights (...), within `w_max` (1).
        flipped : array, optional
            Not used: pairs have no flipped columns.

        Returns
        -------
        array
            Plus and minus halves (2, ...), in siemens.

        Raises
        ------
        InputError
            When the mapping has no window.

        Examples
        --------
        >>> import numpy as np
        >>> Pairs(g_low=10e-6, g_high=60e-6).encode(np.array(1.0)).round(9)
        array([6.e-05, 1.e-05])
        """
        xp, (low, high) = namespace(weight), self.window
        if self.placement == "centre":
            half = 0.5 * self.g_unit * weight
            pairs = xp.stack([self.g_centre + half, self.g_centre - half])
        else:
            pairs = low + self.g_unit * limited(xp.stack([weight, -weight]), 0.0, float("inf"))
        if self.levels > 1:
            pairs = low + self.g_spacing * xp.round((pairs - low) / self.g_spacing)
        return limited(pairs, low, high)

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights that conductances stand for.

        Parameters
        ----------
        g_cell : array
            Plus and minus halves (2, ...), in siemens.
        flipped : array, optional
            Not used: pairs have no flipped columns.

        Returns
        -------
        array
            Weights (...) (1).

        Raises
        ------
        InputError
            When the mapping has no window.

        Examples
        --------
        >>> import numpy as np
        >>> float(Pairs(g_low=10e-6, g_high=60e-6).decode(np.array([35e-6, 10e-6])).round(9))
        0.5
        """
        return (g_cell[0] - g_cell[1]) / self.g_unit
