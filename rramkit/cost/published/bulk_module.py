"""Reads, energy and latency of networks on the bulk-switching module (arXiv 2305.14547), from their shapes.

A weight is two cells in neighbouring columns. A layer's matrix, one row an input of a kernel, is cut into arrays; each
position of the kernel reads all of them once. Energy is that of one read of an array, as measured on the chip.
"""

from dataclasses import dataclass
from math import ceil

COLUMNS = 64  # columns of an array; two make a weight
ENERGY_OF_READ = {64: 2.66e-9, 256: 2.93e-9}
"""Energy (J) of one read of an array with 64 columns, by its rows; 64 measured, 256 the paper's estimate."""
T_READ = 8 * 9 / 100e6
"""Time (s) of one read: 8 columns share a converter, a conversion takes 9 cycles of 100 MHz."""


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer: `inputs` of a kernel, `outputs`, `positions` of an image that it multiplies."""

    inputs: int
    outputs: int
    positions: int = 1

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.inputs * self.outputs

    def arrays(self, rows: int) -> int:
        """Return the number of arrays of `rows` rows that hold the layer."""
        return ceil(self.inputs / rows) * ceil(2 * self.outputs / COLUMNS)


@dataclass(frozen=True)
class OnModule:
    """A network on arrays of `rows` rows.

    Examples
    --------
    >>> from rramkit.cost.published.bulk_module import LENET
    >>> LENET.devices, LENET.reads, round(1e6 * LENET.energy, 2)
    (6440, 707, 1.88)
    """

    layers: tuple[Layer, ...]
    rows: int

    @property
    def devices(self) -> int:
        """Number of cells that hold weights."""
        return 2 * sum(layer.weights for layer in self.layers)

    @property
    def operations(self) -> int:
        """Multiplications and additions of an image."""
        return 2 * sum(layer.weights * layer.positions for layer in self.layers)

    @property
    def arrays(self) -> int:
        """Number of arrays."""
        return sum(layer.arrays(self.rows) for layer in self.layers)

    @property
    def positions(self) -> int:
        """Kernel positions of an image, one after another: the arrays of a layer are read together."""
        return sum(layer.positions for layer in self.layers)

    @property
    def reads(self) -> int:
        """Reads of one array, for an image."""
        return sum(layer.arrays(self.rows) * layer.positions for layer in self.layers)

    @property
    def energy(self) -> float:
        """Energy (J) of the reads of an image."""
        return self.reads * ENERGY_OF_READ[self.rows]

    @property
    def latency(self) -> float:
        """Time (s) of an image when layers follow each other."""
        return self.positions * T_READ


def operations_a_joule(rows: int) -> float:
    """Return the operations (1/J) of an array of `rows` rows in full use: two for each cell."""
    return 2 * rows * COLUMNS / ENERGY_OF_READ[rows]


def _stage(channels: int, side: int) -> tuple[Layer, ...]:
    """Return the second to fourth stage of ResNet-18: two blocks, of which the first halves the image."""
    first = Layer(9 * channels // 2, channels, side**2)
    rest = Layer(9 * channels, channels, side**2)
    return first, rest, Layer(channels // 2, channels, side**2), rest, rest


LENET = OnModule((Layer(25, 4, 24**2), Layer(25 * 4, 12, 8**2), Layer(4**2 * 12, 10)), rows=64)
"""LeNet on MNIST: convolutions of 4 and 12 maps, one dense layer; the widths follow from the published counts."""

VGG8 = OnModule(
    (
        *(Layer(9 * 3, 32, 32**2), Layer(9 * 32, 32, 32**2), Layer(9 * 32, 64, 16**2), Layer(9 * 64, 64, 16**2)),
        *(Layer(9 * 64, 128, 8**2), Layer(9 * 128, 128, 8**2), Layer(4**2 * 128, 128), Layer(128, 10)),
    ),
    rows=256,
)
"""VGG-8 on CIFAR-10 with widths 32, 64 and 128, which follow from the published counts."""

RESNET18 = OnModule(
    (
        *(Layer(9 * 3, 64, 32**2), *(4 * (Layer(9 * 64, 64, 32**2),))),
        *(*_stage(128, 16), *_stage(256, 8), *_stage(512, 4)),
        Layer(512, 10),
    ),
    rows=256,
)
"""ResNet-18 on CIFAR-10."""

NETWORKS = {"LeNet": LENET, "VGG-8": VGG8, "ResNet-18": RESNET18}
