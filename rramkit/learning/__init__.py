"""Training in memory: data, network, update rules and the driver loop."""

from rramkit.learning.data import DataSet, digits
from rramkit.learning.train import EpochReport, TrainSettings, train

__all__ = ["DataSet", "EpochReport", "TrainSettings", "digits", "train"]
