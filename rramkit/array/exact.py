"""Exact IR drop of a crossbar read: every node and every cell, linear or not, any number of inputs at once.

Topology: source - r_source - first word-line node - r_row to the next node of the word line; bit-line nodes lie r_col
apart and the last one (row R - 1) - r_sense - ground. Cell (r, c) joins word-line node and bit-line node.

Linear cells are solved directly (`elimination`). Others by Newton's method on the cell currents x (R, C, B): they fix
all node voltages (Kirchhoff's laws, held exactly), so only the law of the cells remains to be satisfied, and a step
solves the linear array of slopes g' with the rest of the law as injected currents ::

    x <- x + damping (x' - x),   x' = g' v(x') + [i(v) - g' v],   v = v(x)

The slopes are first taken as their mean over the batch, one elimination for all inputs: the cells of an array read are
nearly linear, so each such step still gains a digit or more. Inputs for which it gains too little continue with slopes
of their own. Both choices are this kit's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from rramkit.array.elimination import Elimination, Ladder, shared_resistance
from rramkit.array.threads import threads_for
from rramkit.errors import ConvergenceError, InputError

CellLaw = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Conductances (R, C) [S] and voltages of word over bit line (R, C, B) [V] to currents [A] and slopes di/dv [S]."""

TOLERANCE = 1e-10  # of the largest cell current of an input (1): the rounding error of the linear solution is 1e-13
_STEPS_MAX = 60
_SHARED_GAIN = 0.5  # a shared step that leaves more than this part of the residual (1) is too slow
_HALVINGS = 10


@dataclass(frozen=True)
class WireSolution:
    """Solution of one array read.

    Attributes
    ----------
    i_out : ndarray
        Currents that arrive at the sensed ends, (C, B) forward or (R, B) backward, in amperes.
    v_word, v_bit : ndarray
        Voltages of the word-line and of the bit-line nodes (R, C, B), in volts.
    i_cell : ndarray
        Currents of the cells from word line to bit line (R, C, B), in amperes; backward reads have negative ones.
    residual : ndarray
        Largest deviation from the law of a cell for each input, over its largest cell current (B,).
    steps : int
        Newton steps taken; 0 for linear cells.

    Examples
    --------
    >>> import numpy as np
    >>> g, v = np.full((3, 2), 1e-4), np.full((3, 1), 0.1)
    >>> read = solve_wires(g, v, r_row=1.0, r_col=1.0, r_source=50.0, r_sense=50.0)
    >>> read.i_out.shape, read.v_word.shape, read.steps
    ((2, 1), (3, 2, 1), 0)
    """

    i_out: np.ndarray
    v_word: np.ndarray
    v_bit: np.ndarray
    i_cell: np.ndarray
    residual: np.ndarray
    steps: int


@dataclass(frozen=True)
class LinearArray:
    """A linear array R x C, eliminated along its shorter side; build it with `of`, then read it for any inputs.

    Attributes
    ----------
    elimination : Elimination
        Along the word lines, or along the bit lines where those are fewer in nodes.
    turned : bool
        Whether the bit lines were eliminated: the array is rotated by half a turn and transposed.
    """

    elimination: Elimination
    turned: bool

    @classmethod
    def of(cls, g_cell: np.ndarray, ladder: Ladder) -> Self:
        """Eliminate conductances (R, C) in siemens; `ladder` is along the word lines."""
        if g_cell.shape[1] <= g_cell.shape[0]:
            return cls(Elimination.of(g_cell, ladder), turned=False)
        return cls(Elimination.of(np.ascontiguousarray(g_cell.T[::-1, ::-1]), ladder.turned), turned=True)

    def transfer(self) -> np.ndarray:
        """Return the current out of each bit line for one volt at each word line (R, C), in siemens."""
        transfer = self.elimination.transfer()
        return np.ascontiguousarray(transfer.T[::-1, ::-1]) if self.turned else transfer

    def currents(self, v_word: np.ndarray, v_bit: np.ndarray, injected: np.ndarray | None = None) -> np.ndarray:
        """Return cell currents (R, C, B) at voltages (R, B) and (C, B) behind r_source and r_sense."""
        if not self.turned:
            return self.elimination.solve(v_word, v_bit, injected)
        turned = None if injected is None else -_turned(injected)
        return -_turned(self.elimination.solve(v_bit[::-1], v_word[::-1], turned))


