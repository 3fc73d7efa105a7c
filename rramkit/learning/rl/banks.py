"""The two conductance banks of a deep Q-network, and what happens when the target network takes over the online one's.

Deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236) keeps two networks of one shape: the online one, which is
trained, and the target one, which says what is aimed at, and copies the first into the second every now and then. In
RRAM a copy is a write of every cell to a given conductance. Three ways, all three this kit's own design (TIME's text on
its mapping of deep reinforcement learning was not available):

* `copy`: the target bank is programmed to the online bank's conductances by write-verify;
* `swap`: the banks change roles. The online bank becomes the target as it stands; the former target goes on learning
  from what it holds, with its own optimiser. No cell is written. The two are then trained in turns, each against the
  other, as in double Q-learning (van Hasselt 2010), where the copy is not exact but the other one's last state;
* `freeze`: the online bank is frozen in place and becomes the target, and the other bank goes online: what it lacks of
  the frozen one's weights is added to its accumulated changes, and the update rule's own pulses write it over the next
  steps. No cell is written at the update; the algorithm is the original one, up to the pulses still outstanding.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from rramkit.learning.rules import Learner


@dataclass(frozen=True)
class Banks:
    """The online network, which is trained and acts, and the target network, which is only read."""

    online: Learner
    target: Learner


@dataclass(frozen=True)
class Rewrite:
    """What one update of the target network wrote: cells that got at least one pulse, pulses, their energy (J)."""

    cells: int = 0
    pulses: int = 0
    energy: float = 0.0


class TargetRule(ABC):
    """One way to make the online network's weights the target's."""

    @abstractmethod
    def step(self, banks: Banks, *, rng: np.random.Generator) -> tuple[Banks, Rewrite]:
        """Return the banks after one update of the target, and what it wrote."""


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
        missing = tuple(
            old.weight + chi - new.weight
            for old, chi, new in zip(frozen.matrices, frozen.chi, spare.matrices, strict=True)
        )
        return Banks(online=replace(spare, chi=missing, optimiser=frozen.optimiser), target=frozen), Rewrite()
