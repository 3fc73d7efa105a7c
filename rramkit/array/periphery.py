"""Periphery of tiles: encoders and stages of the read chain, which stay the same when the cells are written."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.cell_current import DirectionalCurrent
from rramkit.array.encoder import Encoder
from rramkit.array.read_model import ReadModel
from rramkit.array.rng import TileRng
from rramkit.array.stages.stage import Stage, State, TileSpec


@dataclass(frozen=True)
class Periphery:
    """Encoders of both directions, and the stages of a read with what each keeps for tiles (...).

    Attributes
    ----------
    forward, backward : Encoder
        Input encoding of forward and of backward reads.
    stages : tuple of Stage
        The stages that are on, in signal order.
    states : tuple
        What each stage keeps.
    nonlinear : bool
        Whether phases, and by `halves` the halves of a pair, are sensed one by one.
    halves : bool
        Whether the halves of pairs are sensed one by one in a forward read.
    random : bool
        Whether a read draws random numbers.
    i_variance : float or array
        Variance of the noise of one sub-read at an output (A^2): of all, or of each (..., 1, M).
    e_conversion : float
        Energy of sensing one output once (J).
    e_batch : tuple of float
        Energy of a batch whatever its size, of all tiles, forward and backward (J).
    turns : int
        Lines that each sensing circuit serves, one after the other.
    e_adc : float
        Part of `e_conversion` that is the converter's (J).
    adc_shares : ndarray
        What a conversion in 0 to B bits takes of a whole one (B + 1,); without a converter (1,): 1.
    """

    forward: Encoder
    backward: Encoder
    stages: tuple[Stage, ...]
    states: tuple[State, ...]
    nonlinear: bool
    halves: bool
    random: bool
    i_variance: float | Array
    e_conversion: float
    e_batch: tuple[float, float] = (0.0, 0.0)
    turns: int = 1
    e_adc: float = 0.0
    adc_shares: np.ndarray = field(default_factory=lambda: np.ones(1))

    @cached_property
    def passes(self) -> dict[tuple[object, ...], Any]:
        """What reads in one pass have made of the stages (`read_pass.Sensing`). Not a field: it follows from them."""
        return {}

    @classmethod
    def of(cls, g_cell: Array, model: ReadModel, *, rng: TileRng | None) -> Self:
        """Build it for tiles of conductances (..., 2, R, C); `rng` draws what differs from tile to tile."""
        half_count, rows, pairs = (int(size) for size in g_cell.shape[-3:])
        chain, stages = model.chain, model.stages
        split = chain.halves and half_count == 2
        forward, backward = (DirectionalCurrent.of(model.cells, backward=way) for way in (False, True))
        i_low = 0.0 if split or half_count == 1 else forward.i_span[0]
        tile = TileSpec(
            g_cell,
            outputs=(2 * pairs if split else pairs, rows),
            i_high=(rows * (forward.i_span[1] - i_low), pairs * backward.i_span[1]),
            t_read=model.t_read,
        )
        states = [stage.fabricate(tile, rng=rng) for stage in reversed(stages)]
        drive = chain.drive()
        return cls(
            Encoder.of(forward, drive, g_cell),
            Encoder.of(backward, drive, g_cell),
            stages,
            tuple(reversed(states)),
            nonlinear=chain.nonlinear,
            halves=chain.halves,
            random=chain.random,
            i_variance=sum((stage.i_noise**2 for stage in stages), 0.0),
            e_conversion=sum((stage.e_conversion for stage in stages), 0.0),
            e_batch=(_e_batch(stages, tile, backward=False), _e_batch(stages, tile, backward=True)),
            turns=max((stage.turns for stage in stages), default=1),
            e_adc=chain.adc.e_conversion,
            adc_shares=chain.adc.shares,
        )

    def encoder(self, *, backward: bool) -> Encoder:
        """Return the input encoding of a direction."""
        return self.backward if backward else self.forward

    def state(self, kind: type[Stage]) -> State:
        """Return what the stage of a kind keeps for the tiles."""
        return next(state for stage, state in zip(self.stages, self.states, strict=True) if isinstance(stage, kind))

    def each_read(self, reference: Array, *, rng: TileRng) -> list[Array]:
        """Draw the factors on the current of each cell (..., 2, R, C) that hold for one read."""
        drawn = (stage.each_read(own, reference, rng=rng) for stage, own in zip(self.stages, self.states, strict=True))
        return [factors for factors in drawn if factors is not None]

    @property
    def needs_lines(self) -> bool:
        """Whether a stage asks for the conductances of the sensed lines."""
        return any(stage.needs_lines for stage in self.stages)

    def at_lines(self, g_line: Array, *, backward: bool) -> Self:
        """Return this for a read whose sensed lines have conductances (..., 1, M) in siemens."""
        pairs = tuple(zip(self.stages, self.states, strict=True))
        states = tuple(stage.at_lines(own, g_line, backward=backward) for stage, own in pairs)
        variances = [stage.variance(own, backward=backward) for stage, own in zip(self.stages, states, strict=True)]
        return replace(self, states=states, i_variance=sum(variances, 0.0))

    def sense(
        self, i: Array, *, backward: bool, two_way: bool, sensed: np.ndarray | None = None
    ) -> tuple[Array, int, float]:
        """Return currents (..., N, M) after all stages, how many exceeded a range, and the energy this took (J).

        The energy is that beside `e_conversion`; `sensed` (...) is how many of each tile's currents are sensed at all,
        the others being 0; None: all.
        """
        beyond, energy = 0, 0.0
        for stage, state in zip(self.stages, self.states, strict=True):
            energy += stage.e_sense(i, state, backward=backward, sensed=sensed)
            i, more = stage.sense(i, state, backward=backward, two_way=two_way)
            beyond += more
        return i, beyond, energy

    def conversion_time(self, sub_reads: int) -> float:
        """Return the time that sensing takes after the pulses of one phase of a vector (s)."""
        return sum((stage.conversion_time(sub_reads) for stage in self.stages), 0.0)

    def calibrated(self, i: np.ndarray, *, backward: bool, margin: float, reference: Array) -> Self:
        """Return this with ranges set by the largest currents `i` (..., N, M) of a batch, times `margin`."""
        pairs = zip(self.stages, self.states, strict=True)
        states = (
            stage.calibrate(own, i, backward=backward, margin=margin, reference=reference) if stage.calibrates else own
            for stage, own in pairs
        )
        return replace(self, states=tuple(states))


def _e_batch(stages: tuple[Stage, ...], tile: TileSpec, *, backward: bool) -> float:
    return sum((stage.e_batch(tile, backward=backward) for stage in stages), 0.0)
