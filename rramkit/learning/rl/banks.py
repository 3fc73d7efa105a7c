"""The two conductance banks of a deep Q-network, and three ways to update the target network in RRAM.

Deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236) has two networks of one shape: the online one, which is
trained, and the target one, which gives the target values, and copies the first into the second at intervals. In RRAM a
copy is a write of every cell to a given conductance. Three ways, all three this kit's own design (TIME's text on its
mapping of deep reinforcement learning was not available):

* `copy`: the online bank's cells are read, and the target bank is programmed to them by write-verify;
* `swap`: the banks change roles. The online bank becomes the target as it is; the former target is trained further
  from its own weights, with its own optimiser. No cell is written. The two are then trained in turns, each against the
  other, as in double Q-learning (van Hasselt 2010), where the target is not a copy but the other network's last state;
* `freeze`: the online bank is frozen in place and becomes the target, and the other bank goes online: its difference
  from the frozen weights is added to its accumulated changes, and the update rule writes what it can of it at once; the
  rest waits in the accumulated changes of the next steps. The algorithm is the original one, up to that rest. The
  difference comes from the controller's memory where it has weights there, else from a read of both banks. Reads and
  pulses of the update are booked as those of the update.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.matrix import Gradient, Matrix, Samples
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import BoundRule, MatrixState, RuleState
from rramkit.learning.trainer import NetworkState


@dataclass(frozen=True)
class Banks:
    """The online network, which is trained and acts, and the target network, which is only read."""

    online: NetworkState
    target: NetworkState


@dataclass(frozen=True)
class Rewrite:
    """Writes of one update of the target network: cells that got at least one pulse, and the cost."""

    cells: int = 0
    tally: WriteCost = field(default_factory=WriteCost)


class TargetRule(ABC):
    """One way to make the online network's weights the target's: an update of the target network."""

    @abstractmethod
    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks after one update of the target, and its writes."""


@dataclass(frozen=True)
class Swap(TargetRule):
    """The banks change roles; nothing is written."""

    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks in each other's role."""
        return Banks(online=banks.target, target=banks.online), Rewrite()


@dataclass(frozen=True)
class Freeze(TargetRule):
    """The online bank is frozen as the target; the other one goes online, and is brought to its weights by the rule."""

    rule: BoundRule

    def __post_init__(self) -> None:
        rule = self.rule.rule
        if isinstance(rule, RramRule) and not rule.accumulates:
            kind = str(type(rule).model_fields["kind"].default)
            raise InputError(
                f'`target` "freeze" needs a rule that accumulates changes; got {kind}. Take mixed_precision, '
                'threshold, open_loop or row_sparse, or `target = "swap"`.'
            )

    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks in each other's role, the missing changes accumulated and, as far as they go, written."""
        frozen, spare = banks.online, banks.target
        if self.rule.device is None:
            return Banks(online=frozen, target=frozen), Rewrite()  # weights in memory: the copy is exact and free
        parts, matrices, rewrite, online = [], [], Rewrite(), frozen.rule_state
        whole = zip(online.parts, spare.rule_state.parts, spare.rule_state.matrices, strict=True)
        for index, (aim, now, matrix) in enumerate(whole):
            rule, device = _of_matrix(self.rule, index)
            (wanted, first), (found, second) = (rule.read_weight(device, each, rng=rng) for each in (aim, now))
            missing = replace(now, chi=(wanted + aim.chi - found).astype(now.chi.dtype, copy=False))
            part, cost = rule.apply(device, missing, _no_change(missing, online.steps, matrix), rng=rng)
            written = int(np.count_nonzero(part.pulses > now.pulses))
            rewrite = Rewrite(rewrite.cells + written, rewrite.tally + first + second + cost)
            parts.append(part)
            matrices.append(rule.matrix(device, part, matrix, rng=rng))
        rule_state = replace(online, matrices=tuple(matrices), parts=tuple(parts))
        return Banks(online=replace(frozen, rule_state=rule_state), target=frozen), rewrite


def _no_change(state: MatrixState, steps: int, matrix: Matrix) -> UpdateRequest:
    """Return an update that adds nothing to what waits to be written."""
    nothing = np.zeros_like(state.chi)
    gradient = Gradient(Samples(np.zeros((1, nothing.shape[0]), nothing.dtype)), np.zeros((1, nothing.shape[1])))
    return UpdateRequest(nothing, gradient, 0.0, steps, matrix)


@dataclass(frozen=True)
class Copy(TargetRule):
    """The target bank is programmed to the online bank's conductances by the rule's write-verify loop."""

    rule: BoundRule

    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks, the target's cells within the loop's window around the online one's."""
        online, rewrite = banks.online, Rewrite()
        if self.rule.device is None:
            return Banks(online, target=online), rewrite  # weights in memory: the copy is exact and free
        parts, matrices = [], []
        target = banks.target.rule_state
        whole = zip(target.parts, target.matrices, online.rule_state.parts, strict=True)
        for index, (now, matrix, aim) in enumerate(whole):
            rule, device = _of_matrix(self.rule, index)
            part = _programmed(device, now, aim, rng=rng)
            written = int(np.count_nonzero(part.pulses > now.pulses))
            rewrite = Rewrite(rewrite.cells + written, rewrite.tally + part.cells.tally)
            parts.append(part)
            matrices.append(rule.matrix(device, part, matrix, rng=rng))
        rule_state: RuleState = replace(target, matrices=tuple(matrices), parts=tuple(parts))
        return Banks(online, replace(online, rule_state=rule_state)), rewrite


def _of_matrix(bound: BoundRule, index: int) -> tuple[RramRule, RramDevice]:
    """Return rule and device of one matrix of a rule that writes cells."""
    rule, device = bound.at(index).rule, bound.at(index).device
    assert isinstance(rule, RramRule) and device is not None
    return rule, device


def _programmed(device: RramDevice, now: MatrixState, aim: MatrixState, *, rng: np.random.Generator) -> MatrixState:
    seen, reads = device.read_all(aim.cells, rng=rng)
    cells = device.loop.program(now.cells, np.clip(seen, *device.mapping.window), rng=rng).cells
    return replace(now, cells=replace(cells, tally=cells.tally + reads))