def _turned(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, 0, 1)[::-1, ::-1]


def exact_transfer(g_cell: np.ndarray, ladder: Ladder) -> np.ndarray:
    """Return the effective conductances (..., R, C) in siemens of linear cells (..., R, C) behind wires."""
    flat = g_cell.reshape(-1, *g_cell.shape[-2:])
    transfers = [LinearArray.of(one, ladder).transfer() for one in flat]
    return np.stack(transfers).reshape(g_cell.shape) if transfers else g_cell.copy()


def solve_wires(
    g_cell: np.ndarray,
    v_in: np.ndarray,
    *,
    r_row: float,
    r_col: float,
    r_source: float,
    r_sense: float,
    direction: Literal["forward", "backward"] = "forward",
    cells: CellLaw | None = None,
) -> WireSolution:
    """Solve the node voltages and currents of a crossbar with wire resistance exactly.

    Parameters
    ----------
    g_cell : ndarray
        Conductances (R, C) in siemens, at least 0 (0: no cell).
    v_in : ndarray
        Source voltages (R, B) forward, (C, B) backward, in volts.
    r_row, r_col : float
        Resistance of a segment of the word and of the bit line (ohm), at least 0.
    r_source, r_sense : float
        Resistance between a word line's end and its source (backward: its sense input), and between a bit line's end
        and its sense input (backward: its source) (ohm), at least 0.
    direction : str
        `forward` drives the word lines and senses the bit lines; `backward` the other way round.
    cells : callable, optional
        Law of the cells, for instance `CellCurrent.from_word`; default: ohmic, i = g v.

    Returns
    -------
    WireSolution
        Currents (A) at the sensed ends, node voltages (V), cell currents (A), residual (1) and Newton steps.

    Raises
    ------
    InputError
        When a shape or a value does not fit.
    ConvergenceError
        When Newton's method ends short of its tolerance; it carries the partial solution.

    Examples
    --------
    >>> import numpy as np
    >>> read = solve_wires(np.full((2, 2), 1e-4), np.full((2, 1), 0.1), r_row=1.0, r_col=1.0, r_source=0.0, r_sense=0.0)
    >>> read.i_out.shape, bool(read.i_out.max() < 0.1 * 2e-4)
    ((2, 1), True)
    """
    ladder = checked_ladder(r_row=r_row, r_col=r_col, r_source=r_source, r_sense=r_sense)
    g_cell, v_in = _checked(g_cell, v_in, direction)
    forward = direction == "forward"
    other = np.zeros((g_cell.shape[1 if forward else 0], v_in.shape[1]))
    read = _Read(g_cell, *((v_in, other) if forward else (other, v_in)), ladder)
    x = LinearArray.of(g_cell, ladder).currents(read.v_word, read.v_bit)
    if cells is None:
        return read.solution(x, lambda across: g_cell[:, :, None] * across, forward=forward, steps=0)
    return _newton(read, x, cells, forward=forward)


