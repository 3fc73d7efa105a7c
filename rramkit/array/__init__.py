"""Arrays at the speed of matrix products: cell current, wires (IR drop), tiles, writing; all from a table file."""

from rramkit.array.cell_current import CellCurrent
from rramkit.array.model import ArrayModel
from rramkit.array.read import Reading
from rramkit.array.rng import TileRng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.array.windows import Windows
from rramkit.array.wires import WireModel, effective_conductance
from rramkit.array.write.program import ProgramCost, program_matrix
from rramkit.array.write.pulse import GradualWrite, Pulse, Writer
from rramkit.array.write.state import CellState, WriteCost
from rramkit.array.write.update import UpdateChain, UpdateParams
from rramkit.array.write.write_verify import VerifyParams, VerifyState, WriteVerify

__all__ = [
    "ArrayModel",
    "CellCurrent",
    "CellState",
    "GradualWrite",
    "ProgramCost",
    "Pulse",
    "ReadChain",
    "Reading",
    "Tile",
    "TileGrid",
    "TileRng",
    "UpdateChain",
    "UpdateParams",
    "VerifyParams",
    "VerifyState",
    "Windows",
    "WireModel",
    "WriteCost",
    "WriteVerify",
    "Writer",
    "effective_conductance",
    "program_matrix",
]
