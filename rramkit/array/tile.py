"""Arrays of differential pairs: programmed conductances in, signed currents out, read in both directions.

A weight is a pair of cells in the same row and in adjacent physical columns (plus even, minus odd), and stands for
g_plus - g_minus. A read voltage has one polarity in each direction, so a signed vector is read in two phases, positive
magnitudes first and negative magnitudes second, and the second is subtracted:

* forward: rows are driven, the two columns of a pair are sensed and subtracted: i_c = sum_r (g_plus - g_minus)_rc v_r;
* backward: bit lines are driven, rows are sensed; phase one drives the plus column where v > 0 and the minus column
  where v < 0, phase two the other one of each pair: i_r = sum_c (g_plus - g_minus)_rc v_c.

Each cell thus sees every input once, in one of the phases, and a line that is not driven stays at 0 V. The cell current
is a sum of separable terms (`cells`), the wires (`wires`) attenuate the terms, and what stands before and after the
cells is the read chain (`read_chain`); `reading` says how few products that takes. A phase in which no vector of the
batch drives anything is not read.

Columns without a partner, (..., 1, R, C), are for mappings that need no negative weight (`mapping`): their current is
sensed as it is, forward and backward in a phase for each sign.

Leading axes are tiles read at once, each as if alone: voltages broadcast against them. Arrays are NumPy's or PyTorch's,
float32 or float64, as the conductances are.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array import read as array_read
from rramkit.array.backend import Array, as_array, copied, like, limited, namespace, to_numpy
from rramkit.array.layout import Images, Layout, Vectors
from rramkit.array.model import ArrayModel
from rramkit.array.operators import Operators, passed_by_wires
from rramkit.array.periphery import Periphery
from rramkit.array.phases import Phase
from rramkit.array.read import Reading
from rramkit.array.read_cache import ReadCache, chosen, lines_of, overloaded, tiles_of
from rramkit.array.rng import TileRng
from rramkit.array.stages.adc import grouped_maximum
from rramkit.array.windows import Windows
from rramkit.errors import InputError

__all__ = ["ArrayModel", "Reading", "Rng", "Tile"]

Rng = TileRng | np.random.Generator
"""Random numbers of a read: one generator a tile, or one that seeds them for this call."""

_EDGE = 1e-6  # of the voltage range (1): this far outside is rounding, to float32 too, not an extrapolation


@dataclass(frozen=True)
class Tile:
    """Programmed arrays; make them with `Tile.of`, and reprogrammed ones with `programmed`.

    Attributes
    ----------
    g_cell : array
        Conductances (..., 2, R, C) in siemens: plus and minus halves; or (..., 1, R, C), columns without a partner.
    model : ArrayModel
        Cell current, wires, read time and read chain.
    periphery : Periphery
        Encoders and converters, which stay the same when the cells are written.
    clamped : int
        Cells outside the read table, read with the edge's current.
    g_solved : array or None
        Conductances (..., 2, R, C) at which the wires were solved; None: those of now.
    renewal : Renewal or None
        What was prepared for reads before the cells were written last.
    """

    g_cell: Array
    model: ArrayModel
    periphery: Periphery
    clamped: int
    g_solved: Array | None = None
    renewal: ReadCache | None = None

    @classmethod
    def of(cls, g_cell: Array, model: ArrayModel, *, rng: Rng | None = None) -> Self:
        """Build tiles from conductances (..., 2, R, C) in siemens.

        `rng` draws what differs from tile to tile: the spread of converters, and which cells have a trap.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or an array is larger than the wires were checked on.
        """
        g_cell = _checked(g_cell, model)
        streams = _streams(rng, tuple(g_cell.shape[:-3])) if model.chain.drawn else None
        if model.chain.drawn and streams is None:
            raise InputError(
                "`rng` must be given: the read chain has a spread to draw; got none. Pass Streams.seeded(...)."
            )
        return cls(g_cell, model, Periphery.of(g_cell, model, rng=streams), model.cells.outside(g_cell))

    def programmed(self, g_cell: Array) -> Self:
        """Return these tiles with other conductances (..., 2, R, C) in siemens and the same periphery."""
        g_cell = _checked(like(as_array(g_cell, "g_cell"), self.g_cell), self.model)
        if g_cell.shape != self.g_cell.shape:
            raise InputError(f"`g_cell` must be {tuple(self.g_cell.shape)}; got {tuple(g_cell.shape)}. Reshape it.")
        new = replace(self, g_cell=g_cell, clamped=self.model.cells.outside(g_cell))
        lines = self.model.lines
        if lines is None:
            return replace(new, renewal=self._known.after(self.g_cell, g_cell, np.zeros(1, bool)))
        g_solved = self.g_cell if self.g_solved is None else self.g_solved
        solved = overloaded(g_solved, g_cell, lines, self.model.wires_within)
        g_solved = chosen(solved, g_cell, g_solved)
        return replace(new, g_solved=g_solved, renewal=self._known.after(self.g_cell, g_cell, solved))

    def settled(self) -> Self:
        """Return these tiles as if made anew from their cells, with the same periphery: what a checkpoint restores."""
        return replace(self, g_solved=None, renewal=None)

    @property
    def shape(self) -> tuple[int, ...]:
        """Leading axes of the tiles."""
        return tuple(self.g_cell.shape[:-3])

    @property
    def paired(self) -> bool:
        """Whether the columns are pairs."""
        return self.g_cell.shape[-3] == 2

    @cached_property
    def rows_driven(self) -> Operators:
        """The cells as forward reads need them; made by the first."""
        return self._operators(self.renewal and self.renewal.rows_driven, backward=False)

    @cached_property
    def cols_driven(self) -> Operators:
        """The cells as backward reads need them; made by the first."""
        return self._operators(self.renewal and self.renewal.cols_driven, backward=True)

    def forward(self, v: Array, *, rng: Rng | None = None, windows: Windows | None = None) -> Reading:
        """Drive the rows with signed voltages (..., B, R) in volts; sense the currents of the C pairs.

        With `windows`, `v` are images (C', H, W, B') in volts, and their B windows are the vectors.
        """
        v, layout = self._laid_out(v, windows, letter="R", lines=int(self.g_cell.shape[-2]))
        return self.read(v, layout, backward=False, rng=rng)

    def backward(self, v: Array, *, rng: Rng | None = None) -> Reading:
        """Drive the bit lines of the C pairs with signed voltages (..., B, C) in volts; sense the rows' currents."""
        v, layout = self._laid_out(v, None, letter="C", lines=int(self.g_cell.shape[-1]))
        return self.read(v, layout, backward=True, rng=rng)

    def read(self, v: Array, layout: Layout, *, backward: bool, rng: Rng | None = None) -> Reading:
        """Drive lines with signed voltages `v` in volts, which `layout` makes vectors (..., B, R), or (..., B, C)."""
        v, signed, clamped = self._within(v, backward=backward)
        read = self._set_up(layout, rng, backward=backward)
        way = array_read.backward if backward else array_read.forward
        reading = way(read, v, signed=signed, t_read=self.model.t_read)
        return replace(reading, clamped=clamped + reading.beyond) if clamped else reading

    def calibrated(
        self, v: Array, *, backward: bool = False, margin: float = 1.0, windows: Windows | None = None
    ) -> Self:
        """Return these tiles with each converter's full scale `margin` times the largest current of the batch `v`.

        The batch is read forward, or `backward`, without noise and conversion. A converter that sees no current keeps
        its full scale.
        """
        lines = int(self.g_cell.shape[-1 if backward else -2])
        v, layout = self._laid_out(v, windows, letter="C" if backward else "R", lines=lines)
        return self.calibrated_as(v, layout, backward=backward, margin=margin)

    def calibrated_as(self, v: Array, layout: Layout, *, backward: bool, margin: float) -> Self:
        """Do what `calibrated` does, for voltages that `layout` makes vectors."""
        chain = self.model.chain
        if chain.converter.i_high is not None or not chain.converter.bits:
            raise InputError("to calibrate, `converter.bits` must be above 0 and `i_high` left out. Change the chain.")
        v, signed, _ = self._within(v, backward=backward)
        side = self.periphery.backward if backward else self.periphery.forward
        operators = self.cols_driven if backward else self.rows_driven
        i = array_read.unconverted(Phase(operators, side, chain, layout, None, backward, self.paired), v, signed=signed)
        largest = margin * grouped_maximum(to_numpy(i), chain.converter.shared)
        i_high = like(np.where(largest > 0.0, largest, to_numpy(side.bank.i_high)), self.g_cell)
        new = replace(side, bank=replace(side.bank, i_high=i_high))
        if backward:
            return replace(self, periphery=replace(self.periphery, backward=new))
        return replace(self, periphery=replace(self.periphery, forward=new))

    def _operators(self, old: Operators | None, *, backward: bool) -> Operators:
        encoder = (self.periphery.backward if backward else self.periphery.forward).encoder

        def made(g_cell: Array, passed: Array | None) -> Operators:
            return Operators.of(g_cell, passed, self.model, encoder.way, mix=encoder.mix, backward=backward)

        if old is None or self.renewal is None:
            return made(self.g_cell, self._passed)
        tile, line = self.renewal.lines(backward=backward)
        if not tile.size:
            return old
        passed = None if self._passed is None else lines_of(self._passed, tile, line, backward=backward)
        fresh = made(lines_of(self.g_cell, tile, line, backward=backward), passed)
        return old.renewed(fresh, tile, line, backward=backward)

    @cached_property
    def _passed(self) -> Array | None:
        g_solved, renewal = self.g_cell if self.g_solved is None else self.g_solved, self.renewal
        if renewal is None or renewal.passed is None:
            return passed_by_wires(g_solved, self.model)
        if not renewal.solved.any():
            return renewal.passed
        tiles = np.flatnonzero(renewal.solved)
        part = copied(renewal.passed)
        tiles_of(part, 3)[tiles] = passed_by_wires(tiles_of(g_solved, 3)[tiles], self.model)
        return part

    @property
    def _known(self) -> ReadCache:
        """What of these tiles has been prepared so far; where nothing was yet, what is known from before."""
        made, before = vars(self), self.renewal
        if before is not None and "rows_driven" not in made and "cols_driven" not in made:
            return before
        return ReadCache.of(self.g_cell, made.get("rows_driven"), made.get("cols_driven"), made.get("_passed"))

    def _set_up(self, layout: Layout, rng: Rng | None, *, backward: bool) -> Phase:
        chain = self.model.chain
        if not chain.random:
            streams = None
        elif rng is None:
            raise InputError("`rng` must be given: this read chain is noisy; got none. Pass Streams.seeded(...).")
        else:
            streams = _streams(rng, self.shape)
        operators = self.cols_driven if backward else self.rows_driven
        if self.periphery.traps is not None and streams is not None:
            operators = operators.with_traps(chain.telegraph.factors(self.periphery.traps, self.g_cell, rng=streams))
        side = self.periphery.backward if backward else self.periphery.forward
        return Phase(operators, side, chain, layout, streams, backward, self.paired)

    def _laid_out(self, v: Array, windows: Windows | None, *, letter: str, lines: int) -> tuple[Array, Layout]:
        """Check the shape of voltages; return them in the tiles' kind of array, and their layout."""
        v = as_array(v, "v")
        if windows is not None:
            windows.check(v, lines)
            return like(v, self.g_cell), Images(windows)
        if v.ndim < 2 or v.shape[-1] != lines or not _fits(tuple(v.shape[:-2]), self.shape):
            wanted = f"(B, {letter}) = (B, {lines})" if not self.shape else f"(..., B, {letter}) = (..., B, {lines})"
            tiles = f" and fit the tiles {self.shape}" if self.shape else ""
            raise InputError(f"`v` must be {wanted} in volts{tiles}; got {tuple(v.shape)}. Reshape it.")
        return like(v, self.g_cell), Vectors()

    def _within(self, v: Array, *, backward: bool) -> tuple[Array, bool, int]:
        """Return voltages kept within the table, whether any is negative, and how many had to be moved."""
        v_max = (self.periphery.backward if backward else self.periphery.forward).encoder.way.v_max
        low, high = (float(v.min()), float(v.max())) if math.prod(v.shape) else (math.nan, math.nan)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError("`v` must be at least one vector of finite voltages; got none, NaN or infinity. Fix it.")
        if max(high, -low) <= v_max:
            return v, low < 0.0, 0
        xp = namespace(v)
        return limited(v, -v_max, v_max), low < 0.0, int(xp.count_nonzero(xp.abs(v) > v_max * (1.0 + _EDGE)))


