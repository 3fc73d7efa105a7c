"""The R x C crossbar: cells between row and column lines cut into segments of resistance and capacitance; its reads.

Rows carry the inputs of the forward read. `row_line` says which terminal of a cell they hold: the source line (default)
or the bit line; columns hold the other one. For 1R it is the same both ways. The word lines of 1T1R cells run along
the rows (`gating` row: one opens a row) or along the columns.

Row i starts at `row_i`, at column 0; column j ends at `col_j`, below row R-1: `row_i` - node (i, 0) - r_row - node
(i, 1) ...; node (R-1, j) - `col_j`. Word lines start at `word_i` (or `word_j`, at row 0). A segment resistance of zero
joins the nodes; a 1R cell of conductance zero is left out.

Cells and segments are written as lines of SPICE, not as PySpice objects: a 128 x 128 array has 10^5 of them.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import array_cells
from rramkit.circuits.array_cells import CellKind, CellSpread, SelectorParams
from rramkit.circuits.cell import TRANSIENT_OPTIONS, CellParams, ReadParams
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.stimuli import add_sweep, staircase_points
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
    metered: tuple[int, int] | None = None,
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
    metered : tuple of int, optional
        Row and column of a cell behind an ammeter `V_cell`, which counts what flows out of its bit line.
    """
    array_cells.check_values(states, (params.rows, params.cols), params.cell_kind)
    if moving and params.cell_kind == "1R":
        raise InputError("`cell_kind` must be 1T1R or 1S1R where states move; got 1R, whose cells hold a conductance.")
    cell = array_cells.subcircuit(params.cell_kind, params.cell, params.selector, moving=moving)
    if cell is not None and cell.name not in circuit.subcircuit_names:
        circuit.subcircuit(cell)
    cells = _cells(params, states, prefix, static=static, moving=moving, metered=metered)
    lines = [*_all_lines(params, prefix, static=static), *cells]
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
            segment = replace(segment, r=0.0 if line == "word" else segment.r, c=0.0)
        for index in range(count):
            yield from _line(f"{prefix}{line}_{index}", length, port, segment)


def _line(name: str, length: int, port: int, segment: Segment) -> Iterator[str]:
    """Yield one line's segments; node `port` is its port, and all of it where a segment has no resistance."""
    if segment.r == 0:
        if segment.c > 0:
            yield f"C_{name} {name} 0 {segment.c * length:.12g}"
        return
    nodes = [name if k == port else f"{name}_{k}" for k in range(length)]
    hot = f" tc1={segment.tcr:.9g}" if segment.tcr else ""
    for k in range(length - 1):
        yield f"R_{name}_{k} {nodes[k]} {nodes[k + 1]} {segment.r:.12g}{hot}"
    if segment.c > 0:
        for k, node in enumerate(nodes):
            yield f"C_{name}_{k} {node} 0 {segment.c:.12g}"


def _cells(
    params: CrossbarParams,
    states: np.ndarray,
    prefix: str,
    *,
    static: bool,
    moving: bool,
    metered: tuple[int, int] | None,
) -> Iterator[str]:
    """Yield the line of every cell."""
    joined = {line: params.segment(line).r == 0 or (static and line == "word") for line in ("row", "col", "word")}

    def node(line: Line, index: int, k: int, port: int) -> str:
        return f"{prefix}{line}_{index}" + ("" if joined[line] or k == port else f"_{k}")

    for i, j in np.ndindex(params.rows, params.cols):
        ends = node("row", i, j, 0), node("col", j, i, params.rows - 1)
        source, bit = ends if params.row_line == "source" else ends[::-1]
        word = node("word", i, j, 0) if params.gating == "row" else node("word", j, i, 0)
        where, value = f"{prefix}{i}_{j}", float(states[i, j])
        if (i, j) == metered:
            yield f"V_{prefix}cell {bit} {prefix}bit_cell 0"
            bit = f"{prefix}bit_cell"
        line = array_cells.cell_line(params.cell_kind, where, bit, source, word=word, value=value, moving=moving)
        if line:
            yield line


