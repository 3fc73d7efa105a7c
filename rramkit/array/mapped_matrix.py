"""A matrix in RRAM: its tiles, its weight mapping, and its two products.

Each vector is scaled so that its largest magnitude x_max drives the full read voltage v_max of its direction (in a
convolution by that of its whole image), and the currents are scaled back::

    y = i x_max / (v_max g_unit)                 g_unit  conductance that stands for a weight of one (S)

With a fixed input range (`x_range`) every vector has the same scale, as drivers without an own scale have; inputs
beyond it are clamped by the tile, and counted.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from rramkit.array import bit_planes
from rramkit.array.backend import Array, as_array, brought, like, namespace, to_numpy
from rramkit.array.conversions import Conversions
from rramkit.array.mapping.bit_serial import BitSerial
from rramkit.array.mapping.conductance_levels import whole
from rramkit.array.mapping.mapping import Mapping
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.matrix import Product, Samples
from rramkit.array.products import times
from rramkit.array.read import Reading
from rramkit.array.read_model import ReadModel
from rramkit.array.rng import Rng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError


@dataclass(frozen=True)
class MappedMatrix:
    """A matrix (N, M) in the cells of an array or of several; `MappedMatrix.of` writes one exactly.

    Attributes
    ----------
    tile : Tile or TileGrid
        The cells.
    mapping : Mapping
        How weights stand in them.
    flips : array or None
        Columns stored as complements, for mappings that have them.
    digital : ndarray, optional
        Weights (N, M) in memory that the backward product takes instead of the cells, as in the bulk-switching module
        (arXiv 2305.14547: errors go back through W_FP); left out, the tile is read through its bit lines.
    x_range : float, optional
        Input that the full read voltage stands for; left out, each vector's own largest magnitude.
    conversion_bits : ndarray of int, optional
        Of bit-serial weights, bits of a conversion at each input bit and column of a weight (m, K), as a first batch
        set them; left out, without loss.
    trims : ndarray, optional
        Of bit-serial weights, currents of each column that its conversion counts by (3, Tr, columns), in amperes, as a
        first batch measured them; left out, as they should be.
    floor : ndarray, optional
        Value of each output (M,) below which it may be any other value below: what a ReLU makes zero.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.array.mapped_matrix import MappedMatrix
    >>> from rramkit.array.mapping import Pairs
    >>> matrix = MappedMatrix.of(weight, Pairs.from_tables(tables), ReadModel.from_tables(tables))  # doctest: +SKIP
    >>> matrix.forward(np.ones((1, 64))).y.shape  # doctest: +SKIP
    (1, 10)
    """

    tile: Tile | TileGrid
    mapping: Mapping
    flips: Array | None = None
    digital: np.ndarray | None = None
    x_range: float | None = None
    conversion_bits: np.ndarray | None = None
    trims: np.ndarray | None = None
    floor: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        weight: Array,
        mapping: Mapping,
        model: ReadModel,
        *,
        x_range: float | None = None,
        largest: tuple[int, int] | None = None,
        rng: Rng | None = None,
    ) -> Self:
        """Map `weight` (N, M) on a grid of tiles, cells at their targets exactly.

        Parameters
        ----------
        weight : array
            Weights (N, M), within the mapping's `w_max`.
        mapping : Mapping
            With its conductance window.
        model : ReadModel
            What every tile shares.
        x_range, largest, rng
            As `x_range` above; as for `TileGrid.of`.

        Raises
        ------
        InputError
            When the weights have another shape or are too large, the mapping has no window, or the chain's merge is
            not for it.
        """
        weight = as_array(weight, "weight")
        if weight.ndim != 2:
            raise InputError(f"`weight` must be (N, M); got {tuple(weight.shape)}. Reshape it.")
        flips = mapping.flips(weight)
        i_count = current_of_count(mapping, model)
        grid = TileGrid.of(mapping.targets(weight, flips), model, largest=largest, i_count=i_count, rng=rng)
        return cls(grid, mapping, flips, x_range=x_range)

    def programmed(self, g_cell: Array, *, digital: np.ndarray | None = None) -> Self:
        """Return this matrix with other conductances (halves, N, columns) in siemens, and the same periphery."""
        return replace(self, tile=self.tile.programmed(g_cell), digital=digital)

    @property
    def g_cell(self) -> Array:
        """Conductances of the cells (halves, N, columns) in siemens."""
        return self.tile.g_cell

    @property
    def tiling(self) -> tuple[int, int, int]:
        """Number of arrays, and rows and physical columns of each."""
        return self.tile.tiling

    @property
    def chain(self) -> ReadChain:
        """Stages of a read."""
        return self.tile.model.chain

    @property
    def _of_columns(self) -> Array | None:
        return self.mapping.of_columns(self.g_cell, self.flips)

    @property
    def weight(self) -> np.ndarray:
        """The matrix (N, M) that the cells stand for."""
        flips = None if self.flips is None else to_numpy(self.flips)
        return self.mapping.weight(to_numpy(self.g_cell), flips)

    def forward(self, x: Samples | Array, *, rng: Rng | None = None) -> Product:
        """Return x W as read through the rows (approximate: device, wires, converters), for N samples: (N, M).

        Raises
        ------
        InputError
            When the inputs do not fit the rows, or the read chain is noisy and `rng` is missing.
        """
        x = self._samples(x)
        if isinstance(self.mapping, BitSerial):
            return self._by_planes(self.mapping, x, rng=rng)
        v_max = self.tile.model.cells.v_forward
        v, unit = self._volts(x, v_max)
        layout, cost = v.windows, _ReadCost()

        def read(volts: Array) -> Array:
            return cost.add(self.tile.forward(volts, rng=rng, windows=layout), volts)

        def total(volts: Array) -> Array:
            return Samples(volts, layout).rows().sum(axis=-1)[:, None]

        i = self.mapping.forward(read, v.values, total=total, v_max=v_max, flips=self._of_columns)
        return cost.product(i, unit * self.mapping.g_unit)

    def backward(self, error: Array, *, rng: Rng | None = None) -> Product:
        """Return e W^T for errors (B, M), read through the bit lines, or from `digital`: (B, N)."""
        if self.digital is not None:
            return Product(times(error, self.digital.T))
        v_max = self.tile.model.cells.v_backward
        v, unit = Samples(error).scaled(v_max)
        cost = _ReadCost()

        def read(volts: Array) -> Array:
            return cost.add(self.tile.backward(volts, rng=rng), volts)

        i = self.mapping.backward(read, v.values, v_max=v_max, flips=self._of_columns)
        return cost.product(i, unit * self.mapping.g_unit)

    def calibrated(self, x: Samples, errors: Array | None = None, *, margin: float) -> Self:
        """Return this matrix, the full scale of its converters `margin` times the largest current of samples (N, R).

        Converters whose range is chosen for each direction take that of backward reads from `errors` (N, M).
        """
        if isinstance(self.mapping, BitSerial):
            forward = self._calibrated_by_planes(self.mapping, x, margin=margin)
            return forward._of_both(errors, margin=margin)
        xp, v_max = namespace(x.values), self.tile.model.cells.v_forward
        v, driven = x.scaled(v_max)[0], []
        columns = int(self.g_cell.shape[-1])

        def record(volts: Array) -> Array:
            driven.append(volts)
            return xp.zeros((total(volts).shape[0], columns), dtype=volts.dtype)

        def total(volts: Array) -> Array:
            return Samples(volts, v.windows).rows().sum(axis=-1)[:, None]

        self.mapping.forward(record, v.values, total=total, v_max=v_max, flips=self._of_columns)
        batch = driven[0] if len(driven) == 1 else xp.concat(driven, axis=0 if v.windows is None else -1)
        forward = replace(self, tile=self.tile.calibrated(batch, margin=margin, windows=v.windows))
        return forward._of_both(errors, margin=margin)

    def calibrated_backward(self, errors: Array, *, margin: float) -> Self:
        """Return this matrix, the full scale of backward reads `margin` times the largest current of errors (N, M)."""
        v_max, driven = self.tile.model.cells.v_backward, []
        v, xp, rows = Samples(errors).scaled(v_max)[0].values, namespace(errors), int(self.g_cell.shape[-2])

        def record(volts: Array) -> Array:
            driven.append(volts)
            return xp.zeros((volts.shape[0], rows), dtype=volts.dtype)

        self.mapping.backward(record, v, v_max=v_max, flips=self._of_columns)
        batch = driven[0] if len(driven) == 1 else xp.concat(driven, axis=0)
        return replace(self, tile=self.tile.calibrated(batch, backward=True, margin=margin))

    def without_cache(self) -> Self:
        """Return this matrix without the operators that reads have prepared, as a checkpoint restores it."""
        return replace(self, tile=self.tile.without_cache())

    def _of_both(self, errors: Array | None, *, margin: float) -> Self:
        """Return this matrix, backward reads calibrated too where converters have a range for each direction."""
        both = errors is not None and self.digital is None and self.tile.model.chain.calibrates_backward
        return self.calibrated_backward(errors, margin=margin) if both else self

    @cached_property
    def _written(self) -> "bit_planes.WrittenDigits":
        """What the digital side knows of bit-serial weights."""
        assert isinstance(self.mapping, BitSerial)
        cells = self.tile.tiles.g_cell if isinstance(self.tile, TileGrid) else self.tile.g_cell
        return bit_planes.WrittenDigits.of(self.mapping, self.g_cell, self.flips, block=int(cells.shape[-2]))

    @property
    def _adc_bits(self) -> int:
        return self.tile.model.chain.adc.bits

    def _by_planes(self, mapping: BitSerial, x: Samples, *, rng: Rng | None) -> Product:
        """Return x W of bit-serial weights, plane by plane."""
        model, cost = self.tile.model, _ReadCost()
        bit_planes.check(mapping, self.conversion_bits, serial=model.chain.row_driver.serial)
        v_max, flips = model.cells.v_forward, None if self.flips is None else to_numpy(self.flips)
        v, unit = self._volts(x, v_max)
        numbers = whole(to_numpy(v.rows()), mapping.x_max / v_max, -mapping.x_max, mapping.x_max)
        bits = self.conversion_bits
        bits = bit_planes.without_loss(mapping, self._written, self._adc_bits) if bits is None else bits
        trims = bit_planes.nominal_trims(mapping, self._written, v_max) if self.trims is None else self.trims
        planes = bit_planes.Planes(mapping, self._written, flips, bits, trims, v_max)

        def read(volts: np.ndarray, conversions: Conversions) -> np.ndarray:
            volts = like(volts, self.g_cell)
            return to_numpy(cost.add(self.tile.forward(volts, rng=rng, conversions=conversions), volts)).astype(float)

        i_step, scale = mapping.levels.g_step * v_max / mapping.x_max, unit * mapping.g_unit
        floor = None
        if mapping.stop and self.floor is not None:
            floor = np.broadcast_to(
                self.floor * to_numpy(as_array(scale, "scale")) / i_step, (len(numbers), len(self.floor))
            )
        return cost.product(like(planes.product(numbers, read, floor) * i_step, v.values), scale)

    def _calibrated_by_planes(self, mapping: BitSerial, x: Samples, *, margin: float) -> Self:
        """Return this matrix, ranges and bits of the conversions of bit-serial weights set by samples (N, R)."""
        v_max, chain = self.tile.model.cells.v_forward, self.tile.model.chain
        rows = to_numpy(self._volts(x, v_max)[0].rows())
        some = bit_planes.some_of(rows)
        numbers = whole(some, mapping.x_max / v_max, -mapping.x_max, mapping.x_max)
        flips = None if self.flips is None else to_numpy(self.flips)
        found = bit_planes.Measured.of(mapping, self._written, flips, numbers)
        tile, bits, sent = self.tile, None, like(found.sent() * v_max, self.g_cell)
        if chain.calibrates:
            tile = tile.calibrated(sent, margin=margin)
        if mapping.calibrates:
            bits = found.bits(bit_planes.without_loss(mapping, self._written, self._adc_bits))
        rng = np.random.default_rng(0)  # of a measurement: its noise is averaged
        parts = tile.parts(sent, rng=rng) if isinstance(tile, TileGrid) else tile.read(sent, rng=rng)[None]
        trims = found.trims(to_numpy(parts).astype(float), v_max)
        return replace(self, tile=tile, conversion_bits=bits, trims=trims)

    def _samples(self, x: Samples | Array) -> Samples:
        if isinstance(x, Samples):
            return x
        values, rows = as_array(x, "x"), int(self.g_cell.shape[-2])
        if values.ndim != 2 or values.shape[1] != rows:
            raise InputError(f"`x` must be (B, N) = (B, {rows}); got {tuple(values.shape)}. Reshape it.")
        return Samples(values)

    def _volts(self, x: Samples, v_max: float) -> tuple[Samples, Array | float]:
        """Return the voltages of inputs, and the volts of an input of one."""
        if self.x_range is None:
            return x.scaled(v_max)
        unit = v_max / self.x_range
        return Samples(x.values * unit, x.windows), unit


def current_of_count(mapping: Mapping, model: ReadModel) -> float:
    """Return the current of an input of one at a weight of one (A), by which the chain's merge counts; 0: it does not.

    Raises
    ------
    InputError
        When the merge is not for the mapping: columns of digits have no counts of weights, and bit-serial weights are
        converted array by array.
    """
    chain = model.chain
    if chain.counts and not isinstance(mapping, Pairs):
        raise InputError(
            f"`mapping.kind` must be pairs with the merge {chain.merge}, which counts weights of +1 and -1; got "
            f"{type(mapping).__name__}. Take pairs, or set `read.merge` to digital."
        )
    if chain.merge == "analog" and isinstance(mapping, BitSerial):
        raise InputError(
            "`read.merge` must be digital with the mapping bit_serial, whose conversions are those of each array; got "
            "analog. Leave it out, or take another mapping."
        )
    return mapping.g_unit * model.cells.v_forward if chain.counts else 0.0


class _ReadCost:
    """Energy (J), time (s) and clamps of the reads of one product, added up while the mapping reads."""

    def __init__(self) -> None:
        self.energy, self.duration, self.clamped = 0.0, 0.0, 0
        self.conversions, self.beyond, self.whole_conversions = 0, 0, 0.0
        self.e_drivers, self.e_sensing = 0.0, 0.0

    def add(self, reading: Reading, volts: Array) -> Array:
        """Count a read; return its currents in the kind and the type of `volts`."""
        self.energy, self.duration = self.energy + reading.energy, self.duration + reading.duration
        self.clamped += reading.clamped
        self.conversions, self.beyond = self.conversions + reading.conversions, self.beyond + reading.beyond
        self.whole_conversions += reading.whole_conversions
        self.e_drivers, self.e_sensing = self.e_drivers + reading.e_drivers, self.e_sensing + reading.e_sensing
        if isinstance(volts, np.ndarray):
            return to_numpy(reading.i).astype(volts.dtype, copy=False)
        return like(reading.i, volts)

    def product(self, i: Array, scale: Array | float) -> Product:
        """Return the product of combined currents `i` over `scale`, in amperes of an output of one."""
        i *= 1.0 / scale
        counts: list[Any] = [self.energy, self.clamped, self.duration, self.conversions, self.beyond]
        counts += [self.e_drivers, self.e_sensing, self.whole_conversions]
        return Product(i, *([brought(each) for each in counts] if isinstance(i, np.ndarray) else counts))
