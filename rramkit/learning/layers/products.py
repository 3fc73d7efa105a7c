"""The two layers whose work is a matrix product: dense, and convolution as the product of its windows.

    y = scale x W' + bias

W' (R, C) is what a matrix holds, within [-1, 1] of its range; `scale` and the bias are digital, as in the
bulk-switching module (arXiv 2305.14547). A dense layer may hold its bias as one more row of W', driven by a one.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rramkit.array.windows import Windows
from rramkit.learning.layers.layer import Backward, Forward, Layer, Params, ReadCost
from rramkit.learning.matrices import Gradient, Samples


@dataclass(frozen=True)
class Dense(Layer[Samples]):
    """Every output from every input: vectors (B, F) to (B, C)."""

    has_numbers: ClassVar[bool] = True

    matrix: int
    scale: float = 1.0
    bias: int | None = None
    bias_row: bool = False

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Samples]:
        """Return scale x W' + bias for vectors (B, F): (B, C)."""
        samples = Samples(np.hstack([x, np.ones((len(x), 1), x.dtype)]) if self.bias_row else x)
        product = parts.matrices[self.matrix].forward(samples, rng=rng)
        y = product.y
        y *= self.scale
        if self.bias is not None:
            y += parts.vectors[self.bias]
        return Forward(y, samples, ReadCost.of(product))

    def backward(
        self, error: np.ndarray, cache: Samples, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the derivatives: scale e W'^T, scale x^T e and the sum of e (B, C)."""
        scaled = error * self.scale
        found = ((self.matrix, Gradient(cache, scaled)),)
        vectors = () if self.bias is None else ((self.bias, error.sum(axis=0)),)
        if not onward:
            return Backward(error, found, vectors)
        product = parts.matrices[self.matrix].backward(scaled, rng=rng)
        back = product.y[:, :-1] if self.bias_row else product.y
        return Backward(back, found, vectors, ReadCost.of(product))


@dataclass(frozen=True)
class Convolution(Layer[Samples]):
    """The same product at every window: images (C, H, W, B) to (C', Ho, Wo, B)."""

    has_numbers: ClassVar[bool] = True

    matrix: int
    windows: Windows
    scale: float = 1.0
    bias: int | None = None

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Samples]:
        """Return scale (windows of x) W' + bias for images (C, H, W, B): (C', Ho, Wo, B)."""
        samples = Samples(x, self.windows)
        product = parts.matrices[self.matrix].forward(samples, rng=rng)
        high, wide = self.windows.size(x.shape[1]), self.windows.size(x.shape[2])
        y = product.y.T.reshape(-1, high, wide, x.shape[3])
        y *= self.scale
        if self.bias is not None:
            y += parts.vectors[self.bias][:, None, None, None]
        return Forward(y, samples, ReadCost.of(product))

    def backward(
        self, error: np.ndarray, cache: Samples, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the derivatives, those by the inputs added up where windows overlap."""
        errors = error.reshape(len(error), -1)
        scaled = (errors * self.scale).T
        found = ((self.matrix, Gradient(cache, scaled)),)
        vectors = () if self.bias is None else ((self.bias, errors.sum(axis=1)),)
        if not onward:
            return Backward(error, found, vectors)
        product = parts.matrices[self.matrix].backward(scaled, rng=rng)
        back = self.windows.folded(product.y, cache.values.shape)
        return Backward(back, found, vectors, ReadCost.of(product))
