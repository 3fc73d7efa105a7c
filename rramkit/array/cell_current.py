"""Cell current: low-rank separation of i(g, v), so that an array is read by matrix products.

The table's current is a linear part and a sum of separable terms::

    i(g, v) = a_0(g) v + sum_k a_k(g) b_k(v)

    i  cell current (A)    g  conductance at the read voltage (S)    v  voltage across the cell (V)
    a_0  conductance at 0 V (S)

An array read is then a few matrix products instead of one look-up for each cell and vector: i_j = sum_k sum_i b_k(v_i)
a_k(g_ij). The further terms are the leading ones of the singular value decomposition of the remainder, the best
approximation of their rank (Eckart and Young 1936); as many as keep every grid point within
`SEPARATION_LIMIT` of full scale. A linear cell needs none.

Wires. A cell of linear conductance a_0 behind wires gets the fraction s of its line's voltage (`wires`). The remainder
is odd in v and of third order (a sinh), so it falls as s^3: two attenuations, and still one matrix product a term.
Against ngspice, 1T1R arrays of up to 65 x 96: 0.5 % rms of full scale with s for all terms, 0.1 % with s and s^3
(docs/results.md).

Sign. v is bit line less source line, and rows are source lines. Lines that rest at ground are driven up: v < 0 is the
forward read (row driven), v > 0 the backward read (bit line driven). Lines that rest at a voltage (condition `v_rest`
of the table) are pulled down from it: v > 0 is the forward read, v < 0 the backward one.

One direction (`DirectionalCurrent`). Both directions together need one term more than each alone. For magnitudes u of
the voltage from 0 to the largest of the direction::

    i(g, u) = a_0(g) u + sum_k a_k(g) b_k(u),        b_k(0) = 0,  b_k'(0) = 0  for k > 0

    i  magnitude of the current (A)    g  conductance at the read voltage (S)    u  magnitude of the voltage (V)

the further terms being the leading ones of the singular value decomposition of what a straight line leaves of each
curve, as many as keep it within `SEPARATION_LIMIT` of full scale. A linear cell needs none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array.backend import Array, counted, is_tensor, namespace
from rramkit.array.uniform_lut import UniformLut
from rramkit.errors import InputError, TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table
from rramkit.table.schema import READ

SEPARATION_LIMIT = 1e-4
"""Largest error of the sum of terms over the table's largest current (1): a fifth of that of resampling."""

_ROUNDING = 1e-9  # of a voltage (1): of decimals in binary numbers


