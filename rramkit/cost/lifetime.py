"""Lifetime of the cells under a training: how many batches until the busiest cell has had all the pulses it stands.

    lifetime = endurance / n_busiest          n_busiest  pulses a batch at the busiest cell of a matrix
    balance  = n_mean / n_busiest             n_mean     pulses a batch of a cell of it, on average

so that lifetime = endurance x balance / n_mean: it rises as writes become fewer, and as they are spread more evenly.
The initial programming is left out: it comes once. Pulses are the simulator's own counts; `endurance` is an assumption
(`rramkit.cost.Assumptions`), and every lifetime is proportional to it.

Source: the figure that "Long Live TIME" (DAC 2018) is about; this form of it is the kit's own.
"""

from dataclasses import dataclass

from rramkit.cost.assumptions import Assumptions
from rramkit.cost.subject import Subject
from rramkit.record import Run


@dataclass(frozen=True)
class Lifetime:
    """Wear of one matrix.

    Attributes
    ----------
    layer : str
        Label of its layer.
    busiest, mean : float
        Pulses a batch at its busiest cell, and of a cell on average (1).
    batches : float
        Batches until the busiest cell has had as many pulses as it stands; infinite without a pulse (1).
    """

    layer: str
    busiest: float
    mean: float
    batches: float

    @property
    def balance(self) -> float:
        """Mean over the busiest cell's pulses: 1 where all cells are pulsed alike (1)."""
        return self.mean / self.busiest if self.busiest else 1.0


def lifetimes(subject: Subject, assumed: Assumptions) -> tuple[Lifetime, ...]:
    """Return the lifetime of each matrix.

    Parameters
    ----------
    subject : Subject
        The training.
    assumed : Assumptions
        Its endurance.

    Returns
    -------
    tuple of Lifetime
        By matrix; none of a run without batches, of reinforcement learning, or of a file that does not hold the pulses
        of the busiest cell.
    """
    run, batches = subject.run, subject.training.batches
    if not isinstance(run, Run) or not batches or any(layer.pulses_busiest is None for layer in run.layers):
        return ()
    found: list[Lifetime] = []
    for index, (matrix, layer) in enumerate(zip(subject.work.matrices, run.layers, strict=True)):
        cells = layer.pulses.size * subject.arrays(index)
        busiest = (layer.pulses_busiest or 0) / batches
        mean = float(layer.pulses_by_epoch[1:].sum()) / cells / batches
        found.append(Lifetime(matrix.label, busiest, mean, assumed.endurance / busiest if busiest else float("inf")))
    return tuple(found)


def shortest(found: tuple[Lifetime, ...]) -> Lifetime | None:
    """Return the matrix that is worn out first; None where nothing is known."""
    return min(found, key=lambda each: each.batches, default=None)
