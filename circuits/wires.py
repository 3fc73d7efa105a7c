"""One wire segment, a cell long: resistance and capacitance from node, pitch and temperature, or given directly.

Given segments follow the simulation's temperature: R(T) = R (1 + tcr (T - 300.15 K)), tcr of copper by default.

With a table other than `given`, w the wire's width, k its aspect ratio (height over width), p the segment's length ::

    neurosim   R = rho(w) p / (w^2 k)                           rho and k tabulated by the node's wire width, p = 4 w
    mnsim1     R = 12.681, 6.607, 3.928, 2.177 ohm a cell at 18, 22, 28, 36 nm, else 54.21/(node/nm - 13.73)
    mnsim2     R = 2.82 ohm and C = 1 fF a cell, whatever the node

    R(T) = R (1 + 0.00451 |T - 300 K|)                          for neurosim and mnsim1; C = c_length p but for mnsim2

Sources: neurosim, MLP+NeuroSim V3.0 and DNN+NeuroSim V2.1 (their wire widths, resistivities, aspect ratios, length of
4 widths for a 1T1R cell and temperature factor); mnsim1, MNSIM V1.1 (accuracy.cpp); mnsim2, MNSIM 2.0 (SimConfig.ini).
mnsim1 is larger at 28 nm and below (6.6 against 3.0 ohm at 22 nm): take both as corners. This kit's choices: `c_length`
(the first two tables have no capacitance), the temperature factor on mnsim1, whose source has none, and the range from
300 K up: below it the sources' absolute value would make a colder wire worse.
"""

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field, model_validator

from rramkit.parameters import Parameters, quantity

TCR = 3.9e-3  # 1/K: a textbook value for copper, this kit's choice where segments are given
T_REF = 300.15  # K: where given segments hold, ngspice's `tnom`
TEMPERATURE_FACTOR = 0.00451  # 1/K (NeuroSim)
WIDTHS = {130: 200, 90: 200, 65: 100, 45: 50, 32: 40, 22: 32, 14: 22, 10: 14, 7: 14}  # node, wire width [nm] (NeuroSim)
# Width [nm]: resistivity [ohm m], aspect ratio (NeuroSim).
RESISTIVITY = {
    200: (2.42e-8, 2.1),
    100: (2.73e-8, 2.3),
    50: (3.91e-8, 2.34),
    40: (4.03e-8, 1.9),
    32: (4.51e-8, 1.9),
    22: (5.41e-8, 2.0),
    14: (7.43e-8, 2.1),
}
CELL_WIDTHS = 4  # length of a 1T1R cell in wire widths (NeuroSim); a cross-point cell has half of it
R_LINE = {18: 12.681, 22: 6.607, 28: 3.928, 36: 2.177}  # node [nm]: ohm a cell (MNSIM V1.1)
R_MNSIM2, C_MNSIM2 = 2.82, 1e-15  # ohm and farad a cell (MNSIM 2.0)


@dataclass(frozen=True)
class Segment:
    """A wire segment: resistance `r` [ohm] at `T_REF`, capacitance `c` [F], coefficient `tcr` of r [1/K]."""

    r: float
    c: float
    tcr: float = 0.0


class WireParams(Parameters):
    """Where the segments of an array's lines come from."""

    table: Literal["given", "neurosim", "mnsim1", "mnsim2"] = quantity(
        "given", "1", "given: the array's own r_row ... c_word; else this table replaces all six of them"
    )
    node: int = quantity(45, "nm", "technology node (neurosim, mnsim1)", ge=7, le=130)
    t_wire: float = quantity(300.0, "K", "temperature of the wires (neurosim, mnsim1)", ge=300, le=400)
    pitch: float | None = Field(
        default=None,
        description="length of a segment; unset: 4 wire widths (neurosim only; the others are tabulated by the cell)",
        json_schema_extra={"unit": "m"},
        ge=1e-8,
        le=1e-4,
    )
    tcr: float = quantity(TCR, "1/K", "change of a given segment's resistance with temperature", ge=0, le=0.02)
    c_length: float = quantity(2e-10, "F/m", "capacitance of a wire by length (neurosim, mnsim1)", ge=0, le=1e-8)

    @model_validator(mode="after")
    def _in_table(self) -> "WireParams":
        if self.table == "neurosim" and self.node not in WIDTHS:
            raise ValueError(f"node must be one of {', '.join(map(str, WIDTHS))} nm in neurosim; got {self.node}")
        if self.table == "mnsim1" and not 18 <= self.node <= 90:
            raise ValueError(f"node must be within 18 and 90 nm in mnsim1; got {self.node}")
        if self.table != "neurosim" and self.pitch is not None:
            raise ValueError(f"pitch belongs to the table neurosim; {self.table} is for a whole cell. Leave it unset")
        return self

    def segment(self, given: Segment) -> Segment:
        """Return the segment that the table says, or `given`."""
        if self.table == "given":
            return replace(given, tcr=self.tcr)
        if self.table == "mnsim2":
            return Segment(R_MNSIM2, C_MNSIM2)
        hot = 1 + TEMPERATURE_FACTOR * abs(self.t_wire - 300)
        if self.table == "mnsim1":
            return Segment(mnsim1_resistance(self.node) * hot, self.c_length * CELL_WIDTHS * self.node * 1e-9)
        width = WIDTHS[self.node] * 1e-9
        length = CELL_WIDTHS * width if self.pitch is None else self.pitch
        rho, aspect = RESISTIVITY[WIDTHS[self.node]]
        return Segment(rho * hot * length / (width**2 * aspect), self.c_length * length)


def mnsim1_resistance(node: int) -> float:
    """Return MNSIM V1.1's resistance of a cell's length of line [ohm]; `node` in nm, 18 to 90."""
    return R_LINE.get(node, 54.21 / (node - 13.73))
