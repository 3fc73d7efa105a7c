# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Array back ends of tiles: NumPy arrays, or PyTorch tensors on any device, float32 or float64.

Kernels are written once, in the functions that the array-API standard gives both (array-api-compat finds them); only
conversions between the kinds are here. Numbers of the model are NumPy's float64, converted when a tile is built, or
once at their first use (`resident`).

A GPU works through a queue that the processor fills; code that looks at a number waits for all that is in it. So counts
and energies of tensors stay tensors of one number (`counted`, `total`), and a choice of some of many is a mask over all
of them (`kept`): how many they are is not asked.
"""

import math
import weakref
from typing import Any, Literal

import array_api_compat
import array_api_compat.numpy
import numpy as np

from rramkit.errors import InputError, SetupError

Backend = Literal["numpy", "torch"]

_OF_NUMPY = np.ndarray | np.generic

Array = Any
"""An array of either kind; the standard itself has no type for it."""


def is_array(x: object) -> bool:
    """Return whether `x` is an array of some kind."""
    return array_api_compat.is_array_api_obj(x)


def namespace(x: Array) -> Any:  # noqa: ANN401  (a module, or an object that acts as one)
    """Return the functions of the standard for the kind of `x`."""
    if isinstance(x, np.ndarray):
        return array_api_compat.numpy  # at once: this is called many times a read
    return array_api_compat.array_namespace(x)


def as_array(x: Array, name: str) -> Array:
    """Return `x` as an array of floats, as it is when it is one; anything that is no array becomes NumPy's float64."""
    if not is_array(x):
        try:
            return np.asarray(x, dtype=float)
        except (TypeError, ValueError):
            raise InputError(
                f"`{name}` must be an array of real numbers; got {type(x).__name__}. Convert it."
            ) from None
    xp = namespace(x)
    if x.dtype in (xp.float32, xp.float64):
        return x
    if not xp.isdtype(x.dtype, ("integral", "bool", "real floating")):
        raise InputError(f"`{name}` must be real numbers; got {x.dtype}. Convert it to float32 or float64.")
    return xp.astype(x, xp.float64)


def like(x: Array, reference: Array) -> Array:
    """Return `x` as an array of the kind, the type and the device of `reference`."""
    xp = namespace(reference)
    if is_array(x) and not isinstance(x, np.ndarray):
        return array_api_compat.to_device(xp.astype(x, reference.dtype, copy=False), array_api_compat.device(reference))
    # a tensor may not share memory that nobody may write
    given = np.require(x, requirements="W") if is_tensor(reference) and isinstance(x, np.ndarray) else x
    return xp.asarray(given, dtype=reference.dtype, device=array_api_compat.device(reference))


def placed(x: np.ndarray, backend: Backend, device: str) -> Array:
    """Return a NumPy array as one of a backend, on a device; in the processor's memory no number is copied.

    Raises
    ------
    SetupError
        When PyTorch is not installed, or the device is not there.
    """
    if backend == "numpy":
        return x
    try:
        import torch  # an optional extra
    except ImportError as error:
        raise SetupError(
            "`backend` torch needs PyTorch, which is not installed. Run: pip install 'rramkit[torch]'"
        ) from error
    if device != "cpu" and not torch.cuda.is_available():
        raise SetupError(f"`device` {device} is not there: PyTorch finds no CUDA. Take the device cpu.")
    return torch.from_numpy(np.require(x, requirements="W")).to(device)


def limited(x: Array, low: Array | float, high: Array | float) -> Array:
    """Return `x` clipped to `low` to `high`: the standard's own `clip` is many times slower in NumPy's wrapper."""
    if isinstance(x, _OF_NUMPY):
        return np.minimum(np.maximum(x, low), high)
    if is_array(low) or is_array(high):
        return x.clamp(min=low).clamp(max=high)  # PyTorch takes two numbers, or two tensors
    return x.clamp(low, high)


def at_least(x: Array, low: float) -> Array:
    """Return the larger of `x` and a number: one pass over memory, where `limited` takes two."""
    return np.maximum(x, low) if isinstance(x, _OF_NUMPY) else x.clamp(min=low)


def at_most(x: Array, high: float) -> Array:
    """Return the smaller of `x` and a number."""
    return np.minimum(x, high) if isinstance(x, _OF_NUMPY) else x.clamp(max=high)


def square_root(x: Array) -> Array:
    """Return the square root of `x`, which may be overwritten."""
    return np.sqrt(x, out=x) if isinstance(x, np.ndarray) else namespace(x).sqrt(x)


def sign(x: Array) -> Array:
    """Return -1, 0 or 1; the standard's own looks for values of tensors that are no numbers."""
    return np.sign(x) if isinstance(x, np.ndarray) else x.sign()


def contiguous(x: Array) -> Array:
    """Return `x` with its last axis the fastest in memory, the last but one next, and so on."""
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x.contiguous()


def copied(x: Array) -> Array:
    """Return a copy of `x` with its last axis the fastest in memory, which can be written to by any shape of it."""
    if isinstance(x, np.ndarray):
        return np.array(x, order="C")
    whole = contiguous(x)
    return whole.clone() if whole is x else whole


