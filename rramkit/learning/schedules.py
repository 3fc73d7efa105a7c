"""Learning-rate schedules: a factor of the learning rate, from the epoch and the validation accuracies so far."""

import math
from collections.abc import Sequence
from typing import Literal

from rramkit.parameters import Parameters, quantity


class ScheduleSettings(Parameters):
    """The factor of the learning rate in each epoch.

    * `constant`: 1;
    * `step`: `factor` after each `every` epochs;
    * `cosine`: (1 + cos(pi e / E)) / 2 in epoch e of E, e from 0 (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5);
    * `plateau`: `factor` whenever the validation accuracy has not risen for `every` epochs, as in the bulk-switching
      module (arXiv 2305.14547: halved after 5; by which images it does not say).

    `stop` ends a training, of both networks, when the validation accuracy has not risen for so many epochs.
    """

    kind: Literal["constant", "step", "cosine", "plateau"] = quantity("constant", "1", "how the learning rate falls")
    every: int = quantity(5, "1", "epochs of a step, or of patience", ge=1, le=10_000)
    factor: float = quantity(0.5, "1", "what a step multiplies the learning rate by", gt=0.0, le=1.0)

    stop: int = quantity(
        0, "1", "epochs without a higher validation accuracy after which the training ends; 0: never", ge=0, le=10_000
    )

    @property
    def needs_validation(self) -> bool:
        """Whether the schedule goes by validation accuracies."""
        return self.kind == "plateau" or self.stop > 0

    def stops(self, accuracies: Sequence[float]) -> bool:
        """Return whether the training ends after these accuracies, the first untrained."""
        return self.stop > 0 and _stalls(accuracies, self.stop) > 0

    def rate(self, epoch: int, epochs: int, accuracies: Sequence[float]) -> float:
        """Return the factor in `epoch` (from 1) of so many; `accuracies` are those before it.

        They are of the validation inputs, the first of the untrained network.
        """
        if self.kind == "step":
            return self.factor ** ((epoch - 1) // self.every)
        if self.kind == "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * (epoch - 1) / epochs))
        if self.kind == "plateau":
            return self.factor ** _stalls(accuracies, self.every)
        return 1.0


def _stalls(accuracies: Sequence[float], patience: int) -> int:
    """Return how often the accuracy has gone `patience` epochs without a new best one."""
    best, waited, stalls = -1.0, 0, 0
    for accuracy in accuracies:
        if accuracy > best:
            best, waited = accuracy, 0
        else:
            waited += 1
        if waited == patience:
            stalls, waited = stalls + 1, 0
    return stalls
