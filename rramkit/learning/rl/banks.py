"""The two conductance banks of a deep Q-network, and three ways to update the target network in RRAM.

Deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236) has two networks of one shape: the online one, which is
trained, and the target one, which gives the target values, and copies the first into the second at intervals. In RRAM a
copy is a write of every cell to a given conductance. Three ways, all three this kit's own design (TIME's text on its
mapping of deep reinforcement learning was not available):

* `copy`: the target bank is programmed to the online bank's conductances by write-verify;
* `swap`: the banks change roles. The online bank becomes the target as it is; the former target is trained further
  from its own weights, with its own optimiser. No cell is written. The two are then trained in turns, each against the
  other, as in double Q-learning (van Hasselt 2010), where the target is not a copy but the other network's last state;
* `freeze`: the online bank is frozen in place and becomes the target, and the other bank goes online: its difference
  from the frozen weights is added to its accumulated changes, and the update rule's own pulses write it over the next
  steps. No cell is written at the update; the algorithm is the original one, up to the pulses still outstanding.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule
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
    """The online bank is frozen as the target; the other one goes online and is written by the steps that follow."""

    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks in each other's role, the missing changes accumulated; nothing is written here."""
        frozen, spare = banks.online, banks.target
        if not frozen.rule_state.parts:
            return Banks(online=frozen, target=frozen), Rewrite()  # weights in memory: the copy is exact and free
        parts = tuple(
            replace(new, chi=old_matrix.weight + old.chi - matrix.weight)
            for old_matrix, old, matrix, new in zip(
                frozen.rule_state.matrices,
                frozen.rule_state.parts,
                spare.rule_state.matrices,
                spare.rule_state.parts,
                strict=True,
            )
        )
        rule_state = replace(frozen.rule_state, matrices=spare.rule_state.matrices, parts=parts)
        return Banks(online=replace(frozen, rule_state=rule_state), target=frozen), Rewrite()


@dataclass(frozen=True)
class Copy(TargetRule):
    """The target bank is programmed to the online bank's conductances by the rule's write-verify loop."""

    rule: BoundRule

    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks, the target's cells within the loop's window around the online one's."""
        online, rewrite = banks.online, Rewrite()
        rule, device = self.rule.rule, self.rule.device
        if not isinstance(rule, RramRule) or device is None:
            return Banks(online, target=online), rewrite  # weights in memory: the copy is exact and free
        parts, matrices = [], []
        target = banks.target.rule_state
        for now, matrix, aim in zip(target.parts, target.matrices, online.rule_state.parts, strict=True):
            part = _programmed(device, now, aim, rng=rng)
            written = int(np.count_nonzero(part.pulses > now.pulses))
            rewrite = Rewrite(rewrite.cells + written, rewrite.tally + part.cells.tally)
            parts.append(part)
            matrices.append(rule.matrix(device, part, matrix, rng=rng))
        rule_state: RuleState = replace(target, matrices=tuple(matrices), parts=tuple(parts))
        return Banks(online, replace(online, rule_state=rule_state)), rewrite


def _programmed(device: RramDevice, now: MatrixState, aim: MatrixState, *, rng: np.random.Generator) -> MatrixState:
    target = np.clip(aim.cells.g_cell, *device.mapping.window)
    return replace(now, cells=device.loop.program(now.cells, target, rng=rng).cells)
