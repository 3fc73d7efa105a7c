"""Outer-product update in situ: rows carry the inputs, columns the errors, and a cell is pulsed where both coincide.

    change of w_rc = -rate sum_n x_nr e_nc

`pulse_trains` has the equations and their sources. Momentum and the like do not enter: the rate is the optimiser's
learning rate.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_trains import Coincidences, PulseTrains
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class OuterProduct(RramRule):
    """Pulses where inputs and errors coincide."""

    optimised: ClassVar[bool] = False
    reaches_all: ClassVar[str] = "pulses whole rows and columns"

    kind: Literal["outer_product"] = quantity("outer_product", "1", "pulses where inputs and errors coincide")
    trains: PulseTrains = quantity("stochastic", "1", "stochastic or deterministic pulse trains")
    slots: int = quantity(10, "1", "slots of a sample's trains", ge=1, le=1000)
    step: float = quantity(0.002, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)

    @property
    def off_device(self) -> str:
        """Why it does not train on a device."""
        return "fires as many rounds as the largest count of a batch"

    def equal_pulses(self) -> float:
        """Return the step of a pulse."""
        return self.step

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return nothing: inputs and errors go to the lines, and no gradient is formed."""
        return {}

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the batch's coincidences."""
        pulses, trains = device.equal_pulses, Coincidences(self.trains, self.slots)
        up, down, clipped = trains.counts(request.gradient, request.rate, pulses.epsilon, rng=rng)
        cells, cost = pulses.fire(state.cells, up, down, rng=rng)
        return replace(state, cells=cells, chi=np.zeros_like(state.chi)), cost + WriteCost(clamped=clipped)
