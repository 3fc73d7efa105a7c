"""One line of a cost, and their sums by any of its words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rramkit.array.read_parts import COMPARATORS, CONVERTERS

Phase = Literal["forward", "backward", "gradient", "update", "static"]
PHASES: tuple[Phase, ...] = ("forward", "backward", "gradient", "update", "static")

Heading = Literal["forward", "backward", "gradient", "update", "conversion", "data movement", "static power"]
HEADINGS: tuple[Heading, ...] = (
    "forward",
    "backward",
    "gradient",
    "update",
    "conversion",
    "data movement",
    "static power",
)
"""Headings of the breakdown: a phase, of which conversions and data movement have headings of their own."""

Origin = Literal["SPICE", "found", "derived", "recalled"]
"""Where a price is from: the run's tables, or a component file's entry by its mark."""

Counted = Literal["measured", "from shapes"]
"""Whether the simulator counted an operation, or its number follows from layer shapes, batch, rule and inputs."""

_MOVES = ("memory.", "link.", "offchip.")


@dataclass(frozen=True)
class Item:
    """One kind of operation of one matrix in one phase.

    Attributes
    ----------
    layer : str
        Label of the layer, or `network`.
    phase : str
        One of `PHASES`.
    part : str
        What it is spent in.
    price : str
        Name of the table group or the key of the component that priced it.
    count : float
        Operations (1); bits where the price is that of a bit.
    energy : float
        Energy of all (J).
    origin, counted : str
        Where price and count are from.
    """

    layer: str
    phase: Phase
    part: str
    price: str
    count: float
    energy: float
    origin: Origin
    counted: Counted

    @property
    def heading(self) -> Heading:
        """Heading of the breakdown that it stands under."""
        if self.phase == "static":
            return "static power"
        if self.part in (CONVERTERS, COMPARATORS):
            return "conversion"
        return "data movement" if self.price.startswith(_MOVES) else self.phase

    def scaled(self, factor: float) -> "Item":
        """Return as much of it."""
        return replace(self, count=self.count * factor, energy=self.energy * factor)


def total(items: Iterable[Item]) -> float:
    """Return the energy of items (J)."""
    return sum(item.energy for item in items)


def sums(items: Iterable[Item], word: Callable[[Item], str], order: Sequence[str] = ()) -> dict[str, float]:
    """Return the energy (J) of items by a word of theirs; those of `order` first, which are there even if zero."""
    found: dict[str, float] = dict.fromkeys(order, 0.0)
    for item in items:
        found[word(item)] = found.get(word(item), 0.0) + item.energy
    return found


def merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return items with those of the same words added up."""
    found: dict[tuple[object, ...], Item] = {}
    for item in items:
        key = (item.layer, item.phase, item.part, item.price, item.origin, item.counted)
        old = found.get(key)
        count, energy = (0.0, 0.0) if old is None else (old.count, old.energy)
        found[key] = replace(item, count=count + item.count, energy=energy + item.energy)
    return tuple(found.values())
