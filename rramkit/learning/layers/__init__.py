"""The layers of a network: each one's settings are the frozen object that computes. `LayerSettings` is the list.

A layer in a TOML file is a table with its `kind` and sizes::

    [[network.layers]]
    kind = "convolution"
    channels = 6
    kernel = 5
"""

from typing import Annotated

from pydantic import Field

from rramkit.learning.layers.activation import FUNCTIONS, Activation, FunctionName
from rramkit.learning.layers.clustered import Cluster, Clustered
from rramkit.learning.layers.convolution import Convolution
from rramkit.learning.layers.dense import Dense
from rramkit.learning.layers.flatten import Flatten
from rramkit.learning.layers.layer import (
    AnyLayer,
    Backward,
    Chain,
    Forward,
    Layer,
    LayerPlan,
    MatrixPlan,
    Params,
    ReadCost,
    Sizes,
)
from rramkit.learning.layers.norm import BatchNorm
from rramkit.learning.layers.pooling import MaxPool, MeanPool
from rramkit.learning.layers.residual import Residual
from rramkit.learning.layers.step import Step

LayerSettings = Annotated[
    Dense | Convolution | Activation | Step | MaxPool | MeanPool | BatchNorm | Flatten | Residual | Clustered,
    Field(discriminator="kind"),
]
Residual.model_rebuild(_types_namespace={"LayerSettings": LayerSettings})

__all__ = [
    "FUNCTIONS",
    "Activation",
    "AnyLayer",
    "Backward",
    "BatchNorm",
    "Chain",
    "Cluster",
    "Clustered",
    "Convolution",
    "Dense",
    "Flatten",
    "Forward",
    "FunctionName",
    "Layer",
    "LayerPlan",
    "LayerSettings",
    "MatrixPlan",
    "MaxPool",
    "MeanPool",
    "Params",
    "ReadCost",
    "Residual",
    "Sizes",
    "Step",
]
