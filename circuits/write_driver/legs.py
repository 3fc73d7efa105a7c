"""The switches of a line: each leg joins the line to a rail, the pull-down joins it to ground; all by shifted logic.

A leg is an NMOS (`n`: rails so low that it stays on, and lines that go above their rail), a PMOS with its well at its
rail (`p`: the line's highest rail), or both (`pn`: the line's highest rail, when that steps over a wide range).
A PMOS with its well at the supply would not do: at 2 V its body effect is a volt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import level_shifter
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.parameters import Parameters, quantity

Interval = tuple[float, float]
_SAME = 1e-3  # of a gap (1): closer than this is rounding


class SwitchParams(Parameters):
    """Sizes of a line's switches, and the timing of their control. This kit's choice."""

    w_leg: float = quantity(20e-6, "m", "width of a leg's transistor", ge=0.1e-6, le=1e-3)
    w_down: float = quantity(20e-6, "m", "width of the pull-down", ge=0.1e-6, le=1e-3)
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

    `down` is its width over `params.w_down`.
    """
    for name, leg in legs.items():
        on, off = add_control(circuit, f"{line}_{name}", leg.on, params=params, draw=draw, core=leg.control)
        if "n" in leg.kind:
            draw.mosfet(f"_{line}_{name}_n", (line, on, leg.rail, 0), "nmos_io", w=leg.strength * params.w_leg)
        if "p" in leg.kind:
            draw.mosfet(f"_{line}_{name}_p", (line, off, leg.rail, leg.rail), "pmos_io", w=leg.strength * params.w_leg)
    busy = _merged([(a - params.t_dead, b + params.t_dead) for leg in legs.values() for a, b in leg.on], params.t_dead)
    _, idle = add_control(circuit, f"{line}_busy", busy, params=params, draw=draw)
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
