"""A multilayer perceptron whose every matrix product, forward and backward, goes through its layers.

A layer is a matrix (R, C) that knows two products; row R - 1 is the bias, an input that is always one. Between the
layers all is digital: ReLU, softmax with cross-entropy, and the scaling of inputs to voltages. The same functions serve
the float network and the one in RRAM, so that the two differ in nothing but the products and the weights' changes.

Scaling: each vector is divided by its own largest magnitude x_max, so that its largest entry drives the full read
voltage v_max of its direction, and the currents are multiplied back::

    y = i x_max / (v_max g_unit)                 g_unit  conductance difference that stands for a weight of one (S)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rramkit.array.tile import Reading, Tile


@dataclass(frozen=True)
class Product:
    """The outcome `y` of one matrix product of a batch, the read energy (J) it took and the inputs clamped."""

    y: np.ndarray
    energy: float = 0.0
    clamped: int = 0


class Layer(ABC):
    """One matrix (R, C) with its two products."""

    @property
    @abstractmethod
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the layer stands for."""

    @abstractmethod
    def forward(self, x: np.ndarray) -> Product:
        """Return x W for inputs (B, R): (B, C)."""

    @abstractmethod
    def backward(self, error: np.ndarray) -> Product:
        """Return e W^T for errors (B, C): (B, R)."""


@dataclass(frozen=True)
class FloatLayer(Layer):
    """The reference: a matrix (R, C) in memory and NumPy's product."""

    matrix: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C)."""
        return self.matrix

    def forward(self, x: np.ndarray) -> Product:
        """Return x W for inputs (B, R): (B, C)."""
        return Product(x @ self.matrix)

    def backward(self, error: np.ndarray) -> Product:
        """Return e W^T for errors (B, C): (B, R)."""
        return Product(error @ self.matrix.T)


@dataclass(frozen=True)
class RramLayer(Layer):
    """A tile, and the conductance difference `g_unit` (S) that stands for a weight of one."""

    tile: Tile
    g_unit: float

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the programmed conductances stand for."""
        return (self.tile.g_cell[0] - self.tile.g_cell[1]) / self.g_unit

    def forward(self, x: np.ndarray) -> Product:
        """Return about x W for inputs (B, R), read through the rows: (B, C)."""
        v, unit = _as_voltage(x, self.tile.model.cells.v_forward)
        return self._product(self.tile.forward(v), unit)

    def backward(self, error: np.ndarray) -> Product:
        """Return about e W^T for errors (B, C), read through the bit lines: (B, R)."""
        v, unit = _as_voltage(error, self.tile.model.cells.v_backward)
        return self._product(self.tile.backward(v), unit)

    def _product(self, reading: Reading, unit: np.ndarray) -> Product:
        return Product(reading.i / (unit * self.g_unit), reading.energy, reading.clamped)


def _as_voltage(x: np.ndarray, v_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Return voltages (B, N) whose largest magnitude in each vector is `v_max`, and the volts for a one (B, 1)."""
    largest = np.max(np.abs(x), axis=1, keepdims=True)
    unit = v_max / np.where(largest > 0.0, largest, 1.0)
    return x * unit, unit


@dataclass(frozen=True)
class Pass:
    """One forward pass: the inputs (B, R) of each layer with their bias, the scores (B, C), and what the reads took."""

    inputs: tuple[np.ndarray, ...]
    scores: np.ndarray
    energy: float
    clamped: int


@dataclass(frozen=True)
class Gradients:
    """Mean loss over a batch (nat), its derivative by each layer's weights (R, C), and what the reads took."""

    loss: float
    weights: tuple[np.ndarray, ...]
    energy: float
    clamped: int


def initial_weights(sizes: Sequence[int], *, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw weights (R + 1, C) for layers of the given sizes: He et al. 2015 (arXiv 1502.01852), eq. 10; bias zero."""
    drawn = []
    for inputs, outputs in pairwise(sizes):
        weights = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs))
        drawn.append(np.vstack([weights, np.zeros(outputs)]))
    return tuple(drawn)


def forward(layers: Sequence[Layer], x: np.ndarray) -> Pass:
    """Send a batch (B, F) through the layers, with ReLU between them."""
    inputs: list[np.ndarray] = []
    scores, energy, clamped = x, 0.0, 0
    for layer in layers:
        hidden = np.maximum(scores, 0.0) if inputs else x
        inputs.append(np.hstack([hidden, np.ones((len(x), 1))]))
        product = layer.forward(inputs[-1])
        scores, energy, clamped = product.y, energy + product.energy, clamped + product.clamped
    return Pass(tuple(inputs), scores, energy, clamped)


def gradients(layers: Sequence[Layer], x: np.ndarray, labels: np.ndarray) -> Gradients:
    """Return the mean cross-entropy of a batch (B, F) with labels (B,), and its gradients by back-propagation.

    The error goes back through each layer's own `backward`; the outer products of inputs and errors are digital.
    """
    done = forward(layers, x)
    loss, error = cross_entropy(done.scores, labels)
    energy, clamped = done.energy, done.clamped
    weights: list[np.ndarray] = []
    for index in range(len(layers) - 1, -1, -1):
        weights.append(done.inputs[index].T @ error)
        if index:
            product = layers[index].backward(error)
            energy, clamped = energy + product.energy, clamped + product.clamped
            error = product.y[:, :-1] * (done.inputs[index][:, :-1] > 0.0)
    return Gradients(loss, tuple(reversed(weights)), energy, clamped)


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy (nat) of softmax scores (B, C), and its derivative by the scores (B, C)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    error = np.exp(log_p)
    error[rows, labels] -= 1.0
    return -float(log_p[rows, labels].mean()), error / len(labels)
