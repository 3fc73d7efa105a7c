"""Mixed precision with threshold: the bulk-switching module's rule (arXiv 2305.14547).

    dw <- dw + change                                          every batch, digitally
    where |dw| > threshold:   the device is programmed to w_FP + dw with write-verify
                              w_FP <- w_FP + dw    (reading `ideal`, the source's text)
                              w_FP <- weight read  (reading `device`, what the text of its Figure 4 says)
                              dw <- 0              the whole value is consumed, no remainder is kept

w_FP is digital and starts as what the devices are read to be; errors go back through it (`backward` digital), not
through the devices. Its other entries stay as they are even where a device has drifted. Without accumulation
(`accumulate` false) dw is the batch's change alone: what is below the threshold is lost, as in the source's naive
training; only with the reading `device` does nothing digital remember, since the ideal w_FP is itself a sum of changes.
Threshold in its simulator: 1/15 of the conductance range.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.matrices import Matrix
from rramkit.learning.rules.bank import flat_cells
from rramkit.learning.rules.pulse_choice import reads_of
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class Threshold(RramRule):
    """Accumulate digitally, program what has passed the threshold, keep no remainder.

    Attributes
    ----------
    threshold : float
        Accumulated change of a weight beyond which it is programmed, in units of weight.
    reading : str
        What w_FP becomes: `ideal` or `device`.
    accumulate : bool
        Whether changes add up from batch to batch.
    backward : str
        What errors go back through: `digital` or `tile`.
    """

    threshold: float
    reading: Literal["ideal", "device"] = "ideal"
    accumulate: bool = True
    backward: Literal["digital", "tile"] = "digital"

    def begun(self, weight: np.ndarray, *, rng: np.random.Generator) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C); w_FP is what the devices are then, and nothing is missing."""
        cells = self.bank.placed(weight, rng=rng)
        digital = self.bank.weight(cells.g_cell).astype(weight.dtype)
        return MatrixState(cells, np.zeros_like(weight), digital), cells.tally

    def matrix(self, part: MatrixState, before: Matrix | None, *, rng: np.random.Generator) -> Matrix:
        """Return the matrix that is read: forward from the cells, backward from w_FP."""
        digital = part.digital if self.backward == "digital" else None
        return self.bank.matrix(part.cells, before, digital=digital, rng=rng)

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after what has passed the threshold was programmed."""
        assert part.digital is not None
        chi = part.chi + batch.change if self.accumulate else batch.change
        rows, cols = np.nonzero(np.abs(chi) > self.threshold)
        if not rows.size:
            return replace(part, chi=chi), WriteCost()
        total, clamped = self.bank.kept(part.digital[rows, cols] + chi[rows, cols])
        flat = [flat_cells(np.full(rows.shape, half), rows, cols, part.cells.g_cell.shape) for half in (0, 1)]
        target = self.bank.targets(total).ravel()
        reads = reads_of(self.bank, part.cells, rows, cols) if self.bank.way == "pulse" else WriteCost()
        cells = self.bank.written(part.cells, np.concatenate(flat), target, way=self.bank.way, rng=rng)
        digital, chi = part.digital.copy(), chi.copy()
        digital[rows, cols] = total if self.reading == "ideal" else self.bank.weight(cells.g_cell[:, rows, cols])
        chi[rows, cols] = 0.0
        return replace(part, cells=cells, chi=chi, digital=digital), cells.tally + reads + WriteCost(clamped=clamped)
