"""One network in training: its state, one step, and what it makes of a test set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.threads import threads_for
from rramkit.learning.layers import Params, ReadCost
from rramkit.learning.model import ForwardResult, Gradients, Network
from rramkit.learning.optimisers import Arrays, Optimiser, OptimiserState
from rramkit.learning.rules import BoundRule, RuleState


@dataclass(frozen=True)
class NetworkState:
    """The state of a network in training: matrices with their rule's state, vectors with their optimiser's, means."""

    learner: RuleState
    vectors: Arrays
    optimiser: OptimiserState
    means: Arrays

    @property
    def parts(self) -> Params:
        """The numbers as the network's layers want them."""
        return Params(self.learner.matrices, self.vectors, self.means)


@dataclass(frozen=True)
class Trainer:
    """What does not change in a training: the network, the rule for its matrices, the optimiser for its vectors."""

    network: Network
    rule: BoundRule
    optimiser: Optimiser

    def enrolled(self, weights: Sequence[np.ndarray], *, dtype: np.dtype, rng: np.random.Generator) -> NetworkState:
        """Return a student whose matrices start from `weights`, as near as the rule can make them."""
        vectors = tuple(vector.astype(dtype) for vector in self.network.vectors)
        means = tuple(mean.astype(dtype) for mean in self.network.means)
        return NetworkState(self.rule.init(weights, rng=rng), vectors, self.optimiser.init(vectors), means)

    def taught(
        self, student: NetworkState, x: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[NetworkState, ReadCost]:
        """Return the student after one batch, and what its reads took."""
        with threads_for(self.network.order):
            _, done, slopes = self.network.gradients(student.parts, x, labels, rng=rng)
            return self.stepped(student, done, slopes, rng=rng), slopes.reads

    def stepped(
        self, student: NetworkState, done: ForwardResult, slopes: Gradients, *, rng: np.random.Generator
    ) -> NetworkState:
        """Return the student after the derivatives of one batch, whatever its loss is."""
        learner = self.rule.step(student.learner, slopes.matrices, rng=rng)
        state, changes = self.optimiser.step(student.optimiser, slopes.vectors)
        vectors = tuple(old + change for old, change in zip(student.vectors, changes, strict=True))
        return NetworkState(learner, vectors, state, done.means)

    def calibrated(
        self, student: NetworkState, twin: NetworkState, x: np.ndarray, labels: np.ndarray, *, margin: float
    ) -> NetworkState:
        """Return the student with its converters' full scale at `margin` times the largest current of a batch.

        What its matrices are given is taken from the float `twin` of the same weights: a converter without a scale
        would bend it.
        """
        _, _, slopes = self.network.gradients(twin.parts, x, labels, rng=np.random.default_rng(0))  # nothing is drawn
        pairs = zip(student.learner.matrices, slopes.matrices, strict=True)
        matrices = tuple(matrix.calibrated(gradient.samples, margin=margin) for matrix, gradient in pairs)
        return replace(student, learner=replace(student.learner, matrices=matrices))

    def settled(self, student: NetworkState) -> NetworkState:
        """Return the student with its matrices as if made anew: after this it goes on as from a checkpoint."""
        matrices = tuple(matrix.without_cache() for matrix in student.learner.matrices)
        return replace(student, learner=replace(student.learner, matrices=matrices))

    def at_rate(self, student: NetworkState, rate: float) -> NetworkState:
        """Return the student with its learning rates at `rate` times their settings."""
        learner = replace(student.learner, optimiser=replace(student.learner.optimiser, rate=rate))
        return replace(student, learner=learner, optimiser=replace(student.optimiser, rate=rate))