class CrossbarReadParams(Parameters):
    """A crossbar with its drivers and its sense resistors."""

    crossbar: CrossbarParams = CrossbarParams()
    spread: CellSpread = CellSpread()
    read: ReadParams = ReadParams(t_read=10e-9)
    direction: Literal["forward", "backward"] = quantity(
        "forward", "1", "forward drives the rows and senses the columns; backward the other way round"
    )
    r_drive: float = quantity(
        50.0, "ohm", "output resistance of a row's read driver, or of its sense input", ge=0, le=1e5
    )
    r_sense: float = quantity(50.0, "ohm", "input resistance of a column's sense input, or of its driver", ge=0, le=1e5)
    t_rise: float = quantity(0.1e-9, "s", "rise time of the inputs (transient read)", ge=1e-12, le=1e-6)
    t_step: float = quantity(0.05e-9, "s", "largest time step (transient read)", ge=1e-13, le=1e-8)
    seed: int = quantity(1, "1", "seed of the states and inputs, where none are given", ge=0)

    @property
    def sense_outputs(self) -> tuple[str, ...]:
        """Return the names of a deck's outputs: the currents [A] of the sensed lines, in order."""
        bar, forward = self.crossbar, self.direction == "forward"
        return tuple(f"i_{'col' if forward else 'row'}_{k}" for k in range(bar.cols if forward else bar.rows))


def example_pattern(params: CrossbarReadParams) -> tuple[np.ndarray, np.ndarray]:
    """Return seeded states (R, C) and one input vector (R or C,) [V] for a deck without data of its own."""
    rng, bar = np.random.default_rng(params.seed), params.crossbar
    shape = (bar.rows, bar.cols)
    states = rng.uniform(5e-6, 80e-6, shape) if bar.cell_kind == "1R" else rng.uniform(0.5, 0.95, shape)
    inputs = rng.uniform(0, params.read.v_max, shape[0] if params.direction == "forward" else shape[1])
    if bar.cell_kind == "1S1R":
        inputs = inputs + bar.selector.v_th  # the selector takes its threshold
    return params.spread.drawn(states, bar.cell_kind, rng=rng), inputs


def static_reads(
    params: CrossbarReadParams, states: np.ndarray, v_in: np.ndarray, *, v_word: np.ndarray | None = None
) -> Deck:
    """Return a `.dc` deck in which point b of the sweep applies input vector b, so the matrix is ordered once.

    Parameters
    ----------
    states : ndarray (R, C)
        As `add_crossbar`.
    v_in : ndarray (R, B), or (C, B) backward
        Input voltages [V].
    v_word : ndarray (W,), optional
        Voltage of each word line [V]; default: all at `read.v_wl`.
    """
    circuit, driven = _with_periphery(params, states, v_word, static=True)
    _check_inputs(params, v_in, driven)
    add_sweep(circuit, params.read.driven(v_in))
    return Deck(
        title=_title(params, f"{v_in.shape[1]} static reads"),
        parameters=params,
        circuit=circuit,
        libraries=params.crossbar.libraries,
        analysis=f".dc V_sweep 0 {v_in.shape[1] - 1} 1",
        outputs=_sense_outputs(params),
        options="reltol=1e-5 abstol=1e-12 vntol=1e-8",
        swept="input vector (1)",
    )


def transient_read(
    params: CrossbarReadParams, states: np.ndarray, v_in: np.ndarray, *, v_word: np.ndarray | None = None
) -> Deck:
    """Return a `.tran` deck of one read: word lines open, then the inputs rise together; currents settle at the end.

    `states` as `add_crossbar`; `v_in` (R,), or (C,) backward, in volt; `v_word` (W,) as `static_reads`.
    """
    if 4 * params.t_rise > params.read.t_read:
        raise InputError(
            f"`t_rise` must be a quarter of `read.t_read` = {params.read.t_read:g} s or less; got {params.t_rise:g} s. "
            "Read for longer."
        )
    circuit, driven = _with_periphery(params, states, v_word, static=False)
    _check_inputs(params, v_in[:, np.newaxis], driven)
    for index in range(driven):
        level = params.read.driven(float(v_in[index]))
        points = staircase_points([(2 * params.t_rise, level)], t_rise=params.t_rise, v_start=params.read.v_rest)
        circuit.PieceWiseLinearVoltageSource(f"_in_{index}", f"in_{index}", circuit.gnd, values=points)
    outputs = _sense_outputs(params)
    t_stop = params.read.t_read
    measures = tuple(
        Measure(out.name, f"find {out.vector} at={0.99 * t_stop:.6e}", out.unit, "settled value of the vector")
        for out in outputs
    )
    return Deck(
        title=_title(params, "one read as a transient"),
        parameters=params,
        circuit=circuit,
        libraries=params.crossbar.libraries,
        analysis=f".tran {params.t_step} {t_stop:.9e} 0 {params.t_step}",
        outputs=outputs,
        measures=measures,
        options=TRANSIENT_OPTIONS,
    )


