"""Float reference: weights in memory, w <- w + change, with exactly the change that the optimiser wants."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

import numpy as np

from rramkit.array.mapping import WeightMapping
from rramkit.array.matrix import FloatMatrix, Gradient
from rramkit.array.read_model import ReadModel
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.rule import BoundRule, RuleState, UpdateRule
from rramkit.parameters import quantity
from rramkit.table import TableFile


class FloatReference(UpdateRule):
    """Weights in memory: the reference."""

    kind: Literal["float"] = quantity("float", "1", "weights in memory")

    @property
    def off_device(self) -> str:
        """Nothing: it trains on a device."""
        return ""

    def bind(
        self, tables: TableFile, model: ReadModel, optimiser: Optimiser, mapping: WeightMapping | None = None
    ) -> BoundRule:
        """Return the rule with its optimiser; tables, model and mapping are not used."""
        return BoundRule(self, optimiser)

    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return (0, 1): there are no cells."""
        return (0.0, 1.0)

    def ideal(self) -> Self:
        """Return the rule itself: it has no non-ideality."""
        return self

    def memory(self, bound: BoundRule) -> dict[str, int]:
        """Return the gradient, the weight and the optimiser's means."""
        return {"gradient of the batch": 1, "weight": 1, **bound.optimiser.memory}

    def initial_state(self, bound: BoundRule, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return matrices of exactly the given weights."""
        return RuleState(tuple(FloatMatrix(weight) for weight in weights), bound.optimiser.init(weights))

    def next_state(
        self, bound: BoundRule, state: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator
    ) -> RuleState:
        """Return the state after one batch's gradients."""
        weights = [matrix.weight for matrix in state.matrices]
        slopes = [gradient.weight for gradient in gradients]
        optimised, changes = bound.optimiser.step(state.optimiser, slopes, weights)
        matrices = tuple(FloatMatrix(weight + change) for weight, change in zip(weights, changes, strict=True))
        return replace(state, matrices=matrices, optimiser=optimised, steps=state.steps + 1)
