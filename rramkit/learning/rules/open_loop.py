"""Open-loop gradual write: every wanted change is one pulse of the table's mean, row by row, and nothing is read back.

    every k batches:   fire at each weight the pulse whose mean change is nearest the sum of the batches' changes

This is the kit's reading of a "variability-free" scheme with gradual-write circuits (TIME, DAC 2017 and TCAD 2018,
whose circuit detail is not known): the controller trusts the mean, does not verify and keeps no remainder. What a pulse
missed is lost, and what no pulse comes near to (`MISS_LIMIT` in `pairs`) is not written.

Threshold training (Fault-Tolerant Training with On-Line Fault Detection, DAC 2017) leaves out what is small first ::

    change <- 0    where |change| < theta max |change| of the matrix

RECALLED, not confirmed: this form and theta = 0.01; about 90 % of the changes are then below it.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.state import Tally
from rramkit.learning.rules.learner import Part
from rramkit.learning.rules.on_bank import BankRule, Batch
from rramkit.learning.rules.pairs import write_pairs


@dataclass(frozen=True)
class OpenLoop(BankRule):
    """One pulse of the table's mean for every change.

    Attributes
    ----------
    every : int
        Batches whose changes are added up before a write.
    theta : float
        Part of a matrix's largest change below which a change is left out; 0: none is.
    """

    every: int = 1
    theta: float = 0.0

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[Part, Tally]:
        """Write first weights (R, C); what they missed is lost."""
        part, tally = super().begun(weight, rng=rng)
        return replace(part, chi=np.zeros_like(weight)), tally

    def updated(self, part: Part, batch: Batch, *, rng: np.random.Generator) -> tuple[Part, Tally]:
        """Return the part after the sum of the changes was written, when its time has come."""
        chi = part.chi + batch.change
        if (batch.number + 1) % self.every:
            return replace(part, chi=chi), Tally()
        weight = self.bank.weight(part.cells.g_cell)
        total, clamped = self.bank.kept(weight + chi)
        change = total - weight
        rows, cols = np.nonzero(np.abs(change) >= self.theta * np.max(np.abs(change), initial=0.0))
        cells, _ = write_pairs(self.bank, part.cells, change[rows, cols], (rows, cols), rng=rng)
        return replace(part, cells=cells, chi=np.zeros_like(chi)), cells.tally + Tally(clamped=clamped)
