"""Row permutation: a matrix whose inputs are routed to permuted rows of the array."""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import Matrix, Product, Samples
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class RowPermutation:
    """A matrix read with its rows in another order.

    Attributes
    ----------
    inner : MappedMatrix
        The matrix in the array's order of rows.
    rows : ndarray of int
        Row of the array that holds each row of the matrix (R,).
    """

    inner: MappedMatrix
    rows: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the cells stand for."""
        return self.inner.weight[self.rows]

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W as read for samples (N, R): (N, C)."""
        return self.inner.forward(self._routed(x), rng=rng)

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T as read for errors (N, C): (N, R)."""
        product = self.inner.backward(error, rng=rng)
        return replace(product, y=product.y[:, self.rows])

    def calibrated(self, x: Samples, errors: np.ndarray | None = None, *, margin: float) -> "RowPermutation":
        """Return this matrix, converters' full scale `margin` times the largest current of samples (N, R)."""
        return replace(self, inner=self.inner.calibrated(self._routed(x), errors, margin=margin))

    def without_cache(self) -> "RowPermutation":
        """Return this matrix without the operators that reads have prepared."""
        return replace(self, inner=self.inner.without_cache())

    def _routed(self, x: Samples) -> Samples:
        """Return samples (N, R) with each input at its row of the array."""
        if np.array_equal(self.rows, np.arange(self.rows.size)):
            return x
        values = x.rows()
        routed = np.empty_like(values)
        routed[:, self.rows] = values
        return Samples(routed)


def permuted(
    device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
) -> RowPermutation:
    """Return the matrix that is read of cells whose rows a rule permutes, its inputs routed to the physical rows."""
    assert state.rows is not None
    inner = before.inner if isinstance(before, RowPermutation) else None
    return RowPermutation(device.matrix(state.cells, inner, flips=state.flips, rng=rng), state.rows)
