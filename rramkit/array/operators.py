"""The conductances of tiles as a read in one direction needs them: the terms of pairs behind their wires."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, contiguous, copied, full, like, namespace
from rramkit.array.directional_current import DirectionalCurrent
from rramkit.array.model import ArrayModel

_CELLS_AT_ONCE = 2**20  # (1): what a large grid's terms take while they are made stays near 100 MB


@dataclass(frozen=True)
class Operators:
    """What tiles (..., 2, R, C) of pairs, or (..., 1, R, C) of plain columns, multiply their inputs by.

    Attributes
    ----------
    difference : array
        Plus less minus half of each term, (..., K, R, C); of plain columns the term itself.
    total : array or None
        Their sum, where halves or phases are sensed apart; None for plain columns.
    lines : array
        Sum of each term over the halves and the cells of each driven line, (..., K, L).
    noise_total, noise_difference : array or None
        Sum and difference of the halves' conductance variances (S^2), (..., R, C); where cells are noisy.
    """

    difference: Array
    total: Array | None
    lines: Array
    noise_total: Array | None
    noise_difference: Array | None

    @classmethod
    def of(
        cls,
        g_cell: Array,
        passed: Array | None,
        model: ArrayModel,
        way: DirectionalCurrent,
        *,
        mix: np.ndarray | None,
        backward: bool,
    ) -> Self:
        """Make them from conductances (..., 2, R, C).

        Parameters
        ----------
        g_cell : array
            Conductances in siemens.
        passed : array or None
            What the wires let pass of each cell's current (..., 2, R, C), from `passed_by_wires`.
        model, way
            Read chain, and the cell current of the direction.
        mix : array or None
            What the terms have to be combined with (K', K); None: as they are.
        backward : bool
            Whether the driven lines are pairs of columns rather than rows.
        """

        def parts(cells: Array, part: Array | None) -> tuple[Array | None, ...]:
            return _parts(cells, part, model, way, mix=mix, backward=backward)

        return cls(*in_chunks(parts, g_cell, passed))

    def renewed(self, fresh: Self, tile: np.ndarray, line: np.ndarray, *, backward: bool) -> Self:
        """Return these with other driven lines.

        Parameters
        ----------
        fresh : Operators
            Of the lines alone: W arrays of one row each, or `backward` of one pair of columns.
        tile, line : ndarray of int
            Where they stand (W,): tiles are counted row by row.
        backward : bool
            Whether the driven lines are pairs of columns rather than rows.
        """
        lead = self.lines.ndim - 2

        def put(old: Array | None, lines: Array | None, *, last: bool) -> Array | None:
            if old is None or lines is None:
                return None
            whole = copied(old)
            flat = whole.reshape(-1, *whole.shape[lead:])
            if last:
                flat[tile, ..., line] = lines[..., 0]
            else:
                flat[tile, ..., line, :] = lines[..., 0, :]
            return whole

        return replace(
            self,
            difference=put(self.difference, fresh.difference, last=backward),
            total=put(self.total, fresh.total, last=backward),
            lines=put(self.lines, fresh.lines, last=True),
            noise_total=put(self.noise_total, fresh.noise_total, last=backward),
            noise_difference=put(self.noise_difference, fresh.noise_difference, last=backward),
        )

    def with_traps(self, factors: Array) -> Self:
        """Return these with what traps leave of each cell's current, (..., 2, R, C); the energy is left as it was."""
        if self.total is None:
            return replace(self, difference=self.difference * factors[..., None, 0, :, :])
        plus = (self.total + self.difference) * (0.5 * factors[..., None, 0, :, :])
        minus = (self.total - self.difference) * (0.5 * factors[..., None, 1, :, :])
        return replace(self, difference=plus - minus, total=plus + minus)


def passed_by_wires(g_cell: Array, model: ArrayModel) -> Array | None:
    """Return the part of each linear cell's current that the wires let pass (..., 2, R, C); None: all of it.

    Pairs stand in adjacent columns of one physical array R x 2 C.
    """
    wires = model.lines
    if wires is None:
        return None

    def parts(cells: Array, _: Array | None) -> tuple[Array | None, ...]:
        xp, (count, halves, rows, pairs) = namespace(cells), cells.shape
        linear = model.cells.linear_conductance(cells)
        physical = xp.moveaxis(linear, 1, -1).reshape(count, rows, halves * pairs)
        part = wires.effective(physical) / physical
        return (xp.moveaxis(part.reshape(count, rows, pairs, halves), -1, 1),)

    return in_chunks(parts, g_cell, None)[0]


def in_chunks(
    make: Callable[[Array, Array | None], tuple[Array | None, ...]], g_cell: Array, passed: Array | None
) -> list[Array | None]:
    """Return what `make` makes of tiles (T, 2, R, C), done for so many at once that memory stays small.

    The arrays that `make` gives have the tiles in front, and get the leading axes of `g_cell` (..., 2, R, C).
    """
    lead, pair = tuple(g_cell.shape[:-3]), tuple(g_cell.shape[-3:])
    tiles = g_cell.reshape(-1, *pair)
    part = None if passed is None else passed.reshape(-1, *pair)
    step = max(1, _CELLS_AT_ONCE // math.prod(pair))
    made: list[Array | None] = []
    for start in range(0, tiles.shape[0], step):
        at = slice(start, start + step)
        some = make(tiles[at], None if part is None else part[at])
        some = [each if each is None else _kept(each, g_cell) for each in some]
        if step >= tiles.shape[0]:
            made = some
        elif not made:
            made = [each if each is None else full((tiles.shape[0], *each.shape[1:]), 0.0, each) for each in some]
        for whole, each in zip(made, some, strict=True):
            if whole is not None and whole is not each:
                whole[at] = each
    return [each if each is None else each.reshape(*lead, *each.shape[1:]) for each in made]


def _kept(x: Array, g_cell: Array) -> Array:
    return contiguous(namespace(x).astype(x, g_cell.dtype, copy=False))


def _parts(
    cells: Array,
    passed: Array | None,
    model: ArrayModel,
    way: DirectionalCurrent,
    *,
    mix: np.ndarray | None,
    backward: bool,
) -> tuple[Array | None, ...]:
    """Return the fields of `Operators` for tiles (T, 2, R, C)."""
    xp, chain = namespace(cells), model.chain
    terms, settled = way.conductance_terms(cells), chain.mux.settled(model.t_read)  # (K, T, 2, R, C)
    if passed is not None:  # the linear current falls as the voltage, what is left beside it as its third power
        terms[0] *= passed
        terms[1:] *= passed * passed * passed  # a power would take ten times as long
    if mix is not None:
        terms = (like(mix, terms) @ terms.reshape(terms.shape[0], -1)).reshape(len(mix), *cells.shape)
    if settled != 1.0:
        terms *= settled
    terms = xp.moveaxis(terms, 0, 1)
    plus = terms[:, :, 0]
    paired = cells.shape[1] == 2
    total = plus + terms[:, :, 1] if paired else plus
    noise = (None, None)
    if chain.noise.on:
        variance = chain.noise.variance(cells, model.cells.g_span) * settled**2
        if passed is not None:  # d(g_eff) = s^2 dg, exact for one cell in series with its wires
            square = passed * passed
            variance *= square * square
        noise = (variance[:, 0], None)
        if paired:
            noise = (variance[:, 0] + variance[:, 1], variance[:, 0] - variance[:, 1])
    apart = paired and (chain.separate or chain.telegraph.on)
    return (
        plus - terms[:, :, 1] if paired else plus,
        total if apart else None,
        total.sum(axis=-2 if backward else -1),
        *noise,
    )
