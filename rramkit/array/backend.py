# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Array back ends of tiles: NumPy arrays, or PyTorch tensors on any device, float32 or float64.

Kernels are written once, in the functions that the array-API standard gives both (array-api-compat finds them); only
conversions between the kinds are here. Numbers of the model are NumPy's float64, converted when a tile is built.
"""

import math
from typing import Any, Literal

import array_api_compat
import array_api_compat.numpy
import numpy as np

from rramkit.errors import InputError, SetupError

Backend = Literal["numpy", "torch"]

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
    return xp.asarray(x, dtype=reference.dtype, device=array_api_compat.device(reference))


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


def limited(x: Array, low: float, high: float) -> Array:
    """Return `x` clipped to `low` to `high`: the standard's own `clip` is many times slower in NumPy's wrapper."""
    if isinstance(x, np.ndarray):
        return np.minimum(np.maximum(x, low), high)
    return namespace(x).clip(x, low, high)


def square_root(x: Array) -> Array:
    """Return the square root of `x`, which may be overwritten."""
    return np.sqrt(x, out=x) if isinstance(x, np.ndarray) else namespace(x).sqrt(x)


def contiguous(x: Array) -> Array:
    """Return `x` with its last axis the fastest in memory, the last but one next, and so on."""
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x.contiguous()


def copied(x: Array) -> Array:
    """Return a copy of `x` with its last axis the fastest in memory, which can be written to by any shape of it."""
    if isinstance(x, np.ndarray):
        return np.array(x, order="C")
    return contiguous(namespace(x).asarray(x, copy=True))


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
