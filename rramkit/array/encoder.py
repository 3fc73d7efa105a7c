"""Input encoding: line voltages to the voltage terms b_k(v) of the cell current, by look-up.

The terms b_k beside the linear one (`cell_current.DirectionalCurrent`) are looked up at the nearest of evenly spaced
voltages, so many that the step between two of them is below `STEP_LIMIT` of the cell's full current; the linear term is
the voltage itself. Where lines are driven in codes (`LineDrive`), the codes are the entries of the table, and nothing
is rounded but by the driver.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array, is_tensor, like, limited, namespace
from rramkit.array.cell_current import DirectionalCurrent
from rramkit.array.stages.stage import LineDrive

STEP_LIMIT = 2e-5
"""Largest step between neighbouring entries over full scale (1): a fifth of the error allowed to the terms."""

_ENTRIES_MAX = 2**17  # of a look-up (1): half a megabyte in float32, what a core's cache holds


@dataclass(frozen=True)
class SubRead:
    """Drive of the lines while one current is formed; every array is laid out as the voltages were.

    Attributes
    ----------
    weight : float
        Factor of its current in the sum.
    terms : tuple of array
        For each term the factor of its conductance terms.
    square : array or None
        Factor of a conductance's variance in the variance of the current (V^2); None: cells have no noise.
    power : tuple of array
        For each term, voltage times factor, of all pulses; empty where stages count the energy of the supplies.
    """

    weight: float
    terms: tuple[Array, ...]
    square: Array | None
    power: tuple[Array, ...]


@dataclass(frozen=True)
class Encoder:
    """Input encoding of tiles in one direction, in one kind of array.

    Attributes
    ----------
    current : DirectionalCurrent
        The cell current of the direction.
    drive : LineDrive
        Levels and pulses of a line.
    scale : float
        Entries of the tables over volts (1/V).
    tables : tuple of array
        Terms (entries,); of serial bits, the one term of a whole pulse.
    squares, powers : array
        `SubRead.square` and `SubRead.power` of serial bits (entries,).
    mix : ndarray or None
        Factors (1, K) that combine the terms of the conductance; None: they stay as they are.
    e_levels : tuple of array or None
        Energy of each code, as `LineDrive.e_levels` (entries,).
    """

    current: DirectionalCurrent
    drive: LineDrive
    scale: float
    tables: tuple[Array, ...]
    squares: Array
    powers: Array
    mix: np.ndarray | None
    e_levels: tuple[Array, Array] | None = None

    @classmethod
    def of(cls, current: DirectionalCurrent, drive: LineDrive, reference: Array) -> Self:
        """Build the encoder of one direction for arrays of the kind of `reference`."""
        if drive.serial:
            codes = np.arange(drive.levels)
            bits = (codes[:, None] >> np.arange(drive.bits)) & 1
            tables = (codes / (drive.levels - 1.0))[None]
            squares = current.v_max**2 * (bits * 4.0 ** np.arange(drive.bits)).sum(axis=1) / (drive.levels - 1.0) ** 2
            powers, mix = current.v_max * bits.sum(axis=1), current.voltage_terms(np.array([current.v_max])).T
        else:
            tables, mix = current.voltage_terms(_volts(current, drive)), None
            squares = powers = np.zeros(0)
        scale = (tables.shape[1] - 1) / current.v_max
        terms = tuple(like(each, reference) for each in tables)
        e_levels = None if drive.e_levels is None else tuple(like(each, reference) for each in drive.e_levels)
        return cls(current, drive, scale, terms, like(squares, reference), like(powers, reference), mix, e_levels)

    def level_energies(self, u: Array) -> tuple[Array, Array]:
        """Return the energy of the levels of voltages `u` of any layout: of the line itself (J), for a siemens (J/S).

        Only where `e_levels` is given.
        """
        assert self.e_levels is not None
        code = self._code(u)
        base, slope = self.e_levels
        return base[code], slope[code]

    def sub_reads(self, u: Array, *, noisy: bool) -> Iterator[SubRead]:
        """Yield the sub-reads of voltages `u` of any layout, from 0 to `v_max`; with `square` for `noisy` cells."""
        if not self.drive.levels and len(self.tables) == 1:
            square = u * u
            yield SubRead(1.0, (u,), square if noisy else None, (square,))
            return
        code = self._code(u)
        if self.drive.sub_reads > 1:
            yield from self._bit_by_bit(code, noisy=noisy)
        elif self.drive.serial:
            square = self.squares[code] if noisy else None
            yield SubRead(1.0, (self.tables[0][code],), square, (self.powers[code],))
        else:
            volts = self.tables[0][code] if self.drive.levels else u
            terms = (volts, *(table[code] for table in self.tables[1:]))
            if self.drive.supplied:
                yield SubRead(1.0, terms, volts * volts if noisy else None, ())
                return
            power = tuple(volts * term for term in terms)
            yield SubRead(1.0, terms, power[0] if noisy else None, power)

    def _code(self, u: Array) -> Array:
        xp = namespace(u)
        entry = u * self.scale
        entry += 0.5
        code = xp.astype(entry, xp.int64)
        # a voltage that is no number takes the first entry of tensors, of which none is looked at
        return limited(code, 0, self.tables[0].shape[0] - 1) if is_tensor(u) else code

    def _bit_by_bit(self, code: Array, *, noisy: bool) -> Iterator[SubRead]:
        xp, v_max = namespace(code), self.current.v_max
        for bit in range(self.drive.bits):
            term = xp.astype((code >> bit) & 1, self.tables[0].dtype)
            weight = 2.0**bit / (self.drive.levels - 1)
            yield SubRead(weight, (term,), v_max**2 * term if noisy else None, (v_max * term,))


def _volts(current: DirectionalCurrent, drive: LineDrive) -> np.ndarray:
    """Return the voltage of each entry of the look-up (entries,)."""
    if drive.volts is not None:
        return drive.volts
    return current.v_max * (np.linspace(0.0, 1.0, _entries(current)) if drive.fractions is None else drive.fractions)


def _entries(current: DirectionalCurrent) -> int:
    """Return how many evenly spaced voltages the look-up of the terms beside the linear one needs."""
    largest = np.abs(current.a_terms.values).max(axis=1)[1:]
    entries = 1024
    while entries < _ENTRIES_MAX:
        terms = current.voltage_terms(np.linspace(0.0, current.v_max, entries + 1))[1:]
        if np.max(np.abs(np.diff(terms, axis=1)).T @ largest, initial=0.0) <= STEP_LIMIT * current.i_span[1]:
            break
        entries *= 2
    return entries + 1
