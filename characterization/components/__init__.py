"""Every block that can be characterised, by its name in the catalogue (`rramkit.circuits.catalog`)."""

from collections.abc import Mapping

from rramkit.characterization.components import adc, cell, sense_amp, write_driver
from rramkit.characterization.engine.component import Component, Signal, Steps, find

BLOCKS: Mapping[str, Component] = {**cell.BLOCKS, **sense_amp.BLOCKS, **adc.BLOCKS, **write_driver.BLOCKS}

__all__ = ["BLOCKS", "Component", "Signal", "Steps", "measured_block"]


def measured_block(name: str) -> Component:
    """Return what characterises the block of a name; raise `InputError` when nothing does."""
    return find(BLOCKS, name)
