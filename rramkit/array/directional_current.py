"""The cell current in one direction of reads, in as few separable terms as that direction needs.

Both directions together (`cells`) need one term more than each alone: what turns round with the voltage has to be told
apart there. Here, for magnitudes u of the voltage from 0 to the largest of the direction::

    i(g, u) = a_0(g) u + sum_k a_k(g) b_k(u),        b_k(0) = 0,  b_k'(0) = 0  for k > 0

    i  magnitude of the current (A)    g  conductance at the read voltage (S)    u  magnitude of the voltage (V)

the terms beside the linear one being the leading ones of the singular value decomposition of what a straight line
leaves of each curve, as many as keep it within `SEPARATION_LIMIT` of full scale. A linear cell needs none.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.cell_current import SEPARATION_LIMIT, CellCurrent
from rramkit.array.uniform_lut import UniformLut


@dataclass(frozen=True)
class DirectionalCurrent:
    """The separable form of the cell current in one direction.

    Attributes
    ----------
    v_max : float
        Largest voltage (V).
    a_terms : UniformLut
        Terms of the conductance (K,).
    u_grid, b_grid : ndarray
        Voltages (M,) in volts, and the terms (K, M) there, the linear one first; linear in between.
    i_span : tuple of float
        Lowest and highest current of a cell at `v_max` (A).
    """

    v_max: float
    a_terms: UniformLut
    u_grid: np.ndarray
    b_grid: np.ndarray
    i_span: tuple[float, float]

    @classmethod
    def of(cls, cells: CellCurrent, *, backward: bool) -> Self:
        """Separate the forward (rows driven) or the `backward` direction (bit lines driven)."""
        sign = 1.0 if backward else -1.0
        v_grid = np.unique(np.append(cells.v_grid, 0.0))
        u_grid = np.sort(sign * v_grid[sign * v_grid >= 0.0])
        current = sign * cells.a_grid.T @ cells.voltage_terms(sign * u_grid)  # (N, M)
        a_grid, b_grid = _separated(u_grid, current, SEPARATION_LIMIT * float(np.max(np.abs(current))))
        ends = float(current[:, -1].min()), float(current[:, -1].max())
        return cls(float(u_grid[-1]), UniformLut.of(cells.g_grid, a_grid), u_grid, b_grid, ends)

    def conductance_terms(self, g_cell: Array) -> Array:
        """Return a_k at conductances (...) in siemens, as (K, ...); outside the table the edge's value holds."""
        return self.a_terms.at(g_cell)

    def voltage_terms(self, u: np.ndarray) -> np.ndarray:
        """Return b_k at voltages (M',) in volts, as (K, M'); outside the table the edge's value holds."""
        return np.stack([np.interp(u, self.u_grid, term) for term in self.b_grid])


def _separated(u_grid: np.ndarray, current: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return terms (K, N) of the conductance and (K, M) of the voltage whose product is `current` (N, M) to `limit`."""
    unit = u_grid / np.linalg.norm(u_grid)
    along = current @ unit
    left, singular, right = np.linalg.svd(current - along[:, None] * unit, full_matrices=False)
    terms = 0
    while (
        np.max(np.abs(current - along[:, None] * unit - (left[:, :terms] * singular[:terms]) @ right[:terms])) > limit
    ):
        terms += 1
    a_rest, b_rest = (left[:, :terms] * singular[:terms]).T, right[:terms]
    slopes = b_rest[:, 1] / u_grid[1]  # their straight part goes to the linear term
    a_linear = along / np.linalg.norm(u_grid) + slopes @ a_rest
    return np.concatenate([a_linear[None], a_rest]), np.concatenate([u_grid[None], b_rest - slopes[:, None] * u_grid])
