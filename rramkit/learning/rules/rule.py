"""What an update rule is, its state, and a rule bound to a device.

A rule is its settings: one frozen record with a `kind`, whose fields have units and bounds. `bind` puts it on the
device of a table file; the bound rule has `init` and `step`, from frozen state to frozen state.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from rramkit.array.mapping import WeightMapping
from rramkit.array.matrix import Gradient, Matrix
from rramkit.array.read_model import ReadModel
from rramkit.array.write.state import CellState, WriteCost
from rramkit.learning.optimisers import Optimiser, OptimiserState
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.parameters import Parameters
from rramkit.table import TableFile


@dataclass(frozen=True)
class MatrixState:
    """The state of one matrix (R, C) beside its reads.

    Attributes
    ----------
    cells : CellState
        Its cells (halves, R, columns).
    chi : ndarray
        Accumulated changes that are not yet written (R, C), in units of weight: the residue.
    digital : ndarray or None
        Weights (R, C) in memory, where the rule has them.
    fast : CellState or None
        Cells (2, R, C) of a second matrix that accumulates gradients, where the rule has one.
    copy : CellState or None
        Cells (2, C, R) of a copy of the matrix that errors go back through, where the rule has one.
    rows : ndarray of int or None
        Physical row of each row of the matrix (R,), where the rule permutes rows.
    ages : ndarray of int or None
        Pulses of the most-pulsed cell of each physical row (R,) when rows were last looked at, where the rule does so.
    stuck : ndarray of bool or None
        Cells (halves, R, columns) that the controller knows to be stuck, where the rule looks for them.
    g_estimate : ndarray or None
        The controller's estimate of the conductances (halves, R, columns) in siemens, where it does not read them.
    flips : ndarray or None
        Columns (columns,) stored as complements, where the mapping has them.
    """

    cells: CellState
    chi: np.ndarray
    digital: np.ndarray | None = None
    fast: CellState | None = None
    copy: CellState | None = None
    rows: np.ndarray | None = None
    ages: np.ndarray | None = None
    stuck: np.ndarray | None = None
    g_estimate: np.ndarray | None = None
    flips: np.ndarray | None = None

    @property
    def pulses(self) -> np.ndarray:
        """Pulses fired so far at each cell (halves, R, columns), those of a second matrix or a copy included."""
        pulses = self.cells.pulses if self.fast is None else self.cells.pulses + self.fast.pulses
        return pulses if self.copy is None else pulses + self.copy.pulses.swapaxes(1, 2)

    def busiest(self, since: "MatrixState") -> int:
        """Return the pulses that the most-pulsed cell has got since an earlier state."""
        pairs = [(self.cells, since.cells), (self.fast, since.fast), (self.copy, since.copy)]
        fired = [now.pulses - then.pulses for now, then in pairs if now is not None and then is not None]
        return max(int(np.max(each, initial=0)) for each in fired)


@dataclass(frozen=True)
class RuleState:
    """The state of the matrices of one network in training.

    Attributes
    ----------
    matrices : tuple of Matrix
        The matrices as they are read.
    optimiser : OptimiserState
        Running means of the gradients.
    parts : tuple of MatrixState
        The state of each matrix' cells; empty in float.
    steps : int
        Batches so far.
    tally : WriteCost
        Cost of the last `init` or `step`.
    tallies : tuple of WriteCost
        The same by matrix; empty in float.
    """

    matrices: tuple[Matrix, ...]
    optimiser: OptimiserState
    parts: tuple[MatrixState, ...] = ()
    steps: int = 0
    tally: WriteCost = field(default_factory=WriteCost)
    tallies: tuple[WriteCost, ...] = ()

    @property
    def pulses(self) -> tuple[np.ndarray, ...]:
        """Pulses fired so far at each cell (halves, R, columns) of each matrix; empty in float."""
        return tuple(part.pulses for part in self.parts)

    @property
    def chi(self) -> tuple[np.ndarray, ...]:
        """Accumulated changes that are not yet written (R, C) of each matrix, in units of weight; empty in float."""
        return tuple(part.chi for part in self.parts)


@dataclass(frozen=True)
class BoundRule:
    """A rule on a device, with the optimiser that turns gradients into wanted changes.

    Attributes
    ----------
    rule : UpdateRule
        The rule.
    optimiser : Optimiser
        The optimiser.
    device : RramDevice or None
        The cells; None: weights in memory.
    by_matrix : mapping
        The rule on another device, by the number of the matrix that has settings of its own.
    first : int
        Matrices of the network's first layer, which pass no error on: several where it lies in several arrays.
    """

    rule: "UpdateRule"
    optimiser: Optimiser
    device: RramDevice | None = None
    by_matrix: Mapping[int, "BoundRule"] = field(default_factory=dict)
    first: int = 1

    def at(self, matrix: int) -> "BoundRule":
        """Return the rule on the device of one matrix, by its number."""
        return self.by_matrix.get(matrix, self)

    def limits(self, matrices: int) -> list[float]:
        """Return the largest weight that cells hold uncut, of each of a number of matrices; 1 for weights in memory."""
        devices = [self.at(index).device for index in range(matrices)]
        return [1.0 if device is None else device.mapping.reach for device in devices]

    @property
    def calibrates(self) -> bool:
        """Whether converters, readouts or the mapping of the device have something that a batch sets."""
        return self.device is not None and (self.device.model.chain.calibrates or self.device.mapping.calibrates)

    @property
    def memory(self) -> dict[str, int]:
        """Digital numbers that the controller keeps for each weight, by name."""
        return self.rule.memory(self)

    def init(self, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return matrices of the given weights (R, C), as near as the device can be written.

        Raises
        ------
        InputError
            When a weight is beyond what the mapping can hold.
        """
        return self.rule.initial_state(self, weights, rng=rng)

    def step(self, state: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator) -> RuleState:
        """Return the state after one batch's gradients, one a matrix."""
        return self.rule.next_state(self, state, gradients, rng=rng)


