"""Single-ended columns with one reference column at the middle conductance: w = (g - g_offset) / g_unit.

Half the cells of pairs; errors of the offset column's converter enter every output. Where a matrix takes several tiles
across, each output still subtracts the one offset column. Backward, the offset column is driven with minus the sum of
all columns' voltages, which halves their share of the read voltage or more; this kit's own choice.
"""

from typing import ClassVar, Literal

import numpy as np

from rramkit.array.backend import Array, full, limited, namespace
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.parameters import quantity


class OffsetColumn(Mapping):
    """Real weights, one cell each, and an offset column after the last."""

    halves: ClassVar[int] = 1
    kind: Literal["offset_column"] = quantity("offset_column", "1", "a cell a weight, and one offset column")

    @property
    def g_unit(self) -> float:
        """Conductance that stands for a weight of one (S): half the window is for weights below zero."""
        return 0.5 * self.span / self.w_max

    @property
    def g_offset(self) -> float:
        """Target conductance of the offset column (S)."""
        return 0.5 * sum(self.window)

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the conductances (1, ...) in siemens of weights (...)."""
        return limited(self.g_offset + self.g_unit * weight, *self.window)[None]

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) of conductances (1, ...) in siemens, were the offset column at its target."""
        return (g_cell[0] - self.g_offset) / self.g_unit

    def targets(self, weight: Array, flips: Array | None = None) -> Array:
        """Return the target conductances (1, N, M + 1) in siemens of a matrix (N, M)."""
        offset = full((1, weight.shape[0], 1), self.g_offset, weight)
        return namespace(weight).concat([super().targets(weight), offset], axis=-1)

    def weight(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the weights (N, M) of conductances (1, N, M + 1) in siemens, the offset column as it is."""
        return (g_cell[0, :, :-1] - g_cell[0, :, -1:]) / self.g_unit

    def weight_at(
        self, g_cell: np.ndarray, rows: np.ndarray, cols: np.ndarray, flips: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the weights (n,) at `rows` and `cols` (n,), the offset column as it is."""
        return (g_cell[0, rows, cols] - g_cell[0, rows, -1]) / self.g_unit

    def cells_known_by(self, rows: np.ndarray, cols: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the cells (n,) of weights at `rows` and `cols` (n,), and those of the offset column in their rows."""
        touched = np.unique(rows)
        offset = np.ravel_multi_index((np.zeros_like(touched), touched, np.full_like(touched, shape[-1] - 1)), shape)
        return np.concatenate([super().cells_known_by(rows, cols, shape), offset])

    def changes(self, g_cell: np.ndarray, change: np.ndarray, flipped: np.ndarray | None = None) -> np.ndarray:
        """Return the wanted change (1, n) in siemens of cells of weights that should change by (n,)."""
        return (change * self.g_unit)[None]

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return column currents (B, M) less the offset column's."""
        i = read(v)
        return i[:, :-1] - i[:, -1:]

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return row currents (B, N): columns and offset column in one read, scaled so that none exceeds `v_max`."""
        xp = namespace(v)
        driven = xp.concat([v, -v.sum(axis=-1)[:, None]], axis=-1)
        top = xp.max(xp.abs(driven), axis=-1, keepdims=True)
        scale = limited(top / v_max, 1.0, float("inf"))
        return scale * read(driven / scale)
