"""A network: its layers, the numbers they need, one pass forward and one back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
from pydantic import Field

from rramkit.learning import networks
from rramkit.learning.build import Draft, MatrixPlan, chain
from rramkit.learning.layers import Chain, Params, ReadCost
from rramkit.learning.loss import cross_entropy
from rramkit.learning.matrices import Gradient
from rramkit.learning.specs import FunctionName, LayerSpec
from rramkit.parameters import Parameters, quantity

Found = TypeVar("Found")


class NetworkSettings(Parameters):
    """Which network; `layers` instead of a name builds one's own."""

    name: networks.NetworkName = quantity("mlp", "1", "mlp, lenet5, vgg8 or resnet18")
    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = quantity(
        (48,), "1", "units in each hidden layer of the `mlp`"
    )
    function: FunctionName = quantity("relu", "1", "activation of `mlp`, `lenet5` and `vgg8`")
    bias: Literal["digital", "row", "none"] = quantity("row", "1", "where the `mlp` keeps its biases")
    reach: float = quantity(
        10.0, "1", "weight that the full range of a pair stands for, over the first weights' deviation", gt=0.0, le=1e3
    )
    layers: tuple[LayerSpec, ...] = quantity((), "1", "layers from first to last, instead of a network by name")

    def specs(self, *, images: bool) -> networks.Specs:
        """Return the layers for inputs that are images or vectors."""
        if self.layers:
            return self.layers
        if self.name == "mlp":
            return networks.mlp(self.hidden, images=images, function=self.function, bias=self.bias)
        if self.name == "resnet18":
            return networks.resnet18()
        return {"lenet5": networks.lenet5, "vgg8": networks.vgg8}[self.name](self.function)


@dataclass(frozen=True)
class ForwardResult:
    """One pass forward: scores (B, C), what the way back needs, what the reads took, and the running means after it."""

    scores: np.ndarray
    caches: tuple[object, ...]
    reads: ReadCost
    means: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Gradients:
    """The derivatives of a loss by each matrix and each vector of a network, and what the reads took."""

    matrices: tuple[Gradient, ...]
    vectors: tuple[np.ndarray, ...]
    reads: ReadCost


@dataclass(frozen=True)
class Network:
    """Layers, the matrices they need, and the first values of their vectors and running means.

    Attributes
    ----------
    chain : Chain
        The layers.
    input_shape : tuple of int
        (F,) for vectors, (C, H, W) for images.
    matrices : tuple of MatrixPlan
        Shape and scale of each matrix.
    vectors, means : tuple of ndarray
        First values of what is digital.
    """

    chain: Chain
    input_shape: tuple[int, ...]
    matrices: tuple[MatrixPlan, ...]
    vectors: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, settings: NetworkSettings, input_shape: tuple[int, ...], classes: int) -> Self:
        """Build the network of the settings for inputs of a shape and a number of classes.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives.
        """
        draft = Draft(classes, settings.reach)
        layers, _ = chain(settings.specs(images=len(input_shape) == 3), input_shape, draft)
        return cls(layers, input_shape, tuple(draft.matrices), tuple(draft.vectors), tuple(draft.means))

    @property
    def order(self) -> int:
        """Order of a square matrix as large as the largest one."""
        return math.isqrt(max(plan.rows * plan.columns for plan in self.matrices))

    def drawn(self, *, rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        """Draw the first weights (R, C) of each matrix, within [-1, 1] of its range."""
        return tuple(np.clip(plan.drawn(rng=rng), -1.0, 1.0).astype(dtype) for plan in self.matrices)

    def forward(self, parts: Params, x: np.ndarray, *, training: bool, rng: np.random.Generator) -> ForwardResult:
        """Send a batch (B, F) or (B, C, H, W) through the layers."""
        inputs = np.ascontiguousarray(np.moveaxis(x, 0, -1)) if x.ndim == 4 else x  # images are (C, H, W, B) inside
        done = self.chain.forward(inputs, parts, training=training, rng=rng)
        means = list(parts.means)
        for place, mean in done.means:
            means[place] = mean
        return ForwardResult(done.y, done.cache, done.reads, tuple(means))

    def backward(self, parts: Params, done: ForwardResult, error: np.ndarray, *, rng: np.random.Generator) -> Gradients:
        """Send the derivative of a loss by the scores (B, C) back, each product through its own matrix."""
        back = self.chain.backward(error, done.caches, parts, onward=False, rng=rng)
        return Gradients(_in_place(back.matrices), _in_place(back.vectors), back.reads)

    def gradients(
        self, parts: Params, x: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[float, ForwardResult, Gradients]:
        """Return the mean cross-entropy of a batch with labels (B,), the pass, and all reads' slopes."""
        done = self.forward(parts, x, training=True, rng=rng)
        loss, error = cross_entropy(done.scores, labels)
        slopes = self.backward(parts, done, error, rng=rng)
        return loss, done, replace(slopes, reads=slopes.reads + done.reads)

    def scores(self, parts: Params, x: np.ndarray, *, rng: np.random.Generator, batch: int = 500) -> np.ndarray:
        """Return the scores (N, C) of many inputs, a batch at a time and with the running means."""
        starts = range(0, len(x), batch)
        return np.vstack([self.forward(parts, x[i : i + batch], training=False, rng=rng).scores for i in starts])


def _in_place(found: Sequence[tuple[int, Found]]) -> tuple[Found, ...]:
    return tuple(value for _, value in sorted(found, key=lambda pair: pair[0]))
