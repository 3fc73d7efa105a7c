"""Grid of tiles: one large matrix of pairs cut into equal arrays that are read as one.

N rows and M pairs of columns are cut into Tr x Tc tiles, as equal as can be, each at most as large as the wires of the
table file were checked on (`largest`). The Tr tiles that share outputs are merged in a forward read as the read chain
says (`ReadChain.merge`)::

    digital    each tile's outputs go through converters of their own, and the partial sums are added digitally
    count      the same, each partial sum rounded to a whole number of counts first: the current of an input of one at
               a weight of one, as `calibrated` finds it in each tile. Exact for inputs of 0 and 1 and weights of +1
               and -1, whatever the converters' step, as long as all errors of a partial sum stay below half a count
    majority   a comparator at each pair of columns of each tile and no converter: +1 where the partial sum exceeds its
               middle, else -1; the output is the sum of the votes, each a count. The middle is half the sum of the
               signs of the weights, between two counts: where rows are 0 and 1, b, the vote is then the sign of
               sum (2 b - 1) w, a tie -1
    analog     the bit lines of the Tr tiles are joined: one readout and one converter for all

`count`, `majority` and `analog` are this kit's own (Tang et al., ASP-DAC 2017, ask how a binary matrix is split; only
the abstract was read). In `analog` each tile keeps its own line end in the wires' model; the readout sees the sum of
their currents. Backward reads are digital; with comparators there are none.

Spare rows and columns of the last tiles are cells at the table's lowest conductance: they are never driven and their
currents are dropped, but they load the wires as real cells do.
"""

from dataclasses import dataclass, replace
from typing import Self

from rramkit.array.backend import Array, as_array, like, namespace
from rramkit.array.conversions import Conversions
from rramkit.array.layout import Cut, Layout
from rramkit.array.partial_sums import gain_of_counts, joined, merged
from rramkit.array.periphery import Periphery
from rramkit.array.read import Reading
from rramkit.array.read_model import ReadModel
from rramkit.array.rng import Rng
from rramkit.array.tile import Tile, unbatched
from rramkit.array.tiling import cut_up, side_by_side, summed, tile_size
from rramkit.array.voltages import laid_out
from rramkit.array.windows import Windows
from rramkit.errors import InputError


