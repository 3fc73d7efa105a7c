"""Vectors times matrices, the windows of images laid out (im2col) one cache block at a time.

A convolution's windows are k k times its images, 5 MB for the first layer of LeNet-5 at a batch of 64. Laid out whole,
every product goes to memory for them; laid out and multiplied in blocks of `BLOCK` numbers, they never leave the cache,
which takes a third of the time. BLAS copies its operands into panels and is faster on such blocks by itself, too.
"""

import numpy as np

from rramkit.array.backend import Array, long_columns
from rramkit.array.layout import Layout

BLOCK = 120_000
"""Numbers (1) of windows laid out at once: half a megabyte in float32, well within a core's own cache."""


def product(layout: Layout, terms: tuple[Array, ...], matrices: tuple[Array, ...]) -> Array:
    """Return the sum over K of the vectors (..., N, L) of `terms` times `matrices` (..., L, M): (..., N, M)."""
    if not (layout.from_images and isinstance(terms[0], np.ndarray)):
        total = times(layout.rows(terms[0]), matrices[0])
        for term, matrix in zip(terms[1:], matrices[1:], strict=True):
            total += times(layout.rows(term), matrix)
        return total
    across = [matrix.swapaxes(-1, -2) for matrix in matrices]
    whole = None
    for at, *columns in zip(
        layout.places(terms[0], BLOCK), *(layout.blocks(term, BLOCK) for term in terms), strict=True
    ):
        if whole is None:
            lead = np.broadcast_shapes(across[0].shape[:-2], columns[0].shape[:-2])
            whole = np.empty((*lead, across[0].shape[-2], layout.count(terms[0])), across[0].dtype)
        part = np.matmul(across[0], columns[0], out=whole[..., at])
        for matrix, block in zip(across[1:], columns[1:], strict=True):
            part += matrix @ block
    assert whole is not None
    return whole.swapaxes(-1, -2)


def times(rows: Array, matrix: Array) -> Array:
    """Return rows (..., N, L) times a matrix (..., L, M) in the memory order of the rows: long columns stay long."""
    if not long_columns(rows):
        return rows @ matrix
    return (matrix.swapaxes(-1, -2) @ rows.swapaxes(-1, -2)).swapaxes(-1, -2)


def outer_sum(layout: Layout, values: Array, errors: Array) -> Array:
    """Return the sum over the vectors (N, L) of their outer products with errors (N, M): (L, M)."""
    if not (layout.from_images and isinstance(values, np.ndarray)):
        return layout.rows(values).T @ errors
    total = None
    for at, columns in zip(layout.places(values, BLOCK), layout.blocks(values, BLOCK), strict=True):
        part = columns @ errors[at]
        total = part if total is None else total + part
    assert total is not None
    return total
