"""A trained network as a spiking one: each dense layer with its activation becomes a layer of spiking neurons.

The arrays stay as they were written. In each step the rows of the neurons that fire get a read pulse of the full read
voltage (1-bit inputs), each line's current is integrated, and the charge of the two lines of a pair goes to the
membrane of a neuron with both signs. Arrays among which the rows of a layer are divided give their charge to one
membrane. A row of biases gets a pulse in so many of the steps that its share of the input is the trained one: a spike
of an input stands for as much as its neuron's threshold does, and so does one of the biases.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import FloatMatrix, Matrix, Samples
from rramkit.errors import InputError
from rramkit.learning.by_layer import kind_of
from rramkit.learning.chip import ChipSettings
from rramkit.learning.condition import OperatingTables
from rramkit.learning.layers import Activation, Dense, Flatten
from rramkit.learning.layers.layer import AnyLayer
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.learning.spiking.lif import LeakyNeuron
from rramkit.learning.spiking.periphery import NeuronCircuits
from rramkit.learning.spiking.sampling import SamplingNeuron
from rramkit.learning.spiking.settings import SpikingSettings
from rramkit.learning.spiking.streams import BUILD, CALIBRATE, Streams
from rramkit.learning.trained import TrainedNetwork

_FULL = 1.0  # rate of a row that gets a pulse in each step


@dataclass(frozen=True)
class SpikingLayer:
    """One layer of spiking neurons behind its arrays.

    Attributes
    ----------
    name : str
        Number of the trained layer.
    matrix : Matrix
        The weights (R, M), with a row of biases where `bias`.
    scale : float
        Digital factor of the trained layer (1).
    bias : bool
        Whether the last row is that of the biases.
    shift : ndarray
        Offset of each comparator over the voltage of an input of one (M,).
    unit : float
        Output of the matrix that is an input of one: charges the membrane to its threshold, or is one logit.
    bias_rate : float
        Part of the steps in which the row of biases gets a pulse (1).
    """

    name: str
    matrix: Matrix
    scale: float
    bias: bool
    shift: np.ndarray
    unit: float = 1.0
    bias_rate: float = _FULL

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return int(self.shift.size)

    @property
    def label(self) -> str:
        """Name, kind and shape in one text, as costs have it."""
        rows, columns = self.matrix.weight.shape
        return f"{self.name} dense {rows} x {columns}"

    def rows(self, spikes: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the rows that get a pulse in each step (T, R), from the spikes of inputs (T, F)."""
        driven = spikes.astype(dtype)
        if not self.bias:
            return driven
        passed = np.floor(np.arange(len(spikes) + 1) * self.bias_rate * (1.0 + 1e-12))  # a rate of 1/3 is three steps
        return np.hstack([driven, np.diff(passed)[:, None].astype(dtype)])

    def read(self, spikes: np.ndarray, dtype: np.dtype, *, rng: np.random.Generator) -> tuple[np.ndarray, ReadCost]:
        """Return the outputs of the matrix in each step (T, M) for one input's spikes (T, F), and what reads cost."""
        product = self.matrix.forward(Samples(self.rows(spikes, dtype)), rng=rng)
        return np.asarray(product.y), ReadCost.of(product)


