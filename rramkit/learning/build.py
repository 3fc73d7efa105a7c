"""From layers as written to layers that know the places of their numbers."""

from dataclasses import dataclass, field
from functools import singledispatch

import numpy as np

from rramkit.array.windows import Windows
from rramkit.errors import InputError
from rramkit.learning import specs
from rramkit.learning.layers import (
    Activation,
    AnyLayer,
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    MeanPool,
    Residual,
)
from rramkit.parameters import Parameters

Shape = tuple[int, ...]


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
    """

    rows: int
    columns: int
    fan_in: int
    scale: float

    def drawn(self, *, rng: np.random.Generator) -> np.ndarray:
        """Draw weights (R, C) over `scale`: He et al. 2015 (arXiv 1502.01852), eq. 10; a bias starts at zero."""
        weight = rng.normal(0.0, np.sqrt(2.0 / self.fan_in), (self.fan_in, self.columns)) / self.scale
        return np.vstack([weight, np.zeros((self.rows - self.fan_in, self.columns))])


@dataclass
class Draft:
    """What a network under construction has collected: plans of matrices, first values of vectors and of means."""

    classes: int
    reach: float
    matrices: list[MatrixPlan] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)
    means: list[np.ndarray] = field(default_factory=list)

    def matrix(self, fan_in: int, columns: int, *, bias_row: bool = False) -> tuple[int, float]:
        """Take a place for a matrix; return it and the scale: `reach` standard deviations of the first weights."""
        scale = self.reach * float(np.sqrt(2.0 / fan_in))
        self.matrices.append(MatrixPlan(fan_in + bias_row, columns, fan_in, scale))
        return len(self.matrices) - 1, scale

    def vector(self, values: np.ndarray) -> int:
        """Take a place for a vector that starts with `values`."""
        self.vectors.append(values)
        return len(self.vectors) - 1

    def mean(self, values: np.ndarray) -> int:
        """Take a place for a running mean that starts with `values`."""
        self.means.append(values)
        return len(self.means) - 1


def chain(layers: tuple[Parameters, ...], shape: Shape, draft: Draft) -> tuple[Chain, Shape]:
    """Return the layers for inputs of `shape` (F,) or (C, H, W), and the shape of what they give."""
    made: list[AnyLayer] = []
    for spec in layers:
        layer, shape = layer_of(spec, shape, draft)
        made.append(layer)
    return Chain(tuple(made)), shape


@singledispatch
def layer_of(spec: Parameters, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    """Return the layer that a spec describes, and the shape of its outputs."""
    raise InputError(f"no layer is made of a {type(spec).__name__}. Take one of `rramkit.learning.specs`.")


@layer_of.register
def _(spec: specs.DenseSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    (inputs,) = _wanted(spec, shape, 1)
    units, row = spec.units or draft.classes, spec.bias == "row"
    matrix, scale = draft.matrix(inputs, units, bias_row=row)
    bias = draft.vector(np.zeros(units)) if spec.bias == "digital" else None
    return Dense(matrix, scale, bias, row), (units,)


@layer_of.register
def _(spec: specs.ConvolutionSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    channels, high, wide = _wanted(spec, shape, 3)
    windows = Windows(spec.kernel, spec.stride, spec.pad)
    if min(high, wide) + 2 * spec.pad < spec.kernel:
        raise InputError(
            f"`kernel` must fit into the image and its border; got {spec.kernel} on {high} x {wide}. Make it smaller."
        )
    matrix, scale = draft.matrix(channels * spec.kernel**2, spec.channels)
    bias = draft.vector(np.zeros(spec.channels)) if spec.bias == "digital" else None
    return Convolution(matrix, windows, scale, bias), (spec.channels, windows.size(high), windows.size(wide))


@layer_of.register
def _(spec: specs.ActivationSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    return Activation(spec.function), shape


@layer_of.register
def _(spec: specs.MaxPoolSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    return MaxPool(spec.size), _pooled(spec, shape, spec.size)


@layer_of.register
def _(spec: specs.MeanPoolSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    return MeanPool(spec.size), _pooled(spec, shape, spec.size)


@layer_of.register
def _(spec: specs.BatchNormSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    channels = shape[0]
    scale, shift = draft.vector(np.ones(channels)), draft.vector(np.zeros(channels))
    return BatchNorm(scale, shift, draft.mean(np.zeros(channels)), draft.mean(np.ones(channels))), shape


@layer_of.register
def _(spec: specs.FlattenSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    return Flatten(), (int(np.prod(_wanted(spec, shape, 3))),)


@layer_of.register
def _(spec: specs.ResidualSpec, shape: Shape, draft: Draft) -> tuple[AnyLayer, Shape]:
    main, after = chain(spec.main, shape, draft)
    shortcut, beside = chain(spec.shortcut, shape, draft)
    if after != beside:
        raise InputError(f"`main` and `shortcut` must give one shape; got {after} and {beside}. Fix the block.")
    return Residual(main, shortcut), after


def _pooled(spec: Parameters, shape: Shape, size: int) -> Shape:
    channels, high, wide = _wanted(spec, shape, 3)
    if size > min(high, wide):
        raise InputError(f"`size` must be at most the image's edge; got {size} on {high} x {wide}. Make it smaller.")
    return (channels, high // size, wide // size) if size else (channels, 1, 1)


def _wanted(spec: Parameters, shape: Shape, axes: int) -> Shape:
    """Return `shape` when it has so many axes."""
    if len(shape) != axes:
        kind = type(spec).__name__.removesuffix("Spec").lower()
        wanted = "vectors (F,); put a `flatten` before it" if axes == 1 else "images (C, H, W)"
        raise InputError(f"a {kind} layer takes {wanted}; got {shape}. Change the order of the layers.")
    return shape
