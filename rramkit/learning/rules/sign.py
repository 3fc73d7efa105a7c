"""The Manhattan rule: every weight takes one equal pulse against the sign of its gradient.

    w <- w - epsilon sign(gradient)

Sign only, no size: all weights of an array change at once in four phases (`pulse_counts`), with one amplitude a
polarity. A weight whose gradient is zero, or smaller than `theta` times the matrix's largest, takes none.

Source: Zamanidoost et al. (Manhattan-rule training; batch Manhattan on Proben1 comparable to back-propagation), and the
sign-like approximation of "Training itself" (ASP-DAC 2014). `theta` is this kit's own choice; 0 is the rule.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class Sign(RramRule):
    """One equal pulse for each weight, by the sign of its gradient alone."""

    optimised: ClassVar[bool] = False

    kind: Literal["sign"] = quantity("sign", "1", "one equal pulse by the sign of the gradient")
    step: float = quantity(0.005, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)
    theta: float = quantity(0.0, "1", "part of the largest gradient below which none is fired", ge=0.0, le=1.0)

    def equal_pulses(self) -> float:
        """Return the step of a pulse."""
        return self.step

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the gradient, of which the sign is used."""
        return {"gradient of the batch": 1}

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after one step of each weight."""
        gradient = request.gradient.weight
        size = np.abs(gradient)
        chosen = size >= self.theta * np.max(size, initial=0.0)
        counts = np.where(chosen, -np.sign(gradient), 0.0).astype(np.int64)
        cells, cost = device.equal_pulses.fire_signed(state.cells, counts, rng=rng)
        return replace(state, cells=cells, chi=np.zeros_like(state.chi)), cost
