"""Programming a matrix: weights to pairs of conductances, written by the pulses of a table file.

Cells start at the lowest conductance of the write tables. A weight w stands for (g_plus - g_minus) / g_unit, with both
halves about the middle of the conductance range (`mapping.pairs`).
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, as_array, to_numpy
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.array.write.write_verify import WriteVerify
from rramkit.errors import InputError

Method = Literal["verify", "pulse", "exact"]
"""Write-verify; one pulse a cell, of the nearest mean change; or set to the target without pulses."""


@dataclass(frozen=True)
class ProgramCost(WriteCost):
    """Cost of programming a matrix, and how close it came.

    Attributes
    ----------
    missed : int
        Cells that write-verify gave up outside its window.
    error_rms, error_max : float
        Error of the pairs' differences over the conductance range (1).
    """

    missed: int = 0
    error_rms: float = 0.0
    error_max: float = 0.0


@dataclass(frozen=True)
class ProgrammedMatrix:
    """A matrix as programmed.

    Attributes
    ----------
    g_target : ndarray
        Target conductances (2, N, M) in siemens.
    cells : CellState
        The cells.
    converged : ndarray of bool
        Cells within the window of write-verify (2, N, M); with the other methods, all.
    cost : ProgramCost
        Pulses, energy, time, error.
    """

    g_target: np.ndarray
    cells: CellState
    converged: np.ndarray
    cost: ProgramCost

    @property
    def error(self) -> np.ndarray:
        """Difference of each pair less its target (N, M), in siemens."""
        g = self.cells.g_cell - self.g_target
        return g[0] - g[1]


def program_matrix(
    weight: Array, loop: WriteVerify, *, method: Method = "verify", w_max: float | None = None, rng: np.random.Generator
) -> ProgrammedMatrix:
    """Program a matrix (N, M) into pairs of cells.

    Parameters
    ----------
    weight : array
        Matrix (N, M) of real numbers within `w_max` (1).
    loop : WriteVerify
        The pulses of a table file, and the write-verify loop.
    method : str
        `verify`, `pulse` or `exact`.
    w_max : float, optional
        Weight (1) that the full conductance range stands for; left out, the largest magnitude in `weight`.
    rng : Generator
        Draws what pulses do, and what differs from cell to cell.

    Returns
    -------
    ProgrammedMatrix
        Targets, cells, which of them converged, and the cost.

    Raises
    ------
    InputError
        When `weight` is not a matrix of finite numbers within `w_max`, or `method` is not one of the three.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.table.example import example
    >>> loop, weight = WriteVerify.from_tables(example()), np.array([[0.5, -1.0], [1.0, 0.0]])
    >>> done = program_matrix(weight, loop, rng=np.random.default_rng(0))
    >>> done.g_target.shape, bool(done.converged.all())
    ((2, 2, 2), True)
    """
    weight = _checked(weight)
    if method not in ("verify", "pulse", "exact"):
        raise InputError(f"`method` must be verify, pulse or exact; got {method!r}. Choose one.")
    chain = loop.chain
    low, high = chain.writer.g_range
    pairs = Pairs(g_low=low, g_high=high, w_max=w_max or float(np.max(np.abs(weight))) or 1.0)
    target = np.asarray(pairs.targets(weight))
    converged = np.ones(target.shape, dtype=bool)
    if method == "exact":
        cells = chain.init(target, rng=rng)
    else:
        cells = chain.init(np.full(target.shape, low), rng=rng)
    if method == "pulse":
        cells = pulse_each(loop, cells, target, rng=rng)
    elif method == "verify":
        done = loop.program(cells, target, rng=rng)
        cells = done.cells
        converged = (np.abs(done.error) <= loop.tolerance(done.target)).reshape(target.shape)
    error = cells.g_cell - target
    pair_error = (error[0] - error[1]) / chain.writer.span
    totals = {each.name: getattr(cells.tally, each.name) for each in fields(WriteCost)}
    cost = ProgramCost(
        **totals,
        missed=int(np.count_nonzero(~converged)),
        error_rms=math.sqrt(float(np.mean(pair_error**2))),
        error_max=float(np.max(np.abs(pair_error))),
    )
    return ProgrammedMatrix(target, cells, converged, cost)


def pulse_each(loop: WriteVerify, cells: CellState, target: np.ndarray, *, rng: np.random.Generator) -> CellState:
    """Fire one pulse at each cell that is not at its target (..., 2, R, C), of the amplitude of the nearest change."""
    chain, tally, flat = loop.chain, WriteCost(), np.arange(target.size)
    wanted, before = (target - cells.g_cell).ravel(), cells.g_cell.ravel()
    rounding = 1e-9 * chain.writer.span
    for polarity, chosen in zip(POLARITIES, (wanted > rounding, wanted < -rounding), strict=True):
        v_pulse, _ = chain.write(polarity).nearest(before[chosen], wanted[chosen])
        cells = chain.step(cells, flat[chosen], v_pulse, polarity=polarity, rng=rng)
        tally += cells.tally
    return replace(cells, tally=tally)


def _checked(weight: Array) -> np.ndarray:
    matrix = np.asarray(to_numpy(as_array(weight, "weight")), dtype=float)
    if matrix.ndim != 2 or not matrix.size or not np.all(np.isfinite(matrix)):
        raise InputError(f"`weight` must be (N, M), finite real numbers; got {matrix.shape}. Fix the matrix.")
    return matrix
