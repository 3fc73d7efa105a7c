"""The R x C crossbar: cells between row lines and column lines, each line cut into segments (resistance, capacitance).

Rows carry the inputs of the forward read. `row_line` says which terminal of a cell they hold: the source line (default)
or the bit line; columns hold the other one. For 1R it is the same both ways. The word lines of 1T1R cells run along
the rows (`gating` row: one opens a row) or along the columns.

Row i starts at `row_i`, at column 0; column j ends at `col_j`, below row R-1: `row_i` - node (i, 0) - r_row - node
(i, 1) ...; node (R-1, j) - `col_j`. Word lines start at `word_i` (or `word_j`, at row 0). A segment resistance of zero
joins the nodes; a 1R cell of conductance zero is left out.

Cells and segments are written as lines of SPICE, not as PySpice objects: a 128 x 128 array has 10^5 of them.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import array_cells
from rramkit.circuits.array_cells import CellKind
from rramkit.circuits.cell import CellParams
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.selector import SelectorParams
from rramkit.circuits.wires import Segment, WireParams
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

Line = Literal["row", "col", "word"]


class CrossbarParams(Parameters):
    """Size, cell and wires of a crossbar. Default wires: this kit's choice for a 45 nm back end (docs/circuits.md)."""

    rows: int = quantity(8, "1", "rows (inputs of the forward read)", ge=1, le=1024)
    cols: int = quantity(8, "1", "columns (outputs of the forward read)", ge=1, le=1024)
    cell_kind: CellKind = quantity(
        "1T1R", "1", "1T1R: transistor and ReRAM; 1R: bare resistor; 1S1R: selector and ReRAM"
    )
    cell: CellParams = CellParams()
    selector: SelectorParams = SelectorParams()
    row_line: Literal["source", "bit"] = quantity("source", "1", "what the rows are; the columns are the other")
    gating: Literal["row", "column"] = quantity("row", "1", "a word line opens a row, or a column (1T1R)")
    wires: WireParams = WireParams()
    r_row: float = quantity(1.0, "ohm", "resistance of a row segment (one cell long)", ge=0, le=1e4)
    r_col: float = quantity(1.0, "ohm", "resistance of a column segment", ge=0, le=1e4)
    r_word: float = quantity(1.0, "ohm", "resistance of a word-line segment (1T1R)", ge=0, le=1e4)
    c_row: float = quantity(0.2e-15, "F", "capacitance of a row segment", ge=0, le=1e-12)
    c_col: float = quantity(0.2e-15, "F", "capacitance of a column segment", ge=0, le=1e-12)
    c_word: float = quantity(0.2e-15, "F", "capacitance of a word-line segment (1T1R)", ge=0, le=1e-12)

    @property
    def libraries(self) -> tuple[ModelFile, ...]:
        """Names of the library files that a deck with this crossbar needs."""
        return array_cells.libraries(self.cell_kind, self.cell, self.selector)

    @property
    def words(self) -> int:
        """Number of word lines."""
        if self.cell_kind != "1T1R":
            return 0
        return self.rows if self.gating == "row" else self.cols

    def segment(self, line: Line) -> Segment:
        """Return a segment of the row, column or word lines, from the wire table or as given."""
        given = {
            "row": Segment(self.r_row, self.c_row),
            "col": Segment(self.r_col, self.c_col),
            "word": Segment(self.r_word, self.c_word),
        }
        return self.wires.segment(given[line])


def add_crossbar(
    circuit: Circuit,
    params: CrossbarParams,
    states: np.ndarray,
    *,
    static: bool,
    moving: bool = False,
    prefix: str = "",
) -> None:
    """Add the crossbar to a circuit; its ports are `row_i`, `col_j` and, for 1T1R, `word_i`.

    Parameters
    ----------
    states : ndarray (R, C)
        State of each 1T1R or 1S1R cell, 0 to 1; conductance of each 1R cell [S].
    static : bool
        For operating points: no capacitances, and the word lines (which carry no direct current) without resistance.
    moving : bool
        The states move (1T1R, 1S1R), and are read at the nodes `s_i_j`.
    prefix : str
        Put before every node and element name, for a second array in the same circuit.
    """
    array_cells.check_values(states, (params.rows, params.cols), params.cell_kind)
    if moving and params.cell_kind == "1R":
        raise InputError("`cell_kind` must be 1T1R or 1S1R where states move; got 1R, whose cells hold a conductance.")
    cell = array_cells.subcircuit(params.cell_kind, params.cell, params.selector, moving=moving)
    if cell is not None and cell.name not in circuit.subcircuit_names:
        circuit.subcircuit(cell)
    lines = [*_all_lines(params, prefix, static=static), *_cells(params, states, prefix, static=static, moving=moving)]
    circuit.raw_spice += "\n".join(lines) + "\n"


def _all_lines(params: CrossbarParams, prefix: str, *, static: bool) -> Iterator[str]:
    """Yield the segments of every line."""
    along_row = params.gating == "row"
    families: list[tuple[Line, int, int, int]] = [
        ("row", params.rows, params.cols, 0),
        ("word", params.words, params.cols if along_row else params.rows, 0),
        ("col", params.cols, params.rows, params.rows - 1),
    ]
    for line, count, length, port in families:
        segment = params.segment(line)
        if static:
            segment = Segment(0.0 if line == "word" else segment.r, 0.0)
        for index in range(count):
            yield from _line(f"{prefix}{line}_{index}", length, port, segment)


def _line(name: str, length: int, port: int, segment: Segment) -> Iterator[str]:
    """Yield one line's segments; node `port` is its port, and all of it where a segment has no resistance."""
    if segment.r == 0:
        if segment.c > 0:
            yield f"C_{name} {name} 0 {segment.c * length:.12g}"
        return
    nodes = [name if k == port else f"{name}_{k}" for k in range(length)]
    for k in range(length - 1):
        yield f"R_{name}_{k} {nodes[k]} {nodes[k + 1]} {segment.r:.12g}"
    if segment.c > 0:
        for k, node in enumerate(nodes):
            yield f"C_{name}_{k} {node} 0 {segment.c:.12g}"


def _cells(params: CrossbarParams, states: np.ndarray, prefix: str, *, static: bool, moving: bool) -> Iterator[str]:
    """Yield the line of every cell."""
    joined = {line: params.segment(line).r == 0 or (static and line == "word") for line in ("row", "col", "word")}

    def node(line: Line, index: int, k: int, port: int) -> str:
        return f"{prefix}{line}_{index}" + ("" if joined[line] or k == port else f"_{k}")

    for i, j in np.ndindex(params.rows, params.cols):
        ends = node("row", i, j, 0), node("col", j, i, params.rows - 1)
        source, bit = ends if params.row_line == "source" else ends[::-1]
        word = node("word", i, j, 0) if params.gating == "row" else node("word", j, i, 0)
        where, value = f"{prefix}{i}_{j}", float(states[i, j])
        line = array_cells.cell_line(params.cell_kind, where, bit, source, word=word, value=value, moving=moving)
        if line:
            yield line
