r"""Exact solution of a crossbar of linear cells: block elimination, line after line, into one small matrix.

Lines i = 0 .. N-1 carry M nodes each, r_line apart, and begin behind r_start at the voltage v_i; the M lines that cross
them have nodes r_step apart and leave below line N-1 through r_end at the voltages w (M,). A cell joins each line node
(voltage U) to its crossing node (V), and carries x = g (U - V) + s, where s is a given current.

One line. With P_jm = r_start + r_line min(j, m), the resistance that two nodes share from the start, U = v - P x, so ::

    x = Y (v - V - P s) + s        Y = (G^-1 + P)^-1, the admittance of the line seen from its crossing nodes

Y is written down entry by entry from the two ladders that a node sees: z_left, y_right (its left and right), and the
factor exp(-drop) by which a voltage falls from one node to the next. No entry is a difference of large numbers.

All lines. Currents J_i = y_i - A_i V_i flow down from node row i, all that lies above it in A_i (M, M) and y_i::

    A_i = Y_i + K_i-1 A_i-1      y_i = (x_i at V = 0) + K_i-1 y_i-1      K_i = (1 + r_step A_i)^-1   (last: r_end)

and from the last row up V_i = K_i (V_i+1 + r_step y_i). Every matrix inverted is 1 plus a positive one: zero
resistances and absent cells (g = 0) are ordinary numbers here, not limits of small ones. In between, only the voltages
of one crossing node row are unknowns at a time: N inversions of M x M, instead of a sparse matrix of order 2 N M.

The current that arrives at the crossing lines' ends for one volt at line i alone is K_N-1 ... K_i (Y_i 1); since the
network is reciprocal it is also the current in line i for one volt at the ends.

Source: Kirchhoff's laws; the order of elimination is this kit's own.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from rramkit.array.threads import threads_for
from rramkit.errors import InputError, scipy_for

NOT_POSITIVE = (
    "the cells and wires must make a positive network; they do not (a conductance that is not a number, or wires that "
    "drop nearly all of the voltage). Fix the conductances, or take the grade exact."
)
_FALL_MAX = 300.0  # of a logarithm of voltages in float64 (1): the exponential of twice as much is still a number


@dataclass(frozen=True)
class Ladder:
    """Resistances (ohm) of an array along its N lines: start and segment, then step and end of the crossing lines."""

    r_start: float
    r_line: float
    r_step: float
    r_end: float

    @property
    def turned(self) -> "Ladder":
        """The same array with lines and crossing lines exchanged."""
        return Ladder(self.r_end, self.r_step, self.r_line, self.r_start)


@dataclass(frozen=True)
class Elimination:
    """Cells and wires of one array, eliminated; `solve` then takes any inputs.

    Attributes
    ----------
    ladder : Ladder
        Resistances.
    line : Lines
        The lines on their own.
    inverse : ndarray
        K_i (N, M, M).
    """

    ladder: Ladder
    line: "Lines"
    inverse: np.ndarray

    @classmethod
    def of(cls, g: np.ndarray, ladder: Ladder) -> Self:
        """Eliminate an array of conductances (N, M) in siemens, at least 0; float32 stays float32."""
        lines = Lines.of(g, ladder)
        count, nodes = g.shape
        inverse = np.empty((count, nodes, nodes), dtype=g.dtype)
        above = np.zeros((nodes, nodes), dtype=g.dtype)  # K_i-1 A_i-1
        with threads_for(nodes):
            for i in range(count):
                above += lines.admittance(i)
                shifted = (ladder.r_step if i < count - 1 else ladder.r_end) * above
                shifted.ravel()[:: nodes + 1] += 1
                inverse[i] = positive_inverse(shifted)
                above = inverse[i] @ above
        return cls(ladder, lines, inverse)

    def transfer(self) -> np.ndarray:
        """Return the current at each crossing line's end for one volt at each line's start, (N, M) in siemens."""
        count, nodes, _ = self.inverse.shape
        arriving = np.zeros((count, nodes), dtype=self.inverse.dtype)
        with threads_for(nodes):
            for i in range(count):
                arriving[i] = self.line.reach[i]
                arriving[: i + 1] = arriving[: i + 1] @ self.inverse[i]  # K is symmetric
        return arriving

    def solve(self, v_start: np.ndarray, v_end: np.ndarray, injected: np.ndarray | None = None) -> np.ndarray:
        """Return the cell currents (N, M, B) in amperes, from line to crossing line.

        Parameters
        ----------
        v_start, v_end : ndarray
            Voltages (N, B) at the lines' starts and (M, B) at the crossing lines' ends, in volts.
        injected : ndarray, optional
            Currents s of the cells (N, M, B) in amperes.
        """
        with threads_for(self.inverse.shape[1]):
            cells = self._without_crossing(v_start, injected)
            return self._back(cells, self._down(cells), v_end)

    def _without_crossing(self, v_start: np.ndarray, injected: np.ndarray | None) -> np.ndarray:
        """Return the cell currents (N, M, B) with all crossing nodes at 0 V."""
        cells = self.line.reach[:, :, None] * v_start[:, None, :]
        if injected is not None:
            drop = shared_resistance(cells.shape[1], self.ladder.r_start, self.ladder.r_line) @ injected
            for i, s in enumerate(injected):
                cells[i] += s - self.line.admittance(i) @ drop[i]
        return cells

    def _down(self, cells: np.ndarray) -> np.ndarray:
        """Return y_i (N, M, B)."""
        gathered = cells.copy()
        for i in range(1, len(gathered)):
            gathered[i] += self.inverse[i - 1] @ gathered[i - 1]
        return gathered

    def _back(self, cells: np.ndarray, gathered: np.ndarray, v_end: np.ndarray) -> np.ndarray:
        """Subtract the effect of the crossing nodes' voltages V_i from the cell currents, from the last line up."""
        v, r = v_end, self.ladder.r_end
        for i in reversed(range(len(cells))):
            v = self.inverse[i] @ (v + r * gathered[i])
            cells[i] -= self.line.admittance(i) @ v
            r = self.ladder.r_step
        return cells


