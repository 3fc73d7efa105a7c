"""Batch normalisation, digital: Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rramkit.learning.layers.layer import Backward, Forward, Layer, Params

_EPSILON = 1e-5  # added to the variance (1): algorithm 1 leaves it open; PyTorch's and Keras' order
_NEW_PART = 0.1  # of a batch's statistics in the running ones (1): PyTorch's


@dataclass(frozen=True)
class Normalised:
    """Normalised inputs (...), and one over their standard deviation (C,); fixed statistics have no slope."""

    x: np.ndarray
    per_deviation: np.ndarray
    from_batch: bool


@dataclass(frozen=True)
class BatchNorm(Layer[Normalised]):
    """y = scale (x - mean) / sqrt(variance + eps) + shift, one of each a channel.

    Training takes mean and variance of the batch and lets the running ones follow; otherwise the running ones serve.
    `scale` and `shift` are places of vectors (C,), `mean` and `variance` of running means (C,).
    """

    has_numbers: ClassVar[bool] = True

    scale: int
    shift: int
    mean: int
    variance: int

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Normalised]:
        """Return normalised images (C, H, W, B) or vectors (B, C)."""
        rest = _others(x)
        mean, variance = parts.means[self.mean], parts.means[self.variance]
        means: tuple[tuple[int, np.ndarray], ...] = ()
        if training:
            running, count = (mean, variance), x.size // mean.size
            mean, variance = x.mean(axis=rest), x.var(axis=rest)
            unbiased = variance * (count / max(count - 1, 1))
            means = ((self.mean, _follow(running[0], mean)), (self.variance, _follow(running[1], unbiased)))
        per_deviation = 1.0 / np.sqrt(variance + np.asarray(_EPSILON, x.dtype))
        normal = (x - np.expand_dims(mean, rest)) * np.expand_dims(per_deviation, rest)
        scale, shift = (np.expand_dims(parts.vectors[place], rest) for place in (self.scale, self.shift))
        return Forward(normal * scale + shift, Normalised(normal, per_deviation, training), means=means)

    def backward(
        self, error: np.ndarray, cache: Normalised, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the derivatives; the batch's own mean and variance depend on every input."""
        rest = _others(error)
        by_shift, by_scale = error.sum(axis=rest), (error * cache.x).sum(axis=rest)
        back = error
        if cache.from_batch:
            count = error.size // by_shift.size
            back = error - np.expand_dims(by_shift / count, rest) - cache.x * np.expand_dims(by_scale / count, rest)
        back = back * np.expand_dims(parts.vectors[self.scale] * cache.per_deviation, rest)
        return Backward(back, vectors=((self.scale, by_scale), (self.shift, by_shift)))


def _others(x: np.ndarray) -> tuple[int, ...]:
    """Return all axes but the channels'."""
    return (1, 2, 3) if x.ndim == 4 else (0,)


def _follow(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return ((1.0 - _NEW_PART) * old + _NEW_PART * new).astype(old.dtype)
