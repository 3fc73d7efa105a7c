"""Batch normalisation, digital: Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 1."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, is_tensor, namespace, size
from rramkit.learning import kernels
from rramkit.learning.kernels.reference import axes_of_one_channel, over
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape, Sizes
from rramkit.parameters import quantity

EPSILON = 1e-5  # added to the variance (1): algorithm 1 leaves it open; PyTorch's and Keras' order
_MOMENTUM = 0.1  # of a batch's statistics in the running ones (1): PyTorch's


@dataclass(frozen=True)
class Normalised:
    """Normalised inputs (...), one over their standard deviation (C,), and whether the statistics were the batch's."""

    x: np.ndarray
    per_deviation: np.ndarray
    from_batch: bool


class BatchNorm(Layer[Normalised]):
    """y = scale (x - mean) / sqrt(variance + eps) + shift, one of each a channel.

    In training, mean and variance are those of the batch, and the running ones follow them; otherwise the running ones
    are used. The vectors are scale and shift (C,), the running means mean and variance (C,).
    """

    kind: Literal["batch_norm"] = quantity("batch_norm", "1", "batch normalisation")

    @property
    def sizes(self) -> Sizes:
        """Scale and shift; running mean and variance."""
        return Sizes(vectors=2, means=2)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return scale and shift, mean and variance, one of each for C channels."""
        ones, zeros = np.ones(shape[0]), np.zeros(shape[0])
        return LayerPlan(shape, vectors=(ones, zeros), means=(zeros, ones))

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[Normalised]:
        """Return normalised images (C, H, W, B) or vectors (B, C)."""
        rest = axes_of_one_channel(x)
        mean, variance = means = params.means
        if training:
            running, count = (mean, variance), size(x) // size(mean)
            mean, variance = namespace(x).mean(x, axis=rest), namespace(x).var(x, axis=rest)
            unbiased = variance * (count / max(count - 1, 1))
            means = (_running(running[0], mean), _running(running[1], unbiased))
        per_deviation = 1.0 / namespace(x).sqrt(variance + (EPSILON if is_tensor(x) else np.asarray(EPSILON, x.dtype)))
        scale, shift = params.vectors
        normal, y = kernels.of(x).normalised(x, mean, per_deviation, (scale, shift))
        return Forward(y, Normalised(normal, per_deviation, training), means=means)

    def backward(
        self, error: np.ndarray, cache: Normalised, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients; the batch's own mean and variance depend on every input."""
        rest = axes_of_one_channel(error)
        of_shift, of_scale = error.sum(axis=rest), (error * cache.x).sum(axis=rest)
        factor = params.vectors[0] * cache.per_deviation
        if not cache.from_batch:
            return Backward(error * over(factor, error), vectors=(of_scale, of_shift))
        count = size(error) // size(of_shift)
        means = of_shift / count, of_scale / count
        to_inputs = kernels.of(error).normalised_error(error, cache.x, means, factor)
        return Backward(to_inputs, vectors=(of_scale, of_shift))


def _running(old: Array, new: Array) -> Array:
    return namespace(old).astype((1.0 - _MOMENTUM) * old + _MOMENTUM * new, old.dtype)
