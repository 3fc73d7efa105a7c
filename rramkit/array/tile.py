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

Leading axes are tiles read at once, each as if alone: voltages broadcast against them. Arrays are NumPy's or PyTorch's,
float32 or float64, as the conductances are.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import Array, as_array, like, namespace, size, to_numpy
from rramkit.array.converter import grouped_maximum
from rramkit.array.encoder import Drive
from rramkit.array.model import ArrayModel
from rramkit.array.operators import Operators
from rramkit.array.periphery import Periphery, Side
from rramkit.array.read_chain import ReadChain
from rramkit.array.reading import Currents, Read, Sensed, of_cols, of_rows, sense, together
from rramkit.array.streams import Streams
from rramkit.errors import InputError

__all__ = ["ArrayModel", "Reading", "Rng", "Tile"]

Rng = Streams | np.random.Generator
"""Random numbers of a read: one generator a tile, or one that seeds them for this call."""

_EDGE = 1e-6  # of the voltage range (1): this far outside is rounding, to float32 too, not an extrapolation


@dataclass(frozen=True)
class Reading:
    """What one read of a batch gave.

    Attributes
    ----------
    i : array
        Signed output currents (..., B, C) forward or (..., B, R) backward, in amperes.
    energy : float
        Energy of the whole batch (J): what the drivers give to the arrays, the sum of v i t_read over cells, phases and
        pulses, and what converters take.
    clamped : int
        Input voltages outside the table, driven at its edge instead, and currents beyond a clamp's or a converter's
        range.
    beyond : int
        The latter alone.
    duration : float
        Time of the whole batch (s): pulses, and the conversions that follow one another.
    """

    i: Array
    energy: float
    clamped: int
    beyond: int = 0
    duration: float = 0.0


