"""Structured row-sparse updates with ageing-aware row swapping (Long Live TIME, DAC 2018).

    chi <- chi + change
    every batch:      the part `keep` of the rows with the largest sum |chi|^2 is read and written, whole rows, by
                      pulses of the table's mean, not verified; chi of these rows <- 0, of the others it waits
    every k batches:  the physical row with the most pulses in its most-pulsed cell, and the one with the fewest, change
                      places when their counts are `ratio` apart: both are read, and written with the other's weights

From the source's abstract: gradients are made sparse in whole rows, since what an unstructured choice takes to find is
unacceptable and its writes are uneven; rows are swapped by age; 356 times the lifetime (ResNet-50). Its formulas are
not known: the norm, that chi waits, which rows are swapped and when, are this kit's own choice.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.matrices import Matrix
from rramkit.learning.rules.bank import flat_cells
from rramkit.learning.rules.pulse_choice import reads_of, write_pairs
from rramkit.learning.rules.row_permutation import RowPermutation
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class RowSparse(RramRule):
    """Few whole rows each batch, and rows that change places as they age.

    Attributes
    ----------
    keep : float
        Part of the rows that is written each batch; at least one row is.
    swap_every : int
        Batches between two looks at the rows' ages; 0: rows stay.
    ratio : float
        How many times the pulses of the youngest row the oldest must have to be swapped.
    """

    keep: float = 0.1
    swap_every: int = 100
    ratio: float = 2.0

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), every row at its own place."""
        part, tally = super().begun(weight, rng=rng)
        return replace(part, rows=np.arange(weight.shape[0])), tally

    def matrix(self, part: MatrixState, before: Matrix | None, *, rng: np.random.Generator) -> Matrix:
        """Return the matrix that is read, its inputs led to the rows' places."""
        assert part.rows is not None
        inner = before.inner if isinstance(before, RowPermutation) else None
        return RowPermutation(self.bank.matrix(part.cells, inner, rng=rng), part.rows)

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after the largest rows were written, and two swapped when that is due."""
        assert part.rows is not None
        weight = self.bank.weight(part.cells.g_cell)[part.rows]
        total, clamped = self.bank.kept(weight + part.chi + batch.change)
        chi = total - weight
        rows, cols = largest_rows(chi, self.keep), np.arange(chi.shape[1])
        where = np.repeat(part.rows[rows], cols.size), np.tile(cols, rows.size)
        reads = reads_of(self.bank, part.cells, *where)
        cells, _ = write_pairs(self.bank, part.cells, chi[rows].ravel(), where, rng=rng)
        chi[rows] = 0.0
        part, tally = replace(part, cells=cells, chi=chi), cells.tally + reads + WriteCost(clamped=clamped)
        if not self.swap_every or (batch.number + 1) % self.swap_every:
            return part, tally
        part, done = self._swapped(part, rng=rng)
        return part, tally + done

    def _swapped(self, part: MatrixState, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Return the part with its oldest and its youngest row in each other's place, if they are far apart."""
        assert part.rows is not None
        age = part.cells.pulses.max(axis=(0, 2))
        oldest, youngest = int(np.argmax(age)), int(np.argmin(age))
        if age[oldest] < self.ratio * max(int(age[youngest]), 1):
            return part, WriteCost()
        shape = part.cells.g_cell.shape
        half, row, col = np.meshgrid((0, 1), (oldest, youngest), np.arange(shape[2]), indexing="ij")
        reads = reads_of(self.bank, part.cells, row[0].ravel(), col[0].ravel())
        low, high = self.bank.loop.chain.writer.g_range
        target = np.clip(part.cells.g_cell[:, [youngest, oldest]], low, high)
        flat = flat_cells(half.ravel(), row.ravel(), col.ravel(), shape)
        cells = self.bank.written(part.cells, flat, target.ravel(), way=self.bank.way, rng=rng)
        rows = part.rows.copy()
        first, second = (int(np.flatnonzero(part.rows == place)[0]) for place in (oldest, youngest))
        rows[first], rows[second] = youngest, oldest
        return replace(part, cells=cells, rows=rows), cells.tally + reads


def largest_rows(chi: np.ndarray, keep: float) -> np.ndarray:
    """Return the part `keep` of the rows (R, C) with the largest sums of squares: at least one, but none of zero."""
    size = np.sum(np.square(chi), axis=1)
    count = max(1, round(keep * size.size))
    found = np.argsort(-size, kind="stable")[:count]
    return found[size[found] > 0.0]
