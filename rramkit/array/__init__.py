"""Arrays at the speed of matrix products: cell current, wires, one tile, writing; all from a table file."""

from rramkit.array.cells import CellCurrent
from rramkit.array.programming import GradualWrite, Pulse, Writer
from rramkit.array.state import CellState, Tally
from rramkit.array.tile import ArrayModel, Reading, Tile
from rramkit.array.update import UpdateChain, UpdateParams
from rramkit.array.verify import VerifyParams, VerifyState, WriteVerify
from rramkit.array.windows import Windows
from rramkit.array.wires import WireModel, effective_conductance

__all__ = [
    "ArrayModel",
    "CellCurrent",
    "CellState",
    "GradualWrite",
    "Pulse",
    "Reading",
    "Tally",
    "Tile",
    "UpdateChain",
    "UpdateParams",
    "VerifyParams",
    "VerifyState",
    "Windows",
    "WireModel",
    "WriteVerify",
    "Writer",
    "effective_conductance",
]
