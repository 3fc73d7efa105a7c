"""Digital work of a network for one input, from the shapes of its layers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rramkit.learning.layers import (
    Activation,
    AnyLayer,
    BatchNorm,
    Clustered,
    Convolution,
    Dense,
    MaxPool,
    MeanPool,
    Residual,
    Step,
)
from rramkit.learning.layers.layer import Shape
from rramkit.learning.model import Network

ADD, MULTIPLY = "digital.add_int16", "digital.mul_int16"
COMPARE, TABLE = "digital.comparator32", "digital.activation_lut"
_BY_COMPARISON = ("relu", "leaky_relu", "hard_tanh")  # the others take a table


@dataclass(frozen=True)
class MatrixWork:
    """One matrix (R, C) in its layer.

    Attributes
    ----------
    name, kind : str
        Name of the layer as `Evaluation` has it, and its kind.
    rows, columns : int
        Its shape, with a bias that is a row.
    inputs : int
        Numbers of one input of the network that enter the layer: of a convolution the pixels of all channels.
    positions : int
        Vectors that one input of the network makes: of a convolution its windows.
    bias : bool
        Whether a digital bias is added.
    """

    name: str
    kind: str
    rows: int
    columns: int
    inputs: int
    positions: int
    bias: bool

    @property
    def label(self) -> str:
        """Name, kind and shape in one text."""
        return f"{self.name} {self.kind} {self.rows} x {self.columns}"

    @property
    def macs(self) -> int:
        """Multiplications of one forward pass."""
        return self.rows * self.columns * self.positions


@dataclass(frozen=True)
class ElementWork:
    """Work on single numbers that follows a matrix: operations by component, for one forward and one backward pass."""

    matrix: int
    forward: tuple[tuple[str, int], ...]
    backward: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class NetworkWork:
    """All of it; `outputs` is the number of scores."""

    matrices: tuple[MatrixWork, ...]
    elements: tuple[ElementWork, ...]
    inputs: int
    outputs: int

    @property
    def macs_forward(self) -> int:
        """Multiplications of a forward pass."""
        return sum(each.macs for each in self.matrices)

    @property
    def macs_backward(self) -> int:
        """Multiplications of a backward pass: the first matrix, or the clusters of a first layer, have none."""
        first = self.matrices[0]
        layer = first.name.rpartition(".")[0] if first.kind == "cluster" else None
        inner = [each for each in self.matrices[1:] if each.name.rpartition(".")[0] != layer or layer is None]
        return sum(each.macs for each in inner)


def work_of(network: Network) -> NetworkWork:
    """Return the work of a network.

    Parameters
    ----------
    network : Network
        Layers and shape of the inputs.

    Returns
    -------
    NetworkWork
        By matrix, in the order of the network's parameters, and by layer without a matrix.
    """
    classes = network.plan.shape[0]
    found: list[MatrixWork | ElementWork] = []
    _walk(network.chain.layers, network.input_shape, classes, "", found)
    matrices = tuple(each for each in found if isinstance(each, MatrixWork))
    elements = tuple(each for each in found if isinstance(each, ElementWork))
    loss = ElementWork(len(matrices) - 1, (), ((TABLE, classes), (ADD, 2 * classes), (MULTIPLY, classes)))
    return NetworkWork(matrices, (*elements, loss), _size(network.input_shape), classes)


def _walk(
    layers: Sequence[AnyLayer], shape: Shape, classes: int, prefix: str, found: list[MatrixWork | ElementWork]
) -> Shape:
    """Append the work of layers to `found`; return the shape of the last one's outputs."""
    for index, layer in enumerate(layers):
        name, plan = f"{prefix}{index}", layer.plan(shape, classes=classes, reach=1.0)
        if isinstance(layer, Residual):
            main = _walk(layer.main, shape, classes, f"{name}.main.", found)
            _walk(layer.shortcut, shape, classes, f"{name}.shortcut.", found)
            size = _size(main)
            found.append(ElementWork(_last(found), ((ADD, size), (COMPARE, size)), ((ADD, size), (COMPARE, size))))
        elif isinstance(layer, Clustered):
            arrays = [(len(each.rows), len(each.columns)) for each in layer.clusters]
            for number, (rows, columns) in enumerate(arrays):
                found.append(MatrixWork(f"{name}.cluster.{number}", "cluster", rows, columns, rows, 1, False))
            joined = max(sum(columns for _, columns in arrays) - layer.units, 0)
            back = max(sum(rows for rows, _ in arrays) - layer.inputs, 0) if index or prefix else 0
            found.append(ElementWork(_last(found), ((ADD, joined),), ((ADD, back),)))
        elif isinstance(layer, Dense | Convolution):
            matrix = plan.matrices[0]
            positions = 1 if isinstance(layer, Dense) else plan.shape[1] * plan.shape[2]
            kind = str(type(layer).model_fields["kind"].default)
            bias = layer.bias == "digital"
            found.append(MatrixWork(name, kind, matrix.rows, matrix.columns, _size(shape), positions, bias))
        else:
            found += _elements(layer, _size(shape), _size(plan.shape), _last(found))
        shape = plan.shape
    return shape


def _elements(layer: AnyLayer, inputs: int, outputs: int, matrix: int) -> Iterator[ElementWork]:
    if isinstance(layer, Activation):
        plain = layer.function in _BY_COMPARISON
        one = COMPARE if plain else TABLE
        yield ElementWork(matrix, ((one, outputs),), ((COMPARE if plain else MULTIPLY, outputs),))
    elif isinstance(layer, Step):
        yield ElementWork(matrix, ((COMPARE, outputs),), ((COMPARE, outputs),))
    elif isinstance(layer, MaxPool):
        yield ElementWork(matrix, ((COMPARE, inputs),), ((COMPARE, inputs),))
    elif isinstance(layer, MeanPool):
        yield ElementWork(matrix, ((ADD, inputs), (MULTIPLY, outputs)), ((MULTIPLY, outputs),))
    elif isinstance(layer, BatchNorm):  # mean, variance, scale and shift; backward the same and their derivatives
        forward = ((ADD, 3 * inputs), (MULTIPLY, 2 * inputs))
        yield ElementWork(matrix, forward, ((ADD, 4 * inputs), (MULTIPLY, 4 * inputs)))


def _last(found: Sequence[MatrixWork | ElementWork]) -> int:
    """Return the number of the last matrix so far; the first one's where there is none yet."""
    return max(sum(isinstance(each, MatrixWork) for each in found) - 1, 0)


def _size(shape: Shape) -> int:
    size = 1
    for side in shape:
        size *= side
    return size
