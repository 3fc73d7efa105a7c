"""Tiles: arrays of differential pairs. Programmed conductances in, signed currents out, read in both directions.

A weight is a pair of cells in the same row and in adjacent physical columns (plus even, minus odd), and stands for
g_plus - g_minus. A read voltage has one polarity in each direction, so a signed vector is read in two phases, positive
magnitudes first and negative magnitudes second, and the second is subtracted:

* forward: rows are driven, the two columns of a pair are sensed and subtracted: i_c = sum_r (g_plus - g_minus)_rc v_r;
* backward: bit lines are driven, rows are sensed; phase one drives the plus column where v > 0 and the minus column
  where v < 0, phase two the other one of each pair: i_r = sum_c (g_plus - g_minus)_rc v_c.

Each cell thus sees every input once, in one of the phases, and an undriven line stays at 0 V. The cell current is a sum
of separable terms (`cell_current`), the wires (`wires`) attenuate the terms, and the stages before and after the cells
are the read chain (`stages.chain`); `read` says how few products that takes. A phase in which no vector of the batch
drives anything is not read.

Single-ended columns, (..., 1, R, C), are for mappings that need no negative weight (`mapping`): their current is sensed
as it is, forward and backward in a phase for each sign.

Leading axes are tiles read at once, each as if alone: voltages broadcast against them. Arrays are NumPy's or PyTorch's,
float32 or float64, as the conductances are.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array import read as array_read
from rramkit.array.backend import Array, as_array, like, namespace, to_numpy
from rramkit.array.conversions import Conversions
from rramkit.array.encoder import Encoder
from rramkit.array.layout import Layout
from rramkit.array.operators import Operators, wire_attenuation
from rramkit.array.periphery import Periphery
from rramkit.array.read import Phase, Reading
from rramkit.array.read_cache import MANY_CELLS, ReadCache, are_few, solved_conductance, tiles_to_solve
from rramkit.array.read_model import ReadModel
from rramkit.array.rng import Rng, TileRng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.voltages import laid_out, within_range
from rramkit.array.windows import Windows
from rramkit.array.wires import WireModel
from rramkit.errors import InputError
from rramkit.table import TablesLike


@dataclass(frozen=True, repr=False)
class Tile:
    """Programmed arrays; `Tile(g_cell, tables)` is `Tile.of(g_cell, tables)`, and `programmed` writes them again.

    `tile.read(v)`, `tile @ v` and `v @ tile` drive the R rows and return the currents; `forward` and `backward` return
    a `Reading` with energy, time and counts as well.

    Attributes
    ----------
    g_cell : array
        Conductances (..., 2, R, C) in siemens: plus and minus halves; or (..., 1, R, C), single-ended columns.
    model : ReadModel
        Cell current, wires, read time and read chain.
    periphery : Periphery
        Encoders and stages, which stay the same when the cells are written.
    clamped : int
        Cells outside the read table, read with the edge's current.
    g_solved : array or None
        Conductances (..., 2, R, C) in siemens at which the wires were solved; None: the present ones.
    read_cache : ReadCache or None
        Read operators of before the last write.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.array import ArrayModel, Tile
    >>> from rramkit.table.example import example
    >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), ArrayModel(example()))
    >>> tile
    Tile(3 x 2 pairs, 20 to 20 uS)
    >>> tile.read([0.1, 0.2, -0.1]).shape
    (2,)
    """

    g_cell: Array
    model: ReadModel
    periphery: Periphery = None  # pyright: ignore[reportAssignmentType]  (built from cells and model)
    clamped: int = 0
    g_solved: Array | None = None
    read_cache: ReadCache | None = None
    __array_ufunc__ = None  # NumPy leaves `v @ tile` to `__rmatmul__`

    def __post_init__(self) -> None:
        if self.periphery is None:
            for name, value in vars(Tile.of(self.g_cell, self.model)).items():
                object.__setattr__(self, name, value)

    @classmethod
    def of(cls, g_cell: Array, model: ReadModel | TablesLike, *, rng: Rng | None = None) -> Self:
        """Build tiles from conductances.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens, above 0: pairs (..., 2, R, C), plus half first; or single-ended columns,
            (..., 1, R, C) or (R, C).
        model : ArrayModel, TableFile, str or Path
            What every tile shares; of a table file, its cells and wires without further stages.
        rng : TileRng or Generator, optional
            Draws what differs from tile to tile: the spread of ADCs, and which cells have a trap. Needed where the read
            chain has such a stage.

        Returns
        -------
        Tile
            The tiles; conductances outside the read table are counted in `clamped`.

        Raises
        ------
        InputError
            When the shape or a value does not fit, an array is larger than the wires were checked on, or `rng` is
            missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> Tile.of(np.full((3, 2), 20e-6), example())
        Tile(3 x 2 single-ended cells, 20 to 20 uS)
        """
        model = model if isinstance(model, ReadModel) else ReadModel.from_tables(model)
        g_cell = as_array(g_cell, "g_cell")
        g_cell = model.checked(g_cell[None] if g_cell.ndim == 2 else g_cell)
        rng = TileRng.of(rng, tuple(g_cell.shape[:-3])) if model.chain.per_tile else None
        if model.chain.per_tile and rng is None:
            raise InputError(
                "`rng` must be given: the read chain has a spread to draw; got none. Pass TileRng.seeded(...)."
            )
        return cls(g_cell, model, Periphery.of(g_cell, model, rng=rng), model.cells.outside(g_cell))

    @classmethod
    def from_tables(
        cls,
        tables: TablesLike,
        g_cell: Array,
        *,
        wires: bool = True,
        chain: ReadChain | None = None,
        rng: Rng | None = None,
    ) -> Self:
        """Build tiles from a table file and conductances: `Tile.of` with the model of the tables.

        Parameters
        ----------
        tables : TableFile, str or Path
            Tables `read` and, unless `wires` is false, `wires`.
        g_cell : array
            Conductances in siemens: (..., 2, R, C), (..., 1, R, C) or (R, C).
        wires : bool
            False: ideal wires.
        chain : ReadChain, optional
            Stages of a read; left out, none.
        rng : TileRng or Generator, optional
            Draws what differs from tile to tile; needed where the read chain has such a stage.

        Returns
        -------
        Tile
            The tiles.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.
        TableError
            When the file lacks a table, a signal or a condition.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> Tile.from_tables(example(), np.full((2, 3, 2), 20e-6), wires=False)
        Tile(3 x 2 pairs, 20 to 20 uS)
        """
        return cls.of(g_cell, ReadModel.from_tables(tables, wires=wires, chain=chain), rng=rng)

    def programmed(self, g_cell: Array) -> Self:
        """Return these tiles with other conductances (..., 2, R, C) in siemens and the same periphery.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens, in the shape of the present ones.

        Returns
        -------
        Tile
            The tiles; what the write leaves valid of the read operators is kept.

        Raises
        ------
        InputError
            When the shape or a value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), example())
        >>> tile.programmed(2.0 * tile.g_cell)
        Tile(3 x 2 pairs, 40 to 40 uS)
        """
        resident, given = self.model.resident, like(as_array(g_cell, "g_cell"), self.g_cell)
        if (few := self._few(given)) is not None:
            return self._written_at(*few)
        g_cell = self.model.checked(given, values=not resident)
        if g_cell.shape != self.g_cell.shape:
            raise InputError(f"`g_cell` must be {tuple(self.g_cell.shape)}; got {tuple(g_cell.shape)}. Reshape it.")
        new = replace(self, g_cell=g_cell, clamped=self.model.cells.outside(g_cell))
        lines = self.model.lines
        if lines is None and resident:
            return replace(new, read_cache=None)
        if lines is None:
            return replace(new, read_cache=self._cache.after_write(self.g_cell, g_cell, np.zeros(1, bool)))
        g_solved = self.g_cell if self.g_solved is None else self.g_solved
        solved = tiles_to_solve(g_solved, g_cell, _longest(lines, self.model), self.model.wires_within)
        if resident:  # which lines are stale is not asked: all are computed
            return replace(new, g_solved=solved_conductance(solved, g_cell, g_solved), read_cache=None)
        solved = to_numpy(solved)
        g_solved = None if solved.all() else solved_conductance(solved, g_cell, g_solved)
        return replace(new, g_solved=g_solved, read_cache=self._cache.after_write(self.g_cell, g_cell, solved))

    def _few(self, g_cell: Array) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the cells (N,) at which conductances in the tiles' shape differ, and these conductances (N,).

        None: many, or none, or one of them is no conductance, or they are not NumPy's; the whole is then written.
        """
        if not isinstance(g_cell, np.ndarray) or g_cell.shape != self.g_cell.shape or g_cell.size < MANY_CELLS:
            return None
        differ = np.flatnonzero(np.not_equal(g_cell, self.g_cell, out=np.empty(g_cell.shape, bool)))
        if not (differ.size and are_few(differ.size, g_cell.size)):
            return None
        values = g_cell[np.unravel_index(differ, g_cell.shape)]
        good = values.min() > 0.0 and values.max() < math.inf  # NaN fails both
        return (differ, values) if good else None

    def _written_at(self, flat: np.ndarray, values: np.ndarray) -> Self:
        """Return these tiles with other conductances (N,) at the cells `flat` (N,): what a batch of a training writes.

        Looked at are these cells, and which wires are to be solved again.
        """
        g_cell, cells, lines = self.g_cell.copy(), self.model.cells, self.model.lines
        clamped = self.clamped - cells.outside(g_cell.ravel()[flat]) + cells.outside(values)
        g_cell.ravel()[flat] = values
        g_cell.flags.writeable = False
        new = replace(self, g_cell=g_cell, clamped=clamped)
        if lines is None:
            return replace(new, read_cache=self._cache.after_write_at(flat, g_cell.shape, np.zeros(1, bool)))
        g_solved = self.g_cell if self.g_solved is None else self.g_solved
        solved = tiles_to_solve(g_solved, g_cell, _longest(lines, self.model), self.model.wires_within)
        g_solved = None if solved.all() else solved_conductance(solved, g_cell, g_solved)
        return replace(new, g_solved=g_solved, read_cache=self._cache.after_write_at(flat, g_cell.shape, solved))

    def without_cache(self) -> Self:
        """Return these tiles as if built from their cells, with the same periphery: what a checkpoint restores.

        Returns
        -------
        Tile
            The tiles without read operators of before.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), example())
        >>> tile.programmed(2.0 * tile.g_cell).without_cache().read_cache is None
        True
        """
        return replace(self, g_solved=None, read_cache=None)

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
        """Read operators of forward reads, computed by the first."""
        return self._operators(self.read_cache and self.read_cache.rows_driven, backward=False)

    @cached_property
    def cols_driven(self) -> Operators:
        """Read operators of backward reads, computed by the first."""
        return self._operators(self.read_cache and self.read_cache.cols_driven, backward=True)

    def read(self, v: Array, *, rng: Rng | None = None) -> Array:
        """Return the currents of a forward read: `forward(v).i`.

        Parameters
        ----------
        v : array
            Signed voltages of the R rows in volts, (R,) or (..., B, R).
        rng : TileRng or Generator, optional
            As for `forward`.

        Returns
        -------
        array
            Currents (C,) or (..., B, C) in amperes.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), example())
        >>> tile.read([0.1, 0.2, -0.1]).shape, tile.read(np.full((4, 3), 0.1)).shape
        ((2,), (4, 2))
        """
        return self.forward(v, rng=rng).i

    def forward(
        self,
        v: Array,
        *,
        rng: Rng | None = None,
        windows: Windows | None = None,
        conversions: Conversions | None = None,
    ) -> Reading:
        """Drive the rows; sense the currents of the C pairs.

        Parameters
        ----------
        v : array
            Signed voltages in volts: one vector (R,), or (..., B, R), which broadcast against the tiles; beyond the
            table's largest read voltage they are driven at that voltage and counted. With `windows`, images
            (C', H, W, B') whose B windows are the vectors.
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.
        windows : Windows, optional
            Kernel, stride and padding of a convolution.
        conversions : Conversions, optional
            What is converted of single-ended columns, driven with 0 V or the full voltage; left out, everything.

        Returns
        -------
        Reading
            Currents (..., B, C) in amperes ((..., C) for one vector), energy, time and counts.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.stack([np.full((3, 2), 80e-6), np.full((3, 2), 20e-6)]), example())
        >>> reading = tile.forward(np.full((4, 3), 0.1))
        >>> reading.i.shape, reading.clamped
        ((4, 2), 0)
        """
        v, layout, single = self._laid_out(v, windows, letter="R", lines=int(self.g_cell.shape[-2]))
        reading = self.sensed(v, layout, backward=False, rng=rng, conversions=conversions)
        return unbatched(reading, single=single)

    def backward(self, v: Array, *, rng: Rng | None = None) -> Reading:
        """Drive the bit lines of the C pairs; sense the currents of the rows: the transposed read.

        Parameters
        ----------
        v : array
            Signed voltages in volts: one vector (C,), or (..., B, C).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.

        Returns
        -------
        Reading
            Currents (..., B, R) in amperes ((..., R) for one vector), energy, time and counts.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> Tile.of(np.full((2, 3, 2), 20e-6), example()).backward(np.zeros((4, 2))).i.shape
        (4, 3)
        """
        v, layout, single = self._laid_out(v, None, letter="C", lines=int(self.g_cell.shape[-1]))
        return unbatched(self.sensed(v, layout, backward=True, rng=rng), single=single)

    def __matmul__(self, v: Array) -> Array:
        return self.read(v)

    def __rmatmul__(self, v: Array) -> Array:
        return self.read(v)

    def __call__(self, v: Array, *, rng: Rng | None = None) -> Array:
        """Return the currents of a forward read: `read`.

        Parameters
        ----------
        v : array
            Signed voltages of the R rows in volts, (R,) or (..., B, R).
        rng : TileRng or Generator, optional
            As for `forward`.

        Returns
        -------
        array
            Currents (C,) or (..., B, C) in amperes.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), example())
        >>> tile([0.1, 0.2, -0.1]).shape
        (2,)
        """
        return self.read(v, rng=rng)

    def __repr__(self) -> str:
        halves, rows, cols = (int(size) for size in self.g_cell.shape[-3:])
        tiles = f"{self.shape} tiles of " if self.shape else ""
        low, high = (1e6 * float(g) for g in (self.g_cell.min(), self.g_cell.max()))
        kind = "pairs" if halves == 2 else "single-ended cells"
        return f"Tile({tiles}{rows} x {cols} {kind}, {low:.3g} to {high:.3g} uS)"

    def sensed(
        self,
        v: Array,
        layout: Layout,
        *,
        backward: bool,
        rng: Rng | None = None,
        joint: Periphery | None = None,
        conversions: Conversions | None = None,
    ) -> Reading:
        """Read signed voltages `v` in volts, which `layout` makes vectors (..., B, R), or `backward` (..., B, C).

        Parameters
        ----------
        v : array
            Signed voltages in volts, of the tiles' kind of array.
        layout : Layout
            How they are vectors (..., B, R), or (..., B, C) backward: `Vectors`, `Images` of windows, or a `Cut`.
        backward : bool
            Whether the bit lines are driven.
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.
        joint : Periphery, optional
            What senses tiles (Tr, Tc) whose sensed lines are joined down the rows of tiles; left out, each is sensed by
            itself.
        conversions : Conversions, optional
            What is converted, as for `forward`.

        Returns
        -------
        Reading
            Currents in amperes, energy, time and counts.

        Raises
        ------
        InputError
            When a voltage is not finite, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array.layout import Vectors
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.full((2, 3, 2), 20e-6), example())
        >>> tile.sensed(np.full((4, 3), 0.1), Vectors(), backward=False).i.shape
        (4, 2)
        """
        v, signed, clamped = self._within_range(v, backward=backward)
        phase = replace(self._phase(layout, rng, backward=backward, joint=joint), conversions=conversions)
        direction = array_read.backward if backward else array_read.forward
        reading = direction(phase, v, signed=signed, t_read=self.model.t_read)
        return (
            reading if isinstance(clamped, int) and not clamped else replace(reading, clamped=clamped + reading.beyond)
        )

    @property
    def tiling(self) -> tuple[int, int, int]:
        """Number of arrays, and rows and physical columns of each."""
        halves, rows, columns = self.g_cell.shape[-3:]
        return math.prod(self.g_cell.shape[:-3]), int(rows), int(halves * columns)

    def calibrated(
        self, v: Array, *, backward: bool = False, margin: float = 1.0, windows: Windows | None = None
    ) -> Self:
        """Return these tiles with the full scale of each ADC `margin` times the largest current of the batch `v`.

        The batch is read forward, or `backward`, without noise and conversion. An ADC that senses no current keeps its
        full scale.

        Parameters
        ----------
        v : array
            Signed voltages in volts, (..., B, R), or (..., B, C) backward; with `windows`, images (C', H, W, B').
        backward : bool
            Whether the bit lines are driven.
        margin : float
            Full scale over the largest current of the batch (1).
        windows : Windows, optional
            Kernel, stride and padding of a convolution.

        Returns
        -------
        Tile
            The tiles with calibrated ADCs.

        Raises
        ------
        InputError
            When no stage of the read chain has a range to measure, or the shape or a value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ReadChain
        >>> from rramkit.table.example import example
        >>> chain = ReadChain.checked({"adc": {"bits": 6}}, where="example")
        >>> tile = Tile.from_tables(example(), np.full((3, 2), 20e-6), chain=chain).calibrated(np.full((4, 3), 0.1))
        >>> tile.forward(np.full((4, 3), 0.1)).beyond
        0
        """
        lines = int(self.g_cell.shape[-1 if backward else -2])
        v, layout, _ = self._laid_out(v, windows, letter="C" if backward else "R", lines=lines)
        return self.calibrated_as(v, layout, backward=backward, margin=margin)

    def calibrated_as(self, v: Array, layout: Layout, *, backward: bool, margin: float) -> Self:
        """Calibrate as `calibrated` does, with voltages that `layout` makes vectors."""
        if not self.model.chain.calibrates:
            raise InputError(
                "to calibrate, `adc.bits` must be above 0 and `adc.i_high` left out, or the readout have several gain "
                "settings and `readout.r_feedback` be left out. Change the chain."
            )
        return replace(self, periphery=self.ranged(v, layout, backward=backward, margin=margin))

    def ranged(
        self, v: Array, layout: Layout, *, backward: bool, margin: float, joint: Periphery | None = None
    ) -> Periphery:
        """Return what senses these tiles, or senses them joined, with ranges as `calibrated` sets them.

        Parameters
        ----------
        v : array
            Signed voltages in volts, which `layout` makes vectors.
        layout : Layout
            How they are vectors (..., B, R), or (..., B, C) backward.
        backward : bool
            Whether the bit lines are driven.
        margin : float
            Full scale over the largest current of the batch (1).
        joint : Periphery, optional
            As for `sensed`.

        Returns
        -------
        Periphery
            Encoders and stages.

        Raises
        ------
        InputError
            When a voltage is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array.layout import Vectors
        >>> from rramkit.array import ReadChain
        >>> from rramkit.table.example import example
        >>> chain = ReadChain.checked({"adc": {"bits": 6}}, where="example")
        >>> tile = Tile.from_tables(example(), np.full((3, 2), 20e-6), chain=chain)
        >>> periphery = tile.ranged(np.full((4, 3), 0.1), Vectors(), backward=False, margin=1.0)
        >>> [round(1e6 * float(i), 2) for i in periphery.states[0][0].i_high[0]]
        [5.81, 5.81]
        """
        v, signed, _ = self._within_range(v, backward=backward)
        operators = self.cols_driven if backward else self.rows_driven
        phase = self._sensing(operators, layout, None, backward=backward, joint=joint)
        i = to_numpy(array_read.unconverted(phase, v, signed=signed))
        periphery = phase.periphery.calibrated(i, backward=backward, margin=margin, reference=self.g_cell)
        return replace(periphery, i_variance=(joint or self.periphery).i_variance)

    def differences(self, v: Array, layout: Layout) -> Array:
        """Return the currents of pairs of driven rows, without noise and before sensing.

        Parameters
        ----------
        v : array
            Signed voltages in volts, which `layout` makes vectors.
        layout : Layout
            How they are vectors (..., B, R).

        Returns
        -------
        array
            Plus less minus (..., B, C), in amperes.

        Raises
        ------
        InputError
            When a voltage is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array.layout import Vectors
        >>> from rramkit.table.example import example
        >>> tile = Tile.of(np.stack([np.full((3, 2), 40e-6), np.full((3, 2), 20e-6)]), example())
        >>> tile.differences(np.full((4, 3), 0.1), Vectors()).shape
        (4, 2)
        """
        v, signed, _ = self._within_range(v, backward=False)
        phase = self._sensing(self.rows_driven, layout, None, backward=False, joint=None)
        return array_read.differences(phase, v, signed=signed)

    def _encoder(self, *, backward: bool) -> Encoder:
        return self.periphery.encoder(backward=backward)

    def _operators(self, old: Operators | None, *, backward: bool) -> Operators:
        encoder = self._encoder(backward=backward)

        def compute(g_cell: Array, attenuation: Array | None) -> Operators:
            return Operators.of(g_cell, attenuation, self.model, encoder.current, mix=encoder.mix, backward=backward)

        attenuation = self._attenuation_backward if backward and not self.model.one_way else self._attenuation
        if old is None or self.read_cache is None:
            return compute(self.g_cell, attenuation)
        operators = self.read_cache.updated(old, self.g_cell, attenuation, compute, backward=backward)
        self._forget("cols_driven" if backward else "rows_driven")
        return operators

    @cached_property
    def _attenuation(self) -> Array | None:
        return self._attenuated(backward=False)

    @cached_property
    def _attenuation_backward(self) -> Array | None:
        return self._attenuated(backward=True)

    def _attenuated(self, *, backward: bool) -> Array | None:
        g_solved = self.g_cell if self.g_solved is None else self.g_solved
        if self.read_cache is None:
            return wire_attenuation(g_solved, self.model, backward=backward)
        attenuation = self.read_cache.updated_attenuation(g_solved, self.model, backward=backward)
        self._forget("attenuation_backward" if backward else "attenuation")
        return attenuation

    def _forget(self, name: str) -> None:
        """Drop a part of the cache that is up to date in these tiles: a written tile is not to be kept twice."""
        assert self.read_cache is not None
        object.__setattr__(self, "read_cache", replace(self.read_cache, **{name: None}))

    @property
    def _cache(self) -> ReadCache:
        """The read operators of these tiles so far; where none were computed yet, the cache of before."""
        own, before = vars(self), self.read_cache
        if before is not None and "rows_driven" not in own and "cols_driven" not in own:
            return before
        attenuation = own.get("_attenuation"), own.get("_attenuation_backward")
        return ReadCache.of(self.g_cell, own.get("rows_driven"), own.get("cols_driven"), attenuation)

    def _phase(self, layout: Layout, rng: Rng | None, *, backward: bool, joint: Periphery | None) -> Phase:
        if not self.periphery.random:
            tile_rng = None
        elif rng is None:
            raise InputError("`rng` must be given: this read chain is noisy; got none. Pass TileRng.seeded(...).")
        else:
            tile_rng = TileRng.of(rng, self.shape)
        operators = self.cols_driven if backward else self.rows_driven
        if tile_rng is not None:
            for factors in self.periphery.each_read(self.g_cell, rng=tile_rng):
                operators = operators.scaled(factors)
        return self._sensing(operators, layout, tile_rng, backward=backward, joint=joint)

    def _sensing(
        self,
        operators: Operators,
        layout: Layout,
        rng: TileRng | None,
        *,
        backward: bool,
        joint: Periphery | None,
    ) -> Phase:
        """Return the read of one direction, its stages told the conductances of the sensed lines."""
        periphery = joint or self.periphery
        phase = Phase(operators, periphery, layout, rng, backward, self.paired, joined=joint is not None)
        if not periphery.needs_lines:
            return phase
        kept = self._at_lines.get(backward)
        stays = operators is vars(self).get("cols_driven" if backward else "rows_driven")  # no noise of this read in it
        if stays and kept is not None and kept[0] is periphery:
            return replace(phase, periphery=kept[1])
        g_line = operators.line_conductance(backward=backward, split=phase.split)
        if phase.joined:
            g_line = namespace(g_line).sum(g_line, axis=0, keepdims=True)
        encoder = self._encoder(backward=backward)
        if encoder.mix is not None:  # one term, of a pulse of the full voltage
            g_line = g_line / encoder.current.v_max
        told = periphery.at_lines(g_line, backward=backward)
        if stays:
            self._at_lines[backward] = periphery, told
        return replace(phase, periphery=told)

    @cached_property
    def _at_lines(self) -> dict[bool, tuple[Periphery, Periphery]]:
        """By direction a periphery, and what it is for the sensed lines of these cells: so it stays until a write."""
        return {}

    def _laid_out(self, v: Array, windows: Windows | None, *, letter: str, lines: int) -> tuple[Array, Layout, bool]:
        """Check the shape of voltages; return them as the tiles' kind of array, their layout, whether one vector."""
        v, layout, single = laid_out(v, windows, letter=letter, lines=lines, tiles=self.shape)
        return like(v, self.g_cell), layout, single

    def _within_range(self, v: Array, *, backward: bool) -> tuple[Array, Array | bool, Array | int]:
        """Return voltages clamped to the table, whether any is negative, and how many were clamped."""
        v_max = self._encoder(backward=backward).current.v_max
        return within_range(v, v_max, resident=self.model.resident)


def _longest(lines: WireModel, model: ReadModel) -> WireModel:
    """Return the wires with the larger resistance of both directions at each end."""
    other = model.lines_of(backward=True) or lines
    return replace(lines, r_drive=max(lines.r_drive, other.r_drive), r_sense=max(lines.r_sense, other.r_sense))


def unbatched(reading: Reading, *, single: bool) -> Reading:
    """Return the reading of a single vector without the axis of vectors."""
    return replace(reading, i=reading.i[..., 0, :]) if single else reading
