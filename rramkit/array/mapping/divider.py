"""Columns as voltage dividers, as in RRAM-ACU: a load at the foot of each column, its voltage the output.

A column of cells g_kj from rows at V_k, with the load g_s to ground and nothing else at its foot, settles at

    V_j = sum_k c_kj V_k,    c_kj = g_kj/(g_s + sum_k g_kj)

exactly, where cells are linear. Every coefficient of a column depends on all of its cells; the inverse is

    g_kj = g_s c_kj/(1 - sum_k c_kj),    which needs sum_k c_kj < 1 and a g_kj within the window.

(FOUND: that RRAM-ACU maps weights to states so, ISLPED 2013 and TCAD 2015; both formulas are derived here, their texts
were not available.) A weight takes two such columns, w = (c_plus - c_minus)/c_unit, as

    c_plus = c_0 + c_unit max(w, 0)/w_max,    c_minus = c_0 + c_unit max(-w, 0)/w_max

With N rows, c_0 = g_low/(g_s + N g_low) is the coefficient of a column whose cells are all at the lowest conductance,
and c_unit is the largest with which a column whose magnitudes add up to `column_sum` still fits the window:

    c_unit = g_s (g_high - g_low)/((g_s + N g_low) (g_s + g_high column_sum))

Reads. The kit's readouts hold the foot of a column at a virtual ground and give its current, sum_k g_kj V_k; over
g_s + sum_k g_kj, of the cells as they are, that is the divider's voltage. Bent cells are bent as at the virtual ground.
Backward, each column is driven by its share of the read voltage, which gives the product with the same coefficients.

Weights change by whole matrices: a rule must hand over all of one at once (`write_verify`).
"""

from typing import ClassVar, Literal

import numpy as np

from rramkit.array.backend import Array, both, counted, full, limited, namespace
from rramkit.array.mapping.mapping import Mapping, Read, Total
from rramkit.errors import InputError
from rramkit.parameters import quantity


