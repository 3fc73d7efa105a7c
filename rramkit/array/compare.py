"""Comparison of a read with references: the ideal product, the exact solution of the wires, ngspice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.exact import Solver, signed_read
from rramkit.array.read_model import ReadModel
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError


@dataclass(frozen=True)
class ReadError:
    """Error of currents against a reference, over the reference's largest current (1); `full_scale` is that (A)."""

    rms: float
    max: float
    full_scale: float

    @classmethod
    def of(cls, i: np.ndarray, reference: np.ndarray) -> "ReadError":
        """Compare currents (B, M) in amperes; a reference without current counts as 1 A."""
        error, full_scale = i - reference, float(np.max(np.abs(reference))) or 1.0
        rms = float(np.sqrt(np.mean(error**2))) / full_scale
        return cls(rms, float(np.max(np.abs(error))) / full_scale, full_scale)


def ideal_currents(grid: TileGrid, v: np.ndarray, *, backward: bool) -> np.ndarray:
    """Return the product of voltages (B, N), or (B, M) `backward`, with the conductances of pairs: (B, M) or (B, N)."""
    g = grid.g_cell[0] - grid.g_cell[1]
    return v @ (g.T if backward else g)


def reference_currents(
    grid: TileGrid, v: np.ndarray, solvers: Mapping[str, Solver], *, backward: bool
) -> dict[str, np.ndarray]:
    """Return the currents (A) of one array by each of named solvers, without the read chain.

    Raises
    ------
    InputError
        When the matrix takes more than one tile.
    """
    if grid.shape != (1, 1):
        raise InputError(
            f"{' and '.join(solvers)}: one array can be solved; "
            f"this matrix takes {grid.shape[0]} x {grid.shape[1]} tiles. Pass a smaller one."
        )
    return {name: signed_read(grid.g_cell, v, solve, backward=backward) for name, solve in solvers.items()}


def exact_solver(model: ReadModel) -> Solver:
    """Return the exact grade: the table's cells behind the table's wires, by Newton's method.

    Raises
    ------
    InputError
        When the model has no wires.
    """
    if model.lines is None:
        raise InputError("the exact grade needs wires; this model has none. Leave out `--no-wires`.")

    def solve(array: np.ndarray, v: np.ndarray, direction: Literal["forward", "backward"]) -> np.ndarray:
        wires = model.lines_of(backward=direction == "backward")
        assert wires is not None
        return np.asarray(wires.currents(array, v, direction=direction, cells=model.cells.from_word))

    return solve
