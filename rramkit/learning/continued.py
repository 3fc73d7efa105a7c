"""A training that goes on from the network of a run file, and the weights that such a network stands for."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.write.state import CellState, WriteCost
from rramkit.errors import InputError, TableError
from rramkit.learning.cells import leaves, with_leaves
from rramkit.learning.rules.row_permutation import RowPermutation
from rramkit.learning.rules.rule import MatrixState
from rramkit.learning.state_dict import PlainWeights, state_dict
from rramkit.learning.trained import TrainedNetwork
from rramkit.learning.trainer import NetworkState, Trainer


def plain_of(network: TrainedNetwork) -> PlainWeights:
    """Return the weights that a network's cells stand for, as another chip is written with them.

    Raises
    ------
    TableError
        When a conductance lies outside what the mapping holds.
    """
    matrices, weights = network.params.matrices, []
    for matrix in matrices:
        limit = next((each.mapping.limit for each in leaves(matrix)), np.inf)
        if not np.all(np.isfinite(matrix.weight)):
            raise TableError("the network's conductances are damaged: they are not finite. Train again.")
        weights.append(np.clip(matrix.weight, -limit, limit).astype(network.dtype))
    return PlainWeights(network.network, tuple(weights), network.params.vectors, network.params.means, {})


def same_cells(one: TrainedNetwork, other: TrainedNetwork) -> bool:
    """Whether two networks have the same conductances to the last bit: where nothing is drawn, chips are alike."""
    pairs = zip(one.params.matrices, other.params.matrices, strict=True)
    cells = (zip(leaves(mine), leaves(theirs), strict=True) for mine, theirs in pairs)
    return all(np.array_equal(to_numpy(a.g_cell), to_numpy(b.g_cell)) for each in cells for a, b in each)


def digest_of(network: TrainedNetwork) -> str:
    """Return 12 hexadecimal digits that name a network's numbers."""
    sha = hashlib.sha256()
    for name, values in state_dict(network.network, network.params).items():
        sha.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return sha.hexdigest()[:12]


def continued(trainer: Trainer, start: TrainedNetwork, *, rng: np.random.Generator) -> NetworkState:
    """Return the state from which a trained network is trained on: its conductances, biases and running means.

    What a run file does not hold begins anew: the optimiser's means, changes that are not yet written, counts of
    pulses, and the periphery, which the seed draws as in any training.

    Parameters
    ----------
    trainer : Trainer
        The network with its rule.
    start : TrainedNetwork
        The trained network.
    rng : Generator
        Draws the device, as for any first state.

    Raises
    ------
    InputError
        When the networks differ in a matrix, or one of them is in float.
    """
    ours, theirs = (
        [(plan.rows, plan.columns, plan.scale) for plan in each.matrices] for each in (trainer.network, start.network)
    )
    if ours != theirs:
        raise InputError(
            f"the run to go on from has matrices {_sizes(theirs)}, the experiment {_sizes(ours)}. Set the same network."
        )
    plain = plain_of(start)
    state = trainer.init(plain.weights, dtype=start.dtype, rng=rng)
    fresh, trained = state.rule_state.matrices, start.params.matrices
    if [len(leaves(each)) for each in fresh] != [len(leaves(each)) for each in trained]:
        raise InputError("the run to go on from holds its weights by another kind of rule. Take the rule of the run.")
    if trainer.rule.device is None:  # in float: the weights are all that there is
        return replace(state, vectors=start.params.vectors, means=start.params.means)
    matrices, parts = [], []
    for index, (matrix, old, part) in enumerate(zip(fresh, trained, state.rule_state.parts, strict=True)):
        window = _window(trainer, index)
        g_cells = [np.clip(to_numpy(each.g_cell).astype(float), *window) for each in leaves(old)]
        if isinstance(matrix, RowPermutation) and isinstance(old, RowPermutation):
            matrix, part = replace(matrix, rows=old.rows), replace(part, rows=old.rows)
        pairs = zip(leaves(matrix), g_cells, strict=True)
        new = [each.programmed(each.tile.model.placed(g), digital=each.digital) for each, g in pairs]
        matrices.append(with_leaves(matrix, new))
        parts.append(_with_conductances(part, g_cells))
    unwritten = {"tally": WriteCost(), "tallies": tuple(WriteCost() for _ in parts)}
    rule_state = replace(state.rule_state, matrices=tuple(matrices), parts=tuple(parts), **unwritten)
    return replace(state, rule_state=rule_state, vectors=start.params.vectors, means=start.params.means)


def _window(trainer: Trainer, index: int) -> tuple[float, float]:
    device = trainer.rule.at(index).device
    assert device is not None
    return device.mapping.window


def as_float(trainer: Trainer, start: TrainedNetwork) -> NetworkState:
    """Return the float reference's state with the weights that a trained network's cells stand for."""
    state = trainer.init(plain_of(start).weights, dtype=start.dtype, rng=np.random.default_rng(0))  # draws nothing
    return replace(state, vectors=start.params.vectors, means=start.params.means)


def _with_conductances(part: MatrixState, g_cells: Sequence[np.ndarray]) -> MatrixState:
    """Return cells at conductances (S) that no pulse of this training has touched."""

    def at(cells: CellState, g_cell: np.ndarray) -> CellState:
        return CellState.fresh(g_cell.astype(cells.g_cell.dtype), cells.traits, ages=cells.age is not None)

    known = None if part.g_estimate is None else g_cells[0].astype(part.g_estimate.dtype)
    fast = None if part.fast is None else at(part.fast, g_cells[1])
    copy = None if part.copy is None else at(part.copy, g_cells[1])
    ages = None if part.ages is None else np.zeros_like(part.ages)
    part = replace(part, ages=ages, cells=at(part.cells, g_cells[0]), fast=fast, copy=copy)
    return replace(part, chi=np.zeros_like(part.chi), g_estimate=known)


def _sizes(plans: Sequence[tuple[int, int, float]]) -> str:
    return ", ".join(f"{rows} x {columns}" for rows, columns, _ in plans)
