"""Layers one after the other, and the residual block: two such chains whose outputs add."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rramkit.learning.layers.layer import AnyLayer, Backward, Forward, Layer, Params, ReadCost

Caches = tuple[object, ...]


@dataclass(frozen=True)
class Chain(Layer[Caches]):
    """Layers in a row; no layer at all hands its inputs on."""

    layers: tuple[AnyLayer, ...]

    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Caches]:
        """Return what the last layer makes of `x`."""
        done: list[Forward] = []
        for layer in self.layers:
            done.append(layer.forward(x, parts, training=training, rng=rng))
            x = done[-1].y
        reads = sum((one.reads for one in done), ReadCost())
        means = tuple(mean for one in done for mean in one.means)
        return Forward(x, tuple(one.cache for one in done), reads, means)

    def backward(
        self, error: np.ndarray, cache: Caches, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the derivatives of all layers; below the lowest one with numbers nobody asks for the error."""
        lowest = 0 if onward else next((i for i, one in enumerate(self.layers) if one.has_numbers), len(self.layers))
        done: list[Backward] = []
        for index in range(len(self.layers) - 1, lowest - 1, -1):
            wanted = onward or index > lowest
            done.append(self.layers[index].backward(error, cache[index], parts, onward=wanted, rng=rng))
            error = done[-1].error
        return _joined(error, done)


@dataclass(frozen=True)
class Residual(Layer[tuple[Caches, Caches, np.ndarray]]):
    """relu(main(x) + shortcut(x)): He et al. 2015 (arXiv 1512.03385), eq. 1 and 2."""

    has_numbers: ClassVar[bool] = True

    main: Chain
    shortcut: Chain

    def forward(
        self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[Caches, Caches, np.ndarray]]:
        """Return the rectified sum of both chains' outputs."""
        main = self.main.forward(x, parts, training=training, rng=rng)
        shortcut = self.shortcut.forward(x, parts, training=training, rng=rng)
        y = np.maximum(main.y + shortcut.y, 0.0)
        caches = (main.cache, shortcut.cache, y)
        return Forward(y, caches, main.reads + shortcut.reads, main.means + shortcut.means)

    def backward(
        self,
        error: np.ndarray,
        cache: tuple[Caches, Caches, np.ndarray],
        parts: Params,
        *,
        onward: bool,
        rng: np.random.Generator,
    ) -> Backward:
        """Return the derivatives of both chains; those by the inputs add."""
        error = error * (cache[2] > 0.0)
        main = self.main.backward(error, cache[0], parts, onward=True, rng=rng)
        shortcut = self.shortcut.backward(error, cache[1], parts, onward=True, rng=rng)
        return _joined(main.error + shortcut.error, (main, shortcut))


def _joined(error: np.ndarray, done: Sequence[Backward]) -> Backward:
    matrices = tuple(found for one in done for found in one.matrices)
    vectors = tuple(found for one in done for found in one.vectors)
    return Backward(error, matrices, vectors, sum((one.reads for one in done), ReadCost()))
