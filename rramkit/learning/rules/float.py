"""The reference: weights in memory, changed by exactly what the optimiser wants.

w <- w + change
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.learning.matrices import FloatMatrix, Gradient
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.rule import RuleState, UpdateRule


@dataclass(frozen=True)
class FloatReference(UpdateRule):
    """Weights in memory, changed by exactly what the optimiser wants."""

    optimiser: Optimiser

    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return a network of exactly the given weights."""
        return RuleState(tuple(FloatMatrix(weight) for weight in weights), self.optimiser.init(weights))

    def step(self, learner: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> RuleState:
        """Return the network after one batch's gradients."""
        weights = [matrix.weight for matrix in learner.matrices]
        state, changes = self.optimiser.step(learner.optimiser, [gradient.weight for gradient in gradients], weights)
        matrices = tuple(FloatMatrix(weight + change) for weight, change in zip(weights, changes, strict=True))
        return replace(learner, matrices=matrices, optimiser=state, steps=learner.steps + 1)
