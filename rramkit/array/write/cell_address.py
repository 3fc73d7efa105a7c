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


def shared_drop(current: np.ndarray, line: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return the voltage drop at each cell by the currents of its line, for a resistance of 1 ohm a segment.

    d_k = sum over m of the same line of I_m min(p_k, p_m)

    Parameters
    ----------
    current : ndarray
        Current I of each cell (N,), in amperes.
    line : ndarray of int
        Which line each cell is on (N,).
    position : ndarray of int
        Segments p between the line's driver and each cell (N,).

    Returns
    -------
    ndarray
        Voltages (N,) in volts for 1 ohm.
    """
    if not current.size:
        return np.zeros(0)
    order = np.lexsort((position, line))
    i, p, key = current[order], position[order].astype(float), line[order]
    first = np.concatenate([[0], np.flatnonzero(key[1:] != key[:-1]) + 1])
    length = np.diff(np.append(first, key.size))
    nearer, passed = _within(i * p, first, length), _within(i, first, length)
    total = np.repeat(np.add.reduceat(i, first), length)
    drop = np.empty_like(i)
    drop[order] = nearer + p * (total - passed)
    return drop


def _within(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the running sum (N,) of `values`, restarted at each index of `first`."""
    running = np.cumsum(values)
    before = np.append(0.0, running[first[1:] - 1])
    return running - np.repeat(before, length)
