"""Equal-pulse updates: pulses of one fixed amplitude in each polarity, counted.

A rise of a weight is a SET of its plus cell and a RESET of its minus cell, a fall the two others: the mean of a pair
stays where both polarities change a cell as much. One such step changes a weight at the centre by ::

    epsilon = (|mean SET at g_centre| + |mean RESET at g_centre|) / g_unit

Every weight that rises takes its pulses in the same slots as all others of its array (schedule `array`), then every one
that falls: four phases a round, as in the Manhattan rule's hardware. RECALLED, not confirmed: the four phases. This
kit's choice: to pulse both halves, and to fire the k-th pulses of all weights in the k-th round.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, full, kept, numbered, size
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.write.state import CellState, WriteCost
from rramkit.array.write.update import UpdateChain


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
    def of(cls, chain: UpdateChain, pairs: Pairs, step: float) -> Self:
        """Choose the amplitudes that change a cell at the centre by nearest `step` of the conductance range."""
        centre = np.array([pairs.g_centre])
        wanted = step * chain.writer.span
        v_set, rise = chain.writer.set.nearest(centre, np.array([wanted]))
        v_reset, fall = chain.writer.reset.nearest(centre, np.array([-wanted]))
        return cls(chain, float(v_set[0]), float(v_reset[0]), float(rise[0] - fall[0]) / pairs.g_unit)

    def fire(
        self, cells: CellState, up: Array, down: Array, *, rng: np.random.Generator, most: int | None = None
    ) -> tuple[CellState, WriteCost]:
        """Fire `up` and `down` steps (R, C) at each pair of cells (2, R, C), in rounds of one up and one down.

        `most` is the largest number of steps, where it is known; of tensors it must be.
        """
        cost = WriteCost()
        rounds = int(max(np.max(up, initial=0), np.max(down, initial=0))) if most is None else most
        for number in range(rounds):
            for steps, rises in ((up, True), (down, False)):
                cells, of_phase = self._phase(cells, steps > number, up=rises, rng=rng)
                cost += of_phase
        return replace(cells, tally=cost), cost

    def fire_signed(
        self, cells: CellState, steps: Array, *, rng: np.random.Generator, most: int | None = None
    ) -> tuple[CellState, WriteCost]:
        """Fire signed steps (R, C) at each pair, up where positive; `most` of them, where that is known."""
        return self.fire(cells, steps * (steps > 0), -steps * (steps < 0), rng=rng, most=most)

    def _phase(
        self, cells: CellState, chosen: Array, *, up: bool, rng: np.random.Generator
    ) -> tuple[CellState, WriteCost]:
        """SET one half of the `chosen` pairs (R, C) and RESET the other."""
        flat = chosen.reshape(-1)
        (pairs,), live = kept(flat, numbered(size(flat), flat))
        plus, minus = pairs, pairs + size(flat)
        rising, falling = (plus, minus) if up else (minus, plus)
        v_set, v_reset = (full(tuple(pairs.shape), v, cells.g_cell) for v in (self.v_set, self.v_reset))
        first = self.chain.step(cells, rising, v_set, polarity="set", rng=rng, schedule="array", live=live)
        second = self.chain.step(first, falling, v_reset, polarity="reset", rng=rng, schedule="array", live=live)
        return second, first.tally + second.tally


def stochastic_round(steps: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return whole numbers whose mean is `steps` (...): rounded up with the probability of the fraction."""
    below = np.floor(steps)
    return (below + (rng.uniform(size=steps.shape) < steps - below)).astype(np.int64)
