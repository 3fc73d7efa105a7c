"""A multilayer perceptron whose every matrix product, forward and backward, goes through its matrices.

Row R - 1 of a matrix is the bias, an input that is always one. Between the matrices all is digital: ReLU, softmax with
cross-entropy, and the scaling of inputs to voltages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rramkit.learning.loss import cross_entropy
from rramkit.learning.matrices import Gradient, Matrix, Samples


@dataclass(frozen=True)
class Pass:
    """One pass: the inputs (B, R) of each matrix with their bias, the scores (B, C), and what the reads took."""

    inputs: tuple[np.ndarray, ...]
    scores: np.ndarray
    energy: float
    clamped: int


@dataclass(frozen=True)
class Gradients:
    """Mean loss over a batch (nat), its derivative by each matrix, and what the reads took."""

    loss: float
    weights: tuple[Gradient, ...]
    energy: float
    clamped: int


def initial_weights(sizes: Sequence[int], *, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw weights (R + 1, C) for layers of the given sizes: He et al. 2015 (arXiv 1502.01852), eq. 10; bias zero."""
    drawn = []
    for inputs, outputs in pairwise(sizes):
        weights = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs))
        drawn.append(np.vstack([weights, np.zeros(outputs)]))
    return tuple(drawn)


def forward(matrices: Sequence[Matrix], x: np.ndarray, *, rng: np.random.Generator) -> Pass:
    """Send a batch (B, F) through the matrices, with ReLU between them."""
    inputs: list[np.ndarray] = []
    scores, energy, clamped = x, 0.0, 0
    for matrix in matrices:
        hidden = np.maximum(scores, 0.0) if inputs else x
        inputs.append(np.hstack([hidden, np.ones((len(x), 1))]))
        product = matrix.forward(Samples(inputs[-1]), rng=rng)
        scores, energy, clamped = product.y, energy + product.energy, clamped + product.clamped
    return Pass(tuple(inputs), scores, energy, clamped)


def gradients(matrices: Sequence[Matrix], x: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> Gradients:
    """Return the mean cross-entropy of a batch (B, F) with labels (B,), and its gradients by back-propagation.

    The error goes back through each matrix's own `backward`.
    """
    done = forward(matrices, x, rng=rng)
    loss, error = cross_entropy(done.scores, labels)
    energy, clamped = done.energy, done.clamped
    weights: list[Gradient] = []
    for index in range(len(matrices) - 1, -1, -1):
        weights.append(Gradient(Samples(done.inputs[index]), error))
        if index:
            product = matrices[index].backward(error, rng=rng)
            energy, clamped = energy + product.energy, clamped + product.clamped
            error = product.y[:, :-1] * (done.inputs[index][:, :-1] > 0.0)
    return Gradients(loss, tuple(reversed(weights)), energy, clamped)
