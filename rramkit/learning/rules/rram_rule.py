"""What rules that write to RRAM have in common: first weights written, the optimiser asked, matrices read anew."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.matrices import Gradient, Matrix
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.bank import Bank
from rramkit.learning.rules.rule import MatrixState, RuleState, UpdateRule


@dataclass(frozen=True)
class UpdateRequest:
    """What one batch asks of one matrix (R, C).

    Attributes
    ----------
    change : ndarray
        Change of the weights (R, C) that the optimiser wants.
    gradient : Gradient
        The gradient in its two factors.
    rate : float
        Learning rate of the batch.
    number : int
        Batches seen before this one.
    matrix : Matrix
        The matrix as the batch read it.
    """

    change: np.ndarray
    gradient: Gradient
    rate: float
    number: int
    matrix: Matrix


@dataclass(frozen=True)
class RramRule(UpdateRule):
    """A rule that writes to the cells of a bank.

    Attributes
    ----------
    optimiser : Optimiser
        What turns gradients into wanted changes.
    bank : Bank
        The cells.
    """

    optimiser: Optimiser
    bank: Bank

    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return a network of the given weights, as near as the bank's way to start can write them."""
        begun = [self.begun(weight, rng=rng) for weight in weights]
        parts = tuple(part for part, _ in begun)
        matrices = tuple(self.matrix(part, None, rng=rng) for part in parts)
        return RuleState(matrices, self.optimiser.init(weights), parts, 0, _sum([tally for _, tally in begun]))

    def step(self, learner: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> RuleState:
        """Return the network after one batch's gradients."""
        weights = [matrix.weight for matrix in learner.matrices] if self.optimiser.weight_decay else None
        state, changes = self.optimiser.step(learner.optimiser, [each.weight for each in gradients], weights)
        rate = self.optimiser.learning_rate * state.rate
        parts, matrices, tallies = [], [], []
        for part, matrix, change, gradient in zip(learner.parts, learner.matrices, changes, gradients, strict=True):
            batch = UpdateRequest(change, gradient, rate, learner.steps, matrix)
            after, tally = self.updated(self._rested(part), batch, rng=rng)
            after = replace(after, chi=after.chi.astype(part.chi.dtype, copy=False))
            parts.append(after)
            # A matrix that nothing was written to is not built again.
            matrices.append(matrix if _same(part, after) else self.matrix(after, matrix, rng=rng))
            tallies.append(tally)
        return RuleState(tuple(matrices), state, tuple(parts), learner.steps + 1, _sum(tallies))

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C); `chi` holds what is missing."""
        cells = self.bank.placed(weight, rng=rng)
        missing = (weight - self.bank.weight(cells.g_cell)).astype(weight.dtype)
        return MatrixState(cells, missing), cells.tally

    def matrix(self, part: MatrixState, before: Matrix | None, *, rng: np.random.Generator) -> Matrix:
        """Return the matrix that is read, with the periphery that it had `before` it was written; None: a new one."""
        return self.bank.matrix(part.cells, before, rng=rng)

    @abstractmethod
    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return what is known of one matrix after a batch, and what the batch did."""

    def _rested(self, part: MatrixState) -> MatrixState:
        """Return the part after its cells have drifted for the time between two batches."""
        chain = self.bank.loop.chain
        if chain.params.retention is None or not chain.params.retention.t_batch:
            return part
        seconds = chain.params.retention.t_batch
        fast = None if part.fast is None else chain.rest(part.fast, seconds)
        return replace(part, cells=chain.rest(part.cells, seconds), fast=fast)


def _same(before: MatrixState, after: MatrixState) -> bool:
    """Return whether all that a matrix is read from is the very same."""
    return (
        after.cells.g_cell is before.cells.g_cell
        and after.digital is before.digital
        and after.rows is before.rows
        and after.fast is before.fast
    )


def _sum(tallies: Sequence[WriteCost]) -> WriteCost:
    return sum(tallies, WriteCost())
