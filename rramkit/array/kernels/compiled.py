# pyright: reportMissingImports=false
"""The kernels compiled by numba: those of `reference`, each in one pass, without the interpreter's lock.

No fast-math: additions and products stay in their order, and are not fused, so that results are the reference's to the
last bit wherever the arithmetic is the same. Each is compiled for a type of number when it is first called with it, a
second or two, and kept beside the source or in the user's cache; where neither can be written, in memory alone.

Logarithm, sine and cosine of `normal_numbers` are polynomials (S. L. Moshier, Cephes library, single precision), which
the compiler turns into vector instructions; calls of the C library's functions it would not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from rramkit.array.backend import Array, long_columns
from rramkit.array.elimination import Ladder
from rramkit.array.kernels import reference
from rramkit.array.kernels.reference import BEYOND, STEPS, Codes

FAMILY = f"numba {numba.__version__} kernels"

_F = np.float32
_SINGLE = np.dtype(np.float32)
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_WORD, _ANGLE = _F(2.0**-32), _F(2.0 * np.pi * 2.0**-32)
_ROOT_HALF_BITS = np.int32(0x3F3504F3)  # of sqrt(1/2) in float32
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_L0, _L1, _L2 = _F(7.0376836292e-2), _F(-1.1514610310e-1), _F(1.1676998740e-1)
_L3, _L4, _L5 = _F(-1.2420140846e-1), _F(1.4249322787e-1), _F(-1.6668057665e-1)
_L6, _L7, _L8 = _F(2.0000714765e-1), _F(-2.4999993993e-1), _F(3.3333331174e-1)
_S0, _S1, _S2 = _F(-1.9515295891e-4), _F(8.3321608736e-3), _F(-1.6666654611e-1)
_C0, _C1, _C2 = _F(2.443315711809948e-5), _F(-1.388731625493765e-3), _F(4.166664568298827e-2)
_WHOLE = _F(2.0**22)  # above it every float32 is a whole number, and out of every range
_ROUNDER = _F(1.5 * 2.0**23)  # added and taken away again, it leaves the nearest whole number, halves to even


def _kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call, and keep it on disk where a folder can be written."""
    settings = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # no folder for the cache
        return numba.njit(**settings)(function)


def normal_numbers(bits: np.ndarray) -> np.ndarray:
    """Return standard normal numbers (2 N,) in float32 from 32 random bits each (2 N,), by Box and Muller.

    The first N bits give the radius and the last N the angle of a pair, its numbers n and N + n.
    """
    half = bits.size // 2
    drawn = np.empty(2 * half, np.float32)
    _normal_numbers(bits[:half], bits[half:], drawn[:half], drawn[half:], drawn[:half].view(np.int32))
    return drawn


@dataclass(frozen=True)
class Flat:
    """Arrays (..., N, M) of one shape as the kernels take them, (T, A, B) with B the fastest in memory.

    Attributes
    ----------
    arrays : tuple of ndarray
        Views of them, or copies where an array's memory order is another one than the first's.
    shape : tuple of int
        Their shape (..., N, M).
    turned : bool
        Whether A is M and B is N: vectors lie side by side.
    """

    arrays: tuple[np.ndarray, ...]
    shape: tuple[int, ...]
    turned: bool

    @classmethod
    def of(cls, first: Array, *others: Array) -> "Flat | None":
        """Return the arrays; None where the kernels do not fit them: another kind or type, or gaps in the memory."""
        every = (first, *others)
        if not all(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in every):
            return None
        if first.ndim < 2 or any(each.shape != first.shape for each in others):
            return None
        turned = long_columns(first)
        ordered = [each.swapaxes(-1, -2) if turned else each for each in every]
        if not ordered[0].flags.c_contiguous:
            return None
        inner = ordered[0].shape[-2:]
        return cls(tuple(np.ascontiguousarray(x).reshape(-1, *inner) for x in ordered), first.shape, turned)

    def lines(self, values: Array | float, dtype: np.dtype = _SINGLE) -> np.ndarray:
        """Return values that broadcast to (..., 1, M) as (T, A, 1) where M is A, and as (T, 1, B) where it is B."""
        whole = np.broadcast_to(np.asarray(values, dtype), (*self.shape[:-2], 1, self.shape[-1]))
        lines = np.ascontiguousarray(whole).reshape(-1, 1, self.shape[-1])
        return np.ascontiguousarray(lines.swapaxes(-1, -2)) if self.turned else lines


