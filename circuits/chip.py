"""The chip: the one electrical budget of the default design; `tests/circuits/test_chip.py` holds every plan to it.

Array: rows are source lines, columns bit lines, word lines run along the rows. All lines rest at `v_rest`, the clamp of
the readouts; a read pulls the driven lines down by 0 to `v_read` (`cell`). A forward read drives rows and senses bit
lines, a backward one the other way round, through the same drivers, switches and readouts.

Capacitance of a line, for each cell of it, by an AC analysis of the access transistors with drain and source strips
(`line_capacitance`), and the wire's own::

    source line     8.8 fF    gate open: channel, overlaps and both junctions; gate closed 2.4 fF
    bit line        2.7 fF    gate closed, through the ReRAM; gate open 0: the source line holds the drain
    word line       3.9 fF    gate open; closed 2.0 fF

On each line stand two line switches (to driver and readout): the closed one with its channel, the open one with a
junction. So a bit line is 0.5 pF and a source line 1.2 pF. What the write driver adds is not counted, and the ReRAM's
own capacitance is in no model here.

Currents. The largest that an array can send, every cell at `g_max` and every row at `v_read`, is more than twice the
full scale of the readout's largest range; arrays that were trained send up to `i_trained`. The budget is for these:
what exceeds the full scale is clipped by the readout and counted by the array model.

All of it is this kit's choice but what `cell` says of the device.
"""

from typing import Literal

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams
from rramkit.circuits.deck import Deck, Output
from rramkit.circuits.line_switch import LineSwitchParams
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.wires import TCR
from rramkit.parameters import Parameters, quantity

ChipLine = Literal["source", "bit", "word"]
F_AC = 1e6  # Hz: far below 1/(2 pi R C) of a cell of 250 kohm


