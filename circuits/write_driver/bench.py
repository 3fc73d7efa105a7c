"""Benches of the write driver: a staircase (SET or RESET) and a train of equal pulses, a read around every pulse."""

from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams, Polarity, dynamic_cell, held_cell
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.write_driver.driver import SUPPLIES, T_START, PulseTiming, WriteDriverParams, add_write_driver
from rramkit.circuits.write_driver.lines import Far, Interval
from rramkit.parameters import Parameters, quantity

# A tenth of the tolerance of the bare cell's benches buys a quarter of their points: the two hundred transistors switch
# in picoseconds, and the state, which `t_step` resolves, moves by 2e-5 between the two.
OPTIONS = "method=gear reltol=1e-3 abstol=1e-12 vntol=1e-6 chgtol=1e-15"

# Where no state moves: levels and energies of a pulse need no such fineness. Measured against OPTIONS on lines of 96
# cells: 0.3 mV, 0.5 % of the energy, in half the points.
TRAIN_OPTIONS = OPTIONS.replace("chgtol=1e-15", "chgtol=1e-14 trtol=20")


class DriverWriteParams(Parameters):
    """Pulses through the driver; equal codes make a train of fixed amplitude."""

    cell: CellParams = CellParams()
    driver: WriteDriverParams = WriteDriverParams()
    polarity: Polarity = quantity("set", "1", "set steps `driver.set_line`, reset the source line")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    code_first: int = quantity(0, "1", "code of the first pulse", ge=0, le=1023)
    code_last: int = quantity(63, "1", "code of the last pulse", ge=0, le=1023)
    pulses: int = quantity(8, "1", "number of pulses", ge=1, le=1000)
    t_pulse: float = quantity(50e-9, "s", "width of a pulse", ge=5e-9, le=1e-3)
    t_read: float = quantity(10e-9, "s", "duration of a read", ge=3e-9, le=1e-6)
    t_step: float = quantity(0.2e-9, "s", "largest time step of the simulation", ge=1e-13, le=1e-8)

    @property
    def codes(self) -> np.ndarray:
        """Code of each pulse, (P,)."""
        return np.round(np.linspace(self.code_first, self.code_last, self.pulses)).astype(int)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        most = 2**self.driver.converter.bits - 1
        if max(self.codes) > most:
            raise ValueError(f"a code must be at most 2^bits - 1 = {most}: lower code_first, code_last or raise bits")
        return self

    @property
    def amplitudes(self) -> np.ndarray:
        """Amplitude that each pulse's code stands for, (P,) [V]."""
        return np.array([self.driver.amplitude(int(code), self.polarity) for code in self.codes])

    @property
    def t_slot(self) -> float:
        """Time from one read to the next [s]: read, time for the step to settle, pulse, 9 dead times between them."""
        return self.t_read + self.t_write

    @property
    def t_write(self) -> float:
        """Time [s] from one pulse to the next where no read lies between: the step settles, pulse, 9 dead times."""
        return self.t_pulse + self.driver.t_lead + 9 * self.driver.switch.t_dead

    def read_interval(self, index: int) -> Interval:
        """Return when read number `index` (0: before the first pulse) begins and ends [s]."""
        begin = T_START + index * self.t_slot
        return begin, begin + self.t_read

    def pulse_interval(self, index: int) -> Interval:
        """Return when pulse number `index` begins and ends [s]."""
        begin = self.read_interval(index)[1] + self.driver.t_lead + 5 * self.driver.switch.t_dead
        return begin, begin + self.t_pulse

    def window(self, index: int) -> Interval:
        """Return the window [s] of a pulse that counts its energy: from its step's begin to its last edge."""
        begin, end = self.pulse_interval(index)
        return begin - self.driver.t_lead - self.driver.switch.t_dead, end + 3 * self.driver.switch.t_dead

    def t_read_at(self, index: int) -> float:
        """Return the time [s] at which read number `index` is taken, settled."""
        return self.read_interval(index)[0] + 0.95 * self.t_read

    @property
    def schedule(self) -> PulseTiming:
        """What the driver is to do when; a code changes as soon as the read before its pulse has ended."""
        codes = [(self.read_interval(k)[1], int(code)) for k, code in enumerate(self.codes)]
        return PulseTiming(
            reads=tuple(self.read_interval(k) for k in range(self.pulses + 1)),
            pulses=tuple(self.pulse_interval(k) for k in range(self.pulses)),
            codes=((0.0, int(self.codes[0])), *codes),
        )

    @property
    def t_stop(self) -> float:
        """End of the simulation [s]."""
        return self.read_interval(self.pulses)[1] + 5 * self.driver.switch.t_dead


def driven_write(params: DriverWriteParams, *, held: bool = False) -> Deck:
    """Return a `.tran` deck of the pulses through the real driver; `held`: the written cell's state stands still."""
    circuit = Circuit("write driver")
    far = add_write_driver(circuit, params.driver, params.cell, polarity=params.polarity, when=params.schedule)
    add_written_cell(circuit, far, params, held=held)
    return Deck(
        title=f"Write driver: {params.polarity}, {params.pulses} pulses, lines of {params.driver.lines.cells} cells",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".tran {params.t_step} {params.t_stop:.9e} 0 {params.t_step} uic",
        outputs=driver_outputs(far, held=held),
        measures=read_measures(params) if params.schedule.reads else (),
        options=TRAIN_OPTIONS if held else OPTIONS,
    )


