"""Rows of weights matched to rows of cells some of which are stuck: what a pair still holds, and which row goes where.

A pair whose plus cell is stuck at g holds weights from (g - g_high) / g_unit to (g - g_low) / g_unit, one whose minus
cell is, from (g_low - g) / g_unit to (g_high - g) / g_unit, one with both a single weight, and a healthy one any.
"""

from collections.abc import Callable

import numpy as np

from rramkit.array.mapping import Pairs
from rramkit.errors import scipy_for

_STAY = 1e-3  # of the mean mismatch of a row in a place (1): what a row must gain to be moved


def intervals(pairs: Pairs, g_cell: np.ndarray, stuck: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest weight (R, C) that pairs (2, R, C) can hold with the `stuck` cells as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.array.mapping import Pairs
    >>> pairs = Pairs(g_low=10e-6, g_high=60e-6)
    >>> stuck = np.array([[[True, False]], [[False, False]]])  # a plus cell
    >>> low, high = intervals(pairs, np.full((2, 1, 2), 10e-6), stuck)
    >>> low.tolist(), high.tolist()
    ([[-1.0, -1.0]], [[0.0, 1.0]])
    """
    low, high = pairs.window
    least, most = np.where(stuck, g_cell, low), np.where(stuck, g_cell, high)
    return (least[0] - most[1]) / pairs.g_unit, (most[0] - least[1]) / pairs.g_unit


def mismatches(weight: np.ndarray, low: np.ndarray, high: np.ndarray, use: np.ndarray) -> np.ndarray:
    """Return what each row of weights (R, C) would lose in each row of cells: (R, R), rows of cells last.

    It is the sum of the squared distances from the intervals `low` to `high` (R, C), times the row's `use` (R,).
    """
    found = np.empty((weight.shape[0], low.shape[0]))
    for place in range(low.shape[0]):
        away = weight - np.clip(weight, low[place], high[place])
        found[:, place] = use * np.sum(np.square(away), axis=1)
    return found


def matched(cost: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return the row of cells (R,) of each row of weights with the least `cost` (R, R) in sum; ties stay as in `now`.

    Examples
    --------
    >>> import numpy as np
    >>> matched(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])).tolist()
    [1, 0]
    >>> matched(np.zeros((2, 2)), np.array([1, 0])).tolist()
    [1, 0]
    """
    moved = np.full(cost.shape, _STAY * float(np.mean(cost)) + np.finfo(float).tiny)
    moved[np.arange(now.size), now] = 0.0
    return assignment()(cost + moved)[1]


def assignment() -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return SciPy's solver of the assignment problem: costs (R, R) to the rows and their places, (R,) each.

    Raises
    ------
    SetupError
        When SciPy is not installed.
    """
    with scipy_for("a match of rows of weights to rows of cells (`rule.remap`)"):
        from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


def repaired(pairs: Pairs, weight: np.ndarray, g_cell: np.ndarray, stuck: np.ndarray) -> np.ndarray:
    """Return the conductances (2, R, C) in siemens of weights (R, C), healthy halves making up for stuck ones.

    Stuck cells keep `g_cell` (2, R, C), and their partners take what is nearest the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.array.mapping import Pairs
    >>> pairs = Pairs(g_low=10e-6, g_high=60e-6)
    >>> stuck = np.array([[[True]], [[False]]])
    >>> (repaired(pairs, np.array([[-0.5]]), np.full((2, 1, 1), 10e-6), stuck) * 1e6).round(6).ravel().tolist()
    [10.0, 35.0]
    """
    plus, minus = pairs.targets(weight)
    change = pairs.g_unit * weight
    plus, minus = np.where(stuck[1], g_cell[1] + change, plus), np.where(stuck[0], g_cell[0] - change, minus)
    return np.where(stuck, g_cell, np.clip(np.stack([plus, minus]), *pairs.window))
