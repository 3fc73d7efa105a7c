"""Floors of a network's matrices: the outputs that a ReLU makes zero, of whatever value below it.

With y the product of a matrix, the ReLU after it sees scale y + bias, so that an output is zero wherever

    y < -bias / scale

and a read that stops early (`rramkit.array.mapping.bit_serial`, `stop`) need not tell how far below. Max pooling
between the two changes nothing: the largest of several is zero after the ReLU when all of them are.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial
from rramkit.array.matrix import Matrix
from rramkit.errors import InputError
from rramkit.learning.corrected import Corrected
from rramkit.learning.layers import Activation, AnyLayer, Convolution, Dense, Flatten, MaxPool
from rramkit.learning.layers.layer import Chain, Params


def with_floors(chain: Chain, params: Params) -> Params:
    """Return parameters whose matrices know what a ReLU behind them makes zero; only those whose reads stop early.

    Raises
    ------
    InputError
        When reads are to stop early and no matrix has a ReLU behind it.
    """
    if not any(_stops(matrix) for matrix in params.matrices):
        return params
    matrices: list[Matrix] = []
    for index, (layer, own) in enumerate(
        zip(chain.layers, params.split([layer.sizes for layer in chain.layers]), strict=True)
    ):
        if isinstance(layer, Dense | Convolution) and _rectified(chain.layers[index + 1 :]):
            bias = own.vectors[0] if own.vectors else np.zeros(own.matrices[0].weight.shape[1])
            matrices.append(floored(own.matrices[0], -bias.astype(float) / own.scales[0]))
        else:
            matrices += own.matrices
    if not any(isinstance(each, MappedMatrix) and each.floor is not None for each in map(_inner, matrices)):
        raise InputError("`stop` must be 0 without a ReLU behind a matrix; the network has none. Leave it out.")
    return replace(params, matrices=tuple(matrices))


def floored(matrix: Matrix, floor: np.ndarray | None) -> Matrix:
    """Return a matrix with the floor (C,) of its outputs, or without; one whose reads do not stop stays as it is."""
    if isinstance(matrix, Corrected):
        inner = None if floor is None else (floor - matrix.offset) / matrix.gain
        return replace(matrix, inner=floored(matrix.inner, inner))
    return replace(matrix, floor=floor) if isinstance(matrix, MappedMatrix) and _stops(matrix) else matrix


def _inner(matrix: Matrix) -> Matrix:
    return matrix.inner if isinstance(matrix, Corrected) else matrix


def _stops(matrix: Matrix) -> bool:
    """Return whether the reads of a matrix stop early."""
    inner = _inner(matrix)
    return isinstance(inner, MappedMatrix) and isinstance(inner.mapping, BitSerial) and inner.mapping.stop > 0.0


def _rectified(following: Sequence[AnyLayer]) -> bool:
    """Return whether a ReLU comes next, with pooling of the largest at most before it."""
    for layer in following:
        if isinstance(layer, Activation):
            return layer.function == "relu"
        if not isinstance(layer, MaxPool | Flatten):
            return False
    return False
