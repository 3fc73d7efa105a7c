"""Write of one cell of a 1T1R array through the transistor write driver, every line with its wires, every state moving.

The driver of `write_driver` at the ports of the array of `crossbar`, in the place of its lines of lumps ::

    sl, wl      source line and word line of the selected row
    bl          bit line of the selected column
    inhibit     the bit lines of all other columns, side by side
    ground      source lines and word lines of the other rows, each through the resistance `r_idle` of its pull-down

So cells of the selected row are open and see what the inhibited bit lines leave; cells of the selected column are
closed and see the whole bit line; all others see nothing. Behind an ammeter stands the written cell, in each line of
the driver another one: what the driver delivers less what wires and cell take is an energy balance.
"""

from typing import Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import Polarity
from rramkit.circuits.crossbar import CrossbarParams, add_crossbar
from rramkit.circuits.crossbar_write import check_size, neighbour_measures, state_outputs
from rramkit.circuits.deck import CatalogEntry, Deck, Output
from rramkit.circuits.write_driver import OPTIONS, DriverPulseParams, WriteDriverParams, add_line_drivers, read_measures
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

LINES = {"bl": "bit line", "wl": "word line", "sl": "source line", "inhibit": "inhibited bit lines"}
"""Lines of the driver, and what a person calls them."""


