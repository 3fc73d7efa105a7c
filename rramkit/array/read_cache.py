"""Read cache: incremental update of the read operators after a write.

A batch writes a few cells of a matrix. Terms and sums are recomputed for the driven lines that hold written cells, and
are the same to the last bit as when all are recomputed. The wires couple every cell of a tile to every other, and
solving them is the most expensive part. A written cell changes the current of a cell on its line by less than ::

    |sum of the line's conductance changes| r_line        r_line  wires and ends of the line, all of them (ohm)

of that current, to first order. The wires of a tile are solved again where that exceeds the model's `wires_within` in
any of its rows or columns, summed since they were last solved; until then each cell keeps its attenuation by the wires,
applied to the current of its present conductance. With `wires_within` 0 the wires of every written tile are solved.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, copied, is_tensor, namespace, to_numpy
from rramkit.array.operators import Operators, wire_attenuation
from rramkit.array.read_model import ReadModel
from rramkit.array.wires import WireModel

FEW, MANY_CELLS = 16, 2**15
"""Cells over those that are written, and cells (1), from which the written ones alone are looked at: below, a pass over
all of them is as fast."""


def are_few(count: int, cells: int) -> bool:
    """Return whether so many written cells of all are looked at by themselves."""
    return cells >= MANY_CELLS and count * FEW <= cells


@dataclass(frozen=True)
class ReadCache:
    """Read operators of tiles (..., 2, R, C) before a write, and which parts of them are stale.

    Attributes
    ----------
    rows_driven, cols_driven : Operators or None
        Of forward and of backward reads; None: not computed yet.
    attenuation, attenuation_backward : array or None
        Of each cell's current by the wires (..., 2, R, C); None likewise, or where there are no wires. The latter only
        where backward reads differ (`ReadModel.one_way`).
    written : ndarray of bool
        Pairs written since (T, R, C), tiles counted row by row.
    solved : ndarray of bool
        Tiles (T,) whose wires have to be solved again.
    """

    rows_driven: Operators | None
    cols_driven: Operators | None
    attenuation: Array | None
    attenuation_backward: Array | None
    written: np.ndarray
    solved: np.ndarray

    @classmethod
    def of(
        cls,
        g_cell: Array,
        rows_driven: Operators | None,
        cols_driven: Operators | None,
        attenuation: tuple[Array | None, Array | None],
    ) -> Self:
        """Return the cache of tiles that have not been written since; attenuations forward and backward."""
        tiles, _, rows, cols = tiles_of(g_cell, 3).shape
        fresh = np.zeros((tiles, rows, cols), bool), np.zeros(tiles, bool)
        return cls(rows_driven, cols_driven, *attenuation, *fresh)

    def lines(self, *, backward: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return tile and number of the stale driven lines, rows or `backward` pairs of columns (W,)."""
        tile, line = np.nonzero(self.written.any(axis=1 if backward else 2) | self.solved[:, None])
        return tile, line

    def updated(
        self,
        old: Operators,
        g_cell: Array,
        attenuation: Array | None,
        compute: Callable[[Array, Array | None], Operators],
        *,
        backward: bool,
    ) -> Operators:
        """Return read operators of conductances (..., 2, R, C), computed again for the stale lines of `old` only."""
        tile, line = self.lines(backward=backward)
        if not tile.size:
            return old
        part = None if attenuation is None else lines_of(attenuation, tile, line, backward=backward)
        return old.with_lines(
            compute(lines_of(g_cell, tile, line, backward=backward), part), tile, line, backward=backward
        )

    def updated_attenuation(self, g_solved: Array, model: ReadModel, *, backward: bool) -> Array | None:
        """Return the attenuation by the wires at conductances (..., 2, R, C), solved again for stale tiles only."""
        before = self.attenuation_backward if backward else self.attenuation
        if before is None:
            return wire_attenuation(g_solved, model, backward=backward)
        if not self.solved.any():
            return before
        tiles, attenuation = np.flatnonzero(self.solved), copied(before)
        tiles_of(attenuation, 3)[tiles] = wire_attenuation(tiles_of(g_solved, 3)[tiles], model, backward=backward)
        return attenuation

    def after_write(self, g_before: Array, g_after: Array, solved: np.ndarray) -> Self:
        """Return this after conductances (..., 2, R, C) were written and the tiles `solved` (T,) get other wires."""
        differ = to_numpy(namespace(g_after).any(tiles_of(g_after != g_before, 3), axis=1))
        return replace(self, written=self.written | differ, solved=self.solved | solved)

    def after_write_at(self, flat: np.ndarray, shape: tuple[int, ...], solved: np.ndarray) -> Self:
        """Return this after the cells `flat` (N,) of conductances of a shape (..., 2, R, C) were written."""
        written, (halves, rows, cols) = self.written.copy(), shape[-3:]
        tile, cell = np.divmod(flat, halves * rows * cols)
        written.reshape(-1)[tile * (rows * cols) + cell % (rows * cols)] = True
        return replace(self, written=written, solved=self.solved | solved)


