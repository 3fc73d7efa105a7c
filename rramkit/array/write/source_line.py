"""Source line of a pulsed row, whose other cells carry a part of the pulse's current.

While a row is pulsed its word line opens all its cells. Each joins the source line to its own inhibited bit line, which
is held at what the source line has before the current flows: a part of the current does not take the driver. A line of
r ohms a segment, whose every cell carries g siemens, behind a driver of R ohms, loses for each ampere drawn q segments
from the driver, at p segments (small signals)::

    Z(p, q) = phi(min) psi(max) / (cosh(k N) + R k sinh(k N)/r)                 k = sqrt(r g)
    phi(x) = R cosh(k x) + r sinh(k x)/k          psi(x) = cosh(k (N - x))

With g = 0 that is R + r min(p, q), wires and driver in series. The driver's table has the loss at both ends of a line
of N segments, with the written cell at the far one::

    r_near = Z(0, N) = R/(cosh(k N) + R k sinh(k N)/r)          r_far = Z(N, N) = r_near/cosh(k N) + r tanh(k N)/k

The second gives k, then the first R. Of 1/g the table's neighbours, resistors, are `r_neighbour`; the rest is that of
the open access transistor, with which the cells of an array follow from their conductances. Derived here; the closed
forms are those of a lossy line at rest.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.backend import Array, at_least, grouped, namespace, only, sums_at
from rramkit.array.write.cell_address import shared_drop
from rramkit.errors import TableError

_HALVINGS = 50
_LOSSY = 8.0  # k N (1): beyond it nothing of the current reaches the driver


@dataclass(frozen=True)
class SourceLine:
    """Driver and other cells of a source line, by code and state of the written cell (K, S).

    Attributes
    ----------
    r_segment : float
        Resistance of a segment (ohm).
    r_driver : ndarray
        Resistance of the driver (K, S) (ohm).
    r_access : ndarray
        Resistance of another cell beside its ReRAM (K, S) (ohm).
    """

    r_segment: float
    r_driver: np.ndarray
    r_access: np.ndarray

    @classmethod
    def of(cls, r_near: np.ndarray, r_far: np.ndarray, *, r_segment: float, cells: int, r_neighbour: float) -> Self:
        """Return the line whose losses at both ends were measured.

        Parameters
        ----------
        r_near, r_far : ndarray
            Volts lost at the driver and at the written cell over its current (K, S) (ohm).
        r_segment : float
            Resistance of a segment (ohm), above 0.
        cells : int
            Segments of the measured line.
        r_neighbour : float
            ReRAM of each other cell then (ohm).

        Raises
        ------
        TableError
            When no line loses that: less at the cell than wires beside open cells could.
        """
        wire = r_segment * cells
        low, high = np.zeros(np.shape(r_far)), np.full(np.shape(r_far), _LOSSY)
        for _ in range(_HALVINGS):  # r_far falls with k N, monotonically
            middle = 0.5 * (low + high)
            less = r_near / np.cosh(middle) + wire * np.tanh(middle) / middle > r_far
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        through = 0.5 * (low + high)
        carried = r_near * through * np.sinh(through) / wire  # of the current, beside the driver
        if np.any(carried >= 1.0):
            raise TableError(
                f"a source line of {cells} segments of {r_segment:g} ohm cannot lose {np.min(r_far):g} ohm at the cell "
                f"and {np.max(r_near):g} ohm at its driver. Characterise driver and wires of the same line."
            )
        g_cell = through**2 / (wire * cells)
        r_driver = r_near * np.cosh(through) / (1.0 - carried)
        return cls(r_segment, r_driver, np.maximum(1.0 / g_cell - r_neighbour, 0.0))


def source_drop(
    current: Array,
    line: Array | None,
    position: Array,
    *,
    r_segment: float,
    r_driver: Array,
    g_cell: Array,
    cells: int,
    live: Array | None = None,
) -> Array:
    """Return the volts (N,) that source lines lose at their pulsed cells.

    Parameters
    ----------
    current : ndarray
        Current of each pulsed cell (N,) (A).
    line : ndarray of int or None
        Which line each is on (N,); None: each on its own.
    position : ndarray
        Segments between the driver and each cell (N,).
    r_segment : float
        Resistance of a segment (ohm).
    r_driver, g_cell : ndarray
        Of each pulsed cell's line (N,): the driver (ohm), and what each other cell carries (S). On a shared line the
        mean of its cells counts: a driver's resistance differs by a tenth between an idle and a strong cell.
    cells : int
        Cells along the line.
    live : array of bool, optional
        Of tensors, which cells are pulsed (N,); left out, all.
    """
    xp = namespace(current)
    if line is not None:
        r_driver, g_cell = _line_mean(r_driver, line, live), _line_mean(g_cell, line, live)
    k = at_least(xp.sqrt(r_segment * g_cell), 1e-9)  # sinh(k x)/k is x there to rounding
    along, whole = k * position, k * cells
    near = r_driver * xp.cosh(along) + r_segment * xp.sinh(along) / k
    far = xp.cosh(whole - along) / (xp.cosh(whole) + r_driver * k * xp.sinh(whole) / r_segment)
    return current * near * far if line is None else shared_drop(current, line, near, far)


def _line_mean(values: Array, line: Array, live: Array | None) -> Array:
    """Return the mean (N,) of the values (N,) on each one's line (N,), of those that are `live` (N,)."""
    index, count = grouped(line)
    number = sums_at(index, only(namespace(values).ones_like(values), live), count)
    return (sums_at(index, only(values, live), count) / at_least(number, 1.0))[index]
