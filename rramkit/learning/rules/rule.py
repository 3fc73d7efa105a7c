"""The state of a network in training, and what an update rule is: frozen state, `init` and `step`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rramkit.array.write.state import CellState, WriteCost
from rramkit.learning.matrices import Gradient, Matrix
from rramkit.learning.optimisers import OptimiserState


@dataclass(frozen=True)
class MatrixState:
    """What a rule knows of one matrix (R, C) beside its reads.

    Attributes
    ----------
    cells : CellState
        Its cells (2, R, C).
    chi : ndarray
        Changes wanted and not yet written (R, C), in units of weight.
    digital : ndarray or None
        Weights (R, C) that are kept in memory, where the rule keeps them.
    fast : CellState or None
        Cells (2, R, C) of a second matrix that collects gradients, where the rule has one.
    rows : ndarray of int or None
        Physical row of each row of the matrix (R,), where the rule moves rows.
    known : ndarray or None
        What the controller takes the cells' conductances for (2, R, C), in siemens, where the rule does not read them.
    """

    cells: CellState
    chi: np.ndarray
    digital: np.ndarray | None = None
    fast: CellState | None = None
    rows: np.ndarray | None = None
    known: np.ndarray | None = None

    @property
    def pulses(self) -> np.ndarray:
        """Pulses fired so far at each cell (2, R, C), those of the second matrix included."""
        return self.cells.pulses if self.fast is None else self.cells.pulses + self.fast.pulses


@dataclass(frozen=True)
class RuleState:
    """The state of one network in training.

    Attributes
    ----------
    matrices : tuple of Matrix
        The network.
    optimiser : OptimiserState
        Running means of the gradients.
    parts : tuple of Part
        What the rule knows of each matrix; empty in float.
    steps : int
        Batches seen.
    tally : Tally
        What the last `init` or `step` did.
    """

    matrices: tuple[Matrix, ...]
    optimiser: OptimiserState
    parts: tuple[MatrixState, ...] = ()
    steps: int = 0
    tally: WriteCost = field(default_factory=WriteCost)

    @property
    def pulses(self) -> tuple[np.ndarray, ...]:
        """Pulses fired so far at each cell (2, R, C) of each matrix; empty in float."""
        return tuple(part.pulses for part in self.parts)

    @property
    def chi(self) -> tuple[np.ndarray, ...]:
        """Changes wanted and not yet written (R, C) of each matrix, in units of weight; empty in float."""
        return tuple(part.chi for part in self.parts)


class UpdateRule(ABC):
    """One way to change weights."""

    @abstractmethod
    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return a network of the given weights, as near as the rule can make them."""

    @abstractmethod
    def step(self, learner: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> RuleState:
        """Return the network after one batch's gradients."""
