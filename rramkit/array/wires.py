r"""The fast model of an array's wires: what the lines between the cells take from each cell's current.

Topology: source - r_drive - first row node (j = 0) - r_row to the next node of the row; the column's nodes lie r_col
apart and its last one (i = R - 1) - r_sense - ground; cell (i, j) joins row node and column node.

One volt at row i alone sends the current A_ij = g_eff,ij into column j's sense amplifier. With the resistance that two
cells of a row share on the way from the source, and two cells of a column on the way to ground ::

    P_jm = r_drive + r_row min(j, m)            Q_im = r_sense + r_col (R - 1 - max(i, m))

cell currents e cost the voltages rho = e P along the rows and kappa = Q e along the columns, for unit drive. Three
steps, each with the symbols of the code below:

1. First order, resummed so that it stays positive and is exact for one cell: e = g / (1 + rho(g) + kappa(g)).
2. Loads are themselves attenuated: the fixed point e = g (1 - rho(e) - kappa(e)), by two passes of
   s <- 1 / (1 + (rho(s g) + kappa(s g)) / s), e = s g. Exact for one line with ideal crossing lines.
3. Crosstalk: what row i loses to the other rows through the columns comes back through their drivers and leaves by all
   columns; steps 1 and 2 spread that loss in proportion to e_ij itself. To second order in the resistances::

       A_ij = e_ij + sum_nm e_in P_nj e_mn Q_mi e_mj + e_ij (rho kappa - (e kappa) P - Q (e rho))_ij

   with P and Q cut to their two leading eigenvectors, so that the double sum is eight matrix products.

Against the exact nodal solution, uniform random conductances in [hi / 20, hi]: root-mean-square error of all column
currents over the largest (unsigned inputs), and of the differences of neighbouring columns over the largest (signed
inputs), the worst of six patterns:

====================================  =============  =============  =============  =============
array, ohm a segment and at ends, hi  largest drop   step 1         steps 1, 2     all three
====================================  =============  =============  =============  =============
49 x 20, 1.2 and 60, 90 uS            25 %           0.06, 0.35 %   0.03, 0.33 %   0.006, 0.06 %
65 x 96, 1.2 and 60, 90 uS            51 %           0.96, 2.0 %    0.18, 1.9 %    0.08, 0.74 %
65 x 96, 2.5 and 100, 90 uS           68 %           2.1, 4.4 %     0.40, 4.1 %    0.26, 2.1 %
====================================  =============  =============  =============  =============

(`tests/test_wires.py` holds the last column.) A linear network is reciprocal: the transposed matrix is the backward
read, with the columns driven through r_sense and the rows sensed through r_drive. The cells' own nonlinearity stands in
`cells`, which takes the fraction g_eff / g from here.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from rramkit.errors import InputError, TableError
from rramkit.table import Table

RESISTANCES = ("r_row", "r_col", "r_drive", "r_sense")

_PASSES = 2  # of step 2: a third changes the error of the table above by less than a tenth of it
_MODES = 2  # of step 3: with four the table above stays the same to its digits


@dataclass(frozen=True)
class WireModel:
    """The wires of one table file: four resistances (ohm) and the largest physical array they were checked on."""

    r_row: float
    r_col: float
    r_drive: float
    r_sense: float
    rows_max: int
    cols_max: int

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Read the table `wires`; raise `TableError` when it lacks one of the four."""
        missing = [name for name in RESISTANCES if name not in table.signals]
        if missing:
            raise TableError(f"table `{table.name}` lacks {', '.join(missing)}. Characterise again.")
        return cls(
            **{name: float(table.signals[name]) for name in RESISTANCES},
            rows_max=round(table.condition("rows_max")),
            cols_max=round(table.condition("cols_max")),
        )

    def check(self, rows: int, cols: int) -> None:
        """Raise `InputError` when a physical array is larger than the wires were checked on."""
        if rows > self.rows_max or cols > self.cols_max:
            raise InputError(
                f"a physical array must be at most {self.rows_max} rows x {self.cols_max} columns, as the table "
                f"`wires` was checked; got {rows} x {cols} (a weight takes two columns). "
                "Choose smaller layers, or characterise a larger array."
            )

    def effective(self, g_array: np.ndarray) -> np.ndarray:
        """Return `effective_conductance` of a physical array (..., R, C) with these resistances."""
        return effective_conductance(
            g_array, r_row=self.r_row, r_col=self.r_col, r_drive=self.r_drive, r_sense=self.r_sense
        )


def effective_conductance(g: np.ndarray, *, r_row: float, r_col: float, r_drive: float, r_sense: float) -> np.ndarray:
    """Return the current at the end of each column for one volt on each row, with the wires between.

    Parameters
    ----------
    g : ndarray
        Cell conductances (..., R, C) in siemens, at least 0.
    r_row, r_col : float
        Resistance of a row's and a column's segment between two cells (ohm), at least 0.
    r_drive, r_sense : float
        Resistance of each row's driver and each column's sense amplifier (ohm), at least 0.

    Returns
    -------
    ndarray
        Effective conductances (..., R, C) in siemens; exactly `g` when all four resistances are zero.

    Raises
    ------
    InputError
        When `g` has no rows and columns, or a resistance is negative or not finite.
    """
    g = np.asarray(g, dtype=float)
    resistances = {"r_row": r_row, "r_col": r_col, "r_drive": r_drive, "r_sense": r_sense}
    if g.ndim < 2:
        raise InputError(f"`g` must be (..., R, C) in siemens; got {g.shape}. Add the missing axis.")
    for name, value in resistances.items():
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(f"`{name}` must be at least 0 ohm and finite; got {value!r}. Change it.")
    if not any(resistances.values()):
        return g.copy()
    shared_row, row_modes = _shared(g.shape[-1], float(r_row), float(r_drive))
    shared_col, col_modes = _shared(g.shape[-2], float(r_col), float(r_sense))
    return _attenuated(g, (shared_row, row_modes), (shared_col[::-1, ::-1], col_modes[:, ::-1]))


def _attenuated(g: np.ndarray, row: tuple[np.ndarray, np.ndarray], col: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    (p, row_modes), (q, col_modes) = row, col
    s = 1.0 / (1.0 + g @ p + q @ g)
    for _ in range(_PASSES):
        e = s * g
        s = 1.0 / (1.0 + (e @ p + q @ e) / s)
    e = s * g
    rho, kappa = e @ p, q @ e
    result = e + e * (rho * kappa - (e * kappa) @ p - q @ (e * rho))
    for u in row_modes:
        for w in col_modes:
            between_rows = (e * u) @ np.swapaxes(e * w[:, None], -1, -2)  # sum_n e_in u_n e_mn w_m, (..., R, R)
            result = result + w[:, None] * (between_rows @ (e * u))
    return result


@lru_cache(maxsize=64)
def _shared(nodes: int, r_segment: float, r_end: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the resistance that nodes n and m share with the line's end, (N, N), and its leading modes (M, N)."""
    n = np.arange(nodes)
    shared = r_end + r_segment * np.minimum(n[:, None], n)
    values, vectors = np.linalg.eigh(shared)
    modes = np.ascontiguousarray((vectors * np.sqrt(np.maximum(values, 0.0))).T[::-1][:_MODES])
    for array in (shared, modes):
        array.flags.writeable = False  # they are cached
    return shared, modes
