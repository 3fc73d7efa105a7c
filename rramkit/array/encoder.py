"""From the voltages asked of lines to what the cells answer to: the voltage terms of the cell current, by look-up.

The terms b_k beside the linear one (`cells`) are looked up at the nearest of evenly spaced voltages, so many that the
step between two of them is below `STEP_LIMIT` of the cell's full current; the linear term is the voltage itself. With
an input converter the codes are the places of the table, and nothing is rounded but by the converter.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array, like, namespace
from rramkit.array.cells import CellCurrent
from rramkit.array.input_dac import InputDac

STEP_LIMIT = 2e-5
"""Largest step between neighbouring places over full scale (1): a tenth of what the terms themselves may miss."""

_PLACES_MAX = 2**17  # of a look-up (1): half a megabyte in float32, what a core's cache holds


@dataclass(frozen=True)
class Drive:
    """What lines do, for vectors in S shots: N lines, S B vectors, shots outermost.

    Attributes
    ----------
    terms : tuple of array
        For each term the factor of its conductance terms, (..., S B, N).
    square : array or None
        What stands before a conductance's variance in the variance of the current (V^2), (..., S B, N).
    power : tuple of array
        For each term, voltage times factor, summed over the vectors, (..., N).
    pulses : int
        Pulses above 0 V, on all lines.
    """

    terms: tuple[Array, ...]
    square: Array | None
    power: tuple[Array, ...]
    pulses: int


@dataclass(frozen=True)
class Encoder:
    """The input side of tiles in one direction, in one kind of array.

    Attributes
    ----------
    v_max : float
        Largest voltage (V).
    scale : float
        Places of the tables over volts (1/V).
    tables : array
        Terms (K, places); of serial bits, the one term of a whole pulse.
    squares, powers : array
        The same for `Drive.square` (places,) and for `Drive.power` (K, places).
    mix : array
        What the conductance terms have to be combined with, (K, K of the cells): the identity unless serial.
    dac : InputDac
        The converter.
    """

    v_max: float
    scale: float
    tables: Array
    squares: Array
    powers: Array
    mix: np.ndarray
    dac: InputDac

    @classmethod
    def of(cls, cells: CellCurrent, dac: InputDac, reference: Array, *, backward: bool) -> Self:
        """Make the encoder of rows (forward) or of bit lines (`backward`) for arrays of the kind of `reference`."""
        sign, v_max = (1.0, cells.v_backward) if backward else (-1.0, cells.v_forward)
        if dac.serial:
            codes = np.arange(dac.levels)
            part, mix = codes / (dac.levels - 1.0), sign * cells.voltage_terms(np.asarray(sign * v_max))[None]
            bits = (codes[:, None] >> np.arange(dac.bits)) & 1
            squares = v_max**2 * (bits * 4.0 ** np.arange(dac.bits)).sum(axis=1) / (dac.levels - 1.0) ** 2
            tables, powers, scale = part[None], v_max * bits.sum(axis=1, dtype=float)[None], (dac.levels - 1) / v_max
        else:
            places = dac.levels or _places(cells, sign, v_max)
            voltages = v_max * (dac.fractions() if dac.levels else np.linspace(0.0, 1.0, places))
            tables = sign * cells.voltage_terms(sign * voltages)
            squares, powers, mix = voltages**2, voltages * tables, np.eye(len(tables))
            scale = (places - 1) / v_max
        tables, squares, powers = (like(each, reference) for each in (tables, squares, powers))
        return cls(v_max, scale, tables, squares, powers, mix, dac)

    def encode(self, u: Array, *, noisy: bool) -> Drive:
        """Return what lines asked for voltages `u` (..., B, N), from 0 to `v_max`, do; `noisy` asks for `square`."""
        xp = namespace(u)
        if not self.dac.levels and len(self.tables) == 1:
            square = u * u
            return Drive((u,), square if noisy else None, (square.sum(axis=-2),), 0)
        code = xp.astype(xp.round(u * self.scale), xp.int64)
        pulses = int(xp.count_nonzero(code)) if self.dac.energy else 0
        if self.dac.shots > 1:
            return self._bit_by_bit(code, noisy=noisy)
        if not self.dac.levels:
            terms = (u, *(table[code] for table in self.tables[1:]))
            power = tuple((u * term).sum(axis=-2) for term in terms)
            return Drive(terms, u * u if noisy else None, power, pulses)
        terms = tuple(table[code] for table in self.tables)
        power = tuple(each[code].sum(axis=-2) for each in self.powers)
        return Drive(terms, self.squares[code] if noisy else None, power, pulses)

    def _bit_by_bit(self, code: Array, *, noisy: bool) -> Drive:
        xp = namespace(code)
        planes = [xp.astype((code >> bit) & 1, self.tables.dtype) for bit in range(self.dac.bits)]
        term = xp.concat(planes, axis=-2)  # (..., S B, N): 0 or 1
        square = self.v_max**2 * term if noisy else None
        return Drive((term,), square, (self.v_max * term.sum(axis=-2),), int(xp.count_nonzero(term)))

    @property
    def weights(self) -> np.ndarray:
        """What each shot counts in the sum, (S,)."""
        shots = self.dac.shots
        return 2.0 ** np.arange(shots) / (self.dac.levels - 1) if shots > 1 else np.ones(1)


def _places(cells: CellCurrent, sign: float, v_max: float) -> int:
    """Return how many evenly spaced voltages the look-up of the terms beside the linear one needs."""
    largest = np.abs(cells.a_grid).max(axis=1)
    full = largest[0] * v_max
    places = 1024
    while places < _PLACES_MAX:
        terms = cells.voltage_terms(sign * np.linspace(0.0, v_max, places + 1))[1:]
        if np.max(np.abs(np.diff(terms, axis=1)).T @ largest[1:], initial=0.0) <= STEP_LIMIT * full:
            break
        places *= 2
    return places + 1
