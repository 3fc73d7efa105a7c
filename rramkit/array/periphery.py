"""What stands around the cells of tiles, made once and kept when the cells are written again: encoders, converters."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.converter import ConverterBank
from rramkit.array.encoder import Encoder
from rramkit.array.model import ArrayModel
from rramkit.array.streams import Streams


@dataclass(frozen=True)
class Side:
    """One direction of reads: what drives its lines and what converts its currents."""

    encoder: Encoder
    bank: ConverterBank


@dataclass(frozen=True)
class Periphery:
    """Both directions of tiles (...), and which of their cells have a trap (..., 2, R, C); None where none has."""

    forward: Side
    backward: Side
    traps: Array | None

    @classmethod
    def of(cls, g_cell: Array, model: ArrayModel, *, rng: Streams | None) -> Self:
        """Make it for tiles of conductances (..., 2, R, C); `rng` draws what differs from tile to tile."""
        rows, pairs = (int(size) for size in g_cell.shape[-2:])
        chain, cells = model.chain, model.cells
        sides: list[Side] = []
        for backward, driven, sensed in ((False, rows, 2 * pairs if chain.halves else pairs), (True, pairs, rows)):
            encoder = Encoder.of(cells, chain.dac, g_cell, backward=backward)
            low, high = cells.i_range(encoder.v_max if backward else -encoder.v_max)
            largest = driven * (high if backward or chain.halves else high - low)
            sides.append(Side(encoder, ConverterBank.drawn(chain.converter, sensed, largest, g_cell, rng=rng)))
        traps = chain.telegraph.traps(g_cell, rng=rng) if chain.telegraph.on and rng is not None else None
        return cls(sides[0], sides[1], traps)

    @property
    def mixes(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """What the terms have to be combined with, forward and backward; None: as they are."""
        forward, backward = self.forward.encoder, self.backward.encoder
        return (forward.mix, backward.mix) if forward.dac.serial else (None, None)
