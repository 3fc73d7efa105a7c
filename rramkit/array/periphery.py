"""What stands around the cells of tiles, made once and kept when the cells are written again: encoders, converters."""

from dataclasses import dataclass
from typing import Self

from rramkit.array.backend import Array
from rramkit.array.directional_current import DirectionalCurrent
from rramkit.array.encoder import Encoder
from rramkit.array.model import ArrayModel
from rramkit.array.rng import TileRng
from rramkit.array.stages.adc import AdcBank


@dataclass(frozen=True)
class Side:
    """One direction of reads: what drives its lines and what converts its currents."""

    encoder: Encoder
    bank: AdcBank


@dataclass(frozen=True)
class Periphery:
    """Both directions of tiles (...), and which of their cells have a trap (..., 2, R, C); None where none has."""

    forward: Side
    backward: Side
    traps: Array | None

    @classmethod
    def of(cls, g_cell: Array, model: ArrayModel, *, rng: TileRng | None) -> Self:
        """Make it for tiles of conductances (..., 2, R, C); `rng` draws what differs from tile to tile."""
        halves, rows, pairs = (int(size) for size in g_cell.shape[-3:])
        chain = model.chain
        apart = chain.halves and halves == 2
        sides: list[Side] = []
        for backward, driven, sensed in ((False, rows, 2 * pairs if apart else pairs), (True, pairs, rows)):
            way = DirectionalCurrent.of(model.cells, backward=backward)
            largest = driven * (way.i_span[1] - (0.0 if backward or apart or halves == 1 else way.i_span[0]))
            bank = AdcBank.drawn(chain.converter, sensed, largest, g_cell, rng=rng)
            sides.append(Side(Encoder.of(way, chain.dac, g_cell), bank))
        traps = chain.telegraph.traps(g_cell, rng=rng) if chain.telegraph.on and rng is not None else None
        return cls(sides[0], sides[1], traps)
