"""The catalogue of circuit blocks: name, parameters, deck; and the names that blocks and plans had before.

A block is listed by its file: each module of this folder may have a `CATALOG`. A further block needs no entry here.
"""

import warnings
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from rramkit import circuits
from rramkit.circuits.deck import CatalogEntry
from rramkit.errors import FormerNameWarning, InputError, meant

__all__ = ["BLOCKS", "FORMER_NAMES", "CatalogEntry", "block", "current_name", "noted_name"]

BLOCKS: Mapping[str, CatalogEntry] = {
    name: entry
    for module in sorted(iter_modules(circuits.__path__), key=lambda module: module.name)
    if module.name != "catalog"
    for name, entry in getattr(import_module(f"rramkit.circuits.{module.name}"), "CATALOG", {}).items()
}


FORMER_NAMES = {
    "strongarm": "sense_amp",
    "strongarm_offset": "sense_amp_offset",
    "sar": "adc",
    "sar_levels": "adc_levels",
    "sar_mismatch": "adc_mismatch",
    "multi_level": "row_driver",
    "bit_serial": "row_driver_serial",
    "pulse_train": "write_driver_pulses",
    "write_disturb": "disturb",
}
"""Names of blocks and plans in version 0.1.0, hyphens as underscores, and their present ones."""


def block(name: str) -> CatalogEntry:
    """Return a block by its present name; raise `InputError` for an unknown one."""
    if name not in BLOCKS:
        raise InputError(
            f"`block` must be one of {', '.join(BLOCKS)}; got {name!r}."
            f"{meant(name, BLOCKS)} See `rramkit netlist --list`."
        )
    return BLOCKS[name]


def current_name(text: str) -> str:
    """Return the present name of a block or plan: hyphens count as underscores, names of 0.1.0 are replaced."""
    name = text.replace("-", "_")
    return FORMER_NAMES.get(name, name)


def noted_name(text: str) -> str:
    """Return `current_name`; warn with a `FormerNameWarning` where the text is a name of 0.1.0."""
    name = current_name(text)
    if name != text.replace("-", "_"):
        warnings.warn(f"`{text}` is now named `{name}`; the former name still works.", FormerNameWarning, stacklevel=2)
    return name
