"""Mixed precision with remainder: the device is written where enough has come together, and the rest waits.

    chi <- chi + change
    where |chi| >= threshold:   nearest   one pulse of the amplitude whose mean change e is nearest chi; chi <- chi - e
                                count     n = trunc(chi / epsilon) equal blind pulses; chi <- chi - n epsilon

Source: Nandakumar et al. 2020 (Front. Neurosci. 14, 406; arXiv 2001.11773) and IBM's aihwkit: `count`, with epsilon the
mean change of one pulse and no threshold but epsilon; nothing is read back. `nearest` is this kit's own design, for a
driver that has amplitudes: which half of the pair, and which polarity, stands in `pairs`. What an amplitude does
depends on the conductance, so both halves are read before the pulse; that is counted, in number, energy and time.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import reads_of, write_pairs
from rramkit.learning.rules.pulse_counts import EqualPulses
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class MixedPrecision(RramRule):
    """Accumulate digitally, write blind, keep the remainder.

    Attributes
    ----------
    threshold : float
        Accumulated change of a weight at which it is written, in units of weight; with `count`, at least epsilon.
    write : str
        `nearest` or `count`.
    pulses : EqualPulses or None
        The equal pulses of `count`.
    """

    threshold: float
    write: Literal["nearest", "count"] = "nearest"
    pulses: EqualPulses | None = None

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after chi has grown and was written where it reached the threshold."""
        chi = part.chi + batch.change
        rows, cols = np.nonzero(np.abs(chi) >= self.threshold)
        if not rows.size:
            return replace(part, chi=chi), WriteCost()
        weight = self.bank.weight(part.cells.g_cell[:, rows, cols])
        total, clamped = self.bank.kept(weight + chi[rows, cols])  # lest chi winds up for ever
        change, tally = total - weight, WriteCost(clamped=clamped)
        if self.pulses is not None:
            counts = np.zeros(chi.shape, dtype=np.int64)
            counts[rows, cols] = np.trunc(change / self.pulses.epsilon) if self.pulses.epsilon > 0.0 else 0
            cells, _ = self.pulses.stepped(part.cells, counts, rng=rng)
            written = counts[rows, cols] * self.pulses.epsilon
        else:
            tally += reads_of(self.bank, part.cells, rows, cols)
            cells, written = write_pairs(self.bank, part.cells, change, (rows, cols), rng=rng)
        chi[rows, cols] = change - written
        return replace(part, cells=cells, chi=chi), cells.tally + tally