@dataclass(frozen=True, repr=False)
class SpikingNetwork:
    """Layers of spiking neurons.

    Attributes
    ----------
    layers : tuple of SpikingLayer
        From first to last.
    neuron : LeakyNeuron or SamplingNeuron
        The neuron of every layer.
    circuits : NeuronCircuits
        What it is made of.
    t_step : float
        Duration of a step (s).
    dtype : dtype
        Type of the numbers that drive arrays.
    """

    layers: tuple[SpikingLayer, ...]
    neuron: LeakyNeuron | SamplingNeuron
    circuits: NeuronCircuits
    t_step: float
    dtype: np.dtype

    @classmethod
    def of(
        cls,
        network: TrainedNetwork,
        tables: OperatingTables | None,
        chip: ChipSettings,
        settings: SpikingSettings,
        x: np.ndarray,
    ) -> Self:
        """Convert a trained network, its thresholds set by inputs.

        Parameters
        ----------
        network : TrainedNetwork
            Dense layers with rectifiers (`lif`) or sigmoids (`sampling`) between them.
        tables : OperatingTables or None
            Those of its cells; None in float.
        chip : ChipSettings
            Which of the file's stages are on.
        settings : SpikingSettings
            Neuron, steps, spread and seed.
        x : ndarray
            Inputs for the thresholds (N, ...), within 0 to 1.

        Returns
        -------
        SpikingNetwork
            Its layers, each with its threshold.

        Raises
        ------
        InputError
            When a layer or its mapping has no spiking form, or no input reaches a layer.
        TableError
            When a table cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> import rramkit as rk
        >>> from rramkit.learning.chip import ChipSettings
        >>> from rramkit.learning.spiking import SpikingSettings
        >>> from rramkit.learning.spiking.network import SpikingNetwork
        >>> x, settings = np.random.default_rng(0).random((20, 4)), SpikingSettings(steps=5)
        >>> trained = rk.load_run("run.h5").network  # of 4 inputs, 5 hidden units and 3 classes
        >>> spiking = SpikingNetwork.of(trained, None, ChipSettings(), settings, x)
        >>> [layer.neurons for layer in spiking.layers]
        [5, 3]
        """
        circuits = NeuronCircuits.of(None if tables is None else tables.read, chip)
        layers, built = [], Streams(settings.seed, BUILD)
        for index, (name, dense) in enumerate(_dense_layers(network.network.chain.layers, settings.neuron.function)):
            rng, cells = built.circuits(index), (settings.spread, built.spread(index))
            matrix = _readable(network.params.matrices[index], name, circuits, cells=cells, rng=rng)
            scale, neurons = float(network.params.scales[index]), int(matrix.weight.shape[1])
            shift = circuits.offsets(neurons, rng=rng) / settings.neuron.volts
            layers.append(SpikingLayer(name, matrix, scale, dense.bias == "row", shift))
        found = cls(tuple(layers), settings.neuron, circuits, settings.t_step, network.dtype)
        return found._calibrated(x, settings)

    def _calibrated(self, x: np.ndarray, settings: SpikingSettings) -> Self:
        """Return the network with the threshold of each layer set by inputs that are shown as spikes."""
        streams = Streams(settings.seed, CALIBRATE)
        spikes = np.stack([streams.spikes(k, each, settings.steps, 0.0) for k, each in enumerate(x)])
        layers, stands_for = [], _FULL  # what a spike of this layer's inputs stands for, in trained activations
        for index, layer in enumerate(self.layers):
            layer = replace(layer, bias_rate=min(_FULL, _FULL / stands_for))
            generators = [streams.reads(k, index) for k in range(len(x))]
            read = [layer.read(each, self.dtype, rng=rng)[0] for each, rng in zip(spikes, generators, strict=True)]
            y, rows = np.stack(read).astype(float), [layer.rows(each, np.dtype(float)).mean(axis=0) for each in spikes]
            unit = self.neuron.unit(y.mean(axis=1), np.stack(rows) @ layer.matrix.weight, layer.scale)
            if not unit > 0.0:
                raise InputError(
                    f"layer {layer.name}: its neurons' inputs must be above 0 in the calibration; got {unit:g}. "
                    "Raise `spiking.calibration`, or `spiking.neuron.quantile`."
                )
            if isinstance(self.neuron, LeakyNeuron):
                if any(later.bias for later in self.layers[index + 1 : index + 2]):
                    unit = max(unit, 1.0 / (layer.scale * stands_for))  # a row of biases has one pulse a step at most
                stands_for *= unit * layer.scale
            layer = replace(layer, unit=unit)
            layers.append(layer)
            spikes = self.fired(layer, y, streams.chances(range(len(x)), index, y.shape[1:], draws=self.neuron.draws))
        return replace(self, layers=tuple(layers))

    def fired(self, layer: SpikingLayer, y: np.ndarray, uniform: np.ndarray | None) -> np.ndarray:
        """Return which neurons of a layer fire (B, T, M), from its matrix' outputs and uniform numbers (B, T, M)."""
        return self.neuron.spikes(y / layer.unit, layer.shift, t_step=self.t_step, uniform=uniform)

    def c_membrane(self, layer: SpikingLayer) -> float | None:
        """Return the capacitance (F) on which one input of one is the neuron's voltage; None without readouts.

        The charge of a read, c_integrate r_feedback i of the line's current i, gives the membrane its voltage.
        """
        if self.circuits.c_integrate is None or not isinstance(layer.matrix, MappedMatrix):
            return None
        matrix = layer.matrix
        current = layer.unit * matrix.mapping.g_unit * matrix.tile.model.cells.v_forward
        return self.circuits.c_integrate * self.circuits.readout.gains[0].r_feedback * current / self.neuron.volts


def _dense_layers(layers: tuple[AnyLayer, ...], function: str) -> list[tuple[str, Dense]]:
    """Return number and settings of each dense layer; raise `InputError` for a network that has no spiking form."""
    named = [(str(index), layer) for index, layer in enumerate(layers) if not isinstance(layer, Flatten)]
    for place, (name, layer) in enumerate(named):
        if place % 2 == 0 and isinstance(layer, Dense):
            if layer.bias == "digital":
                raise InputError(
                    f"layer {name}: a spiking layer must have its biases in a row of the array, or none; got digital "
                    'ones. Train with `network.bias = "row"`.'
                )
            if layer.copies > 1:
                raise InputError(
                    f"layer {name}: a spiking layer must have one row an input; got `copies` = {layer.copies}. Train "
                    "without."
                )
        elif place % 2 == 0 or not isinstance(layer, Activation):
            raise InputError(
                f"layer {name}: a spiking network must be dense layers with an activation between them; got "
                f"{kind_of(layer)}. Train an `mlp`."
            )
        elif layer.function != function:
            other = {"relu": "lif", "sigmoid": "sampling"}.get(layer.function)
            cure = f'Set `spiking.neuron.kind = "{other}"`.' if other else f'Train with `function = "{function}"`.'
            raise InputError(f"layer {name}: these neurons stand for `{function}`; got `{layer.function}`. {cure}")
    if len(named) % 2 == 0:
        raise InputError("a spiking network must end with a dense layer; got an activation. Remove it.")
    return [(name, layer) for name, layer in named if isinstance(layer, Dense)]


def _readable(
    matrix: Matrix,
    name: str,
    circuits: NeuronCircuits,
    *,
    cells: tuple[float, np.random.Generator],
    rng: np.random.Generator,
) -> Matrix:
    """Return a layer's matrix as spikes read it."""
    if isinstance(matrix, FloatMatrix):
        if cells[0]:
            raise InputError("`spiking.spread` is of cells: the network is in float, without any. Leave it out.")
        return matrix
    if not isinstance(matrix, MappedMatrix) or not isinstance(matrix.mapping, Pairs):
        kind = type(matrix.mapping).__name__ if isinstance(matrix, MappedMatrix) else type(matrix).__name__
        raise InputError(
            f"layer {name}: spikes must read one matrix of pairs of cells, whose charges a membrane adds up; got "
            f'{kind}. Train with `mapping.kind = "pairs"` and a rule with one matrix, without corrected outputs.'
        )
    return circuits.on(matrix, cells=cells, rng=rng)
