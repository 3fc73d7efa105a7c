"""Random telegraph noise: cells with a trap conduct less while it is taken.

A share `fraction` of the cells, drawn once for a tile, has one trap each. A taken trap takes the part `amplitude` of
the cell's current; it is taken for the share `duty` of the time. A read of a batch is one snapshot: traps keep their
state for far longer (milliseconds and more) than a batch of reads takes, and two batches lie further apart than that,
so that each call draws the traps anew. This last is this kit's own choice. Off: `fraction` 0.
"""

from rramkit.array.backend import Array, namespace
from rramkit.array.rng import TileRng
from rramkit.parameters import Parameters, quantity


class Telegraph(Parameters):
    """How many cells have a trap, what it takes and how often."""

    fraction: float = quantity(0.0, "1", "share of the cells that have a trap", ge=0.0, le=1.0)
    amplitude: float = quantity(0.05, "1", "part of the current that a taken trap takes", ge=0.0, lt=1.0)
    duty: float = quantity(0.5, "1", "share of the time for which a trap is taken", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether any cell has a trap that matters."""
        return self.fraction > 0.0 and self.amplitude > 0.0 and self.duty > 0.0

    def traps(self, g_cell: Array, *, rng: TileRng) -> Array:
        """Draw which of the cells (..., 2, R, C) have a trap."""
        return rng.uniform(tuple(g_cell.shape[-3:]), g_cell) < self.fraction

    def factors(self, traps: Array, reference: Array, *, rng: TileRng) -> Array:
        """Draw what is left of each cell's current, (..., 2, R, C), in one snapshot."""
        taken = (rng.uniform(tuple(traps.shape[-3:]), reference) < self.duty) & traps
        return 1.0 - self.amplitude * namespace(reference).astype(taken, reference.dtype)
