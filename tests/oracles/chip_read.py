"""The slow obvious read of one array through its circuits: vector by vector, line by line, code by code.

Cells are ohmic, and what wires and line ends leave of them is given as a matrix: the current at the end of a sensed
line for one volt at a driven one.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Unit:
    """One sense unit: `levels` where the codes 1, 2 ... begin (V), offset of its readout (V), its clamp voltage (V)."""

    levels: np.ndarray
    offset: float
    v_rest: float

    def code(self, v_out):
        """Return the code at an output of the readout above rest (V), the offset not yet added."""
        return int(np.searchsorted(self.levels, self.v_rest + v_out + self.offset, side="right"))

    def steps(self, i, g_line, curve):
        """Return the code of a line's current less that at rest."""
        return self.code(float(curve(i + self.offset * g_line))) - self.code(0.0)


def sensed_steps(effective, volts, unit_of, curve, factor):
    """Return code less code at rest (B, M) of lines M behind `effective` (L, M) in siemens, driven by volts (B, L).

    `unit_of(m)` is the unit of line m, `curve` the readout's output (V) against the current (A), `factor(g)` what the
    gain setting's input resistance makes of the current of a line of conductance g.
    """
    steps = np.zeros((volts.shape[0], effective.shape[1]), dtype=int)
    for b in range(volts.shape[0]):
        for m in range(effective.shape[1]):
            i = sum(volts[b, line] * effective[line, m] for line in range(effective.shape[0]))
            g_line = sum(effective[line, m] for line in range(effective.shape[0]))
            steps[b, m] = unit_of(m).steps(i * factor(g_line), g_line, curve)
    return steps


def forward_steps(physical, levels, v, unit_of, curve, factor):
    """Return the steps (B, C) of a signed forward read of pairs, columns 2 c less 2 c + 1 and phase less phase.

    `physical` (R, 2 C) are effective conductances, `levels` the volts of each code of the row drivers for inputs from 0
    to 1, `v` inputs (B, R) from -1 to 1.
    """
    total = 0
    for sign in (1, -1):
        driven = levels[np.rint(np.maximum(sign * v, 0.0) * (levels.size - 1)).astype(int)]
        columns = sensed_steps(physical, driven, unit_of, curve, factor)
        total = total + sign * (columns[:, 0::2] - columns[:, 1::2])
    return total


def backward_steps(physical, levels, v, unit_of, curve, factor):
    """Return the steps (B, R) of a signed backward read of pairs: plus columns where v > 0, minus where v < 0; then the
    others; `v` inputs (B, C) from -1 to 1, the rest as in `forward_steps`.
    """
    total = 0
    for sign in (1, -1):
        driven = np.zeros((v.shape[0], physical.shape[1]))
        for half in (1, -1):
            codes = np.rint(np.maximum(sign * half * v, 0.0) * (levels.size - 1)).astype(int)
            driven[:, (0 if half == 1 else 1) :: 2] = levels[codes]
        total = total + sign * sensed_steps(physical.T, driven, unit_of, curve, factor)
    return total
