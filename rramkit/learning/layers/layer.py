"""A layer, and a chain of layers: frozen settings with a forward and a backward pass; parameters in, parameters out.

A layer's settings are the layer: what a TOML file says of it (`kind`, sizes) is the object whose `forward` runs. Its
trained numbers stand outside, in `Params`: matrices (in RRAM or in memory), vectors (biases, scales and shifts;
digital, trained) and running means (digital, not trained). `sizes` counts those of one layer, and `Chain` hands each
layer its own. `plan` gives their shapes and first values for inputs of one shape.

Images between layers are (C, H, W, B), channels first and the batch last, so that a matrix product over a convolution's
windows gives images without a copy, and pooling works on runs of the whole batch; vectors are (B, F).
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Self, TypeVar

import numpy as np

from rramkit.array.matrix import Gradient, Matrix
from rramkit.errors import InputError
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.parameters import Parameters

Cache = TypeVar("Cache")
Shape = tuple[int, ...]


class Sizes(NamedTuple):
    """How many matrices, trained vectors and running means a layer has."""

    matrices: int = 0
    vectors: int = 0
    means: int = 0


@dataclass(frozen=True)
class Params:
    """The numbers of a network or of one layer, in the order of the layers.

    Attributes
    ----------
    matrices : tuple of Matrix
        Each (R, C), within [-1, 1] of its range.
    vectors, means : tuple of ndarray
        Trained vectors and running means.
    scales : tuple of float
        Digital factor of each matrix's outputs: the weight that a one in the matrix stands for.
    """

    matrices: tuple[Matrix, ...] = ()
    vectors: tuple[np.ndarray, ...] = ()
    means: tuple[np.ndarray, ...] = ()
    scales: tuple[float, ...] = ()

    def split(self, sizes: Sequence[Sizes]) -> "Iterator[Params]":
        """Yield the parameters of each of several layers in a row."""
        m = v = s = 0
        for size in sizes:
            yield Params(
                self.matrices[m : m + size.matrices],
                self.vectors[v : v + size.vectors],
                self.means[s : s + size.means],
                self.scales[m : m + size.matrices],
            )
            m, v, s = m + size.matrices, v + size.vectors, s + size.means


@dataclass(frozen=True)
class MatrixPlan:
    """One matrix of a network.

    Attributes
    ----------
    rows, columns : int
        Its shape (R, C), with the bias where that is a row.
    fan_in : int
        Inputs without the bias.
    scale : float
        Digital factor of its outputs: the weight that a one in the matrix stands for.
    copies : int
        Rows of each input, and of the bias; their weights start alike.
    """

    rows: int
    columns: int
    fan_in: int
    scale: float
    copies: int = 1

    @classmethod
    def of(cls, fan_in: int, columns: int, *, reach: float, bias_row: bool = False, copies: int = 1) -> Self:
        """Return the plan whose range, of all copies together, is `reach` standard deviations of initial weights."""
        scale = reach * float(np.sqrt(2.0 / fan_in)) / copies
        return cls(copies * (fan_in + bias_row), columns, fan_in, scale, copies)

    def init(self, *, rng: np.random.Generator) -> np.ndarray:
        """Draw weights (R, C) over `scale`: He et al. 2015 (arXiv 1502.01852), eq. 10; a bias starts at zero."""
        spread = np.sqrt(2.0 / self.fan_in)
        weight = rng.normal(0.0, spread, (self.fan_in, self.columns)) / (self.scale * self.copies)
        zeros = np.zeros((self.rows // self.copies - self.fan_in, self.columns))
        return np.tile(np.vstack([weight, zeros]), (self.copies, 1))


@dataclass(frozen=True)
class LayerPlan:
    """What a layer needs for inputs of one shape.

    Attributes
    ----------
    shape : tuple of int
        Shape of its outputs, (F,) or (C, H, W).
    matrices : tuple of MatrixPlan
        Shape and scale of each matrix.
    vectors, means : tuple of ndarray
        Initial values of the trained vectors and the running means.
    """

    shape: Shape
    matrices: tuple[MatrixPlan, ...] = ()
    vectors: tuple[np.ndarray, ...] = ()
    means: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Forward(Generic[Cache]):
    """Outputs `y`, what the backward pass needs, the cost of the reads by matrix, and the running means afterwards."""

    y: np.ndarray
    cache: Cache
    reads: tuple[ReadCost, ...] = ()
    means: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Backward:
    """Gradients of the loss by the layer's inputs, matrices and vectors, and the cost of the reads by matrix."""

    error: np.ndarray
    matrices: tuple[Gradient, ...] = ()
    vectors: tuple[np.ndarray, ...] = ()
    reads: tuple[ReadCost, ...] = ()


