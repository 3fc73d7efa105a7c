"""Training in memory: data, networks, update rules and the driver loop."""

from rramkit.learning.data import DataSet, digits
from rramkit.learning.experiment import Experiment
from rramkit.learning.history import EpochReport
from rramkit.learning.model import Network, NetworkSettings
from rramkit.learning.train import train

__all__ = ["DataSet", "EpochReport", "Experiment", "Network", "NetworkSettings", "digits", "train"]