def _fits(lead: tuple[int, ...], tiles: tuple[int, ...]) -> bool:
    """Whether leading axes broadcast to those of the tiles, and to no more than these."""
    try:
        return np.broadcast_shapes(lead, tiles) == tiles
    except ValueError:
        return False


def _checked(g_cell: Array, model: ArrayModel) -> Array:
    """Return conductances (..., 2, R, C) that nobody else can change; raise `InputError` when they do not fit."""
    g_cell = as_array(g_cell, "g_cell")
    if g_cell.ndim < 3 or g_cell.shape[-3] not in (1, 2) or not math.prod(g_cell.shape):
        raise InputError(
            "`g_cell` must be (..., 2, R, C) in siemens, plus and minus, or (..., 1, R, C); "
            f"got {tuple(g_cell.shape)}. Reshape it."
        )
    low, high = float(g_cell.min()), float(g_cell.max())
    if not (low > 0.0 and high < math.inf):  # NaN fails both
        raise InputError("`g_cell` must be finite and above 0 S; got other values. Programme the array first.")
    if model.wires is not None:
        model.wires.check(int(g_cell.shape[-2]), int(g_cell.shape[-3]) * int(g_cell.shape[-1]))
    copy = copied(g_cell)
    if isinstance(copy, np.ndarray):
        copy.flags.writeable = False
    return copy


def _streams(rng: Rng | None, shape: tuple[int, ...]) -> TileRng | None:
    """Return one generator a tile: those given, checked, or ones that a NumPy generator seeds."""
    if isinstance(rng, np.random.Generator):
        return TileRng.drawn(rng, shape)
    if rng is not None:
        rng.check(shape)
    return rng
