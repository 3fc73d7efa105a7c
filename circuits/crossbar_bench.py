"""Testbenches of a crossbar: static reads of many input vectors in one sweep, and one read as a transient."""

from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.array_cells import CellSpread
from rramkit.circuits.cell_bench import TRANSIENT_OPTIONS, ReadParams
from rramkit.circuits.crossbar import CrossbarParams, add_crossbar
from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.stimuli import add_sweep, staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class CrossbarReadParams(Parameters):
    """A crossbar with its drivers and its sense resistors."""

    crossbar: CrossbarParams = CrossbarParams()
    spread: CellSpread = CellSpread()
    read: ReadParams = ReadParams()
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


def example_pattern(params: CrossbarReadParams) -> tuple[np.ndarray, np.ndarray]:
    """Return seeded states (R, C) and one input vector (R or C,) [V] for a deck that was asked for without data."""
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
    circuit, driven, sensed = _with_periphery(params, states, v_word, static=True)
    _check_inputs(params, v_in, driven)
    add_sweep(circuit, v_in)
    return Deck(
        title=_title(params, f"{v_in.shape[1]} static reads"),
        parameters=params,
        circuit=circuit,
        libraries=params.crossbar.libraries,
        analysis=f".dc V_sweep 0 {v_in.shape[1] - 1} 1",
        outputs=_sense_outputs(params, sensed),
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
            "Phase longer."
        )
    circuit, driven, sensed = _with_periphery(params, states, v_word, static=False)
    _check_inputs(params, v_in[:, np.newaxis], driven)
    for index in range(driven):
        points = staircase_points([(2 * params.t_rise, float(v_in[index]))], t_rise=params.t_rise)
        circuit.PieceWiseLinearVoltageSource(f"_in_{index}", f"in_{index}", circuit.gnd, values=points)
    outputs = _sense_outputs(params, sensed)
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
) -> tuple[Circuit, int, int]:
    """Return the crossbar with read resistors, sense sources and word lines; and how many lines are in and out."""
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
        circuit.V(f"_sense_{index}", f"out_{index}", circuit.gnd, 0)
    return circuit, counts[driven], counts[sensed]


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


def _sense_outputs(params: CrossbarReadParams, sensed: int) -> tuple[Output, ...]:
    line = "col" if params.direction == "forward" else "row"
    return tuple(Output(f"i_{line}_{k}", f"i(v_sense_{k})", "A", f"current out of {line} {k}") for k in range(sensed))


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
