"""A matrix whose rows stand elsewhere in the array than in the network: inputs are led to the rows' places."""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.learning.matrices import Matrix, Product, Samples, TileMatrix


@dataclass(frozen=True)
class RowPermutation(Matrix):
    """A matrix read with its rows in another order.

    Attributes
    ----------
    inner : TileMatrix
        The matrix in the array's order of rows.
    rows : ndarray of int
        Row of the array that holds each row of the matrix (R,).
    """

    inner: TileMatrix
    rows: np.ndarray

    @property
    def g_cell(self) -> np.ndarray:
        """Conductances of the pairs (2, R, C) in siemens, in the array's order of rows."""
        return self.inner.g_cell

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that is stood for."""
        return self.inner.weight[self.rows]

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return about x W for samples (N, R): (N, C)."""
        return self.inner.forward(self._led(x), rng=rng)

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return about e W^T for errors (N, C): (N, R)."""
        product = self.inner.backward(error, rng=rng)
        return Product(product.y[:, self.rows], product.energy, product.clamped)

    def calibrated(self, x: Samples, *, margin: float) -> "RowPermutation":
        """Return this matrix, converters' full scale `margin` times the largest current of samples (N, R)."""
        return replace(self, inner=self.inner.calibrated(self._led(x), margin=margin))

    def settled(self) -> "RowPermutation":
        """Return this matrix as if made anew."""
        return replace(self, inner=self.inner.settled())

    def _led(self, x: Samples) -> Samples:
        """Return samples (N, R) with each input at its row of the array."""
        if np.array_equal(self.rows, np.arange(self.rows.size)):
            return x
        values = x.rows()
        led = np.empty_like(values)
        led[:, self.rows] = values
        return Samples(led)
