"""PRIME's input and synapse composing (Chi et al., ISCA 2016).

Known of PRIME at second hand: six-bit inputs sent as two phases of three bits, eight-bit weights held by two four-bit
cells, positive and negative arrays subtracted, six-bit outputs. From these follows the sum::

    (8 I_h + I_l) (16 W_h + W_l) = 128 I_h W_h + 8 I_h W_l + 16 I_l W_h + I_l W_l

That only the highest bits of the sum are kept, so that its low terms may be left out, is recalled, not confirmed. The
signs of weights in pairs, seven bits and a sign in two cells of four, and the place where bits are dropped are this
kit's own choice. Here the weights have 8 bits and a sign.
"""

from collections.abc import Sequence

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.bit_slices import BitSliced
from rramkit.array.mapping.levels import ConductanceLevels, digits, whole
from rramkit.array.mapping.mapping import Mapping
from rramkit.parameters import Parameters, quantity


class Prime(Parameters, Mapping):
    """Inputs from 0 to 2^(2 p) - 1 in two phases of p bits; weights of 2 b bits and a sign in two pairs of cells."""

    levels: ConductanceLevels = ConductanceLevels(bits=4)
    phase_bits: int = quantity(3, "1", "bits of an input phase", ge=1, le=8)
    dropped: int = quantity(0, "1", "lowest bits of the sum that are dropped", ge=0, le=32)

    @property
    def _slices(self) -> BitSliced:
        return BitSliced(levels=self.levels, slices=2, x_max=2**self.phase_bits - 1)

    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (2, N, 2 M) in siemens of whole weights (N, M)."""
        return self._slices.to_cells(weight)

    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (2, N, 2 M), each cell at its nearest level."""
        return self._slices.weight_of(g_cell)

    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return two reads: low bits, then high bits."""
        low, high = digits(whole(x, 0, 4**self.phase_bits - 1, "x"), self.phase_bits, 2)
        top = 2.0**self.phase_bits - 1.0
        return [(1.0, low / top), (2.0**self.phase_bits, high / top)]

    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return whole sums (B, M) of one phase."""
        return self._slices.from_currents(i, driven, flips, v_max=v_max)

    def finished(self, y: Array, x: Array) -> Array:
        """Return the sum without its lowest bits (towards minus infinity, as a shift does)."""
        unit = 2.0**self.dropped
        return namespace(y).floor(y / unit) * unit if self.dropped else y