def _with_periphery(
    params: CrossbarReadParams, states: np.ndarray, v_word: np.ndarray | None, *, static: bool
) -> tuple[Circuit, int]:
    """Return the crossbar with read resistors, sense sources and word lines; and how many lines are driven."""
    crossbar, forward = params.crossbar, params.direction == "forward"
    circuit = Circuit("crossbar read")
    add_crossbar(circuit, crossbar, states, static=static)
    _open_words(circuit, params, v_word)
    driven, sensed = ("row", "col") if forward else ("col", "row")
    r_line = {"row": params.r_drive, "col": params.r_sense}
    counts = {"row": crossbar.rows, "col": crossbar.cols}
    for index in range(counts[driven]):
        join(circuit, f"in_{index}", f"{driven}_{index}", r_line[driven])
    for index in range(counts[sensed]):
        join(circuit, f"{sensed}_{index}", f"out_{index}", r_line[sensed])
        add_sense(circuit, str(index), f"out_{index}", params.read)
    return circuit, counts[driven]


def add_sense(circuit: Circuit, name: str, node: str, read: ReadParams) -> None:
    """Hold a line's end at its rest by a source `V_sense_NAME`, whose current is positive for positive inputs.

    One source from the line to ground: with 0 V in series with a source that all lines share, KLU's transient takes
    steps of femtoseconds.
    """
    if read.v_rest == 0:
        circuit.V(f"_sense_{name}", node, circuit.gnd, 0)
    else:
        circuit.V(f"_sense_{name}", circuit.gnd, node, -read.v_rest)


def _open_words(circuit: Circuit, params: CrossbarReadParams, v_word: np.ndarray | None) -> None:
    words = params.crossbar.words
    v_word = np.full(words, params.read.v_wl) if v_word is None else v_word
    if v_word.shape != (words,) or not np.all((v_word >= 0) & (v_word <= 3.6)):
        raise InputError(f"`v_word` must be ({words},) within 0 and 3.6 V; got {v_word.shape}. One for each word line.")
    for index, v in enumerate(v_word):
        circuit.V(f"_word_{index}", f"word_{index}", circuit.gnd, float(v))


def join(circuit: Circuit, node: str, other: str, resistance: float) -> None:
    """Join two nodes by a resistor, or by an ideal source of 0 V where the resistance is zero."""
    if resistance > 0:
        circuit.R(f"_{node}", node, other, resistance)
    else:
        circuit.V(f"_{node}", node, other, 0)


def _sense_outputs(params: CrossbarReadParams) -> tuple[Output, ...]:
    line = "col" if params.direction == "forward" else "row"
    names = params.sense_outputs
    way = "into" if params.read.v_rest > 0 else "out of"
    return tuple(Output(name, f"i(v_sense_{k})", "A", f"current {way} {line} {k}") for k, name in enumerate(names))


def _title(params: CrossbarReadParams, what: str) -> str:
    bar = params.crossbar
    return f"{bar.rows} x {bar.cols} {bar.cell_kind} crossbar, {params.direction}: {what}"


def _check_inputs(params: CrossbarReadParams, v_in: np.ndarray, driven: int) -> None:
    bound = params.read.v_max if params.crossbar.cell_kind == "1T1R" else np.inf
    if v_in.ndim != 2 or v_in.shape[0] != driven or v_in.shape[1] < 1 or not np.all(np.abs(v_in) <= bound):
        raise InputError(
            f"`v_in` must be ({driven}, B) in volt within +-{bound:g}; got {v_in.shape}, up to "
            f"{np.max(np.abs(v_in), initial=0):g} V. One row for each driven line."
        )


def example_read(params: CrossbarReadParams) -> Deck:
    """Return one read of the example pattern as a transient."""
    return transient_read(params, *example_pattern(params))


CATALOG = {
    "crossbar": CatalogEntry(
        CrossbarReadParams, example_read, "R x C crossbar with its wires: one read as a transient"
    ),
}
