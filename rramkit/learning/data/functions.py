"""Functions to approximate: inputs drawn evenly from a box, inputs and answers scaled to 0 to 1.

    x = (u - low)/(high - low)       u  inputs, each evenly from its own range
    t = (f(u) - f_low)/(f_high - f_low)

The six functions of one or two inputs are this kit's choice (DESIGN) for the six common functions of ISLPED 2013
(doi 10.1109/ISLPED.2013.6629302), whose text was not available; ranges are chosen so that no slope is infinite. The
other names are benchmarks that approximate computing shares (RECALLED: AxBench, used by RRAM-ACU and by MEI); what they
compute here is written down in this file.

`operations` are the additions, multiplications and comparisons that replace the function in double precision without
tables (DESIGN): 2 a coefficient of the polynomial that the C library's double-precision routines take, 3 a Newton step
of a quotient and 5 of a square root, and the range reduction. A figure in operations a joule goes with this count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.data.dataset import DataSet

FunctionData = Literal["sqrt", "reciprocal", "x2y", "log", "exp", "sin", "inversek2j", "fft", "kmeans", "sobel"]
"""Names of the functions."""

# Second word of the seed that draws the test inputs: another stream than that of the training inputs. NumPy fills a
# seed up with zeros: it is also that of the first programming of a training's device, (seed, 3, 0), which draws
# Gaussian numbers from it where this draws even ones; figures of docs/systems (acu, mei) were drawn so, and stay.
_TEST = 3
_QUOTIENT = 12  # operations: a seed and its scale (3), three Newton steps of 3
_ROOT = 18  # operations: a seed and its scale (3), three Newton steps of 5
_EXP = 2 * 11 + 6  # operations: degree 11, reduction by ln 2 and scale
_LOG = 2 * 14 + 7  # operations: degree 14 of (x - 1)/(x + 1) and its quotient by one step more, scale
_SINE = 2 * 7 + 8  # operations: degree 7 in x^2, reduction by pi/2 in two parts
_ARC = 2 * 12 + 6 + _ROOT  # operations: degree 12, its argument's root


@dataclass(frozen=True)
class Function:
    """A function of a box.

    Attributes
    ----------
    of : callable
        Inputs (N, F) to values (N, O).
    low, high : tuple of float
        Ends of the range of each input.
    f_low, f_high : tuple of float
        Ends of the range of each value over the box.
    operations : int
        Operations that the function takes (1), as above.
    """

    of: Callable[[np.ndarray], np.ndarray]
    low: tuple[float, ...]
    high: tuple[float, ...]
    f_low: tuple[float, ...]
    f_high: tuple[float, ...]
    operations: int


def _of_one(function: Callable[[np.ndarray], np.ndarray], low: float, high: float, operations: int) -> Function:
    """Return a rising or falling function of one input."""
    ends = sorted(function(np.array([low, high])).tolist())
    return Function(function, (low,), (high,), (ends[0],), (ends[1],), operations)


def _inverse_kinematics(u: np.ndarray) -> np.ndarray:
    """Return both joints (N, 2) of an arm of two links of 1/2 that reaches x, y."""
    x, y = u.T
    cosine = np.clip(2.0 * (x * x + y * y) - 1.0, -1.0, 1.0)
    second = np.arccos(cosine)
    first = np.arctan2(y, x) - np.arctan2(np.sin(second), 1.0 + cosine)
    return np.stack([first, second], axis=1)


def _twiddle(u: np.ndarray) -> np.ndarray:
    """Return cosine and sine (N, 2) of a part of the turn."""
    return np.stack([np.cos(2.0 * np.pi * u[:, 0]), np.sin(2.0 * np.pi * u[:, 0])], axis=1)


def _distance(u: np.ndarray) -> np.ndarray:
    """Return the distance (N, 1) of two points of three coordinates."""
    return np.sqrt(np.sum((u[:, :3] - u[:, 3:]) ** 2, axis=1, keepdims=True))


def _sobel(u: np.ndarray) -> np.ndarray:
    """Return the magnitude of the slope (N, 1) of windows of 3 x 3 pixels, at most 1."""
    window = u.reshape(-1, 3, 3)
    smooth, step = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    down = np.einsum("nij,i,j->n", window, step, smooth)
    right = np.einsum("nij,i,j->n", window, smooth, step)
    return np.minimum(np.sqrt(down * down + right * right) / 4.0, 1.0)[:, None]


FUNCTIONS: Mapping[str, Function] = {
    "sqrt": _of_one(np.sqrt, 1 / 16, 1.0, _ROOT),
    "reciprocal": _of_one(np.reciprocal, 0.25, 1.0, _QUOTIENT),
    "x2y": Function(lambda u: u[:, :1] ** 2 * u[:, 1:], (0.0, 0.0), (1.0, 1.0), (0.0,), (1.0,), 2),
    "log": _of_one(np.log, 0.125, 1.0, _LOG),
    "exp": _of_one(np.exp, 0.0, 2.0, _EXP),
    "sin": Function(np.sin, (0.0,), (np.pi,), (0.0,), (1.0,), _SINE),
    "inversek2j": Function(
        _inverse_kinematics,
        *((0.1, 0.1), (0.65, 0.65)),
        *((-0.93, 0.80), (0.57, 2.87)),  # over the box: -0.927 to 0.567, 0.809 to 2.859
        3 * _ARC + 2 * _QUOTIENT + _SINE + 9,
    ),
    "fft": Function(_twiddle, (0.0,), (1.0,), (-1.0, -1.0), (1.0, 1.0), 2 * _SINE + 1),
    "kmeans": Function(_distance, (0.0,) * 6, (1.0,) * 6, (0.0,), (np.sqrt(3.0),), 8 + _ROOT),
    "sobel": Function(_sobel, (0.0,) * 9, (1.0,) * 9, (0.0,), (1.0,), 2 * 10 + 3 + _ROOT),
}
assert set(FUNCTIONS) == set(get_args(FunctionData))


def function(name: FunctionData, *, train: int, test: int, seed: int) -> DataSet:
    """Draw inputs of a function and its values.

    Parameters
    ----------
    name : str
        One of `FUNCTIONS`.
    train, test : int
        Inputs to draw.
    seed : int
        Draws them.

    Returns
    -------
    DataSet
        Inputs (N, F) and targets (N, O) from 0 to 1.

    Raises
    ------
    InputError
        When fewer than one input is wanted.

    Examples
    --------
    >>> data = function("exp", train=100, test=20, seed=1)
    >>> data
    DataSet(function exp: 100 training and 20 test inputs of 1, 1 targets)
    """
    if train < 1 or test < 1:
        raise InputError(f"a function needs 1 training and 1 test input or more; got {train} and {test}. Draw more.")
    one = FUNCTIONS[name]
    x_train, y_train = _drawn(one, train, np.random.default_rng(seed))
    x_test, y_test = _drawn(one, test, np.random.default_rng((seed, _TEST)))
    return DataSet(x_train, y_train, x_test, y_test, name=f"function {name}")


def _drawn(one: Function, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.random((count, len(one.low)))
    low, high = (np.asarray(ends) for ends in (one.low, one.high))
    f_low, f_high = (np.asarray(ends) for ends in (one.f_low, one.f_high))
    return x, np.clip((one.of(low + x * (high - low)) - f_low) / (f_high - f_low), 0.0, 1.0)


def as_digits(x: np.ndarray, *, bits: int, row_bits: int) -> np.ndarray:
    """Return inputs (N, F) from 0 to 1 as numbers of `bits` bits, each on as many rows of `row_bits` as it takes.

    Parameters
    ----------
    x : ndarray
        Inputs (N, F) from 0 to 1.
    bits : int
        Bits of an input: it is the number round(x (2^bits - 1)).
    row_bits : int
        Bits on one row; its digit over 2^row_bits - 1 is the row's input. The last digit is filled up with zeros.

    Returns
    -------
    ndarray
        Inputs (N, F ceil(bits/row_bits)) from 0 to 1, the highest digit of each first.

    Raises
    ------
    InputError
        When inputs are others.

    Examples
    --------
    >>> as_digits(np.array([[0.0, 2 / 3, 1.0]]), bits=2, row_bits=1)
    array([[0., 0., 1., 0., 1., 1.]])
    >>> as_digits(np.array([[0.75]]), bits=8, row_bits=5) * 31  # 191 = 0b10111_111
    array([[23., 28.]])
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.dtype == np.uint8 or not np.all((x >= 0.0) & (x <= 1.0)):
        raise InputError(
            f"`data.bits` takes vectors (N, F) of numbers from 0 to 1; got {x.shape} of {x.dtype}. Set it to 0, or "
            "scale the inputs."
        )
    rows = -(-bits // row_bits)
    number = np.rint(x * (2**bits - 1)).astype(np.int64) << (rows * row_bits - bits)
    shifts = row_bits * np.arange(rows - 1, -1, -1)
    digits = (number[..., None] >> shifts) & (2**row_bits - 1)
    return digits.reshape(len(x), -1) / (2**row_bits - 1)
