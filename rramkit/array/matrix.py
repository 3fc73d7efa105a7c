"""A matrix (R, C) with its two products, in RRAM or in memory, and its gradient in two factors.

A matrix multiplies batches from the left, forward x W and backward e W^T. Everything between matrices is digital, so
that a network in RRAM and one in float differ only in these products and in the changes of the weights. `MappedMatrix`
(`mapped_matrix`) is the matrix in RRAM, `FloatMatrix` the one in memory. The gradient of a matrix is the sum over N
samples of the outer products of its inputs and errors; a rule that writes outer products takes the factors, and one
that accumulates digitally takes their sum.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array
from rramkit.array.layout import Images, Layout, Vectors
from rramkit.array.products import outer_sum, product, times
from rramkit.array.windows import Windows


@dataclass(frozen=True)
class Product:
    """A matrix product.

    Attributes
    ----------
    y : array
        The product (B, M).
    energy, duration : float
        Energy (J) and time (s) of the reads that it took.
    clamped : int
        Inputs and currents clamped in these reads.
    conversions, beyond : int
        Currents sensed in these reads, and those of them that exceeded the range of a stage.
    e_drivers, e_sensing : float
        Parts of `energy` (J): of the row drivers, and of what senses the lines (`Reading`).
    whole_conversions : float
        `conversions` in whole ones, trimmed ones by their part (`Reading`).
    """

    y: Array
    energy: float = 0.0
    clamped: int = 0
    duration: float = 0.0
    conversions: int = 0
    beyond: int = 0
    e_drivers: float = 0.0
    e_sensing: float = 0.0
    whole_conversions: float = 0.0


@dataclass(frozen=True)
class Samples:
    """The input vectors of one product: `values` (N, R), or images (C, H, W, B) whose N windows are the vectors."""

    values: Array
    windows: Windows | None = None

    @property
    def layout(self) -> Layout:
        """How the values are laid out as vectors."""
        return Vectors() if self.windows is None else Images(self.windows)

    def rows(self) -> Array:
        """Return the vectors (N, R)."""
        return self.layout.rows(self.values)

    def scaled(self, largest: float) -> tuple["Samples", Array]:
        """Return the vectors, `largest` being the top magnitude of each (or of each image), and the factors (N, 1)."""
        axes = (1,) if self.windows is None else (0, 1, 2)
        values, factor = kernels.chosen().scaled(self.values, largest, axes)
        scaled = Samples(values, self.windows)
        return scaled, factor if self.windows is None else self.windows.spread(factor.ravel(), self.values)


class Matrix(Protocol):
    """One matrix (R, C) with its two products."""

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the cells stand for."""
        ...

    def forward(self, x: Samples, /, *, rng: np.random.Generator) -> Product:
        """Return x W for samples (N, R): (N, C); `rng` draws the noise of the read."""
        ...

    def backward(self, error: np.ndarray, /, *, rng: np.random.Generator) -> Product:
        """Return e W^T for errors (N, C): (N, R); `rng` draws the noise of the read."""
        ...

    def without_cache(self) -> Self:
        """Return this matrix without the operators that reads have prepared, as a checkpoint restores it."""
        ...

    def calibrated(self, x: Samples, /, errors: np.ndarray | None = None, *, margin: float) -> Self:
        """Return this matrix, converters' full scale `margin` times the largest current of samples (N, R).

        Converters whose range is chosen for each direction take that of backward reads from `errors` (N, C).
        """
        ...


@dataclass(frozen=True)
class Gradient:
    """The derivative of the loss by one matrix (R, C): the `samples` (N, R) and the `errors` (N, C) of its outputs."""

    samples: Samples
    errors: np.ndarray

    @cached_property
    def inputs(self) -> np.ndarray:
        """The inputs (N, R) of the matrix; a convolution's windows are laid out on first use."""
        return self.samples.rows()

    @cached_property
    def weight(self) -> np.ndarray:
        """The derivative (R, C): the sum of the outer products, computed on first use."""
        return outer_sum(self.samples.layout, self.samples.values, self.errors)


@dataclass(frozen=True)
class FloatMatrix:
    """The float reference: a matrix (R, C) in memory and NumPy's product."""

    matrix: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C)."""
        return self.matrix

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W for samples (N, R): (N, C)."""
        return Product(product(x.layout, (x.values,), (self.matrix,)))

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T for errors (N, C): (N, R)."""
        return Product(times(error, self.matrix.T))

    def without_cache(self) -> "FloatMatrix":
        """Return this matrix: it has no cache."""
        return self

    def calibrated(self, x: Samples, errors: np.ndarray | None = None, *, margin: float) -> "FloatMatrix":
        """Return this matrix: it has no converters."""
        return self