class Divider(Mapping):
    """Real weights, each a cell in two columns with a load.

    Examples
    --------
    >>> import numpy as np
    >>> divider, w = Divider(g_low=4e-6, g_high=80e-6, column_sum=1.5), np.array([[1.0, -0.25], [-0.5, 0.75]])
    >>> cells = divider.targets(w)
    >>> bool(np.all((cells > 3.9e-6) & (cells < 80.1e-6)))
    True
    >>> divider.weight(cells).round(12)
    array([[ 1.  , -0.25],
           [-0.5 ,  0.75]])
    """

    halves: ClassVar[int] = 1
    by_weight: ClassVar[bool] = False
    kind: Literal["divider"] = quantity("divider", "1", "two columns with a load a weight, each a voltage divider")
    load: float = quantity(4.0, "1", "conductance of the load over the highest of a cell", gt=0.0, le=1e4)
    column_sum: float = quantity(
        2.0, "1", "largest sum of magnitudes of one sign in a column, over the largest weight", gt=0.0, le=1e4
    )

    @property
    def cells_per_half(self) -> int:
        """Cells of a weight: plus and minus."""
        return 2

    @property
    def g_unit(self) -> float:
        """Conductance that stands for a weight of one (S): the span, to which reads are scaled."""
        return self.span / self.w_max

    @property
    def g_load(self) -> float:
        """Conductance of the load (S)."""
        return self.load * self.window[1]

    def c_unit(self, rows: int) -> float:
        """Return the coefficient of the largest weight, beyond that of none, in columns of so many rows (1)."""
        (low, high), load = self.window, self.g_load
        return load * self.span / ((load + rows * low) * (load + high * self.column_sum))

    def c_none(self, rows: int) -> float:
        """Return the coefficient of a weight of zero in columns of so many rows (1)."""
        return self.window[0] / (self.g_load + rows * self.window[0])

    def conductances(self, coefficients: Array) -> Array:
        """Return the conductances whose columns divide by given coefficients: the exact inverse.

        Parameters
        ----------
        coefficients : array
            Coefficients (..., N, columns), positive (1).

        Returns
        -------
        array
            Conductances (..., N, columns) in siemens.

        Raises
        ------
        InputError
            When a column's coefficients add up to 1 or more, or a conductance is beyond the window.

        Examples
        --------
        >>> import numpy as np
        >>> divider = Divider(g_low=4e-6, g_high=80e-6, load=1.0)
        >>> divider.conductances(np.array([[0.2], [0.3]])).round(9)
        array([[3.2e-05],
               [4.8e-05]])
        """
        xp, (low, high) = namespace(coefficients), self.window
        total = coefficients.sum(axis=-2)
        fullest = float(xp.max(total))
        if not fullest < 1.0:
            raise InputError(
                f"`coefficients` of a column must add up to less than 1; got {fullest:.4g} in column "
                f"{int(xp.argmax(xp.reshape(total, (-1,))))}. Scale the weights down, or raise `load`."
            )
        g_cell = self.g_load * coefficients / (1.0 - total[..., None, :])
        lowest, highest = float(xp.min(g_cell)), float(xp.max(g_cell))
        if not (lowest >= low * (1.0 - 1e-6) and highest <= high * (1.0 + 1e-6)):  # rounding of float32
            raise InputError(
                f"`coefficients` must take conductances within {low:.4g} to {high:.4g} S; they take {lowest:.4g} to "
                f"{highest:.4g} S. Scale the weights, or raise `column_sum`."
            )
        return limited(g_cell, low, high)

    def coefficients(self, g_cell: Array) -> Array:
        """Return the coefficients (..., N, columns) of conductances (..., N, columns) in siemens (1)."""
        return g_cell / (self.g_load + g_cell.sum(axis=-2))[..., None, :]

    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Refuse: a conductance depends on all weights of a column (`targets`)."""
        raise _whole()

    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Refuse: a weight depends on all conductances of its columns (`weight`)."""
        raise _whole()

    def changes(self, g_cell: np.ndarray, change: np.ndarray, flipped: np.ndarray | None = None) -> np.ndarray:
        """Refuse, as `encode`."""
        raise _whole()

    def targets(self, weight: Array, flips: Array | None = None) -> Array:
        """Return the target conductances (1, N, 2 M) in siemens of a matrix (N, M).

        Raises
        ------
        InputError
            When a column's weights of one sign add up to more than fits (`column_sum`).
        """
        self._check(weight)
        xp, rows = namespace(weight), int(weight.shape[0])
        parts = limited(xp.stack([weight, -weight]), 0.0, float("inf")) / self.w_max
        return self.conductances(self._as_columns(self.c_none(rows) + self.c_unit(rows) * parts))

    def weight(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the matrix (N, M) that conductances (1, N, 2 M) in siemens stand for."""
        plus, minus = self._as_digits(self.coefficients(g_cell))
        return (plus - minus) * (self.w_max / self.c_unit(int(g_cell.shape[-2])))

    def weight_at(
        self, g_cell: np.ndarray, rows: np.ndarray, cols: np.ndarray, flips: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the weights (n,) at `rows` and `cols` (n,)."""
        return self.weight(g_cell)[rows, cols]

    def cells_known_by(self, rows: np.ndarray, cols: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the cells (n,) of all columns that hold a weight in `cols`."""
        columns = np.unique(np.concatenate([2 * cols, 2 * cols + 1]))
        return np.ravel_multi_index((np.zeros((), int), np.arange(shape[1])[:, None], columns), shape).ravel()

    def limited(self, weight: np.ndarray, *, live: Array | None = None) -> tuple[np.ndarray, Array | int]:
        """Return a matrix (N, M) clipped to what columns can give, and how many `live` weights that changed.

        Weights of one sign that add up to more than `column_sum` in their column are scaled down together.
        """
        clipped = np.clip(weight, -self.limit, self.limit)
        most = self.column_sum * self.w_max
        for side in (1.0, -1.0):
            sums = np.sum(np.maximum(side * clipped, 0.0), axis=0)
            scale = most / np.maximum(sums, most)
            clipped = np.where(side * clipped > 0.0, clipped * scale, clipped).astype(weight.dtype, copy=False)
        return clipped, counted(both(live, clipped != weight))

    def of_columns(self, g_cell: Array, flips: Array | None) -> Array:
        """Return what makes a column's current its divider's voltage, in currents of `g_unit` (columns,) (1)."""
        total = self.g_load + g_cell[0].sum(axis=-2)
        return self.g_unit * self.w_max / (self.c_unit(int(g_cell.shape[-2])) * total)

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return the currents (B, M) that stand for differences of dividers; `flips` as `of_columns` gives them."""
        assert flips is not None
        i = read(v) * flips
        return i[:, 0::2] - i[:, 1::2]

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the currents (B, N): each column driven by its share, the largest by the whole voltage."""
        assert flips is not None
        most = float(namespace(flips).max(flips))
        driven = full((v.shape[0], 2 * v.shape[1]), 0.0, v)
        driven[:, 0::2], driven[:, 1::2] = v * (flips[0::2] / most), -v * (flips[1::2] / most)
        return read(driven) * most


def _whole() -> InputError:
    return InputError(
        '`mapping.kind` = "divider" writes whole matrices: a conductance depends on all weights of its column. Take '
        '`rule.kind = "write_verify"`.'
    )
