"""Mixed precision: program when the accumulated update reaches the threshold; the residue stays in memory.

    chi <- chi + change
    where |chi| >= threshold:
        nearest   one pulse a cell, of the amplitude whose mean change e is nearest; chi <- chi - e
        count     n = trunc(chi / epsilon) equal blind pulses; chi <- chi - n epsilon

Source: Nandakumar et al. 2020 (Front. Neurosci. 14, 406; arXiv 2001.11773) and IBM's aihwkit: `count`, with epsilon the
mean change of one pulse and no threshold but epsilon; nothing is read back. `nearest` is this kit's own design, for a
driver that has amplitudes: which cells, and which polarity, stands in `pulse_choice`. What an amplitude does depends on
the conductance, so the cells of a weight are read before the pulse; that is counted, in number, energy and time, and it
has the noise of a verify read. By what was read, chi is clipped to what the cells can still take (anti-windup), and
counted; `count` does not know, and spends chi on cells at the end of their range.

Weights that decay do so by the controller's own copy w (one more digital number a weight): the weight read after the
first programming, from then on the weight read before a pulse, or w itself (`count`), plus the change expected of it.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import choose_pulses, fire
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class MixedPrecision(RramRule):
    """Accumulate digitally, write blind at the threshold, keep the residue."""

    decays: ClassVar[bool] = True
    accumulates: ClassVar[bool] = True

    kind: Literal["mixed_precision"] = quantity("mixed_precision", "1", "accumulate, write, keep the residue")
    threshold: float = quantity(
        0.06, "1", "accumulated change at which a weight is written, over the conductance range", ge=0.0, le=1.0
    )
    centre: float = quantity(
        0.2,
        "1",
        "where in the conductance range the mean of a pair is held: low, since what both halves carry alike takes the "
        "readouts' range (0 lowest, 1 highest)",
        gt=0.0,
        lt=1.0,
    )
    write: Literal["nearest", "count"] = quantity("nearest", "1", "one pulse of the nearest amplitude, or equal pulses")
    step: float = quantity(0.01, "1", "change of a cell by an equal pulse, over the range", gt=0.0, le=1.0)

    def equal_pulses(self) -> float | None:
        """Return the step of the equal pulses of `count`."""
        return self.step if self.write == "count" else None

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), and read them; chi is the programming error, still to be written."""
        return self.with_residue(device, weight, *super().first(device, weight, rng=rng), rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after chi has grown and weights at the threshold were written."""
        chi = state.chi + request.change
        rows, cols = np.nonzero(np.abs(chi) >= self.threshold)
        if not rows.size:
            return replace(state, chi=chi), WriteCost()
        if device.pulses is not None:
            return self._counted(device, replace(state, chi=chi), (rows, cols), rng=rng)
        seen, cost = device.read_weights(state.cells, rows, cols, rng=rng)
        weight = device.mapping.weight_at(seen, rows, cols, state.flips)
        total, clamped = device.mapping.limited(weight + chi[rows, cols])  # anti-windup
        change, cost = total - weight, cost + WriteCost(clamped=clamped)
        pulses = choose_pulses(device, seen, change, (rows, cols), flips=state.flips)
        cells, written = fire(device, state.cells, pulses, rng=rng), pulses.change
        chi[rows, cols] = change - written
        digital = _with(state.digital, (rows, cols), weight + written)
        return replace(state, cells=cells, chi=chi, digital=digital), cells.tally + cost

    def _counted(
        self,
        device: RramDevice,
        state: MatrixState,
        where: tuple[np.ndarray, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after whole numbers of equal pulses at the weights `where` (N,), blind."""
        counts, epsilon, chi = np.zeros(state.chi.shape, dtype=np.int64), device.equal_pulses.epsilon, state.chi
        counts[where] = np.trunc(chi[where] / epsilon) if epsilon > 0.0 else 0
        cells, cost = device.equal_pulses.fire_signed(state.cells, counts, rng=rng)
        written = counts[where] * epsilon
        chi[where] -= written
        if state.digital is None:
            return replace(state, cells=cells, chi=chi), cost
        weight, _ = device.mapping.limited(state.digital[where] + written)
        return replace(state, cells=cells, chi=chi, digital=_with(state.digital, where, weight)), cost


def _with(digital: np.ndarray | None, where: tuple[np.ndarray, np.ndarray], weight: np.ndarray) -> np.ndarray | None:
    """Return the copy of the weights (R, C) with new ones `where` (N,); None: there is no copy."""
    if digital is None:
        return None
    digital = digital.copy()
    digital[where] = weight
    return digital
