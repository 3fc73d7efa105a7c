"""Activations: one digital function of each number, and its slope."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rramkit.learning.layers.layer import Backward, Forward, Layer, Params

_LEAK = 0.01  # slope of the leaky rectifier below zero (1): Maas et al. 2013


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (np.tanh(0.5 * x) + 1.0)  # no overflow at either end


@dataclass(frozen=True)
class _Function:
    """A function of x, and its slope from the outcome y alone."""

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


FUNCTIONS = {
    "relu": _Function(lambda x: np.maximum(x, 0.0), lambda y: y > 0.0),
    "leaky_relu": _Function(lambda x: np.maximum(x, _LEAK * x), lambda y: np.where(y > 0.0, 1.0, _LEAK)),
    "sigmoid": _Function(_sigmoid, lambda y: y * (1.0 - y)),
    "tanh": _Function(np.tanh, lambda y: 1.0 - y * y),
    "hard_tanh": _Function(lambda x: np.clip(x, -1.0, 1.0), lambda y: np.abs(y) < 1.0),
}
"""Activations by name; each slope is a function of the outcome, which is all that is kept for the way back."""


@dataclass(frozen=True)
class Activation(Layer[np.ndarray]):
    """The function `name` of every number, whatever the shape."""

    name: str

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[np.ndarray]:
        """Return the function of `x` (...): (...)."""
        y = FUNCTIONS[self.name].value(x)
        return Forward(y, y)

    def backward(
        self, error: np.ndarray, cache: np.ndarray, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error (...) times the slope."""
        return Backward((error * FUNCTIONS[self.name].slope(cache)).astype(error.dtype, copy=False))
