"""What a layer is: a frozen piece of structure, one pass forward and one back; state in, state out.

Images between layers are (C, H, W, B), channels first and the batch last, so that a matrix product over a convolution's
windows gives images without moving a number, and what is done to single pixels (windows, pooling) is done to runs of
the whole batch; vectors are (B, F).

A network's numbers stand in `Params`, and a layer knows the places of its own: matrices (in memory or in RRAM), vectors
(biases, scales and shifts; digital, trained) and means (running statistics; digital, not trained).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from rramkit.learning.matrices import Gradient, Matrix, Product

Cache = TypeVar("Cache")


@dataclass(frozen=True)
class Params:
    """The numbers of a network: matrices, trained vectors and running means, each by its place."""

    matrices: tuple[Matrix, ...]
    vectors: tuple[np.ndarray, ...] = ()
    means: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class ReadCost:
    """What array reads took: energy (J) and inputs clamped; reads add."""

    energy: float = 0.0
    clamped: int = 0

    @classmethod
    def of(cls, product: Product) -> "ReadCost":
        """Return what one product took."""
        return cls(product.energy, product.clamped)

    def __add__(self, other: "ReadCost") -> "ReadCost":
        return ReadCost(self.energy + other.energy, self.clamped + other.clamped)


@dataclass(frozen=True)
class Forward(Generic[Cache]):
    """Outputs `y`, what the way back needs, what the reads took, and the means that changed, by place."""

    y: np.ndarray
    cache: Cache
    reads: ReadCost = ReadCost()
    means: tuple[tuple[int, np.ndarray], ...] = ()


@dataclass(frozen=True)
class Backward:
    """The loss's derivatives by a layer's inputs, its matrices and its vectors (by place), and the reads' cost."""

    error: np.ndarray
    matrices: tuple[tuple[int, Gradient], ...] = ()
    vectors: tuple[tuple[int, np.ndarray], ...] = ()
    reads: ReadCost = ReadCost()


class Layer(ABC, Generic[Cache]):
    """One step of a network; `has_numbers` says whether it has places in `Params` of its own."""

    has_numbers: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x: np.ndarray, parts: Params, *, training: bool, rng: np.random.Generator) -> Forward[Cache]:
        """Return the outputs for inputs `x`; `training` takes the batch's own statistics where there are any."""

    @abstractmethod
    def backward(
        self, error: np.ndarray, cache: Cache, parts: Params, *, onward: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the derivatives, from that by the outputs; unless `onward`, nobody asks for that by the inputs."""


AnyLayer = Layer[Any]
