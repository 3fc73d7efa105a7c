"""Voltages that drive the lines of tiles: shapes, layout as vectors, the range of the read table."""

import math

import numpy as np

from rramkit.array.backend import Array, as_array, counted, is_tensor, limited, namespace
from rramkit.array.layout import Images, Layout, Vectors
from rramkit.array.windows import Windows
from rramkit.errors import InputError

_EDGE = 1e-6  # of the voltage range (1): this far outside is rounding, to float32 too, not an extrapolation


def laid_out(
    v: Array, windows: Windows | None, *, letter: str, lines: int, tiles: tuple[int, ...] = ()
) -> tuple[Array, Layout, bool]:
    """Check the shape of voltages; return them as an array, their layout, and whether they are one vector.

    Parameters
    ----------
    v : array
        Voltages (`lines`,) or (..., B, `lines`) in volts, whose leading axes broadcast to `tiles`; with `windows`
        images (C, H, W, B).
    windows : Windows or None
        Kernel, stride and padding of a convolution.
    letter : str
        What the number of lines is called in a message.
    lines : int
        Lines that are driven.
    tiles : tuple of int
        Leading axes of the tiles.

    Raises
    ------
    InputError
        When the shape does not fit.
    """
    v = as_array(v, "v")
    if windows is not None:
        windows.check(v, lines)
        return v, Images(windows), False
    single = v.ndim == 1
    v = v[None] if single else v
    if v.ndim < 2 or v.shape[-1] != lines or not _fits(tuple(v.shape[:-2]), tiles):
        shape = f"(B, {letter}) = (B, {lines})" if not tiles else f"(..., B, {letter}) = (..., B, {lines})"
        of_tiles = f" and fit the tiles {tiles}" if tiles else ""
        given = tuple(v.shape[1:] if single else v.shape)
        raise InputError(f"`v` must be {shape} in volts{of_tiles}; got {given}. Reshape it.")
    return v, Vectors(), single


def within_range(v: Array, v_max: float, *, resident: bool) -> tuple[Array, Array | bool, Array | int]:
    """Return voltages clamped to `v_max` (V), whether any is negative, and how many were clamped.

    Of tensors that stay `resident` on their device no value is looked at.

    Raises
    ------
    InputError
        When there is none, or one is not finite.
    """
    xp, beyond = namespace(v), v_max * (1.0 + _EDGE)
    if resident and is_tensor(v):
        return limited(v, -v_max, v_max), (v < 0.0).any(), counted(xp.abs(v) > beyond)
    low, high = (float(v.min()), float(v.max())) if math.prod(v.shape) else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError("`v` must be at least one vector of finite voltages; got none, NaN or infinity. Fix it.")
    if max(high, -low) <= v_max:
        return v, low < 0.0, 0
    return limited(v, -v_max, v_max), low < 0.0, int(xp.count_nonzero(xp.abs(v) > beyond))


def _fits(lead: tuple[int, ...], tiles: tuple[int, ...]) -> bool:
    """Whether leading axes broadcast to those of the tiles, and to no more than these."""
    try:
        return np.broadcast_shapes(lead, tiles) == tiles
    except ValueError:
        return False
