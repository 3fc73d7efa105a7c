"""The table file: the border between SPICE, which writes it, and training, which reads it.

Format 3: each HDF5 group is one table of one component, with its signals over its axes. `rramkit.table.schema` says
which columns each group has, with units; `docs/table-format.md` describes the file.
"""

from rramkit.table.columns import Column, Group, Polarity
from rramkit.table.file import FORMAT, FORMAT_VERSION, TableFile, TablesLike, load, loaded, save
from rramkit.table.parts import LEVELS, Distribution, Fit, HeldOut, Mask, Over, Quantity
from rramkit.table.table import Table

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "LEVELS",
    "Column",
    "Distribution",
    "Fit",
    "Group",
    "HeldOut",
    "Mask",
    "Over",
    "Polarity",
    "Quantity",
    "Table",
    "TableFile",
    "TablesLike",
    "load",
    "loaded",
    "save",
]
