"""Structured row-sparse updates with ageing-aware row swapping (Long Live TIME, DAC 2018).

    chi <- chi + change
    every batch:      the fraction `keep` of the rows with the largest sum |chi|^2 is read and written, whole rows, by
                      pulses of the table's mean, not verified; chi of these rows <- 0, of the others it accumulates
    every k batches:  the physical row with the most pulses in its most-pulsed cell, and the one with the fewest, change
                      places when their counts are `ratio` apart: both are read, and written with the other's weights

From the source's abstract: gradients are made sparse in whole rows, since an unstructured selection costs too much and
its writes are uneven; rows are swapped by age; 356 times the lifetime (ResNet-50). Its formulas are not known: the
norm, the accumulation of chi, which rows are swapped and when, are this kit's own choice.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.matrix import Matrix
from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import choose_pulses, fire
from rramkit.learning.rules.row_permutation import RowPermutation
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class RowSparse(RramRule):
    """A few whole rows each batch, and rows swapped as they age."""

    decays: ClassVar[bool] = True
    accumulates: ClassVar[bool] = True

    kind: Literal["row_sparse"] = quantity("row_sparse", "1", "few whole rows each batch, rows swapped by age")
    keep: float = quantity(0.1, "1", "fraction of the rows that is written each batch, at least one", gt=0.0, le=1.0)
    swap_every: int = quantity(100, "1", "batches between two checks of the rows' ages; 0: rows stay", ge=0, le=10**9)
    ratio: float = quantity(2.0, "1", "pulses of the oldest row over the youngest's at which they swap", ge=1.0, le=1e6)

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), in the order of their rows, and read them; chi is the programming error."""
        state, cost = self.with_residue(device, weight, *super().first(device, weight, rng=rng), rng=rng)
        return replace(state, rows=np.arange(weight.shape[0])), cost

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read, its inputs routed to the physical rows."""
        assert state.rows is not None
        inner = before.inner if isinstance(before, RowPermutation) else None
        return RowPermutation(device.matrix(state.cells, inner, flips=state.flips, rng=rng), state.rows)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the largest rows were written, and two swapped every `swap_every` batches."""
        assert state.rows is not None
        chi = state.chi + request.change
        rows, cols = largest_rows(chi, self.keep), np.arange(chi.shape[1])
        where = np.repeat(state.rows[rows], cols.size), np.tile(cols, rows.size)
        seen, reads = device.read_weights(state.cells, *where, rng=rng)
        weight = device.mapping.weight_at(seen, *where, state.flips)
        total, clamped = device.mapping.limited(weight + chi[rows].ravel())
        pulses = choose_pulses(device, seen, total - weight, where, flips=state.flips)
        cells = fire(device, state.cells, pulses, rng=rng)
        chi[rows] = 0.0
        digital = state.digital
        if digital is not None:
            digital = digital.copy()
            digital[rows] = (weight + pulses.change).reshape(rows.size, cols.size)
        state = replace(state, cells=cells, chi=chi, digital=digital)
        cost = cells.tally + reads + WriteCost(clamped=clamped)
        if not self.swap_every or (request.batch + 1) % self.swap_every:
            return state, cost
        state, of_swap = self._swapped(device, state, rng=rng)
        return state, cost + of_swap

    def _swapped(
        self, device: RramDevice, state: MatrixState, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state with its oldest and its youngest row in each other's place, if they are `ratio` apart."""
        assert state.rows is not None
        age = state.cells.pulses.max(axis=(0, 2))
        oldest, youngest = int(np.argmax(age)), int(np.argmin(age))
        if age[oldest] < self.ratio * max(int(age[youngest]), 1):
            return state, WriteCost()
        shape = state.cells.g_cell.shape
        half, row, column = np.meshgrid(np.arange(shape[0]), (oldest, youngest), np.arange(shape[2]), indexing="ij")
        flat = np.ravel_multi_index((half.ravel(), row.ravel(), column.ravel()), shape)
        seen, reads = device.read_cells(state.cells, flat, rng=rng)
        target = np.clip(seen.reshape(half.shape)[:, ::-1], *device.loop.chain.writer.g_range)
        cells = device.write(state.cells, flat, target.ravel(), method="verify", rng=rng)
        rows = state.rows.copy()
        first, second = (int(np.flatnonzero(state.rows == physical)[0]) for physical in (oldest, youngest))
        rows[first], rows[second] = youngest, oldest
        return replace(state, cells=cells, rows=rows), cells.tally + reads


def largest_rows(chi: np.ndarray, keep: float) -> np.ndarray:
    """Return the fraction `keep` of the rows (R, C) with the largest sums of squares: at least one, none of zero."""
    size = np.sum(np.square(chi), axis=1)
    count = max(1, round(keep * size.size))
    largest = np.argsort(-size, kind="stable")[:count]
    return largest[size[largest] > 0.0]
