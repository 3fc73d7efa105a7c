"""Spiking networks: a trained network whose arrays are read by spikes, and whose neurons are thresholds.

`settings` are the group `spiking` of an experiment, `lif` and `sampling` the neurons, `network` converts a trained
network, `evaluation` runs it; `rramkit.cost.spiking` prices it. This package itself imports the settings alone, so that
an experiment has them without the rest.
"""

from rramkit.learning.spiking.lif import LeakyNeuron
from rramkit.learning.spiking.sampling import SamplingNeuron
from rramkit.learning.spiking.settings import Neuron, SpikingSettings

__all__ = ["LeakyNeuron", "Neuron", "SamplingNeuron", "SpikingSettings"]
