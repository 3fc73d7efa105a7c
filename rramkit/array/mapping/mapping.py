"""What a mapping is: how weights become cells, inputs become voltages, and currents become numbers again.

A matrix product x W of N rows and M columns takes one or more reads of the same cells (`inputs`), each of a part of the
inputs, and each with a factor that its outcome counts. The cells are columns of pairs or plain columns, more than M of
them where a weight takes several. All that is left, shifting, adding and subtracting, is digital.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from rramkit.array.backend import Array, as_array
from rramkit.array.read_model import ReadModel
from rramkit.array.rng import Rng
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError


@dataclass(frozen=True)
class Product:
    """A product `y` (B, M), and the energy (J), the time (s) and the clamps of the reads that it took."""

    y: Array
    energy: float
    duration: float
    clamped: int


class Mapping(ABC):
    """One way to hold a matrix (N, M) in cells."""

    @abstractmethod
    def to_cells(self, weight: Array) -> Array:
        """Return the conductances (2 or 1, N, columns) in siemens of a matrix (N, M)."""

    def flips(self, weight: Array) -> Array | None:
        """Return 1.0 for each column (columns,) that is stored as its complement, 0.0 for others; None: there are none.

        The cells do not show it: the digital side remembers it.
        """
        return None

    @abstractmethod
    def weight_of(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the matrix (N, M) that conductances (2 or 1, N, columns) stand for."""

    @abstractmethod
    def inputs(self, x: Array) -> Sequence[tuple[float, Array]]:
        """Return the reads of inputs (B, N): the factor of each, and what it drives, -1 to 1 of the full voltage."""

    @abstractmethod
    def from_currents(self, i: Array, driven: Array, flips: Array | None, *, v_max: float) -> Array:
        """Return what one read says (B, M).

        Parameters
        ----------
        i : array
            Currents (B, columns) in amperes.
        driven : array
            What the read drove (B, N), from -1 to 1 of `v_max` (V).
        flips : array or None
            What `flips` gave for the matrix.
        """

    def finished(self, y: Array, x: Array) -> Array:
        """Return the product (B, M) from the sum of the reads; `x` (B, N) are the inputs."""
        return y


@dataclass(frozen=True)
class MappedMatrix:
    """A matrix in cells on a grid of tiles; make it with `MappedMatrix.of`.

    Attributes
    ----------
    mapping : Mapping
        How it is held.
    grid : TileGrid
        The cells.
    flips : array or None
        Which columns are stored as complements.
    """

    mapping: Mapping
    grid: TileGrid
    flips: Array | None

    @classmethod
    def of(
        cls,
        weight: Array,
        mapping: Mapping,
        model: ReadModel,
        *,
        largest: tuple[int, int] | None = None,
        rng: Rng | None = None,
    ) -> Self:
        """Map `weight` (N, M) exactly; `largest` and `rng` as for `TileGrid.of`."""
        weight = as_array(weight, "weight")
        if weight.ndim != 2:
            raise InputError(f"`weight` must be (N, M); got {tuple(weight.shape)}. Reshape it.")
        grid = TileGrid.of(mapping.to_cells(weight), model, largest=largest, rng=rng)
        return cls(mapping, grid, mapping.flips(weight))

    def programmed(self, g_cell: Array) -> Self:
        """Return this matrix with the conductances that its cells came out at (2 or 1, N, columns), in siemens."""
        return replace(self, grid=self.grid.programmed(g_cell))

    @property
    def weight(self) -> Array:
        """The matrix (N, M) that the cells stand for."""
        return self.mapping.weight_of(self.grid.g_cell, self.flips)

    def forward(self, x: Array, *, rng: Rng | None = None) -> Product:
        """Return about x W for inputs (B, N): (B, M)."""
        x, v_max = as_array(x, "x"), self.grid.model.cells.v_forward
        if x.ndim != 2 or x.shape[1] != self.grid.rows:
            raise InputError(f"`x` must be (B, N) = (B, {self.grid.rows}); got {tuple(x.shape)}. Reshape it.")
        y, energy, duration, clamped = None, 0.0, 0.0, 0
        for factor, driven in self.mapping.inputs(x):
            reading = self.grid.forward(driven * v_max, rng=rng)
            part = factor * self.mapping.from_currents(reading.i, driven, self.flips, v_max=v_max)
            y = part if y is None else y + part
            energy, duration = energy + reading.energy, duration + reading.duration
            clamped += reading.clamped
        if y is None:
            raise InputError("`x` must hold at least one input that differs from zero in its range. Change it.")
        return Product(self.mapping.finished(y, x), energy, duration, clamped)
