"""What test inputs say of a network: accuracy, and what the reads of each layer cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.matrix import FloatMatrix, Matrix, Product, Samples
from rramkit.array.read_parts import SENSING, read_parts
from rramkit.learning.by_layer import kind_of, matrix_names
from rramkit.learning.cells import leaves
from rramkit.learning.data import as_numbers
from rramkit.learning.layers import Activation
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.learning.losses import CrossEntropy, LossSettings, RelativeErrors
from rramkit.learning.model import Network
from rramkit.learning.state_dict import PlainWeights, named_layers
from rramkit.learning.supervised import answers
from rramkit.learning.trained import TrainedNetwork

_CROSS_ENTROPY = CrossEntropy()


@dataclass(frozen=True)
class LayerCost:
    """What one layer with a matrix costs.

    Attributes
    ----------
    name : str
        Number of the layer, as in `state_dict`.
    kind, also : str
        Kind of the layer, and its other name: the kind with its count.
    shape : tuple of int
        The matrix (R, C).
    cells : int
        Cells that hold it; 0 in float.
    energy, seconds : float
        Energy (J) and time (s) of its reads for one input.
    clamped : int
        Inputs and currents clamped, over all inputs.
    parts : mapping of str to float
        Parts of `energy` by name (J), as `rramkit.array.read_parts` has them; empty in float.
    sensed : float
        Currents sensed for one input.
    """

    name: str
    kind: str
    also: str
    shape: tuple[int, int]
    cells: int
    energy: float
    seconds: float
    clamped: int
    parts: Mapping[str, float] = field(default_factory=dict)
    sensed: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """What test inputs say of a network.

    Attributes
    ----------
    accuracy : float
        Fraction of the inputs classified correctly, of targets 1 less the mean relative error (1).
    confusion : ndarray of int
        Counts, true class by predicted class; of targets the number of inputs (1, 1).
    layers : tuple of LayerCost
        Cost of each layer with a matrix, in order.
    errors : RelativeErrors or None
        Relative errors of targets; None for labels.
    """

    accuracy: float
    confusion: np.ndarray
    layers: tuple[LayerCost, ...]
    errors: RelativeErrors | None = None

    @property
    def energy(self) -> float:
        """Energy of the reads for one input, all layers (J)."""
        return sum(layer.energy for layer in self.layers)

    @property
    def seconds(self) -> float:
        """Time of the reads for one input, one layer after the other (s)."""
        return sum(layer.seconds for layer in self.layers)


@dataclass
class _Metered:
    """A matrix whose forward reads are added up; it grows in place."""

    matrix: Matrix
    cost: ReadCost = field(default_factory=ReadCost)

    @property
    def weight(self) -> np.ndarray:
        return self.matrix.weight

    def forward(self, x: Samples, /, *, rng: np.random.Generator) -> Product:
        product = self.matrix.forward(x, rng=rng)
        self.cost = self.cost + ReadCost.of(product)
        return product


def evaluate(
    network: TrainedNetwork,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator | None = None,
    loss: LossSettings = _CROSS_ENTROPY,
    reads: int = 1,
) -> Evaluation:
    """Classify inputs, or answer them by numbers, and book the reads of each layer.

    Parameters
    ----------
    network : TrainedNetwork
        As `Run.network` gives it, or one of the functions below.
    x : ndarray
        Inputs (N, F) or (N, C, H, W) like those of training.
    labels : ndarray
        Their classes (N,), or targets (N, O) for a loss that takes those.
    rng : Generator, optional
        Draws the read noise; left out, one of the run's seed: then the accuracy of a run is found again.
    loss : LossSettings
        That of the training: what its scores say; left out, classes.
    reads : int
        Passes whose scores are averaged: less noise of the reads, at as many times their energy and time.

    Returns
    -------
    Evaluation
        Accuracy, confusion, and cost by layer.

    Raises
    ------
    InputError
        When targets are given and the loss is of labels, or the other way round.
    """
    loss.check(has_targets=labels.ndim == 2)
    meters = tuple(_Metered(matrix) for matrix in network.params.matrices)
    params = replace(network.params, matrices=meters)
    draws = np.random.default_rng(network.seed) if rng is None and reads > 1 else rng
    metered = replace(network, params=params)
    passes = [metered.scores(x, rng=draws) for _ in range(reads)] if reads > 1 else [metered.scores(x, rng=rng)]
    scores = np.mean(passes, axis=0) if reads > 1 else passes[0]
    count = len(labels)
    named = [(name, layer) for name, layer in named_layers(network.network) if layer.sizes.matrices]
    names = matrix_names(network.network)
    layers = tuple(
        LayerCost(
            name=name,
            kind=kind_of(layer),
            also=also,
            shape=(plan.rows, plan.columns),
            cells=sum(int(np.prod(each.g_cell.shape)) for each in leaves(meter.matrix)),
            energy=meter.cost.energy / count,
            seconds=meter.cost.seconds / count,
            clamped=meter.cost.clamped,
            parts=_parts(meter, count),
            sensed=meter.cost.conversions / count,
        )
        for (name, layer), (_, also), plan, meter in zip(named, names, network.network.matrices, meters, strict=True)
    )
    classes = max(scores.shape[1], int(labels.max()) + 1)
    counts = answers(scores, labels, classes)
    return Evaluation(loss.accuracy(scores, labels), counts, layers, loss.errors(scores, labels))


def _parts(meter: _Metered, count: int) -> dict[str, float]:
    """Return the parts of a matrix' energy for one of `count` inputs (J); none in float."""
    of_cells, cost = leaves(meter.matrix), meter.cost
    if not of_cells:
        return {}
    sums = {"energy": cost.energy, "e_drivers": cost.e_drivers, "e_sensing": cost.e_sensing}
    parts = read_parts(
        of_cells[0].chain,
        of_cells[0].mapping,
        **sums,
        conversions=cost.conversions,
        whole_conversions=cost.whole_conversions,
    )
    return {part.name: part.energy / count for part in parts if part.energy}


def analog_activations(network: Network, layers: Sequence[LayerCost]) -> float:
    """Return the energy of activations between layers, were they analog (J), for one input.

    Each takes as much as the readout of one line of the layer before it (this kit's choice: an operational amplifier
    each, whose circuits the tables do not have).
    """
    energy, index = 0.0, -1
    for _, layer in named_layers(network):
        if layer.sizes.matrices:
            index += 1
        elif isinstance(layer, Activation) and 0 <= index < len(layers) - 1 and layers[index].sensed:
            energy += layers[index].shape[1] * layers[index].parts.get(SENSING, 0.0) / layers[index].sensed
    return energy


def accuracy_in_float(
    plain: PlainWeights, x: np.ndarray, labels: np.ndarray, *, dtype: np.dtype, loss: LossSettings = _CROSS_ENTROPY
) -> float:
    """Return the accuracy of weights in memory (1)."""
    matrices = tuple(FloatMatrix(weight) for weight in plain.weights)
    params = plain.network.params(matrices, plain.vectors, plain.means)
    scores = plain.network.scores(params, as_numbers(x, dtype), rng=np.random.default_rng(0))  # draws nothing
    return loss.accuracy(scores, labels)
