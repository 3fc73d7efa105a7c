"""The conductances of tiles as a read needs them: the terms of pairs behind their wires, made at each write."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, full, like, namespace, to_numpy
from rramkit.array.model import ArrayModel

_CELLS_AT_ONCE = 2**20  # (1): what a large grid's terms take while they are made stays near 100 MB


@dataclass(frozen=True)
class Operators:
    """What tiles (..., 2, R, C) multiply their inputs by.

    Attributes
    ----------
    difference : array
        Plus less minus half of each term, (..., K, R, C).
    total : array or None
        Their sum, where halves or phases are sensed apart.
    lines_row, lines_col : array
        Sum of each term over the halves and the cells of each row (..., K, R) and pair of columns (..., K, C).
    noise_total, noise_difference : array or None
        Sum and difference of the halves' conductance variances (S^2), (..., R, C); where cells are noisy.
    """

    difference: Array
    total: Array | None
    lines_row: Array
    lines_col: Array
    noise_total: Array | None
    noise_difference: Array | None

    @classmethod
    def of(cls, g_cell: Array, model: ArrayModel, mix: np.ndarray | None = None) -> Self:
        """Make them from conductances (..., 2, R, C); `mix` (K', K) combines the terms, left out: as they are."""
        lead, pair = tuple(g_cell.shape[:-3]), tuple(g_cell.shape[-3:])
        tiles = g_cell.reshape(-1, *pair)
        step = max(1, _CELLS_AT_ONCE // (pair[0] * pair[1] * pair[2]))
        if step >= tiles.shape[0]:
            made = _parts(tiles, model, mix)
        else:
            made = _in_chunks(tiles, step, model, mix)
        return cls(*(part if part is None else part.reshape(*lead, *part.shape[1:]) for part in made))

    def with_traps(self, factors: Array) -> Self:
        """Return these with what traps leave of each cell's current, (..., 2, R, C); the energy is left as it was."""
        assert self.total is not None
        plus = (self.total + self.difference) * (0.5 * factors[..., None, 0, :, :])
        minus = (self.total - self.difference) * (0.5 * factors[..., None, 1, :, :])
        return replace(self, difference=plus - minus, total=plus + minus)


def _in_chunks(tiles: Array, step: int, model: ArrayModel, mix: np.ndarray | None) -> list[Array | None]:
    made: list[Array | None] = []
    for start in range(0, tiles.shape[0], step):
        parts = _parts(tiles[start : start + step], model, mix)
        if not made:
            made = [part if part is None else _room(part, tiles.shape[0]) for part in parts]
        for whole, part in zip(made, parts, strict=True):
            if whole is not None:
                whole[start : start + step] = part
    return made


def _room(part: Array, count: int) -> Array:
    return full((count, *part.shape[1:]), 0.0, part)


def _parts(tiles: Array, model: ArrayModel, mix: np.ndarray | None) -> tuple[Array | None, ...]:
    """Return the fields of `Operators` for tiles (T, 2, R, C), worked out in float64 and kept in the tiles' type."""
    xp, chain = namespace(tiles), model.chain
    cells = xp.astype(tiles, xp.float64, copy=False)
    terms = _terms_of_pairs(cells, model)  # (K, T, 2, R, C)
    noise = (None, None)
    if chain.noise.on:
        variance = chain.noise.variance(cells, model.cells.g_span) * chain.mux.settled(model.t_read) ** 2
        if model.wires is not None:  # d(g_eff) = s^2 dg, exact for one cell in series with its wires
            variance *= (terms[0] / model.cells.conductance_terms(cells)[0]) ** 4
        noise = (variance[:, 0] + variance[:, 1], variance[:, 0] - variance[:, 1])
    if mix is not None:
        terms = (like(mix, terms) @ terms.reshape(terms.shape[0], -1)).reshape(len(mix), *terms.shape[1:])
    terms = xp.moveaxis(terms, 0, 1) * chain.mux.settled(model.t_read)
    plus, minus = terms[:, :, 0], terms[:, :, 1]
    total = plus + minus
    apart = chain.separate or chain.telegraph.on
    made = (plus - minus, total if apart else None, total.sum(axis=-1), total.sum(axis=-2), *noise)
    return tuple(part if part is None else xp.astype(part, tiles.dtype, copy=False) for part in made)


def _terms_of_pairs(tiles: Array, model: ArrayModel) -> Array:
    """Return the terms (K, T, 2, R, C) of pairs in adjacent columns of physical arrays R x 2 C."""
    if model.wires is None:
        return model.cells.conductance_terms(tiles)
    xp = namespace(tiles)
    count, _, rows, pairs = tiles.shape
    physical = xp.moveaxis(tiles, 1, -1).reshape(count, rows, 2 * pairs)
    wires = model.wires

    def effective(g_array: Array) -> Array:
        return like(wires.effective(to_numpy(g_array)), g_array)

    terms = model.cells.terms_behind_wires(physical, effective)
    return xp.moveaxis(terms.reshape(-1, count, rows, pairs, 2), -1, 2)
