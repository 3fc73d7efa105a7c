"""RRAM training in memory: from the SPICE deck to the trained network, in SI units.

Examples
--------
>>> import numpy as np
>>> import rramkit as rk
>>> tables = rk.example()  # made up; of your own file: rk.load("tables.h5")
>>> float(tables["set"].at("delta_g", g_start=20e-6, v_pulse=1.3).round(8))
1.75e-05
>>> array = rk.ArrayModel(tables)
>>> tile, cost = array.program(np.eye(3), rng=np.random.default_rng(0))
>>> tile.read([0.1, 0.0, -0.1]).shape
(3,)
>>> run = rk.train(rk.Experiment(epochs=10), "tables.h5")  # doctest: +SKIP

Each name is fetched when it is first used: `import rramkit` alone loads neither NumPy nor a simulator, and only
`characterize` and `verify` need PySpice and ngspice.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rramkit.array.exact import WireSolution, solve_wires
    from rramkit.array.model import ArrayModel
    from rramkit.array.read import Reading
    from rramkit.array.stages.chain import ReadChain
    from rramkit.array.tile import Tile
    from rramkit.array.tile_grid import TileGrid
    from rramkit.array.wires import WireModel
    from rramkit.array.write.update import UpdateChain, UpdateParams
    from rramkit.array.write.write_verify import WriteVerify
    from rramkit.characterization.run import characterize
    from rramkit.characterization.verify import verify
    from rramkit.errors import InputError, KitError
    from rramkit.learning.data import DataSet
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.model import Network
    from rramkit.learning.sweep import sweep
    from rramkit.learning.train import train
    from rramkit.record import Run
    from rramkit.record import load as load_run
    from rramkit.table import Table, TableFile, load, save
    from rramkit.table.example import example

__version__ = "0.2.0.dev0"

_MODULES = {
    "ArrayModel": "rramkit.array.model",
    "DataSet": "rramkit.learning.data",
    "Experiment": "rramkit.learning.experiment",
    "InputError": "rramkit.errors",
    "KitError": "rramkit.errors",
    "Network": "rramkit.learning.model",
    "ReadChain": "rramkit.array.stages.chain",
    "Reading": "rramkit.array.read",
    "Run": "rramkit.record",
    "Table": "rramkit.table",
    "TableFile": "rramkit.table",
    "Tile": "rramkit.array.tile",
    "TileGrid": "rramkit.array.tile_grid",
    "UpdateChain": "rramkit.array.write.update",
    "UpdateParams": "rramkit.array.write.update",
    "WireModel": "rramkit.array.wires",
    "WireSolution": "rramkit.array.exact",
    "WriteVerify": "rramkit.array.write.write_verify",
    "characterize": "rramkit.characterization.run",
    "example": "rramkit.table.example",
    "load": "rramkit.table",
    "load_run": "rramkit.record",
    "save": "rramkit.table",
    "solve_wires": "rramkit.array.exact",
    "sweep": "rramkit.learning.sweep",
    "train": "rramkit.learning.train",
    "verify": "rramkit.characterization.verify",
}
_OWN_NAMES = {"load_run": "load"}  # where the module calls it otherwise
_PACKAGES = ("array", "characterization", "circuits", "learning", "netlists", "plots", "record", "report", "table")

__all__ = [
    "ArrayModel",
    "DataSet",
    "Experiment",
    "InputError",
    "KitError",
    "Network",
    "ReadChain",
    "Reading",
    "Run",
    "Table",
    "TableFile",
    "Tile",
    "TileGrid",
    "UpdateChain",
    "UpdateParams",
    "WireModel",
    "WireSolution",
    "WriteVerify",
    "__version__",
    "characterize",
    "example",
    "load",
    "load_run",
    "save",
    "solve_wires",
    "sweep",
    "train",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a public name, or a package of the kit, at its first use."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), _OWN_NAMES.get(name, name))
    if name in _PACKAGES:
        return import_module(f"rramkit.{name}")
    raise AttributeError(f"module 'rramkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names and packages, for completion in a shell."""
    return sorted([*__all__, *_PACKAGES])
