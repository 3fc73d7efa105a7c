"""Power and area of ISAAC's chip, summed from its published parts: a roll-up done on somebody else's figures."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from rramkit.cost.scaling import Mark
from rramkit.parameters import Parameters, quantity

Figure = Literal["power", "area"]


class Part(Parameters):
    """All pieces of one kind in a unit, together."""

    power: float = quantity(0.0, "W", "power", ge=0, le=1e3)
    area: float = quantity(0.0, "m2", "area", ge=0, le=1e-3)
    mark: Mark = Field(description="found, derived or recalled")


class Isaac(Parameters):
    """Parts of ISAAC-CE: a chip is `tiles` tiles and links, a tile is `imas` multiply-accumulate units and more.

    Examples
    --------
    >>> from rramkit.cost.published.isaac import isaac
    >>> round(isaac().chip("power"), 1), round(1e6 * isaac().chip("area"), 1)
    (65.8, 85.4)
    """

    source: str = Field(description="paper")
    imas: int = quantity(12, "1", "in-situ multiply-accumulate units of a tile", ge=1)
    tiles: int = quantity(168, "1", "tiles of a chip", ge=1)
    links: Part = Field(description="links between chips")
    ima: dict[str, Part] = Field(description="parts of one in-situ multiply-accumulate unit")
    tile: dict[str, Part] = Field(description="parts of a tile beside those units")

    def of_ima(self, figure: Figure, *, recalled: bool = True) -> float:
        """Return power (W) or area (m2) of one in-situ multiply-accumulate unit; see `of_tile`."""
        return _sum(self.ima, figure, recalled=recalled)

    def of_tile(self, figure: Figure, *, recalled: bool = True) -> float:
        """Return power (W) or area (m2) of a tile; without `recalled`, of its found parts alone."""
        return self.imas * self.of_ima(figure, recalled=recalled) + _sum(self.tile, figure, recalled=recalled)

    def chip(self, figure: Figure, *, recalled: bool = True) -> float:
        """Return power (W) or area (m2) of the chip: its tiles and its links."""
        return self.tiles * self.of_tile(figure, recalled=recalled) + getattr(self.links, figure)


@cache
def isaac() -> Isaac:
    """Return ISAAC-CE as published."""
    return Isaac.from_toml(Path(__file__).parent / "isaac.toml")


def _sum(parts: dict[str, Part], figure: Figure, *, recalled: bool) -> float:
    return sum(getattr(part, figure) for part in parts.values() if recalled or part.mark != "recalled")
