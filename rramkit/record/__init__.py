"""The run file: the record of one training, supervised or by reinforcement, with the trained network in it."""

from rramkit.record.episodes import OLD_FORMAT as EPISODE_FORMAT_1
from rramkit.record.episodes import EpisodeRun, Series
from rramkit.record.file import load, save
from rramkit.record.network import StoredNetwork
from rramkit.record.outcome import FORMAT, FORMAT_VERSION, TrainingOutcome
from rramkit.record.run import Epochs, LayerRecord, Run
from rramkit.record.sources import StageSource

__all__ = [
    "EPISODE_FORMAT_1",
    "FORMAT",
    "FORMAT_VERSION",
    "EpisodeRun",
    "Epochs",
    "LayerRecord",
    "Run",
    "Series",
    "StageSource",
    "StoredNetwork",
    "TrainingOutcome",
    "load",
    "save",
]
