"""Layout of input vectors: rows as they are, windows of images (im2col), or cut over tiles.

Operations on each value alone (encoding, squaring) work on the values as given; only products need rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rramkit.array.backend import Array, full, long_columns, namespace
from rramkit.array.windows import Windows


class Layout(ABC):
    """How given values become vectors."""

    @property
    def from_images(self) -> bool:
        """Whether the vectors are windows of images, of which there are many more than pixels."""
        return False

    @abstractmethod
    def rows(self, x: Array) -> Array:
        """Return `x` as vectors (..., N, L)."""

    def blocks(self, x: np.ndarray, most: int) -> Iterator[np.ndarray]:
        """Yield the vectors as columns (..., L, n): windows about `most` numbers at a time, others all at once.

        Each block is valid until the next.
        """
        yield self.rows(x).swapaxes(-1, -2)

    def places(self, x: np.ndarray, most: int) -> Iterator[slice]:
        """Yield the position of each block among the N vectors."""
        yield slice(0, self.count(x))

    def count(self, x: np.ndarray) -> int:
        """Return N."""
        return self.rows(x).shape[-2]

    @abstractmethod
    def sums(self, x: Array) -> Array:
        """Return `x` summed over the vectors, (..., L)."""


@dataclass(frozen=True)
class Vectors(Layout):
    """Vectors (..., N, L) as they are."""

    def rows(self, x: Array) -> Array:
        """Return `x` itself."""
        return x

    def sums(self, x: Array) -> Array:
        """Return the sum over the vectors, (..., L)."""
        return x.sum(axis=-2)


@dataclass(frozen=True)
class Images(Layout):
    """Images (C, H, W, B), whose windows are the vectors."""

    windows: Windows

    @property
    def from_images(self) -> bool:
        """They are."""
        return True

    def blocks(self, x: np.ndarray, most: int) -> Iterator[np.ndarray]:
        """Yield windows as columns (L, n)."""
        return self.windows.blocks(x, most)

    def places(self, x: np.ndarray, most: int) -> Iterator[slice]:
        """Yield the position of each block."""
        return self.windows.places(x, most)

    def count(self, x: np.ndarray) -> int:
        """Return how many windows all images have."""
        return self.windows.count(x) * x.shape[3]

    def rows(self, x: Array) -> Array:
        """Return the windows (N, L)."""
        return self.windows.rows(x)

    def sums(self, x: Array) -> Array:
        """Return the sum over the windows, (L,)."""
        return self.windows.line_sums(x)


@dataclass(frozen=True)
class Cut(Layout):
    """Vectors of another layout cut into `tiles` pieces of `size` lines, with zeros after the last line.

    `before`: whether the axis of the tiles is before (for a column of tiles) or after the axis of broadcasting.
    """

    inner: Layout
    tiles: int
    size: int
    before: bool

    @property
    def from_images(self) -> bool:
        """Whether the uncut vectors are windows of images."""
        return self.inner.from_images

    def blocks(self, x: np.ndarray, most: int) -> Iterator[np.ndarray]:
        """Yield columns (tiles, 1, size, n), or (1, tiles, size, n)."""
        for columns in self.inner.blocks(x, most):
            pieces = self._filled(columns, axis=-2).reshape(self.tiles, self.size, -1)
            yield pieces[:, None] if self.before else pieces[None]

    def places(self, x: np.ndarray, most: int) -> Iterator[slice]:
        """Yield the positions of the uncut ones."""
        return self.inner.places(x, most)

    def count(self, x: np.ndarray) -> int:
        """Return how many vectors there are."""
        return self.inner.count(x)

    def rows(self, x: Array) -> Array:
        """Return (tiles, 1, N, size), or (1, tiles, N, size)."""
        xp, rows = namespace(x), self.inner.rows(x)
        vectors = rows.shape[-2]
        if long_columns(rows):
            turned = self._filled(xp.matrix_transpose(rows), axis=-2)
            pieces = xp.matrix_transpose(turned.reshape(self.tiles, self.size, vectors))
        else:
            pieces = xp.moveaxis(self._filled(rows, axis=-1).reshape(vectors, self.tiles, self.size), 1, 0)
        return pieces[:, None] if self.before else pieces[None]

    def sums(self, x: Array) -> Array:
        """Return (tiles, 1, size), or (1, tiles, size)."""
        pieces = self._filled(self.inner.sums(x), axis=-1).reshape(self.tiles, self.size)
        return pieces[:, None] if self.before else pieces[None]

    def _filled(self, x: Array, *, axis: int) -> Array:
        spare = self.tiles * self.size - x.shape[axis]
        if not spare:
            return x
        shape = list(x.shape)
        shape[axis] = spare
        return namespace(x).concat([x, full(tuple(shape), 0.0, x)], axis=axis)