class CrossbarDriverWriteParams(Parameters):
    """A 1T1R array, the driver at its ports, and the cell that it writes."""

    crossbar: CrossbarParams = CrossbarParams(rows=4, cols=4)
    driver: WriteDriverParams = WriteDriverParams()
    polarity: Polarity = quantity("set", "1", "set steps `driver.set_line`, reset the source line")
    row: int = quantity(
        0, "1", "row of the written cell; row 0 is the farthest from the columns' drivers", ge=0, le=1023
    )
    col: int = quantity(
        3, "1", "column of the written cell; column 0 is the nearest to the rows' drivers", ge=0, le=1023
    )
    state: float = quantity(0.7, "1", "state of the written cell at the start", ge=0, le=1)
    state_others: float = quantity(0.7, "1", "state of all other cells at the start", ge=0, le=1)
    code: int = quantity(40, "1", "code of every pulse", ge=0, le=1023)
    pulses: int = quantity(1, "1", "number of pulses, a read before, between and after them", ge=1, le=1000)
    t_pulse: float = quantity(50e-9, "s", "width of a pulse", ge=5e-9, le=1e-3)
    t_read: float = quantity(10e-9, "s", "duration of a read", ge=3e-9, le=1e-6)
    t_step: float = quantity(0.4e-9, "s", "largest time step of the simulation", ge=1e-13, le=1e-8)
    r_idle: float = quantity(
        50.0, "ohm", "pull-down of a line that is not selected, or its inhibiting switch", ge=1, le=1e5
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        bar = self.crossbar
        if bar.cell_kind != "1T1R" or bar.row_line != "source" or bar.gating != "row":
            raise ValueError(
                "the driver writes 1T1R cells, whose rows are source lines with a word line each: `crossbar` must have "
                "cell_kind 1T1R, row_line source, gating row"
            )
        if self.driver.lines != WriteDriverParams().lines:  # they would do nothing
            raise ValueError(
                "`driver.lines` are lumps around a single cell, and the array has wires of its own, `crossbar.wires`. "
                "Leave `driver.lines` out"
            )
        if self.row >= bar.rows or self.col >= bar.cols:
            raise ValueError(
                f"row and col, counted from 0, must lie within {bar.rows} x {bar.cols}; got {self.row}, {self.col}"
            )
        most = 2**self.driver.converter.bits - 1
        if self.code > most:
            raise ValueError(
                f"code must be at most 2^bits - 1 = {most}; got {self.code}. Lower it, or raise `driver.converter.bits`"
            )
        return self

    @property
    def train(self) -> DriverPulseParams:
        """The same pulses through the same driver at a single cell: their times, codes and amplitudes."""
        return DriverPulseParams(
            cell=self.crossbar.cell,
            driver=self.driver,
            polarity=self.polarity,
            state=self.state,
            code_first=self.code,
            pulses=self.pulses,
            t_pulse=self.t_pulse,
            t_read=self.t_read,
            t_step=self.t_step,
        )

    def start_states(self) -> np.ndarray:
        """Return the states (R, C) at the start."""
        states = np.full((self.crossbar.rows, self.crossbar.cols), self.state_others)
        states[self.row, self.col] = self.state
        return states


def crossbar_driver_write(params: CrossbarDriverWriteParams) -> Deck:
    """Return a `.tran` deck of the pulses: state of every cell, currents and voltages at the driver and at the cell.

    Raises
    ------
    InputError
        When the array is larger than behavioural, or compiled, cells allow.
    """
    bar, train, states = params.crossbar, params.train, params.start_states()
    check_size(bar)
    if bar.cols < 2:
        raise InputError(f"`crossbar.cols` must be 2 or more: the driver has lines that it inhibits; got {bar.cols}.")
    circuit = Circuit("array write through the driver")
    add_line_drivers(circuit, _of_array(params), bar.cell, polarity=params.polarity, when=train.schedule)
    add_crossbar(circuit, bar, states, static=False, moving=True, metered=(params.row, params.col))
    _join_ports(circuit, params)
    return Deck(
        title=f"{bar.rows} x {bar.cols} 1T1R array: {params.polarity} of one cell through the write driver",
        parameters=params,
        circuit=circuit,
        libraries=bar.libraries,
        analysis=f".tran {params.t_step} {train.t_stop:.9e} 0 {params.t_step} uic",
        outputs=_outputs(params),
        measures=(
            *read_measures(train),
            *neighbour_measures(bar, params.row, params.col, states, t_stop=train.t_stop),
        ),
        options=OPTIONS,
    )


def _of_array(params: CrossbarDriverWriteParams) -> WriteDriverParams:
    """Return the driver with switches for as many inhibited bit lines as this array has."""
    lines = params.driver.lines.model_copy(update={"cells": params.crossbar.cols})
    return params.driver.model_copy(update={"lines": lines})


def _join_ports(circuit: Circuit, params: CrossbarDriverWriteParams) -> None:
    """Join the driver's lines to the selected ports, each behind an ammeter, and the other ports to what holds them."""
    ports = {"bl": f"col_{params.col}", "wl": f"word_{params.row}", "sl": f"row_{params.row}", "inhibit": "inhibited"}
    for line in LINES:
        circuit.V(f"_port_{line}", line, ports[line], 0)
    for j in range(params.crossbar.cols):
        if j != params.col:
            circuit.R(f"_idle_col_{j}", "inhibited", f"col_{j}", params.r_idle)
    for i in range(params.crossbar.rows):
        if i != params.row:
            circuit.R(f"_idle_row_{i}", f"row_{i}", circuit.gnd, params.r_idle)
            circuit.R(f"_idle_word_{i}", f"word_{i}", circuit.gnd, params.r_idle)


def _outputs(params: CrossbarDriverWriteParams) -> tuple[Output, ...]:
    bar, row, col = params.crossbar, params.row, params.col
    source = f"row_{row}_{col}" if col > 0 and bar.segment("row").r > 0 else f"row_{row}"
    word = f"word_{row}_{col}" if col > 0 and bar.segment("word").r > 0 else f"word_{row}"
    return (
        *state_outputs(bar),
        *(Output(f"v_port_{line}", f"v({line})", "V", f"{words}, at the driver") for line, words in LINES.items()),
        *(
            Output(f"i_port_{line}", f"i(v_port_{line})", "A", f"current of the driver into the {words}")
            for line, words in LINES.items()
        ),
        Output("i_read", "i(v_read)", "A", "current into the supply of reads"),
        # last, and so in front in a picture, where those of the driver would hide them
        Output("v_bl", "v(bit_cell)", "V", "bit line at the written cell"),
        Output("v_wl", f"v({word})", "V", "word line at the written cell"),
        Output("v_sl", f"v({source})", "V", "source line at the written cell"),
        Output("i_cell", "i(v_cell)", "A", "current of the written cell, out of its bit line"),
    )


CATALOG = {
    "crossbar_driver_write": CatalogEntry(
        CrossbarDriverWriteParams,
        crossbar_driver_write,
        "1T1R array with its wires, every state moving: one cell written through the transistor write driver",
    ),
}
