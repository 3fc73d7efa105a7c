"""Conversions of one read of single-ended columns: which lines are sensed, and in how many bits each is converted.

Behind a converter the digital side knows a whole number of conductance levels. Of a line's current i, at L driven rows,

    level = round((i - i_zero - i_rest L) / i_level)          clipped to 0 ... 2^b - 1 in a conversion of b bits

i_level is the current of one level, i_rest that of a cell at level 0, i_zero that of no driven row. `trims` holds the
three for each column, as they should be or as a first batch measured them through wires and converters. That one level
is one step of a trimmed converter, by its reference, is this kit's own choice. A conversion in fewer bits takes fewer
decisions (`Adc.shares`); its time stays that of a whole one.

A line that is not wanted stays disconnected: it takes no current, no readout, no conversion. Lines
that share a sensing circuit take their turns one after the other, and a turn that no line needs is left out.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, like, namespace, to_numpy


@dataclass(frozen=True)
class Conversions:
    """What is converted of a read of N vectors and M columns.

    Attributes
    ----------
    wanted : ndarray of bool
        Outputs that are wanted (N, M), or (1, Tc, N, C) cut over tiles.
    bits : ndarray of int
        Bits of the conversions of each column, in each of the Tr tiles below one another: (Tr, M), or (Tr, Tc, 1, C)
        cut over tiles; 0: never converted.
    trims : ndarray
        i_zero, i_level and i_rest in amperes of each column, (3, Tr, M), or (3, Tr, Tc, 1, C) cut over tiles.
    i_unit : float
        Current that a read gives for one level (A).
    """

    wanted: np.ndarray
    bits: np.ndarray
    trims: np.ndarray
    i_unit: float

    def cut(self, across: int, size: int) -> Self:
        """Return these for tiles (Tr, Tc) of `size` columns, `across` of them side by side; spare ones unwanted."""
        spare = across * size - self.wanted.shape[-1]
        wanted = np.pad(self.wanted, ((0, 0), (0, spare))).reshape(-1, across, size)
        bits = np.pad(self.bits, ((0, 0), (0, spare))).reshape(-1, across, 1, size)
        trims = np.pad(self.trims, ((0, 0), (0, 0), (0, spare)), mode="edge").reshape(3, -1, across, 1, size)
        return replace(self, wanted=np.moveaxis(wanted, 1, 0)[None], bits=bits, trims=trims)

    @property
    def sensed(self) -> np.ndarray:
        """Whether each output is sensed (..., N, M)."""
        return self.wanted & (self.bits > 0)

    def turns(self, lines: int) -> np.ndarray:
        """Return the turns that each vector takes (N,), where a circuit serves `lines` neighbours one by one."""
        sensed = self.sensed
        spare = -sensed.shape[-1] % lines
        padded = np.pad(sensed, [(0, 0)] * (sensed.ndim - 1) + [(0, spare)])
        turns = padded.reshape(*padded.shape[:-1], -1, lines).sum(axis=-1).max(axis=-1)
        return turns.reshape(-1, turns.shape[-1]).max(axis=0)

    def whole(self, shares: np.ndarray) -> float:
        """Return the conversions in whole ones; `shares` (B + 1,) is what one in 0 to B bits takes of a whole one."""
        return float((self.sensed * shares[np.minimum(self.bits, len(shares) - 1)]).sum())

    def levels(self, i: Array, lines: Array) -> tuple[Array, int]:
        """Return the levels (..., N, M) of converted currents at `lines` (..., N) driven rows, and how many clipped."""
        xp, (i_zero, i_level, i_rest) = namespace(i), (like(each, i) for each in self.trims)
        level = xp.round((i - i_zero - lines[..., None] * i_rest) / i_level)
        top = like(2.0**self.bits - 1.0, i)
        sensed = like(self.sensed, i)
        level = sensed * xp.maximum(level, xp.zeros_like(level))
        clipped = int(np.count_nonzero(to_numpy(level > top)))
        return xp.minimum(level, top), clipped
