"""Arrays at the speed of matrix products: cell current, wires, one tile, gradual programming; all from a table file."""

from rramkit.array.cells import CellCurrent
from rramkit.array.programming import GradualWrite, Pulse, Writer
from rramkit.array.tile import ArrayModel, Reading, Tile
from rramkit.array.windows import Windows
from rramkit.array.wires import WireModel, effective_conductance

__all__ = [
    "ArrayModel",
    "CellCurrent",
    "GradualWrite",
    "Pulse",
    "Reading",
    "Tile",
    "Windows",
    "WireModel",
    "Writer",
    "effective_conductance",
]
