"""Cell addresses: array, row and column of each cell, and the IR drop that the cells of one line share.

Conductances are (..., 2, R, C): matrices leading, the plus and minus halves of a pair in adjacent physical columns 2 c
and 2 c + 1. A matrix larger than an array is cut into arrays as equal as can be, as `TileGrid` cuts it. Rows are source
lines, driven at physical column 0 of an array; columns are bit lines, driven below its last row, as in the kit's
crossbar netlist.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np


@dataclass(frozen=True)
class CellAddress:
    """Cells (N,) of matrices (..., 2, R, C), in their arrays.

    Attributes
    ----------
    flat : ndarray of int
        Index into the flattened matrices.
    array, row, col : ndarray of int
        Which array, which row, which physical column.
    arrays : int
        Number of arrays.
    rows, cols : int
        Size of an array.
    """

    flat: np.ndarray
    array: np.ndarray
    row: np.ndarray
    col: np.ndarray
    arrays: int
    rows: int
    cols: int

    @classmethod
    def of(cls, flat: np.ndarray, shape: tuple[int, ...], largest: tuple[int, int] | None = None) -> Self:
        """Return the addresses of cells `flat` (N,) of matrices of `shape` (..., 2, R, C).

        `largest` is the number of rows and physical columns that an array has at most; None: any.
        """
        halves, rows, pairs = shape[-3:]
        limits = (rows, halves * pairs) if largest is None else largest
        down, across = -(-rows // limits[0]), -(-pairs // max(limits[1] // halves, 1))
        high, wide = -(-rows // down), -(-pairs // across)
        rest, pair = np.divmod(flat, pairs)
        rest, row = np.divmod(rest, rows)
        matrix, half = np.divmod(rest, halves)
        array = (matrix * down + row // high) * across + pair // wide
        arrays = int(np.prod(shape[:-3], dtype=np.int64)) * down * across
        return cls(flat, array, row % high, halves * (pair % wide) + half, arrays, high, halves * wide)

    def row_means(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of `values` (..., 2, R, C) along each cell's row, within its array (N,)."""
        halves, rows, pairs = values.shape[-3:]
        across = -(-halves * pairs // self.cols)
        starts = np.arange(across) * (self.cols // halves)
        sums = np.add.reduceat(values.sum(axis=-3), starts, axis=-1)  # (..., R, across)
        means = sums / (halves * np.diff(np.append(starts, pairs)))
        matrix, rest = np.divmod(self.flat, halves * rows * pairs)
        row, pair = (rest // pairs) % rows, rest % pairs
        return means.reshape(-1, rows, across)[matrix, row, pair // (self.cols // halves)]

    @property
    def row_line(self) -> np.ndarray:
        """Number of each cell's row line among those of all arrays (N,)."""
        return self.array * self.rows + self.row

    @property
    def col_line(self) -> np.ndarray:
        """Number of each cell's column line among those of all arrays (N,)."""
        return self.array * self.cols + self.col

    @property
    def along_row(self) -> np.ndarray:
        """Segments of the row line between its driver and each cell (N,)."""
        return self.col

    @property
    def along_col(self) -> np.ndarray:
        """Segments of the column line between its driver and each cell (N,)."""
        return self.rows - 1 - self.row


@lru_cache(maxsize=16)
def every_address(shape: tuple[int, ...], largest: tuple[int, int] | None) -> CellAddress:
    """Return the addresses of all cells of matrices of `shape` (..., 2, R, C), computed once."""
    address = CellAddress.of(np.arange(int(np.prod(shape))), shape, largest)
    for indices in (address.flat, address.array, address.row, address.col):
        indices.flags.writeable = False  # they are cached
    return address


def shared_drop(current: np.ndarray, line: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Return the voltage drop at each cell by the currents of its line.

    d_k = sum over m of the same line of I_m near(the nearer of k and m) far(the farther)

    A wire of 1 ohm a segment has near = p, its segments from the driver to the cell, and far = 1.

    Parameters
    ----------
    current : ndarray
        Current I of each cell (N,), in amperes.
    line : ndarray of int
        Which line each cell is on (N,).
    near, far : ndarray
        Factors of each cell (N,), their product in ohms; `near` rises with the distance from the driver.

    Returns
    -------
    ndarray
        Voltages (N,) in volts.
    """
    if not current.size:
        return np.zeros(0)
    order = np.lexsort((near, line))
    i, p, q, key = current[order], near[order].astype(float), far[order], line[order]
    first = np.concatenate([[0], np.flatnonzero(key[1:] != key[:-1]) + 1])
    length = np.diff(np.append(first, key.size))
    nearer, passed = _within(i * p, first, length), _within(i * q, first, length)
    total = np.repeat(np.add.reduceat(i * q, first), length)
    drop = np.empty_like(i)
    drop[order] = q * nearer + p * (total - passed)
    return drop


def _within(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the running sum (N,) of `values`, restarted at each index of `first`."""
    running = np.cumsum(values)
    before = np.append(0.0, running[first[1:] - 1])
    return running - np.repeat(before, length)