@dataclass(frozen=True, repr=False)
class TileGrid:
    """Tiles (Tr, Tc) that hold the pairs (2, N, M) of one matrix; build it with `TileGrid.of`.

    Attributes
    ----------
    tiles : Tile
        The arrays, with the leading axes (Tr, Tc).
    rows, pairs : int
        N and M.
    i_count : float
        Current of an input of one at a weight of one (A), for merges that count; 0: none.
    joint : Periphery or None
        What senses joined bit lines, (1, Tc).
    gain : float or array
        Current of a count in each tile over `i_count` (1), which lines and switches make smaller: (Tr, Tc, 1, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.array import ArrayModel
    >>> from rramkit.table.example import example
    >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
    >>> grid
    TileGrid(100 x 10 pairs on 2 x 1 tiles of 50 x 10)
    >>> grid.read(np.full(100, 0.1)).shape
    (10,)
    """

    tiles: Tile
    rows: int
    pairs: int
    i_count: float = 0.0
    joint: Periphery | None = None
    gain: float | Array = 1.0
    __array_ufunc__ = None  # NumPy leaves `v @ grid` to `__rmatmul__`

    @classmethod
    def of(
        cls,
        g_cell: Array,
        model: ReadModel,
        *,
        largest: tuple[int, int] | None = None,
        i_count: float = 0.0,
        rng: Rng | None = None,
    ) -> Self:
        """Build from conductances.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens: plus and minus halves (2, N, M), or single-ended columns (1, N, M) or (N, M).
        model : ReadModel
            What every tile shares.
        largest : tuple of int, optional
            Rows and physical columns (two a pair) of the largest array; left out, that of the model.
        i_count : float
            Current of an input of one at a weight of one (A), for the merges `count` and `majority`.
        rng : TileRng or Generator, optional
            Draws what differs from tile to tile; a `TileRng` must have the shape (Tr, Tc).

        Returns
        -------
        TileGrid
            The arrays.

        Raises
        ------
        InputError
            When the shape or a value does not fit, `rng` is missing, or the chain's merge counts without `i_count` or
            without pairs.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid.shape
        (2, 1)
        """
        g_cell = as_array(g_cell, "g_cell")
        g_cell = g_cell[None] if g_cell.ndim == 2 else g_cell
        if g_cell.ndim != 3 or g_cell.shape[0] not in (1, 2):
            raise InputError(
                "`g_cell` must be (2, N, M) in siemens, plus and minus, or single-ended (1, N, M) or (N, M); "
                f"got {tuple(g_cell.shape)}. Reshape it."
            )
        size, merge, counts = tile_size(g_cell, model, largest), model.chain.merge, model.chain.counts
        rows, pairs = (int(lines) for lines in g_cell.shape[1:])
        if counts and (i_count <= 0.0 or g_cell.shape[0] != 2):
            raise InputError(
                f"`i_count` must be the current of one count, above 0 A, of pairs for the merge {merge}; got "
                f"{i_count:g} A, {g_cell.shape[0]} half. Pass it, or set `read.merge` to digital or analog."
            )
        tiles = Tile.of(cut_up(g_cell, size, float(model.cells.g_grid[0])), model, rng=rng)
        joint = joined(tiles, rng=rng) if merge == "analog" else None
        return cls(tiles, rows, pairs, i_count if counts else 0.0, joint)

    @staticmethod
    def shape_of(g_cell: Array, model: ReadModel, *, largest: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return the number of tiles (Tr, Tc) that `of` would cut: the shape of the `TileRng` that it takes.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens (2, N, M) or (1, N, M).
        model : ReadModel
            What every tile shares.
        largest : tuple of int, optional
            Rows and physical columns of the largest array; left out, that of the model.

        Returns
        -------
        tuple of int
            Tiles down and across (Tr, Tc).

        Raises
        ------
        InputError
            When `largest` holds no pair.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> TileGrid.shape_of(np.full((2, 100, 10), 20e-6), grid.model, largest=(64, 10))
        (2, 2)
        """
        size = tile_size(g_cell, model, largest)
        return -(-int(g_cell.shape[1]) // size[0]), -(-int(g_cell.shape[2]) // size[1])

    def programmed(self, g_cell: Array) -> Self:
        """Return this grid with other conductances (2, N, M) in siemens and the same periphery.

        Parameters
        ----------
        g_cell : array
            Conductances in siemens, in the shape of the present ones.

        Returns
        -------
        TileGrid
            The grid.

        Raises
        ------
        InputError
            When the shape or a value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> float(grid.programmed(2.0 * grid.g_cell).g_cell.max())
        4e-05
        """
        g_cell = as_array(g_cell, "g_cell")
        wanted = (int(self.tiles.g_cell.shape[-3]), self.rows, self.pairs)
        if tuple(g_cell.shape) != wanted:
            raise InputError(f"`g_cell` must be {wanted} in siemens; got {tuple(g_cell.shape)}. Reshape it.")
        size = tuple(int(side) for side in self.tiles.g_cell.shape[-2:])
        return replace(self, tiles=self.tiles.programmed(cut_up(g_cell, size, float(self.model.cells.g_grid[0]))))

    def without_cache(self) -> Self:
        """Return this grid as if built from its cells, with the same periphery: what a checkpoint restores.

        Returns
        -------
        TileGrid
            The grid without read operators of before.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid.without_cache().tiles.read_cache is None
        True
        """
        return replace(self, tiles=self.tiles.without_cache())

    @property
    def model(self) -> ReadModel:
        """What every tile shares."""
        return self.tiles.model

    @property
    def shape(self) -> tuple[int, int]:
        """Tiles down and across, (Tr, Tc)."""
        down, across = self.tiles.shape
        return down, across

    @property
    def tiling(self) -> tuple[int, int, int]:
        """Number of arrays, and rows and physical columns of each."""
        return self.tiles.tiling

    @property
    def clamped(self) -> int:
        """Cells outside the read table."""
        return self.tiles.clamped

    @property
    def g_cell(self) -> Array:
        """Conductances (2, N, M) in siemens."""
        xp, (down, across, halves, rows, pairs) = namespace(self.tiles.g_cell), self.tiles.g_cell.shape
        whole = xp.permute_dims(self.tiles.g_cell, (2, 0, 3, 1, 4)).reshape(halves, down * rows, across * pairs)
        return whole[:, : self.rows, : self.pairs]

    def read(self, v: Array, *, rng: Rng | None = None) -> Array:
        """Return the currents of a forward read: `forward(v).i`.

        Parameters
        ----------
        v : array
            Signed voltages of the N rows in volts, (N,) or (B, N).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.

        Returns
        -------
        array
            Currents (M,) or (B, M) in amperes.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid.read(np.full((4, 100), 0.1)).shape
        (4, 10)
        """
        return self.forward(v, rng=rng).i

    def __matmul__(self, v: Array) -> Array:
        return self.read(v)

    def __rmatmul__(self, v: Array) -> Array:
        return self.read(v)

    def __call__(self, v: Array, *, rng: Rng | None = None) -> Array:
        """Return the currents of a forward read: `read`.

        Parameters
        ----------
        v : array
            Signed voltages of the N rows in volts, (N,) or (B, N).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.

        Returns
        -------
        array
            Currents (M,) or (B, M) in amperes.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid(np.full(100, 0.1)).shape
        (10,)
        """
        return self.read(v, rng=rng)

    def __repr__(self) -> str:
        rows, cols = (int(size) for size in self.tiles.g_cell.shape[-2:])
        kind = "pairs" if self.tiles.paired else "single-ended cells"
        down, across = self.shape
        return f"TileGrid({self.rows} x {self.pairs} {kind} on {down} x {across} tiles of {rows} x {cols})"

    def forward(
        self,
        v: Array,
        *,
        rng: Rng | None = None,
        windows: Windows | None = None,
        conversions: Conversions | None = None,
    ) -> Reading:
        """Drive the N rows; sense the currents of the M pairs.

        Parameters
        ----------
        v : array
            Signed voltages of the N rows in volts, (N,) or (B, N).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.
        windows : Windows, optional
            Kernel, stride and padding of a convolution; `v` is then images (C', H, W, B').
        conversions : Conversions, optional
            What is converted, as for `Tile.forward`.

        Returns
        -------
        Reading
            Currents (B, M), or (M,) for one vector, in amperes, energy, time and counts.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid.forward(np.full((4, 100), 0.1)).i.shape
        (4, 10)
        """
        v, layout, single = self._laid_out(v, windows, backward=False)
        cut = conversions and conversions.cut(self.shape[1], int(self.tiles.g_cell.shape[-1]))
        reading = self.tiles.sensed(v, layout, backward=False, rng=rng, joint=self.joint, conversions=cut)
        i = summed(merged(reading.i, self.tiles, i_count=self.i_count, gain=self.gain), axis=0)
        return unbatched(replace(reading, i=side_by_side(i, self.pairs)), single=single)

    def backward(self, v: Array, *, rng: Rng | None = None) -> Reading:
        """Drive the bit lines of the M pairs; sense the currents of the N rows: the transposed read.

        Parameters
        ----------
        v : array
            Signed voltages in volts, (M,) or (B, M).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.

        Returns
        -------
        Reading
            Currents (B, N), or (N,) for one vector, in amperes, energy, time and counts.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example()))
        >>> grid.backward(np.full((4, 10), 0.1)).i.shape
        (4, 100)
        """
        if self.model.chain.merge == "majority":
            raise InputError(
                "`read.merge` majority has comparators and no converter, so that bit lines cannot be read backward. "
                'Take a rule whose errors go back digitally (`rule.backward = "digital"`), or another merge.'
            )
        v, layout, single = self._laid_out(v, None, backward=True)
        reading = self.tiles.sensed(v, layout, backward=True, rng=rng)
        return unbatched(replace(reading, i=side_by_side(summed(reading.i, axis=1), self.rows)), single=single)

    def parts(self, v: Array, *, rng: Rng | None = None) -> Array:
        """Drive the N rows; return the currents of each row of tiles, before they are added.

        Parameters
        ----------
        v : array
            Signed voltages of the N rows in volts (B, N).
        rng : TileRng or Generator, optional
            Draws the noise; needed where the read chain is noisy.

        Returns
        -------
        array
            Currents (Tr, B, M) in amperes.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or `rng` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel
        >>> from rramkit.table.example import example
        >>> TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example())).parts(np.full((4, 100), 0.1)).shape
        (2, 4, 10)
        """
        v, layout, _ = self._laid_out(v, None, backward=False)
        i = self.tiles.sensed(v, layout, backward=False, rng=rng).i
        return namespace(i).stack([side_by_side(i[row], self.pairs) for row in range(self.shape[0])])

    def calibrated(
        self, v: Array, *, backward: bool = False, margin: float = 1.0, windows: Windows | None = None
    ) -> Self:
        """Return this grid with ADCs calibrated on a batch: see `Tile.calibrated`.

        Parameters
        ----------
        v : array
            Signed voltages in volts, (B, N) forward or (B, M) backward; with `windows`, images (C', H, W, B').
        backward : bool
            Whether the bit lines are driven.
        margin : float
            Full scale over the largest current of the batch (1).
        windows : Windows, optional
            Kernel, stride and padding of a convolution.

        Returns
        -------
        TileGrid
            The grid with calibrated ADCs.

        Raises
        ------
        InputError
            When no stage of the read chain has a range to measure, or the shape or a value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array import ArrayModel, ReadChain
        >>> from rramkit.table.example import example
        >>> chain = ReadChain.checked({"adc": {"bits": 6}}, where="example")
        >>> grid = TileGrid.of(np.full((2, 100, 10), 20e-6), ArrayModel(example(), chain=chain))
        >>> grid.calibrated(np.full((4, 100), 0.1))
        TileGrid(100 x 10 pairs on 2 x 1 tiles of 50 x 10)
        """
        v, layout, _ = self._laid_out(v, windows, backward=backward)
        if self.joint is not None and not backward:
            return replace(self, joint=self.tiles.ranged(v, layout, backward=False, margin=margin, joint=self.joint))
        gain = self.gain
        if self.model.chain.merge == "count" and not backward:
            gain = gain_of_counts(self.tiles, v, layout, i_count=self.i_count)
        return replace(self, tiles=self.tiles.calibrated_as(v, layout, backward=backward, margin=margin), gain=gain)

    def _laid_out(self, v: Array, windows: Windows | None, *, backward: bool) -> tuple[Array, Layout, bool]:
        """Check the shape of voltages; return them as the tiles' kind of array, their layout, whether one vector."""
        lines, letter = (self.pairs, "M") if backward else (self.rows, "N")
        v, inner, single = laid_out(v, windows, letter=letter, lines=lines)
        axis = -1 if backward else -2
        layout = Cut(inner, self.shape[1 if backward else 0], int(self.tiles.g_cell.shape[axis]), before=not backward)
        return like(v, self.tiles.g_cell), layout, single
