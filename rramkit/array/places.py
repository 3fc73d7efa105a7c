"""Where a cell is in its array, and what the cells of one line share.

Conductances are (..., 2, R, C): arrays leading, the plus and minus halves of a pair in adjacent physical columns 2 c
and 2 c + 1. Rows are source lines, driven at physical column 0; columns are bit lines, driven below row R - 1, as in
the kit's crossbar netlist.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Places:
    """Cells (N,) of arrays (..., 2, R, C).

    Attributes
    ----------
    flat : ndarray of int
        Index into the flattened arrays.
    array, row, col : ndarray of int
        Which array, which row, which physical column.
    rows, cols : int
        Size of one physical array, R and 2 C.
    """

    flat: np.ndarray
    array: np.ndarray
    row: np.ndarray
    col: np.ndarray
    rows: int
    cols: int

    @classmethod
    def of(cls, flat: np.ndarray, shape: tuple[int, ...]) -> Self:
        """Find the cells `flat` (N,) of arrays of `shape` (..., 2, R, C)."""
        halves, rows, pairs = shape[-3:]
        rest, pair = np.divmod(flat, pairs)
        rest, row = np.divmod(rest, rows)
        array, half = np.divmod(rest, halves)
        return cls(flat, array, row, halves * pair + half, rows, halves * pairs)

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


def shared_drop(current: np.ndarray, line: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return what the currents of one line cost each of its cells, for a resistance of 1 ohm a segment.

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
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    length = np.diff(np.r_[first, key.size])
    nearer, passed = _within(i * p, first, length), _within(i, first, length)
    total = np.repeat(np.add.reduceat(i, first), length)
    drop = np.empty_like(i)
    drop[order] = nearer + p * (total - passed)
    return drop


def _within(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the running sum (N,) of `values`, begun anew at each index of `first`."""
    running = np.cumsum(values)
    before = np.r_[0.0, running[first[1:] - 1]]
    return running - np.repeat(before, length)