@dataclass(frozen=True)
class Tile:
    """Programmed arrays; make them with `Tile.of`, and reprogrammed ones with `programmed`.

    Attributes
    ----------
    g_cell : array
        Conductances (..., 2, R, C) in siemens: plus and minus halves.
    model : ArrayModel
        Cell current, wires, read time and read chain.
    periphery : Periphery
        Encoders and converters, which stay the same when the cells are written.
    rows_driven, cols_driven : Operators
        The cells as forward and backward reads need them.
    clamped : int
        Cells outside the read table, read with the edge's current.
    """

    g_cell: Array
    model: ArrayModel
    periphery: Periphery
    rows_driven: Operators
    cols_driven: Operators
    clamped: int

    @classmethod
    def of(cls, g_cell: Array, model: ArrayModel, *, rng: Rng | None = None) -> Self:
        """Build tiles from conductances (..., 2, R, C) in siemens.

        `rng` draws what differs from tile to tile: the spread of converters, and which cells have a trap.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or the array is larger than the wires were checked on.
        """
        g_cell = _checked(g_cell, model)
        streams = _streams(rng, tuple(g_cell.shape[:-3])) if model.chain.drawn else None
        if model.chain.drawn and streams is None:
            raise InputError(
                "`rng` must be given: the read chain has a spread to draw; got none. Pass Streams.seeded(...)."
            )
        return cls._made(g_cell, model, Periphery.of(g_cell, model, rng=streams))

    def programmed(self, g_cell: Array) -> Self:
        """Return these tiles with other conductances (..., 2, R, C) in siemens and the same periphery."""
        g_cell = like(_checked(g_cell, self.model), self.g_cell)
        if g_cell.shape != self.g_cell.shape:
            raise InputError(f"`g_cell` must be {tuple(self.g_cell.shape)}; got {tuple(g_cell.shape)}. Reshape it.")
        return self._made(g_cell, self.model, self.periphery)

    @classmethod
    def _made(cls, g_cell: Array, model: ArrayModel, periphery: Periphery) -> Self:
        if isinstance(g_cell, np.ndarray):
            g_cell = g_cell.copy()
            g_cell.flags.writeable = False
        forward, backward = periphery.mixes
        rows_driven = Operators.of(g_cell, model, forward)
        cols_driven = rows_driven if backward is None else Operators.of(g_cell, model, backward)
        return cls(g_cell, model, periphery, rows_driven, cols_driven, model.cells.outside(g_cell))

    @property
    def shape(self) -> tuple[int, ...]:
        """Leading axes of the tiles."""
        return tuple(self.g_cell.shape[:-3])

    def forward(self, v: Array, *, rng: Rng | None = None) -> Reading:
        """Drive the rows with signed voltages (..., B, R) in volts; sense the currents of the C pairs."""
        v, clamped = self._inputs(v, self.periphery.forward, self.g_cell.shape[-2], "R")
        read = self._read(rng, backward=False)
        signed = float(v.min()) < 0.0
        if read.chain.separate:
            drive, currents = self._row_currents(read, v, signed=signed)
            sensed = sense(read, currents, two_way=not read.chain.halves)
            i, phases = _halves_subtracted(sensed.i, read.chain), 1 + signed
        else:
            drive = read.side.encoder.encode(namespace(v).abs(v) if signed else v, noisy=read.chain.noise.on)
            sensed = together(read, drive, _signs(read, v) if signed else None, phases=1 + signed)
            i, phases = sensed.i, 1
        i = _combined(i, read.side.encoder.weights, phases)
        return self._reading(read, i, drive, sensed, clamped=clamped, phases=v.shape[-2] * (1 + signed))

    def backward(self, v: Array, *, rng: Rng | None = None) -> Reading:
        """Drive the bit lines of the C pairs with signed voltages (..., B, C) in volts; sense the rows' currents."""
        v, clamped = self._inputs(v, self.periphery.backward, self.g_cell.shape[-1], "C")
        read = self._read(rng, backward=True)
        drive = read.side.encoder.encode(namespace(v).abs(v), noisy=read.chain.noise.on)
        if read.chain.separate:
            sensed = sense(read, of_cols(read, drive, _signs(read, v)), two_way=False)
            turns = sensed.i.shape[-2] // 2
            i = sensed.i[..., :turns, :] - sensed.i[..., turns:, :]
        else:
            sensed = together(read, drive, _signs(read, v), phases=2)
            i = sensed.i
        i = _combined(i, read.side.encoder.weights, 1)
        return self._reading(read, i, drive, sensed, clamped=clamped, phases=v.shape[-2] * 2)

    def calibrated(self, v: Array, *, backward: bool = False, margin: float = 1.0) -> Self:
        """Return these tiles with each converter's full scale `margin` times the largest current of the batch `v`.

        The batch is read forward, or `backward`, without noise and conversion. A converter that sees no current keeps
        its full scale.
        """
        chain = self.model.chain
        if chain.converter.i_high is not None or not chain.converter.bits:
            raise InputError("to calibrate, `converter.bits` must be above 0 and `i_high` left out. Change the chain.")
        side = self.periphery.backward if backward else self.periphery.forward
        v, _ = self._inputs(v, side, self.g_cell.shape[-1 if backward else -2], "C" if backward else "R")
        operators = self.cols_driven if backward else self.rows_driven
        read = Read(operators, side, chain, None, backward)
        if backward:
            drive = side.encoder.encode(namespace(v).abs(v), noisy=False)
            currents = of_cols(read, drive, _signs(read, v))
        else:
            _, currents = self._row_currents(read, v, signed=float(v.min()) < 0.0)
        largest = margin * grouped_maximum(to_numpy(currents.i), chain.converter.shared)
        i_high = like(np.where(largest > 0.0, largest, to_numpy(side.bank.i_high)), self.g_cell)
        new = replace(side, bank=replace(side.bank, i_high=i_high))
        periphery = replace(self.periphery, **{"backward" if backward else "forward": new})
        return replace(self, periphery=periphery)

    def _row_currents(self, read: Read, v: Array, *, signed: bool) -> tuple[Drive, Currents]:
        """Return the drive and the currents of rows driven phase by phase: (..., S P B, M)."""
        xp = namespace(v)
        u = xp.concat([xp.clip(v, 0.0), xp.clip(-v, 0.0)], axis=-2) if signed else v
        drive = read.side.encoder.encode(u, noisy=read.chain.noise.on)
        return drive, of_rows(read, drive)

    def _read(self, rng: Rng | None, *, backward: bool) -> Read:
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
        return Read(
            operators, self.periphery.backward if backward else self.periphery.forward, chain, streams, backward
        )

    def _inputs(self, v: Array, side: Side, lines: int, letter: str) -> tuple[Array, int]:
        """Check signed voltages (..., B, lines); return them within the table, and how many were clamped."""
        v = like(as_array(v, "v"), self.g_cell)
        if v.ndim < 2 or v.shape[-1] != lines or not v.shape[-2] or not self._fits(tuple(v.shape[:-2])):
            wanted = f"(B, {letter}) = (B, {lines})" if not self.shape else f"(..., B, {letter}) = (..., B, {lines})"
            tiles = f" and fit the tiles {self.shape}" if self.shape else ""
            raise InputError(f"`v` must be {wanted} in volts{tiles}; got {tuple(v.shape)}. Reshape it.")
        low, high, v_max = float(v.min()), float(v.max()), side.encoder.v_max
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError(f"`v` must be (B, {letter}) in volts and finite; got NaN or infinity. Mend the input.")
        if max(high, -low) <= v_max:
            return v, 0
        xp = namespace(v)
        return xp.clip(v, -v_max, v_max), int(xp.count_nonzero(xp.abs(v) > v_max * (1.0 + _EDGE)))

    def _fits(self, lead: tuple[int, ...]) -> bool:
        """Whether voltages with leading axes `lead` broadcast to the tiles, and to no more than these."""
        try:
            return np.broadcast_shapes(lead, self.shape) == self.shape
        except ValueError:
            return False

    def _reading(self, read: Read, i: Array, drive: Drive, sensed: Sensed, *, clamped: int, phases: int) -> Reading:
        """Count energy and time; `phases` is how many phases one tile went through."""
        lines, chain = read.operators.lines_col if read.backward else read.operators.lines_row, read.chain
        power = sum(float((each * lines[..., k, :]).sum()) for k, each in enumerate(drive.power))
        energy = power * self.model.t_read + sensed.conversions * chain.converter.energy
        if chain.dac.energy:
            sets = size(drive.power[0][..., 0]) or 1
            energy += drive.pulses * chain.dac.energy * (math.prod(self.shape) // sets)
        one = (
            chain.dac.pulses * self.model.t_read + chain.dac.shots * chain.converter.shared * chain.converter.t_convert
        )
        return Reading(i, energy, clamped + sensed.beyond, sensed.beyond, phases * one)


def _checked(g_cell: Array, model: ArrayModel) -> Array:
    """Check conductances (..., 2, R, C); raise `InputError` when they do not fit."""
    g_cell = as_array(g_cell, "g_cell")
    if g_cell.ndim < 3 or g_cell.shape[-3] != 2 or not math.prod(g_cell.shape):
        raise InputError(
            f"`g_cell` must be (..., 2, R, C) in siemens, plus and minus; got {tuple(g_cell.shape)}. Reshape it."
        )
    low, high = float(g_cell.min()), float(g_cell.max())
    if not (low > 0.0 and high < np.inf):  # NaN fails both
        raise InputError("`g_cell` must be finite and above 0 S; got other values. Programme the array first.")
    if model.wires is not None:
        model.wires.check(int(g_cell.shape[-2]), 2 * int(g_cell.shape[-1]))
    return g_cell


def _streams(rng: Rng | None, shape: tuple[int, ...]) -> Streams | None:
    """Return one generator a tile: those given, checked, or ones that a NumPy generator seeds."""
    if isinstance(rng, np.random.Generator):
        return Streams.drawn(rng, shape)
    if rng is not None:
        rng.check(shape)
    return rng


def _signs(read: Read, v: Array) -> Array:
    """Return the signs of signed voltages (..., B, N), once for each shot: (..., S B, N)."""
    xp, shots = namespace(v), read.chain.dac.shots
    sign = xp.sign(v)
    return xp.concat([sign] * shots, axis=-2) if shots > 1 else sign


def _halves_subtracted(i: Array, chain: ReadChain) -> Array:
    if not chain.halves:
        return i
    pairs = i.shape[-1] // 2
    return i[..., :pairs] - i[..., pairs:]


def _combined(i: Array, weights: np.ndarray, phases: int) -> Array:
    """Add up shots with their weights and subtract the second phase: (..., S P B, M) to (..., B, M)."""
    shots = len(weights)
    if shots == phases == 1:
        return i
    i = i.reshape(*i.shape[:-2], shots, phases, i.shape[-2] // (shots * phases), i.shape[-1])
    i = i[..., 0, :, :] - i[..., 1, :, :] if phases == 2 else i[..., 0, :, :]
    if shots == 1:
        return i[..., 0, :, :]
    return (i * like(weights, i)[:, None, None]).sum(axis=-3)
