"""Conductances after a training: aged by a rest, varied by a process, and how many are where weights want them.

*Aged.* All cells rest for a time at a temperature and drift by the law of `rramkit.array.write.ageing`, each with an
exponent of its own. With `refresh` they are brought back to what they were every so often: they are as old as that at
most, and are evaluated at that age. The time counts from the end of the training: what a cell lived through in it is
not in a run file.

*Varied.* The conductance of every cell times a lognormal factor of its own, of median one, as if cells were left where
a process of that spread puts them and nobody verified them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.write.ageing import RetentionParams
from rramkit.errors import InputError
from rramkit.learning.cells import leaves, with_leaves
from rramkit.learning.trained import TrainedNetwork

_AGE = 10  # second word of the seed that draws drift exponents: another stream than those of a training
_SPREAD = 12  # the same, of the factors of a spread


def aged(
    network: TrainedNetwork,
    seconds: float,
    *,
    t_cell: float,
    retention: RetentionParams,
    refresh: float = 0.0,
    seed: int = 0,
) -> TrainedNetwork:
    """Return the network after a rest: every conductance has drifted.

    Parameters
    ----------
    network : TrainedNetwork
        The network as it was trained.
    seconds : float
        Time since (s).
    t_cell : float
        Temperature of the cells (K).
    retention : RetentionParams
        The law of the drift.
    refresh : float
        Time from one refresh to the next (s), after which cells are what they were; 0: none. The network is that just
        before a refresh.
    seed : int
        Draws the drift exponent of each cell: one seed, one chip, whatever the time.

    Returns
    -------
    TrainedNetwork
        The same network with other conductances, held within the mapping's window.

    Raises
    ------
    InputError
        When the network has no cells.
    """
    if not any(leaves(matrix) for matrix in network.params.matrices):
        raise InputError("the network is in float: it has no cells that age. Evaluate it without a time.")
    rest = min(seconds, refresh) if refresh else seconds
    rng, moved = np.random.default_rng((seed, _AGE)), []
    for matrix in network.params.matrices:
        moved.append(with_leaves(matrix, [_drifted(each, rest, t_cell, retention, rng) for each in leaves(matrix)]))
    return replace(network, params=replace(network.params, matrices=tuple(moved)))


def _drifted(
    matrix: MappedMatrix, seconds: float, t_cell: float, retention: RetentionParams, rng: np.random.Generator
) -> MappedMatrix:
    g_cell = to_numpy(matrix.g_cell)
    nu = retention.nu + retention.sigma_nu * rng.standard_normal(g_cell.shape)
    factor = retention.factor(np.zeros(()), retention.aged(seconds, t_cell), nu)
    after = np.clip(g_cell * factor, *matrix.mapping.window)
    return matrix.programmed(matrix.tile.model.placed(after.astype(g_cell.dtype)), digital=matrix.digital)


def varied(network: TrainedNetwork, sigma: float, *, seed: int = 0) -> TrainedNetwork:
    """Return the network with the conductance of each cell times a lognormal factor of median one.

    Parameters
    ----------
    network : TrainedNetwork
        The network as it was trained.
    sigma : float
        Standard deviation of the factor's logarithm (1); 0.1: cells are about 10 % off.
    seed : int
        Draws the factors: one seed, one chip, whose cells are off in proportion to `sigma`.

    Returns
    -------
    TrainedNetwork
        The same network with other conductances, held within the read table.

    Raises
    ------
    InputError
        When the network has no cells.
    """
    if not any(leaves(matrix) for matrix in network.params.matrices):
        raise InputError("the network is in float: it has no cells that spread. Evaluate it without a spread.")
    rng, moved = np.random.default_rng((seed, _SPREAD)), []
    for matrix in network.params.matrices:
        moved.append(with_leaves(matrix, [_spread(each, sigma, rng) for each in leaves(matrix)]))
    return replace(network, params=replace(network.params, matrices=tuple(moved)))


def _spread(matrix: MappedMatrix, sigma: float, rng: np.random.Generator) -> MappedMatrix:
    g_cell, model = to_numpy(matrix.g_cell), matrix.tile.model
    low, high = model.cells.g_grid[0], model.cells.g_grid[-1]
    after = np.clip(g_cell * np.exp(sigma * rng.standard_normal(g_cell.shape)), low, high)
    return matrix.programmed(model.placed(after.astype(g_cell.dtype)), digital=matrix.digital)


def tuned(network: TrainedNetwork, weights: Sequence[np.ndarray], *, window: float) -> float | None:
    """Return the part of the cells that are where weights want them (1).

    Parameters
    ----------
    network : TrainedNetwork
        With the cells.
    weights : sequence of ndarray
        Weights (R, C) that its matrices are to stand for.
    window : float
        Largest miss that passes, over the conductance range (1).

    Returns
    -------
    float or None
        Part of all cells within `window` of their target; None where a weight is not in one matrix of cells alone.
    """
    reached, count = 0, 0
    for matrix, weight in zip(network.params.matrices, weights, strict=True):
        if not isinstance(matrix, MappedMatrix):
            return None
        flips = None if matrix.flips is None else to_numpy(matrix.flips)
        apart = np.abs(to_numpy(matrix.g_cell) - matrix.mapping.targets(weight, flips))
        reached += int(np.count_nonzero(apart <= window * matrix.mapping.span))
        count += apart.size
    return reached / max(count, 1)
