"""Whole numbers as conductance levels: level n of a cell is g_low + n g_step, n from 0 to 2^b - 1 for b bits a cell.

Differences of levels are whole multiples of g_step, so a read of whole inputs is, with a perfect converter, a whole
number of steps: the digital side rounds to it. This rounding is this kit's own reading of what an ideal converter does;
a converter of the read chain comes before it.
"""

from rramkit.array.backend import Array, namespace
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class ConductanceLevels(Parameters):
    """The levels of a cell."""

    bits: int = quantity(2, "1", "bits that a cell holds", ge=1, le=8)
    g_low: float = quantity(5e-6, "S", "conductance of level 0", gt=0.0)
    g_high: float = quantity(80e-6, "S", "conductance of the highest level", gt=0.0)

    @property
    def highest(self) -> int:
        """The highest level."""
        return 2**self.bits - 1

    @property
    def g_step(self) -> float:
        """Conductance from a level to the next (S)."""
        return (self.g_high - self.g_low) / self.highest

    def conductance(self, level: Array) -> Array:
        """Return the conductances of levels (...)."""
        return self.g_low + self.g_step * level

    def level(self, g_cell: Array) -> Array:
        """Return the levels nearest to conductances (...), as floats."""
        return namespace(g_cell).round((g_cell - self.g_low) / self.g_step)


def whole(x: Array, low: int, high: int, name: str) -> Array:
    """Return `x` itself; raise `InputError` unless it holds whole numbers from `low` to `high`."""
    xp = namespace(x)
    if bool(xp.any(xp.round(x) != x)) or float(x.min()) < low or float(x.max()) > high:
        raise InputError(
            f"`{name}` must be whole numbers from {low} to {high}; got {float(x.min()):g} to {float(x.max()):g}. "
            "Round and scale them."
        )
    return x


def digits(x: Array, bits: int, count: int) -> list[Array]:
    """Return the `count` digits of `bits` bits each of whole numbers from 0, lowest first, as floats."""
    xp = namespace(x)
    base, found = float(2**bits), []
    for _ in range(count):
        higher = xp.floor(x / base)
        found.append(x - base * higher)
        x = higher
    return found
