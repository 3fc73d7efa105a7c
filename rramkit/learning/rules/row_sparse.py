"""Structured row-sparse updates with ageing-aware row swapping (Long Live TIME, DAC 2018).

    chi <- chi + change
    every batch:      the fraction p of the rows with the largest sum |chi|^2 is read and written, whole rows, by
                      pulses of the table's mean, not verified; chi of these rows <- 0, of the others it accumulates
    every k batches:  of the physical rows, the one that was written most since the last look and the youngest of its
                      array change places when their ages are `ratio` apart: both are read, and written with the other's
                      weights; the age of a row is the pulses of its most-pulsed cell

From the source's abstract: gradients are made sparse in whole rows, since an unstructured selection costs too much and
its writes are uneven; rows are swapped by age; 356 times the lifetime (ResNet-50). Its formulas are not known: the
norm, the accumulation of chi, which rows are swapped and when, are this kit's own choice.

The source builds on Deep Gradient Compression (Lin et al., ICLR 2018, arXiv 1712.01887), of which this rule has

* local accumulation and momentum correction: chi adds up the optimiser's changes, with momentum the velocity u itself;
* what is not written is kept: with `residue` also what the pulses of a written row miss, by their own mean (a change
  below half of a pulse fires none), or as the row is read once more (counted); without it these rows start from zero;
* momentum factor masking (`masked`): u <- 0 in the rows that were written, so that a late row does not go on along a
  direction that is already in its cells;
* warm-up of the sparsity: in the first `warm_up` batches p falls geometrically from `warm_from` to `keep`, where the
  source's falls by a factor of four an epoch from 0.25.

Its clipping of gradients is for many workers and left out.
"""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.mapping import WeightMapping
from rramkit.array.matrix import Matrix
from rramkit.array.read_model import ReadModel
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.optimisers import Momentum, Optimiser
from rramkit.learning.rules.pulse_choice import choose_pulses, fire
from rramkit.learning.rules.row_permutation import permuted
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import BoundRule, MatrixState
from rramkit.parameters import quantity
from rramkit.table import TableFile


