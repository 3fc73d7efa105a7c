"""Mixed precision with write-verify at a threshold: the bulk-switching module's rule (arXiv 2305.14547).

    dw <- dw + change                                          every batch, digitally
    where |dw| > threshold:   the device is programmed to w_FP + dw with write-verify
                              w_FP <- w_FP + dw    (reading `ideal`, the source's text)
                              w_FP <- weight read  (reading `device`, the text of its Figure 4)
                              dw <- 0              no residue is kept

w_FP is digital and starts as the weight that a read of the devices sees; what is read is counted. Errors go back
through it (`backward` digital), not through the devices. Its other entries stay even where a device has drifted.
Without accumulation (`accumulate` false) dw is the batch's change alone: changes below the threshold are lost, as in
the source's naive training; only with the reading `device` nothing digital accumulates, since the ideal w_FP is itself
a sum of changes. Threshold in its simulator: 1/15 of the conductance range.
"""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.backend import namespace, places, put, size
from rramkit.array.mapping import Pairs
from rramkit.array.mapping.pairs import Placement
from rramkit.array.matrix import Matrix
from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.rram_device import RramDevice, WriteMethod
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class Threshold(RramRule):
    """Accumulate digitally, program what has passed the threshold with verify, keep no residue."""

    accumulates: ClassVar[bool] = True

    kind: Literal["threshold"] = quantity("threshold", "1", "accumulate, program with verify, keep no residue")
    threshold: float = quantity(
        1 / 15, "1", "accumulated change beyond which a weight is programmed, over the range", ge=0.0, le=1.0
    )
    reading: Literal["ideal", "device"] = quantity("ideal", "1", "what the digital weight becomes: target, or as read")
    accumulate: bool = quantity(True, "1", "whether changes add up from batch to batch")
    backward: Literal["digital", "tile"] = quantity("digital", "1", "what errors go back through")
    way: WriteMethod = quantity("verify", "1", "how targets are reached: verify, pulse or error")
    placement: Placement = quantity("low", "1", "a pair around the centre, or one half at the lowest conductance")
    levels: int = quantity(0, "1", "conductance levels of a target in pairs; 0: any conductance", ge=0, le=65_536)
    sigma_program: float = quantity(0.0, "1", "error of the method `error`, in level spacings", ge=0.0, le=100.0)
    sigma_log: float = quantity(
        0.0,
        "1",
        "error of the method `error`, of the logarithm of the conductance: the spread of a tunnelling gap over the gap "
        "that lowers the current by e",
        ge=0.0,
        le=3.0,
    )

    @model_validator(mode="after")
    def _error_counts(self) -> Self:
        if self.sigma_log and "error" not in (self.way, self.start):
            raise ValueError(
                f'sigma_log is of the method `error`, which neither way = "{self.way}" nor start = "{self.start}" is; '
                f'got {self.sigma_log:g}. Leave it out, or take start = "error"'
            )
        return self

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the digital numbers that the rule keeps for each weight, by name."""
        accumulated = {"accumulated changes": 1} if self.accumulate else {}
        return {"gradient of the batch": 1, **accumulated, "weight": 1}

    def ideal(self) -> Self:
        """Return the rule without levels and programming errors as well."""
        return super().ideal().model_copy(update={"levels": 0, "sigma_program": 0.0, "sigma_log": 0.0})

    def pair_mapping(self, pairs: Pairs) -> Pairs:
        """Return pairs placed as `placement` says, on `levels`."""
        placed = {"placement": self.placement, "levels": self.levels}
        return super().pair_mapping(pairs).model_copy(update=placed)

    def device(self, device: RramDevice) -> RramDevice:
        """Return the device with this rule's programming errors."""
        return replace(device, sigma_program=self.sigma_program, sigma_log=self.sigma_log)

    @property
    def off_device(self) -> str:
        """Why it does not train on a device; empty: it does."""
        return "with way = verify writes until no cell is left" if self.way == "verify" else ""

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), and read them; w_FP is what was read, and dw is zero."""
        state, cost = super().first(device, weight, rng=rng)
        seen, reads = device.read_all(state.cells, rng=rng)
        return replace(state, digital=device.mapping.weight(seen, state.flips).astype(weight.dtype)), cost + reads

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read: forward from the cells, backward from w_FP."""
        digital = state.digital if self.backward == "digital" else None
        return device.matrix(state.cells, before, flips=state.flips, digital=digital, rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the weights beyond the threshold were programmed."""
        assert state.digital is not None
        mapping = device.mapping
        chi = state.chi + request.change if self.accumulate else request.change
        where, live = places(abs(chi) > self.threshold)
        rows, cols = where
        if not size(rows):
            return replace(state, chi=chi), WriteCost()
        total, clamped = mapping.limited(state.digital[where] + chi[where], live=live)
        flat = mapping.cells_of(rows, cols, tuple(state.cells.g_cell.shape)).reshape(-1)
        target = mapping.encode(total, mapping.flipped_at(state.flips, cols)).reshape(-1)
        of_cells = None if live is None else namespace(live).tile(live, (size(flat) // size(live),))
        cells = device.write(state.cells, flat, target, method=self.way, rng=rng, live=of_cells)
        digital, cost = put(state.digital, where, total, live), cells.tally + WriteCost(clamped=clamped)
        if self.reading == "device":
            seen, reads = device.read_weights(cells, rows, cols, rng=rng, live=live)
            digital, cost = put(digital, where, mapping.weight_at(seen, rows, cols, state.flips), live), cost + reads
        return replace(state, cells=cells, chi=put(chi, where, 0.0, live), digital=digital), cost