def long_columns(x: Array) -> bool:
    """Return whether vectors (..., N, L) lie side by side in memory, as those of a convolution's windows do."""
    strides = x.strides if isinstance(x, np.ndarray) else x.stride()
    return strides[-2] < strides[-1] and x.shape[-1] > 1


def size(x: Array) -> int:
    """Return how many values `x` holds."""
    return math.prod(x.shape)


def full(shape: tuple[int, ...], value: float, reference: Array) -> Array:
    """Return an array filled with `value`, of the kind, the type and the device of `reference`."""
    place = array_api_compat.device(reference)
    return namespace(reference).full(shape, value, dtype=reference.dtype, device=place)


def to_numpy(x: Array) -> np.ndarray:
    """Return `x` as a NumPy array of the same type, copied from its device when need be."""
    if isinstance(x, np.ndarray) or not is_array(x):
        return np.asarray(x)
    return np.asarray(array_api_compat.to_device(x, "cpu"))


def is_tensor(x: object) -> bool:
    """Return whether `x` is an array of another kind than NumPy's: one whose numbers are better not looked at."""
    return not isinstance(x, np.ndarray | np.generic) and is_array(x)


_RESIDENT: dict[tuple[int, str, str], Array] = {}
"""Constants on devices, by the identity of their NumPy array, type and device; gone when that array is."""


def resident(x: np.ndarray, reference: Array, *, index: bool = False) -> Array:
    """Return an array that nobody changes as one of the kind and the device of `reference`, copied there once.

    Parameters
    ----------
    x : ndarray
        The constant: the very same object each time.
    reference : array
        Gives kind, device and type.
    index : bool
        Whether its own type is kept, as indices and masks want it, instead of that of `reference`.
    """
    if isinstance(reference, np.ndarray | np.generic):
        return x
    xp, place = namespace(reference), array_api_compat.device(reference)
    key = id(x), "" if index else str(reference.dtype), str(place)
    if key not in _RESIDENT:
        _RESIDENT[key] = xp.asarray(np.array(x), dtype=None if index else reference.dtype, device=place)
        weakref.finalize(x, _RESIDENT.pop, key, None)
    return _RESIDENT[key]


def total(x: Array) -> Array | float:
    """Return the sum of all values: a float, or a tensor of one float64."""
    return float(x.sum()) if isinstance(x, np.ndarray) else namespace(x).sum(x, dtype=namespace(x).float64)


def weighed(count: Array | int, each: float) -> Array | float:
    """Return a count times a quantity: a float, or a tensor of one float64."""
    return count.double() * each if is_tensor(count) else count * each


def mean(x: Array) -> Array | float:
    """Return the mean of all values: a float, or a tensor of one number."""
    return float(x.mean()) if isinstance(x, np.ndarray) else namespace(x).mean(x)


def counted(mask: Array) -> Array | int:
    """Return how many values are true, or not zero: a number, or a tensor of one."""
    if isinstance(mask, np.ndarray):
        return int(np.count_nonzero(mask))
    xp = namespace(mask)
    return xp.sum(xp.astype(mask if mask.dtype == xp.bool else mask != 0, xp.int64))


def both(one: Array | None, other: Array | None) -> Array | None:
    """Return where both masks are true; None is true everywhere."""
    return other if one is None else one if other is None else one & other


def kept(mask: Array, *values: Array, live: Array | None = None) -> tuple[tuple[Array, ...], Array | None]:
    """Return the values (..., N) where a mask (N,) is true: of NumPy's these alone; of tensors all, and the mask.

    Parameters
    ----------
    mask : array of bool
        Which (N,).
    *values : array
        Values (..., N).
    live : array of bool, optional
        Those of tensors that were chosen before (N,); left out, all.

    Returns
    -------
    values : tuple of array
        Values (..., n) of the n chosen ones, or all of them.
    live : array or None
        Which of the returned ones count; None: all.
    """
    if isinstance(mask, np.ndarray):
        return tuple(each[..., mask] for each in values), None
    return values, both(live, mask)