class RowSparse(RramRule):
    """A few whole rows each batch, and rows swapped as they age."""

    decays: ClassVar[bool] = True
    accumulates: ClassVar[bool] = True

    kind: Literal["row_sparse"] = quantity("row_sparse", "1", "few whole rows each batch, rows swapped by age")
    keep: float = quantity(0.1, "1", "fraction of the rows that is written each batch, at least one", gt=0.0, le=1.0)
    warm_up: int = quantity(0, "1", "batches in which the fraction falls from `warm_from` to `keep`", ge=0, le=10**9)
    warm_from: float = quantity(0.25, "1", "fraction of the rows in the first batch of `warm_up`", gt=0.0, le=1.0)
    residue: Literal["lost", "mean", "read"] = quantity(
        "lost", "1", "what the pulses of a row missed: lost, or kept as their mean has it or as a read after them"
    )
    masked: bool = quantity(False, "1", "whether the momentum of the rows that are written starts anew")
    swap_every: int = quantity(100, "1", "batches between two checks of the rows' ages; 0: rows stay", ge=0, le=10**9)
    ratio: float = quantity(
        2.0, "1", "pulses of the busiest row over the youngest's at which they swap", ge=1.0, le=1e6
    )

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.warm_up and self.warm_from <= self.keep:
            raise ValueError(
                f"warm_from must be above keep, to which it falls; got {self.warm_from} and {self.keep}. Raise it, or "
                "set warm_up to 0"
            )
        if not self.warm_up and self.warm_from != RowSparse.model_fields["warm_from"].default:
            raise ValueError(
                f"warm_from does nothing without warm_up; got {self.warm_from}. Leave it out, or set warm_up to the "
                "number of batches"
            )
        if not self.swap_every and self.ratio != RowSparse.model_fields["ratio"].default:
            raise ValueError(
                f"ratio does nothing with swap_every = 0, where rows stay; got {self.ratio}. Leave it out, or set "
                "swap_every to the number of batches"
            )
        return self

    def bind(
        self, tables: TableFile, model: ReadModel, optimiser: Optimiser, mapping: WeightMapping | None = None
    ) -> BoundRule:
        """Return the rule on the device of a table file; see `RramRule.bind`.

        Raises
        ------
        InputError
            As there, and when `masked` is set with an optimiser without momentum.
        """
        if self.masked and isinstance(optimiser, Momentum) and not optimiser.momentum:
            raise InputError(
                "`rule.masked` needs an optimiser with momentum; got `optimiser.momentum` 0. Raise it, or set `masked` "
                "to false."
            )
        return super().bind(tables, model, optimiser, mapping)

    def fraction(self, batch: int) -> float:
        """Return the fraction of the rows that is written after `batch` batches."""
        if batch >= self.warm_up:
            return self.keep
        return self.warm_from * (self.keep / self.warm_from) ** (batch / self.warm_up)

    def mean_after(self, mean: np.ndarray, state: MatrixState, request: UpdateRequest) -> np.ndarray:
        """Return the running mean of the gradients (R, C), zero in the rows that a request wrote if `masked`."""
        if not self.masked:
            return mean
        mean = mean.copy()
        mean[largest_rows(state.chi + request.change, self.fraction(request.batch))] = 0.0
        return mean

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), in the order of their rows, and read them; chi is the programming error."""
        state, cost = self.with_residue(device, weight, *super().first(device, weight, rng=rng), rng=rng)
        return replace(state, rows=np.arange(weight.shape[0]), ages=_ages(state)), cost

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read, its inputs routed to the physical rows."""
        return permuted(device, state, before, rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the largest rows were written, and two swapped every `swap_every` batches."""
        assert state.rows is not None
        chi = state.chi + request.change
        rows, cols = largest_rows(chi, self.fraction(request.batch)), np.arange(chi.shape[1])
        where = np.repeat(state.rows[rows], cols.size), np.tile(cols, rows.size)
        seen, reads = device.read_weights(state.cells, *where, rng=rng)
        weight = device.mapping.weight_at(seen, *where, state.flips)
        total, clamped = device.mapping.limited(weight + chi[rows].ravel())
        pulses = choose_pulses(device, seen, total - weight, where, flips=state.flips)
        cells = fire(device, state.cells, pulses, rng=rng)
        cost = cells.tally + reads + WriteCost(clamped=clamped)
        after = weight + pulses.change
        if self.residue == "read":
            seen, again = device.read_weights(cells, *where, rng=rng)
            after, cost = device.mapping.weight_at(seen, *where, state.flips), cost + again
        chi[rows] = 0.0 if self.residue == "lost" else (total - after).reshape(rows.size, cols.size)
        digital = state.digital
        if digital is not None:
            digital = digital.copy()
            digital[rows] = after.reshape(rows.size, cols.size)
        state = replace(state, cells=cells, chi=chi, digital=digital)
        if not self.swap_every or (request.batch + 1) % self.swap_every:
            return state, cost
        state, of_swap = self._swapped(device, state, rng=rng)
        return state, cost + of_swap

    def _swapped(
        self, device: RramDevice, state: MatrixState, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state with its busiest and its youngest row in each other's place, if they are `ratio` apart.

        The busiest is the one written most since the last look, and not the oldest of all: a row that was old and was
        swapped holds weights that seldom change, and would be rewritten at every look for nothing. Rows stay in their
        array: its converters' range was set by the inputs of its rows.
        """
        assert state.rows is not None and state.ages is not None
        ages = _ages(state)
        busiest = int(np.argmax(ages - state.ages))
        height = device.loop.chain.address(np.zeros(1, np.intp), state.cells.g_cell.shape).rows
        array = np.flatnonzero(np.arange(ages.size) // height == busiest // height)
        youngest = int(array[np.argmin(ages[array])])
        if ages[busiest] == state.ages[busiest] or ages[busiest] < self.ratio * max(int(ages[youngest]), 1):
            return replace(state, ages=ages), WriteCost()
        shape = state.cells.g_cell.shape
        half, row, column = np.meshgrid(np.arange(shape[0]), (busiest, youngest), np.arange(shape[2]), indexing="ij")
        flat = np.ravel_multi_index((half.ravel(), row.ravel(), column.ravel()), shape)
        seen, reads = device.read_cells(state.cells, flat, rng=rng)
        target = np.clip(seen.reshape(half.shape)[:, ::-1], *device.loop.chain.writer.g_range)
        cells = device.write(state.cells, flat, target.ravel(), method="verify", rng=rng)
        rows = state.rows.copy()
        first, second = (int(np.flatnonzero(state.rows == physical)[0]) for physical in (busiest, youngest))
        rows[first], rows[second] = youngest, busiest
        state = replace(state, cells=cells, rows=rows)
        return replace(state, ages=_ages(state)), cells.tally + reads


def _ages(state: MatrixState) -> np.ndarray:
    """Return the pulses of the most-pulsed cell of each physical row (R,)."""
    return state.cells.pulses.max(axis=(0, 2))


def largest_rows(chi: np.ndarray, keep: float) -> np.ndarray:
    """Return the fraction `keep` of the rows (R, C) with the largest sums of squares: at least one, none of zero."""
    size = np.sum(np.square(chi), axis=1)
    count = max(1, round(keep * size.size))
    largest = np.argsort(-size, kind="stable")[:count]
    return largest[size[largest] > 0.0]
