"""Cost of the reads of a training: of one matrix in one direction, and of all matrices in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rramkit.array.matrix import Product


@dataclass(frozen=True)
class ReadCost:
    """Cost of array reads, one after the other; costs add.

    Attributes
    ----------
    energy : float
        Energy (J).
    clamped : int
        Values clamped.
    seconds : float
        Time (s).
    conversions, beyond : int
        Currents sensed, and those of them beyond a range.
    e_drivers, e_sensing : float
        Parts of `energy` (J): of the row drivers, and of what senses the lines (`rramkit.array.read.Reading`).
    vectors : int
        Vectors that were multiplied.
    whole_conversions : float
        `conversions` in whole ones, trimmed ones by their part (`rramkit.array.read.Reading`).
    """

    energy: float = 0.0
    clamped: int = 0
    seconds: float = 0.0
    conversions: int = 0
    beyond: int = 0
    e_drivers: float = 0.0
    e_sensing: float = 0.0
    vectors: int = 0
    whole_conversions: float = 0.0

    @classmethod
    def of(cls, product: Product) -> "ReadCost":
        """Return the cost of one product."""
        return cls(
            product.energy,
            product.clamped,
            product.duration,
            product.conversions,
            product.beyond,
            product.e_drivers,
            product.e_sensing,
            int(product.y.shape[0]),
            product.whole_conversions,
        )

    @property
    def saturated(self) -> float:
        """Part of the sensed currents beyond the range of a converter or readout (1)."""
        return self.beyond / max(self.conversions, 1)

    def __add__(self, other: "ReadCost") -> "ReadCost":
        return ReadCost(
            self.energy + other.energy,
            self.clamped + other.clamped,
            self.seconds + other.seconds,
            self.conversions + other.conversions,
            self.beyond + other.beyond,
            self.e_drivers + other.e_drivers,
            self.e_sensing + other.e_sensing,
            self.vectors + other.vectors,
            self.whole_conversions + other.whole_conversions,
        )


@dataclass(frozen=True)
class NetworkReads:
    """Cost of the reads of each of M matrices, in the order of the network; costs add, an empty one to any.

    Attributes
    ----------
    forward, backward : tuple of ReadCost
        By matrix; empty where nothing was read in that direction.
    """

    forward: tuple[ReadCost, ...] = ()
    backward: tuple[ReadCost, ...] = ()

    @property
    def total(self) -> ReadCost:
        """The sum over both directions and all matrices."""
        return sum((*self.forward, *self.backward), ReadCost())

    def __add__(self, other: "NetworkReads") -> "NetworkReads":
        return NetworkReads(_added(self.forward, other.forward), _added(self.backward, other.backward))


def _added(one: Sequence[ReadCost], other: Sequence[ReadCost]) -> tuple[ReadCost, ...]:
    return tuple(a + b for a, b in zip_longest(one, other, fillvalue=ReadCost()))
