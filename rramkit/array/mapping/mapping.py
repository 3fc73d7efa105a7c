"""Weight mapping: weights to cell conductances and back, inputs to line voltages, currents to numbers.

The one place of the kit that turns weights into conductances: rules, modules and commands write and read through it. A
weight of N x M takes K cells, `halves` of a pair times `cells_per_half` digits. Every mapping says ::

    encode    weights (...) -> conductances (K, ...)            what a rule writes
    decode    conductances (K, ...) -> weights (...)            what cells stand for
    forward   x W: voltages on the rows, column currents combined digitally (shift, add, subtract)
    backward  e W^T: voltages on the columns, row currents combined digitally
    changes   wanted changes of weights -> wanted changes of each cell (S)

Both passes give a current (A) that is linear in the weights: divided by `g_unit` and by the volts of an input of one,
it is the product. A mapping has no conductances of its own: its window comes from a table file (`from_tables`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.backend import Array, both, counted, limited, namespace, numbered
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile, TablesLike, loaded
from rramkit.table.schema import READ, RESET, SET

Read = Callable[[Array], Array]
"""One array read: voltages of the driven lines in volts, to the currents of the sensed lines in amperes."""
Total = Callable[[Array], Array]
"""Sum over the driven lines, (B, 1), of what one read drives."""


class Mapping(Parameters, ABC):
    """One way to hold a matrix (N, M) in cells (halves, N, columns)."""

    halves: ClassVar[int] = 2  # 2: pairs of columns, subtracted; 1: columns without a partner
    groups: ClassVar[tuple[str, ...]] = ()  # tables beside those of cells and stages that its reads need
    by_weight: ClassVar[bool] = True  # whether a weight's cells depend on no other weight

    w_max: float = quantity(1.0, "1", "largest weight, which the conductance window stands for", gt=0.0)
    g_low: float | None = quantity(None, "S", "lowest conductance; left out: the table file's", gt=0.0)
    g_high: float | None = quantity(None, "S", "highest conductance; left out: the table file's", gt=0.0)

    @model_validator(mode="after")
    def _window_order(self) -> Self:
        if (self.g_low is None) != (self.g_high is None):
            raise ValueError("g_low and g_high must be given together")
        if self.g_low is not None and self.g_high is not None and self.g_low >= self.g_high:
            raise ValueError("g_low must be below g_high")
        return self

    @classmethod
    def from_tables(cls, tables: TablesLike, settings: Self | None = None) -> Self:
        """Return the mapping over the conductances that the tables `set` and `reset` share, or those of `read`.

        Parameters
        ----------
        tables : TableFile, str or Path
            The tables, or their file.
        settings : Mapping, optional
            The mapping without a window; left out, the default one.

        Returns
        -------
        Mapping
            The mapping with its window, `g_low` to `g_high` (S).

        Raises
        ------
        InputError
            When the tables share no conductance.
        TableError
            When the file has none of them.

        Examples
        --------
        >>> from rramkit.array.mapping import Pairs
        >>> from rramkit.table.example import example
        >>> Pairs.from_tables(example()).window
        (4e-06, 9e-05)
        """
        settings = settings or cls()
        return settings if settings.g_low is not None else settings.with_window(*conductance_window(loaded(tables)))

    def with_window(self, g_low: float, g_high: float) -> Self:
        """Return this mapping between two conductances in siemens.

        Parameters
        ----------
        g_low, g_high : float
            Ends of the window (S), 0 < g_low < g_high.

        Returns
        -------
        Mapping
            The mapping with that window.

        Raises
        ------
        InputError
            When the ends are not in order.

        Examples
        --------
        >>> from rramkit.array.mapping import Pairs
        >>> Pairs().with_window(10e-6, 60e-6).window
        (1e-05, 6e-05)
        """
        if not 0.0 < g_low < g_high:
            raise InputError(
                f"`g_low` and `g_high` must be 0 < g_low < g_high in siemens; got {g_low:g} and {g_high:g}. "
                "Pass the conductance window of a table file."
            )
        return self.model_copy(update={"g_low": float(g_low), "g_high": float(g_high)})

    def within(self, g_low: float, g_high: float) -> Self:
        """Return this mapping with the window that it was given, or else with that of a table file.

        Parameters
        ----------
        g_low, g_high : float
            Ends of the tables' window (S).

        Returns
        -------
        Mapping
            The mapping with a window.

        Raises
        ------
        InputError
            When it was given a window beyond the tables'.

        Examples
        --------
        >>> from rramkit.array.mapping import Pairs
        >>> Pairs(g_low=10e-6, g_high=60e-6).within(4e-6, 90e-6).window
        (1e-05, 6e-05)
        """
        if self.g_low is None or self.g_high is None:
            return self.with_window(g_low, g_high)
        if self.g_low < g_low or self.g_high > g_high:
            raise InputError(
                f"`mapping.weights.g_low` and `g_high` must be within the tables' {g_low:g} to {g_high:g} S; got "
                f"{self.g_low:g} and {self.g_high:g}. Change them, or leave them out."
            )
        return self

    def sensed_by(self, tables: TableFile) -> Self:
        """Return this mapping with what its reads need of a table file beside cells and stages (`groups`).

        Parameters
        ----------
        tables : TableFile
            The tables where arrays are read.

        Returns
        -------
        Mapping
            The mapping itself, where it needs nothing of the kind.

        Examples
        --------
        >>> from rramkit.array.mapping import Pairs
        >>> from rramkit.table.example import example
        >>> Pairs().sensed_by(example()) == Pairs()
        True
        """
        return self

    @property
    def window(self) -> tuple[float, float]:
        """Lowest and highest conductance (S); `InputError` where none is given."""
        if self.g_low is None or self.g_high is None:
            name = type(self).__name__
            raise InputError(
                f"{name} must have a conductance window, `g_low` and `g_high` in siemens; got none. "
                f"Pass {name}.from_tables(tables), or both ends."
            )
        return self.g_low, self.g_high

    @property
    def span(self) -> float:
        """Highest less lowest conductance (S)."""
        low, high = self.window
        return high - low

    @property
    def g_spacing(self) -> float:
        """Conductance between two levels of a cell; of continuous targets, the span (S)."""
        return self.span

    @property
    def limit(self) -> float:
        """Largest magnitude of a weight that the cells can hold."""
        return self.w_max

    @property
    def reach(self) -> float:
        """Largest magnitude of a weight none of whose cells is cut to an end of the window."""
        return self.limit

    @property
    def calibrates(self) -> bool:
        """Whether a first batch says how a matrix is read, whatever its converters."""
        return False

    @property
    def cells_per_half(self) -> int:
        """Cells of a weight in each half."""
        return 1

    @property
    @abstractmethod
    def g_unit(self) -> float:
        """Conductance (S) that stands for a weight of one: of a pair its difference, of slices their weighted sum."""

    # Weights and cells ------------------------------------------------------------------------------------------------

    @abstractmethod
    def encode(self, weight: Array, flipped: Array | None = None) -> Array:
        """Return the target conductances (K, ...) in siemens of weights (...), within the window.

        `flipped` (K, ...) is 1.0 for cells whose column holds complements, from `flips`.
        """

    @abstractmethod
    def decode(self, g_cell: Array, flipped: Array | None = None) -> Array:
        """Return the weights (...) that conductances (K, ...) in siemens stand for."""

    def flips(self, weight: Array) -> Array | None:
        """Return 1.0 for each column (columns,) of weights (N, M) that is stored as its complement; None: no mapping's.

        The cells do not show it: the digital side remembers it.
        """
        return None

    def of_columns(self, g_cell: Array, flips: Array | None) -> Array | None:
        """Return what `forward` and `backward` take as `flips`: the flips themselves, unless a mapping says otherwise.

        Parameters
        ----------
        g_cell : array
            Conductances (halves, N, columns) in siemens, as they are.
        flips : array, optional
            Columns whose weights are stored with the other sign, where the mapping has such.

        Returns
        -------
        array or None
            One number for each column.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array.mapping import Pairs
        >>> Pairs().of_columns(np.full((2, 3, 2), 1e-5), None) is None
        True
        """
        return flips

    def targets(self, weight: Array, flips: Array | None = None) -> Array:
        """Return the target conductances (halves, N, columns) in siemens of a matrix (N, M).

        Parameters
        ----------
        weight : array
            Weights (N, M), within `limit` (1).
        flips : array, optional
            Columns whose weights are stored with the other sign, where the mapping has such.

        Returns
        -------
        array
            Conductances (halves, N, columns) in siemens.

        Raises
        ------
        InputError
            When a weight is beyond `limit`, or there is no window.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.array.mapping import Pairs
        >>> Pairs(g_low=10e-6, g_high=60e-6).targets(np.zeros((3, 2))).shape
        (2, 3, 2)
        """
        self._check(weight)
        return self._as_columns(self.encode(weight, self._by_cell(flips)))

    def weight(self, g_cell: Array, flips: Array | None = None) -> Array:
        """Return the matrix (N, M) that conductances (halves, N, columns) in siemens stand for."""
        return self.decode(self._as_digits(g_cell), self._by_cell(flips))

    def weight_at(self, g_cell: Array, rows: Array, cols: Array, flips: Array | None = None) -> Array:
        """Return the weights (n,) at `rows` and `cols` (n,) of conductances (halves, N, columns) in siemens."""
        flat, cells = g_cell.reshape(-1), self.cells_of(rows, cols, tuple(g_cell.shape))
        return self.decode(flat[cells], self.flipped_at(flips, cols))

    def limited(self, weight: Array, *, live: Array | None = None) -> tuple[Array, Array | int]:
        """Return weights (...) clipped to what the cells can hold, and how many `live` ones changed (anti-windup)."""
        clipped = limited(weight, -self.limit, self.limit)
        return clipped, counted(both(live, clipped != weight))

    # Writes -----------------------------------------------------------------------------------------------------------

    def cells_of(self, rows: np.ndarray, cols: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the cells (K, n) of the weights at `rows` and `cols` (n,): indices into flattened `shape`."""
        depth, each = self.cells_per_half, numbered(self.halves * self.cells_per_half, rows)[:, None]
        half, digit = each // depth, each % depth
        return (half * shape[-2] + rows) * shape[-1] + cols * depth + digit

    def cells_known_by(self, rows: np.ndarray, cols: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the cells (n,) that are read to know the weights at `rows` and `cols` (n,), each once."""
        return self.cells_of(rows, cols, shape).reshape(-1)

    def flipped_at(self, flips: np.ndarray | None, cols: np.ndarray) -> np.ndarray | None:
        """Return `flips` of the cells (K, n) of the weights in columns `cols` (n,)."""
        return None if flips is None else flips.reshape(-1, self.cells_per_half).T[:, cols]

    def changes(self, g_cell: np.ndarray, change: np.ndarray, flipped: np.ndarray | None = None) -> np.ndarray:
        """Return the wanted change (K, n) in siemens of the cells (K, n) of weights that should change by (n,).

        A cell whose digit stays is left alone.
        """
        weight, _ = self.limited(self.decode(g_cell, flipped) + change)
        return self.encode(weight, flipped) - g_cell

    # Reads ------------------------------------------------------------------------------------------------------------

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Return the currents (B, M) in amperes that stand for v W, for voltages `v` on N rows, |v| <= `v_max`."""
        return read(v)

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Return the currents (B, N) in amperes that stand for v W^T, for voltages `v` (B, M), |v| <= `v_max`."""
        return read(v)

    # Layout: weight m's digits are neighbouring columns, lowest first -------------------------------------------------

    def _as_columns(self, cells: Array) -> Array:
        """Return (K, N, M) as (halves, N, columns)."""
        depth = self.cells_per_half
        if depth == 1:
            return cells
        _, rows, weights = cells.shape
        split = cells.reshape(self.halves, depth, rows, weights)
        return namespace(cells).permute_dims(split, (0, 2, 3, 1)).reshape(self.halves, rows, weights * depth)

    def _as_digits(self, g_cell: Array) -> Array:
        """Return (halves, N, columns) as (K, N, M)."""
        depth = self.cells_per_half
        if depth == 1:
            return g_cell
        halves, rows, columns = g_cell.shape
        split = g_cell.reshape(halves, rows, columns // depth, depth)
        return namespace(g_cell).permute_dims(split, (0, 3, 1, 2)).reshape(halves * depth, rows, columns // depth)

    def _by_cell(self, flips: Array | None) -> Array | None:
        return None if flips is None else flips.reshape(-1, self.cells_per_half).T[:, None, :]

    def _check(self, weight: Array) -> None:
        largest = float(namespace(weight).max(namespace(weight).abs(weight)))
        if not largest <= self.limit * (1.0 + 1e-6):  # rounding of float32
            raise InputError(f"`weight` must be within {self.limit:g}; got {largest:g}. Scale it, or raise `w_max`.")


def conductance_window(tables: TableFile) -> tuple[float, float]:
    """Return the conductances (S) that the tables `set` and `reset` share; without these, those of `read`."""
    tables = tables.nominal()
    names = [group for group in (SET.group, RESET.group) if group in tables.tables] or [READ.group]
    starts = [np.asarray(next(iter(tables[name].axes.values())).values) for name in names]
    low, high = max(float(start[0]) for start in starts), min(float(start[-1]) for start in starts)
    if low >= high:
        raise InputError(
            "tables `set` and `reset` must share conductances; got none. Regenerate both over one range with "
            "`rramkit characterize`."
        )
    return low, high
