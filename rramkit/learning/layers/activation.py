"""Activation functions: one digital function of each number, and its derivative."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.learning import kernels
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape
from rramkit.parameters import quantity

FunctionName = Literal["relu", "leaky_relu", "sigmoid", "tanh", "hard_tanh"]
_LEAK = 0.01  # slope of the leaky rectifier below zero (1): Maas et al. 2013


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (np.tanh(0.5 * x) + 1.0)  # no overflow at either end


@dataclass(frozen=True)
class _Function:
    """A function y(x), and its derivative as a function of y alone."""

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


FUNCTIONS: dict[FunctionName, _Function] = {
    "relu": _Function(lambda x: np.maximum(x, 0.0), lambda y: y > 0.0),
    "leaky_relu": _Function(lambda x: np.maximum(x, _LEAK * x), lambda y: np.where(y > 0.0, 1.0, _LEAK)),
    "sigmoid": _Function(_sigmoid, lambda y: y * (1.0 - y)),
    "tanh": _Function(np.tanh, lambda y: 1.0 - y * y),
    "hard_tanh": _Function(lambda x: np.clip(x, -1.0, 1.0), lambda y: np.abs(y) < 1.0),
}
"""Activations by name; each derivative is a function of the output, which is all that the backward pass stores."""


class Activation(Layer[np.ndarray]):
    """One function of every number, whatever the shape."""

    kind: Literal["activation"] = quantity("activation", "1", "an activation")
    function: FunctionName = quantity("relu", "1", "which function")

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return the same shape; an activation has no parameters."""
        return LayerPlan(shape)

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[np.ndarray]:
        """Return the function of `x` (...): (...)."""
        y = FUNCTIONS[self.function].value(x)
        return Forward(y, y)

    def backward(
        self, error: np.ndarray, cache: np.ndarray, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error (...) times the derivative."""
        if self.function == "relu":
            return Backward(kernels.chosen().rectified_error(error, cache))
        return Backward((error * FUNCTIONS[self.function].slope(cache)).astype(error.dtype, copy=False))
