"""The layers of a network as a person writes them: names and sizes, in a TOML file or in Python.

[[network.layers]]
kind = "convolution"
channels = 6
kernel = 5
"""

from typing import Annotated, Literal

from pydantic import Field

from rramkit.parameters import Parameters, quantity

FunctionName = Literal["relu", "leaky_relu", "sigmoid", "tanh", "hard_tanh"]


class DenseSpec(Parameters):
    """Every output from every input."""

    kind: Literal["dense"] = quantity("dense", "1", "a dense layer")
    units: int = quantity(0, "1", "outputs; 0: one for each class", ge=0, le=65_536)
    bias: Literal["digital", "row", "none"] = quantity(
        "digital", "1", "where the bias is kept: in memory, as one more row of the matrix, or nowhere"
    )


class ConvolutionSpec(Parameters):
    """The same product at every window of an image."""

    kind: Literal["convolution"] = quantity("convolution", "1", "a convolution")
    channels: int = quantity(16, "1", "output channels", ge=1, le=4096)
    kernel: int = quantity(3, "1", "edge of a window", ge=1, le=31)
    stride: int = quantity(1, "1", "pixels from window to window", ge=1, le=31)
    pad: int = quantity(0, "1", "border of zeros", ge=0, le=15)
    bias: Literal["digital", "none"] = quantity("digital", "1", "whether a digital bias is added to each channel")


class ActivationSpec(Parameters):
    """One function of each number."""

    kind: Literal["activation"] = quantity("activation", "1", "an activation")
    function: FunctionName = quantity("relu", "1", "which function")


class MaxPoolSpec(Parameters):
    """The largest of each field."""

    kind: Literal["max_pool"] = quantity("max_pool", "1", "a pooling layer")
    size: int = quantity(2, "1", "edge of a field", ge=1, le=15)


class MeanPoolSpec(Parameters):
    """The mean of each field."""

    kind: Literal["mean_pool"] = quantity("mean_pool", "1", "a pooling layer")
    size: int = quantity(2, "1", "edge of a field; 0: the whole image", ge=0, le=64)


class BatchNormSpec(Parameters):
    """Batch normalisation."""

    kind: Literal["batch_norm"] = quantity("batch_norm", "1", "batch normalisation")


class FlattenSpec(Parameters):
    """Images as vectors."""

    kind: Literal["flatten"] = quantity("flatten", "1", "images as vectors")


class ResidualSpec(Parameters):
    """Two chains whose outputs add, and a rectifier."""

    kind: Literal["residual"] = quantity("residual", "1", "a residual block")
    main: tuple["LayerSpec", ...] = quantity((), "1", "layers of the main path")
    shortcut: tuple["LayerSpec", ...] = quantity((), "1", "layers of the shortcut; none hands the inputs on")


LayerSpec = Annotated[
    DenseSpec
    | ConvolutionSpec
    | ActivationSpec
    | MaxPoolSpec
    | MeanPoolSpec
    | BatchNormSpec
    | FlattenSpec
    | ResidualSpec,
    Field(discriminator="kind"),
]
ResidualSpec.model_rebuild()
