"""The three lines of the cell that is written, as long as the array makes them, with the other cells hanging on them.

Word line and source line run along the row, the bit line along the column (as in `crossbar`); the written cell sits at
their far ends. A line of N segments is cut into `lumps` equal pieces; a piece stands for N/lumps cells: their wire's
resistance and capacitance, and one 1T1R cell of N/lumps times the size, its ReRAM a resistor `r_neighbour`:

    along the row        word line on its gate, source line on its source, the inhibited bit lines behind its ReRAM
    along the column     bit line behind its ReRAM, gate and source at 0 V (closed)

So gate capacitance, junctions and leakage are those of the transistor model, at the voltages that the pulse brings.
"""

from dataclasses import dataclass
from typing import Self

from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams
from rramkit.circuits.mosfet import Netlister
from rramkit.parameters import Parameters, quantity


class LinesParams(Parameters):
    """Length and wires of the three lines. Default wires: those of the crossbar."""

    cells: int = quantity(64, "1", "cells along the row, and along the column", ge=2, le=1024)
    lumps: int = quantity(4, "1", "pieces that a line is cut into", ge=1, le=64)
    r_segment: float = quantity(1.0, "ohm", "resistance of a segment (one cell long), each line", ge=1e-3, le=1e4)
    c_segment: float = quantity(0.2e-15, "F", "capacitance of a segment, each line", ge=0, le=1e-12)
    r_neighbour: float = quantity(12.5e3, "ohm", "the other cells' ReRAM (default: LRS)", ge=1e3, le=1e9)

    @model_validator(mode="after")
    def _whole_lumps(self) -> Self:
        if self.cells % self.lumps:
            raise ValueError(f"cells must be a multiple of lumps; got {self.cells} and {self.lumps}")
        return self


@dataclass(frozen=True)
class Far:
    """Nodes at the far ends of the lines."""

    bl: str
    wl: str
    sl: str
    inhibit: str = "inhibit"


def add_lines(circuit: Circuit, params: LinesParams, cell: CellParams) -> Far:
    """Add the lines between the drivers' nodes `bl`, `wl`, `sl`, `inhibit` and the far ends, which are returned."""
    draw, per_lump = Netlister(circuit, cell.technology), params.cells // params.lumps
    for line in ("bl", "wl", "sl"):
        for k in range(params.lumps):
            circuit.R(f"_{line}_{k}", _node(line, k), _node(line, k + 1), params.r_segment * per_lump)
            if params.c_segment > 0:
                circuit.C(f"_{line}_{k}", _node(line, k + 1), circuit.gnd, params.c_segment * per_lump)
    if params.c_segment > 0:
        circuit.C("_inhibit", "inhibit", circuit.gnd, params.c_segment * params.cells)
    size = {"w": cell.w_access, "length": cell.l_access, "m": per_lump}
    for k in range(1, params.lumps + 1):
        for where, top, gate, source in (
            ("row", "inhibit", _node("wl", k), _node("sl", k)),
            ("col", _node("bl", k), "0", "0"),
        ):
            circuit.R(f"_{where}_{k}", top, f"{where}_{k}", params.r_neighbour / size["m"])
            draw.mosfet(f"_{where}_{k}", (f"{where}_{k}", gate, source, 0), "nmos_io", **size)
    return Far(*(_node(line, params.lumps) for line in ("bl", "wl", "sl")))


def _node(line: str, k: int) -> str:
    return line if k == 0 else f"{line}_{k}"
