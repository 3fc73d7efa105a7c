"""A chain of layers: each layer's output is the next one's input."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.learning.layers.layer import AnyLayer, Backward, Forward, LayerPlan, Params, ReadCost, Shape, Sizes

Caches = tuple[object, ...]


@dataclass(frozen=True)
class Chain:
    """Layers from first to last; an empty chain is the identity."""

    layers: tuple[AnyLayer, ...]

    @property
    def sizes(self) -> Sizes:
        """The sum of the layers' sizes."""
        sizes = [layer.sizes for layer in self.layers]
        return Sizes(*(sum(column) for column in zip(Sizes(), *sizes, strict=True)))

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return what all layers need for inputs (F,) or (C, H, W), in order.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives.
        """
        plans: list[LayerPlan] = []
        for layer in self.layers:
            plans.append(layer.plan(shape, classes=classes, reach=reach))
            shape = plans[-1].shape
        return joined_plans(shape, plans)

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Caches]:
        """Return the last layer's output for inputs `x`."""
        results: list[Forward] = []
        for layer, own in zip(self.layers, self._split(params), strict=True):
            results.append(layer.forward(x, own, training=training, rng=rng))
            x = results[-1].y
        reads = sum((result.reads for result in results), ReadCost())
        means = tuple(mean for result in results for mean in result.means)
        return Forward(x, tuple(result.cache for result in results), reads, means)

    def backward(
        self, error: np.ndarray, cache: Caches, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients of all layers; without `needs_input_grad` it stops at the lowest with parameters."""
        lowest = 0
        if not needs_input_grad:
            lowest = next((i for i, layer in enumerate(self.layers) if any(layer.sizes)), len(self.layers))
        own, results = list(self._split(params)), []
        for index in range(len(self.layers) - 1, lowest - 1, -1):
            needed = needs_input_grad or index > lowest
            result = self.layers[index].backward(error, cache[index], own[index], needs_input_grad=needed, rng=rng)
            results.append(result)
            error = result.error
        return joined_gradients(error, results[::-1], reads=results)

    def _split(self, params: Params) -> "Sequence[Params]":
        return list(params.split([layer.sizes for layer in self.layers]))


def joined_plans(shape: Shape, plans: Sequence[LayerPlan]) -> LayerPlan:
    """Return one plan with the arrays of several, in order, and outputs of `shape`."""
    return LayerPlan(
        shape,
        tuple(matrix for plan in plans for matrix in plan.matrices),
        tuple(vector for plan in plans for vector in plan.vectors),
        tuple(mean for plan in plans for mean in plan.means),
    )


def joined_gradients(
    error: np.ndarray, results: Sequence[Backward], *, reads: Sequence[Backward] | None = None
) -> Backward:
    """Return the gradients of several layers in their order; costs add in the order of `reads`."""
    matrices = tuple(gradient for result in results for gradient in result.matrices)
    vectors = tuple(gradient for result in results for gradient in result.vectors)
    return Backward(
        error, matrices, vectors, sum((result.reads for result in (results if reads is None else reads)), ReadCost())
    )
