"""Tiling of a matrix: the size of its tiles, conductances cut into them, their outputs put together."""

from rramkit.array.backend import Array, full, namespace
from rramkit.array.read_model import ReadModel
from rramkit.errors import InputError


def tile_size(g_cell: Array, model: ReadModel, largest: tuple[int, int] | None) -> tuple[int, int]:
    """Return rows and pairs (or columns) of each tile for conductances (2 or 1, N, M)."""
    halves, rows, pairs = (int(lines) for lines in g_cell.shape)
    largest = model.largest_array if largest is None else largest
    if largest[0] < 1 or largest[1] < halves:
        raise InputError(f"`largest` must be at least 1 row and {halves} columns; got {largest}. Enlarge it.")
    return _even(rows, largest[0]), _even(pairs, largest[1] // halves)


def _even(count: int, largest: int) -> int:
    """Return the size of the fewest equal parts, at most `largest` each, that hold `count`."""
    return -(-count // -(-count // largest))


def cut_up(g_cell: Array, size: tuple[int, ...], g_fill: float) -> Array:
    """Cut pairs (2, N, M) into tiles (Tr, Tc, 2, R, C), filled up with `g_fill`."""
    xp, (halves, rows, pairs) = namespace(g_cell), g_cell.shape
    down, across = -(-rows // size[0]), -(-pairs // size[1])
    if (down * size[0], across * size[1]) != (rows, pairs):
        padded = full((halves, down * size[0], across * size[1]), g_fill, g_cell)
        padded[:, :rows, :pairs] = g_cell
        g_cell = padded
    return xp.permute_dims(g_cell.reshape(halves, down, size[0], across, size[1]), (1, 3, 0, 2, 4))


def summed(i: Array, *, axis: int) -> Array:
    """Return outputs of tiles (Tr, Tc, B, size) added along an axis; those of one tile are no copy."""
    if i.shape[axis] == 1:
        return i[0] if axis == 0 else i[:, 0]
    return namespace(i).sum(i, axis=axis)


def side_by_side(i: Array, lines: int) -> Array:
    """Put the outputs (tiles, B, size) side by side and drop the spare ones: (B, lines)."""
    xp = namespace(i)
    if i.shape[0] == 1:
        return i[0][:, :lines]
    turned = xp.matrix_transpose(i).reshape(-1, i.shape[1])  # long columns, which windows have, stay long
    return xp.matrix_transpose(turned[:lines])
