"""One array of differential pairs: programmed conductances in, signed currents out, read in both directions.

A weight is a pair of cells in the same row and in adjacent physical columns (plus even, minus odd), and stands for
g_plus - g_minus. A read voltage has one polarity in each direction, so a signed vector is read in two phases, positive
magnitudes first and negative magnitudes second, and the second is subtracted:

* forward: rows are driven, the two columns of a pair are sensed and subtracted: i_c = sum_r (g_plus - g_minus)_rc v_r;
* backward: bit lines are driven, rows are sensed; phase one drives the plus column where v > 0 and the minus column
  where v < 0, phase two the other one of each pair: i_r = sum_c (g_plus - g_minus)_rc v_c.

Each cell thus sees every input once, in one of the phases, and a line that is not driven stays at 0 V. The two phases
together are one matrix product for each separable term of the cell current (`cells`), because a term of 0 V is zero.
The wires (`wires`) attenuate the terms (`cells`).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.cells import CellCurrent
from rramkit.array.windows import Windows
from rramkit.array.wires import WireModel
from rramkit.errors import InputError
from rramkit.table import TableFile

_EDGE = 1e-6  # of the voltage range (1): this far outside is rounding of single precision, not an extrapolation


@dataclass(frozen=True)
class ArrayModel:
    """What every tile of one table file shares: the cell current, the wires (None: ideal) and the read time (s)."""

    cells: CellCurrent
    wires: WireModel | None
    t_read: float

    @classmethod
    def from_tables(cls, tables: TableFile, *, wires: bool = True) -> Self:
        """Build from the tables `read` and, when `wires` is asked for, `wires`."""
        read = tables["read"]
        return cls(
            cells=CellCurrent.from_table(read),
            wires=WireModel.from_table(tables["wires"]) if wires else None,
            t_read=read.condition("t_read"),
        )


@dataclass(frozen=True)
class Reading:
    """What one read of a batch gave.

    Attributes
    ----------
    i : ndarray
        Signed output currents (B, C) forward or (B, R) backward, in amperes.
    energy : float
        Energy that the drivers gave to the array: sum of v i t_read over cells, phases and batch (J).
    clamped : int
        Input voltages outside the table, driven at its edge instead.
    """

    i: np.ndarray
    energy: float
    clamped: int


@dataclass(frozen=True)
class Tile:
    """One programmed array; make it with `Tile.of`, and a reprogrammed one with `programmed`.

    Attributes
    ----------
    g_cell : ndarray
        Conductances (2, R, C) in siemens: plus and minus halves.
    model : ArrayModel
        Cell current, wires and read time.
    terms : ndarray
        Conductance terms of every cell behind its wires (K, 2, R, C).
    clamped : int
        Cells outside the read table, read with the edge's current.
    """

    g_cell: np.ndarray
    model: ArrayModel
    terms: np.ndarray
    clamped: int

    @classmethod
    def of(cls, g_cell: np.ndarray, model: ArrayModel) -> Self:
        """Build a tile from conductances (2, R, C) in siemens.

        Raises
        ------
        InputError
            When the shape or a value does not fit, or the array is larger than the wires were checked on.
        """
        g_cell = np.array(g_cell, dtype=float)
        if g_cell.ndim != 3 or g_cell.shape[0] != 2:
            raise InputError(f"`g_cell` must be (2, R, C) in siemens, plus and minus; got {g_cell.shape}. Reshape it.")
        if not (np.all(np.isfinite(g_cell)) and np.all(g_cell > 0.0)):
            raise InputError("`g_cell` must be finite and above 0 S; got other values. Programme the array first.")
        terms = _terms(g_cell, model)
        g_cell.flags.writeable = False
        return cls(g_cell, model, terms, model.cells.outside(g_cell))

    def programmed(self, g_cell: np.ndarray) -> Self:
        """Return this tile with other conductances (2, R, C) in siemens."""
        return self.of(g_cell, self.model)

    def forward(self, v: np.ndarray, *, windows: Windows | None = None) -> Reading:
        """Drive the rows with signed voltages (B, R) in volts; sense the currents of the C pairs.

        With `windows`, `v` are images (C', B', H, W) in volts, and their B windows are the vectors.
        """
        magnitude, sign, clamped = self._inputs(v, self.model.cells.v_forward, self.g_cell.shape[1], windows)
        phases = -self.model.cells.voltage_terms(-magnitude)  # (K, ...); a driven row is a negative cell voltage
        currents = _product(phases * sign, self.terms[:, 0] - self.terms[:, 1], windows)
        return Reading(currents, self._energy(magnitude, phases, self.terms.sum(axis=(1, 3)), windows), clamped)

    def backward(self, v: np.ndarray) -> Reading:
        """Drive the bit lines of the C pairs with signed voltages (B, C) in volts; sense the currents of the rows."""
        magnitude, sign, clamped = self._inputs(v, self.model.cells.v_backward, self.g_cell.shape[2], None)
        phases = self.model.cells.voltage_terms(magnitude)  # (K, B, C)
        currents = _product(phases * sign, np.swapaxes(self.terms[:, 0] - self.terms[:, 1], -1, -2), None)
        return Reading(currents, self._energy(magnitude, phases, self.terms.sum(axis=(1, 2)), None), clamped)

    def _inputs(
        self, v: np.ndarray, v_max: float, lines: int, windows: Windows | None
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Check signed voltages; return magnitudes within the table, signs, and how many were clamped."""
        v = np.asarray(v, dtype=float)
        fits = v.shape[1:] == (lines,) if windows is None else v.ndim == 4 and len(v) * windows.kernel**2 == lines
        if not fits or not np.all(np.isfinite(v)):
            raise InputError(
                f"`v` must be (B, {lines}), or images whose windows have {lines} entries, in volts and finite; "
                f"got {v.shape}. Mend it."
            )
        magnitude = np.abs(v)
        clamped = int(np.count_nonzero(magnitude > v_max * (1.0 + _EDGE)))
        return np.minimum(magnitude, v_max), np.sign(v), clamped

    def _energy(
        self, magnitude: np.ndarray, phases: np.ndarray, line_terms: np.ndarray, windows: Windows | None
    ) -> float:
        """Sum v i t_read: `magnitude` (B, N), `phases` (K, B, N), and the terms summed over each driven line (K, N)."""
        powers = [magnitude * phase for phase in phases]
        sums = [power.sum(axis=0) if windows is None else windows.line_sums(power) for power in powers]
        return float(np.sum(np.stack(sums) * line_terms)) * self.model.t_read


def _terms(g_cell: np.ndarray, model: ArrayModel) -> np.ndarray:
    """Return the conductance terms (K, 2, R, C) of pairs in adjacent columns of one physical array R x 2C."""
    if model.wires is None:
        return model.cells.conductance_terms(g_cell)
    _, rows, pairs = g_cell.shape
    model.wires.check(rows, 2 * pairs)
    physical = np.moveaxis(g_cell, 0, -1).reshape(rows, 2 * pairs)
    terms = model.cells.terms_behind_wires(physical, model.wires.effective)
    return np.moveaxis(terms.reshape(-1, rows, pairs, 2), -1, 1)


def _product(inputs: np.ndarray, terms: np.ndarray, windows: Windows | None) -> np.ndarray:
    """Sum (K, B, N) @ (K, N, M) over K, `inputs` being images before their windows are laid out as rows."""
    rows = inputs if windows is None else (windows.rows(image) for image in inputs)
    return sum((row @ term for row, term in zip(rows, terms, strict=True)), start=np.zeros(()))
