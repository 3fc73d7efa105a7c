"""Line voltages that select one cell of a crossbar for writing: V/2, V/3, or gated by word lines.

The write voltage V stands across the selected cell, v(bit line) - v(source line) = +V to SET and -V to RESET; its two
lines sit at V and at 0. What the other cells see, V/2 and V/3 with every word line open ::

    half     unselected lines V/2:                       same row and same column V/2, all others 0
    third    unselected lines V/3 (on the side driven to V, 2 V/3 on the other): same row, same column and, with the
             other sign, all others V/3
    gated    only the selected word line open; the lines that cross it are held at the potential of the selected line
             that runs beside it: open cells see 0, closed cells V or 0

Gated needs word lines (1T1R); a 1R or 1S1R array has `half` and `third`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.circuits.crossbar import CrossbarParams
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class Selection(Parameters):
    """Which cell is written, and how the others are kept from it."""

    scheme: Literal["gated", "half", "third"] = quantity("gated", "1", "how the other lines are biased")
    row: int = quantity(0, "1", "row of the selected cell", ge=0, le=1023)
    col: int = quantity(0, "1", "column of the selected cell", ge=0, le=1023)


@dataclass(frozen=True)
class LineVoltages:
    """Voltages [V] of the rows (R,), columns (C,) and word lines (W,; none without transistors)."""

    rows: np.ndarray
    cols: np.ndarray
    words: np.ndarray

    def across(self, params: CrossbarParams) -> np.ndarray:
        """Return v(bit line) - v(source line) of every crossing (R, C) [V]."""
        drop = self.cols[np.newaxis, :] - self.rows[:, np.newaxis]
        return drop if params.row_line == "source" else -drop


def line_voltages(
    selection: Selection, params: CrossbarParams, *, v_write: float, v_word: float, polarity: Literal["set", "reset"]
) -> LineVoltages:
    """Return every line's voltage while the selected cell sees `v_write` [V]; open word lines stand at `v_word` [V]."""
    _check(selection, params)
    # The bit line is the hot side to SET; the columns are the bit lines unless the rows are.
    cols_hot = (polarity == "set") == (params.row_line == "source")
    row_on, col_on = (0.0, v_write) if cols_hot else (v_write, 0.0)
    if selection.scheme == "half":
        row_off = col_off = v_write / 2
    elif selection.scheme == "third":
        hot_off, cold_off = v_write / 3, 2 * v_write / 3
        row_off, col_off = (cold_off, hot_off) if cols_hot else (hot_off, cold_off)
    elif params.gating == "row":
        row_off, col_off = 0.0, row_on
    else:
        row_off, col_off = col_on, 0.0
    words = np.full(params.words, v_word)
    if selection.scheme == "gated":
        opened = selection.row if params.gating == "row" else selection.col
        words[np.arange(params.words) != opened] = 0.0
    return LineVoltages(
        np.where(np.arange(params.rows) == selection.row, row_on, row_off),
        np.where(np.arange(params.cols) == selection.col, col_on, col_off),
        words,
    )


def _check(selection: Selection, params: CrossbarParams) -> None:
    if selection.row >= params.rows or selection.col >= params.cols:
        raise InputError(
            f"`row` and `col` must lie within the {params.rows} x {params.cols} array; got {selection.row} and "
            f"{selection.col}. Select another cell."
        )
    if selection.scheme == "gated" and params.words == 0:
        raise InputError(
            f"`scheme` gated needs word lines, so `cell_kind` 1T1R; got {params.cell_kind}. Use half or third."
        )
