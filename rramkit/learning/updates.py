"""Update rules: what a batch's gradients do to the weights. Each is one object with `init` and `step`.

`MixedPrecision` follows Nandakumar et al. 2020 (Front. Neurosci. 14, 406; arXiv 2001.11773): the changes that the
optimiser wants are added up digitally, one number chi a weight, and only where |chi| has reached a threshold is the
device written, blind; chi keeps the remainder. Different from there, and this kit's own design: the write is one pulse
of the amplitude whose mean change in the table is nearest chi (not a number of equal pulses), chi is lessened by the
change that the table expects (not by a fixed step), and either half of the pair may be pulsed.

A weight rises by a SET of its plus cell or a RESET of its minus cell, and falls the other way about. Which of the two
is fired: the one that brings the mean of the pair towards `g_centre`, unless its nearest amplitude misses chi by more
than `MISS_LIMIT` and the other one's misses it by less. Where both miss by more, none is fired: chi waits and grows.

Validity: the table holds mean changes of one cell at the driver's terminals. Spread between pulses and between cells,
and the voltage that a write loses along the lines, are not in it, so a pulse here does exactly what is expected of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.programming import Writer
from rramkit.array.tile import ArrayModel, Tile
from rramkit.learning.matrices import FloatMatrix, Gradient, Matrix, TileMatrix
from rramkit.learning.optimisers import Arrays, Optimiser, OptimiserState

MISS_LIMIT = 0.5
"""Largest miss of a pulse over the change wanted (1): beyond it, firing gains less than waiting."""


@dataclass(frozen=True)
class Tally:
    """Pulses fired, the energy they took (J) and values clamped; tallies add."""

    pulses_set: int = 0
    pulses_reset: int = 0
    energy: float = 0.0
    clamped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.pulses_set + other.pulses_set,
            self.pulses_reset + other.pulses_reset,
            self.energy + other.energy,
            self.clamped + other.clamped,
        )


@dataclass(frozen=True)
class Learner:
    """The state of one network in training.

    Attributes
    ----------
    matrices : tuple of Matrix
        The network.
    optimiser : OptimiserState
        Running means of the gradients.
    chi : tuple of ndarray
        Changes wanted but not yet written, (R, C) for each, in units of weight; zero in float.
    pulses : tuple of ndarray
        Pulses fired so far at each cell (2, R, C) of each matrix; empty in float.
    tally : Tally
        What the last `init` or `step` did.
    """

    matrices: tuple[Matrix, ...]
    optimiser: OptimiserState
    chi: Arrays
    pulses: Arrays
    tally: Tally


class UpdateRule(ABC):
    """One way to change weights."""

    @abstractmethod
    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> Learner:
        """Return a network of the given weights, as near as the rule can make them."""

    @abstractmethod
    def step(self, learner: Learner, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> Learner:
        """Return the network after one batch's gradients."""