class DriverResetParams(DriverWriteParams):
    """The same with a RESET staircase from LRS by default."""

    polarity: Polarity = quantity("reset", "1", "set steps `driver.set_line`, reset the source line")
    state: float = quantity(0.95, "1", "state at the start", ge=0, le=1)


class DriverPulseParams(DriverWriteParams):
    """A train of pulses of one amplitude (the code's) and width."""

    code_first: int = quantity(40, "1", "code of every pulse", ge=0, le=1023)
    code_last: int = quantity(63, "1", "not used here: every pulse has code_first", ge=0, le=1023)
    pulses: int = quantity(6, "1", "number of pulses", ge=1, le=1000)
    t_pulse: float = quantity(20e-9, "s", "width of a pulse", ge=5e-9, le=1e-3)

    @property
    def codes(self) -> np.ndarray:
        """Code of each pulse, (P,): all the same."""
        return np.full(self.pulses, self.code_first)


class CodeTrainParams(DriverWriteParams):
    """Pulses of any codes, one after the other, no read between: what the tables are measured on."""

    pulses: int = quantity(2, "1", "number of pulses: as many as codes", ge=1, le=1000)
    code_list: tuple[int, ...] = quantity((0, 63), "1", "code of each pulse")

    @property
    def codes(self) -> np.ndarray:
        """Code of each pulse, (P,)."""
        return np.array(self.code_list)

    @property
    def t_slot(self) -> float:
        """Time from one pulse to the next [s]."""
        return self.t_write

    def read_interval(self, index: int) -> Interval:
        """Return where a read would lie [s]: it takes no time."""
        begin = T_START + index * self.t_slot
        return begin, begin

    def window(self, index: int) -> Interval:
        """Return the window [s] that counts a pulse's energy: its whole slot, so that a train leaves nothing out."""
        begin, _ = self.read_interval(index)
        return begin, begin + self.t_slot

    @property
    def schedule(self) -> PulseTiming:
        """The pulses and their codes; no reads."""
        return replace(super().schedule, reads=())

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.code_list) != self.pulses or min(self.code_list) < 0:
            raise ValueError(f"code_list must be {self.pulses} codes, 0 or more, one for each pulse")
        return self


def add_written_cell(circuit: Circuit, far: Far, params: DriverWriteParams, *, held: bool = False) -> None:
    """Put the cell at the far ends, behind the ammeter `v_cell`: its state moves, or is `held`."""
    circuit.V("_cell", far.bl, "bl_cell", 0)
    if held:
        circuit.subcircuit(held_cell(params.cell))
        circuit.X("_cell", "cell_1t1r_held", "bl_cell", far.wl, far.sl, s_0=params.state)
    else:
        circuit.subcircuit(dynamic_cell(params.cell))
        circuit.X("_cell", "cell_1t1r", "bl_cell", far.wl, far.sl, "s", s_0=params.state)


def driver_outputs(far: Far, *, held: bool = False) -> tuple[Output, ...]:
    """Return the vectors that the measures of a driver's pulses need; a held state is none of them."""
    state = () if held else (Output("state", "v(s)", "1", "normalised filament thickness"),)
    return (
        *state,
        Output("v_wl", f"v({far.wl})", "V", "word line, far end"),
        Output("v_bl", "v(bl_cell)", "V", "bit line, far end"),
        Output("v_sl", f"v({far.sl})", "V", "source line, far end"),
        Output("v_bl_near", "v(bl)", "V", "bit line at its driver"),
        Output("v_sl_near", "v(sl)", "V", "source line at its driver"),
        Output("v_inhibited", "v(inhibit)", "V", "bit line of the row's other cells"),
        Output("v_rail", "v(rail)", "V", "the buffer's output"),
        Output("v_dac", "v(dac)", "V", "the converter's output"),
        Output("i_cell", "i(v_cell)", "A", "cell current, out of the bit line"),
        Output("v_inhibit", "v(vinhibit)", "V", "inhibit rail"),
        *(Output(f"i_{name}", f"i(v_{name})", "A", f"current into supply {name}") for name in SUPPLIES),
    )


def read_measures(params: DriverWriteParams) -> tuple[Measure, ...]:
    """Return a read current before, between and after the pulses."""
    names = ["before any pulse", *(f"after {v:.4g} V" for v in params.amplitudes)]
    return tuple(
        Measure(f"i_read_{k}", f"find i(v_read) at={params.t_read_at(k):.6e}", "A", f"read current {name} (negative)")
        for k, name in enumerate(names)
    )


CATALOG = {
    "write_driver_set": CatalogEntry(
        DriverWriteParams,
        driven_write,
        "transistor write driver, loaded lines, 1T1R cell: SET staircase on the word line",
    ),
    "write_driver_reset": CatalogEntry(
        DriverResetParams,
        driven_write,
        "transistor write driver, loaded lines, 1T1R cell: RESET staircase on the source line",
    ),
    "write_driver_pulses": CatalogEntry(
        DriverPulseParams,
        driven_write,
        "transistor write driver: pulses of one amplitude, of programmable width and count",
    ),
}
