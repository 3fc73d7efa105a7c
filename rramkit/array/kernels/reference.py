"""The kernels in NumPy: what they compute, and what runs where numba is not installed.

Where a kernel takes arrays of any kind, it runs on PyTorch's tensors too.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import array_api_compat
import numpy as np

from rramkit.array.backend import (
    Array,
    at_least,
    at_most,
    contiguous,
    counted,
    full,
    interpolated,
    is_tensor,
    like,
    limited,
    long_columns,
    namespace,
    numbered,
    resident,
    solved,
    square_root,
)
from rramkit.array.elimination import NOT_POSITIVE, Ladder, shared_resistance
from rramkit.array.threads import threads_for
from rramkit.errors import InputError

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


def box_muller(
    bits: np.random.BitGenerator, count: int, convert: Callable[[np.ndarray], np.ndarray] = normal_numbers
) -> np.ndarray:
    """Return `count` standard normal numbers in float32 from a stream of bits, `AT_ONCE` at a time."""
    drawn = np.empty(count, dtype=np.float32)
    for start in range(0, count, AT_ONCE):
        part = drawn[start : start + AT_ONCE]
        part[:] = convert(bits.random_raw((part.size + 1) // 2).view(np.uint32))[: part.size]
    return drawn


def stream_normals(states: np.ndarray, count: int) -> np.ndarray:
    """Return the next normal numbers (T, count) in float32 of streams of bits, and advance them.

    Parameters
    ----------
    states : ndarray of uint64
        State of each stream (T, 4): the generator SFC64 of NumPy's, from `started`; overwritten.
    count : int
        Numbers of each stream.
    """
    bits, drawn = np.random.SFC64(0), np.empty((len(states), count), np.float32)
    for row, state in zip(drawn, states, strict=True):
        bits.state = {**bits.state, "state": {"state": state}}
        row[:] = box_muller(bits, count)
        state[:] = bits.state["state"]["state"]
    return drawn


def started(words: np.ndarray) -> np.ndarray:
    """Return the states (T, 4) of streams that start from words (T, 3) of 64 bits, as SFC64 begins: twelve steps."""
    states = np.concatenate([words, np.ones((len(words), 1), np.uint64)], axis=1)
    a, b, c, counter = states.T
    for _ in range(12):
        drawn = a + b + counter
        counter += np.uint64(1)
        a[:], b[:], c[:] = b ^ (b >> np.uint64(11)), c + (c << np.uint64(3)), _rotated(c) + drawn
    return states


def _rotated(x: np.ndarray) -> np.ndarray:
    """Return 64 bits turned left by 24."""
    return (x << np.uint64(24)) | (x >> np.uint64(40))


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
    if is_tensor(i):
        beyond = counted(i > high) + (counted(i < low) if low < 0.0 else 0)
        return limited(i, low, high) * step, beyond
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
    xp, most = namespace(i), float(np.nextafter(np.float32(codes.parts), 0.0))
    if is_tensor(i):
        beyond, unknown = counted(i < 0.0) + counted(i > codes.end), xp.isnan(i)
        places = limited(xp.where(unknown, 0.0, i), 0.0, most)  # what is no number has none, and stays what it is
        found = codes.converted(places, codes.first, codes.below, codes.i_step)
        return xp.where(unknown, i, found), beyond
    low, high = (float(i.min()), float(i.max())) if math.prod(i.shape) else (0.0, 0.0)
    beyond = int(xp.count_nonzero(i < 0.0)) if low < 0.0 else 0
    beyond += int(xp.count_nonzero(i > codes.end)) if high > codes.end_first else 0
    if low < 0.0 or high >= codes.parts:
        i = limited(i, 0.0, most)
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
    p = _shared(g.shape[-1], ladder.r_start, ladder.r_line, g)
    q = _shared(g.shape[-2], ladder.r_end, ladder.r_step, g)
    q = contiguous(namespace(q).flip(q))
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


def _shared(nodes: int, r_start: float, r_segment: float, g: Array) -> Array:
    """Return the resistance that two nodes of a line share (M, M), in the kind and the type of `g`."""
    shared = shared_resistance(nodes, r_start, r_segment)
    return resident(shared, g) if is_tensor(g) else like(shared, g)


def _scaled(drop: Array, load: Array) -> Array:
    """Return P u / sqrt(u P u), zero where no current flows or the resistance is zero."""
    xp = namespace(drop)
    power = xp.sum(drop * load, axis=(-2, -1), keepdims=True)
    return drop / xp.sqrt(xp.where(power > 0.0, power, xp.ones_like(power)))


def behind_wires(g: np.ndarray, ladder: Ladder) -> np.ndarray:
    """Return the effective conductances of arrays behind wires: the fast grade of `wires`, which has its equations.

    Parameters
    ----------
    g : ndarray
        Conductances (T, R, C) in siemens.
    ladder : Ladder
        Resistances along the rows and the columns.

    Returns
    -------
    ndarray
        Effective conductances (T, R, C) in siemens.

    Raises
    ------
    InputError
        When cells and wires make no positive network.
    """
    effective = np.empty_like(g)
    with threads_for(min(g.shape[-2:])):
        for tile, cells in enumerate(g):  # one by one they stay in the processor's cache: 4 times as fast
            effective[tile] = reduced(*wire_profiles(cells, ladder))
    return effective


def reduced(h: Array, phi: Array, psi: Array) -> Array:
    """Return A (..., R, C) of the cells h with one profile for all rows and one for all columns: step 3."""
    if h.shape[-2] > h.shape[-1]:  # reciprocity: the smaller matrix
        turned = reduced(_transposed(h), _transposed(psi), _transposed(phi))
        return _transposed(turned)
    xp = namespace(h)
    h_phi, h_psi = h * phi, psi * h
    alpha = 1.0 + xp.sum(h_phi * phi, axis=-1, keepdims=True)
    beta = 1.0 + xp.sum(h_psi * psi, axis=-2, keepdims=True)
    across = h_psi * (phi / beta)
    eye = xp.eye(h.shape[-2], dtype=h.dtype, device=array_api_compat.device(h))
    matrix = eye * alpha - (across * phi) @ _transposed(h_psi)
    right = eye * xp.sum(h_phi, axis=-1, keepdims=True) - across @ _transposed(h_psi)
    a = _transposed(_solved(matrix, right))  # for one volt at each row i: (..., i, m)
    b = (h_psi - (a @ h_psi) * phi) / beta
    return h - (a @ h) * phi - b * xp.sum(h_psi, axis=-2, keepdims=True)


def _solved(matrix: Array, right: Array) -> Array:
    """Return matrix^-1 right, both symmetric and (..., R, R), the matrix positive."""
    if not isinstance(matrix, np.ndarray):
        return solved(matrix, right)
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise InputError(NOT_POSITIVE) from error
    if not np.all(factor[..., -1, -1] > 0.0):  # what is not a number anywhere ends here
        raise InputError(NOT_POSITIVE)
    return np.linalg.solve(matrix, right)  # by LU, which would solve a matrix that is not positive all the same


def _transposed(x: Array) -> Array:
    return namespace(x).matrix_transpose(x)


def scaled(values: Array, largest: float, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return vectors whose top magnitude is `largest`, and the factors.

    Parameters
    ----------
    values : array
        Vectors (N, R) with `axes` (1,), or images (C, H, W, B) with (0, 1, 2).
    largest : float
        Top magnitude afterwards.
    axes : tuple of int
        Axes over which the top is taken.

    Returns
    -------
    scaled, factor : array
        In the shape and memory order of `values`; and (N, 1) or (1, 1, 1, B). Where the top is zero or no normal number
        of the type, the factor is `largest`.
    """
    xp = namespace(values)
    top = xp.max(xp.abs(values), axis=axes, keepdims=True)
    some = top >= float(xp.finfo(values.dtype).smallest_normal)  # below, the factor is no number of this type
    factor = xp.where(some, largest / xp.where(some, top, xp.ones_like(top)), xp.full_like(top, largest))
    return values * factor, factor


