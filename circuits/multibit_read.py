"""Testbench of a multi-bit read: cells on a bit line, transimpedance readout, SAR converter, one code a read.

The row is pulled v_read below the clamp at the start of a sampling and goes back when it ends; the readout's output is
the converter's input, and the sampling lasts as long as a read (`converter.t_sample`). Codes count from `v_low` of the
converter, a little below the output at rest, so that an offset does not clip: rest has a code of its own, about 7 of
256, and what a read means is the difference from it.
"""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import (
    AdcTrainParams,
    add_control,
    add_sampling,
    add_sar,
    add_supplies,
    code_measures,
    sar_outputs,
)
from rramkit.circuits.deck import CatalogEntry, Deck, Output
from rramkit.circuits.ota import ota
from rramkit.circuits.readout import ReadoutParams, readout
from rramkit.circuits.sense_amp import DECISION_OPTIONS
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class MultibitReadParams(Parameters):
    """Readout and converter behind one bit line, and a train of cells."""

    readout: ReadoutParams = ReadoutParams(r_feedback=3.5e3)
    converter: AdcTrainParams = AdcTrainParams(t_sample=40e-9)
    v_read: float = quantity(0.1, "V", "how far the row is pulled below the clamp", ge=1e-3, le=1)
    g_first: float = quantity(50e-6, "S", "conductance of the first read's cells", gt=0, le=0.1)
    g_last: float = quantity(1.9e-3, "S", "conductance of the last read's", gt=0, le=0.1)
    reads: int = quantity(4, "1", "reads, conductances in equal steps", ge=2, le=1000)
    c_line: float = quantity(500e-15, "F", "capacitance of the bit line", ge=0, le=1e-10)

    @property
    def conductances(self) -> np.ndarray:
        """Conductance of each read (N,) [S]: all cells of the line together."""
        return np.linspace(self.g_first, self.g_last, self.reads)


def multibit_train(params: MultibitReadParams, conductances: Sequence[float] | np.ndarray | None = None) -> Deck:
    """Return a `.tran` deck of reads in closed loop, one for each conductance [S] (default: the train's)."""
    g_cells = params.conductances if conductances is None else np.asarray(conductances, dtype=float)
    if g_cells.ndim != 1 or g_cells.size < 1 or not np.all((g_cells > 0) & (g_cells <= 0.1)):
        raise InputError(f"`conductances` must be (N,) in siemens within (0, 0.1]; got {g_cells}. Pass the cells' own.")
    timing, block, count = params.converter, params.readout, len(g_cells)
    circuit = Circuit("multi-bit read")
    add_sar(circuit, timing.sar)
    add_supplies(circuit, timing)
    add_sampling(circuit, timing, timing.begins(count))
    add_control(circuit, timing, timing.begins(count))
    circuit.subcircuit(ota(block.amplifier))
    circuit.subcircuit(readout(block))
    circuit.X("_readout", "readout", "bl", "clamp", "v_tia", "rst_tia", "v_ota")
    circuit.V("_ota", "v_ota", circuit.gnd, block.ota.v_dd)
    circuit.V("_clamp", "clamp", circuit.gnd, block.v_clamp)
    circuit.V("_rst_tia", "rst_tia", circuit.gnd, 0)
    circuit.R("_adc", "v_tia", "in_adc", timing.r_in)
    if params.c_line > 0:
        circuit.C("_line", "bl", circuit.gnd, params.c_line)
    _add_cells(circuit, params, g_cells)
    return Deck(
        title=f"Multi-bit read, {timing.sar.bits} bit: {count} reads",
        parameters=params,
        circuit=circuit,
        libraries=(timing.sar.latch.technology.library,),
        analysis=f".tran {timing.t_step:g} {count * timing.t_slot:.9e} 0 {timing.t_step:g}",
        outputs=(
            Output("v_bl", "v(bl)", "V", "bit line at the clamp"),
            Output("v_tia", "v(v_tia)", "V", "output of the readout"),
            Output("i_cells", "i(v_cells)", "A", "current out of the bit line"),
            Output("i_ota", "i(v_ota)", "A", "current into the readout's supply"),
            *sar_outputs(timing),
        ),
        measures=code_measures(timing, count),
        options=DECISION_OPTIONS,
    )


def _add_cells(circuit: Circuit, params: MultibitReadParams, g_cells: np.ndarray) -> None:
    """Add the cells as one conductance that a source sets for each read, and the row that is pulled down meanwhile."""
    timing = params.converter
    rows, levels = [], []
    for k, g in enumerate(g_cells):
        begin = k * timing.t_slot
        rows += [(begin, -params.v_read), (timing.t_phase(k, 0), 0.0)]
        levels += [(begin, 1e6 * float(g))]
    points = staircase_points(rows, t_rise=timing.t_rise)
    circuit.PieceWiseLinearVoltageSource("_row", "row", "clamp", values=points)
    circuit.PieceWiseLinearVoltageSource("_g", "g", circuit.gnd, values=staircase_points(levels, t_rise=timing.t_rise))
    circuit.V("_cells", "bl", "cells", 0)
    circuit.R("_cells", "cells", "row", 1e12)
    circuit.raw_spice += "B_cells cells row i = 1e-6*v(g)*v(cells, row)\n"


CATALOG = {
    "multibit_read": CatalogEntry(
        MultibitReadParams,
        multibit_train,
        "multi-bit read: bit line, transimpedance readout and SAR converter, one code a read",
    ),
}