@dataclass(frozen=True)
class FloatReference(UpdateRule):
    """Weights in memory, changed by exactly what the optimiser wants."""

    optimiser: Optimiser

    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> Learner:
        """Return a network of exactly the given weights."""
        matrices = tuple(FloatMatrix(weight) for weight in weights)
        chi = tuple(np.zeros_like(weight) for weight in weights)
        return Learner(matrices, self.optimiser.init(weights), chi, (), Tally())

    def step(self, learner: Learner, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> Learner:
        """Return the network after one batch's gradients."""
        weights = [matrix.weight for matrix in learner.matrices]
        state, changes = self.optimiser.step(learner.optimiser, [gradient.weight for gradient in gradients], weights)
        matrices = tuple(
            FloatMatrix(matrix.weight + new) for matrix, new in zip(learner.matrices, changes, strict=True)
        )
        return replace(learner, matrices=matrices, optimiser=state)


@dataclass(frozen=True)
class MixedPrecision(UpdateRule):
    """Accumulate digitally, write one pulse where enough has come together, keep the remainder.

    Attributes
    ----------
    optimiser : Optimiser
        What turns gradients into wanted changes.
    model, writer
        Array reads and write pulses, from one table file.
    threshold : float
        Accumulated change at which a pulse is fired, as a conductance difference (S).
    g_unit : float
        Conductance difference that stands for a weight of one (S).
    g_centre : float
        Conductance that the mean of a pair is kept near (S).
    """

    optimiser: Optimiser
    model: ArrayModel
    writer: Writer
    threshold: float
    g_unit: float
    g_centre: float

    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> Learner:
        """Write the weights into pairs at their lowest, by one SET pulse a cell; chi holds what is missing."""
        matrices, chi, pulses, tally = [], [], [], Tally()
        for weight in weights:
            low, high = self.writer.g_range
            half = 0.5 * self.g_unit * weight
            wanted = np.clip(np.stack([self.g_centre + half, self.g_centre - half]), low, high)
            start = np.full(wanted.size, low)
            v_pulse, _ = self.writer.set.nearest(start, wanted.ravel() - low)
            pulse = self.writer.set.fire(start, v_pulse)
            matrix = TileMatrix(Tile.of(pulse.g_cell.reshape(wanted.shape), self.model), self.g_unit)
            tally += Tally(start.size, 0, float(pulse.energy.sum()), pulse.clamped + matrix.tile.clamped)
            matrices.append(matrix)
            chi.append(weight - matrix.weight)
            pulses.append(np.ones(wanted.shape, dtype=np.int64))
        return Learner(tuple(matrices), self.optimiser.init(weights), tuple(chi), tuple(pulses), tally)

    def step(self, learner: Learner, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> Learner:
        """Return the network after one batch's gradients: chi grown, pulses fired where it reached the threshold."""
        wanted = [matrix.weight + chi for matrix, chi in zip(learner.matrices, learner.chi, strict=True)]
        state, changes = self.optimiser.step(learner.optimiser, [gradient.weight for gradient in gradients], wanted)
        matrices, chi, pulses, tally = [], [], [], Tally()
        for matrix, old, change, count in zip(learner.matrices, learner.chi, changes, learner.pulses, strict=True):
            assert isinstance(matrix, TileMatrix)
            new_matrix, new_chi, fired, done = self._write(matrix, old + change)
            matrices.append(new_matrix)
            chi.append(new_chi)
            pulses.append(count + fired)
            tally += done
        return Learner(tuple(matrices), state, tuple(chi), tuple(pulses), tally)

    def _write(self, matrix: TileMatrix, chi: np.ndarray) -> tuple[TileMatrix, np.ndarray, np.ndarray | int, Tally]:
        """Return the matrix after its pulses, the remainder (R, C), pulses at each cell (2, R, C) and the tally."""
        chi, clamped = self._within_range(matrix.weight, chi)
        rows, cols = np.nonzero(np.abs(chi) * self.g_unit >= self.threshold)
        if not rows.size:
            return matrix, chi, 0, Tally(clamped=clamped)
        g_cell = matrix.tile.g_cell.copy()
        plan = plan_pulses(self.writer, g_cell[:, rows, cols], chi[rows, cols] * self.g_unit, g_centre=self.g_centre)
        rows, cols = rows[plan.weight], cols[plan.weight]
        fired = np.zeros(g_cell.shape, dtype=np.int64)
        fired[plan.half, rows, cols] = 1
        remainder = chi.copy()
        remainder[rows, cols] -= np.where(plan.half == 0, plan.expected, -plan.expected) / self.g_unit
        tally = Tally(clamped=clamped)
        for write, chosen in ((self.writer.set, plan.is_set), (self.writer.reset, ~plan.is_set)):
            place = (plan.half[chosen], rows[chosen], cols[chosen])
            pulse = write.fire(g_cell[place], plan.v_pulse[chosen])
            g_cell[place] = pulse.g_cell
            counts = (place[0].size, 0) if write is self.writer.set else (0, place[0].size)
            tally += Tally(*counts, float(pulse.energy.sum()), pulse.clamped)
        tile = matrix.tile.programmed(g_cell)
        return TileMatrix(tile, self.g_unit), remainder, fired, tally + Tally(clamped=tile.clamped)

    def _within_range(self, weight: np.ndarray, chi: np.ndarray) -> tuple[np.ndarray, int]:
        """Keep weight + chi within what a pair can hold, lest chi winds up for ever; return chi and how many it hit."""
        low, high = self.writer.g_range
        limit = (high - low) / self.g_unit
        kept = np.clip(chi, -limit - weight, limit - weight)
        return kept, int(np.count_nonzero(kept != chi))


@dataclass(frozen=True)
class PulsePlan:
    """One pulse for each of P weights out of N.

    Attributes
    ----------
    weight : ndarray of int
        Which of the N weights (P,).
    half : ndarray of int
        0 for the plus cell, 1 for the minus cell (P,).
    is_set : ndarray of bool
        SET or RESET (P,).
    v_pulse, expected : ndarray
        Amplitude (V) and the change of the pulsed cell that the table expects (S), (P,).
    """

    weight: np.ndarray
    half: np.ndarray
    is_set: np.ndarray
    v_pulse: np.ndarray
    expected: np.ndarray


def plan_pulses(writer: Writer, g_pair: np.ndarray, wanted: np.ndarray, *, g_centre: float) -> PulsePlan:
    """Choose cell, polarity and amplitude for pairs (2, N) in siemens whose difference should change by `wanted` (N,).

    The rule stands in this module's docstring.
    """
    weights = np.arange(wanted.size)
    size = np.abs(wanted)
    set_half = np.where(wanted > 0.0, 0, 1)
    v_set, rise = writer.set.nearest(g_pair[set_half, weights], size)
    v_reset, fall = writer.reset.nearest(g_pair[1 - set_half, weights], -size)
    set_miss, reset_miss = np.abs(rise - size) / size, np.abs(fall + size) / size
    low_pair = g_pair.mean(axis=0) < g_centre
    miss_at_hand = np.where(low_pair, set_miss, reset_miss)
    is_set = np.where(miss_at_hand <= MISS_LIMIT, low_pair, set_miss < reset_miss)
    fire = np.where(is_set, set_miss, reset_miss) <= MISS_LIMIT
    half = np.where(is_set, set_half, 1 - set_half)
    v_pulse, expected = np.where(is_set, v_set, v_reset), np.where(is_set, rise, fall)
    return PulsePlan(weights[fire], half[fire], is_set[fire], v_pulse[fire], expected[fire])
