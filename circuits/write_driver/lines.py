"""Lines of the written cell and the switches that drive them, as long as the array makes them.

The other cells hang on the three lines. Word line and source line run along the row, the bit line along the column (as
in `crossbar`); the written cell sits at their far ends. A line of N segments is cut into `lumps` equal pieces; a piece
stands for N/lumps cells: their wire's resistance and, in its middle, their capacitance and one 1T1R cell of N/lumps
times the size, its ReRAM a resistor `r_neighbour`. (At the piece's end, cells would lie half a piece too far on the
average and carry more of a pulse's current than they do.)

    along the row        word line on its gate, source line on its source, the inhibited bit lines behind its ReRAM
    along the column     bit line behind its ReRAM, gate and source at 0 V (closed)

So gate capacitance, junctions and leakage are those of the transistor model, at the voltages that the pulse brings.
The inhibited bit lines are as long as the written one; their other cells, which are closed, are one capacitor.

The switches of a line: each leg joins the line to a rail, the pull-down joins it to ground; all by shifted logic.
A leg is an NMOS (`n`: rails so low that it stays on, and lines that go above their rail), a PMOS with its well at its
rail (`p`: the line's highest rail), or both (`pn`: the line's highest rail, when that steps over a wide range).
A PMOS with its well at the supply would not do: at 2 V its body effect is a volt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import level_shifter
from rramkit.circuits.cell import CellParams
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.wires import TCR
from rramkit.parameters import Parameters, quantity


class LinesParams(Parameters):
    """Length and wires of the three lines. Default wires: those of the crossbar."""

    cells: int = quantity(64, "1", "cells along the row, and along the column", ge=2, le=1024)
    lumps: int = quantity(4, "1", "pieces that a line is cut into", ge=1, le=64)
    r_segment: float = quantity(1.0, "ohm", "resistance of a segment (one cell long), each line", ge=1e-3, le=1e4)
    tcr: float = quantity(TCR, "1/K", "change of a segment's resistance with temperature", ge=0, le=0.02)
    c_segment: float = quantity(0.2e-15, "F", "capacitance of a segment, each line", ge=0, le=1e-12)
    c_inhibited: float = quantity(
        5e-15, "F", "capacitance of each cell of the bit lines that are inhibited in RESET", ge=0, le=1e-12
    )
    r_neighbour: float = quantity(12.5e3, "ohm", "the other cells' ReRAM (default: LRS)", ge=1e3, le=1e9)

    @property
    def inhibited(self) -> int:
        """Bit lines that are inhibited in RESET: all but one."""
        return self.cells - 1

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
    hot = {"raw_spice": f"tc1={params.tcr:.9g}"} if params.tcr > 0 else {}
    for line in ("bl", "wl", "sl"):
        nodes = [line, *(_middle(line, k) for k in range(1, params.lumps + 1)), _far(line)]
        for k, (here, there) in enumerate(pairwise(nodes)):
            length = per_lump if 0 < k < params.lumps else per_lump / 2  # from middle to middle, or to an end
            circuit.R(f"_{line}_{k}", here, there, params.r_segment * length, **hot)
            if params.c_segment > 0 and k < params.lumps:
                circuit.C(f"_{line}_{k + 1}", there, circuit.gnd, params.c_segment * per_lump)
    if params.c_inhibited > 0:
        circuit.C("_inhibit", "inhibit", circuit.gnd, params.c_inhibited * params.cells * params.inhibited)
    size = {"w": cell.w_access, "length": cell.l_access, "m": per_lump}
    for k in range(1, params.lumps + 1):
        for where, top, gate, source in (
            ("row", "inhibit", _middle("wl", k), _middle("sl", k)),
            ("col", _middle("bl", k), "0", "0"),
        ):
            circuit.R(f"_{where}_{k}", top, f"{where}_{k}", params.r_neighbour / size["m"])
            draw.mosfet(f"_{where}_{k}", (f"{where}_{k}", gate, source, 0), cell.access, **size)
    return Far(*(_far(line) for line in ("bl", "wl", "sl")))


def _middle(line: str, k: int) -> str:
    """Return the node in the middle of a line's piece, counted from 1."""
    return f"{line}_{k}"


