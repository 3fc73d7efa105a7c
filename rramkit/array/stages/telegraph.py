"""Random telegraph noise: conductance drops by `amplitude` while the trap of a cell is occupied.

A share `fraction` of the cells, drawn once for a tile, has one trap each. An occupied trap takes the part `amplitude`
of the cell's current; it is occupied for the share `duty` of the time. A read of a batch is one snapshot: a trap keeps
its state for far longer (milliseconds and more) than a batch of reads takes, and successive batches are further apart
than that, so each call draws the occupation again. This last is this kit's own choice. Off: `fraction` 0.
"""

from rramkit.array.backend import Array, namespace
from rramkit.array.rng import TileRng
from rramkit.array.stages.stage import Stage, State, TileSpec
from rramkit.parameters import quantity


class Telegraph(Stage):
    """Share of cells with a trap, its amplitude and its duty cycle."""

    fraction: float = quantity(0.0, "1", "share of the cells that have a trap", ge=0.0, le=1.0)
    amplitude: float = quantity(0.05, "1", "part of the current that an occupied trap takes", ge=0.0, lt=1.0)
    duty: float = quantity(0.5, "1", "share of the time for which a trap is occupied", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether any cell has a trap that matters."""
        return self.fraction > 0.0 and self.amplitude > 0.0 and self.duty > 0.0

    @property
    def random(self) -> bool:
        """Each read draws which traps are occupied."""
        return self.on

    @property
    def per_read(self) -> bool:
        """Each read has its own factors."""
        return self.on

    @property
    def per_tile(self) -> bool:
        """Each tile draws which cells have a trap."""
        return self.on

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> State:
        """Draw which of the cells have a trap (..., 2, R, C)."""
        assert rng is not None
        return rng.uniform(tuple(tile.g_cell.shape[-3:]), tile.g_cell) < self.fraction

    def each_read(self, state: State, reference: Array, *, rng: TileRng) -> Array:
        """Draw the occupation of the traps `state` (..., 2, R, C) in one snapshot: the factor on each current."""
        occupied = (rng.uniform(tuple(state.shape[-3:]), reference) < self.duty) & state
        return 1.0 - self.amplitude * namespace(reference).astype(occupied, reference.dtype)
