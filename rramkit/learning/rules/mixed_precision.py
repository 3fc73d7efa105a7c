"""Mixed precision: program when the accumulated update reaches the threshold; the residue stays in memory.

    chi <- chi + change
    where |chi| >= threshold:
        nearest   one pulse a cell, of the amplitude whose mean change e is nearest; chi <- chi - e
        count     n = trunc(chi / epsilon) equal blind pulses; chi <- chi - n epsilon

chi is clipped to what the cells can still take (anti-windup), and counted. Source: Nandakumar et al. 2020 (Front.
Neurosci. 14, 406; arXiv 2001.11773) and IBM's aihwkit: `count`, with epsilon the mean change of one pulse and no
threshold but epsilon; nothing is read back. `nearest` is this kit's own design, for a driver that has amplitudes: which
cells, and which polarity, stands in `pulse_choice`. What an amplitude does depends on the conductance, so the cells of
a weight are read before the pulse; that is counted, in number, energy and time.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import choose_pulses, fire
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class MixedPrecision(RramRule):
    """Accumulate digitally, write blind at the threshold, keep the residue."""

    kind: Literal["mixed_precision"] = quantity("mixed_precision", "1", "accumulate, write, keep the residue")
    threshold: float = quantity(
        0.06, "1", "accumulated change at which a weight is written, over the conductance range", ge=0.0, le=1.0
    )
    write: Literal["nearest", "count"] = quantity("nearest", "1", "one pulse of the nearest amplitude, or equal pulses")
    step: float = quantity(0.01, "1", "change of a cell by an equal pulse, over the range", gt=0.0, le=1.0)

    def equal_pulses(self) -> float | None:
        """Return the step of the equal pulses of `count`."""
        return self.step if self.write == "count" else None

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after chi has grown and weights at the threshold were written."""
        chi = state.chi + request.change
        rows, cols = np.nonzero(np.abs(chi) >= self.threshold)
        if not rows.size:
            return replace(state, chi=chi), WriteCost()
        weight = device.mapping.weight_at(state.cells.g_cell, rows, cols, state.flips)
        total, clamped = device.mapping.limited(weight + chi[rows, cols])  # anti-windup
        change, cost = total - weight, WriteCost(clamped=clamped)
        if device.pulses is not None:
            counts, epsilon = np.zeros(chi.shape, dtype=np.int64), device.pulses.epsilon
            counts[rows, cols] = np.trunc(change / epsilon) if epsilon > 0.0 else 0
            cells, _ = device.pulses.fire_signed(state.cells, counts, rng=rng)
            written = counts[rows, cols] * epsilon
        else:
            cost += device.read_cost(state.cells, rows, cols)
            pulses = choose_pulses(device, state.cells.g_cell, change, (rows, cols), flips=state.flips)
            cells, written = fire(device, state.cells, pulses, rng=rng), pulses.change
        chi[rows, cols] = change - written
        return replace(state, cells=cells, chi=chi), cells.tally + cost
