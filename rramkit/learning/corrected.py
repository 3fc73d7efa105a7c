"""A matrix whose outputs are corrected digitally, each by a gain and an offset of its own: z = gain y + offset."""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.matrix import Matrix, Product, Samples


@dataclass(frozen=True)
class Corrected:
    """A matrix (R, C) with a correction of its forward products; `correction` fits one.

    Attributes
    ----------
    inner : Matrix
        The matrix as it is read.
    gain, offset : ndarray
        Of each output (C,), 1 and in outputs of the matrix.
    """

    inner: Matrix
    gain: np.ndarray
    offset: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the cells stand for."""
        return self.inner.weight

    def of(self, product: Product) -> Product:
        """Return a product with corrected outputs, in the memory order of its own."""
        y = product.y * self.gain.astype(product.y.dtype)
        y += self.offset.astype(y.dtype)
        return replace(product, y=y)

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return gain x W + offset as read for samples (N, R): (N, C)."""
        return self.of(self.inner.forward(x, rng=rng))

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T as read for errors (N, C), without a correction: (N, R)."""
        return self.inner.backward(error, rng=rng)

    def calibrated(self, x: Samples, errors: np.ndarray | None = None, *, margin: float) -> "Corrected":
        """Return this matrix, converters' full scale `margin` times the largest current of samples (N, R)."""
        return replace(self, inner=self.inner.calibrated(x, errors, margin=margin))

    def without_cache(self) -> "Corrected":
        """Return this matrix without the operators that reads have prepared."""
        return replace(self, inner=self.inner.without_cache())
