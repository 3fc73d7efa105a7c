"""Training in memory: data, networks, update rules and the training loop."""

from rramkit.learning.data import DataSet, digits
from rramkit.learning.experiment import Experiment
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.supervised import EpochReport
from rramkit.learning.train import train
from rramkit.learning.trained import TrainedNetwork

__all__ = [
    "DataSet",
    "EpochReport",
    "Experiment",
    "Network",
    "NetworkSettings",
    "TrainedNetwork",
    "digits",
    "train",
]
