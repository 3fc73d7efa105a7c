"""The layers of a network, each a frozen structure with one pass forward and one back."""

from rramkit.learning.layers.activations import FUNCTIONS, Activation
from rramkit.learning.layers.chain import Chain, Residual
from rramkit.learning.layers.layer import AnyLayer, Backward, Forward, Layer, Params, ReadCost
from rramkit.learning.layers.normalisation import BatchNorm
from rramkit.learning.layers.products import Convolution, Dense
from rramkit.learning.layers.shapes import Flatten, MaxPool, MeanPool

__all__ = [
    "FUNCTIONS",
    "Activation",
    "AnyLayer",
    "Backward",
    "BatchNorm",
    "Chain",
    "Convolution",
    "Dense",
    "Flatten",
    "Forward",
    "Layer",
    "MaxPool",
    "MeanPool",
    "Params",
    "ReadCost",
    "Residual",
]
