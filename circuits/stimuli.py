"""Stimuli: step-wise drive voltages with a rise time, behind a driver's output resistance."""

from collections.abc import Sequence

from PySpice.Spice.Netlist import Circuit


def staircase_points(steps: Sequence[tuple[float, float]], *, t_rise: float) -> list[tuple[float, float]]:
    """Return the corners (t, v) of a drive that goes to each step's voltage at the step's time.

    Parameters
    ----------
    steps : sequence of (t, v)
        Start time [s] of each edge and the voltage [V] it goes to; times at least `t_rise` apart.
    t_rise : float
        Duration of every edge [s].
    """
    points, v_now = [(0.0, 0.0)], 0.0
    for t_edge, v_next in steps:
        if v_next != v_now:
            points += [(t_edge, v_now)] if t_edge > 0 else []
            points += [(t_edge + t_rise, v_next)]
            v_now = v_next
    # Corners that two lines share must be equal to the last digit: ngspice 39 stops at "breakpoint in the past" else.
    return [(float(f"{t:.12g}"), v) for t, v in points]


def add_driver(
    circuit: Circuit, line: str, points: Sequence[tuple[float, float]], *, r_out: float, c_line: float
) -> None:
    """Drive the node `line` from source `v_<line>` through `r_out` [ohm], with `c_line` [F] from the line to ground."""
    source = f"{line}_src"
    circuit.PieceWiseLinearVoltageSource(f"_{line}", source, circuit.gnd, values=list(points))
    circuit.R(f"_out_{line}", source, line, r_out)
    if c_line > 0:
        circuit.C(f"_{line}", line, circuit.gnd, c_line)