def _far(line: str) -> str:
    return f"{line}_far"


Interval = tuple[float, float]
_SAME = 1e-3  # of a gap (1): closer than this is rounding


class SwitchParams(Parameters):
    """Sizes of a line's switches, and the timing of their control. This kit's choice."""

    w_leg: float = quantity(20e-6, "m", "width of a leg's transistor", ge=0.1e-6, le=1e-3)
    w_down: float = quantity(20e-6, "m", "width of the pull-down", ge=0.1e-6, le=1e-3)
    inhibiting: float = quantity(0.1, "1", "width of each inhibited bit line's switches, over w_leg", gt=0, le=10)
    opening: float = quantity(0.1, "1", "width of the leg that opens the word line in RESET, over w_leg", gt=0, le=10)
    closing: float = quantity(0.06, "1", "width of the word line's pull-down, over w_down", gt=0, le=10)
    t_logic: float = quantity(50e-12, "s", "edges of the core logic", ge=1e-12, le=1e-9)
    t_dead: float = quantity(2e-9, "s", "dead time between a pull-down and a leg", ge=0.1e-9, le=1e-6)


@dataclass(frozen=True)
class Leg:
    """One leg: the rail's node, its kind, when it is on, in rising order; `control`: a core-logic node that says so.

    `strength` is its width over that of the other legs.
    """

    rail: str
    kind: Literal["n", "p", "pn"]
    on: Sequence[Interval]
    control: str = ""
    strength: float = 1.0


def add_line_driver(
    circuit: Circuit, line: str, legs: Mapping[str, Leg], *, params: SwitchParams, draw: Netlister, down: float = 1.0
) -> None:
    """Drive the node `line` from its legs; the pull-down is on whenever no leg is or is about to be.

    `down` is its width over `params.w_down`. What never switches has its gate at a supply and no shifter.
    """
    for name, leg in legs.items():
        on, off = "0", "vwrite"
        if leg.on or leg.control:
            on, off = add_control(circuit, f"{line}_{name}", leg.on, params=params, draw=draw, core=leg.control)
        if "n" in leg.kind:
            draw.mosfet(f"_{line}_{name}_n", (line, on, leg.rail, 0), "nmos_io", w=leg.strength * params.w_leg)
        if "p" in leg.kind:
            draw.mosfet(f"_{line}_{name}_p", (line, off, leg.rail, leg.rail), "pmos_io", w=leg.strength * params.w_leg)
    busy = _merged([(a - params.t_dead, b + params.t_dead) for leg in legs.values() for a, b in leg.on], params.t_dead)
    idle = add_control(circuit, f"{line}_busy", busy, params=params, draw=draw)[1] if busy else "vwrite"
    draw.mosfet(f"_{line}_down", (line, idle, "0", 0), "nmos_io", w=down * params.w_down)


def add_control(
    circuit: Circuit, name: str, on: Sequence[Interval], *, params: SwitchParams, draw: Netlister, core: str = ""
) -> tuple[str, str]:
    """Add a core-logic source `v_ctl_<name>` and its level shifter; return the shifted signal and complement.

    With `core` given, that node is shifted instead and no source is added.
    """
    if not core:
        core, high = f"{name}_core", draw.technology.v_core
        steps = [step for a, b in on for step in ((a, high), (b, 0.0))]
        points = staircase_points(steps, t_rise=params.t_logic)
        circuit.PieceWiseLinearVoltageSource(f"_ctl_{name}", core, circuit.gnd, values=[*points, (1.0, points[-1][1])])
    circuit.X(f"_{name}", level_shifter.NAME, core, f"{name}_on", f"{name}_off", "vcore", "vwrite")
    return f"{name}_on", f"{name}_off"


def _merged(intervals: Sequence[Interval], gap: float) -> list[Interval]:
    """Return intervals in rising order, those joined that lie closer than `gap` [s]."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        # A gap of one dead time to the last digit is one: rounding must not leave a line up at some pulses.
        if merged and begin < merged[-1][1] + (1 - _SAME) * gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((max(begin, 0.0), end))
    return merged
