"""Networks by name: multilayer perceptron, LeNet-5, VGG-8 and ResNet-18; or layer by layer.

* `mlp`: dense layers of the sizes in `hidden` with an activation between them.
* `lenet5`: LeCun et al. 1998 (Proc. IEEE 86, 2278), in the form used today: two convolutions of 5 x 5 with 6 and 16
  channels, each with max pooling of 2 x 2, then dense layers of 120 and 84; 61,470 weights for 28 x 28 pixels.
* `vgg8`: six convolutions of 3 x 3 (32, 32, 64, 64, 128, 128 channels; pooling of 2 x 2 after each second) and dense
  layers of 128. The bulk-switching module's paper (arXiv 2305.14547, table 2) gives counts, not sizes: with these, 32 x
  32 pixels and pairs of cells there are 1.10 M devices and 77.8 M operations, which are its counts; the sizes and the
  batch normalisation are this kit's choice.
* `resnet18`: He et al. 2015 (arXiv 1512.03385) with a first layer for small images: 3 x 3, stride 1, no pooling (as
  its section 4.2); 22.3 M devices in pairs and 1.1 G operations, the counts of the same table 2.
"""

from typing import Annotated, Literal

from pydantic import Field

from rramkit.learning.layers import (
    Activation,
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    Flatten,
    FunctionName,
    LayerSettings,
    MaxPool,
    MeanPool,
    Residual,
)
from rramkit.parameters import Parameters, quantity

NetworkName = Literal["mlp", "lenet5", "vgg8", "resnet18"]
Layers = tuple[LayerSettings, ...]


def mlp(
    hidden: tuple[int, ...], *, images: bool, function: FunctionName, bias: Literal["digital", "row", "none"]
) -> Layers:
    """Return dense layers of the sizes in `hidden`, and one of as many units as there are classes."""
    layers: list[LayerSettings] = [Flatten()] if images else []
    for units in hidden:
        layers += [Dense(units=units, bias=bias), Activation(function=function)]
    return (*layers, Dense(bias=bias))


def lenet5(function: FunctionName) -> Layers:
    """Return LeNet-5; pooling comes before the activation, which for a rising function is the same and is less work."""
    act = Activation(function=function)
    return (
        *(Convolution(channels=6, kernel=5, pad=2), MaxPool(), act),
        *(Convolution(channels=16, kernel=5), MaxPool(), act, Flatten()),
        *(Dense(units=120), act, Dense(units=84), act, Dense()),
    )


def vgg8(function: FunctionName) -> Layers:
    """Return VGG-8."""
    layers: list[LayerSettings] = []
    for channels in (32, 64, 128):
        for last in (False, True):
            layers += [Convolution(channels=channels, pad=1, bias="none"), BatchNorm()]
            layers += [MaxPool()] if last else []
            layers += [Activation(function=function)]
    return (*layers, Flatten(), Dense(units=128), Activation(function=function), Dense())


def resnet18() -> Layers:
    """Return ResNet-18: four stages of two blocks, 64 to 512 channels, each stage but the first at half the size."""
    layers: list[LayerSettings] = [*_convolved(64, stride=1), Activation()]
    for stage, channels in enumerate((64, 128, 256, 512)):
        layers += [_block(channels, stride=2 if stage else 1, widens=stage > 0), _block(channels)]
    return (*layers, MeanPool(size=0), Flatten(), Dense())


def _block(channels: int, *, stride: int = 1, widens: bool = False) -> Residual:
    main = (*_convolved(channels, stride=stride), Activation(), *_convolved(channels, stride=1))
    shortcut = (Convolution(channels=channels, kernel=1, stride=stride, bias="none"), BatchNorm()) if widens else ()
    return Residual(main=main, shortcut=shortcut)


def _convolved(channels: int, *, stride: int) -> Layers:
    return Convolution(channels=channels, stride=stride, pad=1, bias="none"), BatchNorm()


class NetworkSettings(Parameters):
    """Which network; `layers` instead of a name builds one's own.

    Examples
    --------
    >>> from rramkit.learning import NetworkSettings
    >>> NetworkSettings(hidden=[32, 16]).hidden
    (32, 16)
    >>> from rramkit.learning.layers import Convolution, Dense, Flatten
    >>> NetworkSettings(layers=[Convolution(channels=4), Flatten(), Dense()]).layers[0].channels
    4
    """

    name: NetworkName = quantity("mlp", "1", "mlp, lenet5, vgg8 or resnet18")
    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = quantity(
        (48,), "1", "units in each hidden layer of the `mlp`"
    )
    function: FunctionName = quantity("relu", "1", "activation of `mlp`, `lenet5` and `vgg8`")
    bias: Literal["digital", "row", "none"] = quantity("row", "1", "where the `mlp` keeps its biases")
    reach: float = quantity(
        10.0, "1", "weight at the full range of a pair, over the standard deviation of initial weights", gt=0.0, le=1e3
    )
    layers: tuple[LayerSettings, ...] = quantity((), "1", "layers from first to last, instead of a network by name")

    def chain(self, *, images: bool) -> Chain:
        """Return the layers.

        Parameters
        ----------
        images : bool
            Whether inputs are images (C, H, W) and not vectors (F,).

        Returns
        -------
        Chain
            The layers, from first to last.

        Examples
        --------
        >>> len(NetworkSettings(hidden=[5]).chain(images=False).layers)
        3
        """
        return Chain(self.layers or self._by_name(images=images))

    def _by_name(self, *, images: bool) -> Layers:
        if self.name == "mlp":
            return mlp(self.hidden, images=images, function=self.function, bias=self.bias)
        if self.name == "resnet18":
            return resnet18()
        return {"lenet5": lenet5, "vgg8": vgg8}[self.name](self.function)
