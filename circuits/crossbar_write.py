"""Write of one cell in an array whose states all move: V/2, V/3 or gated selection, half-select disturb of neighbours.

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
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.array_cells import CellSpread
from rramkit.circuits.cell import TRANSIENT_OPTIONS, PulseShape
from rramkit.circuits.crossbar import CrossbarParams, add_crossbar
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.stimuli import add_driver, staircase_points
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


# Moving cells in one deck, by whether they are compiled. As sources each costs more than the one before: a pulse takes
# 3 s of ngspice for 64, 64 s for 256; compiled 2.4 s for 256, 12 s for 1024.
CELLS_MAX = {False: 64, True: 1024}


class CrossbarWriteParams(Parameters):
    """A small array, one of its cells written by equal pulses through the lines' drivers."""

    crossbar: CrossbarParams = CrossbarParams(rows=4, cols=4)
    selection: Selection = Selection()
    spread: CellSpread = CellSpread()
    pulse: PulseShape = PulseShape()
    polarity: Literal["set", "reset"] = quantity("set", "1", "set or reset the selected cell")
    v_write: float = quantity(1.7, "V", "voltage across the selected cell and its transistor or selector", ge=0, le=3.6)
    v_word: float = quantity(1.4, "V", "open word lines (1T1R)", ge=0, le=3.6)
    state: float = quantity(0.7, "1", "state of every cell at the start", ge=0, le=1)
    pulses: int = quantity(2, "1", "number of pulses", ge=1, le=1000)
    seed: int = quantity(1, "1", "seed of the spread", ge=0)

    @property
    def t_slot(self) -> float:
        """Return the time from one pulse to the next [s]."""
        return self.pulse.t_pulse + 6 * self.pulse.t_rise

    def start_states(self) -> np.ndarray:
        """Return the states (R, C) at the start."""
        states = np.full((self.crossbar.rows, self.crossbar.cols), self.state)
        return self.spread.drawn(states, self.crossbar.cell_kind, rng=np.random.default_rng(self.seed))


def array_write(params: CrossbarWriteParams) -> Deck:
    """Return a `.tran` deck: the word lines rise first and fall last, all other lines move together in between.

    Together, because a line that inhibits its cells against a selected line must not be there before it: bit lines held
    at V while the source line still rises SET their open cells by 5 % of the range within a 1 ns edge.
    """
    bar, pulse = params.crossbar, params.pulse
    check_size(bar)
    states, circuit = params.start_states(), Circuit("array write")
    add_crossbar(circuit, bar, states, static=False, moving=True)
    volts = line_voltages(params.selection, bar, v_write=params.v_write, v_word=params.v_word, polarity=params.polarity)
    for family, levels in (("row", volts.rows), ("col", volts.cols), ("word", volts.words)):
        for index, level in enumerate(levels):
            line = f"{family}_{index}"
            steps = _steps(params, float(level), delay=0.0 if family == "word" else pulse.t_rise)
            points = staircase_points(steps, t_rise=pulse.t_rise)
            add_driver(circuit, line, points, r_out=pulse.r_driver, c_line=pulse.c_line)
    t_stop = params.pulses * params.t_slot + 2 * pulse.t_rise
    return Deck(
        title=f"{bar.rows} x {bar.cols} {bar.cell_kind} crossbar: {params.polarity} of one cell, {_scheme(params)}",
        parameters=params,
        circuit=circuit,
        libraries=bar.libraries,
        analysis=f".tran {pulse.t_step} {t_stop:.9e} 0 {pulse.t_step} uic",
        outputs=_outputs(params),
        measures=neighbour_measures(bar, params.selection.row, params.selection.col, states, t_stop=t_stop),
        options=TRANSIENT_OPTIONS,
    )


def check_size(bar: CrossbarParams) -> None:
    """Raise `InputError` for more moving cells than a deck can hold."""
    compiled = bar.cell.device.used().compiled
    if bar.rows * bar.cols > CELLS_MAX[compiled]:
        key = "library` = FILE.va" if bar.cell.device.library else "compiled` = always"
        cure = "" if compiled else f" Compiled cells, `crossbar.cell.device.{key}, go to {CELLS_MAX[True]}."
        raise InputError(
            f"`rows` x `cols` must be {CELLS_MAX[compiled]} or less where states move; got {bar.rows} x {bar.cols}. "
            f"Take a smaller array.{cure}"
        )


def _scheme(params: CrossbarWriteParams) -> str:
    return {"gated": "gated", "half": "V/2", "third": "V/3"}[params.selection.scheme]


def _steps(params: CrossbarWriteParams, level: float, *, delay: float) -> list[tuple[float, float]]:
    """Edges of a line: up `delay` after the slot's first edge, down `delay` before its last."""
    pulse, steps = params.pulse, []
    for index in range(params.pulses):
        begin = index * params.t_slot + pulse.t_rise
        end = begin + 3 * pulse.t_rise + pulse.t_pulse
        steps += [(begin + delay, level), (end - delay, 0.0)]
    return steps


def _outputs(params: CrossbarWriteParams) -> tuple[Output, ...]:
    bar, row, col = params.crossbar, params.selection.row, params.selection.col
    lines = (f"row_{row}", f"col_{col}")
    return (
        *state_outputs(bar),
        *(Output(f"v_{line}", f"v({line})", "V", f"selected {line[:3]}, at its port") for line in lines),
        *(Output(f"i_{line}", f"i(v_{line})", "A", f"current into the driver of {line}") for line in lines),
    )


def neighbour_measures(
    bar: CrossbarParams, row: int, col: int, states: np.ndarray, *, t_stop: float
) -> tuple[Measure, ...]:
    """Return the change of state of the written cell and of one neighbour of each kind, where the array has it.

    Parameters
    ----------
    row, col : int
        The written cell.
    states : ndarray (R, C)
        States at the start.
    t_stop : float
        End of the simulation [s]; states are taken just before it.
    """
    other_row, other_col = (row + 1) % bar.rows, (col + 1) % bar.cols
    kinds = {"selected": (row, col)}
    if bar.cols > 1:
        kinds["same_row"] = (row, other_col)
    if bar.rows > 1:
        kinds["same_col"] = (other_row, col)
    if bar.rows > 1 and bar.cols > 1:
        kinds["unselected"] = (other_row, other_col)
    measures: list[Measure] = []
    for kind, (i, j) in kinds.items():
        find = f"find v(s_{i}_{j}) at={0.999 * t_stop:.6e}"
        measures.append(Measure(f"s_{kind}", find, "1", f"state of cell ({i}, {j}) after the pulses"))
        change = f"param='s_{kind} - {states[i, j]:.9g}'"
        measures.append(Measure(f"ds_{kind}", change, "1", "its change"))
    return tuple(measures)


def state_outputs(bar: CrossbarParams) -> tuple[Output, ...]:
    """Return the state of every cell as outputs."""
    return tuple(
        Output(f"s_{i}_{j}", f"v(s_{i}_{j})", "1", f"state of cell ({i}, {j})")
        for i, j in np.ndindex(bar.rows, bar.cols)
    )


CATALOG = {
    "crossbar_write": CatalogEntry(
        CrossbarWriteParams,
        array_write,
        "small crossbar, every state moving: one cell written, its neighbours gated, at V/2 or at V/3",
    ),
}