def folded(parts: Array, shape: tuple[int, int, int, int], stride: int, pad: int) -> Array:
    """Return images of `shape` (C, H, W, B), each the sum of what its windows have at its pixels.

    Parameters
    ----------
    parts : array
        Pixels of the windows (C, k, k, Ho, Wo, B): of each its rows and columns, of windows down and across.
    shape : tuple of int
        Shape of the images.
    stride, pad : int
        Pixels from window to window, and of the border, which is cut off.
    """
    channels, height, width, batch = shape
    out = full((channels, height + 2 * pad, width + 2 * pad, batch), 0.0, parts)
    high, wide = parts.shape[3:5]
    for i in range(parts.shape[1]):
        for j in range(parts.shape[2]):
            out[:, i : i + stride * high : stride, j : j + stride * wide : stride] += parts[:, i, j]
    return out[:, pad : pad + height, pad : pad + width]


def pair_matrices(terms: Array, variance: Array | None, attenuation: Array | None) -> tuple[Array, ...]:
    """Return difference and sum of the halves of each term (T, K, R, C), and sum and difference of their variances.

    Parameters
    ----------
    terms : array
        Conductance terms behind the wires (K, T, 2, R, C).
    variance, attenuation : array or None
        Variances of the conductances (S^2), which may be overwritten, and attenuation of each cell's current by the
        wires (T, 2, R, C); None: no noise, no wires.

    Returns
    -------
    tuple of array
        Two, or with noise four, the last two (T, R, C).
    """
    xp = namespace(terms)
    plus, minus = (xp.moveaxis(terms[:, :, half], 0, 1) for half in (0, 1))
    if variance is None:
        return plus - minus, plus + minus
    behind = variance if attenuation is None else behind_attenuation(variance, attenuation)
    return plus - minus, plus + minus, behind[:, 0] + behind[:, 1], behind[:, 0] - behind[:, 1]


