"""Equal pulses, counted: a fixed amplitude of each polarity, and how many of them change a weight by how much.

A rise of a weight is a SET of its plus cell and a RESET of its minus cell, a fall the two others: the mean of a pair
stays where both polarities change a cell as much. One such step changes a weight at the centre by ::

    epsilon = (|mean SET at g_centre| + |mean RESET at g_centre|) / g_unit

Every weight that rises takes its pulses in the same slots as all others of its array (schedule `array`), then every one
that falls: four phases a round, as in the Manhattan rule's hardware. RECALLED, not confirmed: the four phases. This
kit's choice: to pulse both halves, and to take the k-th pulses of all weights in the k-th round.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.write.state import CellState, WriteCost
from rramkit.array.write.update import UpdateChain
from rramkit.learning.rules.bank import Bank


@dataclass(frozen=True)
class EqualPulses:
    """Pulses of one amplitude in each polarity.

    Attributes
    ----------
    chain : UpdateChain
        What a pulse does.
    v_set, v_reset : float
        Amplitudes (V).
    epsilon : float
        Change of a weight at the centre by one step up or down (1).
    """

    chain: UpdateChain
    v_set: float
    v_reset: float
    epsilon: float

    @classmethod
    def of(cls, bank: Bank, step: float) -> Self:
        """Take the amplitudes that change a cell at the centre by nearest `step` of the conductance range."""
        chain, centre = bank.loop.chain, np.array([bank.g_centre])
        wanted = step * chain.writer.span
        v_set, rise = chain.writer.set.nearest(centre, np.array([wanted]))
        v_reset, fall = chain.writer.reset.nearest(centre, np.array([-wanted]))
        return cls(chain, float(v_set[0]), float(v_reset[0]), float(rise[0] - fall[0]) / bank.g_unit)

    def fired(
        self, cells: CellState, up: np.ndarray, down: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[CellState, WriteCost]:
        """Fire `up` and `down` steps (R, C) at each pair of cells (2, R, C), in rounds of one up and one down."""
        tally = WriteCost()
        for number in range(int(max(np.max(up, initial=0), np.max(down, initial=0)))):
            for steps, rises in ((up, True), (down, False)):
                cells, done = self._phase(cells, steps > number, up=rises, rng=rng)
                tally += done
        return replace(cells, tally=tally), tally

    def stepped(self, cells: CellState, steps: np.ndarray, *, rng: np.random.Generator) -> tuple[CellState, WriteCost]:
        """Fire signed steps (R, C) at each pair: up where positive."""
        return self.fired(cells, np.maximum(steps, 0), np.maximum(-steps, 0), rng=rng)

    def _phase(
        self, cells: CellState, now: np.ndarray, *, up: bool, rng: np.random.Generator
    ) -> tuple[CellState, WriteCost]:
        """SET one half of the pairs `now` (R, C) and RESET the other."""
        pairs = np.flatnonzero(now)
        plus, minus = pairs, pairs + now.size
        raised, lowered = (plus, minus) if up else (minus, plus)
        first = self.chain.step(
            cells, raised, np.full(pairs.size, self.v_set), polarity="set", rng=rng, schedule="array"
        )
        second = self.chain.step(
            first, lowered, np.full(pairs.size, self.v_reset), polarity="reset", rng=rng, schedule="array"
        )
        return second, first.tally + second.tally


def rounded(steps: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return whole numbers whose mean is `steps` (...): the fraction decides by a draw."""
    below = np.floor(steps)
    return (below + (rng.uniform(size=steps.shape) < steps - below)).astype(np.int64)
