"""Tiki-Taka: a fast matrix A collects gradients, and is carried over to the matrix C that is read, a line at a time.

    y = x (C + gamma A)
    every batch:          A <- A - rate sum_n x_n e_n        by outer-product pulses (`outer`)
    every k batches:      one row a of A is read, and C's row <- C's row + rate_transfer a, by equal pulses; the next
                          transfer takes the next row, and after the last the first

Source: Gokmen and Haensch (Front. Neurosci. 14, 103, 2020). RECALLED, not confirmed: gamma 0 as its usual choice, and
one line for each transfer in turn. The device's symmetric point, where a step up and a step down undo each other,
must stand for zero in A: both halves of a pair are equal devices pulsed in opposite directions, so that it does, and A
starts there (this kit's choice in place of a reference array). A transfer reads a row by driving it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.matrices import Matrix, Product, Samples, TileMatrix
from rramkit.learning.rules.outer_product import Coincidences
from rramkit.learning.rules.pulse_counts import EqualPulses, rounded
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class Sum(Matrix):
    """The sum of matrices (R, C), each times its factor, read one after the other; one of factor zero is not read."""

    terms: tuple[tuple[TileMatrix, float], ...]

    @property
    def g_cell(self) -> np.ndarray:
        """Conductances of the first matrix' pairs (2, R, C) in siemens."""
        return self.terms[0][0].g_cell

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that is stood for."""
        return np.sum([factor * matrix.weight for matrix, factor in self.terms], axis=0)

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return about x W for samples (N, R): (N, C)."""
        return _summed([(matrix.forward(x, rng=rng), factor) for matrix, factor in self.terms if factor])

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return about e W^T for errors (N, C): (N, R)."""
        return _summed([(matrix.backward(error, rng=rng), factor) for matrix, factor in self.terms if factor])

    def calibrated(self, x: Samples, *, margin: float) -> "Sum":
        """Return this sum, converters' full scales `margin` times the largest current of samples (N, R).

        A second matrix that starts at zero gives no current to scale by; its converters keep their full scale.
        """
        return Sum(tuple((matrix.calibrated(x, margin=margin), factor) for matrix, factor in self.terms))

    def settled(self) -> "Sum":
        """Return this sum as if made anew."""
        return Sum(tuple((matrix.settled(), factor) for matrix, factor in self.terms))


@dataclass(frozen=True)
class TikiTaka(RramRule):
    """Gradients into A, A's rows into C in turn.

    Attributes
    ----------
    pulses : EqualPulses
        What a coincidence fires at A, and a transfer at C.
    coincidences : Coincidences
        How outer products become pulses at A.
    gamma : float
        Part of A that is read with C (1).
    every : int
        Batches between two transfers.
    rows : int
        Rows carried over in one transfer.
    rate_transfer : float
        Part of A's row that C takes in one transfer (1).
    """

    pulses: EqualPulses
    coincidences: Coincidences
    gamma: float = 0.0
    every: int = 1
    rows: int = 1
    rate_transfer: float = 0.1

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C) to C; A is at its centre."""
        part, tally = super().begun(weight, rng=rng)
        centre = np.full((2, *weight.shape), self.bank.g_centre)
        fast = self.bank.loop.chain.init(centre, rng=rng)
        return replace(part, chi=np.zeros_like(weight), fast=fast), tally

    def matrix(self, part: MatrixState, before: Matrix | None, *, rng: np.random.Generator) -> Matrix:
        """Return C + gamma A."""
        assert part.fast is not None
        old = before.terms if isinstance(before, Sum) else ((None, 1.0), (None, self.gamma))
        both = zip((part.cells, part.fast), old, strict=True)
        return Sum(tuple((self.bank.matrix(cells, matrix, rng=rng), factor) for cells, (matrix, factor) in both))

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after A took the batch's coincidences and, when it is due, rows went over to C."""
        assert part.fast is not None
        up, down, clipped = self.coincidences.counts(batch.gradient, batch.rate, self.pulses.epsilon, rng=rng)
        fast, tally = self.pulses.fired(part.fast, up, down, rng=rng)
        part, tally = replace(part, fast=fast), tally + WriteCost(clamped=clipped)
        if (batch.number + 1) % self.every or not self.pulses.epsilon > 0.0:
            return part, tally
        part, done = self._transferred(part, batch, rng=rng)
        return part, tally + done

    def _transferred(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after a transfer: A's rows are read, C is pulsed by what they say."""
        assert part.fast is not None and isinstance(batch.matrix, Sum)
        size, number = part.chi.shape[0], (batch.number + 1) // self.every - 1  # from 0
        rows = (number * self.rows + np.arange(min(self.rows, size))) % size
        one_hot = np.zeros((rows.size, size), dtype=part.chi.dtype)
        one_hot[np.arange(rows.size), rows] = 1.0
        fast = self.bank.matrix(part.fast, batch.matrix.terms[1][0], rng=rng)
        read = fast.forward(Samples(one_hot), rng=rng)
        steps = np.zeros(part.chi.shape, dtype=np.int64)
        steps[rows] = rounded(self.rate_transfer * read.y / self.pulses.epsilon, rng=rng)
        cells, tally = self.pulses.stepped(part.cells, steps, rng=rng)
        return replace(part, cells=cells), tally + WriteCost(energy=read.energy, clamped=read.clamped, reads=rows.size)


def _summed(products: Sequence[tuple[Product, float]]) -> Product:
    return Product(
        np.sum([factor * product.y for product, factor in products], axis=0),
        sum(product.energy for product, _ in products),
        sum(product.clamped for product, _ in products),
    )
