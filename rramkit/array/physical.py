"""Tiles as the physical arrays that they are: what ngspice and the exact grade of the wires are asked for.

A pair's halves stand in adjacent columns of one array R x 2 C. A signed vector is read in phases, each with voltages of
one polarity; their currents, and those of the halves, are subtracted here, digitally and without error.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from rramkit.array.model import ArrayModel
from rramkit.errors import InputError

Solver = Callable[[np.ndarray, np.ndarray, Literal["forward", "backward"]], np.ndarray]
"""Currents (M, B) in amperes of an array (R, 2 C) in siemens, of the driven lines' voltages (L, B), in a direction."""


def paired(g_cell: np.ndarray) -> np.ndarray:
    """Return the physical array (R, 2 C) of pairs (2, R, C)."""
    return np.moveaxis(g_cell, 0, -1).reshape(g_cell.shape[1], -1)


def signed_read(g_cell: np.ndarray, v: np.ndarray, solve: Solver, *, backward: bool) -> np.ndarray:
    """Return the signed currents (B, C), or (B, R) `backward`, of pairs (2, R, C) at voltages (B, R), or (B, C)."""
    array, up, down = paired(g_cell), np.maximum(v, 0.0).T, np.maximum(-v, 0.0).T
    if not backward:
        phases = [solve(array, phase, "forward") for phase in (up, down)]
        found = phases[0] - phases[1]
        return (found[::2] - found[1::2]).T
    turns = [np.stack(pair, axis=1).reshape(-1, v.shape[0]) for pair in ((up, down), (down, up))]
    phases = [solve(array, turn, "backward") for turn in turns]
    return (phases[0] - phases[1]).T


def exact_solver(model: ArrayModel) -> Solver:
    """Return the exact grade: the table's cells behind the table's wires, by Newton."""
    wires = model.lines
    if wires is None:
        raise InputError("the exact grade needs wires; this model has none. Leave out `--no-wires`.")

    def solve(array: np.ndarray, v: np.ndarray, direction: Literal["forward", "backward"]) -> np.ndarray:
        return np.asarray(wires.currents(array, v, direction=direction, cells=model.cells.from_word))

    return solve
