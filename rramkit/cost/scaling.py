"""Scaling of energy and area of CMOS logic between technology nodes."""

from bisect import bisect_left
from math import exp, log
from typing import Literal, Self

from pydantic import Field, model_validator

from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

Mark = Literal["found", "derived", "recalled"]


class Scaling(Parameters):
    """Energy and area of the same circuit at some nodes (Stillmaker and Baas 2017).

    Energy goes as p = a V^2 + b V + c at supply V. Between the nodes p and area are interpolated on logarithmic axes,
    which is the kit's choice; beyond the first and last node there is no answer. Leakage is not covered.
    """

    nodes: tuple[float, ...] = quantity((), "m", "nodes, from the largest down")
    energy: tuple[tuple[float, float, float], ...] = quantity((), "1", "a, b, c of each node")
    area: tuple[float, ...] = quantity((), "1", "area of the same circuit at each node")
    v_supply: float = quantity(0.9, "V", "supply of both nodes, unless others are given", gt=0, le=5)
    source: str = Field(description="key of a source")
    mark: Mark = Field(description="found, derived or recalled")

    @model_validator(mode="after")
    def _one_row_a_node(self) -> Self:
        if not len(self.nodes) == len(self.energy) == len(self.area) >= 2:
            raise ValueError(
                f"must have one row of `energy` and one `area` for each of two or more `nodes`; got {len(self.nodes)}, "
                f"{len(self.energy)} and {len(self.area)}. Fix their lengths"
            )
        if sorted(set(self.nodes), reverse=True) != list(self.nodes) or self.nodes[-1] <= 0:
            raise ValueError("must have `nodes` above 0 that fall. Sort them")
        if min(self.area) <= 0:
            raise ValueError(f"must have areas above 0; got {min(self.area)}. Fix it")
        return self

    def energy_factor(
        self, start: float, to: float, *, v_from: float | None = None, v_to: float | None = None
    ) -> float:
        """Return the energy at node `to` (m) over that at node `start` (m), at supplies `v_from` and `v_to` (V)."""
        v_from, v_to = (self.v_supply if v is None else v for v in (v_from, v_to))
        return self._power(to, v_to) / self._power(start, v_from)

    def area_factor(self, start: float, to: float) -> float:
        """Return the area at node `to` (m) over that at node `start` (m)."""
        return self._at(self.area, to) / self._at(self.area, start)

    def _power(self, node: float, v: float) -> float:
        p = [a * v**2 + b * v + c for a, b, c in self.energy]
        if not v > 0 or min(p) <= 0:
            raise InputError(f"scaling: a supply of {v} V is outside the fit of its source. Pass 0.6 to 1.2 V.")
        return self._at(p, node)

    def _at(self, values: "tuple[float, ...] | list[float]", node: float) -> float:
        """Return the value at a node, on logarithmic axes between neighbours."""
        rising, values = self.nodes[::-1], values[::-1]
        if not rising[0] * (1 - 1e-9) <= node <= rising[-1] * (1 + 1e-9):
            low, high = (1e9 * end for end in (rising[0], rising[-1]))
            raise InputError(
                f"`node` must be {low:g} to {high:g} nm, the range of the scaling; got {1e9 * node:g} nm. Pass another."
            )
        after = min(max(bisect_left(rising, node * (1 - 1e-9)), 1), len(rising) - 1)
        low, high = rising[after - 1], rising[after]
        share = (log(node) - log(low)) / (log(high) - log(low))
        return exp((1 - share) * log(values[after - 1]) + share * log(values[after]))
