"""One pass of a read: from voltages to sensed currents, a block of vectors at a time, which stays in the cache.

Vectors are laid out once for all products, and each product is that of SciPy's BLAS, which numba calls. Then come, row
by row of the block: halves, noise, conversion, the difference of both halves, and the result's place in memory.
Nothing else of the size of all currents is written but the normal numbers, which are drawn before, in their order.

Blocks hold vectors side by side (M, n), or one after the other (n, M), as the inputs do: products in the orientation of
`products.times`, and currents and normal numbers in the same memory order as without this kernel.
"""

import numpy as np

from rramkit.array.kernels.compiled.currents import converted_row, rounded_row, steps_of
from rramkit.array.kernels.compiled.vectors import at, widest
from rramkit.array.kernels.parts import in_parts
from rramkit.compiling import kernel, part_of_kernel

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)

ROUNDED, CODED = 1, 2
"""Kinds of conversion (1): to even steps (`quantised`), and by a look-up of codes (`looked_up`)."""


def one_pass(
    inputs: tuple[np.ndarray, tuple[int, ...], tuple[int, ...]],
    operators: tuple[np.ndarray, ...],
    noise: np.ndarray,
    conversion: tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.float32, np.float32]],
    how: tuple[int | bool, ...],
    out: np.ndarray,
) -> tuple[int, np.ndarray]:
    """Write sensed currents into `out`; return how many were beyond a range, and the sum of each tile's (T,).

    `rramkit.array.read_pass` has the arguments.
    """
    vectors, windows, (leads, lines, chunk) = inputs
    count = out.shape[2] if how[0] else out.shape[1]
    parts, across = leads * -(-count // chunk), out.shape[0] // leads
    sums = np.zeros((parts, across))
    side, *flags = (int(each) for each in how)
    arguments = side or None, vectors, windows, (lines, chunk), *operators, noise, *conversion, tuple(flags), out, sums
    beyond = in_parts(lambda *some: _one_pass(*arguments, *some), parts, max(out.size, noise.size))
    each = sums.reshape(leads, -1, across).sum(axis=1)
    return int(sum(beyond)), (each if how[2] else each.T).ravel()


@kernel
def _one_pass(side, x, windows, cut, total, difference, noise_total, noise_difference, z, numbers, first, codes, ends, how, out, sums, first_part, last_part):  # noqa: ANN001, ANN202, E501  # fmt: skip
    widest()
    turned = side is not None
    backward, before, axis, variance, kind, spread, both, summed = how
    length, chunk = cut
    tiles, terms, rows, cols = difference.shape
    driven, outputs = (cols, rows) if backward else (rows, cols)
    inputs, across = x.shape[0], sums.shape[1]
    vectors = out.shape[2] if turned else out.shape[1]
    chunks, split = -(-vectors // chunk), 2 if axis else 1
    x_work, y_work = np.empty(inputs * driven * chunk, _F), np.empty(5 * outputs * chunk, _F)
    wide = chunk if turned else outputs
    plus, minus, places = np.empty(wide, _F), np.empty(wide, _F), np.empty(wide, np.int32)
    along = np.zeros(wide)
    signed = terms + variance if axis == -2 else 0  # the inputs of differences
    beyond = 0
    for part in range(first_part, last_part):
        lead, begin = part // chunks, part % chunks * chunk
        n = min(chunk, vectors - begin)
        slow, fast = (outputs, n) if turned else (n, outputs)
        block = x_work[: inputs * driven * n].reshape(inputs, driven if turned else n, n if turned else driven)
        if windows[0]:
            _lay_out_windows(x, windows, lead * driven, length, begin, block)
        elif turned:
            _lay_out_columns(x, lead * driven, begin, block)
        else:
            _lay_out_rows(x, lead * driven, begin, block)
        blocks = y_work[: 5 * outputs * n].reshape(5, slow, fast)
        d, s, vd, vs, work = blocks[0], blocks[1], blocks[2], blocks[3], blocks[4]
        for other in range(across):
            tile = lead * across + other if before else other * (tiles // across) + lead
            _multiply(difference[tile], block[signed : signed + terms], d, work, turned, backward)
            if axis:
                _multiply(total[tile], block[:terms], s, work, turned, backward)
            if variance:
                _multiply(noise_total[tile], block[terms : terms + 1], vs, work, turned, backward)
            if variance and axis:
                square = signed + terms if signed else terms
                _multiply(noise_difference[tile], block[square : square + 1], vd, work, turned, backward)
            for row in range(slow):
                s_row, d_row, vs_row, vd_row = s[row], d[row], vs[row], vd[row]
                if side is not None and kind == ROUNDED and variance:  # the most frequent of all, in one loop
                    result, other_line = out[tile, row, begin : begin + n], row + outputs if axis == -1 else row
                    if axis:
                        other_row, other_left = (row + outputs, begin) if axis == -1 else (row, begin + vectors)
                        beyond += _rounded_difference(
                            result, s_row, d_row, vs_row, vd_row, z[tile, row, begin : begin + n],
                            z[tile, other_row, other_left : other_left + n],
                            _line(numbers, tile, row), _line(numbers, tile, other_line), ends, both,
                        )  # fmt: skip
                    else:
                        drawn = z[tile, row, begin : begin + n]
                        beyond += _rounded(result, d_row, vs_row, drawn, _line(numbers, tile, row), ends, both)
                    continue
                for half in range(split):
                    currents, sign = (plus if half == 0 else minus)[:fast], _ONE if half == 0 else -_ONE
                    # the row of the half in the normal numbers, where it begins there, and its (first) output
                    line, left, output = (row, begin, row) if turned else (begin + row, 0, 0)
                    if (axis == -1) == turned:
                        line += half * (outputs if turned else vectors)
                    else:
                        left += half * (vectors if turned else outputs)
                    output += half * outputs * (axis == -1)
                    end = output + outputs
                    if not variance:
                        _silent(currents, s_row, d_row, sign, axis)
                    elif side is None:
                        each, drawn = numbers[0, tile, output:end], z[tile, line, left : left + fast]
                        _noisy(currents, s_row, d_row, vs_row, vd_row, sign, each, drawn, axis)
                    else:
                        own, drawn = numbers[0, tile, output], z[tile, line, left : left + fast]
                        _noisy(currents, s_row, d_row, vs_row, vd_row, sign, own, drawn, axis)
                    if summed:
                        for b in range(fast):
                            along[b] += currents[b]
                    if side is None:
                        one, two = numbers[1, tile, output:end], numbers[2, tile, output:end]
                        three, four = numbers[3, tile, output:end], numbers[4, tile, output:end]
                        if spread:
                            _spread(currents, three, four)
                        if kind == ROUNDED:
                            beyond += rounded_row(currents, one, two, ends[0], ends[1], both)
                        elif kind == CODED:
                            place = first[tile, output:end]
                            beyond += converted_row(currents, one, three, four, two, place, codes, ends[1], places)
                    else:
                        parts, step = numbers[1, tile, output], numbers[2, tile, output]
                        gain, offset = numbers[3, tile, output], numbers[4, tile, output]
                        if spread:
                            _spread(currents, gain, offset)
                        if kind == ROUNDED:
                            beyond += rounded_row(currents, parts, step, ends[0], ends[1], both)
                        elif kind == CODED:
                            unit = first[tile, output]
                            beyond += converted_row(currents, parts, gain, offset, step, unit, codes, ends[1], places)
                result = out[tile, row, begin : begin + n] if turned else out[tile, begin + row]
                if axis:
                    for b in range(fast):
                        result[b] = plus[b] - minus[b]
                else:
                    for b in range(fast):
                        result[b] = plus[b]
            for b in range(fast if summed else 0):
                sums[part, other] += along[b]
                along[b] = 0.0
    return beyond


@part_of_kernel
def _copied(target, source):  # noqa: ANN001, ANN202
    for b in range(target.size):
        target[b] = source[b]


@part_of_kernel
def _filled(target):  # noqa: ANN001, ANN202
    for b in range(target.size):
        target[b] = _ZERO


@kernel
def _lay_out_windows(images, windows, begin_line, lines, begin, block):  # noqa: ANN001, ANN202
    """Write windows of images (Q, C, pixels of all the batch) into `block` (Q, L, n), whole rows of windows."""
    widest()
    kernel_size, stride, wide, batch, padded = windows
    run, top = wide * batch, begin // (wide * batch)
    for q in range(block.shape[0]):
        for line in range(block.shape[1]):
            at_line, target = begin_line + line, block[q, line]
            if at_line >= lines:
                _filled(target)
                continue
            channel, place = at_line // (kernel_size * kernel_size), at_line % (kernel_size * kernel_size)
            image, down, right = images[q, channel], place // kernel_size, place % kernel_size
            for row in range(target.size // run):
                start, first = (((top + row) * stride + down) * padded + right) * batch, row * run
                if stride == 1:
                    _copied(target[first : first + run], image[start : start + run])
                else:
                    for _ in range(wide):
                        _copied(target[first : first + batch], image[start : start + batch])
                        start += stride * batch
                        first += batch


@kernel
def _lay_out_columns(columns, begin_line, begin, block):  # noqa: ANN001, ANN202
    """Write vectors (Q, L', N) side by side into `block` (Q, L, n), zeros after the last line."""
    widest()
    for q in range(block.shape[0]):
        for line in range(block.shape[1]):
            target = block[q, line]
            if begin_line + line < columns.shape[1]:
                _copied(target, columns[q, begin_line + line, begin : begin + target.size])
            else:
                _filled(target)


@kernel
def _lay_out_rows(rows, begin_line, begin, block):  # noqa: ANN001, ANN202
    """Write vectors (Q, N, L') one after the other into `block` (Q, n, L), zeros after the last line."""
    widest()
    given = max(min(rows.shape[2] - begin_line, block.shape[2]), 0)
    for q in range(block.shape[0]):
        for n in range(block.shape[1]):
            target = block[q, n]
            _copied(target[:given], rows[q, begin + n, begin_line : begin_line + given])
            _filled(target[given:])


@kernel
def _multiply(matrices, block, result, more, turned, backward):  # noqa: ANN001, ANN202
    """Write the sum over K of blocks of vectors times matrices (K, R, C), transposed backward, into `result`."""
    widest()
    for k in range(matrices.shape[0]):
        into = result if k == 0 else more
        if turned and backward:
            np.dot(matrices[k], block[k], into)
        elif turned:
            np.dot(matrices[k].T, block[k], into)
        elif backward:
            np.dot(block[k], matrices[k].T, into)
        else:
            np.dot(block[k], matrices[k], into)
        if k > 0:
            total, source = result.reshape(-1), more.reshape(-1)
            for b in range(total.size):
                total[b] += source[b]


@part_of_kernel
def _line(numbers, tile, output):  # noqa: ANN001, ANN202
    """Return the numbers of an output: variance, steps for an ampere, step, gain, offset."""
    return (
        numbers[0, tile, output],
        numbers[1, tile, output],
        numbers[2, tile, output],
        numbers[3, tile, output],
        numbers[4, tile, output],
    )


@part_of_kernel
def _rounded_difference(result, s, d, vs, vd, drawn, drawn_less, plus, minus, ends, both):  # noqa: ANN001, ANN202
    """Write a row of the difference of both halves, noisy and rounded; return how many were beyond a range."""
    more, (low, high) = np.int32(0), ends
    for b in range(result.size):
        i = (s[b] + d[b]) * _HALF + drawn[b] * np.sqrt((vs[b] + vd[b]) * _HALF + plus[0])
        x = steps_of(i * plus[3] + plus[4], plus[1])
        more += np.int32(x > high) + np.int32(both and x < low)
        i = (s[b] - d[b]) * _HALF + drawn_less[b] * np.sqrt((vs[b] - vd[b]) * _HALF + minus[0])
        y = steps_of(i * minus[3] + minus[4], minus[1])
        more += np.int32(y > high) + np.int32(both and y < low)
        result[b] = min(max(x, low), high) * plus[2] - min(max(y, low), high) * minus[2]
    return more


@part_of_kernel
def _rounded(result, d, variance, drawn, line, ends, both):  # noqa: ANN001, ANN202
    """Write a row of noisy and rounded currents; return how many were beyond a range."""
    more, (low, high) = np.int32(0), ends
    for b in range(result.size):
        i = d[b] + drawn[b] * np.sqrt(variance[b] + line[0])
        x = steps_of(i * line[3] + line[4], line[1])
        more += np.int32(x > high) + np.int32(both and x < low)
        result[b] = min(max(x, low), high) * line[2]
    return more


@part_of_kernel
def _silent(i, s, d, sign, axis):  # noqa: ANN001, ANN202
    """Write a row of currents of one half of pairs, or of all (d) where there are no halves."""
    if axis:
        for b in range(i.size):
            i[b] = (s[b] + sign * d[b]) * _HALF
    else:
        for b in range(i.size):
            i[b] = d[b]


@part_of_kernel
def _noisy(i, s, d, vs, vd, sign, own, drawn, axis):  # noqa: ANN001, ANN202
    """Write the same with normal numbers times the root of the variance, of cells and of the rest of the line."""
    if axis:
        for b in range(i.size):
            root = np.sqrt((vs[b] + sign * vd[b]) * _HALF + at(own, b))
            i[b] = (s[b] + sign * d[b]) * _HALF + drawn[b] * root
    else:
        for b in range(i.size):
            i[b] = d[b] + drawn[b] * np.sqrt(vs[b] + at(own, b))


@part_of_kernel
def _spread(currents, gain, offset):  # noqa: ANN001, ANN202
    for b in range(currents.size):
        currents[b] = currents[b] * at(gain, b) + at(offset, b)
