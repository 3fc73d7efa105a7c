"""Stimuli: step-wise drive voltages with a rise time, behind a driver's output resistance."""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.errors import InputError

_SAME_TIME = 1e-6  # of an edge (1): closer than this is rounding


def staircase_points(
    steps: Sequence[tuple[float, float]], *, t_rise: float, v_start: float = 0.0
) -> list[tuple[float, float]]:
    """Return the corners (t, v) of a drive that goes to each step's voltage at the step's time.

    Parameters
    ----------
    steps : sequence of (t, v)
        Start time [s] of each edge and the voltage [V] it goes to; times at least `t_rise` apart.
    t_rise : float
        Duration of every edge [s].
    v_start : float
        Voltage before the first step [V].
    """
    points, v_now = [(0.0, v_start)], v_start
    for t_edge, v_next in steps:
        if v_next == v_now:
            continue
        t_last = points[-1][0]
        if t_edge < t_last - _SAME_TIME * t_rise:
            raise InputError(
                f"`steps` must lie {t_rise:g} s apart or more; got an edge at {t_edge:g} s. Move it later."
            )
        # An edge that begins where the last one ended needs no corner of its own: two corners at nearly the same time
        # are a time step of nothing, over which ngspice 39 stumbles.
        points += [(_tidy(t_edge), v_now)] if t_edge > t_last + _SAME_TIME * t_rise else []
        points += [(_tidy(t_edge + t_rise), v_next)]
        v_now = v_next
    return points


def _tidy(t: float) -> float:
    """Return a time to ten digits: corners of two lines a rounding error apart make ngspice 39 give up."""
    return float(f"{t:.10g}")


def add_driver(
    circuit: Circuit, line: str, points: Sequence[tuple[float, float]], *, r_out: float, c_line: float
) -> None:
    """Drive the node `line` from source `v_<line>` through `r_out` [ohm], with `c_line` [F] from the line to ground."""
    source = f"{line}_src"
    circuit.PieceWiseLinearVoltageSource(f"_{line}", source, circuit.gnd, values=list(points))
    circuit.R(f"_out_{line}", source, line, r_out)
    if c_line > 0:
        circuit.C(f"_{line}", line, circuit.gnd, c_line)


def add_sweep(circuit: Circuit, v_in: np.ndarray, *, first: int = 0) -> None:
    """Drive the nodes `in_i` from one source `V_sweep`: at `first` + b volt they stand at column b of `v_in` (N, B)."""
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    for index in range(v_in.shape[0]):
        # One more point past the last: ngspice's pwl() wants two, and rounding may carry the sweep past its end.
        pairs = ", ".join(f"{b}, {v:.12g}" for b, v in enumerate([*v_in[index], v_in[index][-1]], first))
        circuit.raw_spice += f"B_in_{index} in_{index} 0 v = pwl(v(sweep), {pairs})\n"
