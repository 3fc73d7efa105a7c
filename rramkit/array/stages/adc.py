"""The output converter: from a sensed current to a number.

With b bits and the full scale i_high a current becomes the nearest of evenly spaced levels::

    n = clip(round((gain i + offset + noise) / i_lsb), n_low, n_high),    i = n i_lsb

    one-way currents:   i_lsb = i_high / (2^b - 1),          n from 0 to 2^b - 1
    two-way currents:   i_lsb = i_high / (2^(b - 1) - 1),    n from -(2^(b - 1) - 1) to 2^(b - 1) - 1

so that no current is exactly zero in both. A two-way current comes from pairs whose halves are subtracted before
conversion (`subtraction` analog). Full scale: `i_high`; left out, the largest current that the array can send, until
`Tile.calibrated` has measured a better one for each converter.

One converter serves `shared` neighbouring outputs, one after the other: they have its offset and its gain, and a read
takes `shared` conversions' time. Off: 0 bits, no noise, no spread.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array, limited, namespace
from rramkit.array.rng import TileRng
from rramkit.parameters import Parameters, quantity


class Adc(Parameters):
    """Resolution, range, errors and cost of the output converters."""

    bits: int = quantity(0, "1", "bits; 0: the current itself", ge=0, le=16)
    i_high: float | None = quantity(None, "A", "full scale; left out: as the array needs it", gt=0.0, le=1.0)
    noise: float = quantity(0.0, "A", "standard deviation of the noise at the input, at each conversion", ge=0.0)
    offset_sigma: float = quantity(0.0, "A", "standard deviation of the offset, from converter to converter", ge=0.0)
    gain_sigma: float = quantity(
        0.0, "1", "standard deviation of the gain, from converter to converter", ge=0.0, lt=0.3
    )
    shared: int = quantity(1, "1", "outputs that one converter serves in turn", ge=1, le=1024)
    t_convert: float = quantity(0.0, "s", "time of one conversion", ge=0.0)
    energy: float = quantity(0.0, "J", "energy of one conversion", ge=0.0)

    @property
    def spread(self) -> bool:
        """Whether converters differ."""
        return self.offset_sigma > 0.0 or self.gain_sigma > 0.0


@dataclass(frozen=True)
class AdcBank:
    """The converters at one side of tiles (...), as drawn once; M outputs.

    Attributes
    ----------
    i_high : float or array
        Full scale (A), of all or of each output (..., 1, M).
    offset, gain : float or array
        Of all or of each output (..., 1, M), in amperes and 1.
    """

    i_high: float | Array
    offset: float | Array = 0.0
    gain: float | Array = 1.0

    @classmethod
    def drawn(cls, settings: Adc, outputs: int, i_high: float, reference: Array, *, rng: TileRng | None) -> Self:
        """Draw the converters of `outputs` outputs of each tile; `reference` gives the kind of array."""
        full = settings.i_high if settings.i_high is not None else i_high
        if not settings.spread or rng is None:
            return cls(full)
        count = -(-outputs // settings.shared)
        numbers = rng.normal((2, count), reference)
        each = namespace(reference).repeat(numbers, settings.shared, axis=-1)[..., :outputs]
        offset = each[..., 0:1, :] * settings.offset_sigma
        return cls(full, offset, 1.0 + each[..., 1:2, :] * settings.gain_sigma)

    def convert(self, i: Array, settings: Adc, *, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) as converted, and how many lay beyond the scale; `i` may be overwritten.

        Below zero a one-way converter gives zero: that is the foot of its scale, and is not counted.
        """
        if settings.spread:
            i *= self.gain
            i += self.offset
        if settings.bits == 0:
            return i, 0
        xp = namespace(i)
        top = float(2 ** (settings.bits - 1) - 1 if two_way else 2**settings.bits - 1)
        i_lsb = self.i_high / top
        i *= 1.0 / i_lsb
        i = xp.round(i)
        beyond = 0
        low, high = float(i.min()) if i.size else 0.0, float(i.max()) if i.size else 0.0
        if high > top:
            beyond += int(xp.count_nonzero(i > top))
        if two_way and low < -top:
            beyond += int(xp.count_nonzero(i < -top))
        if high > top or low < (-top if two_way else 0.0):
            i = limited(i, -top if two_way else 0.0, top)
        i *= i_lsb
        return i, beyond


def grouped_maximum(i: np.ndarray, shared: int) -> np.ndarray:
    """Return the largest magnitude of currents (..., N, M) at each converter, repeated for its outputs: (..., 1, M)."""
    largest = np.abs(i).max(axis=-2, keepdims=True)
    outputs = largest.shape[-1]
    padded = np.concatenate([largest, np.zeros((*largest.shape[:-1], -outputs % shared), largest.dtype)], axis=-1)
    groups = padded.reshape(*padded.shape[:-1], -1, shared).max(axis=-1)
    return np.repeat(groups, shared, axis=-1)[..., :outputs]