def tiles_of(x: Array, inner: int) -> Array:
    """Return `x` (..., inner axes) with the tiles counted along one axis, (T, inner axes)."""
    return x.reshape(-1, *x.shape[x.ndim - inner :])


def lines_of(x: Array, tile: np.ndarray, line: np.ndarray, *, backward: bool) -> Array:
    """Return driven lines of tiles (..., 2, R, C) as arrays of one row, (W, 2, 1, C), or one pair, (W, 2, R, 1)."""
    flat = tiles_of(x, 3)
    return flat[tile, :, :, line][..., None] if backward else flat[tile, :, line][..., None, :]


def tiles_to_solve(g_solved: Array, g_cell: Array, wires: WireModel, within: float) -> Array:
    """Return the tiles (T,) whose lines have changed by more than `within` since their wires were solved.

    Parameters
    ----------
    g_solved, g_cell : array
        Conductances (..., 2, R, C) in siemens at which the wires were solved, and the present ones.
    wires : WireModel
        Resistances.
    within : float
        Largest relative change of a current that is tolerated (1).
    """
    halves, rows, cols = (int(size) for size in g_cell.shape[-3:])
    along = wires.r_drive + wires.r_row * halves * cols
    down = wires.r_sense + wires.r_col * rows
    if isinstance(g_cell, np.ndarray) and within > 0.0 and g_cell.size >= MANY_CELLS:
        differ = np.flatnonzero(g_cell != g_solved)
        if are_few(differ.size, g_cell.size):
            return _lines_changed(g_solved, g_cell, differ, (along, down)) > within
    xp, change = namespace(g_cell), tiles_of(g_cell - g_solved, 3)
    of_rows = xp.max(xp.abs(change.sum(axis=(1, 3))), axis=-1) * along
    of_cols = xp.max(xp.max(xp.abs(change.sum(axis=2)), axis=-1), axis=-1) * down
    if within > 0.0:
        return (of_rows > within) | (of_cols > within)
    return xp.any(xp.any(xp.any(change != 0.0, axis=-1), axis=-1), axis=-1)


def _lines_changed(
    g_solved: np.ndarray, g_cell: np.ndarray, differ: np.ndarray, ohms: tuple[float, float]
) -> np.ndarray:
    """Return the largest relative change of a current of each tile (T,), where the cells `differ` (N,) alone changed.

    The few changes of a line are added in float64: in float32 the sum of all its cells rounds otherwise, by some 1e-7
    of it, so that a line that is as near to its bound may be solved a write earlier or later.
    """
    halves, rows, cols = g_cell.shape[-3:]
    change = (g_cell.ravel()[differ] - g_solved.ravel()[differ]).astype(float)
    line, col = np.divmod(differ, cols)  # of a half
    half, row = np.divmod(line, rows)  # half and tile
    tiles = g_cell.size // (halves * rows * cols)
    of_rows = np.bincount(half // halves * rows + row, change, tiles * rows).reshape(tiles, -1)
    of_cols = np.bincount(half * cols + col, change, tiles * halves * cols).reshape(tiles, -1)
    return np.maximum(*(np.abs(sums).max(axis=1) * ohm for sums, ohm in zip((of_rows, of_cols), ohms, strict=True)))


def solved_conductance(solved: Array, g_cell: Array, g_solved: Array) -> Array:
    """Return the present conductances (..., 2, R, C) in the tiles `solved` (T,), and elsewhere those solved before."""
    if is_tensor(solved):
        turned = solved.reshape(*g_cell.shape[:-3], 1, 1, 1)
        return namespace(g_cell).where(turned, g_cell, g_solved)
    if not solved.any():
        return g_solved
    whole, tiles = copied(g_solved), np.flatnonzero(solved)
    tiles_of(whole, 3)[tiles] = tiles_of(g_cell, 3)[tiles]
    return whole
