"""Every block that can be characterised, by its name in the catalogue (`rramkit.circuits.catalog`)."""

from collections.abc import Mapping

from rramkit.characterization.registry import cells, converters, drivers, sense
from rramkit.characterization.registry.block import MeasuredBlock, Signal, Train, find

BLOCKS: Mapping[str, MeasuredBlock] = {**cells.BLOCKS, **sense.BLOCKS, **converters.BLOCKS, **drivers.BLOCKS}

__all__ = ["BLOCKS", "MeasuredBlock", "Signal", "Train", "measured_block"]


def measured_block(name: str) -> MeasuredBlock:
    """Return what characterises the block of a name; raise `InputError` when nothing does."""
    return find(BLOCKS, name)
