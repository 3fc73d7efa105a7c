"""Activation functions: one digital function of each number, and its derivative."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, at_least, limited, namespace
from rramkit.learning import kernels
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape
from rramkit.parameters import quantity

FunctionName = Literal["relu", "leaky_relu", "sigmoid", "tanh", "hard_tanh"]
_LEAK = 0.01  # slope of the leaky rectifier below zero (1): Maas et al. 2013


def _sigmoid(x: Array) -> Array:
    return 0.5 * (namespace(x).tanh(0.5 * x) + 1.0)  # no overflow at either end


@dataclass(frozen=True)
class _Function:
    """A function y(x), and its derivative as a function of y alone."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


FUNCTIONS: dict[FunctionName, _Function] = {
    "relu": _Function(lambda x: at_least(x, 0.0), lambda y: y > 0.0),
    "leaky_relu": _Function(
        lambda x: namespace(x).maximum(x, _LEAK * x),
        lambda y: namespace(y).where(y > 0.0, namespace(y).ones_like(y), _LEAK),
    ),
    "sigmoid": _Function(_sigmoid, lambda y: y * (1.0 - y)),
    "tanh": _Function(lambda x: namespace(x).tanh(x), lambda y: 1.0 - y * y),
    "hard_tanh": _Function(lambda x: limited(x, -1.0, 1.0), lambda y: abs(y) < 1.0),
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
            return Backward(kernels.of(error).rectified_error(error, cache))
        to_inputs = error * FUNCTIONS[self.function].slope(cache)
        return Backward(namespace(error).astype(to_inputs, error.dtype, copy=False))