def chosen_by_tables(asked: "UpdateRule", bound: BoundRule) -> dict[str, object]:
    """Return the settings of a rule that were left to the tables, and what they became, by dotted name."""
    before, after = asked.model_dump(mode="json"), bound.rule.model_dump(mode="json")
    left = [name for name, value in before.items() if value is None or value == "auto"]
    chosen = {f"rule.{name}": after[name] for name in left}
    if bound.device is not None and before.get("start") == "auto":
        chosen["rule.start"] = bound.device.start
    return {name: value for name, value in chosen.items() if value not in ("auto", None)}


class UpdateRule(Parameters, ABC):
    """One way to change weights; each rule has a field `kind` that names it."""

    at_ends: ClassVar[bool] = False  # whether weights stand at the ends of their range by design
    reaches_all: ClassVar[str] = ""  # why it writes cells without a connection too; empty: it leaves them alone

    @property
    def off_device(self) -> str:
        """Why it does not train on a device (`rramkit.learning.on_device`); empty: it does."""
        return "asks which cells and weights there are to write"

    @abstractmethod
    def bind(self, tables: TableFile, model: ReadModel, optimiser: Optimiser, mapping: WeightMapping) -> BoundRule:
        """Return the rule on the device of a table file, weights mapped by `mapping`.

        Raises
        ------
        InputError
            When the rule cannot write this mapping.
        """

    @abstractmethod
    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return the lowest and the highest conductance that a cell may be left at (S)."""

    def arrays(self, matrix: int, *, first: int = 1) -> int:
        """Return how many times cells hold a matrix, by its number: once, or twice with a second one or a copy."""
        return 2 if self.copied(matrix, first=first) else 1

    def copied(self, matrix: int, *, first: int = 1) -> bool:
        """Whether a copy that holds the transpose of a matrix, by its number, stands beside it; `first` as there."""
        return False

    @abstractmethod
    def ideal(self) -> Self:
        """Return the rule without any non-ideality between driver and cell."""

    @abstractmethod
    def memory(self, bound: BoundRule) -> dict[str, int]:
        """Return the digital numbers that the controller keeps for each weight, by name."""

    @abstractmethod
    def initial_state(self, bound: BoundRule, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return the state that `BoundRule.init` gives."""

    @abstractmethod
    def next_state(
        self, bound: BoundRule, state: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator
    ) -> RuleState:
        """Return the state that `BoundRule.step` gives."""