@dataclass(frozen=True)
class Lines:
    """The N lines of an array on their own, each array (N, M).

    Attributes
    ----------
    g : ndarray
        Conductance of the cells (S).
    own : ndarray
        Diagonal of Y: admittance that a cell shows to its crossing node (S).
    seen : ndarray
        Resistance from a node to ground through all its neighbours, cells included (ohm).
    fall : ndarray
        Logarithm of the voltage at the line's start over that at the node (1), rising from node to node.
    reach : ndarray
        Y 1: current of each cell for one volt at the start and crossing nodes at 0 V (S).
    """

    g: np.ndarray
    own: np.ndarray
    seen: np.ndarray
    fall: np.ndarray
    reach: np.ndarray

    @classmethod
    def of(cls, g: np.ndarray, ladder: Ladder) -> Self:
        """Follow both ladders of every line: from its end, the admittance; from its start, the resistance."""
        y_right, z_left, fall = np.zeros_like(g), np.empty_like(g), np.empty_like(g)
        for m in reversed(range(1, g.shape[1])):
            whole = y_right[:, m] + g[:, m]
            y_right[:, m - 1] = whole / (1 + ladder.r_line * whole)
        z_left[:, 0] = ladder.r_start
        for m in range(1, g.shape[1]):
            z_left[:, m] = ladder.r_line + z_left[:, m - 1] / (1 + g[:, m - 1] * z_left[:, m - 1])
        y = y_right + g
        fall[:, 0], fall[:, 1:] = np.log1p(ladder.r_start * y[:, 0]), np.log1p(ladder.r_line * y[:, 1:])
        fall = np.cumsum(fall, axis=1)
        held = 1 + z_left * y
        return cls(g, g * (1 + z_left * y_right) / held, z_left / held, fall, g * np.exp(-fall))

    def admittance(self, i: int) -> np.ndarray:
        """Return Y of line i (M, M) in siemens; `seen` of two nodes is that of the one nearer to the start."""
        fall, g, nodes = self.fall[i], self.g[i], np.arange(self.g.shape[1])
        later = _later(nodes.size)
        if fall[-1] < _FALL_MAX:
            rising, falling = self.seen[i] * g * np.exp(fall), -g * np.exp(-fall)
            y = np.where(later, np.multiply.outer(falling, rising), np.multiply.outer(rising, falling))
        else:
            y = np.exp(-np.abs(np.subtract.outer(fall, fall))) * np.multiply.outer(-g, g)
            y *= np.where(later, self.seen[i], self.seen[i][:, None])
        y[nodes, nodes] = self.own[i]
        return y


@lru_cache(maxsize=8)
def _later(nodes: int) -> np.ndarray:
    """Whether a node j stands no nearer to the start than m, (M, M)."""
    return np.tri(nodes, dtype=bool)


@lru_cache(maxsize=64)
def shared_resistance(nodes: int, r_start: float, r_segment: float) -> np.ndarray:
    """Return P (M, M) in ohm: what two nodes of a line share from its start; P x is the drop of currents x."""
    m = np.arange(nodes)
    shared = r_start + r_segment * np.minimum(m[:, None], m)
    shared.flags.writeable = False  # it is cached
    return shared


def positive_inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of a symmetric positive matrix (M, M), by Cholesky; the matrix is overwritten.

    Raises
    ------
    InputError
        When it is not positive.
    SetupError
        When SciPy is not installed: NumPy inverts by LU alone, which is 1.4 to 1.7 times as long an elimination.
    """
    potrf, potri = _cholesky(matrix.dtype)
    # LAPACK's column order is the transpose, which is the same matrix; one triangle comes back.
    factor, failed = potrf(matrix.T, lower=True, clean=False, overwrite_a=True)
    if failed:
        raise InputError(NOT_POSITIVE)
    half, _ = potri(factor, lower=True, overwrite_c=True)
    return np.where(_later(matrix.shape[0]), half, half.T)


@lru_cache(maxsize=4)
def _cholesky(dtype: np.dtype) -> tuple[Any, Any]:
    """Return LAPACK's Cholesky factor and the inverse from it, for a type of number."""
    with scipy_for("the grade exact of wires"):
        from scipy.linalg import get_lapack_funcs

    potrf, potri = get_lapack_funcs(("potrf", "potri"), dtype=dtype)
    return potrf, potri
