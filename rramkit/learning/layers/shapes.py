"""Layers without numbers of their own: pooling and flattening."""

from dataclasses import dataclass

import numpy as np

from rramkit.learning.layers.layer import Backward, Forward, Layer, Params


@dataclass(frozen=True)
class Chosen:
    """Which pixel of each field was the largest (C, Ho, Wo, B), counted row by row, and the shape of the inputs."""

    winner: np.ndarray
    shape: tuple[int, ...]


@dataclass(frozen=True)
class MaxPool(Layer[Chosen]):
    """The largest of each field of `size` x `size` pixels; fields do not overlap, pixels beyond the last are dropped.

    Of equal pixels the first one counts: outputs of a converter are often equal.
    """

    size: int

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Chosen]:
        """Return the largest pixels of images (C, H, W, B): (C, H / size, W / size, B)."""
        y = _field(x, self.size, (0, 0)).copy()
        winner = np.zeros(y.shape, np.uint8)
        for place, offset in enumerate(_places(self.size)):
            other = _field(x, self.size, offset)
            better = other > y
            np.maximum(y, other, out=y)
            np.maximum(winner, better * np.uint8(place), out=winner)  # places rise: a later winner has a larger one
        return Forward(y, Chosen(winner, x.shape))

    def backward(
        self, error: np.ndarray, cache: Chosen, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error (C, Ho, Wo, B) at the pixels that won, zero elsewhere: (C, H, W, B)."""
        back = np.zeros(cache.shape, error.dtype)
        for place, offset in enumerate(_places(self.size)):
            np.multiply(error, cache.winner == place, out=_field(back, self.size, offset))
        return Backward(back)


@dataclass(frozen=True)
class MeanPool(Layer[tuple[int, ...]]):
    """The mean of each field of `size` x `size` pixels; with size 0, of the whole image."""

    size: int

    def forward(
        self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[int, ...]]:
        """Return the mean pixels of images (C, H, W, B): (C, H / size, W / size, B)."""
        if not self.size:
            return Forward(x.mean(axis=(1, 2), keepdims=True), x.shape)
        y = _field(x, self.size, (0, 0)).copy()
        for offset in _places(self.size)[1:]:
            y += _field(x, self.size, offset)
        y /= self.size**2
        return Forward(y, x.shape)

    def backward(
        self, error: np.ndarray, cache: tuple[int, ...], parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the error (C, Ho, Wo, B), in equal parts at each pixel of a field: (C, H, W, B)."""
        if not self.size:
            return Backward(np.broadcast_to(error / (cache[1] * cache[2]), cache).astype(error.dtype))
        back, part = np.zeros(cache, error.dtype), error / self.size**2
        for offset in _places(self.size):
            _field(back, self.size, offset)[...] = part
        return Backward(back)


@dataclass(frozen=True)
class Flatten(Layer[tuple[int, ...]]):
    """Images (C, H, W, B) as vectors (B, C H W)."""

    def forward(
        self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[int, ...]]:
        """Return the numbers of each image in a row."""
        return Forward(np.ascontiguousarray(x.reshape(-1, x.shape[3]).T), x.shape)

    def backward(
        self, error: np.ndarray, cache: tuple[int, ...], parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the numbers of each row (B, C H W) as an image."""
        return Backward(np.ascontiguousarray(error.T).reshape(cache))


def _field(x: np.ndarray, size: int, offset: tuple[int, int]) -> np.ndarray:
    """Return the pixels at one place of every whole field of images (C, H, W, B), without a copy."""
    high, wide = size * (x.shape[1] // size), size * (x.shape[2] // size)
    return x[:, offset[0] : high : size, offset[1] : wide : size]


def _places(size: int) -> list[tuple[int, int]]:
    """Return the places of a field, row by row."""
    return [(row, column) for row in range(size) for column in range(size)]
