"""The kernels in NumPy: what they compute, and what runs where numba is not installed.

Where a kernel takes arrays of any kind, it runs on PyTorch's tensors too.
"""

import math
from typing import Protocol

import numpy as np

from rramkit.array.backend import Array, like, limited, long_columns, namespace, square_root
from rramkit.array.elimination import Ladder, shared_resistance

FAMILY = "NumPy kernels"

STEPS, BEYOND = 4, 0.6
"""Steps of the fixed point of `wire_profiles` (1): a step leaves 0.3 to 0.45 of the error, so 0.6 steps further."""

AT_ONCE = 2**15
"""Numbers (1) that a pass of NumPy's takes at once: every step stays in the cache."""

_WORD = 2.0**-32


class Codes(Protocol):
    """What `looked_up` needs of a look-up: see `stages.sense_unit.LookUp`."""

    parts: int
    comparisons: int
    end: Array
    first: Array
    below: Array
    codes: Array
    i_step: Array

    @property
    def end_first(self) -> float:
        """Lowest upper end of a range, in parts."""
        ...

    def converted(self, position: Array, first: Array, below: Array, i_step: Array) -> Array:
        """Return the currents of positions within the look-up."""
        ...


def normal_numbers(bits: np.ndarray) -> np.ndarray:
    """Return standard normal numbers (2 N,) in float32 from 32 random bits each (2 N,), by Box and Muller.

    The first N bits give the radius and the last N the angle of a pair, its numbers n and N + n.
    """
    half = bits.size // 2
    values = bits.astype(np.float32)
    radius, angle = values[:half], values[half:]
    radius += 0.5
    radius *= _WORD
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle *= 2.0 * np.pi * _WORD
    drawn = np.empty(2 * half, dtype=np.float32)
    np.cos(angle, out=drawn[:half])
    np.sin(angle, out=drawn[half:])
    drawn[:half] *= radius
    drawn[half:] *= radius
    return drawn


def noisy(i: Array, variance: Array, own: Array | float, normal: Array) -> Array:
    """Return currents with noise, i + sqrt(variance + own) normal; all but `own` may be overwritten.

    Parameters
    ----------
    i, variance, normal : array
        Currents (..., N, M) in amperes, variances of their cells (A^2), and standard normal numbers.
    own : array or float
        Further variance (A^2), of all or of each output (..., 1, M).
    """
    if not (isinstance(own, float) and own == 0.0):
        variance += own
    normal *= square_root(variance)
    i += normal
    return i


def halves(total: Array, difference: Array, *, axis: int) -> Array:
    """Return (s + d) / 2 and (s - d) / 2, side by side along `axis`, -1 or -2, in the memory order of `total`."""
    if not isinstance(total, np.ndarray):
        both = namespace(total).concat([total + difference, total - difference], axis=axis)
    elif long_columns(total):
        turned = total.swapaxes(-1, -2), difference.swapaxes(-1, -2)
        return halves(*turned, axis=-3 - axis).swapaxes(-1, -2)
    else:
        both = np.empty(tuple(2 * n if total.ndim + axis == at else n for at, n in enumerate(total.shape)), total.dtype)
        plus, minus = np.split(both, 2, axis=axis)
        np.add(total, difference, out=plus)
        np.subtract(total, difference, out=minus)
    both *= 0.5
    return both


def noisy_halves(
    currents: tuple[Array, Array], variances: tuple[Array, Array], own: Array | float, normal: Array, *, axis: int
) -> Array:
    """Return the noisy currents of the two halves of pairs, side by side along `axis`, -1 or -2.

    Parameters
    ----------
    currents, variances : tuple of array
        Sum and difference of the halves (..., N, M): of their currents (A), and of the variances of these (A^2).
    own : array or float
        Further variance (A^2) of each half, as for `noisy`.
    normal : array
        Standard normal numbers in the shape of the result.
    """
    return noisy(halves(*currents, axis=axis), halves(*variances, axis=axis), own, normal)


