"""Open-loop gradual write: each wanted change is one pulse of the table's mean, row by row, without read-back.

    every k batches:   fire at each weight the pulse whose mean change is nearest the sum of the batches' changes

This is the kit's reading of a "variability-free" scheme with gradual-write circuits (TIME, DAC 2017 and TCAD 2018,
whose circuit detail is not known): the controller trusts the mean, does not verify and keeps no residue. The error of a
pulse is lost, and a change that no pulse comes near to (`MISS_LIMIT` in `pulse_choice`) is not written.

What a pulse does depends on the cell's conductance g, which the controller gets in one of two ways, both ours
(`knows`)::

    mean   g is read once, after the first programming; from then on g <- g + mean change of each pulse fired
    read   the cells of a weight that is to be changed are read before its pulse; counted as reads, energy and time

By `mean`, deviations of a cell from the table's mean accumulate unseen; without any spread both are the same.

Threshold training (Fault-Tolerant Training with On-Line Fault Detection, DAC 2017) leaves out small changes first ::

    change <- 0    where |change| < theta max |change| of the matrix

RECALLED, not confirmed: this form and theta = 0.01; about 90 % of the changes are then below it.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import CellPulses, choose_pulses, fire
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class OpenLoop(RramRule):
    """One pulse of the table's mean for every change, row by row, without read-back."""

    accumulates: ClassVar[bool] = True

    kind: Literal["open_loop"] = quantity("open_loop", "1", "one pulse of the table's mean for every change")
    every: int = quantity(1, "1", "batches whose changes are added up before a write", ge=1, le=1_000_000)
    knows: Literal["mean", "read"] = quantity(
        "mean", "1", "the controller's estimate of a conductance: by the mean of its pulses, or a read before"
    )

    @property
    def smallest(self) -> float:
        """Part of a matrix's largest change below which a change is left out (1)."""
        return 0.0

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the gradient, the changes of several batches, and the estimate of each cell's conductance."""
        accumulated = {"accumulated changes": 1} if self.every > 1 else {}
        cells = device.mapping.halves * device.mapping.cells_per_half
        estimates = {"estimate of each cell": cells} if self.knows == "mean" else {}
        return {"gradient of the batch": 1, **accumulated, **estimates}

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), and read their conductances once; the programming error is lost."""
        state, cost = super().first(device, weight, rng=rng)
        if self.knows == "read":
            return state, cost
        seen, reads = device.read_all(state.cells, rng=rng)
        return replace(state, g_estimate=seen), cost + reads

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the sum of the changes was written, every `every` batches."""
        chi = state.chi + request.change
        if (request.batch + 1) % self.every:
            return replace(state, chi=chi), WriteCost()
        state = replace(state, chi=np.zeros_like(chi))
        if state.g_estimate is None:
            where = self._chosen(chi)
            seen, reads = device.read_weights(state.cells, *where, rng=rng)
            state, cost, _ = self._written(device, state, seen, chi, where, rng=rng)
            return state, cost + reads
        weight = device.mapping.weight(state.g_estimate, state.flips)
        where = self._chosen(device.mapping.limited(weight + chi)[0] - weight)
        state, cost, pulses = self._written(device, state, state.g_estimate, chi, where, rng=rng)
        assert state.g_estimate is not None
        estimate = state.g_estimate.copy()
        estimate.ravel()[pulses.flat] += pulses.expected
        return replace(state, g_estimate=estimate), cost

    def _chosen(self, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns (N,) of the changes (R, C) that are large enough beside the largest."""
        size = np.abs(change)
        rows, cols = np.nonzero((size > 0.0) & (size >= self.smallest * np.max(size, initial=0.0)))
        return rows, cols

    def _written(
        self,
        device: RramDevice,
        state: MatrixState,
        g_known: np.ndarray,
        change: np.ndarray,
        where: tuple[np.ndarray, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost, CellPulses]:
        """Return the state after one pulse at each cell of the weights `where` (N,), of changes (R, C)."""
        weight = device.mapping.weight_at(g_known, *where, state.flips)
        total, clamped = device.mapping.limited(weight + change[where])
        pulses = choose_pulses(device, g_known, total - weight, where, flips=state.flips, stuck=state.stuck)
        cells = fire(device, state.cells, pulses, rng=rng)
        return replace(state, cells=cells), cells.tally + WriteCost(clamped=clamped), pulses


class ThresholdTraining(OpenLoop):
    """Open-loop writes of the changes that are not small beside the largest."""

    kind: Literal["threshold_training"] = quantity("threshold_training", "1", "small changes are left out")  # pyright: ignore[reportIncompatibleVariableOverride]
    theta: float = quantity(0.01, "1", "part of the largest change below which one is left out", ge=0.0, le=1.0)

    @property
    def smallest(self) -> float:
        """Part of a matrix's largest change below which a change is left out (1)."""
        return self.theta
