"""The kernels compiled by numba: those of `reference`, each in one pass, without the interpreter's lock.

Long arrays are cut into parts that run on several threads (`rramkit.array.kernels.parts`). Arrays of another type, or
with gaps in their memory, go to the reference.
"""

import numpy as np

from rramkit.array.kernels.parts import in_parts
from rramkit.compiling import kernel
from rramkit.learning.kernels import reference
from rramkit.learning.kernels.reference import AdamStep, Vectors

_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
_AT_ONCE = 1024  # numbers (1) that the loops of a kernel take one after the other: they stay in the nearest cache


def _fit(first: np.ndarray, *others: np.ndarray) -> bool:
    """Return whether arrays have one type and shape, and no gaps."""
    if not (isinstance(first, np.ndarray) and first.dtype in _TYPES and first.flags.c_contiguous):
        return False
    return all(x.dtype == first.dtype and x.shape == first.shape and x.flags.c_contiguous for x in others)


def _of(x: np.ndarray, *vectors: np.ndarray) -> bool:
    """Return whether vectors hold a number of the type of `x` for each of its channels, without gaps."""
    return all(each.dtype == x.dtype and each.shape == (len(x),) and each.flags.c_contiguous for each in vectors)


def max_pooled(x: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest pixel of each field of images, and which one it is: see `reference.max_pooled`."""
    if not _fit(x):
        return reference.max_pooled(x, size)
    y = np.empty((x.shape[0], x.shape[1] // size, x.shape[2] // size, x.shape[3]), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    in_parts(lambda *part: _max_pooled(x, size, y, winner, *part), y.shape[0], x.size)
    return y, winner


@kernel
def _max_pooled(x, size, y, winner, first, last):  # noqa: ANN001, ANN202
    for c in range(first, last):
        for row in range(y.shape[1]):
            for column in range(y.shape[2]):
                largest, which = y[c, row, column], winner[c, row, column]
                corner = x[c, row * size, column * size]
                for b in range(largest.size):
                    largest[b] = corner[b]
                    which[b] = 0
                for index in range(1, size * size):
                    other = x[c, row * size + index // size, column * size + index % size]
                    number = np.uint8(index)
                    for b in range(largest.size):
                        now, new = largest[b], other[b]
                        which[b] = number if new > now else which[b]
                        largest[b] = new if new > now or new != new else now


def max_spread(error: np.ndarray, winner: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Return errors at the pixels that won, zero elsewhere: see `reference.max_spread`."""
    if not (_fit(error) and winner.flags.c_contiguous):
        return reference.max_spread(error, winner, shape, size)
    whole = shape[1] % size == 0 and shape[2] % size == 0
    to_inputs = np.empty(shape, error.dtype) if whole else np.zeros(shape, error.dtype)
    in_parts(lambda *part: _max_spread(error, winner, size, to_inputs, *part), shape[0], to_inputs.size)
    return to_inputs


@kernel
def _max_spread(error, winner, size, to_inputs, first, last):  # noqa: ANN001, ANN202
    one, zero = error.dtype.type(1.0), error.dtype.type(0.0)
    for c in range(first, last):
        for row in range(error.shape[1]):
            for column in range(error.shape[2]):
                each, which = error[c, row, column], winner[c, row, column]
                for index in range(size * size):
                    out = to_inputs[c, row * size + index // size, column * size + index % size]
                    number = np.uint8(index)
                    for b in range(each.size):
                        out[b] = each[b] * (one if which[b] == number else zero)


def rectified_error(error: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the error where the output of a rectifier is above zero: see `reference.rectified_error`."""
    if not (_fit(error, y) or _fit(error.T, y.T)):
        return reference.rectified_error(error, y)
    to_inputs = np.empty_like(error)  # in the memory order of `error`
    arrays = tuple(each.ravel(order="K") for each in (error, y, to_inputs))
    in_parts(lambda *part: _rectified_error(*arrays, *part), error.size, error.size)
    return to_inputs


@kernel
def _rectified_error(error, y, to_inputs, first, last):  # noqa: ANN001, ANN202
    one, zero = error.dtype.type(1.0), error.dtype.type(0.0)
    each, of, out = error[first:last], y[first:last], to_inputs[first:last]
    for n in range(out.size):
        out[n] = each[n] * (one if of[n] > zero else zero)


def normalised(x: np.ndarray, mean: np.ndarray, per_deviation: np.ndarray, vectors: Vectors) -> Vectors:
    """Return images less their mean over their deviation, and these scaled and shifted: see `reference.normalised`."""
    if not (_fit(x) and x.ndim == 4 and _of(x, mean, per_deviation, *vectors)):
        return reference.normalised(x, mean, per_deviation, vectors)
    normal, y = np.empty_like(x), np.empty_like(x)
    arrays = tuple(each.reshape(len(x), -1) for each in (x, normal, y))
    in_parts(lambda *part: _normalised(*arrays, mean, per_deviation, *vectors, *part), len(x), 2 * x.size)
    return normal, y


@kernel
def _normalised(x, normal, y, mean, per_deviation, scale, shift, first, last):  # noqa: ANN001, ANN202
    for c in range(first, last):
        of, out, scaled = x[c], normal[c], y[c]
        middle, per, by, plus = mean[c], per_deviation[c], scale[c], shift[c]
        for n in range(of.size):
            value = (of[n] - middle) * per
            out[n] = value
            scaled[n] = value * by + plus


def normalised_error(error: np.ndarray, normal: np.ndarray, means: Vectors, factor: np.ndarray) -> np.ndarray:
    """Return the error by the inputs of a normalised batch: see `reference.normalised_error`."""
    if not (_fit(error, normal) and error.ndim == 4 and _of(error, *means, factor)):
        return reference.normalised_error(error, normal, means, factor)
    out = np.empty_like(error)
    arrays = tuple(each.reshape(len(error), -1) for each in (error, normal, out))
    in_parts(lambda *part: _normalised_error(*arrays, *means, factor, *part), len(error), error.size)
    return out


@kernel
def _normalised_error(error, normal, out, mean, product, factor, first, last):  # noqa: ANN001, ANN202
    for c in range(first, last):
        each, of, to_inputs = error[c], normal[c], out[c]
        middle, times, by = mean[c], product[c], factor[c]
        for n in range(each.size):
            to_inputs[n] = ((each[n] - middle) - of[n] * times) * by


def adam(
    first: np.ndarray, second: np.ndarray, gradient: np.ndarray, step: AdamStep
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the next running means, and the factor times the direction: see `reference.adam`."""
    if not _fit(first, second, gradient):
        return reference.adam(first, second, gradient, step)
    new = np.empty_like(first), np.empty_like(first), np.empty_like(first)
    arrays = tuple(each.reshape(-1) for each in (first, second, gradient, *new))
    constants = (step.beta_1, 1.0 - step.beta_1, step.beta_2, 1.0 - step.beta_2, *step[2:])
    numbers = tuple(first.dtype.type(each) for each in constants)
    in_parts(lambda *part: _adam(*arrays, *numbers, *part), first.size, 4 * first.size)
    return new


@kernel
def _adam(first, second, gradient, first_new, second_new, change, *numbers_and_part):  # noqa: ANN001, ANN002, ANN202
    beta_1, rest_1, beta_2, rest_2, part_1, part_2, epsilon, factor, begin, end = numbers_and_part
    for start in range(begin, end, _AT_ONCE):  # loops over few arrays, from 0 up: others are not vectorised
        stop = min(start + _AT_ONCE, end)
        m, s, new = first_new[start:stop], second_new[start:stop], gradient[start:stop]
        m_before, s_before, out = first[start:stop], second[start:stop], change[start:stop]
        for n in range(m.size):
            m[n] = beta_1 * m_before[n] + rest_1 * new[n]
        for n in range(s.size):
            s[n] = beta_2 * s_before[n] + rest_2 * (new[n] * new[n])
        for n in range(out.size):
            out[n] = factor * ((m[n] / part_1) / (np.sqrt(s[n] / part_2) + epsilon))