@_kernel
def _normal_numbers(radii, angles, first, second, first_bits):  # noqa: ANN001, ANN202
    for n in range(radii.size):  # uniform in (0, 1]: its bits are those of `first_bits`
        first[n] = (_F(radii[n]) + _HALF) * _WORD
    for n in range(radii.size):
        # x = 2^power (1 + f), with 1 + f from sqrt(1/2) to sqrt(2)
        power = (first_bits[n] - _ROOT_HALF_BITS) >> np.int32(23)
        first_bits[n] -= power << np.int32(23)
        second[n] = _F(power)
    for n in range(radii.size):
        power, f = second[n], first[n] - _ONE
        z = f * f
        y = ((((_L0 * f + _L1) * f + _L2) * f + _L3) * f + _L4) * f + _L5
        y = (((y * f + _L6) * f + _L7) * f + _L8) * f * z
        y = y + _LN2_LOW * power - _HALF * z
        radius = np.sqrt(-_TWO * min((f + y) + _LN2_HIGH * power, _ZERO))
        # the angle is a quarter turn times `turn`, and from -pi/4 to pi/4
        turn = (angles[n] + np.uint32(0x20000000)) >> np.uint32(30)
        x = _F(np.int32(angles[n] - (turn << np.uint32(30)))) * _ANGLE
        z = x * x
        sine = ((_S0 * z + _S1) * z + _S2) * z * x + x
        cosine = ((_C0 * z + _C1) * z + _C2) * z * z - _HALF * z + _ONE
        odd = (turn & np.uint32(1)) == np.uint32(1)
        along, across = (sine, cosine) if odd else (cosine, sine)
        down = ((turn + np.uint32(1)) & np.uint32(2)) == np.uint32(2)
        back = (turn & np.uint32(2)) == np.uint32(2)
        first[n] = radius * (-along if down else along)
        second[n] = radius * (-across if back else across)


def noisy(i: Array, variance: Array, own: Array | float, normal: Array) -> Array:
    """Return currents with noise: see `reference.noisy`."""
    flat = Flat.of(i, variance, normal)
    if flat is None:
        return reference.noisy(i, variance, own, normal)
    currents, cells, drawn = flat.arrays
    _add_noise(currents, cells, flat.lines(own), drawn)
    return i


@_kernel
def _add_noise(i, variance, own, normal):  # noqa: ANN001, ANN202
    for t in range(i.shape[0]):
        for a in range(i.shape[1]):
            currents, cells, drawn = i[t, a], variance[t, a], normal[t, a]
            if own.shape[2] == 1 and own.shape[1] == i.shape[1]:
                more = own[t, a, 0]
                for b in range(currents.size):
                    currents[b] += drawn[b] * np.sqrt(cells[b] + more)
            else:
                each = own[t, 0]
                for b in range(currents.size):
                    currents[b] += drawn[b] * np.sqrt(cells[b] + each[b])


def noisy_halves(
    currents: tuple[Array, Array], variances: tuple[Array, Array], own: Array | float, normal: Array, *, axis: int
) -> Array:
    """Return the noisy currents of the two halves of pairs: see `reference.noisy_halves`."""
    flat, drawn = Flat.of(*currents, *variances), Flat.of(normal)
    if flat is None or drawn is None or flat.turned != drawn.turned:
        return reference.noisy_halves(currents, variances, own, normal, axis=axis)
    down = (axis == -1) == flat.turned
    _noisy_halves(drawn.arrays[0], *flat.arrays, drawn.lines(own), down)
    return normal


