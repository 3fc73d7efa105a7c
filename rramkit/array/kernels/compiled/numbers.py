"""Standard normal numbers by Box and Muller, from random bits.

Logarithm, sine and cosine are polynomials (S. L. Moshier, Cephes library, single precision), which the compiler turns
into vector instructions; calls of the C library's functions it would not.
"""

import numpy as np

from rramkit.array.kernels.compiled.vectors import bits_of, of_bits, widest
from rramkit.array.kernels.parts import LEAST, in_parts, threads
from rramkit.array.kernels.reference import AT_ONCE
from rramkit.compiling import kernel

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_WORD, _ANGLE = _F(2.0**-32), _F(2.0 * np.pi * 2.0**-32)
_ROOT_HALF_BITS = np.int32(0x3F3504F3)  # of sqrt(1/2) in float32
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_L0, _L1, _L2 = _F(7.0376836292e-2), _F(-1.1514610310e-1), _F(1.1676998740e-1)
_L3, _L4, _L5 = _F(-1.2420140846e-1), _F(1.4249322787e-1), _F(-1.6668057665e-1)
_L6, _L7, _L8 = _F(2.0000714765e-1), _F(-2.4999993993e-1), _F(3.3333331174e-1)
_S0, _S1, _S2 = _F(-1.9515295891e-4), _F(8.3321608736e-3), _F(-1.6666654611e-1)
_C0, _C1, _C2 = _F(2.443315711809948e-5), _F(-1.388731625493765e-3), _F(4.166664568298827e-2)


def normal_numbers(bits: np.ndarray) -> np.ndarray:
    """Return standard normal numbers (2 N,) in float32 from 32 random bits each (2 N,), by Box and Muller.

    The first N bits give the radius and the last N the angle of a pair, its numbers n and N + n.
    """
    half = bits.size // 2
    drawn = np.empty(2 * half, np.float32)
    _normal_numbers(bits[:half], bits[half:], drawn[:half], drawn[half:])
    return drawn


def started(words: np.ndarray) -> np.ndarray:
    """Return the states (T, 4) of streams that start from words (T, 3): see `reference.started`."""
    states = np.ones((len(words), 4), np.uint64)
    states[:, :3] = words
    for state in states:
        _bits(state, np.empty(12, np.uint64))
    return states


def stream_normals(states: np.ndarray, count: int) -> np.ndarray:
    """Return the next normal numbers (T, count) of streams of bits: see `reference.stream_normals`.

    Threads take whole tiles, whose bits stay in the cache; where there are fewer tiles than threads, all bits are drawn
    first, one after the other, and threads take blocks of them.
    """
    tiles, blocks, even = len(states), -(-count // AT_ONCE), count + count % 2
    drawn = np.empty((tiles, even), np.float32)
    if drawn.size < 2 * LEAST or tiles >= threads():
        in_parts(lambda *part: _tiles(states, drawn, AT_ONCE, *part), tiles, drawn.size)
    else:
        bits = np.empty((tiles, even), np.uint32)
        for tile in range(tiles):
            _bits(states[tile], bits[tile].view(np.uint64))
        in_parts(lambda *part: _blocks(bits, drawn, AT_ONCE, *part), tiles * blocks, bits.size)
    return np.ascontiguousarray(drawn[:, :count])


@kernel
def _bits(state, bits):  # noqa: ANN001, ANN202
    """Fill `bits` (N,) of 64 each by the generator SFC64, whose state (4,) goes on."""
    a, b, c, counter = state[0], state[1], state[2], state[3]
    for n in range(bits.size):
        drawn = a + b + counter
        counter += np.uint64(1)
        a = b ^ (b >> np.uint64(11))
        b = c + (c << np.uint64(3))
        c = ((c << np.uint64(24)) | (c >> np.uint64(40))) + drawn
        bits[n] = drawn
    state[0], state[1], state[2], state[3] = a, b, c, counter


@kernel
def _tiles(states, drawn, most, first_tile, last_tile):  # noqa: ANN001, ANN202
    """Draw the normal numbers of some tiles, a block at a time."""
    widest()
    bits = np.empty(most, np.uint32)
    for tile in range(first_tile, last_tile):
        for start in range(0, drawn.shape[1], most):
            out = drawn[tile, start : min(start + most, drawn.shape[1])]
            half = out.size // 2
            some = bits[: out.size]
            _bits(states[tile], some.view(np.uint64))
            _normal_numbers(some[:half], some[half:], out[:half], out[half:])


@kernel
def _blocks(bits, drawn, most, first_block, last_block):  # noqa: ANN001, ANN202
    """Turn blocks of bits into normal numbers; blocks are counted through all rows."""
    widest()
    blocks = -(-bits.shape[1] // most)
    for block in range(first_block, last_block):
        tile, start = block // blocks, block % blocks * most
        end = min(start + most, bits.shape[1])
        middle = (start + end) // 2
        some, out = bits[tile], drawn[tile]
        _normal_numbers(some[start:middle], some[middle:end], out[start:middle], out[middle:end])


@kernel
def _normal_numbers(radii, angles, first, second):  # noqa: ANN001, ANN202
    widest()
    for n in range(radii.size):
        # uniform in (0, 1]: 2^power (1 + f), with 1 + f from sqrt(1/2) to sqrt(2)
        bits = bits_of((_F(radii[n]) + _HALF) * _WORD)
        shift = (bits - _ROOT_HALF_BITS) >> np.int32(23)
        power, f = _F(shift), of_bits(np.int32(bits - (shift << np.int32(23)))) - _ONE
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