class ChipParams(Parameters):
    """Numbers that more than one circuit has to agree on."""

    cell: CellParams = CellParams()
    line_switch: LineSwitchParams = LineSwitchParams()
    rows: int = quantity(65, "1", "rows: source lines", ge=1, le=1024)
    cols: int = quantity(96, "1", "physical columns: bit lines, two to a pair", ge=2, le=1024)
    g_min: float = quantity(4e-6, "S", "lowest conductance of the window", gt=0, le=1e-3)
    g_max: float = quantity(80e-6, "S", "highest conductance of the window", gt=0, le=1e-3)
    r_segment: float = quantity(1.0, "ohm", "wire of a row or a column for each cell", ge=0, le=1e3)
    tcr: float = quantity(TCR, "1/K", "its change with temperature: copper, textbook value", ge=0, le=0.02)
    c_source: float = quantity(9.1e-15, "F", "source line for each cell, gate open", gt=0, le=1e-12)
    c_bit: float = quantity(3e-15, "F", "bit line for each cell, gate closed", gt=0, le=1e-12)
    c_word: float = quantity(4.2e-15, "F", "word line for each cell, gate open", gt=0, le=1e-12)
    c_switch_closed: float = quantity(220e-15, "F", "a closed line switch, both of its sides", gt=0, le=1e-11)
    c_switch_open: float = quantity(66e-15, "F", "an open line switch, one side", gt=0, le=1e-11)

    v_rest: float = quantity(0.3, "V", "lines at rest: the clamp of the readouts", gt=0, le=1)
    v_read: float = quantity(0.1, "V", "largest pull below it, at which conductances are defined", gt=0, le=0.3)
    v_word: float = quantity(3.3, "V", "open word line during a read", gt=0, le=3.6)
    v_write: float = quantity(3.3, "V", "supply of the write path; word line during RESET", gt=0, le=3.6)
    row_bits: int = quantity(5, "1", "resolution of the row driver", ge=1, le=8)
    r_row_driver: float = quantity(15.0, "ohm", "output resistance of the row driver at most", gt=0, le=1e3)
    r_line_switch: float = quantity(30.0, "ohm", "resistance of a closed line switch at most", gt=0, le=1e3)

    r_feedback: tuple[float, ...] = quantity((3.5e3, 7e3, 14e3, 28e3), "ohm", "the readout's gain settings, rising")
    v_out_full: float = quantity(1.0, "V", "the readout's output at full scale; at rest it is `v_rest`", gt=0, le=2)
    i_trained: float = quantity(125e-6, "A", "largest current of a column of arrays that were trained", gt=0, le=1e-2)
    adc_bits: int = quantity(8, "1", "resolution of the converter", ge=1, le=12)
    adc_v_low: float = quantity(
        0.28, "V", "begin of the converter's range, below rest by more than three offsets", ge=0
    )
    adc_v_high: float = quantity(1.0, "V", "end of it", gt=0, le=2)

    t_row: float = quantity(2e-9, "s", "for a driven line to settle at its far end, at most", gt=0, le=1e-6)
    t_read: float = quantity(40e-9, "s", "from the drivers' edge to the sample, at most", gt=0, le=1e-6)
    t_conversion: float = quantity(25e-9, "s", "one conversion with its sample, at most", gt=0, le=1e-6)
    write_bits: int = quantity(6, "1", "resolution of the write driver", ge=1, le=8)
    t_pulse: float = quantity(50e-9, "s", "a write pulse, without its edges", gt=0, le=1e-6)
    t_write_slot: float = quantity(120e-9, "s", "a write slot with lead and dead times, at most", gt=0, le=1e-5)

    @property
    def pairs(self) -> int:
        """Return how many pairs of columns there are."""
        return self.cols // 2

    @property
    def units(self) -> int:
        """Return how many sense units there are: unit k serves columns 2k, 2k + 1 and rows 2k, 2k + 1."""
        return max(self.pairs, (self.rows + 1) // 2)

    @property
    def c_switches(self) -> float:
        """Return the capacitance of a line's two switches, one of them closed [F]."""
        return self.c_switch_closed + self.c_switch_open

    @property
    def c_source_line(self) -> float:
        """Return the capacitance of a whole source line (row) [F]."""
        return self.cols * self.c_source + self.c_switches

    @property
    def c_bit_line(self) -> float:
        """Return the capacitance of a whole bit line (column) [F]."""
        return self.rows * self.c_bit + self.c_switches

    @property
    def c_word_line(self) -> float:
        """Return the capacitance of a whole word line [F]."""
        return self.cols * self.c_word

    @property
    def i_largest(self) -> float:
        """Return the largest current that a column can be sent, wires apart [A]: a bound that no array reaches."""
        return self.rows * self.g_max * self.v_read

    def i_full(self, r_feedback: float) -> float:
        """Return the full scale of a gain setting [A]."""
        return (self.v_out_full - self.v_rest) / r_feedback

    @property
    def i_range(self) -> float:
        """Return the full scale of the largest range [A]."""
        return self.i_full(min(self.r_feedback))

    @property
    def clipped_above(self) -> float:
        """Return the part of the largest possible current that the largest range takes (1): above it is clipped."""
        return self.i_range / self.i_largest

    @property
    def lsb(self) -> float:
        """Return a step of the converter [V]."""
        return (self.adc_v_high - self.adc_v_low) / 2**self.adc_bits

    @property
    def code_rest(self) -> float:
        """Return the code of a line without current: codes are taken relative to it, unit by unit."""
        return (self.v_rest - self.adc_v_low) / self.lsb

    @property
    def t_pair(self) -> float:
        """Return the time in which a sense unit reads both halves of a pair [s]."""
        return 2 * (self.t_read + self.t_conversion)


def line_capacitance(params: ChipParams, line: ChipLine, *, gate_open: bool, g_cell: float = 20e-6) -> Deck:
    """Return an `.ac` deck of a line with its access transistors, strips and all; the line's source drives 1 V.

    A source or word line has a transistor for each column, a bit line one for each row. Their capacitance is
    -Im(i)/(2 pi F_AC), to be divided by the cells and added to the wire's.
    """
    circuit, cell = Circuit("line capacitance"), params.cell
    draw = Netlister(circuit, cell.technology)
    levels = {"bit": params.v_rest, "source": params.v_rest, "word": params.v_word if gate_open else 0.0}
    for name, level in levels.items():
        circuit.raw_spice += f"V_{name} {name} 0 dc {level:.9g}{' ac 1' if name == line else ''}\n"
    for k in range(params.rows if line == "bit" else params.cols):
        pins = (f"drain_{k}", "word", "source", 0)
        draw.mosfet(f"_access_{k}", pins, cell.access, w=cell.w_access, length=cell.l_access)
        circuit.R(f"_cell_{k}", "bit", f"drain_{k}", 1 / g_cell)
    return Deck(
        title=f"Capacitance of a {line} line, gates {'open' if gate_open else 'closed'}",
        parameters=params,
        circuit=circuit,
        libraries=(cell.technology.library,),
        analysis=f".ac lin 1 {F_AC:g} {F_AC:g}",
        outputs=(Output("i_line", f"i(v_{line})", "A", "current into the line's source"),),
    )


def switch_capacitance(params: ChipParams, *, closed: bool) -> Deck:
    """Return an `.ac` deck of one line switch at rest, its line driven with 1 V; an open one's far side is open too."""
    circuit, technology = Circuit("switch capacitance"), params.line_switch.technology
    circuit.raw_spice += f"V_line line 0 dc {params.v_rest:.9g} ac 1\n"
    circuit.V("_gate", "gate", circuit.gnd, technology.v_io if closed else 0.0)
    circuit.R("_far", "far", circuit.gnd, 1e12)
    pins = ("line", "gate", "far", 0)
    Netlister(circuit, technology).mosfet("_switch", pins, "nmos_io", w=params.line_switch.w_switch)
    return Deck(
        title=f"Capacitance of a line switch, {'closed' if closed else 'open'}",
        parameters=params,
        circuit=circuit,
        libraries=(technology.library,),
        analysis=f".ac lin 1 {F_AC:g} {F_AC:g}",
        outputs=(Output("i_line", "i(v_line)", "A", "current into the line's source"),),
    )
