"""The transposable array: a crossbar whose one periphery serves forward, backward, update and memory modes.

This kit's choice of what is shared (`reuse`): row k and column k never need a converter at the same time, nor a sense
unit, so that with reuse bank k has one of each for both; without it rows and columns have their own. Switches are
transistors (`switches` io or core; the DAC's are core) or ideal; the DAC is a selector of `levels` reference rails.

::

    rail_0..L-1 -[DAC switches]- dac_B -[drive]- row_i or col_j -[sense]- bus_U - sense unit
                                    rail_write -[write]-'  '-[ground]- 0, or rail_rest
    rail_word -[word driver]- word_i

Sense units: `sense`. With the ideal one lines rest at 0 V; with the transimpedance one at its clamp while
something is read, on `rail_rest`, and inputs go down from there. Behavioural, by ideal sources: the subtraction of
neighbouring units v(sub_n) = r_t (i(2n) - i(2n+1)), i the cells' current (transimpedance: from the outputs), the
activation v(act_n) = 1/(1 + exp(-v(sub_n)/v_act)) and its derivative v(der_n) = act (1 - act), both in units of 1 V.
With `subtract` digital none of the three is in the netlist: the difference is then one of the codes that converters of
transistors (`convert` sar: `convert`) give. Which switch is closed when: `modes`.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import SIX_BIT, ConversionParams
from rramkit.circuits.crossbar import CrossbarParams, add_crossbar
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.mosfet import SwitchKind, transmission_gate, word_driver
from rramkit.circuits.periphery.modes import SWITCHES
from rramkit.circuits.periphery.sense import (
    AMPLIFIER,
    C_FEEDBACK,
    SenseBlock,
    SenseKind,
    add_converters,
    probe,
    transimpedance,
)
from rramkit.circuits.readout import ReadoutParams
from rramkit.parameters import Parameters, quantity

Side = Literal["row", "col"]
SIDES: tuple[Side, ...] = ("row", "col")


class PeripheryParams(Parameters):
    """A crossbar and the periphery round it."""

    crossbar: CrossbarParams = CrossbarParams(rows=3, cols=4)
    switches: SwitchKind = quantity("io", "1", "lines' switches: thick-oxide, core (no writing) or ideal")
    w_switch: float = quantity(20e-6, "m", "width of a line switch's n transistor", ge=0.1e-6, le=1e-4)
    w_dac: float = quantity(5e-6, "m", "width of a DAC switch's n transistor", ge=0.1e-6, le=1e-4)
    w_word: float = quantity(2e-6, "m", "width of a word driver's n transistor", ge=0.1e-6, le=1e-4)
    r_switch: float = quantity(100.0, "ohm", "resistance of an ideal switch", gt=0, le=1e5)
    levels: int = quantity(4, "1", "read levels of a DAC, zero among them", ge=2, le=64)
    v_read: float = quantity(0.2, "V", "largest read level", ge=0.02, le=0.3)
    sense: SenseKind = quantity("ideal", "1", "sense units: probes of 0 V, or transistor readouts at their clamp")
    r_sense: float = quantity(50.0, "ohm", "input resistance of an ideal sense unit", gt=0, le=1e5)
    readout: ReadoutParams = ReadoutParams(ota=AMPLIFIER, r_feedback=8e3, c_feedback=C_FEEDBACK, bank=0)
    share: int = quantity(1, "1", "lines of a side to each sense unit", ge=1, le=64)
    reuse: bool = quantity(True, "1", "rows and columns share converters and sense units")
    subtract: Literal["analog", "digital"] = quantity(
        "analog", "1", "difference of neighbouring units: ideal sources, or none here (taken of the codes)"
    )
    r_t: float = quantity(1e4, "ohm", "transimpedance of the analog subtraction", gt=0, le=1e7)
    v_act: float = quantity(0.05, "V", "voltage that the activation is scaled by", gt=0, le=10)
    convert: Literal["none", "sar"] = quantity(
        "none", "1", "what follows the readouts: nothing, or SAR converters behind multiplexers"
    )
    adc: ConversionParams = ConversionParams(sar=SIX_BIT, t_sample=10e-9)
    adc_share: int = quantity(2, "1", "sense units to each SAR converter", ge=1, le=64)
    w_mux: float = quantity(4e-6, "m", "width of a multiplexer gate's n transistor", ge=0.1e-6, le=1e-4)
    t_settle: float = quantity(20e-9, "s", "of a slot that converts: before the first conversion", ge=1e-9, le=1e-3)

    @model_validator(mode="after")
    def _rows_are_source_lines(self) -> "PeripheryParams":
        if self.crossbar.row_line != "source" or self.crossbar.gating != "row":
            raise ValueError("crossbar must have source lines and word lines along its rows; the mode table says so")
        if self.sense == "transimpedance":
            if self.readout.mode != "transimpedance":
                raise ValueError("readout must be of mode transimpedance: nothing here drives a reset switch")
            if self.readout.ota.technology != self.crossbar.cell.technology:
                raise ValueError("readout must be in the cells' technology: one deck has one library")
            if self.v_read > self.readout.v_clamp:
                raise ValueError("v_read must not exceed the readout's v_clamp: its rail would be below ground")
        if self.convert == "sar":
            if self.sense != "transimpedance":
                raise ValueError("convert = sar needs sense = transimpedance: a probe has no output to convert")
            if self.adc.sar.latch.technology != self.crossbar.cell.technology:
                raise ValueError("adc must be in the cells' technology: one deck has one library")
        return self

    @property
    def v_rest(self) -> float:
        """Return where a line that is neither driven nor written stands during a read [V]."""
        return self.readout.v_clamp if self.sense == "transimpedance" else 0.0

    @property
    def v_full(self) -> float:
        """Return the largest read level as a difference from `v_rest` [V]: up with probes, down with readouts."""
        return -self.v_read if self.sense == "transimpedance" else self.v_read

    @property
    def sense_block(self) -> SenseBlock:
        """Return what adds a sense unit."""
        return transimpedance(self.readout) if self.sense == "transimpedance" else probe(self.r_sense)

    @property
    def lines(self) -> tuple[tuple[Side, int], ...]:
        """Return every line of the array that has switches."""
        counts = {"row": self.crossbar.rows, "col": self.crossbar.cols}
        return tuple((side, index) for side in SIDES for index in range(counts[side]))

    def dac(self, side: Side, index: int) -> str:
        """Return the name of a line's DAC."""
        return f"{index}" if self.reuse else f"{side}_{index}"

    def unit(self, side: Side, index: int) -> str:
        """Return the name of a line's sense unit."""
        return f"{index // self.share}" if self.reuse else f"{side}_{index // self.share}"

    def converter(self, unit: str) -> str:
        """Return the name of a sense unit's SAR converter."""
        side, _, number = unit.rpartition("_")
        return f"{side}_{int(number) // self.adc_share}".removeprefix("_")

    @property
    def converters(self) -> tuple[str, ...]:
        """Return the names of all SAR converters."""
        return () if self.convert == "none" else tuple(dict.fromkeys(self.converter(unit) for unit in self.units))

    @property
    def dacs(self) -> tuple[str, ...]:
        """Return the names of all DACs."""
        return tuple(dict.fromkeys(self.dac(*line) for line in self.lines))

    @property
    def units(self) -> tuple[str, ...]:
        """Return the names of all sense units."""
        return tuple(dict.fromkeys(self.unit(*line) for line in self.lines))

    @property
    def libraries(self) -> tuple[ModelFile, ...]:
        """Names of the library files that a deck with this array needs."""
        cmos = self.crossbar.cell.technology.library
        none = self.switches == "ideal" and self.sense == "ideal"
        return tuple(dict.fromkeys((*self.crossbar.libraries, *(() if none else (cmos,)))))

    @property
    def moving(self) -> bool:
        """Whether the cells' states move."""
        return self.crossbar.cell_kind != "1R"

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the neighbouring sense units whose currents are subtracted."""
        for names in (self.units,) if self.reuse else (self._units("row"), self._units("col")):
            yield from zip(names[::2], names[1::2], strict=False)

    def _units(self, side: Side) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.unit(*line) for line in self.lines if line[0] == side))


def add_periphery(
    circuit: Circuit,
    params: PeripheryParams,
    values: np.ndarray,
    *,
    sense: SenseBlock | None = None,
    held: bool = False,
) -> None:
    """Add crossbar and periphery; all that is missing are the sources of its controls and rails (`bench`).

    `values` (R, C) as `add_crossbar`; `sense` in place of `params`' own units; `held`: no state moves. Controls:
    `ctl_SWITCH_LINE_k`, `ctl_dac_BANK_level`, `ctl_word_i`.
    """
    bar, technology = params.crossbar, params.crossbar.cell.technology
    add_crossbar(circuit, bar, values, static=False, moving=params.moving and not held)
    line_kind, dac_kind = params.switches, "ideal" if params.switches == "ideal" else "core"
    circuit.subcircuit(
        transmission_gate("line_switch", line_kind, technology, w_n=params.w_switch, r_on=params.r_switch)
    )
    circuit.subcircuit(transmission_gate("dac_switch", dac_kind, technology, w_n=params.w_dac, r_on=params.r_switch))
    _add_dacs(circuit, params)
    for side, index in params.lines:
        _add_line_switches(circuit, params, side, index)
    if bar.words:
        circuit.subcircuit(word_driver(technology, w_n=params.w_word))
    for i in range(bar.words):
        circuit.X(f"_word_{i}", "word_driver", f"ctl_word_{i}", f"word_{i}", "vdd_io", "rail_word")
    block = sense or params.sense_block
    for unit in params.units:
        block(circuit, unit, f"bus_{unit}")
    if params.convert == "sar":
        converter_of = {unit: params.converter(unit) for unit in params.units}
        add_converters(circuit, params.adc.sar, converter_of, technology=technology, w_mux=params.w_mux)
    if params.subtract == "analog":
        _add_subtraction(circuit, params)


def _add_dacs(circuit: Circuit, params: PeripheryParams) -> None:
    for bank in params.dacs:
        for level in range(params.levels):
            control = f"ctl_dac_{bank}_{level}"
            circuit.X(f"_dac_{bank}_{level}", "dac_switch", f"rail_{level}", f"dac_{bank}", control, "vdd_core")


def _add_line_switches(circuit: Circuit, params: PeripheryParams, side: Side, index: int) -> None:
    line = f"{side}_{index}"
    others = {
        "drive": f"dac_{params.dac(side, index)}",
        "sense": f"bus_{params.unit(side, index)}",
        "write": "rail_write",
        "ground": "rail_rest" if params.sense == "transimpedance" else circuit.gnd,
    }
    supply = "vdd_core" if params.switches == "core" else "vdd_io"
    for switch in SWITCHES:
        circuit.X(f"_{switch}_{line}", "line_switch", others[switch], line, f"ctl_{switch}_{line}", supply)


def _add_subtraction(circuit: Circuit, params: PeripheryParams) -> None:
    for n, (plus, minus) in enumerate(params.pairs()):
        difference = f"{params.r_t:.12g}*(i(V_sense_{plus}) - i(V_sense_{minus}))"
        if params.sense == "transimpedance":
            difference = f"{params.r_t / params.readout.r_feedback:.12g}*(v(out_{plus}) - v(out_{minus}))"
        circuit.raw_spice += (
            f"B_sub_{n} sub_{n} 0 v = {difference}\n"
            f"B_act_{n} act_{n} 0 v = 1/(1 + exp(min(max(-v(sub_{n})/{params.v_act:.12g}, -40), 40)))\n"
            f"B_der_{n} der_{n} 0 v = v(act_{n})*(1 - v(act_{n}))\n"
        )