def quantised(i: Array, step: Array | float, low: float, high: float) -> tuple[Array, int]:
    """Return currents rounded to whole steps from `low` to `high`, and how many were beyond; `i` may be overwritten.

    Below a `low` of zero is the lower end of the range, and is not counted.

    Parameters
    ----------
    i : array
        Currents (..., N, M) in amperes.
    step : array or float
        Step of all outputs or of each (..., 1, M), in amperes.
    low, high : float
        Ends of the range in steps (1).
    """
    xp = namespace(i)
    i *= 1.0 / step
    i = xp.round(i)
    least, most = (float(i.min()), float(i.max())) if math.prod(i.shape) else (0.0, 0.0)
    beyond = int(xp.count_nonzero(i > high)) if most > high else 0
    if low < 0.0 and least < low:
        beyond += int(xp.count_nonzero(i < low))
    if most > high or least < low:
        i = limited(i, low, high)
    i *= step
    return i, beyond


def looked_up(i: Array, factor: Array, shift: Array, codes: Codes) -> tuple[Array, int]:
    """Return the currents of the codes of currents, and how many were beyond a range; `i` may be overwritten.

    Parameters
    ----------
    i : array
        Currents (..., N, M) in amperes.
    factor, shift : array
        Parts of the look-up for an ampere, and position of no current in parts, of each output (..., 1, M).
    codes : Codes
        The look-up.
    """
    i *= factor
    i += shift
    xp = namespace(i)
    low, high = (float(i.min()), float(i.max())) if math.prod(i.shape) else (0.0, 0.0)
    beyond = int(xp.count_nonzero(i < 0.0)) if low < 0.0 else 0
    beyond += int(xp.count_nonzero(i > codes.end)) if high > codes.end_first else 0
    if low < 0.0 or high >= codes.parts:
        i = limited(i, 0.0, float(np.nextafter(np.float32(codes.parts), 0.0)))
    if not isinstance(i, np.ndarray):
        return codes.converted(i, codes.first, codes.below, codes.i_step), beyond
    for tile in np.ndindex(i.shape[:-2]) if i.size > AT_ONCE else [...]:
        own, vectors = i[tile], max(1, AT_ONCE // i.shape[-1])
        params = codes.first[tile], codes.below[tile], codes.i_step[tile]
        for start in range(0, own.shape[-2], vectors) if tile is not ... else [0]:
            some = own[..., start : start + vectors, :] if tile is not ... else own
            some[...] = codes.converted(some, *params)
    return i, beyond


def wire_profiles(g: Array, ladder: Ladder) -> tuple[Array, Array, Array]:
    """Return the cells h (..., R, C) and the profiles phi (..., 1, C) and psi (..., R, 1) of arrays behind wires.

    Steps 1 and 2 of the fast grade of `wires`, which has their equations.

    Parameters
    ----------
    g : array
        Conductances (..., R, C) in siemens, of any kind of array; the compiled kernel takes (R, C) of NumPy's.
    ladder : Ladder
        Resistances along the rows and the columns.
    """
    xp = namespace(g)
    # copies: what is shared is read-only, which a tensor cannot be
    p = like(shared_resistance(g.shape[-1], ladder.r_start, ladder.r_line).copy(), g)
    q = like(shared_resistance(g.shape[-2], ladder.r_end, ladder.r_step)[::-1, ::-1].copy(), g)
    s = s_before = 1.0
    drop = before = (g @ p, q @ g)
    for _ in range(STEPS):
        s_before, before = s, drop
        s = 1.0 / (1.0 + (drop[0] + drop[1]) / s)
        drop = (s * g) @ p, q @ (s * g)
    s = s + BEYOND * (s - s_before)
    e = s * g
    rho, kappa = (now + BEYOND * (now - then) for now, then in zip(drop, before, strict=True))
    # rho and kappa are linear in e, extrapolated or averaged over the rows: no further product with P or Q
    phi = _scaled(xp.mean(rho, axis=-2, keepdims=True), xp.mean(e, axis=-2, keepdims=True))
    psi = _scaled(xp.mean(kappa, axis=-1, keepdims=True), xp.mean(e, axis=-1, keepdims=True))
    rest = rho + kappa - xp.sum(e * phi, axis=-1, keepdims=True) * phi - psi * xp.sum(psi * e, axis=-2, keepdims=True)
    return g / (1.0 + rest / s), phi, psi


def _scaled(drop: Array, load: Array) -> Array:
    """Return P u / sqrt(u P u), zero where no current flows or the resistance is zero."""
    xp = namespace(drop)
    power = xp.sum(drop * load, axis=(-2, -1), keepdims=True)
    return drop / xp.sqrt(xp.where(power > 0.0, power, xp.ones_like(power)))
