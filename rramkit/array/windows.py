"""Windows of a convolution (im2col): the vectors that its matrix multiplies, laid out as rows only where necessary.

Images are (C, H, W, B): channels, height, width, batch. A window of k x k pixels of all channels is one input vector of
R = C k k entries, in the order channel, row, column; an image has Ho x Wo of them, so a batch has N = Ho Wo B vectors.
Every pixel is in up to k k vectors: operations on each entry alone (encoding, squaring) are cheaper on the images.

Rows are (N, R) with the vectors along the fast axis of memory, the layout in which a product's outputs (N, C') are
images again without moving a number. With the batch last, each row of a window's pixels is one run of Wo B numbers, so
laying out is copying long runs (at stride 1; B numbers otherwise): twice as fast as with the batch before the pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, contiguous, full, is_tensor, namespace
from rramkit.array.kernels import reference
from rramkit.errors import InputError


@dataclass(frozen=True)
class Windows:
    """Windows of `kernel` x `kernel` pixels, `stride` apart, over images with a border of `pad` zeros."""

    kernel: int
    stride: int = 1
    pad: int = 0

    def size(self, pixels: int) -> int:
        """Return how many windows lie along an edge of so many pixels."""
        return (pixels + 2 * self.pad - self.kernel) // self.stride + 1

    def count(self, images: np.ndarray) -> int:
        """Return how many windows each of images (C, H, W, B) has."""
        return self.size(images.shape[1]) * self.size(images.shape[2])

    def check(self, images: Array, lines: int) -> None:
        """Raise `InputError` unless `images` are (C, H, W, B) and their windows have `lines` entries."""
        if images.ndim != 4 or images.shape[0] * self.kernel**2 != lines:
            raise InputError(
                f"`v` must be images (C, H, W, B) whose windows of {self.kernel} x {self.kernel} have {lines} entries; "
                f"got {tuple(images.shape)}. Reshape them."
            )

    def rows(self, images: Array) -> Array:
        """Return the windows of images (C, H, W, B) as vectors (N, R)."""
        view = self._view(self._padded(images))
        channels, kernel = view.shape[0], self.kernel
        return contiguous(view).reshape(channels * kernel * kernel, -1).T

    def blocks(self, images: np.ndarray, most: int) -> Iterator[np.ndarray]:
        """Yield the same vectors as columns (R, n), about `most` numbers at a time, in one buffer: use each at once."""
        view, high = self._view(self._padded(images)), self._rows_at_once(images, most)
        buffer = np.empty((*view.shape[:3], high, *view.shape[4:]), images.dtype).ravel()
        for top in range(0, view.shape[3], high):
            part = view[:, :, :, top : top + high]
            block = buffer[: part.size].reshape(part.shape)
            np.copyto(block, part)
            yield block.reshape(view.shape[0] * self.kernel**2, -1)

    def places(self, images: Array, most: int) -> Iterator[slice]:
        """Yield the position of each of the `blocks` among the N vectors."""
        step = self._rows_at_once(images, most) * self.size(images.shape[2]) * images.shape[3]
        count = self.count(images) * images.shape[3]
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def _rows_at_once(self, images: Array, most: int) -> int:
        """Return how many rows of an image's windows hold about `most` numbers over the batch."""
        row = images.shape[0] * self.kernel**2 * self.size(images.shape[2]) * images.shape[3]
        return max(1, min(self.size(images.shape[1]), most // max(row, 1)))

    def line_sums(self, images: Array) -> Array:
        """Return the sum over all vectors of each of their entries: what `rows(images).sum(axis=0)` is, (R,)."""
        whole = images.sum(axis=3, keepdims=True)  # of the batch first: all its images have the same windows
        return self._view(self._padded(whole)).sum(axis=(3, 4, 5)).reshape(-1)

    def folded(self, rows: Array, shape: tuple[int, int, int, int]) -> Array:
        """Add vectors (N, R) up to images of `shape`, each entry at the pixel that it came from: the adjoint."""
        high, wide = self.size(shape[1]), self.size(shape[2])
        parts = rows.T.reshape(shape[0], self.kernel, self.kernel, high, wide, shape[3])
        folded = (reference if is_tensor(rows) else kernels.chosen()).folded
        return folded(parts, shape, self.stride, self.pad)

    def spread(self, per_image: Array, images: Array) -> Array:
        """Return one value an image (B,) as one value a vector (N, 1)."""
        return namespace(per_image).tile(per_image, (self.count(images),))[:, None]

    def _padded(self, images: Array) -> Array:
        if not self.pad:
            return images
        channels, height, width, batch = images.shape
        padded = full((channels, height + 2 * self.pad, width + 2 * self.pad, batch), 0.0, images)
        padded[:, self.pad : self.pad + height, self.pad : self.pad + width] = images
        return padded

    def _view(self, padded: Array) -> Array:
        """Return all windows (C, k, k, Ho, Wo, B) of padded images, without a copy."""
        if not isinstance(padded, np.ndarray):
            inner = padded.unfold(1, self.kernel, self.stride).unfold(2, self.kernel, self.stride)
            return inner.permute(0, 4, 5, 1, 2, 3)
        inner = np.lib.stride_tricks.sliding_window_view(padded, (self.kernel, self.kernel), axis=(1, 2))
        return inner[:, :: self.stride, :: self.stride].transpose(0, 4, 5, 1, 2, 3)
