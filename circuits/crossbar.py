"""The R x C crossbar: cells between row lines and column lines, each line cut into segments (resistance, capacitance).

Rows carry the inputs: the source lines of 1T1R cells, the word lines of bare resistors (1R). Columns are the bit lines.
The word lines of 1T1R cells run along the rows too and open the cells. Row i starts at `row_i`, at column 0; column j
ends at `col_j`, below row R-1: `row_i` - node (i, 0) - r_row - node (i, 1) ...; node (R-1, j) - `col_j`.
A segment resistance of zero joins the nodes; a 1R cell of conductance zero is left out.
"""

from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams, held_cell
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class CrossbarParams(Parameters):
    """Size, cell and wires of a crossbar. Default wires: this kit's choice for a 45 nm back end (docs/circuits.md)."""

    rows: int = quantity(8, "1", "rows (inputs of the forward read)", ge=1, le=1024)
    cols: int = quantity(8, "1", "columns (outputs of the forward read)", ge=1, le=1024)
    cell_kind: Literal["1T1R", "1R"] = quantity("1T1R", "1", "1T1R: transistor and ReRAM; 1R: bare resistor")
    cell: CellParams = CellParams()
    r_row: float = quantity(1.0, "ohm", "resistance of a row segment (one cell long)", ge=0, le=1e4)
    r_col: float = quantity(1.0, "ohm", "resistance of a column segment", ge=0, le=1e4)
    r_word: float = quantity(1.0, "ohm", "resistance of a word-line segment (1T1R)", ge=0, le=1e4)
    c_row: float = quantity(0.2e-15, "F", "capacitance of a row segment", ge=0, le=1e-12)
    c_col: float = quantity(0.2e-15, "F", "capacitance of a column segment", ge=0, le=1e-12)
    c_word: float = quantity(0.2e-15, "F", "capacitance of a word-line segment (1T1R)", ge=0, le=1e-12)


def add_crossbar(circuit: Circuit, params: CrossbarParams, states: np.ndarray, *, static: bool) -> None:
    """Add the crossbar to a circuit; its ports are `row_i`, `col_j` and, for 1T1R, `word_i`.

    Parameters
    ----------
    states : ndarray (R, C)
        Held state of each 1T1R cell, 0 to 1; conductance of each 1R cell [S].
    static : bool
        For operating points: no capacitances, and the word lines (which carry no direct current) without resistance.
    """
    _check_states(params, states)
    if params.cell_kind == "1T1R":
        circuit.subcircuit(held_cell(params.cell))
    for i in range(params.rows):
        _add_line(circuit, "row", i, params.cols, params.r_row, 0.0 if static else params.c_row)
        if params.cell_kind == "1T1R":
            r_word = 0.0 if static else params.r_word
            _add_line(circuit, "word", i, params.cols, r_word, 0.0 if static else params.c_word)
    for j in range(params.cols):
        _add_line(circuit, "col", j, params.rows, params.r_col, 0.0 if static else params.c_col)
    for i, j in np.ndindex(params.rows, params.cols):
        _add_cell(circuit, params, i, j, float(states[i, j]), static=static)


def _node(line: str, index: int, k: int, r_segment: float) -> str:
    """Name of node k along a line; without resistance the whole line is its port."""
    return f"{line}_{index}" if r_segment == 0 or k < 0 else f"{line}_{index}_{k}"


def _add_line(circuit: Circuit, line: str, index: int, length: int, r_segment: float, c_segment: float) -> None:
    """Add one line's segments. A port sits at the first node of a row or word line and at the last node of a column."""
    port = length - 1 if line == "col" else 0
    if r_segment == 0:
        if c_segment > 0:
            circuit.C(f"_{line}_{index}", f"{line}_{index}", circuit.gnd, c_segment * length)
        return
    names = [f"{line}_{index}" if k == port else _node(line, index, k, r_segment) for k in range(length)]
    for k in range(length - 1):
        circuit.R(f"_{line}_{index}_{k}", names[k], names[k + 1], r_segment)
    if c_segment > 0:
        for k, name in enumerate(names):
            circuit.C(f"_{line}_{index}_{k}", name, circuit.gnd, c_segment)


def _add_cell(circuit: Circuit, params: CrossbarParams, i: int, j: int, state: float, *, static: bool) -> None:
    row = f"row_{i}" if j == 0 else _node("row", i, j, params.r_row)
    col = f"col_{j}" if i == params.rows - 1 else _node("col", j, i, params.r_col)
    if params.cell_kind == "1R":
        if state > 0:
            circuit.R(f"_cell_{i}_{j}", row, col, 1 / state)
        return
    word = f"word_{i}" if j == 0 or static else _node("word", i, j, params.r_word)
    circuit.X(f"_cell_{i}_{j}", "cell_1t1r_held", col, word, row, s_0=state)


def _check_states(params: CrossbarParams, states: np.ndarray) -> None:
    shape, bound = (params.rows, params.cols), 1.0 if params.cell_kind == "1T1R" else np.inf
    what = "states within [0, 1]" if params.cell_kind == "1T1R" else "conductances in siemens, 0 or more"
    if states.shape != shape or not np.all((states >= 0) & (states <= bound)) or not np.all(np.isfinite(states)):
        found = f"{states.shape}, {np.min(states, initial=np.inf):g} to {np.max(states, initial=-np.inf):g}"
        raise InputError(f"`states` must be (R, C) = {shape}, {what}; got {found}. Clip or reshape the array.")