@dataclass(frozen=True)
class _Read:
    """Cells (R, C), voltages behind the ends (R, B) and (C, B), and wires of one read."""

    g_cell: np.ndarray
    v_word: np.ndarray
    v_bit: np.ndarray
    ladder: Ladder

    def nodes(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the node voltages of word and bit lines (R, C, B) when the cells carry x (R, C, B)."""
        rows, cols, batch = x.shape
        along = shared_resistance(cols, self.ladder.r_start, self.ladder.r_line)
        down = shared_resistance(rows, self.ladder.r_end, self.ladder.r_step)[::-1, ::-1]
        with threads_for(min(rows, cols)):
            raised = (down @ x.reshape(rows, cols * batch)).reshape(x.shape)
            return self.v_word[:, None] - along @ x, self.v_bit[None] + raised

    def across(self, x: np.ndarray) -> np.ndarray:
        """Return the voltages across the cells (R, C, B)."""
        word, bit = self.nodes(x)
        return word - bit

    def solution(
        self, x: np.ndarray, law: Callable[[np.ndarray], np.ndarray], *, forward: bool, steps: int
    ) -> WireSolution:
        """Return the solution, with the residual between the currents and the law of the cells."""
        word, bit = self.nodes(x)
        i_out = x.sum(axis=0) if forward else -x.sum(axis=1)
        return WireSolution(i_out, word, bit, x, _residual(x, law(word - bit)), steps)


def _residual(x: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Return the largest difference over the largest current for each input (B,); 0 where nothing flows."""
    apart = _largest(law - x)
    scale = np.maximum(_largest(x), _largest(law))
    return np.divide(apart, scale, out=np.zeros_like(apart), where=scale > 0)


def _largest(x: np.ndarray) -> np.ndarray:
    """Return the largest magnitude for each input (B,)."""
    return np.maximum(np.max(x, axis=(0, 1)), -np.min(x, axis=(0, 1)))


def _newton(read: _Read, x: np.ndarray, cells: CellLaw, *, forward: bool) -> WireSolution:
    """Iterate from the linear solution x (R, C, B) until every input meets the law."""
    i, slope = cells(read.g_cell, read.across(x))
    residual = _residual(x, i)
    shared: LinearArray | None = LinearArray.of(_jacobian(slope.mean(axis=2)), read.ladder)
    steps, mean = 0, slope.mean(axis=2)
    while np.any(residual > TOLERANCE) and steps < _STEPS_MAX:
        todo = residual > TOLERANCE
        part = _Read(read.g_cell, read.v_word[:, todo], read.v_bit[:, todo], read.ladder)
        if shared is not None:
            target = _linearised(part, x[..., todo], i[..., todo], _jacobian(mean), shared)
        else:
            target = _each(part, x[..., todo], i[..., todo], _jacobian(slope[..., todo]))
        x_new, i_new, slope_new = _damped(part, x[..., todo], target, residual[todo], cells)
        before = residual[todo]
        x[..., todo], i[..., todo], slope[..., todo] = x_new, i_new, slope_new
        residual[todo] = _residual(x_new, i_new)
        steps += 1
        if shared is not None and np.any(residual[todo] > np.maximum(_SHARED_GAIN * before, TOLERANCE)):
            shared = None
    solution = read.solution(x, lambda _: i, forward=forward, steps=steps)
    if np.any(residual > TOLERANCE):
        raise ConvergenceError(
            f"the cells' law must be met within {TOLERANCE:g} of the largest cell current; after {steps} Newton steps "
            f"{np.count_nonzero(residual > TOLERANCE)} of {residual.size} inputs miss it by up to "
            f"{np.max(residual):.1e}. Lower the voltages, or smooth the law.",
            partial=solution,
        )
    return solution


def _jacobian(slope: np.ndarray) -> np.ndarray:
    """Return slopes as conductances, at least 0: where the current falls with the voltage, a step takes it as flat."""
    return np.maximum(slope, 0.0)


def _linearised(read: _Read, x: np.ndarray, i: np.ndarray, g: np.ndarray, array: LinearArray) -> np.ndarray:
    """Return the currents of the array of slopes g (R, C) that meets the law (i at x) to first order."""
    return array.currents(read.v_word, read.v_bit, i - g[:, :, None] * read.across(x))


def _each(read: _Read, x: np.ndarray, i: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return `_linearised` with slopes (R, C, B) for each input alone."""
    currents = np.empty_like(x)
    for b in range(x.shape[2]):
        one = slice(b, b + 1)
        part = _Read(read.g_cell, read.v_word[:, one], read.v_bit[:, one], read.ladder)
        array = LinearArray.of(np.ascontiguousarray(slope[..., b]), read.ladder)
        currents[..., one] = _linearised(part, x[..., one], i[..., one], slope[..., b], array)
    return currents


def _damped(
    read: _Read, x: np.ndarray, target: np.ndarray, residual: np.ndarray, cells: CellLaw
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step from x towards the target, halved for each input until its residual falls; return x, i and the slopes."""
    length, halvings = np.ones_like(residual), 0
    while True:
        tried = x + length * (target - x)
        i, slope = cells(read.g_cell, read.across(tried))
        worse = ~(_residual(tried, i) < residual)
        if not np.any(worse) or halvings == _HALVINGS:
            return tried, i, slope
        length, halvings = np.where(worse, length / 2, length), halvings + 1


def checked_ladder(*, r_row: float, r_col: float, r_source: float, r_sense: float) -> Ladder:
    """Return the resistances along the word lines; raise `InputError` when one is negative or not finite."""
    for name, value in {"r_row": r_row, "r_col": r_col, "r_source": r_source, "r_sense": r_sense}.items():
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(f"`{name}` must be at least 0 ohm and finite; got {value!r}. Change it.")
    return Ladder(float(r_source), float(r_row), float(r_col), float(r_sense))


def _checked(g_cell: np.ndarray, v_in: np.ndarray, direction: str) -> tuple[np.ndarray, np.ndarray]:
    g_cell, v_in = np.asarray(g_cell, dtype=float), np.asarray(v_in, dtype=float)
    if g_cell.ndim != 2 or not g_cell.size or not (np.all(np.isfinite(g_cell)) and np.all(g_cell >= 0.0)):
        raise InputError(f"`g_cell` must be (R, C) in siemens, finite and at least 0; got {g_cell.shape}. Fix it.")
    if direction not in ("forward", "backward"):
        raise InputError(f"`direction` must be forward or backward; got {direction!r}. Choose one.")
    letter, lines = ("R", g_cell.shape[0]) if direction == "forward" else ("C", g_cell.shape[1])
    if v_in.ndim != 2 or v_in.shape[0] != lines or not np.all(np.isfinite(v_in)):
        raise InputError(f"`v_in` must be ({letter}, B) = ({lines}, B) in volts, finite; got {v_in.shape}. Fix it.")
    return g_cell, v_in


Solver = Callable[[np.ndarray, np.ndarray, Literal["forward", "backward"]], np.ndarray]
"""Currents (M, B) in amperes of an array (R, 2 C) in siemens, of the driven lines' voltages (L, B), in a direction."""


def physical_array(g_cell: np.ndarray) -> np.ndarray:
    """Return the physical array (R, 2 C) of pairs (2, R, C): the halves of a pair in adjacent columns."""
    return np.moveaxis(g_cell, 0, -1).reshape(g_cell.shape[1], -1)


def signed_read(g_cell: np.ndarray, v: np.ndarray, solve: Solver, *, backward: bool) -> np.ndarray:
    """Read pairs (2, R, C) with signed voltages by a solver of physical arrays (ngspice, or the exact grade).

    A signed vector is read in two phases, each with voltages of one polarity; their currents, and those of the halves,
    are subtracted digitally and without error.

    Parameters
    ----------
    g_cell : ndarray
        Conductances (2, R, C) in siemens.
    v : ndarray
        Voltages (B, R), or (B, C) `backward`, in volts.
    solve : callable
        Gives the currents of a physical array.
    backward : bool
        Whether the bit lines are driven.

    Returns
    -------
    ndarray
        Currents (B, C), or (B, R) `backward`, in amperes.
    """
    array, positive, negative = physical_array(g_cell), np.maximum(v, 0.0).T, np.maximum(-v, 0.0).T
    if not backward:
        phases = [solve(array, phase, "forward") for phase in (positive, negative)]
        i = phases[0] - phases[1]
        return (i[::2] - i[1::2]).T
    turns = [np.stack(pair, axis=1).reshape(-1, v.shape[0]) for pair in ((positive, negative), (negative, positive))]
    phases = [solve(array, turn, "backward") for turn in turns]
    return (phases[0] - phases[1]).T
