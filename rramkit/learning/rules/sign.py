"""The Manhattan rule: every weight takes one equal pulse in the direction against its gradient.

    w <- w - epsilon sign(gradient)

Sign only, no size: all weights of an array change at once in four phases (`trains`), with one amplitude a polarity. A
weight whose gradient is zero, or smaller than `theta` times the matrix's largest, takes none.

Source: Zamanidoost et al. (Manhattan-rule training; batch Manhattan on Proben1 comparable to back-propagation), and the
sign-like approximation of "Training itself" (ASP-DAC 2014). `theta` is this kit's own choice; 0 is the rule.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_counts import EqualPulses
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState


@dataclass(frozen=True)
class Sign(RramRule):
    """One equal pulse for each weight, by the sign of its gradient alone.

    Attributes
    ----------
    pulses : EqualPulses
        The pulses.
    theta : float
        Part of the largest gradient below which none is fired (1).
    """

    pulses: EqualPulses
    theta: float = 0.0

    def updated(
        self, part: MatrixState, batch: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the part after one step of each weight."""
        gradient = batch.gradient.weight
        size = np.abs(gradient)
        chosen = size >= self.theta * np.max(size, initial=0.0)
        counts = np.where(chosen, -np.sign(gradient), 0.0).astype(np.int64)
        cells, tally = self.pulses.stepped(part.cells, counts, rng=rng)
        return replace(part, cells=cells, chi=np.zeros_like(part.chi)), tally