@_kernel
def _noisy_halves(i, total, difference, v_total, v_difference, own, down):  # noqa: ANN001, ANN202
    """Put noisy currents in the place of the normal numbers `i`."""
    for t in range(total.shape[0]):
        for a in range(total.shape[1]):
            s, d, vs, vd = total[t, a], difference[t, a], v_total[t, a], v_difference[t, a]
            for half in range(2):
                row = a + half * total.shape[1] if down else a
                begin = 0 if down else half * s.size
                out = i[t, row, begin : begin + s.size]
                sign = _ONE if half == 0 else -_ONE
                if own.shape[2] == 1 and own.shape[1] == i.shape[1]:
                    more = own[t, row, 0]
                    for b in range(s.size):
                        variance = (vs[b] + sign * vd[b]) * _HALF + more
                        out[b] = (s[b] + sign * d[b]) * _HALF + out[b] * np.sqrt(variance)
                else:
                    each = own[t, 0, begin : begin + s.size]
                    for b in range(s.size):
                        variance = (vs[b] + sign * vd[b]) * _HALF + each[b]
                        out[b] = (s[b] + sign * d[b]) * _HALF + out[b] * np.sqrt(variance)


def quantised(i: Array, step: Array | float, low: float, high: float) -> tuple[Array, int]:
    """Return currents rounded to whole steps, and how many were beyond: see `reference.quantised`."""
    flat = Flat.of(i)
    if flat is None:
        return reference.quantised(i, step, low, high)
    parts = flat.lines(1.0 / step)
    return i, int(_quantised(flat.arrays[0], parts, flat.lines(step), _F(low), _F(high), low < 0.0))


@_kernel
def _quantised(i, parts, step, low, high, both):  # noqa: ANN001, ANN202
    beyond = 0
    for t in range(i.shape[0]):
        for a in range(i.shape[1]):
            currents, more = i[t, a], np.int32(0)
            if step.shape[2] == 1 and step.shape[1] == i.shape[1]:
                factor, back = parts[t, a, 0], step[t, a, 0]
                for b in range(currents.size):
                    x = min(max(currents[b] * factor, -_WHOLE), _WHOLE)
                    x = (x + _ROUNDER) - _ROUNDER
                    more += np.int32(x > high) + np.int32(both and x < low)
                    currents[b] = min(max(x, low), high) * back
            else:
                factors, backs = parts[t, 0], step[t, 0]
                for b in range(currents.size):
                    x = min(max(currents[b] * factors[b], -_WHOLE), _WHOLE)
                    x = (x + _ROUNDER) - _ROUNDER
                    more += np.int32(x > high) + np.int32(both and x < low)
                    currents[b] = min(max(x, low), high) * backs[b]
            beyond += more
    return beyond


def looked_up(i: Array, factor: Array, shift: Array, codes: Codes) -> tuple[Array, int]:
    """Return the currents of the codes of currents, and how many were beyond: see `reference.looked_up`."""
    flat = Flat.of(i)
    if flat is None or codes.comparisons > 1:
        return reference.looked_up(i, factor, shift, codes)
    lines = [flat.lines(each) for each in (factor, shift, codes.end, codes.i_step)]
    first, last = flat.lines(codes.first, np.dtype(np.int32)), np.nextafter(_F(codes.parts), _ZERO)
    return i, int(_looked_up(flat.arrays[0], *lines, first, codes.codes, last))


@_kernel
def _code(position, first, codes, last):  # noqa: ANN001, ANN202
    x = min(max(position, _ZERO), last)
    part = np.int32(x)
    return np.floor((x - _F(part)) + codes[np.uint32(part + first)])


@_kernel
def _looked_up(i, factor, shift, end, step, first, codes, last):  # noqa: ANN001, ANN202
    beyond = 0
    for t in range(i.shape[0]):
        for a in range(i.shape[1]):
            currents, more = i[t, a], np.int32(0)
            if factor.shape[2] == 1 and factor.shape[1] == i.shape[1]:
                parts, zero, most = factor[t, a, 0], shift[t, a, 0], end[t, a, 0]
                place, back = first[t, a, 0], step[t, a, 0]
                for b in range(currents.size):
                    x = currents[b] * parts + zero
                    more += np.int32(x < _ZERO) + np.int32(x > most)
                    currents[b] = _code(x, place, codes, last) * back
            else:
                all_parts, zeros, ends = factor[t, 0], shift[t, 0], end[t, 0]
                places, backs = first[t, 0], step[t, 0]
                for b in range(currents.size):
                    x = currents[b] * all_parts[b] + zeros[b]
                    more += np.int32(x < _ZERO) + np.int32(x > ends[b])
                    currents[b] = _code(x, places[b], codes, last) * backs[b]
            beyond += more
    return beyond


