"""Open-loop gradual write: every wanted change is one pulse of the table's mean, row by row, and nothing is read back.

    every k batches:   fire at each weight the pulse whose mean change is nearest the sum of the batches' changes

This is the kit's reading of a "variability-free" scheme with gradual-write circuits (TIME, DAC 2017 and TCAD 2018,
whose circuit detail is not known): the controller trusts the mean, does not verify and keeps no remainder. What a pulse
missed is lost, and what no pulse comes near to (`MISS_LIMIT` in `pairs`) is not written.

What a pulse does depends on the cell's conductance g, so the controller must know it. Two ways, both ours (`knows`)::

    mean   g is read once, after the first programming; from then on g <- g + mean change of each pulse fired
    read   each half of a pair that is to be changed is read before its pulse; counted as reads, energy and time

By `mean` what a cell does apart from the table's mean adds up unseen; without any spread both are the same.

Threshold training (Fault-Tolerant Training with On-Line Fault Detection, DAC 2017) leaves out what is small first ::

    change <- 0    where |change| < theta max |change| of the matrix

RECALLED, not confirmed: this form and theta = 0.01; about 90 % of the changes are then below it.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.bank import flat_cells
from rramkit.learning.rules.pulse_choice import fired, plan_pulses, reads_of
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState

Knows = Literal["mean", "read"]


@dataclass(frozen=True)
class OpenLoop(RramRule):
    """One pulse of the table's mean for every change.

    Attributes
    ----------
    every : int
        Batches whose changes are added up before a write.
    theta : float
        Part of a matrix's largest change below which a change is left out; 0: none is.
    knows : str
        How the controller knows a cell's conductance: `mean` or `read`.
    """

    every: int = 1
    theta: float = 0.0
    knows: Knows = "mean"

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), and read once what they became; what they missed is lost."""
        part, tally = super().begun(weight, rng=rng)
        part = replace(part, chi=np.zeros_like(weight))
        if self.knows == "read":
            return part, tally
        g_cell = part.cells.g_cell
        return replace(part, known=g_cell), tally + self.bank.loop.reads(np.arange(g_cell.size), g_cell, g_cell.shape)

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after the sum of the changes was written, when its time has come."""
        chi = part.chi + batch.change
        if (batch.number + 1) % self.every:
            return replace(part, chi=chi), WriteCost()
        weight = self.bank.weight(part.cells.g_cell if part.known is None else part.known)
        total, clamped = self.bank.kept(weight + chi)
        change = total - weight
        size = np.abs(change)
        chosen = (size > 0.0) & (size >= self.theta * np.max(size, initial=0.0))
        part, tally = self._written(replace(part, chi=np.zeros_like(chi)), change, np.nonzero(chosen), rng=rng)
        return part, tally + WriteCost(clamped=clamped)

    def _written(
        self, part: MatrixState, change: np.ndarray, where: tuple[np.ndarray, ...], *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after one pulse at each of the pairs `where` (N,), of changes (R, C) of their weights."""
        (rows, cols), shape = where, part.cells.g_cell.shape
        if not rows.size:
            return part, WriteCost()
        seen, reads = part.known, WriteCost()
        if seen is None:
            seen = part.cells.g_cell
            reads = reads_of(self.bank, part.cells, rows, cols)
        wanted = np.asarray(change[rows, cols] * self.bank.g_unit, dtype=float)
        plan = plan_pulses(self.bank.loop.chain.writer, seen[:, rows, cols], wanted, g_centre=self.bank.g_centre)
        flat = flat_cells(plan.half, rows[plan.weight], cols[plan.weight], shape)
        cells = fired(self.bank, part.cells, plan, flat, rng=rng)
        if part.known is None:
            return replace(part, cells=cells), cells.tally + reads
        known = part.known.copy()
        known.ravel()[flat] += plan.expected
        return replace(part, cells=cells, known=known), cells.tally
