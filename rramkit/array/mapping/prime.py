"""PRIME's input and synapse composing (Chi et al., ISCA 2016).

RECALLED from secondary sources: six-bit inputs sent as two phases of three bits, eight-bit weights held by two four-bit
cells, positive and negative arrays subtracted, six-bit outputs. From these follows the sum::

    (8 I_h + I_l) (16 W_h + W_l) = 128 I_h W_h + 8 I_h W_l + 16 I_l W_h + I_l W_l

That only the highest bits of the sum are kept, so that its low terms may be left out, is recalled, not confirmed. The
signs of weights in pairs, signed inputs as signed voltages, the backward pass (in the same two phases, slice by slice)
and the place where bits are dropped are this kit's own choice. Here the weights have 8 bits and a sign.
"""

from typing import Literal

from rramkit.array.backend import Array, namespace
from rramkit.array.mapping.bit_slices import BitSlices
from rramkit.array.mapping.conductance_levels import composed, digits, whole
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.parameters import quantity


class Prime(Mapping):
    """Inputs of 2 p bits and a sign in two phases of p bits; weights of 2 b bits and a sign in two pairs of cells."""

    kind: Literal["prime"] = quantity("prime", "1", "two pairs of cells a weight, two phases an input")
    bits: int = quantity(4, "1", "bits of a cell", ge=1, le=8)
    phase_bits: int = quantity(3, "1", "bits of an input phase", ge=1, le=8)
    dropped: int = quantity(0, "1", "lowest bits of the sum that are dropped", ge=0, le=32)

    @property
    def cells_per_half(self) -> int:
        """Cells of a weight in each half."""
        return 2

    @property
    def slices(self) -> BitSlices:
        """The same weights as bit slices, with the inputs of one phase."""
        slices = BitSlices(bits=self.bits, slices=2, x_max=2**self.phase_bits - 1, w_max=self.w_max)
        return slices.with_window(*self.window)

    @property
    def x_max(self) -> int:
        """Levels of an input."""
        return 4**self.phase_bits - 1

    @property
    def g_spacing(self) -> float:
        """Conductance from a level to the next (S)."""
        return self.slices.g_spacing

    @property
    def g_unit(self) -> float:
        """Weighted sum of conductance steps that stands for a weight of one (S)."""
        return self.slices.g_unit

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances (4, ...) in siemens of weights (...), rounded."""
        return self.slices.encode(weight)

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) of conductances (4, ...) in siemens, each cell at its nearest level."""
        return self.slices.decode(g_cell)

    def changes(self, g_cell: Array, change: Array, flipped: Array | None = None) -> Array:
        """Return the wanted change (K, n) in siemens of the cells of weights; zero where the digit stays."""
        return self.slices.changes(g_cell, change)

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, M) of two phases: low bits, then high bits."""
        slices, parts = self.slices, self._phases(v, v_max)
        sums = [slices.forward(read, part, total=total, v_max=v_max, flips=None) for part in parts]
        return self._sum(sums, v_max)

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the combined currents (B, N) of two phases of each slice."""
        slices, parts = self.slices, self._phases(v, v_max)
        return self._sum([slices.backward(read, part, v_max=v_max, flips=None) for part in parts], v_max)

    def _phases(self, v: Array, v_max: float) -> list[Array]:
        """Return the voltages of the phases, low bits first, each digit as a level of the full read voltage."""
        xp, x = namespace(v), whole(v, self.x_max / v_max, -self.x_max, self.x_max)
        v_step = v_max / (2**self.phase_bits - 1)
        return [xp.sign(x) * digit * v_step for digit in digits(xp.abs(x), self.phase_bits, 2)]

    def _sum(self, sums: list[Array], v_max: float) -> Array:
        """Return the sum of the phases, without its lowest bits (towards minus infinity, as a shift does)."""
        i = composed(sums, self.phase_bits) * ((2**self.phase_bits - 1) / self.x_max)
        if not self.dropped:
            return i
        xp, step = namespace(i), self.slices.levels.g_step * v_max / self.x_max
        unit = 2.0**self.dropped
        return xp.floor(xp.round(i / step) / unit) * (unit * step)