def places(mask: Array) -> tuple[tuple[Array, ...], Array | None]:
    """Return the indices (N,) along each axis where a mask is true; of tensors all, and the mask (N,) itself."""
    if isinstance(mask, np.ndarray):
        flat = np.flatnonzero(mask)  # with the division a fraction of the time that `nonzero` takes of two axes
        return np.divmod(flat, mask.shape[1]), None
    rows, cols = mask.shape
    every = numbered(rows * cols, mask)
    return (every // cols, every % cols), mask.reshape(-1)


def put(x: Array, where: tuple[Array, ...], values: Array | float, live: Array | None = None) -> Array:
    """Return `x` with values (N,) at the indices `where` (N,) along each axis; of tensors those that are `live`."""
    changed = copied(x)
    if live is not None:
        values = namespace(live).where(live, values, x[where])
    changed[where] = values if isinstance(values, float) or isinstance(x, np.ndarray) else like(values, x)
    return changed


def only(x: Array, live: Array | None) -> Array:
    """Return `x` (N,), zero where `live` (N,) is false; None: as it is."""
    return x if live is None else namespace(live).where(live, x, 0)


def numbered(count: int, reference: Array) -> Array:
    """Return the numbers 0 to `count` - 1 on the device of `reference`."""
    if isinstance(reference, np.ndarray):
        return np.arange(count)
    return namespace(reference).arange(count, device=array_api_compat.device(reference))


def sums_at(index: Array, values: Array, count: int) -> Array:
    """Return the sum (count,) of the values (N,) at each index (N,) from 0 to `count` - 1."""
    if isinstance(index, np.ndarray):
        return np.bincount(index, weights=values, minlength=count)
    return full((count,), 0.0, values).index_add_(0, index, values)


def largest_at(index: Array, values: Array, count: int) -> Array:
    """Return the largest of 0 and the values (N,) at each index (N,) from 0 to `count` - 1: (count,)."""
    if isinstance(index, np.ndarray):
        largest = np.zeros(count, values.dtype)
        np.maximum.at(largest, index, values)
        return largest
    return full((count,), 0.0, values).scatter_reduce_(0, index, values, "amax")


def grouped(keys: Array) -> tuple[Array, int]:
    """Return the number of each key (N,) among the different ones, in rising order, and how many there are at most."""
    if isinstance(keys, np.ndarray):
        found, index = np.unique(keys, return_inverse=True)
        return index, found.size
    xp = namespace(keys)
    order = xp.argsort(keys, stable=True)
    ranks = xp.cumulative_sum(xp.astype(first_of_each(keys[order]), xp.int64)) - 1
    return xp.empty_like(ranks).index_copy_(0, order, ranks), int(keys.shape[0])


def first_of_each(keys: Array) -> Array:
    """Return where a key (N,) of a sorted tensor is another than the one before."""
    xp = namespace(keys)
    return xp.concat([xp.ones_like(keys[:1], dtype=xp.bool), keys[1:] != keys[:-1]])


def interpolated(x: Array, grid: np.ndarray, values: np.ndarray) -> Array:
    """Return `values` (N,) on `grid` at `x` (...), linear in between; beyond an end the value there (`np.interp`).

    For tensors both are kept (`resident`): they must be the very same objects each time, which nobody changes.
    """
    if not is_tensor(x):
        return np.interp(x, grid, values)
    if grid.size == 1:
        return full(tuple(x.shape), float(values[0]), x)
    found = on_pieces(x.clamp(float(grid[0]), float(grid[-1])), grid, values)
    if grid[0] < grid[1]:
        return found
    return namespace(x).where(x < float(grid[0]), float(values[0]), found)  # below two that are the same: the first


def on_pieces(x: Array, grid: np.ndarray, values: np.ndarray) -> Array:
    """Return `values` (N,) on `grid` at a tensor `x` (...): on the line of its interval, the outer ones beyond.

    Where two points of the grid are the same, the value is that of the second, as `np.interp` has it.
    """
    inner, pieces = _pieces(grid, values)
    at = namespace(x).searchsorted(resident(inner, x), x.contiguous(), side="right")
    # one look-up for all three; an index in brackets would be brought to the processor where it is a single one
    start, value, slope = resident(pieces, x).index_select(1, at.reshape(-1)).unbind(0)
    return value.addcmul(x.reshape(-1) - start, slope).reshape(x.shape)


def between(values: np.ndarray, low: Array, part: Array) -> Array:
    """Return rows (N, S) of constants (K, S), or numbers (N,) of (K,), `part` (N,) of the way from `low` (N,) on."""
    last, part = values.shape[0] - 1, part if values.ndim == 1 else part[:, None]
    if not is_tensor(low):
        return values[low] * (1.0 - part) + values[at_most(low + 1, last)] * part
    table = resident(values, part)
    return table.index_select(0, low).lerp(table.index_select(0, at_most(low + 1, last)), part)


_PIECES: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
"""Intervals of grids with values, by the identity of both arrays; gone when one of them is."""


def _pieces(grid: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the inner points of a grid (N - 2,), and start, value there and slope of its intervals (3, N - 1)."""
    key = id(grid), id(values)
    if key not in _PIECES:
        widths = np.diff(grid)
        whole = widths > 0.0
        slopes = np.divide(np.diff(values), widths, out=np.zeros(widths.shape), where=whole)
        _PIECES[key] = grid[1:-1].copy(), np.stack([grid[:-1], np.where(whole, values[:-1], values[1:]), slopes])
        for each in (grid, values):
            weakref.finalize(each, _PIECES.pop, key, None)
    return _PIECES[key]


def solved(matrix: Array, right: Array) -> Array:
    """Return matrix^-1 right of positive matrices (..., R, R) of tensors; one that is not positive gives no numbers."""
    import torch  # an optional extra

    factor, failed = torch.linalg.cholesky_ex(matrix)  # what it leaves of a matrix that is not positive are numbers too
    factor = torch.where(failed[..., None, None] == 0, factor, math.nan)
    return torch.cholesky_solve(right, factor)


def brought(x: Array | float) -> Any:  # noqa: ANN401  (float or int, as the count is)
    """Return the one number of a tensor, brought from its device; a number as it is."""
    return float(x) if is_tensor(x) else x
