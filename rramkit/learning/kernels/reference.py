"""The kernels in NumPy: what they compute, and what runs where numba is not installed, and on PyTorch's tensors."""

from typing import NamedTuple

import numpy as np

from rramkit.array.backend import Array, copied, full, is_tensor, namespace, square_root

Vectors = tuple[np.ndarray, np.ndarray]


class AdamStep(NamedTuple):
    """Constants of one step of Adam (1).

    Attributes
    ----------
    beta_1, beta_2 : float
        Part of each running mean that stays: of the gradients, and of their squares.
    part_1, part_2 : float
        Part of each mean that the steps so far have filled.
    epsilon : float
        Added to the root of the squares.
    factor : float
        What the directions are multiplied by.
    """

    beta_1: float
    beta_2: float
    part_1: float
    part_2: float
    epsilon: float
    factor: float


def max_pooled(x: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest pixel of each field of images, and which one of the field it is.

    Parameters
    ----------
    x : ndarray
        Images (C, H, W, B).
    size : int
        Edge of a field, in pixels; fields do not overlap, pixels beyond the last are dropped.

    Returns
    -------
    y : ndarray
        The largest pixels (C, H / size, W / size, B); one that is no number stays.
    winner : ndarray of uint8
        Their number in the field, counted row by row; of equal pixels the first.
    """
    y = copied(field(x, size, (0, 0)))
    if is_tensor(x):
        return _max_pooled_of_tensors(x, y, size)
    winner = np.zeros(y.shape, np.uint8)
    for index, offset in enumerate(offsets(size)):
        other = field(x, size, offset)
        better = other > y
        np.maximum(y, other, out=y)
        np.maximum(winner, better * np.uint8(index), out=winner)  # indices rise: a later winner has a larger one
    return y, winner


def _max_pooled_of_tensors(x: Array, y: Array, size: int) -> tuple[Array, Array]:
    """Return the same with operations of the array-API standard, which write nowhere; `y` is the first field."""
    xp = namespace(x)
    winner = xp.zeros_like(y, dtype=xp.uint8)
    for index, offset in enumerate(offsets(size)):
        other = field(x, size, offset)
        winner = xp.where(other > y, index, winner)
        y = xp.maximum(y, other)
    return y, winner


def max_spread(error: np.ndarray, winner: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Return errors (C, Ho, Wo, B) at the pixels that won, zero elsewhere: images of `shape` (C, H, W, B)."""
    to_inputs = full(shape, 0.0, error)
    for index, offset in enumerate(offsets(size)):
        won, place = winner == index, field(to_inputs, size, offset)
        if is_tensor(error):
            place[...] = error * won
        else:
            np.multiply(error, won, out=place)
    return to_inputs


def rectified_error(error: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the error (...) where the output `y` of a rectifier is above zero, else zero times the error."""
    return error * (y > 0.0)


def normalised(x: np.ndarray, mean: np.ndarray, per_deviation: np.ndarray, vectors: Vectors) -> Vectors:
    """Return images (C, H, W, B) less their mean over their deviation, and these times a scale plus a shift.

    Parameters
    ----------
    x : ndarray
        Images (C, H, W, B), or vectors (B, C).
    mean, per_deviation : ndarray
        Mean and one over the standard deviation of each channel (C,).
    vectors : tuple of ndarray
        Scale and shift of each channel (C,).
    """
    normal = (x - over(mean, x)) * over(per_deviation, x)
    scale, shift = (over(vector, x) for vector in vectors)
    return normal, normal * scale + shift


def normalised_error(error: np.ndarray, normal: np.ndarray, means: Vectors, factor: np.ndarray) -> np.ndarray:
    """Return the error by the inputs of a batch that was normalised by its own statistics.

    Parameters
    ----------
    error, normal : ndarray
        Error by the normalised inputs times the scale, and these inputs: (C, H, W, B), or (B, C).
    means : tuple of ndarray
        Means of the error, and of the error times the normalised inputs, of each channel (C,).
    factor : ndarray
        Scale over the standard deviation of each channel (C,).
    """
    centred = error - over(means[0], error)
    return (centred - normal * over(means[1], error)) * over(factor, error)


def over(values: Array, x: Array) -> Array:
    """Return one value a channel (C,) with the axes of `x`: images (C, H, W, B), or vectors (B, C)."""
    return values[:, None, None, None] if x.ndim == 4 else values[None]


def axes_of_one_channel(x: np.ndarray) -> tuple[int, ...]:
    """Return all axes but the channels', of images (C, H, W, B) or vectors (B, C)."""
    return (1, 2, 3) if x.ndim == 4 else (0,)


def adam(
    first: np.ndarray, second: np.ndarray, gradient: np.ndarray, step: AdamStep
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the next running means of gradients and of their squares, and the factor times the direction.

    Parameters
    ----------
    first, second : ndarray
        The running means (...).
    gradient : ndarray
        The gradient (...), in their type.
    step : AdamStep
        Constants of the step.
    """
    first = step.beta_1 * first + (1.0 - step.beta_1) * gradient
    second = step.beta_2 * second + (1.0 - step.beta_2) * (gradient * gradient)
    direction = (first / step.part_1) / (square_root(second / step.part_2) + step.epsilon)
    return first, second, step.factor * direction


def field(x: np.ndarray, size: int, offset: tuple[int, int]) -> np.ndarray:
    """Return the pixels at one offset in every whole field of images (C, H, W, B), without a copy."""
    high, wide = size * (x.shape[1] // size), size * (x.shape[2] // size)
    return x[:, offset[0] : high : size, offset[1] : wide : size]


def offsets(size: int) -> list[tuple[int, int]]:
    """Return the offsets in a field, row by row."""
    return [(row, column) for row in range(size) for column in range(size)]
