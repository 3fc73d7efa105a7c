"""Test inputs through a spiking network: the class by the spikes so far, in every step, and what was read.

The class is that of the output neuron with the most spikes; of several with as many, the one that had them first. An
input for which no output neuron has fired yet is not classified, which counts as wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.learning.spiking.network import SpikingNetwork
from rramkit.learning.spiking.settings import SpikingSettings
from rramkit.learning.spiking.streams import EVALUATE, Streams

BLOCK = 32
"""Inputs whose membranes are worked on at once (1); the outcome does not depend on it."""


@dataclass(frozen=True)
class LayerSpikes:
    """What one layer did for one input, on the mean.

    Attributes
    ----------
    label : str
        Name, kind and shape, as costs have it.
    neurons : int
        Number of neurons.
    pulses : float
        Rows that got a pulse, over all steps.
    spikes : float
        Steps in which neurons were on, over all neurons and steps.
    cost : ReadCost
        Reads of all inputs together.
    c_membrane : float or None
        Capacitance of a membrane (F).
    unit : float
        Output of the matrix that is an input of one.
    g_line : float or None
        Largest conductance of a line (S).
    """

    label: str
    neurons: int
    pulses: float
    spikes: float
    cost: ReadCost
    c_membrane: float | None
    unit: float
    g_line: float | None


@dataclass(frozen=True)
class SpikingEvaluation:
    """Outcome of an evaluation by spikes.

    Attributes
    ----------
    accuracy_by_step : ndarray
        Part of the inputs classified correctly after each step (T,).
    predicted : ndarray of int
        Class of each input after the last step (N,); -1: none.
    spikes_in : float
        Spikes of the input pixels of one input, on the mean.
    layers : tuple of LayerSpikes
        By layer.
    settings : SpikingSettings
        As it was run.
    """

    accuracy_by_step: np.ndarray
    predicted: np.ndarray
    spikes_in: float
    layers: tuple[LayerSpikes, ...]
    settings: SpikingSettings

    @property
    def accuracy(self) -> float:
        """Part of the inputs classified correctly in the whole window (1)."""
        return float(self.accuracy_by_step[-1])

    @property
    def undecided(self) -> float:
        """Part of the inputs for which no output neuron fired (1)."""
        return float(np.mean(self.predicted < 0))

    @property
    def read_time(self) -> float:
        """Time of the reads of one step, one layer after the other (s)."""
        return sum(layer.cost.seconds / max(layer.cost.vectors, 1) for layer in self.layers)


@dataclass
class _Sums:
    """What a layer did so far; it grows in place."""

    pulses: float = 0.0
    spikes: float = 0.0
    cost: ReadCost = field(default_factory=ReadCost)


def spiking_evaluation(
    network: SpikingNetwork,
    x: np.ndarray,
    labels: np.ndarray,
    settings: SpikingSettings,
    *,
    block: int = BLOCK,
    show: Callable[[int, int], None] | None = None,
) -> SpikingEvaluation:
    """Classify inputs by spikes.

    Parameters
    ----------
    network : SpikingNetwork
        As `SpikingNetwork.of` gives it.
    x : ndarray
        Inputs (N, ...), each pixel the part of all steps in which it fires, 0 to 1.
    labels : ndarray of int
        Their classes (N,).
    settings : SpikingSettings
        Steps, jitter and seed; `inputs` of them.
    block : int
        Inputs worked on at once: the outcome does not depend on it.
    show : callable, optional
        Gets how many inputs are done, of how many.

    Returns
    -------
    SpikingEvaluation
        Accuracy by step, spikes and reads.

    Raises
    ------
    InputError
        When an input is below 0 or above 1, or a step is shorter than its reads.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> from rramkit.learning.chip import ChipSettings
    >>> from rramkit.learning.spiking import SpikingSettings
    >>> from rramkit.learning.spiking.network import SpikingNetwork
    >>> x, settings = np.random.default_rng(0).random((20, 4)), SpikingSettings(steps=5)
    >>> spiking = SpikingNetwork.of(rk.load_run("run.h5").network, None, ChipSettings(), settings, x)
    >>> spiking_evaluation(spiking, x, np.arange(20) % 3, settings).accuracy_by_step.shape
    (5,)
    """
    count = min(settings.inputs, len(labels)) if settings.inputs else len(labels)
    x, labels, streams = checked_rates(x[:count]), labels[:count], Streams(settings.seed, EVALUATE)
    sums, right = [_Sums() for _ in network.layers], np.zeros(settings.steps)
    predicted, spikes_in = np.empty(count, dtype=int), 0.0
    for start in range(0, count, block):
        some = range(start, min(start + block, count))
        spikes = np.stack([streams.spikes(k, x[k], settings.steps, settings.jitter) for k in some])
        spikes_in += float(np.count_nonzero(spikes))
        for index, sum_of in enumerate(sums):
            spikes = _through(network, index, spikes, streams, some, sum_of)
        classes = decided(spikes)
        right += np.count_nonzero(classes == labels[some.start : some.stop, None], axis=0)
        predicted[some.start : some.stop] = classes[:, -1]
        if start == 0:
            _check_time(sums, settings)
        if show is not None:
            show(some.stop, count)
    layers = tuple(
        LayerSpikes(
            label=layer.label,
            neurons=layer.neurons,
            pulses=each.pulses / count,
            spikes=each.spikes / count,
            cost=each.cost,
            c_membrane=network.c_membrane(layer),
            unit=layer.unit,
            g_line=_heaviest(layer.matrix),
        )
        for layer, each in zip(network.layers, sums, strict=True)
    )
    return SpikingEvaluation(right / count, predicted, spikes_in / count, layers, settings)


def decided(spikes: np.ndarray) -> np.ndarray:
    """Return the class after each step (B, T) from spikes of the outputs (B, T, C); -1 before the first spike.

    Examples
    --------
    >>> import numpy as np
    >>> decided(np.array([[[0, 0], [0, 1], [1, 0], [1, 1]]])).tolist()  # the second has one first, the first has two
    [[-1, 1, 1, 0]]
    """
    counts = np.cumsum(spikes, axis=1, dtype=int)
    leader, most = np.full(len(spikes), -1), np.zeros(len(spikes), dtype=int)
    found = np.empty(spikes.shape[:2], dtype=int)
    for step in range(spikes.shape[1]):
        highest = counts[:, step].max(axis=1)
        leader = np.where(highest > most, counts[:, step].argmax(axis=1), leader)
        most, found[:, step] = highest, leader
    return found


def checked_rates(x: np.ndarray) -> np.ndarray:
    """Return inputs as rates; raise `InputError` where one is not within 0 to 1."""
    low, high = float(x.min()), float(x.max())
    if not (low >= 0.0 and high <= 1.0):
        raise InputError(
            f"inputs must be within 0 to 1, the part of all steps in which they fire; got {low:g} to {high:g}. Scale "
            "them, with `data.standardise = false`."
        )
    return x


def _through(
    network: SpikingNetwork, index: int, spikes: np.ndarray, streams: Streams, some: range, sum_of: _Sums
) -> np.ndarray:
    """Return the spikes of a layer (B, T, M) from those of its inputs (B, T, F), inputs `some` of all."""
    layer, y = network.layers[index], []
    for each, k in zip(spikes, some, strict=True):
        read, cost = layer.read(each, network.dtype, rng=streams.reads(k, index))
        sum_of.cost = sum_of.cost + cost
        sum_of.pulses += float(layer.rows(each, network.dtype).sum())
        y.append(read)
    outputs = np.stack(y).astype(float)
    uniform = streams.chances(some, index, outputs.shape[1:], draws=network.neuron.draws)
    fired = network.fired(layer, outputs, uniform)
    sum_of.spikes += float(np.count_nonzero(fired))
    return fired


def _check_time(sums: list[_Sums], settings: SpikingSettings) -> None:
    """Raise `InputError` where the reads of a step take longer than it."""
    needed = sum(each.cost.seconds / max(each.cost.vectors, 1) for each in sums)
    if needed > settings.t_step:
        raise InputError(
            f"`spiking.t_step` must be at least {needed:g} s, the reads of a step, layer after layer; got "
            f"{settings.t_step:g} s. Lengthen it."
        )


def _heaviest(matrix: object) -> float | None:
    """Return the largest conductance of a column of one array (S); None in float."""
    if not isinstance(matrix, MappedMatrix):
        return None
    tiles = matrix.tile.tiles if isinstance(matrix.tile, TileGrid) else matrix.tile
    return float(to_numpy(tiles.g_cell).sum(axis=-2).max())
