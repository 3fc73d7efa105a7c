"""Every component that can be characterised, by its name: what a plan is handed when it is read.

A component is listed by its file: each module of this folder has its `COMPONENTS`. A further one needs no entry here.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from rramkit.characterization.engine.component import Component
from rramkit.circuits import catalog
from rramkit.errors import InputError, meant

COMPONENTS: Mapping[str, Component] = {
    component.name: component
    for path in sorted(Path(__file__).resolve().parent.glob("[!_]*.py"))
    for component in import_module(f"{__name__}.{path.stem}").COMPONENTS
}

__all__ = ["COMPONENTS", "find"]


def find(name: str) -> Component:
    """Return a component by its name, former names included; raise `InputError` for one without measures."""
    component = COMPONENTS.get(catalog.current_name(name))
    if component is None:
        raise InputError(
            f"`component` must be one with measures: {', '.join(COMPONENTS)}; got {name!r}."
            f"{meant(catalog.current_name(name), COMPONENTS)} Pass one of them."
        )
    return component
