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

from typing import Literal

from rramkit.learning.specs import (
    ActivationSpec,
    BatchNormSpec,
    ConvolutionSpec,
    DenseSpec,
    FlattenSpec,
    FunctionName,
    LayerSpec,
    MaxPoolSpec,
    MeanPoolSpec,
    ResidualSpec,
)

NetworkName = Literal["mlp", "lenet5", "vgg8", "resnet18"]
Specs = tuple[LayerSpec, ...]


def mlp(
    hidden: tuple[int, ...], *, images: bool, function: FunctionName, bias: Literal["digital", "row", "none"]
) -> Specs:
    """Return dense layers of the sizes in `hidden`, and one of as many units as there are classes."""
    layers: list[LayerSpec] = [FlattenSpec()] if images else []
    for units in hidden:
        layers += [DenseSpec(units=units, bias=bias), ActivationSpec(function=function)]
    return (*layers, DenseSpec(bias=bias))


def lenet5(function: FunctionName) -> Specs:
    """Return LeNet-5; pooling comes before the activation, which for a rising function is the same and is less work."""
    act = ActivationSpec(function=function)
    return (
        *(ConvolutionSpec(channels=6, kernel=5, pad=2), MaxPoolSpec(), act),
        *(ConvolutionSpec(channels=16, kernel=5), MaxPoolSpec(), act, FlattenSpec()),
        *(DenseSpec(units=120), act, DenseSpec(units=84), act, DenseSpec()),
    )


def vgg8(function: FunctionName) -> Specs:
    """Return VGG-8."""
    layers: list[LayerSpec] = []
    for channels in (32, 64, 128):
        for last in (False, True):
            layers += [ConvolutionSpec(channels=channels, pad=1, bias="none"), BatchNormSpec()]
            layers += [MaxPoolSpec()] if last else []
            layers += [ActivationSpec(function=function)]
    return (*layers, FlattenSpec(), DenseSpec(units=128), ActivationSpec(function=function), DenseSpec())


def resnet18() -> Specs:
    """Return ResNet-18: four stages of two blocks, 64 to 512 channels, each stage but the first at half the size."""
    layers: list[LayerSpec] = [*_convolved(64, stride=1), ActivationSpec()]
    for stage, channels in enumerate((64, 128, 256, 512)):
        layers += [_block(channels, stride=2 if stage else 1, widens=stage > 0), _block(channels)]
    return (*layers, MeanPoolSpec(size=0), FlattenSpec(), DenseSpec())


def _block(channels: int, *, stride: int = 1, widens: bool = False) -> ResidualSpec:
    main = (*_convolved(channels, stride=stride), ActivationSpec(), *_convolved(channels, stride=1))
    shortcut = (
        (ConvolutionSpec(channels=channels, kernel=1, stride=stride, bias="none"), BatchNormSpec()) if widens else ()
    )
    return ResidualSpec(main=main, shortcut=shortcut)


def _convolved(channels: int, *, stride: int) -> Specs:
    return ConvolutionSpec(channels=channels, stride=stride, pad=1, bias="none"), BatchNormSpec()