@dataclass(frozen=True)
class CellCurrent:
    """The separable form of one read table; the only reader of the table `read`.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> cells = CellCurrent.from_table(example()["read"])
    >>> cells.v_forward, cells.v_backward
    (0.2, 0.2)

    Attributes
    ----------
    g_grid, v_grid : ndarray
        Conductance (N,) in siemens and voltage (M,) in volts of the terms; linear in between.
    a_grid, b_grid : ndarray
        Terms (K, N) and (K, M), the linear one first; the product of two is in amperes.
    v_rest : float
        Voltage (V) that the lines rest at and are pulled down from; 0: they are driven up from ground.
    """

    g_grid: np.ndarray
    v_grid: np.ndarray
    a_grid: np.ndarray
    b_grid: np.ndarray
    v_rest: float = 0.0

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Separate the signal `i_cell` of a read table.

        Parameters
        ----------
        table : Table
            Table `read`: `i_cell` (A) over `g_cell` (S) and `v_cell` (V), which reaches below and above 0 V.

        Returns
        -------
        CellCurrent
            The current as a sum of products of a function of the conductance and one of the voltage.

        Raises
        ------
        TableError
            When the table lacks a direction, or a current that is zero or flows against its voltage.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> CellCurrent.from_table(example()["read"]).g_grid[[0, -1]]
        array([4.e-06, 9.e-05])
        """
        g_grid, v_grid, current = GridSurrogate(table, READ.i_cell).fine_grid()
        if v_grid[0] >= 0.0 or v_grid[-1] <= 0.0:
            raise TableError(
                f"axis `{table.name}/v_cell` must reach from below 0 V to above, one for each read direction; "
                f"got {v_grid[0]:g} to {v_grid[-1]:g} V. Regenerate it with both directions."
            )
        if np.any(current * np.sign(v_grid) < 0) or not np.all(np.any(current, axis=1)):
            raise TableError(
                f"`{table.name}/i_cell` must flow in the direction of its voltage at every conductance; it does not. "
                "Regenerate it with `rramkit characterize`."
            )
        slope = _slope_at_zero(v_grid, current)
        rest = current - slope[:, None] * v_grid
        left, singular, right = np.linalg.svd(rest, full_matrices=False)
        terms, limit = 0, SEPARATION_LIMIT * np.max(np.abs(current))
        while np.max(np.abs(rest - (left[:, :terms] * singular[:terms]) @ right[:terms])) > limit:
            terms += 1
        a_grid = np.concatenate([slope[None], (left[:, :terms] * singular[:terms]).T])
        v_rest = table.condition(READ.v_rest) if READ.v_rest in table.conditions else 0.0
        return cls(g_grid, v_grid, a_grid, np.concatenate([v_grid[None], right[:terms]]), v_rest)

    def sign(self, *, backward: bool) -> float:
        """Return the sign of the cell's voltage in a read direction."""
        return 1.0 if backward == (self.v_rest <= 0.0) else -1.0

    @property
    def v_forward(self) -> float:
        """Largest magnitude that a row may be driven with (V)."""
        return self._largest(backward=False)

    @property
    def v_backward(self) -> float:
        """Largest magnitude that a bit line may be driven with (V)."""
        return self._largest(backward=True)

    def _largest(self, *, backward: bool) -> float:
        sign = self.sign(backward=backward)
        return float(np.max(sign * self.v_grid))

    def up_to(self, v: float) -> Self:
        """Return the current for lines that are driven with at most `v` volts, in both directions.

        Parameters
        ----------
        v : float
            Largest magnitude of a line's voltage (V), above 0.

        Returns
        -------
        CellCurrent
            The same currents at the voltages that are left.

        Raises
        ------
        InputError
            When the table does not reach `v`.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> CellCurrent.from_table(example()["read"]).up_to(0.1).v_forward
        0.1
        """
        most = min(self.v_forward, self.v_backward)
        if not 0.0 < v <= most * (1.0 + _ROUNDING):
            raise InputError(
                f"`mapping.v_read` must be above 0 and at most {most:g} V, which the table `{READ.group}` reaches; got "
                f"{v:g} V. Lower it, or characterise with a larger `read.v_max`."
            )
        inside = self.v_grid[np.abs(self.v_grid) < v * (1.0 - _ROUNDING)]
        v_grid = np.concatenate([[-v], inside, [v]])
        return replace(self, v_grid=v_grid, b_grid=self.voltage_terms(v_grid))

    def conductance_terms(self, g_cell: Array) -> Array:
        """Return a_k at conductances (...) in siemens, as (K, ...); outside the table the edge's value holds."""
        return self._even.at(g_cell)

    def linear_conductance(self, g_cell: Array) -> Array:
        """Return a_0 at conductances (...) in siemens: (...), in siemens."""
        return self._even_linear.at(g_cell)[0]

    @cached_property
    def _even_linear(self) -> UniformLut:
        return UniformLut.of(self.g_grid, self.a_grid[:1])

    @cached_property
    def _even(self) -> UniformLut:
        return UniformLut.of(self.g_grid, self.a_grid)

    @cached_property
    def g_span(self) -> float:
        """Highest less lowest conductance of the table (S)."""
        return float(self.g_grid[-1] - self.g_grid[0])

    def terms_behind_wires(self, g_array: Array, effective: Callable[[Array], Array]) -> Array:
        """Return a_k of a physical array (..., R, C) behind its wires, as (K, ..., R, C).

        `effective` gives the effective conductances of linear cells in that array.
        """
        terms = self.conductance_terms(g_array)
        fraction = effective(terms[0]) / terms[0]
        return namespace(terms).concat([terms[:1] * fraction, terms[1:] * fraction**3])

    def voltage_terms(self, v_cell: np.ndarray) -> np.ndarray:
        """Return b_k at cell voltages (...) in volts, as (K, ...); outside the table the edge's value holds."""
        return _interpolated(v_cell, self.v_grid, self.b_grid)

    def from_word(self, g_cell: np.ndarray, v_cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return current (A) and slope di/dv (S) of cells (R, C) at voltages of row over column (R, C, B).

        The law that `solve_wires` takes. Its voltages are how far lines are driven from rest, up or down, so a row over
        its column has the sign of the forward read here.
        """
        sign = self.sign(backward=False)
        across = sign * v_cell
        slopes = np.diff(self.b_grid, axis=1) / np.diff(self.v_grid)
        at = np.clip(np.searchsorted(self.v_grid, across, side="right") - 1, 0, self.v_grid.size - 2)
        beyond = across - self.v_grid[at]
        current, slope = np.zeros_like(v_cell), np.zeros_like(v_cell)
        for a, b, s in zip(self.conductance_terms(g_cell), self.b_grid, slopes, strict=True):
            current += sign * a[..., None] * (b[at] + s[at] * beyond)
            slope += a[..., None] * s[at]
        return current, slope

    def outside(self, g_cell: Array) -> Array | int:
        """Return how many conductances lie outside the table: a tile counts and reports them."""
        margin = 1e-6 * self.g_span  # rounding, to float32 too, is not an extrapolation
        low, high = float(self.g_grid[0]) - margin, float(self.g_grid[-1]) + margin
        if not is_tensor(g_cell) and float(g_cell.min()) >= low and float(g_cell.max()) <= high:
            return 0
        return counted((g_cell < low) | (g_cell > high))


@dataclass(frozen=True)
class DirectionalCurrent:
    """The cell current in one read direction.

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
        sign = cells.sign(backward=backward)
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
        """Return b_k at voltages (M',) in volts, as (K, M').

        Above the largest, where the top level of a driver may lie by little, they go straight on.
        """
        beyond = np.maximum(u - self.u_grid[-1], 0.0)
        step = self.u_grid[-1] - self.u_grid[-2]
        return np.stack(
            [np.interp(u, self.u_grid, term) + beyond * ((term[-1] - term[-2]) / step) for term in self.b_grid]
        )


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


def _slope_at_zero(v_grid: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return di/dv at 0 V (N,) [S] from currents (N, M): the straight line through the two grid points around 0 V."""
    above = int(np.searchsorted(v_grid, 0.0, side="right"))
    below = int(np.searchsorted(v_grid, 0.0, side="left")) - 1
    return (current[:, above] - current[:, below]) / (v_grid[above] - v_grid[below])


def _interpolated(x: np.ndarray, grid: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Interpolate (K, N) `terms` linearly at `x` (...): one search for all K."""
    position = np.interp(x, grid, np.arange(grid.size, dtype=float))
    below = np.minimum(position.astype(np.intp), grid.size - 2)
    part = position - below
    return terms[:, below] * (1.0 - part) + terms[:, below + 1] * part
