"""Tables as other simulators read them: the two CSV files of NeuroSim V1.5, the device of an aihwkit configuration."""

from rramkit.export.aihwkit import Preset, preset
from rramkit.export.neurosim import MemoryStates, OutputNoise, memory_states, output_noise

__all__ = ["MemoryStates", "OutputNoise", "Preset", "memory_states", "output_noise", "preset"]
