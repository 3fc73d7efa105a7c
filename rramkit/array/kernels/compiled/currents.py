"""Kernels over the currents of a read: noise, conversion, look-up of codes."""

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.kernels import reference
from rramkit.array.kernels.compiled.flat import Flat
from rramkit.array.kernels.compiled.vectors import at, widest
from rramkit.array.kernels.parts import in_parts
from rramkit.array.kernels.reference import Codes
from rramkit.compiling import kernel, part_of_kernel

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_WHOLE = _F(2.0**22)  # above it every float32 is a whole number, and out of every range
_ROUNDER = _F(1.5 * 2.0**23)  # added and taken away again, it leaves the nearest whole number, halves to even


def noisy(i: Array, variance: Array, own: Array | float, normal: Array) -> Array:
    """Return currents with noise: see `reference.noisy`."""
    flat = Flat.of(i, variance, normal)
    if flat is None:
        return reference.noisy(i, variance, own, normal)
    variances = flat.lines(own)
    in_parts(lambda *rows: _add_noise(*flat.arrays, variances, *rows), flat.rows, flat.arrays[0].size)
    return i


@kernel
def _add_noise(i, variance, normal, own, first_row, last_row):  # noqa: ANN001, ANN202
    for row in range(first_row, last_row):
        t, a = row // i.shape[1], row % i.shape[1]
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
    out, variances_own = drawn.arrays[0], drawn.lines(own)
    in_parts(lambda *rows: _noisy_halves(out, *flat.arrays, variances_own, down, *rows), flat.rows, out.size)
    return normal


@kernel
def _noisy_halves(i, total, difference, v_total, v_difference, own, down, first_row, last_row):  # noqa: ANN001, ANN202
    """Put noisy currents in the place of the normal numbers `i`; rows are those of `total`."""
    for row in range(first_row, last_row):
        t, a = row // total.shape[1], row % total.shape[1]
        s, d, vs, vd = total[t, a], difference[t, a], v_total[t, a], v_difference[t, a]
        for half in range(2):
            line = a + half * total.shape[1] if down else a
            begin = 0 if down else half * s.size
            out = i[t, line, begin : begin + s.size]
            sign = _ONE if half == 0 else -_ONE
            if own.shape[2] == 1 and own.shape[1] == i.shape[1]:
                more = own[t, line, 0]
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
    arguments = flat.lines(1.0 / step), flat.lines(step), _F(low), _F(high), low < 0.0
    beyond = in_parts(lambda *rows: _quantised(flat.arrays[0], *arguments, *rows), flat.rows, flat.arrays[0].size)
    return i, int(sum(beyond))


@kernel
def _quantised(i, parts, step, low, high, both, first_row, last_row):  # noqa: ANN001, ANN202
    widest()
    beyond = 0
    for row in range(first_row, last_row):
        t, a = row // i.shape[1], row % i.shape[1]
        currents = i[t, a]
        if step.shape[2] == 1 and step.shape[1] == i.shape[1]:
            beyond += rounded_row(currents, parts[t, a, 0], step[t, a, 0], low, high, both)
        else:
            factors, steps = parts[t, 0], step[t, 0]
            beyond += rounded_row(currents, factors, steps, low, high, both)
    return beyond


@part_of_kernel
def steps_of(current, parts):  # noqa: ANN001, ANN201
    """Return the nearest whole number of steps, of which `parts` are an ampere."""
    return (min(max(current * parts, -_WHOLE), _WHOLE) + _ROUNDER) - _ROUNDER


@part_of_kernel
def rounded_row(currents, parts, step, low, high, both):  # noqa: ANN001, ANN201
    """Round a row to whole steps, of which `parts` are an ampere; both are numbers, or arrays as long as the row."""
    more = np.int32(0)
    for b in range(currents.size):
        x = steps_of(currents[b], at(parts, b))
        more += np.int32(x > high) + np.int32(both and x < low)
        currents[b] = min(max(x, low), high) * at(step, b)
    return more


def looked_up(i: Array, factor: Array, shift: Array, codes: Codes) -> tuple[Array, int]:
    """Return the currents of the codes of currents, and how many were beyond: see `reference.looked_up`."""
    flat = Flat.of(i)
    if flat is None or codes.comparisons > 1:
        return reference.looked_up(i, factor, shift, codes)
    lines = [flat.lines(each) for each in (factor, shift, codes.end, codes.i_step)]
    first, last = flat.lines(codes.first, np.dtype(np.int32)), np.nextafter(_F(codes.parts), _ZERO)
    arguments = *lines, first, codes.codes, last
    beyond = in_parts(lambda *rows: _looked_up(flat.arrays[0], *arguments, *rows), flat.rows, flat.arrays[0].size)
    return i, int(sum(beyond))


@kernel
def _looked_up(i, factor, shift, end, step, first, codes, last, first_row, last_row):  # noqa: ANN001, ANN202
    widest()
    beyond, places = 0, np.empty(i.shape[2], np.int32)
    for row in range(first_row, last_row):
        t, a = row // i.shape[1], row % i.shape[1]
        currents = i[t, a]
        if factor.shape[2] == 1 and factor.shape[1] == i.shape[1]:
            one, two, three, four, place = factor[t, a, 0], shift[t, a, 0], end[t, a, 0], step[t, a, 0], first[t, a, 0]
            beyond += converted_row(currents, one, two, three, four, place, codes, last, places)
        else:
            factors, shifts, ends, steps, firsts = factor[t, 0], shift[t, 0], end[t, 0], step[t, 0], first[t, 0]
            beyond += converted_row(currents, factors, shifts, ends, steps, firsts, codes, last, places)
    return beyond


@part_of_kernel
def converted_row(currents, factor, shift, end, step, first, codes, last, places):  # noqa: ANN001, ANN201
    """Put the currents of codes in the place of a row's; all but `codes` are numbers, or as long as the row.

    In three loops, since the one in the middle is none of vectors; `places` is as long as the row, and overwritten.
    """
    more = np.int32(0)
    for b in range(currents.size):
        x = currents[b] * at(factor, b) + at(shift, b)
        more += np.int32(x < _ZERO) + np.int32(x > at(end, b))
        x = min(max(x, _ZERO), last)
        part = np.int32(x)
        places[b] = part + at(first, b)
        currents[b] = x - _F(part)
    for b in range(currents.size):
        currents[b] += codes[np.uint32(places[b])]
    for b in range(currents.size):
        currents[b] = np.floor(currents[b]) * at(step, b)
    return more
