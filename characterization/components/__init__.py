"""Every component that can be characterised, by its name: what engine and plans are handed."""

from collections.abc import Mapping

from rramkit.characterization.components import cell, wires
from rramkit.characterization.engine.component import Component
from rramkit.errors import InputError

_MODULES = (cell, wires)
COMPONENTS: Mapping[str, Component] = {each.name: each for module in _MODULES for each in module.COMPONENTS}

__all__ = ["COMPONENTS", "find"]


def find(name: str) -> Component:
    """Return a component by its name; raise `InputError` for one that has no measures."""
    wanted = name.replace("-", "_")
    if wanted not in COMPONENTS:
        raise InputError(
            f"`component` must be one with measures: {', '.join(COMPONENTS)}; got {name!r}. Choose one of them."
        )
    return COMPONENTS[wanted]
