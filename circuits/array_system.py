"""Whole array with its periphery of transistors: static reads through row drivers, line switches, cells and readouts.

::

    rail of the code -[gate of its level]- drv_k -[line switch]- driven line k = cells = sensed line j
    sensed line j -[line switch]- bus_u, unit u = j // share, its turn; or, while it waits, - rest

    unit u      readout: bus_u at the clamp (and its offset), output out_u = clamp + i r_feedback

A read takes `share` turns, one for each line that a unit serves; at b of the sweep stands input vector b. The sweep's
first point, at -1, is no read: from it the solver starts (`_held_start`). The gates of the levels that are not selected
are left out: each is off and leaks below 1 pA. Word lines stand at the read voltage. Converters are not in it: they
work in time (`adc`), and take the outputs as their input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import ReadParams
from rramkit.circuits.crossbar import CrossbarParams, add_crossbar
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.line_switch import LineSwitchParams, line_switch
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.ota import first_guess, ota
from rramkit.circuits.readout import ReadoutParams, readout
from rramkit.circuits.row_driver import RowDriverParams
from rramkit.circuits.stimuli import add_sweep
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

# KLU's trouble with amplifiers (`circuits.periphery.bench`): 10 Tohm from every node to ground.
# With reltol = 1e-4 and 1 uV outputs are 2 uV off (7e-4 of a step of the ADC), and 60 x 84 cells take a tenth less.
OPTIONS = "reltol=1e-6 abstol=1e-13 vntol=1e-9 gmin=1e-15 rshunt=1e13"


class ArraySystemParams(Parameters):
    """A crossbar, and what drives and senses its lines in one direction."""

    crossbar: CrossbarParams = CrossbarParams()
    read: ReadParams = ReadParams()
    readout: ReadoutParams = ReadoutParams()
    driver: RowDriverParams = RowDriverParams()
    switch: LineSwitchParams = LineSwitchParams()
    direction: Literal["forward", "backward"] = quantity("forward", "1", "forward drives rows, backward columns")
    turn: int = quantity(0, "1", "which of its lines each unit senses", ge=0, le=63)
    share: int = quantity(2, "1", "neighbouring lines that one unit serves in turn", ge=1, le=64)
    points: int = quantity(3, "1", "input vectors of the example", ge=1, le=1000)
    seed: int = quantity(1, "1", "seed of the example's states and inputs", ge=0)

    @property
    def driven(self) -> int:
        """Number of driven lines."""
        return self.crossbar.rows if self.direction == "forward" else self.crossbar.cols

    @property
    def sensed(self) -> int:
        """Number of sensed lines."""
        return self.crossbar.cols if self.direction == "forward" else self.crossbar.rows

    @property
    def driven_line(self) -> Literal["row", "col"]:
        """What the nodes of the driven lines are called, before `_k`."""
        return "row" if self.direction == "forward" else "col"

    @property
    def sensed_line(self) -> Literal["row", "col"]:
        """What the nodes of the sensed lines are called, before `_j`."""
        return "col" if self.direction == "forward" else "row"

    @property
    def units(self) -> int:
        """Number of readouts, each for `share` sensed lines; the last may have fewer."""
        return -(-self.sensed // self.share)

    @property
    def lines_in_turn(self) -> tuple[int, ...]:
        """Sensed lines that are read in this turn, one for each unit."""
        return tuple(range(self.turn, self.sensed, self.share))


def system_reads(
    params: ArraySystemParams, states: np.ndarray, v_drive: np.ndarray, v_offset: Sequence[float] | np.ndarray = ()
) -> Deck:
    """Return a `.dc` deck of one turn of a read: a point to start from, then one for each input vector.

    Parameters
    ----------
    states : ndarray (R, C)
        Held state of each cell, 0 to 1.
    v_drive : ndarray (driven, B)
        How far [V] each driven line's rail lies below the rest voltage.
    v_offset : ndarray (units,), optional
        Input offset [V] of each unit's amplifier; left out: none.
    """
    bar, technology = params.crossbar, params.crossbar.cell.technology
    lines, v_rest = params.lines_in_turn, params.readout.v_clamp
    offsets = np.zeros(params.units) if len(v_offset) == 0 else np.asarray(v_offset, dtype=float)
    _check(params, v_drive, offsets)
    circuit = Circuit("array with its periphery")
    add_crossbar(circuit, bar, states, static=True)
    for block in (
        line_switch(params.switch),
        ota(params.readout.ota),
        readout(params.readout),
    ):
        circuit.subcircuit(block)
    for name, volts in (
        ("vdd_core", technology.v_core),
        ("vdd_io", technology.v_io),
        ("vdd_ota", params.readout.ota.v_dd),
        ("rest", v_rest),
    ):
        circuit.V(f"_{name}", name, circuit.gnd, volts)
    for index in range(bar.words):
        circuit.V(f"_word_{index}", f"word_{index}", circuit.gnd, params.read.v_wl)
    add_sweep(circuit, v_rest - np.pad(v_drive, ((0, 0), (1, 0))), first=-1)
    draw = Netlister(circuit, technology)
    driven, sensed = params.driven_line, params.sensed_line
    for k in range(params.driven):
        draw.mosfet(f"_level_n_{k}", (f"drv_{k}", "vdd_core", f"in_{k}", 0), "nmos_core", w=params.driver.w_gate_n)
        if params.driver.w_gate_p > 0:
            draw.mosfet(
                f"_level_p_{k}", (f"drv_{k}", "0", f"in_{k}", "vdd_core"), "pmos_core", w=params.driver.w_gate_p
            )
        circuit.X(f"_drive_{k}", "line_switch", f"drv_{k}", f"{driven}_{k}", "vdd_io", "vdd_io")
    for j in range(params.sensed):
        to = f"bus_{j // params.share}" if j in lines else "rest"
        circuit.X(f"_sense_{j}", "line_switch", f"{sensed}_{j}", to, "vdd_io", "vdd_io")
    for j in lines:
        unit = j // params.share
        circuit.V(f"_clamp_{unit}", f"clamp_{unit}", "rest", float(offsets[unit]))
        circuit.V(f"_unit_{unit}", f"bus_{unit}", f"bl_{unit}", 0)
        circuit.X(f"_unit_{unit}", "readout", f"bl_{unit}", f"clamp_{unit}", f"out_{unit}", circuit.gnd, "vdd_ota")
    circuit.raw_spice += "".join(_held_start(params))
    return Deck(
        title=f"{bar.rows} x {bar.cols} array with its periphery, {params.direction}: {v_drive.shape[1]} static reads",
        parameters=params,
        circuit=circuit,
        libraries=tuple(dict.fromkeys((*bar.libraries, technology.library))),
        analysis=f".dc V_sweep -1 {v_drive.shape[1] - 1} 1",
        outputs=(
            *(Output(f"v_out_{j // params.share}", f"v(out_{j // params.share})", "V", f"{sensed} {j}") for j in lines),
            *(
                Output(f"i_{j // params.share}", f"i(v_unit_{j // params.share})", "A", f"current into {sensed} {j}")
                for j in lines
            ),
            Output("i_vdd_ota", "i(v_vdd_ota)", "A", "current into the readouts' supply"),
        ),
        options=OPTIONS,
        swept="input vector (1)",
    )


def _held_start(params: ArraySystemParams) -> Iterator[str]:
    """Yield what holds one end of every line at the clamp, and the amplifiers' gain nodes, at the sweep's first point.

    From 0 V ngspice finds the operating point of amplifiers round an array by stepping gmin alone, in 1,000 to 2,000
    iterations; from a first guess of the lines in 60 to 800, and after 100 it steps gmin; from this one in 20,
    whatever the size. Switches hold the nodes, of 1 ohm at the first point and 1000 Tohm at every other: for each
    `.nodeset` ngspice looks through the whole matrix at each iteration, and 60 x 84 cells take twice as long.
    """
    bar = params.crossbar
    guesses = dict.fromkeys([f"row_{k}" for k in range(bar.rows)] + [f"col_{j}" for j in range(bar.cols)], "rest")
    yield "B_hold hold 0 v = v(sweep) < -0.5 ? 1 : 0\n.model hold sw vt=0.5 vh=0 ron=1 roff=1e15\n"
    for node, volts in first_guess(params.readout.ota).items():
        yield f"V_guess_{node} guess_{node} 0 {volts:.9g}\n"
        for line in params.lines_in_turn:
            guesses[f"x_unit_{line // params.share}.x_ota.{node}"] = f"guess_{node}"
    for k, (node, guess) in enumerate(guesses.items()):
        yield f"S_hold_{k} {node} {guess} hold 0 hold on\n"


def _check(params: ArraySystemParams, v_drive: np.ndarray, offsets: np.ndarray) -> None:
    if v_drive.ndim != 2 or v_drive.shape[0] != params.driven or v_drive.shape[1] < 1:
        raise InputError(
            f"`v_drive` must be ({params.driven}, B) in volt; got {v_drive.shape}. One row for each driven line."
        )
    if offsets.shape != (params.units,):
        raise InputError(f"`v_offset` must be ({params.units},) in volt; got {offsets.shape}. One for each unit.")
    if params.read.v_rest != params.readout.v_clamp:
        raise InputError(
            f"`read.v_rest` must be `readout.v_clamp`, {params.readout.v_clamp:g} V, at which a readout holds its "
            f"line; got {params.read.v_rest:g} V. Pass one value for both."
        )
    if params.turn >= min(params.share, params.sensed):
        raise InputError(f"`turn` must be below `share` = {params.share}; got {params.turn}. Pass 0 to share - 1.")


def example(params: ArraySystemParams) -> Deck:
    """Return reads of seeded states and inputs; every unit's output for the last input is measured."""
    rng, bar = np.random.default_rng(params.seed), params.crossbar
    states = rng.uniform(0.5, 0.95, (bar.rows, bar.cols))
    deck = system_reads(params, states, rng.uniform(0, params.read.v_max, (params.driven, params.points)))
    measures = tuple(
        Measure(f"v_out_{unit}_last", f"find v(out_{unit}) at={params.points - 1}", "V", f"output of unit {unit}")
        for unit in (line // params.share for line in params.lines_in_turn)
    )
    return replace(deck, measures=measures)


CATALOG = {
    "array_system": CatalogEntry(
        ArraySystemParams,
        example,
        "whole array with row drivers, switches and readouts of transistors: static reads",
    ),
}
