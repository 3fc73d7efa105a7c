r"""IR drop: attenuation of each cell's current by the wires of an array, at three grades of accuracy.

Topology: source - r_drive - first row node (j = 0) - r_row to the next node of the row; the column's nodes lie r_col
apart and its last one (i = R - 1) - r_sense - ground; cell (i, j) joins row node and column node. One volt at row i
alone sends the current A_ij into column j's sense amplifier: the effective conductance. A linear network is reciprocal:
the transposed matrix is the backward read, with the columns driven through r_sense and the rows sensed through r_drive.

Grades: `ideal`, A = g; `exact`, A of the nodal equations (`exact`, `elimination`); `fast`, the closed form below.

The fast grade. With the resistance that two cells of a row share on the way from the source, and two cells of a column
on the way to ground ::

    P_jm = r_drive + r_row min(j, m)            Q_im = r_sense + r_col (R - 1 - max(i, m))

the currents x of the cells obey x = g (v - x P - Q x), with v one in the driven row and zero in the others.

1. All rows driven at once, x = e, is a fixed point that needs no crosstalk: e = s g with four steps of
   s <- 1 / (1 + (e P + Q e) / s), from s = 1, and 0.6 of the last step once more.
2. One load profile represents all rows, and one all columns: phi = P u / sqrt(u P u) with u the mean of e over the
   rows, and psi likewise. P = phi phi' + rest, and the rest vanishes for the profile u. For a single cell
   it is taken as a resistance in series, from the ratio in e: h = g / (1 + (e rest + rest e) / s).
3. The network of the cells h with the wires phi phi' and psi psi' is solved exactly, all crosstalk included. Each row
   has one unknown, a, its current weighted by phi, and each column one, b. For one volt at row i alone ::

       alpha_m a_m + sum_n psi_m h_mn phi_n b_n = [m = i] (h phi)_m          alpha = 1 + h phi^2
       beta_n b_n + sum_m psi_m h_mn phi_n a_m = psi_i h_in                   beta = 1 + psi^2 h
       A_ij = h_ij - sum_m a_m h_mj phi_j - (psi h)_j b_j

   b is eliminated, which leaves one symmetric matrix of order R (or C, when that is less) for all rows together.

So it is exact for one cell, for lines without resistance, and to first order in the wires. Reducing the wires to one
profile each is this kit's own. Against the exact solution, conductances uniform in [hi / 20, hi], 50 ohm at the ends:
root-mean-square error of all column currents over the largest (unsigned inputs), and of the differences of neighbouring
columns over the largest (signed inputs):

==========================  =============  ==============
array, ohm a segment, hi    largest drop   error
==========================  =============  ==============
64 x 64, 2.5, 80 uS         47 %           0.005, 0.03 %
128 x 128, 1.0, 80 uS       61 %           0.008, 0.07 %
128 x 128, 2.5, 100 uS      81 %           0.06, 0.4 %
==========================  =============  ==============

(`tests/array/test_wires.py` checks them.) The nonlinearity of the cells is in `cell_current`, which takes A / g.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import array_api_compat
import numpy as np

from rramkit.array import kernels
from rramkit.array.elimination import Ladder
from rramkit.array.exact import CellLaw, checked_ladder, exact_transfer, solve_wires
from rramkit.array.kernels import reference
from rramkit.errors import InputError, TableError
from rramkit.table import Table, TableFile
from rramkit.table.schema import CORNERS, READ, WIRES

Array = Any  # NumPy's, or a tensor: the array-API standard has no type for it
Grade = Literal["ideal", "fast", "exact"]
RESISTANCES = (WIRES.r_row, WIRES.r_col, WIRES.r_drive, WIRES.r_sense)

LOAD_MAX = 5.0
"""Largest `WireModel.load` (1) at which the fast grade was compared with the exact one, in arrays of 8 x 128 to 128 x
256: conductances over the whole window are off by 0.1 % rms and 0.3 % at most, and cells that are all within 20 % of
the top, in the longest of these arrays, by 0.45 and 1.1 %."""


@dataclass(frozen=True)
class WireModel:
    """The wires of one table file; the only reader of the table `wires`.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.table.example import example
    >>> wires = WireModel.from_table(example()["wires"])
    >>> bool(np.all(wires.effective(np.full((8, 8), 50e-6)) < 50e-6))
    True

    Attributes
    ----------
    r_row, r_col, r_drive, r_sense : float
        Resistances (ohm).
    rows_max, cols_max : int
        Largest physical array on which the fast grade was checked against ngspice.
    grade : str
        `ideal`, `fast` or `exact`.
    error_rms, error_max : float or None
        Held-out error of the fast grade against ngspice over full scale (1); None in a table without held-out points.
    g_max : float or None
        Largest conductance (S) for which the table was fitted, where the table has it.
    """

    r_row: float
    r_col: float
    r_drive: float
    r_sense: float
    rows_max: int
    cols_max: int
    grade: Grade = "fast"
    error_rms: float | None = None
    error_max: float | None = None
    g_max: float | None = None

    @classmethod
    def from_tables(cls, tables: TableFile, *, grade: Grade = "fast") -> Self:
        """Read the table `wires` of a file, its segments at the temperature of the file's cells.

        That is the condition `temperature` of the table `read`, as `TableFile.at` leaves it; without it, and without
        the temperature coefficient `tcr`, segments keep the table's resistance.

        Parameters
        ----------
        tables : TableFile
            The file, at one operating condition.
        grade : str
            `ideal`, `fast` or `exact`.

        Returns
        -------
        WireModel
            The wires.

        Raises
        ------
        TableError
            When the file lacks the table, or it one of the four resistances.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> WireModel.from_tables(example()).r_drive  # ohm
        50.0
        """
        read = tables.tables.get(READ.group)
        kelvin = read.conditions.get(CORNERS.temperature) if read is not None else None
        return cls.from_table(tables[WIRES.group], grade=grade, kelvin=None if kelvin is None else float(kelvin))

    @classmethod
    def from_table(cls, table: Table, *, grade: Grade = "fast", kelvin: float | None = None) -> Self:
        """Read the table `wires`.

        Parameters
        ----------
        table : Table
            The table.
        grade : str
            `ideal`, `fast` or `exact`.
        kelvin : float, optional
            Temperature of the wires (K): segments are scaled with the table's coefficient `tcr`, where it has one.

        Returns
        -------
        WireModel
            The wires.

        Raises
        ------
        TableError
            When the table lacks one of the four resistances.
        InputError
            When `grade` is not one of the three.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> wires = WireModel.from_table(example()["wires"])
        >>> wires.r_drive, wires.grade  # ohm
        (50.0, 'fast')
        """
        missing = [name for name in RESISTANCES if name not in table.signals]
        if missing:
            raise TableError(
                f"table `{table.name}` lacks {', '.join(missing)}. Regenerate it with `rramkit characterize`."
            )
        if grade not in ("ideal", "fast", "exact"):
            raise InputError(f"`grade` must be ideal, fast or exact; got {grade!r}. Choose one.")
        held_out = table.held_out.get(WIRES.i_array)
        full_scale = np.max(np.abs(held_out.spice)) if held_out is not None else 1.0
        resistances = {name: float(table.signals[name]) for name in RESISTANCES}
        for name in (WIRES.r_row, WIRES.r_col):
            resistances[name] *= warmer(table, kelvin)
        return cls(
            **resistances,
            rows_max=round(table.condition(WIRES.rows_max)),
            cols_max=round(table.condition(WIRES.cols_max)),
            grade=grade,
            error_rms=None if held_out is None else float(held_out.rms / full_scale),
            error_max=None if held_out is None else float(held_out.max / full_scale),
            g_max=table.condition(WIRES.g_max) if WIRES.g_max in table.conditions else None,
        )

    def load(self, rows: int, cols: int, g_max: float) -> float:
        """Return the relative IR drop at the farthest cell with all cells at `g_max` (S), to first order (1).

        Parameters
        ----------
        rows, cols : int
            Size of the physical array.
        g_max : float
            Conductance of every cell (S).

        Returns
        -------
        float
            Relative IR drop (1).

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> wires = WireModel.from_table(example()["wires"])
        >>> round(wires.load(64, 64, 80e-6), 3)
        0.84
        """
        along = cols * (self.r_drive + self.r_row * cols / 2)
        return g_max * (along + rows * (self.r_sense + self.r_col * rows / 2))

    def check(self, rows: int, cols: int) -> None:
        """Check that the fast grade is accurate for a physical array.

        That is the array on which the table was checked against ngspice, and beyond it any load within `LOAD_MAX`.

        Parameters
        ----------
        rows, cols : int
            Size of the physical array.

        Raises
        ------
        InputError
            When it is larger.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> wires = WireModel.from_table(example()["wires"])
        >>> wires.check(64, 128)
        >>> wires.check(1000, 1000)
        Traceback (most recent call last):
        rramkit.errors.InputError: a physical array must be at most 64 rows x 128 columns, as the table `wires` ...
        """
        if self.grade != "fast" or (rows <= self.rows_max and cols <= self.cols_max):
            return
        load = None if self.g_max is None else self.load(rows, cols, self.g_max)
        if load is None or load > LOAD_MAX:
            beyond = "" if load is None else f" (and lighter loads, at most {LOAD_MAX:g}: this one is {load:.1f})"
            raise InputError(
                f"a physical array must be at most {self.rows_max} rows x {self.cols_max} columns, as the table "
                f"`wires` was checked{beyond}; got {rows} x {cols} (a weight takes two columns). "
                "Choose smaller layers, the grade exact, or characterise a larger array."
            )

    def effective(self, g_array: Array) -> Array:
        """Return the effective conductances (..., R, C) in siemens of linear cells (..., R, C), in this grade.

        Parameters
        ----------
        g_array : array
            Conductances (..., R, C) of linear cells, in siemens.

        Returns
        -------
        array
            Current at the end of each column for one volt on each row (..., R, C), in siemens.

        Raises
        ------
        InputError
            When a value is not that of a conductance.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> wires = WireModel.from_table(example()["wires"])
        >>> bool(np.all(wires.effective(np.full((8, 8), 50e-6)) < 50e-6))
        True
        """
        if self.grade == "ideal":
            return g_array
        if self.grade == "fast":
            return effective_conductance(
                g_array, r_row=self.r_row, r_col=self.r_col, r_drive=self.r_drive, r_sense=self.r_sense
            )
        ladder = Ladder(self.r_drive, self.r_row, self.r_col, self.r_sense)
        return _like(exact_transfer(_on_cpu(_floats(g_array)), ladder), g_array)

    def effective_of(self, g_tensor: Array) -> Array:
        """Return `effective` of a tensor whose values were checked when its tile was built: none is looked at.

        Parameters
        ----------
        g_tensor : array
            Conductances (..., R, C) of linear cells, a tensor, in siemens.

        Returns
        -------
        array
            As `effective` returns it (..., R, C), in siemens; no numbers where they make no positive network.

        Examples
        --------
        >>> import torch  # doctest: +SKIP
        >>> wires.effective_of(torch.full((8, 8), 50e-6)).shape  # doctest: +SKIP
        torch.Size([8, 8])
        """
        if self.grade != "fast":
            return self.effective(g_tensor)
        ladder = checked_ladder(r_row=self.r_row, r_col=self.r_col, r_source=self.r_drive, r_sense=self.r_sense)
        return reference.reduced(*reference.wire_profiles(g_tensor, ladder))

    def currents(
        self, g_cell: Array, v_in: Array, *, direction: Literal["forward", "backward"], cells: CellLaw
    ) -> Array:
        """Return the exact output currents of nonlinear cells, whatever the grade: the reference of the fast one.

        Parameters
        ----------
        g_cell : array
            Conductances (..., R, C) in siemens.
        v_in : array
            Source voltages (..., R, B) forward, (..., C, B) backward, in volts.
        direction : str
            `forward` or `backward`.
        cells : callable
            Law of the cells, as `solve_wires` takes it.

        Returns
        -------
        array
            Currents (..., C, B) forward, (..., R, B) backward, in amperes; positive for positive inputs.

        Raises
        ------
        InputError
            When a shape or a value does not fit.
        ConvergenceError
            When Newton's method ends short of its tolerance.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> wires = WireModel.from_table(example()["wires"])
        >>> from rramkit.array import CellCurrent
        >>> law = CellCurrent.from_table(example()["read"]).from_word
        >>> wires.currents(np.full((3, 2), 50e-6), np.full((3, 1), 0.1), direction="forward", cells=law).shape
        (2, 1)
        """
        g, v = _on_cpu(g_cell), _on_cpu(v_in)
        currents = [
            solve_wires(
                g[at],
                v[at],
                r_row=self.r_row,
                r_col=self.r_col,
                r_source=self.r_drive,
                r_sense=self.r_sense,
                direction=direction,
                cells=cells,
            ).i_out
            for at in np.ndindex(g.shape[:-2])
        ]
        sensed = g.shape[-1] if direction == "forward" else g.shape[-2]
        return _like(np.stack(currents).reshape(*g.shape[:-2], sensed, v.shape[-1]), g_cell)


def effective_conductance(g: Array, *, r_row: float, r_col: float, r_drive: float, r_sense: float) -> Array:
    """Return the current at the end of each column for one volt on each row, by the fast grade of the IR drop.

    Parameters
    ----------
    g : array
        Cell conductances (..., R, C) in siemens, at least 0; float32 stays float32.
    r_row, r_col : float
        Resistance of a row's and a column's segment between two cells (ohm), at least 0.
    r_drive, r_sense : float
        Resistance of each row's driver and each column's sense amplifier (ohm), at least 0.

    Returns
    -------
    array
        Effective conductances (..., R, C) in siemens; exactly `g` when all four resistances are zero.

    Raises
    ------
    InputError
        When `g` has no rows and columns or a value that no conductance has, or a resistance is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> g = np.full((4, 4), 50e-6)
    >>> effective = effective_conductance(g, r_row=2.0, r_col=2.0, r_drive=50.0, r_sense=50.0)
    >>> bool(np.all(effective < g)), bool(effective[3, 0] > effective[0, 3])
    (True, True)
    """
    g = _floats(g)
    if g.ndim < 2:
        raise InputError(f"`g` must be (..., R, C) in siemens; got {tuple(g.shape)}. Add the missing axis.")
    xp = array_api_compat.array_namespace(g)
    if not bool(xp.all((g >= 0.0) & (g < float("inf")))):
        raise InputError("`g` must be at least 0 S and finite; got other values. Program the array first.")
    ladder = checked_ladder(r_row=r_row, r_col=r_col, r_source=r_drive, r_sense=r_sense)
    if not any((r_row, r_col, r_drive, r_sense)):
        return xp.asarray(g, copy=True)
    if not isinstance(g, np.ndarray):
        return reference.reduced(*reference.wire_profiles(g, ladder))
    return kernels.chosen().behind_wires(g.reshape(-1, *g.shape[-2:]), ladder).reshape(g.shape)


def warmer(table: Table, kelvin: float | None) -> float:
    """Return the resistance of a segment at a temperature over that of the table (1): 1 + tcr (T - t_ref)."""
    if kelvin is None or not {WIRES.tcr, WIRES.t_ref} <= set(table.conditions):
        return 1.0
    tcr, t_ref = table.condition(WIRES.tcr), table.condition(WIRES.t_ref)
    own = float(table.conditions[CORNERS.temperature]) if CORNERS.temperature in table.conditions else t_ref
    return (1.0 + tcr * (kelvin - t_ref)) / (1.0 + tcr * (own - t_ref))


def _floats(x: Array) -> Array:
    """Return `x` as an array of floats, unchanged when it is one; anything else becomes NumPy's float64."""
    if isinstance(x, np.ndarray) or not array_api_compat.is_array_api_obj(x):
        return np.asarray(x, dtype=None if getattr(x, "dtype", None) == np.float32 else float)
    xp = array_api_compat.array_namespace(x)
    return x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, xp.float64)  # pyright: ignore[reportAttributeAccessIssue]


def _like(x: np.ndarray, reference: Array) -> Array:
    """Return `x` as an array of the kind, the type and the device of `reference`."""
    xp = array_api_compat.array_namespace(reference)
    return xp.asarray(np.array(x), dtype=reference.dtype, device=array_api_compat.device(reference))


def _on_cpu(x: Array) -> np.ndarray:
    """Return `x` as a NumPy array: the exact grade is NumPy's."""
    return np.asarray(x if isinstance(x, np.ndarray) else array_api_compat.to_device(x, "cpu"))
