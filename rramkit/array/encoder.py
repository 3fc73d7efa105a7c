"""From the voltages asked of lines to what the cells answer to: the voltage terms of the cell current, by look-up.

The terms b_k beside the linear one (`one_way`) are looked up at the nearest of evenly spaced voltages, so many that the
step between two of them is below `STEP_LIMIT` of the cell's full current; the linear term is the voltage itself. With
an input converter the codes are the places of the table, and nothing is rounded but by the converter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array, like, namespace
from rramkit.array.directional_current import DirectionalCurrent
from rramkit.array.stages.row_driver import RowDriver

STEP_LIMIT = 2e-5
"""Largest step between neighbouring places over full scale (1): a fifth of what the terms themselves may miss."""

_PLACES_MAX = 2**17  # of a look-up (1): half a megabyte in float32, what a core's cache holds


@dataclass(frozen=True)
class SubRead:
    """What lines do while one current is formed; every array is laid out as the voltages were.

    Attributes
    ----------
    weight : float
        What its current counts in the sum.
    terms : tuple of array
        For each term the factor of its conductance terms.
    square : array or None
        What stands before a conductance's variance in the variance of the current (V^2); None: cells have no noise.
    power : tuple of array
        For each term, voltage times factor, of all pulses.
    """

    weight: float
    terms: tuple[Array, ...]
    square: Array | None
    power: tuple[Array, ...]


@dataclass(frozen=True)
class Encoder:
    """The input side of tiles in one direction, in one kind of array.

    Attributes
    ----------
    way : DirectionalCurrent
        The cell current of the direction.
    dac : RowDriver
        The converter.
    scale : float
        Places of the tables over volts (1/V).
    tables : tuple of array
        Terms (places,); of serial bits, the one term of a whole pulse.
    squares, powers : array
        `SubRead.square` and `SubRead.power` of serial bits (places,).
    mix : ndarray or None
        What the terms of the conductance have to be combined with (1, K); None: as they are.
    """

    way: DirectionalCurrent
    dac: RowDriver
    scale: float
    tables: tuple[Array, ...]
    squares: Array
    powers: Array
    mix: np.ndarray | None

    @classmethod
    def of(cls, way: DirectionalCurrent, dac: RowDriver, reference: Array) -> Self:
        """Make the encoder of one direction for arrays of the kind of `reference`."""
        if dac.serial:
            codes = np.arange(dac.levels)
            bits = (codes[:, None] >> np.arange(dac.bits)) & 1
            tables = (codes / (dac.levels - 1.0))[None]
            squares = way.v_max**2 * (bits * 4.0 ** np.arange(dac.bits)).sum(axis=1) / (dac.levels - 1.0) ** 2
            powers, mix = way.v_max * bits.sum(axis=1), way.voltage_terms(np.array([way.v_max])).T
        else:
            fractions = dac.fractions() if dac.levels else np.linspace(0.0, 1.0, _places(way))
            tables, squares, powers, mix = way.voltage_terms(way.v_max * fractions), np.zeros(0), np.zeros(0), None
        scale = (tables.shape[1] - 1) / way.v_max
        kept = tuple(like(each, reference) for each in tables)
        return cls(way, dac, scale, kept, like(squares, reference), like(powers, reference), mix)

    def shots(self, u: Array, *, noisy: bool) -> Iterator[SubRead]:
        """Yield what lines asked for voltages `u` of any layout, from 0 to `v_max`, do; `noisy` asks for `square`."""
        if not self.dac.levels and len(self.tables) == 1:
            square = u * u
            yield SubRead(1.0, (u,), square if noisy else None, (square,))
            return
        code = self._code(u)
        if self.dac.shots > 1:
            yield from self._bit_by_bit(code, noisy=noisy)
        elif self.dac.serial:
            square = self.squares[code] if noisy else None
            yield SubRead(1.0, (self.tables[0][code],), square, (self.powers[code],))
        else:
            volts = self.tables[0][code] if self.dac.levels else u
            terms = (volts, *(table[code] for table in self.tables[1:]))
            power = tuple(volts * term for term in terms)
            yield SubRead(1.0, terms, power[0] if noisy else None, power)

    def _code(self, u: Array) -> Array:
        xp = namespace(u)
        place = u * self.scale
        place += 0.5
        return xp.astype(place, xp.int64)

    def _bit_by_bit(self, code: Array, *, noisy: bool) -> Iterator[SubRead]:
        xp, v_max = namespace(code), self.way.v_max
        for bit in range(self.dac.bits):
            term = xp.astype((code >> bit) & 1, self.tables[0].dtype)
            weight = 2.0**bit / (self.dac.levels - 1)
            yield SubRead(weight, (term,), v_max**2 * term if noisy else None, (v_max * term,))


def _places(way: DirectionalCurrent) -> int:
    """Return how many evenly spaced voltages the look-up of the terms beside the linear one needs."""
    largest = np.abs(way.a_terms.values).max(axis=1)[1:]
    places = 1024
    while places < _PLACES_MAX:
        terms = way.voltage_terms(np.linspace(0.0, way.v_max, places + 1))[1:]
        if np.max(np.abs(np.diff(terms, axis=1)).T @ largest, initial=0.0) <= STEP_LIMIT * way.i_span[1]:
            break
        places *= 2
    return places + 1