class Layer(Parameters, Generic[Cache]):
    """One layer of a network: its settings, and what they compute."""

    @property
    def sizes(self) -> Sizes:
        """How many matrices, vectors and running means this layer has; none by default."""
        return Sizes()

    @abstractmethod
    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return what the layer needs for inputs (F,) or (C, H, W); raise `InputError` where they do not fit.

        `classes` is the number of the network's outputs, `reach` the full range of a matrix over the standard deviation
        of its initial weights.
        """

    @abstractmethod
    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Cache]:
        """Return the outputs for inputs `x`; `training` uses the batch's own statistics where there are any."""

    @abstractmethod
    def backward(
        self, error: np.ndarray, cache: Cache, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients from that of the outputs; that of the inputs only where `needs_input_grad`."""


AnyLayer = Layer[Any]


def vector_length(layer: Parameters, shape: Shape) -> int:
    """Return F of vectors (F,); raise `InputError` for images."""
    if len(shape) != 1:
        raise _misfit(layer, shape, "vectors (F,); put a `flatten` before it")
    return shape[0]


def image_shape(layer: Parameters, shape: Shape) -> tuple[int, int, int]:
    """Return (C, H, W) of images; raise `InputError` for vectors."""
    if len(shape) != 3:
        raise _misfit(layer, shape, "images (C, H, W)")
    return shape


def _misfit(layer: Parameters, shape: Shape, requirement: str) -> InputError:
    kind = type(layer).__name__.lower()
    return InputError(f"a {kind} layer takes {requirement}; got {shape}. Change the order of the layers.")


Caches = tuple[object, ...]


@dataclass(frozen=True)
class Chain:
    """Layers from first to last; an empty chain is the identity."""

    layers: tuple[AnyLayer, ...]

    @property
    def sizes(self) -> Sizes:
        """The sum of the layers' sizes."""
        sizes = [layer.sizes for layer in self.layers]
        return Sizes(*(sum(column) for column in zip(Sizes(), *sizes, strict=True)))

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return what all layers need for inputs (F,) or (C, H, W), in order.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives.
        """
        plans: list[LayerPlan] = []
        for layer in self.layers:
            plans.append(layer.plan(shape, classes=classes, reach=reach))
            shape = plans[-1].shape
        return joined_plans(shape, plans)

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Caches]:
        """Return the last layer's output for inputs `x`."""
        results: list[Forward] = []
        for layer, own in zip(self.layers, self._split(params), strict=True):
            results.append(layer.forward(x, own, training=training, rng=rng))
            x = results[-1].y
        reads = tuple(cost for result in results for cost in result.reads)
        means = tuple(mean for result in results for mean in result.means)
        return Forward(x, tuple(result.cache for result in results), reads, means)

    def backward(
        self, error: np.ndarray, cache: Caches, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients of all layers; without `needs_input_grad` it stops at the lowest with parameters."""
        lowest = 0
        if not needs_input_grad:
            lowest = next((i for i, layer in enumerate(self.layers) if any(layer.sizes)), len(self.layers))
        own, results = list(self._split(params)), []
        for index in range(len(self.layers) - 1, lowest - 1, -1):
            needed = needs_input_grad or index > lowest
            result = self.layers[index].backward(error, cache[index], own[index], needs_input_grad=needed, rng=rng)
            results.append(result)
            error = result.error
        return joined_gradients(error, results[::-1])

    def _split(self, params: Params) -> "Sequence[Params]":
        return list(params.split([layer.sizes for layer in self.layers]))


def joined_plans(shape: Shape, plans: Sequence[LayerPlan]) -> LayerPlan:
    """Return one plan with the arrays of several, in order, and outputs of `shape`."""
    return LayerPlan(
        shape,
        tuple(matrix for plan in plans for matrix in plan.matrices),
        tuple(vector for plan in plans for vector in plan.vectors),
        tuple(mean for plan in plans for mean in plan.means),
    )


def joined_gradients(error: np.ndarray, results: Sequence[Backward]) -> Backward:
    """Return the gradients of several layers, and the cost of their reads, in their order."""
    matrices = tuple(gradient for result in results for gradient in result.matrices)
    vectors = tuple(gradient for result in results for gradient in result.vectors)
    return Backward(error, matrices, vectors, tuple(cost for result in results for cost in result.reads))
