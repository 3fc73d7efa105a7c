"""Arrays at the speed of matrix products: cell current, wires, tiles, writing; all from a table file."""

from rramkit.array.cells import CellCurrent
from rramkit.array.characterised_chain import characterised_chain
from rramkit.array.model import ArrayModel
from rramkit.array.programming import GradualWrite, Pulse, Writer
from rramkit.array.read_chain import ReadChain
from rramkit.array.state import CellState, Tally
from rramkit.array.streams import Streams
from rramkit.array.tile import Reading, Tile
from rramkit.array.tile_grid import TileGrid
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
    "ReadChain",
    "Reading",
    "Streams",
    "Tally",
    "Tile",
    "TileGrid",
    "UpdateChain",
    "UpdateParams",
    "VerifyParams",
    "VerifyState",
    "Windows",
    "WireModel",
    "WriteVerify",
    "Writer",
    "characterised_chain",
    "effective_conductance",
]
