"""One-bit activation: y = 1 where x exceeds a threshold, else 0, with a straight-through gradient.

A comparator decides it, and it drives a row of the next array: a line that is read or is not. The derivative of a step
is zero almost everywhere; the backward pass takes that of a straight piece around the threshold in its place, as Hubara
et al. 2016 (arXiv 1602.02830) do for the sign::

    dy/dx = 1 where |x - threshold| <= width, else 0
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from rramkit.array.backend import namespace, resident
from rramkit.errors import InputError
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape
from rramkit.parameters import quantity


@lru_cache(maxsize=64)
def _numbers(thresholds: tuple[float, ...]) -> np.ndarray:
    """Return thresholds as an array, the same object each time."""
    return np.asarray(thresholds)


class Step(Layer[np.ndarray]):
    """1 where an input exceeds `threshold`, else 0; of vectors (B, C) or images (C, H, W, B), of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.learning.layers import Params, Step
    >>> Step(threshold=(0.5,)).forward(
    ...     np.array([[0.4, 0.5, 0.6]]), Params(), training=False, rng=np.random.default_rng(0)
    ... ).y
    array([[0., 0., 1.]])
    """

    kind: Literal["step"] = quantity("step", "1", "a one-bit activation")
    threshold: tuple[float, ...] = quantity((0.0,), "1", "what an input must exceed: one for all channels, or one each")
    width: float = quantity(1.0, "1", "distance from the threshold up to which the gradient passes", gt=0)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return the same shape; raise `InputError` where the thresholds are neither one nor one a channel."""
        if len(self.threshold) not in (1, shape[0]):
            raise InputError(
                f"`threshold` of a step layer must be one number, or one for each of its {shape[0]} channels; "
                f"got {len(self.threshold)}. Pass one or {shape[0]}."
            )
        return LayerPlan(shape)

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[np.ndarray]:
        """Return 1 where `x` (B, C) or (C, H, W, B) exceeds the threshold, else 0, in the dtype of `x`."""
        beyond = x - self._thresholds(x)
        return Forward(namespace(x).astype(beyond > 0.0, x.dtype), abs(beyond) <= self.width)

    def backward(
        self, error: np.ndarray, cache: np.ndarray, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error of the same shape where the input was within `width` of the threshold, else 0."""
        return Backward(error * cache)

    def _thresholds(self, x: np.ndarray) -> np.ndarray:
        """Return the thresholds in the dtype and with the axes of `x`, so that they broadcast over it."""
        values = (
            np.asarray(self.threshold, x.dtype) if isinstance(x, np.ndarray) else resident(_numbers(self.threshold), x)
        )
        return values[:, None, None, None] if x.ndim == 4 else values
