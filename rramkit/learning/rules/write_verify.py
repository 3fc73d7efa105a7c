"""Write-verify at every update: the wanted weights are digital, and the cells are brought to them.

    w <- w + change                                  every batch, digitally
    every k batches:   each cell is read, and pulsed until it is within its window of w

The comparison for open-loop rules: what exact writing costs in pulses, reads, time and energy. The loop stands in
`rramkit.array.write.write_verify`; a cell that is within its window is read once and left alone.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class WriteVerifyRule(RramRule):
    """Every weight written to its digital value.

    Attributes
    ----------
    every : int
        Batches between two writes.
    """

    every: int = 1

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C) and keep them digitally."""
        part, tally = super().begun(weight, rng=rng)
        return replace(part, digital=weight), tally

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after the digital weights changed and, when its time has come, the cells were written."""
        assert part.digital is not None
        digital, clamped = self.bank.kept(part.digital + batch.change)
        cells, tally = part.cells, WriteCost(clamped=clamped)
        if not (batch.number + 1) % self.every:
            target = self.bank.targets(digital).ravel()
            cells = self.bank.written(cells, np.arange(target.size), target, way=self.bank.way, rng=rng)
            tally += cells.tally
        chi = digital - self.bank.weight(cells.g_cell)
        return replace(part, cells=cells, chi=chi, digital=digital), tally
