"""The arrays of one table file: how they are read, and a matrix programmed into them."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from rramkit.array.backend import Array, Backend
from rramkit.array.cell_current import CellCurrent
from rramkit.array.read_model import Precision, ReadModel
from rramkit.array.stages.chain import ReadChain
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.array.wires import WireModel
from rramkit.array.write.program import Method, ProgramCost, program_matrix
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams, WriteVerify
from rramkit.errors import InputError
from rramkit.table import Table, TableFile, TablesLike, loaded
from rramkit.table.schema import READ

__all__ = ["ArrayModel", "Precision"]


@dataclass(frozen=True, init=False, repr=False)
class ArrayModel(ReadModel):
    """The arrays of one table file.

    Parameters
    ----------
    tables : TableFile, str or Path, optional
        The tables, or their file: the cell current (table `read`) and, unless `wires` says otherwise, the wires (table
        `wires`).
    wires : bool or WireModel or None
        True: those of the tables; False or None: ideal wires; or a model of one's own.
    chain : ReadChain, optional
        Stages of a read; left out, none. `ReadChain.from_tables(tables)` takes those that the file characterises.
    largest, precision, wires_within, backend, device
        See `ReadModel`.
    cells, t_read
        Cell current and duration of a read pulse (s), where they are not those of `tables`.

    Raises
    ------
    TableError
        When `tables` lacks a table, a signal or a condition.
    InputError
        When neither `tables` nor `cells` and `t_read` are given.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.table.example import example
    >>> array = ArrayModel(example())
    >>> array
    ArrayModel(4 to 90 uS, fast wires to 64 x 128, stages: none)
    >>> tile, cost = array.program(np.array([[0.5, -1.0], [1.0, 0.0], [0.2, 0.3]]), rng=np.random.default_rng(0))
    >>> tile.read([0.1, 0.0, 0.1]).shape, cost.missed
    ((2,), 0)
    """

    tables: TableFile | None = field(default=None, compare=False)

    def __init__(
        self,
        tables: TablesLike | None = None,
        *,
        wires: WireModel | bool | None = True,
        chain: ReadChain | None = None,
        largest: tuple[int, int] | None = None,
        precision: Precision = "float64",
        wires_within: float = 0.0,
        backend: Backend = "numpy",
        device: str = "cpu",
        cells: CellCurrent | None = None,
        t_read: float | None = None,
    ) -> None:
        if tables is None and (cells is None or t_read is None or wires is True):
            raise InputError(
                "`tables` must be a table file; got none. Pass rramkit.load(...), or `cells`, `t_read` and `wires`."
            )
        tables = None if tables is None else loaded(tables).nominal()
        values = {
            "cells": cells or CellCurrent.from_table(_table(tables, READ.group)),
            "wires": _wires(tables) if wires is True else wires or None,
            "t_read": _table(tables, READ.group).condition(READ.t_read) if t_read is None else t_read,
            "chain": chain or ReadChain(),
            "largest": largest,
            "precision": precision,
            "wires_within": wires_within,
            "backend": backend,
            "device": device,
            "tables": tables,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_tables(cls, tables: TablesLike, *, wires: bool = True, chain: ReadChain | None = None) -> Self:
        """Build from the tables `read` and, unless `wires` is false, `wires`.

        Parameters
        ----------
        tables : TableFile, str or Path
            Tables `read` and `wires`; with axes of condition, they are taken at the nominal one.
        wires : bool
            False: ideal wires.
        chain : ReadChain, optional
            Stages of a read; left out, none.

        Returns
        -------
        ArrayModel
            The arrays.

        Raises
        ------
        TableError
            When the file lacks a table, a signal or a condition.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> ArrayModel.from_tables(example(), wires=False)
        ArrayModel(4 to 90 uS, no wires, stages: none)
        """
        return cls(tables, wires=wires, chain=chain)

    def tile(self, g_cell: Array, *, rng: np.random.Generator | None = None) -> Tile | TileGrid:
        """Return cells of given conductances, on one array or on as many as it takes.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens: pairs (2, N, M), plus half first, or single-ended columns (1, N, M) or (N, M).
        rng : Generator, optional
            Draws what differs from tile to tile; needed where the read chain has such a stage.

        Returns
        -------
        Tile or TileGrid
            One array, or a grid of them where the matrix is larger than `largest_array`.

        Raises
        ------
        InputError
            When the shape or a value does not fit, `rng` is missing, or the chain's merge counts.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> array = ArrayModel(example())
        >>> array.tile(np.full((2, 3, 2), 20e-6))
        Tile(3 x 2 pairs, 20 to 20 uS)
        >>> array.tile(np.full((2, 100, 10), 20e-6))
        TileGrid(100 x 10 pairs on 2 x 1 tiles of 50 x 10)
        """
        g_cell = np.asarray(g_cell) if isinstance(g_cell, (list, tuple)) else g_cell
        rows, columns = g_cell.shape[-2], g_cell.shape[-1] * (g_cell.shape[0] if g_cell.ndim == 3 else 1)
        most = self.largest_array
        one = rows <= most[0] and columns <= most[1] and not self.chain.counts
        return Tile.of(g_cell, self, rng=rng) if one else TileGrid.of(g_cell, self, largest=most, rng=rng)

    def program(
        self,
        weight: Array,
        *,
        rng: np.random.Generator,
        method: Method = "verify",
        w_max: float | None = None,
        verify: VerifyParams | None = None,
        update: UpdateParams | None = None,
    ) -> tuple[Tile | TileGrid, ProgramCost]:
        """Program a matrix into pairs of cells, from their lowest conductance, by the pulses of the tables.

        Parameters
        ----------
        weight : array
            Matrix (N, M) of real numbers; w stands for (g_plus - g_minus) / g_unit, with g_unit the conductance range
            over `w_max`.
        rng : Generator
            Draws what pulses do, and what differs from cell to cell and from tile to tile.
        method : str
            `verify`: write-verify; `pulse`: one pulse a cell, of the nearest mean change; `exact`: set without pulses.
        w_max : float, optional
            Weight (1) that the full conductance range stands for; left out, the largest magnitude in `weight`.
        verify : VerifyParams, optional
            Window and limits of write-verify.
        update : UpdateParams, optional
            Stages of a write: droop, disturb, spread and the like; left out, none.

        Returns
        -------
        tile : Tile or TileGrid
            The cells, ready to be read.
        cost : ProgramCost
            Pulses, energy (J), time (s) and reads, the error, and how many cells were given up (`missed`).

        Raises
        ------
        InputError
            When `weight` is not a matrix of finite numbers within `w_max`.
        TableError
            When the tables lack `set` or `reset`.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> weight, rng = np.array([[0.5, -1.0], [1.0, 0.0]]), np.random.default_rng(0)
        >>> tile, cost = ArrayModel(example()).program(weight, rng=rng)
        >>> tile.g_cell.shape, cost.missed, cost.error_max < 0.02
        ((2, 2, 2), 0, True)
        """
        if self.tables is None:
            raise InputError("`tables` must be a table file with write pulses; got none. Pass ArrayModel(tables).")
        loop = WriteVerify.from_tables(self.tables, verify, update)
        done = program_matrix(weight, loop, method=method, w_max=w_max, rng=rng)
        return self.tile(self.placed(done.cells.g_cell), rng=rng), done.cost


def _wires(tables: TableFile | None) -> WireModel:
    assert tables is not None
    return WireModel.from_tables(tables)


def _table(tables: TableFile | None, name: str) -> Table:
    assert tables is not None
    return tables[name]