def behind_attenuation(variance: Array, attenuation: Array) -> Array:
    """Return the variance of conductances behind wires: d(g_eff) = s^2 dg, exact for one cell in series with them."""
    square = attenuation * attenuation
    variance *= square * square
    return variance


def even_curves(x: Array, values: Array, steps: Array, span: tuple[float, float]) -> Array:
    """Return curves (K, ...) at `x` (...), linear within each of P parts of a span; beyond it the end's value holds.

    Parameters
    ----------
    x : array
        Where (...).
    values, steps : array
        Value at the begin of each part, and how much it grows over the part (K, P), in the type of `x`.
    span : tuple of float
        Lowest and highest x of the curves.
    """
    xp, (low, high), parts = namespace(x), span, values.shape[1]
    position = (limited(x, low, high) - low) * (parts / (high - low))
    below = xp.astype(limited(position, 0.0, parts - 1.0), xp.int64)
    part = position - xp.astype(below, x.dtype)
    rows = []
    for value, step in zip(values, steps, strict=True):
        row = step[below]
        row *= part
        row += value[below]
        rows.append(row)
    return xp.stack(rows)


def nearest_step(g_cell: Array, wanted: Array, g_grid: np.ndarray, reach: np.ndarray) -> Array:
    """Return the index (N,) of the amplitude whose change is nearest `wanted` (N,): see `write.amplitudes.Inversion`.

    Parameters
    ----------
    g_cell, wanted : ndarray
        Conductances and changes (N,), in siemens.
    g_grid, reach : ndarray
        Conductances (G,), and the largest change of each amplitude and those below it (G, A), in siemens.
    """
    position = interpolated(g_cell, g_grid, _steps_to(g_grid.size))
    xp, width, flat = namespace(position), reach.shape[1], resident(reach, position).reshape(-1)
    below = at_most(xp.astype(position, xp.int64), g_grid.size - 2)
    part, corner = position - below, below * width

    def change(index: Array) -> Array:
        return flat[corner + index] * (1.0 - part) + flat[corner + width + index] * part

    def first(least: Array) -> Array:
        return _first(change, least, width) if every is None else (every < least[:, None]).sum(axis=-1)

    # of tensors every amplitude at once: a tenth of the operations that a search by bisection queues
    every = None if not is_tensor(flat) else change(numbered(width, flat)[:, None]).T
    upper = at_most(first(wanted), width - 1)
    lower = at_least(upper - 1, 0)
    near_lower = change(lower)
    take_lower = xp.abs(near_lower - wanted) <= xp.abs(change(upper) - wanted)
    return xp.where(take_lower, first(near_lower), upper)


@lru_cache(maxsize=64)
def _steps_to(count: int) -> np.ndarray:
    """Return 0 to `count` - 1, the same object each time."""
    return np.arange(count, dtype=float)


def _first(change: Callable[[Array], Array], wanted: Array, count: int) -> Array:
    """Return the first index (N,) where the rising `change` is at least `wanted` (N,); `count` where none is."""
    xp = namespace(wanted)
    low = xp.zeros_like(wanted, dtype=xp.int64)
    high = low + count  # the answer lies within low and high, both included
    for _ in range(int(count).bit_length()):
        middle = (low + high) // 2
        there = change(at_most(middle, count - 1)) >= wanted
        searching = low < high
        high = xp.where(searching & there, middle, high)
        low = xp.where(searching & ~there, middle + 1, low)
    return high
