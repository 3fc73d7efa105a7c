"""Max and mean pooling."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, copied, full, namespace
from rramkit.errors import InputError
from rramkit.learning import kernels
from rramkit.learning.kernels.reference import field, offsets
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape, image_shape
from rramkit.parameters import Parameters, quantity


@dataclass(frozen=True)
class MaxCache:
    """Which pixel of each field was the largest (C, Ho, Wo, B), counted row by row, and the shape of the inputs."""

    winner: Array
    shape: tuple[int, ...]


class MaxPool(Layer[MaxCache]):
    """The largest of each field of `size` x `size` pixels; fields do not overlap, pixels beyond the last are dropped.

    Of equal pixels the first one counts: outputs of a converter are often equal.
    """

    kind: Literal["max_pool"] = quantity("max_pool", "1", "a pooling layer")
    size: int = quantity(2, "1", "edge of a field", ge=1, le=15)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return (C, H / size, W / size) for images (C, H, W)."""
        return LayerPlan(_pooled(self, shape, self.size))

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[MaxCache]:
        """Return the largest pixels of images (C, H, W, B): (C, H / size, W / size, B)."""
        y, winner = kernels.of(x).max_pooled(x, self.size)
        return Forward(y, MaxCache(winner, tuple(x.shape)))

    def backward(
        self, error: Array, cache: MaxCache, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error (C, Ho, Wo, B) at the pixels that won, zero elsewhere: (C, H, W, B)."""
        return Backward(kernels.of(error).max_spread(error, cache.winner, cache.shape, self.size))


class MeanPool(Layer[tuple[int, ...]]):
    """The mean of each field of `size` x `size` pixels; with size 0, of the whole image."""

    kind: Literal["mean_pool"] = quantity("mean_pool", "1", "a pooling layer")
    size: int = quantity(2, "1", "edge of a field; 0: the whole image", ge=0, le=64)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return (C, H / size, W / size) for images (C, H, W)."""
        return LayerPlan(_pooled(self, shape, self.size))

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[int, ...]]:
        """Return the mean pixels of images (C, H, W, B): (C, H / size, W / size, B)."""
        if not self.size:
            return Forward(namespace(x).mean(x, axis=(1, 2), keepdims=True), tuple(x.shape))
        y = copied(field(x, self.size, (0, 0)))
        for offset in offsets(self.size)[1:]:
            y += field(x, self.size, offset)
        y /= self.size**2
        return Forward(y, x.shape)

    def backward(
        self,
        error: np.ndarray,
        cache: tuple[int, ...],
        params: Params,
        *,
        needs_input_grad: bool,
        rng: np.random.Generator,
    ) -> Backward:
        """Return the error (C, Ho, Wo, B), in equal parts at each pixel of a field: (C, H, W, B)."""
        if not self.size:
            return Backward(copied(namespace(error).broadcast_to(error / (cache[1] * cache[2]), cache)))
        to_inputs, part = full(cache, 0.0, error), error / self.size**2
        for offset in offsets(self.size):
            field(to_inputs, self.size, offset)[...] = part
        return Backward(to_inputs)


def _pooled(layer: Parameters, shape: Shape, size: int) -> Shape:
    channels, high, wide = image_shape(layer, shape)
    if size > min(high, wide):
        raise InputError(f"`size` must be at most the image's edge; got {size} on {high} x {wide}. Make it smaller.")
    return (channels, high // size, wide // size) if size else (channels, 1, 1)
