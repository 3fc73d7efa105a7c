"""Source line solved node by node: driver, node 0, r, node 1, r, ..., node N; the row's other cells lie along it."""

import numpy as np


def volts_lost(current, *, r_segment, r_driver, g_cell):
    """Return the volts lost (N + 1,) at the nodes when `current` (N + 1,) is drawn there; node 0 is the driver's.

    Each of N cells lies as half a conductance at either end of its segment: closed forms are of a line whose cells are
    spread along it, and differ by (r g)/24 a segment.
    """
    last = len(current) - 1
    g = np.zeros((last + 1, last + 1))
    g[0, 0] += 1 / r_driver
    for k in range(last):
        g[k, k] += 1 / r_segment + g_cell / 2
        g[k + 1, k + 1] += 1 / r_segment + g_cell / 2
        g[k, k + 1] -= 1 / r_segment
        g[k + 1, k] -= 1 / r_segment
    return np.linalg.solve(g, current)
