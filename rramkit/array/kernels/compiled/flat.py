"""Arrays as the kernels take them: three axes, the last the fastest in memory."""

from dataclasses import dataclass

import numpy as np

from rramkit.array.backend import Array, long_columns

_SINGLE = np.dtype(np.float32)


@dataclass(frozen=True)
class Flat:
    """Arrays (..., N, M) of one shape as the kernels take them, (T, A, B) with B the fastest in memory.

    Attributes
    ----------
    arrays : tuple of ndarray
        Views of them, or copies where an array's memory order is another one than the first's.
    shape : tuple of int
        Their shape (..., N, M).
    turned : bool
        Whether A is M and B is N: vectors lie side by side.
    """

    arrays: tuple[np.ndarray, ...]
    shape: tuple[int, ...]
    turned: bool

    @classmethod
    def of(cls, first: Array, *others: Array) -> "Flat | None":
        """Return the arrays; None where the kernels do not fit them: another kind or type, or gaps in the memory."""
        every = (first, *others)
        if not all(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in every):
            return None
        if first.ndim < 2 or any(each.shape != first.shape for each in others):
            return None
        turned = long_columns(first)
        ordered = [each.swapaxes(-1, -2) if turned else each for each in every]
        if not ordered[0].flags.c_contiguous:
            return None
        inner = ordered[0].shape[-2:]
        return cls(tuple(np.ascontiguousarray(x).reshape(-1, *inner) for x in ordered), first.shape, turned)

    def lines(self, values: Array | float, dtype: np.dtype = _SINGLE) -> np.ndarray:
        """Return values that broadcast to (..., 1, M) as (T, A, 1) where M is A, and as (T, 1, B) where it is B."""
        whole = np.broadcast_to(np.asarray(values, dtype), (*self.shape[:-2], 1, self.shape[-1]))
        lines = np.ascontiguousarray(whole).reshape(-1, 1, self.shape[-1])
        return np.ascontiguousarray(lines.swapaxes(-1, -2)) if self.turned else lines

    @property
    def rows(self) -> int:
        """Number of rows T A, each of B numbers."""
        first = self.arrays[0]
        return first.shape[0] * first.shape[1]
