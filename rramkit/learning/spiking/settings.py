"""Settings of a spiking evaluation: group `spiking` of an experiment."""

from typing import Annotated

from pydantic import Field, field_validator

from rramkit.learning.spiking.lif import LeakyNeuron
from rramkit.learning.spiking.sampling import SamplingNeuron
from rramkit.parameters import Parameters, quantity

Neuron = Annotated[LeakyNeuron | SamplingNeuron, Field(discriminator="kind")]
"""The neurons by their `kind`."""


class SpikingSettings(Parameters):
    """How a trained network is run by spikes: `rramkit evaluate RUN.h5 --spiking`.

    Examples
    --------
    >>> from rramkit.learning.spiking import SpikingSettings
    >>> settings = SpikingSettings(steps=25, neuron="sampling")
    >>> settings.steps, settings.neuron.kind, settings.window
    (25, 'sampling', 0.0005)
    """

    steps: int = quantity(50, "1", "steps in which an input is shown", ge=1, le=100_000)
    t_step: float = quantity(20e-6, "s", "duration of a step", gt=0.0, le=1.0)
    neuron: Neuron = Field(default=LeakyNeuron(), description="neuron of every layer")
    calibration: int = quantity(64, "1", "training inputs that set the thresholds", ge=1, le=100_000)
    inputs: int = quantity(0, "1", "first test inputs to classify; 0: all", ge=0, le=10_000_000)
    jitter: float = quantity(
        0.0, "1", "standard deviation of a pixel's rate over the rate, drawn once an input", ge=0.0, le=10.0
    )
    spread: float = quantity(
        0.0, "1", "standard deviation of the logarithm of each cell's conductance, drawn once", ge=0.0, le=3.0
    )
    seed: int = quantity(1, "1", "seed of spikes, jitter, spread, comparators and reads", ge=0, le=2**62)

    @field_validator("neuron", mode="before")
    @classmethod
    def _kind_of_neuron(cls, neuron: object) -> object:
        """Return a neuron given by its kind alone as a group; a group without a kind is leaky."""
        if isinstance(neuron, str):
            return {"kind": neuron}
        return {"kind": "lif", **neuron} if isinstance(neuron, dict) else neuron

    @property
    def window(self) -> float:
        """Time in which an input is shown (s)."""
        return self.steps * self.t_step
