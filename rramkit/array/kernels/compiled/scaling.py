"""Scaling of a read's inputs: the top magnitude of each vector, and the vectors over it."""

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.kernels import reference
from rramkit.compiling import kernel

_SINGLE = np.dtype(np.float32)
_SMALLEST = np.float32(np.finfo(np.float32).smallest_normal)


def scaled(values: Array, largest: float, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return vectors whose top magnitude is `largest`, and the factors: see `reference.scaled`."""
    if not (isinstance(values, np.ndarray) and values.dtype == _SINGLE and values.size):
        return reference.scaled(values, largest, axes)
    images, turned = len(axes) == 3, not values.flags.c_contiguous
    if turned and (images or not values.T.flags.c_contiguous):
        return reference.scaled(values, largest, axes)
    flat = values.T if turned else values.reshape(-1, values.shape[-1])  # turned: the vectors lie side by side
    down = images or turned
    out, factor = np.empty_like(flat), np.zeros(flat.shape[1 if down else 0], np.float32)
    (_scaled_down if down else _scaled_across)(flat, np.float32(largest), out, factor)
    return out.T if turned else out.reshape(values.shape), factor.reshape((1, 1, 1, -1) if images else (-1, 1))


@kernel
def _scaled_down(values, largest, out, factor):  # noqa: ANN001, ANN202
    """Scale the vectors (M, B) along the first axis."""
    for m in range(values.shape[0]):
        row = values[m]
        for b in range(factor.size):
            factor[b] = max(factor[b], abs(row[b]))
    _factors(factor, largest)
    for m in range(values.shape[0]):
        row, into = values[m], out[m]
        for b in range(factor.size):
            into[b] = row[b] * factor[b]


@kernel
def _scaled_across(values, largest, out, factor):  # noqa: ANN001, ANN202
    """Scale the vectors (N, R) along the last axis."""
    for n in range(values.shape[0]):
        row, top = values[n], factor[n]
        for r in range(row.size):
            top = max(top, abs(row[r]))
        factor[n] = top
    _factors(factor, largest)
    for n in range(values.shape[0]):
        row, into, by = values[n], out[n], factor[n]
        for r in range(row.size):
            into[r] = row[r] * by


@kernel
def _factors(top, largest):  # noqa: ANN001, ANN202
    """Put the factors in the place of the top magnitudes."""
    for n in range(top.size):
        top[n] = largest / top[n] if top[n] >= _SMALLEST else largest
