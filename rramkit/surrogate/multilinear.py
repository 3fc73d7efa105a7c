"""Multilinear look-up in a regular grid of any number of axes.

A point outside takes the value at the edge. Along an axis of one value the signal is constant.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import InputError


class MultilinearGrid:
    """Values on a grid whose axes are `knots`, each interval between two of them cut into equal parts.

    Parameters
    ----------
    knots : sequence of ndarray
        One rising row (L_k,) for each axis.
    values : ndarray
        Shape ((L_0 - 1) parts_0 + 1, ...).
    parts : sequence of int
        Parts an interval of each axis is cut into.
    name : str
        What is looked up, for the message of a coordinate that is not finite.
    """

    def __init__(self, knots: Sequence[np.ndarray], values: np.ndarray, *, parts: Sequence[int], name: str) -> None:
        self.knots, self.parts, self.name = tuple(knots), tuple(parts), name
        self.values = np.ascontiguousarray(values)
        strides = np.array(self.values.strides) // self.values.itemsize
        self._strides = tuple(int(stride) for stride in strides)

    def at(self, *x: ArrayLike) -> np.ndarray:
        """Return the values at the points `x`, one array for each axis, broadcast together."""
        corner, moves = np.asarray(0), []
        for axis, each in enumerate(x):
            below, part = self.place(each, axis)
            corner = corner + below * self._strides[axis]
            if self.knots[axis].size > 1:
                moves.append((self._strides[axis], part))
        return _folded(self.values.ravel(), corner, moves)

    def place(self, x: ArrayLike, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the grid point below each `x`, and how far (0 to 1) it lies towards the next."""
        values, knots = np.asarray(x, dtype=float), self.knots[axis]
        if not np.all(np.isfinite(values)):
            raise InputError(f"a coordinate of `{self.name}` must be finite; got NaN or infinity. Fix the input.")
        position = np.interp(values, knots, np.arange(knots.size) * float(self.parts[axis]))  # np.interp clamps
        last = max((knots.size - 1) * self.parts[axis] - 1, 0)
        below = np.minimum(position.astype(np.intp), last)
        return below, position - below


def _folded(flat: np.ndarray, corner: np.ndarray, moves: list[tuple[int, np.ndarray]]) -> np.ndarray:
    """Interpolate along the first move between what the others give on its two sides."""
    if not moves:
        return flat[corner]
    (stride, part), rest = moves[0], moves[1:]
    return _folded(flat, corner, rest) * (1.0 - part) + _folded(flat, corner + stride, rest) * part
