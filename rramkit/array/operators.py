"""Read operators: the matrices that a read in one direction multiplies its inputs by; terms of pairs behind wires."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, contiguous, copied, full, is_tensor, namespace, resident
from rramkit.array.cell_current import DirectionalCurrent
from rramkit.array.kernels import reference
from rramkit.array.read_model import ReadModel
from rramkit.array.stages.stage import CellTerms

_CELLS_AT_ONCE = 2**20  # (1): the terms of a large grid take about 100 MB while they are computed


@dataclass(frozen=True)
class Operators:
    """Matrices of tiles (..., 2, R, C) of pairs, or (..., 1, R, C) of plain columns, for one direction.

    Attributes
    ----------
    difference : array
        Plus less minus half of each term, (..., K, R, C); of plain columns the term itself.
    total : array or None
        Their sum, where halves or phases are sensed one by one; None for plain columns.
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

    @cached_property
    def matrices(self) -> tuple[np.ndarray, ...]:
        """NumPy's matrices of total, difference, and both of the noise as (T, K, R, C); empty where there are none."""
        rows, columns = self.difference.shape[-2:]
        tiles = math.prod(self.difference.shape[:-3])
        nothing = np.zeros((0, 0, 0, 0), self.difference.dtype)
        every = self.total, self.difference, self.noise_total, self.noise_difference
        return tuple(
            nothing if each is None else np.ascontiguousarray(each).reshape(tiles, -1, rows, columns) for each in every
        )

    @classmethod
    def of(
        cls,
        g_cell: Array,
        attenuation: Array | None,
        model: ReadModel,
        current: DirectionalCurrent,
        *,
        mix: np.ndarray | None,
        backward: bool,
    ) -> Self:
        """Compute them from conductances (..., 2, R, C).

        Parameters
        ----------
        g_cell : array
            Conductances in siemens.
        attenuation : array or None
            Attenuation of each cell's current by the wires (..., 2, R, C), from `wire_attenuation`; None: no wires.
        model, current
            Read chain, and the cell current of the direction.
        mix : array or None
            Factors (K', K) that combine the terms; None: they stay as they are.
        backward : bool
            Whether the driven lines are pairs of columns rather than rows.
        """

        def parts(cells: Array, part: Array | None) -> tuple[Array | None, ...]:
            return _parts(cells, part, model, current, mix=mix, backward=backward)

        return cls(*in_chunks(parts, g_cell, attenuation))

    def line_conductance(self, *, backward: bool, split: bool) -> Array:
        """Return the conductance of all cells of each sensed line at 0 V (..., 1, M), behind the wires, in siemens.

        Parameters
        ----------
        backward : bool
            Whether rows are sensed: the cells of both halves are on them.
        split : bool
            Whether the halves of pairs are sensed one by one: the plus columns first, then the minus columns.
        """
        linear = self.difference[..., 0, :, :]
        if backward:
            both = linear if self.total is None else self.total[..., 0, :, :]
            return both.sum(axis=-1)[..., None, :]
        if not split or self.total is None:
            return linear.sum(axis=-2)[..., None, :]
        xp, less, both = namespace(linear), linear.sum(axis=-2), self.total[..., 0, :, :].sum(axis=-2)
        return 0.5 * xp.concat([both + less, both - less], axis=-1)[..., None, :]

    def with_lines(self, fresh: Self, tile: np.ndarray, line: np.ndarray, *, backward: bool) -> Self:
        """Return these with other driven lines.

        Parameters
        ----------
        fresh : Operators
            Operators of the new lines alone: W arrays of one row each, or `backward` of one pair of columns.
        tile, line : ndarray of int
            Tile and line of each (W,): tiles are counted row by row.
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

    def scaled(self, factors: Array) -> Self:
        """Return these with `factors` (..., 2, R, C) on the current of each cell; the energy is left as it was."""
        if self.total is None:
            return replace(self, difference=self.difference * factors[..., None, 0, :, :])
        plus = (self.total + self.difference) * (0.5 * factors[..., None, 0, :, :])
        minus = (self.total - self.difference) * (0.5 * factors[..., None, 1, :, :])
        return replace(self, difference=plus - minus, total=plus + minus)


def wire_attenuation(g_cell: Array, model: ReadModel, *, backward: bool = False) -> Array | None:
    """Return the attenuation of each linear cell's current by the wires (..., 2, R, C); None: no wires.

    The halves of a pair are adjacent columns of one physical array R x 2 C. `backward` matters where what drives a line
    has another resistance than what senses it (`ReadModel.one_way`).
    """
    wires = model.lines_of(backward=backward)
    if wires is None:
        return None

    def parts(cells: Array, _: Array | None) -> tuple[Array | None, ...]:
        xp, (count, halves, rows, pairs) = namespace(cells), cells.shape
        linear = model.cells.linear_conductance(cells)
        physical = xp.moveaxis(linear, 1, -1).reshape(count, rows, halves * pairs)
        part = (wires.effective_of(physical) if is_tensor(physical) else wires.effective(physical)) / physical
        return (xp.moveaxis(part.reshape(count, rows, pairs, halves), -1, 1),)

    return in_chunks(parts, g_cell, None)[0]


def in_chunks(
    compute: Callable[[Array, Array | None], tuple[Array | None, ...]], g_cell: Array, attenuation: Array | None
) -> list[Array | None]:
    """Return the outcome of `compute` for tiles (T, 2, R, C), for so many at once that memory stays small.

    The arrays that `compute` returns have the tiles in front, and get the leading axes of `g_cell` (..., 2, R, C).
    """
    lead, pair = tuple(g_cell.shape[:-3]), tuple(g_cell.shape[-3:])
    tiles = g_cell.reshape(-1, *pair)
    part = None if attenuation is None else attenuation.reshape(-1, *pair)
    step = max(1, _CELLS_AT_ONCE // math.prod(pair))
    whole: list[Array | None] = []
    for start in range(0, tiles.shape[0], step):
        at = slice(start, start + step)
        some = compute(tiles[at], None if part is None else part[at])
        some = [each if each is None else _as_cells(each, g_cell) for each in some]
        if step >= tiles.shape[0]:
            whole = some
        elif not whole:
            whole = [each if each is None else full((tiles.shape[0], *each.shape[1:]), 0.0, each) for each in some]
        for total, each in zip(whole, some, strict=True):
            if total is not None and total is not each:
                total[at] = each
    return [each if each is None else each.reshape(*lead, *each.shape[1:]) for each in whole]


def _as_cells(x: Array, g_cell: Array) -> Array:
    return contiguous(namespace(x).astype(x, g_cell.dtype, copy=False))


def _parts(
    cells: Array,
    attenuation: Array | None,
    model: ReadModel,
    current: DirectionalCurrent,
    *,
    mix: np.ndarray | None,
    backward: bool,
) -> tuple[Array | None, ...]:
    """Return the fields of `Operators` for tiles (T, 2, R, C)."""
    xp = namespace(cells)
    terms = current.conductance_terms(cells)  # (K, T, 2, R, C)
    if attenuation is not None:  # the linear current falls as the voltage, the rest as its third power
        terms[0] *= attenuation
        terms[1:] *= attenuation * attenuation * attenuation  # a power would take ten times as long
    if mix is not None:
        terms = (resident(mix, terms) @ terms.reshape(terms.shape[0], -1)).reshape(len(mix), *cells.shape)
    behind = CellTerms(cells, terms, None, g_span=model.cells.g_span, t_read=model.t_read)
    stages = model.stages
    for stage in stages:
        stage.prepare(behind)
    variance, keeps_total = behind.variance, any(stage.per_read or not stage.linear for stage in stages)
    along = -2 if backward else -1
    if cells.shape[1] == 1:
        if variance is not None and attenuation is not None:
            variance = reference.behind_attenuation(variance, attenuation)
        single = xp.moveaxis(behind.terms, 0, 1)[:, :, 0]
        return single, None, single.sum(axis=along), None if variance is None else variance[:, 0], None
    pair_matrices = (kernels.chosen() if isinstance(cells, np.ndarray) else reference).pair_matrices
    difference, total, *noise = pair_matrices(behind.terms, variance, attenuation)
    return difference, total if keeps_total else None, total.sum(axis=along), *(noise or (None, None))
