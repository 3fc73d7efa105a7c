"""The matrices of a network, in memory or in RRAM: each knows its two products, and a gradient in its two factors.

A matrix (R, C) multiplies batches from the left, forward x W and backward e W^T. All that stands between matrices is
digital (`network`), so that a network in RRAM and one in float differ in nothing but the products and the changes of
the weights. The gradient of a matrix is the sum over N samples of the outer products of its inputs and errors; a rule
that writes outer products takes the factors, and one that adds up digitally takes their product.

Scaling to voltages: each vector is divided by its own largest magnitude x_max (in a convolution by that of its whole
image), so that the largest entry drives the full read voltage v_max of its direction, and the currents are multiplied
back::

    y = i x_max / (v_max g_unit)                 g_unit  conductance difference that stands for a weight of one (S)
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.layout import Images, Layout, Vectors
from rramkit.array.products import outer_sum, product, times
from rramkit.array.read import Reading
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.array.windows import Windows


@dataclass(frozen=True)
class Product:
    """The outcome `y` of one matrix product of a batch, the read energy (J) it took and the inputs clamped."""

    y: np.ndarray
    energy: float = 0.0
    clamped: int = 0


@dataclass(frozen=True)
class Samples:
    """The input vectors of one product: `values` (N, R), or images (C, H, W, B) whose N windows are the vectors."""

    values: np.ndarray
    windows: Windows | None = None

    @property
    def layout(self) -> Layout:
        """How the values are laid out as vectors."""
        return Vectors() if self.windows is None else Images(self.windows)

    def rows(self) -> np.ndarray:
        """Return the vectors (N, R)."""
        return self.layout.rows(self.values)

    def scaled(self, largest: float) -> tuple["Samples", np.ndarray]:
        """Return the vectors, `largest` being the top magnitude of each (or of each image), and the factors (N, 1)."""
        axes = (1,) if self.windows is None else (0, 1, 2)
        top = np.max(np.abs(self.values), axis=axes, keepdims=True)
        some = top >= np.finfo(self.values.dtype).tiny  # below, the factor would be no number of this type
        factor = np.where(some, largest / np.where(some, top, 1.0), largest).astype(self.values.dtype)
        scaled = Samples(self.values * factor, self.windows)
        return scaled, factor if self.windows is None else self.windows.spread(factor.ravel(), self.values)


@dataclass(frozen=True)
class Gradient:
    """The derivative of the loss by one matrix (R, C): the `samples` (N, R) and the `errors` (N, C) of its outputs."""

    samples: Samples
    errors: np.ndarray

    @cached_property
    def inputs(self) -> np.ndarray:
        """The inputs (N, R) of the matrix; a convolution's are laid out when first asked for."""
        return self.samples.rows()

    @cached_property
    def weight(self) -> np.ndarray:
        """The derivative (R, C): the sum of the outer products, made when first asked for."""
        return outer_sum(self.samples.layout, self.samples.values, self.errors)


class Matrix(ABC):
    """One matrix (R, C) with its two products."""

    @property
    @abstractmethod
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that is stood for."""

    @abstractmethod
    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W for samples (N, R): (N, C); `rng` draws what noise a read has."""

    @abstractmethod
    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T for errors (N, C): (N, R); `rng` draws what noise a read has."""

    @abstractmethod
    def settled(self) -> "Matrix":
        """Return this matrix as if made anew, without what reads have prepared: what a checkpoint restores."""

    def calibrated(self, x: Samples, *, margin: float) -> "Matrix":
        """Return this matrix, converters' full scale `margin` times the largest current of samples (N, R)."""
        return self  # without converters there is nothing to scale


@dataclass(frozen=True)
class FloatMatrix(Matrix):
    """The reference: a matrix (R, C) in memory and NumPy's product."""

    matrix: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C)."""
        return self.matrix

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W for samples (N, R): (N, C)."""
        return Product(product(x.layout, (x.values,), (self.matrix,)))

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T for errors (N, C): (N, R)."""
        return Product(times(error, self.matrix.T))

    def settled(self) -> "FloatMatrix":
        """Return this very matrix: nothing was prepared."""
        return self


@dataclass(frozen=True)
class TileMatrix(Matrix):
    """A matrix in RRAM.

    Attributes
    ----------
    tile : Tile or TileGrid
        The programmed pairs of cells, in one array or in several.
    g_unit : float
        Conductance difference that stands for a weight of one (S).
    digital : ndarray, optional
        Weights (R, C) in memory that the backward product takes instead of the cells, as in the bulk-switching module
        (arXiv 2305.14547: errors go back through W_FP); left out, the tile is read through its bit lines.
    """

    tile: Tile | TileGrid
    g_unit: float
    digital: np.ndarray | None = None

    @property
    def g_cell(self) -> np.ndarray:
        """Conductances of the pairs (2, R, C) in siemens."""
        return to_numpy(self.tile.g_cell)

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the programmed conductances stand for."""
        return (self.g_cell[0] - self.g_cell[1]) / self.g_unit

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return about x W for samples (N, R), read through the rows: (N, C)."""
        v, unit = x.scaled(self.tile.model.cells.v_forward)
        return self._product(self.tile.forward(v.values, rng=rng, windows=v.windows), unit)

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return about e W^T for errors (N, C), read through the bit lines or from `digital`: (N, R)."""
        if self.digital is not None:
            return Product(times(error, self.digital.T))
        v, unit = Samples(error).scaled(self.tile.model.cells.v_backward)
        return self._product(self.tile.backward(v.values, rng=rng), unit)

    def settled(self) -> "TileMatrix":
        """Return this matrix with its tiles as if made anew."""
        return replace(self, tile=self.tile.without_cache())

    def calibrated(self, x: Samples, *, margin: float) -> "TileMatrix":
        """Return this matrix, the full scale of its converters `margin` times the largest current of samples (N, R)."""
        v, _ = x.scaled(self.tile.model.cells.v_forward)
        return replace(self, tile=self.tile.calibrated(v.values, margin=margin, windows=v.windows))

    def _product(self, reading: Reading, unit: np.ndarray) -> Product:
        y = to_numpy(reading.i).astype(unit.dtype, copy=False)
        y *= 1.0 / (unit * self.g_unit)
        return Product(y, reading.energy, reading.clamped)
