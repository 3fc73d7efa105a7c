"""The matrices of a network, in memory or in RRAM, and their gradients in two factors.

A matrix (R, C) multiplies batches from the left, forward x W and backward e W^T. Everything between matrices is digital
(`model`), so that a network in RRAM and one in float differ only in these products and in the changes of the weights.
The gradient of a matrix is the sum over N samples of the outer products of its inputs and errors; a rule that writes
outer products takes the factors, and one that accumulates digitally takes their sum. `MappedMatrix` is the matrix in
RRAM (`rramkit.array.mapping`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix, Matrix, Product, Samples
from rramkit.array.products import outer_sum, product, times

__all__ = ["FloatMatrix", "Gradient", "MappedMatrix", "Matrix", "Product", "Samples"]


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

    def calibrated(self, x: Samples, *, margin: float) -> "FloatMatrix":
        """Return this matrix: it has no converters."""
        return self
