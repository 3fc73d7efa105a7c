"""Every component that can be characterised, by its name: what a plan is handed when it is read."""

from collections.abc import Mapping

from rramkit.characterization.components import (
    adc,
    cell,
    current_sense,
    disturb,
    level_shifter,
    multibit_read,
    periphery,
    readout,
    row_driver,
    sense_amp,
    wires,
    write_driver,
)
from rramkit.characterization.engine.component import Component
from rramkit.circuits import catalog
from rramkit.errors import InputError

COMPONENTS: Mapping[str, Component] = {
    component.name: component
    for component in (
        *cell.COMPONENTS,
        *wires.COMPONENTS,
        *sense_amp.COMPONENTS,
        *current_sense.COMPONENTS,
        *adc.COMPONENTS,
        *readout.COMPONENTS,
        *multibit_read.COMPONENTS,
        *row_driver.COMPONENTS,
        *write_driver.COMPONENTS,
        *disturb.COMPONENTS,
        *level_shifter.COMPONENTS,
        *periphery.COMPONENTS,
    )
}

__all__ = ["COMPONENTS", "find"]


def find(name: str) -> Component:
    """Return a component by its name, former names included; raise `InputError` for one without measures."""
    component = COMPONENTS.get(catalog.current_name(name))
    if component is None:
        raise InputError(
            f"`component` must be one with measures: {', '.join(COMPONENTS)}; got {name!r}. Pass one of them."
        )
    return component
