"""The table file: the border between SPICE, which writes it, and training, which reads it.

Groups (format version 2; `docs/table-format.md` says it at length)::

    /read    i_cell (L, V)   axes g_cell (L), v_cell (V)        cell current; v > 0 drives the bit line
    /set     delta_g, energy (L, P)   axes g_start (L), v_pulse (P)   one pulse, word line stepped
    /reset   delta_g, energy (L, P)   axes g_start (L), v_pulse (P)   one pulse, source line stepped
    /wires   r_row, r_col, r_drive, r_sense                     of the fast wire model, fitted to array reads
    /...     any other block: its own signals over its own axes
"""

from rramkit.table.distribution import LEVELS, Distribution
from rramkit.table.file import FORMAT, FORMAT_VERSION, load, save
from rramkit.table.held_out import HeldOut
from rramkit.table.quantity import Quantity
from rramkit.table.table import Fit, Mask, Table, TableFile

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "LEVELS",
    "Distribution",
    "Fit",
    "HeldOut",
    "Mask",
    "Quantity",
    "Table",
    "TableFile",
    "load",
    "save",
]