def wire_profiles(g: np.ndarray, ladder: Ladder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells and the two profiles of an array (R, C) behind wires: see `reference.wire_profiles`."""
    numbers = (ladder.r_start, ladder.r_line, ladder.r_step, ladder.r_end, BEYOND, 1.0)
    return _wire_profiles(np.ascontiguousarray(g), *(g.dtype.type(each) for each in numbers), STEPS)


@_kernel
def _drops(load, rho, kappa, r_start, r_line, r_step, r_end):  # noqa: ANN001, ANN202
    """Write load P into `rho` and Q load into `kappa`, by running sums along the lines."""
    rows, cols = load.shape
    for i in range(rows):
        tail = load[i, cols - 1]
        for m in range(cols - 1, 0, -1):  # what flows through the segment before each cell
            rho[i, m] = tail
            tail += load[i, m - 1]
        drop = r_start * tail
        rho[i, 0] = drop
        for m in range(1, cols):
            drop += r_line * rho[i, m]
            rho[i, m] = drop
    for m in range(cols):
        kappa[0, m] = load[0, m]
    for i in range(1, rows):
        for m in range(cols):
            kappa[i, m] = kappa[i - 1, m] + load[i, m]
    for m in range(cols):
        kappa[rows - 1, m] *= r_end
    for i in range(rows - 2, -1, -1):
        for m in range(cols):
            kappa[i, m] = kappa[i + 1, m] + r_step * kappa[i, m]


@_kernel
def _wire_profiles(g, r_start, r_line, r_step, r_end, beyond, one, steps):  # noqa: ANN001, ANN202
    rows, cols = g.shape
    rho, kappa, rho_before, kappa_before = np.empty_like(g), np.empty_like(g), np.empty_like(g), np.empty_like(g)
    s, s_before, load = np.empty_like(g), np.empty_like(g), g.copy()
    s[:] = one
    _drops(load, rho, kappa, r_start, r_line, r_step, r_end)
    for _ in range(steps):
        rho, rho_before, kappa, kappa_before, s, s_before = rho_before, rho, kappa_before, kappa, s_before, s
        for i in range(rows):
            for m in range(cols):
                s[i, m] = one / (one + (rho_before[i, m] + kappa_before[i, m]) / s_before[i, m])
                load[i, m] = s[i, m] * g[i, m]
        _drops(load, rho, kappa, r_start, r_line, r_step, r_end)
    phi, psi = np.zeros((1, cols), g.dtype), np.zeros((rows, 1), g.dtype)
    e_row, e_col = np.zeros(cols, g.dtype), np.zeros(rows, g.dtype)
    for i in range(rows):
        for m in range(cols):
            s[i, m] += beyond * (s[i, m] - s_before[i, m])
            e = s[i, m] * g[i, m]
            load[i, m] = e
            rho[i, m] += beyond * (rho[i, m] - rho_before[i, m])
            kappa[i, m] += beyond * (kappa[i, m] - kappa_before[i, m])
            phi[0, m] += rho[i, m]
            e_row[m] += e
        for m in range(cols):
            psi[i, 0] += kappa[i, m]
            e_col[i] += load[i, m]
    _scaled(phi[0], e_row, g.dtype.type(rows))
    _scaled(psi[:, 0], e_col, g.dtype.type(cols))
    down = np.zeros(cols, g.dtype)
    for i in range(rows):
        for m in range(cols):
            down[m] += psi[i, 0] * load[i, m]
    h = np.empty_like(g)
    for i in range(rows):
        along = one - one
        for m in range(cols):
            along += load[i, m] * phi[0, m]
        for m in range(cols):
            rest = rho[i, m] + kappa[i, m] - along * phi[0, m] - psi[i, 0] * down[m]
            h[i, m] = g[i, m] / (one + rest / s[i, m])
    return h, phi, psi


@_kernel
def _scaled(drop, load, count):  # noqa: ANN001, ANN202
    """Turn sums of drops and loads over `count` lines into P u / sqrt(u P u) of their means, in place."""
    power = drop[0] - drop[0]
    for m in range(drop.size):
        drop[m] /= count
        power += drop[m] * (load[m] / count)
    if power > 0.0:
        root = np.sqrt(power)
        for m in range(drop.size):
            drop[m] /= root
