"""Tiki-Taka: a fast matrix A accumulates gradients, and is transferred row by row to the matrix C that is read.

    y = x (C + gamma A)
    every batch:          A <- A - rate sum_n x_n e_n        by outer-product pulses (`outer_product`)
    every k batches:      one row a of A is read, and C's row <- C's row + rate_transfer a, by equal pulses; the next
                          transfer takes the next row, and after the last the first

Source: Gokmen and Haensch (Front. Neurosci. 14, 103, 2020). RECALLED, not confirmed: gamma 0 as its usual choice, and
one line for each transfer in turn. The device's symmetric point, where a step up and a step down cancel, must stand for
zero in A: both halves of a pair are equal devices pulsed in opposite directions, which makes it so, and A starts there
(this kit's choice in place of a reference array). A transfer reads a row by driving it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import Matrix, Product, Samples
from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_counts import stochastic_round
from rramkit.learning.rules.pulse_trains import Coincidences, PulseTrains
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


@dataclass(frozen=True)
class Sum:
    """The sum of matrices (R, C), each times its factor, read one after the other; one of factor zero is not read."""

    terms: tuple[tuple[MappedMatrix, float], ...]

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the cells stand for."""
        return np.sum([factor * matrix.weight for matrix, factor in self.terms], axis=0)

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W as read for samples (N, R): (N, C)."""
        return _sum([(matrix.forward(x, rng=rng), factor) for matrix, factor in self.terms if factor])

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T as read for errors (N, C): (N, R)."""
        return _sum([(matrix.backward(error, rng=rng), factor) for matrix, factor in self.terms if factor])

    def calibrated(self, x: Samples, errors: np.ndarray | None = None, *, margin: float) -> "Sum":
        """Return this sum, converters' full scales `margin` times the largest current of samples (N, R).

        A second matrix that starts at zero gives no current to scale by; its converters keep their full scale.
        """
        return Sum(tuple((matrix.calibrated(x, errors, margin=margin), factor) for matrix, factor in self.terms))

    def without_cache(self) -> "Sum":
        """Return this sum without the operators that reads have prepared."""
        return Sum(tuple((matrix.without_cache(), factor) for matrix, factor in self.terms))


class TikiTaka(RramRule):
    """Gradients into A, A's rows into C in turn."""

    optimised: ClassVar[bool] = False
    reaches_all: ClassVar[str] = "pulses whole rows and columns"

    kind: Literal["tiki_taka"] = quantity("tiki_taka", "1", "gradients into A, A's rows into C in turn")
    trains: PulseTrains = quantity("stochastic", "1", "stochastic or deterministic pulse trains at A")
    slots: int = quantity(10, "1", "slots of a sample's trains", ge=1, le=1000)
    step: float = quantity(0.002, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)
    gamma: float = quantity(0.0, "1", "part of A that is read with C", ge=0.0, le=1.0)
    every: int = quantity(1, "1", "batches between two transfers", ge=1, le=1_000_000)
    rows: int = quantity(1, "1", "rows transferred at once", ge=1, le=1_000_000)
    rate_transfer: float = quantity(0.1, "1", "part of A's row that C takes in one transfer", gt=0.0, le=10.0)

    def equal_pulses(self) -> float:
        """Return the step of a pulse."""
        return self.step

    def arrays(self, matrix: int, *, first: int = 1) -> int:
        """Return two: A and C."""
        return 2

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return nothing: gradients accumulate in cells."""
        return {}

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C) to C; A is at its centre."""
        state, cost = super().first(device, weight, rng=rng)
        centre = np.full((2, *weight.shape), device.pairs.g_centre)
        fast = device.loop.chain.init(centre, rng=rng)
        return replace(state, chi=np.zeros_like(weight), fast=fast), cost

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return C + gamma A."""
        assert state.fast is not None
        old = before.terms if isinstance(before, Sum) else ((None, 1.0), (None, self.gamma))
        both = zip((state.cells, state.fast), old, strict=True)
        return Sum(tuple((device.matrix(cells, matrix, rng=rng), factor) for cells, (matrix, factor) in both))

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after A took the batch's coincidences and, every `every` batches, rows went over to C."""
        assert state.fast is not None
        pulses, trains = device.equal_pulses, Coincidences(self.trains, self.slots)
        up, down, clipped = trains.counts(request.gradient, request.rate, pulses.epsilon, rng=rng)
        fast, cost = pulses.fire(state.fast, up, down, rng=rng)
        state, cost = replace(state, fast=fast), cost + WriteCost(clamped=clipped)
        if (request.batch + 1) % self.every or not pulses.epsilon > 0.0:
            return state, cost
        state, of_transfer = self._transferred(device, state, request, rng=rng)
        return state, cost + of_transfer

    def _transferred(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after a transfer: A's rows are read, and C is pulsed by the result."""
        assert state.fast is not None and isinstance(request.matrix, Sum)
        size, number = state.chi.shape[0], (request.batch + 1) // self.every - 1  # from 0
        rows = (number * self.rows + np.arange(min(self.rows, size))) % size
        one_hot = np.zeros((rows.size, size), dtype=state.chi.dtype)
        one_hot[np.arange(rows.size), rows] = 1.0
        fast = device.matrix(state.fast, request.matrix.terms[1][0], rng=rng)
        read, pulses = fast.forward(Samples(one_hot), rng=rng), device.equal_pulses
        steps = np.zeros(state.chi.shape, dtype=np.int64)
        steps[rows] = stochastic_round(self.rate_transfer * read.y / pulses.epsilon, rng=rng)
        cells, cost = pulses.fire_signed(state.cells, steps, rng=rng)
        cost += WriteCost(clamped=read.clamped)
        return replace(state, cells=cells), cost + WriteCost.of_reads(
            rows.size, energy=read.energy, seconds=read.duration
        )


def _sum(products: Sequence[tuple[Product, float]]) -> Product:
    return Product(
        np.sum([factor * product.y for product, factor in products], axis=0),
        sum(product.energy for product, _ in products),
        sum(product.clamped for product, _ in products),
        sum(product.duration for product, _ in products),
        sum(product.conversions for product, _ in products),
        sum(product.beyond for product, _ in products),
        sum(product.e_drivers for product, _ in products),
        sum(product.e_sensing for product, _ in products),
        sum(product.whole_conversions for product, _ in products),
    )
