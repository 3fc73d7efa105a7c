"""Write-verify at every update: the weights are digital, and the cells are programmed to them.

    w <- w + change                                  every batch, digitally
    every k batches:   each cell is read, and pulsed until it is within its window of w

With `placement = "low"` one half of each pair stays at the lowest conductance: the lines carry less current, so that
less of it is lost in their resistance, and readouts take a smaller range. For weights that are written once and read
ever after this is the better placement.

`way = "error"` sets the cells to their targets without pulses, as a simulation that trains weights for cells which are
written once, afterwards: `rramkit evaluate --chips` then writes them by `start`.

The comparison for open-loop rules: what exact writing costs in pulses, reads, time and energy. The loop stands in
`rramkit.array.write.write_verify`; a cell that is within its window is read once and left alone.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.mapping import Pairs
from rramkit.array.mapping.pairs import Placement
from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.rram_device import RramDevice, WriteMethod
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class WriteVerifyRule(RramRule):
    """Every weight written to its digital value with write-verify."""

    whole: ClassVar[bool] = True
    unsaid: ClassVar[tuple[str, ...]] = ("way",)

    kind: Literal["write_verify"] = quantity("write_verify", "1", "every weight written to its digital value")
    placement: Placement = quantity("centre", "1", "a pair around the centre, or one half at the lowest conductance")
    way: WriteMethod = quantity("verify", "1", "how targets are reached while training: verify, pulse or error")
    every: int = quantity(1, "1", "batches between two writes", ge=1, le=1_000_000)

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the gradient and the weight."""
        return {"gradient of the batch": 1, "weight": 1}

    def pair_mapping(self, pairs: Pairs) -> Pairs:
        """Return pairs placed as `placement` says."""
        return super().pair_mapping(pairs).model_copy(update={"placement": self.placement})

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C); they stay in memory as well."""
        state, cost = super().first(device, weight, rng=rng)
        return replace(state, digital=weight), cost

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the digital weights changed and, every `every` batches, the cells were written."""
        assert state.digital is not None
        digital, clamped = device.mapping.limited(state.digital + request.change)
        cells, cost = state.cells, WriteCost(clamped=clamped)
        if not (request.batch + 1) % self.every:
            target = device.mapping.targets(digital, state.flips).ravel()
            cells = device.write(cells, np.arange(target.size), target, method=self.way, rng=rng)
            cost += cells.tally
        return replace(state, cells=cells, digital=digital), cost
