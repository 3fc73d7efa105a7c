"""Conductance levels of multi-bit cells: level n is g_low + n g_step, n from 0 to 2^b - 1 for b bits a cell.

Differences of levels are multiples of g_step, so a read of whole inputs is, with an ideal converter, a whole number of
steps: the digital side rounds to it. The rounding is this kit's own reading of what an ideal converter does; a
converter of the read chain comes before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rramkit.array.backend import Array, limited, namespace


@dataclass(frozen=True)
class ConductanceLevels:
    """The levels of a cell of `bits` bits between two conductances (S)."""

    bits: int
    g_low: float
    g_high: float

    @property
    def highest(self) -> int:
        """The highest level."""
        return 2**self.bits - 1

    @property
    def g_step(self) -> float:
        """Conductance from a level to the next (S)."""
        return (self.g_high - self.g_low) / self.highest

    def conductance(self, level: Array) -> Array:
        """Return the conductances (S) of levels (...)."""
        return self.g_low + self.g_step * level

    def level(self, g_cell: Array) -> Array:
        """Return the levels nearest to conductances (...) in siemens, as floats."""
        nearest = namespace(g_cell).round((g_cell - self.g_low) / self.g_step)
        return limited(nearest, 0.0, float(self.highest))


def whole(x: Array, scale: float, low: int, high: int) -> Array:
    """Return the whole numbers from `low` to `high` nearest to `x` times `scale`, as floats."""
    return limited(namespace(x).round(x * scale), float(low), float(high))


def digits(x: Array, bits: int, count: int) -> list[Array]:
    """Return the `count` digits of `bits` bits each of whole numbers from 0, lowest first, as floats."""
    xp, base, lowest_first = namespace(x), float(2**bits), []
    for _ in range(count):
        higher = xp.floor(x / base)
        lowest_first.append(x - base * higher)
        x = higher
    return lowest_first


def composed(parts: Sequence[Array], bits: int) -> Array:
    """Return the numbers whose digits of `bits` bits are `parts`, lowest first: shifted and added."""
    return sum(part * float(2 ** (bits * k)) for k, part in enumerate(parts))
