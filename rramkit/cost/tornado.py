"""Which assumption moves the total most: each price and each assumption from its low to its high, all else as it is.

A price goes over the range that its sources give (`energy_range`), and where there is none from a part of it to a
multiple, by its mark (`SPREAD`, this kit's choice: two published energies of one memory differ by 1.5). Assumptions go
over `_ENDS`. The prices of SPICE go over the corners of the table file, where it has some.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rramkit.cost.analogue import Corner
from rramkit.cost.cost import Cost

SPREAD: Mapping[str, float] = {"found": 1.5, "derived": 2.0, "recalled": 3.0}
"""Factor by which a price may be lower or higher, by its mark."""

_ENDS: Sequence[tuple[str, Sequence[Any]]] = (
    ("gradient", ("memory", "batch", "image")),
    ("state_bits", (8, 32)),
    ("gradient_bits", (8, 32)),
    ("data_bits", (4, 16)),
    ("state", ("sram_2k", "sram_256k")),
    ("buffer", ("sram_2k", "sram_256k")),
    ("offchip", ("hbm3", "ddr3")),
    ("lanes", (64, 4096)),
    ("leak_share", (0.0, 1.0)),
    ("schedule", ("serial", "pipelined")),
)


@dataclass(frozen=True)
class Swing:
    """One assumption: the lowest and highest total energy (J), and at what."""

    name: str
    low: float
    high: float
    low_at: str
    high_at: str

    @property
    def width(self) -> float:
        """How far it moves the total (J)."""
        return self.high - self.low


def tornado(cost: Cost, corners: Sequence[Corner] = ()) -> tuple[Swing, ...]:
    """Return the swings of the total energy of a run, the widest first; those that move nothing are left out.

    Parameters
    ----------
    cost : Cost
        The cost.
    corners : sequence of Corner, optional
        Conditions that SPICE's prices go over.
    """
    found = (*_of_prices(cost), *_of_assumptions(cost), *_of_corners(cost, corners))
    wide = [swing for swing in found if swing.width > 1e-9 * cost.energy]  # rounding of the sums is far below
    return tuple(sorted(wide, key=lambda swing: -swing.width))


def _of_prices(cost: Cost) -> Iterator[Swing]:
    total, by_key = cost.energy, dict[str, float]()
    for item in cost.items:
        if item.origin != "SPICE":
            key = item.price.partition(":")[0]
            by_key[key] = by_key.get(key, 0.0) + item.energy
    for key, energy in by_key.items():
        entry = cost.components[key].component
        factor = SPREAD[entry.mark]
        low, high = 1.0 / factor, factor
        if entry.energy_range is not None and entry.energy:
            low, high = (end / entry.energy for end in entry.energy_range)
        yield Swing(key, total + (low - 1.0) * energy, total + (high - 1.0) * energy, f"{low:.3g} x", f"{high:.3g} x")


def _of_assumptions(cost: Cost) -> Iterator[Swing]:
    for name, values in _ENDS:
        own = getattr(cost.settled, name)
        totals = {str(own): cost.energy}
        for value in values:
            assumed = cost.assumed.model_copy(update={name: value})
            totals[str(value)] = replace(cost, assumed=assumed).energy
            if name == "gradient" and value == "memory":
                totals["memory, highest"] = totals["memory"] + _more_in_memory(cost)
        yield _swing(name, totals)


def _more_in_memory(cost: Cost) -> float:
    """Return how far the highest energy of gradients in memory lies above the lowest (J)."""
    return sum(each.high - each.low for each in cost.gradients if each.place == "memory")


def _of_corners(cost: Cost, corners: Sequence[Corner]) -> Iterator[Swing]:
    if corners:
        totals = {"as it was": cost.energy}
        for corner in corners:
            totals[str(corner.condition.corner)] = replace(cost, corner=corner).energy
        yield _swing("corner of the arrays", totals)


def _swing(name: str, totals: Mapping[str, float]) -> Swing:
    low, high = min(totals, key=totals.__getitem__), max(totals, key=totals.__getitem__)
    return Swing(name, totals[low], totals[high], low, high)
