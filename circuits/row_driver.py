"""Row driver: a multi-level voltage source (DAC) or a bit-serial driver, the row that they drive, their test benches.

Multi-level     2^bits reference levels from v_rest (code 0) to v_full, and one transistor from each of them to the row.
                By default the references are rails that all lines share, ideal sources here: buffers that hold them
                are not modelled. With `r_string` each row has a resistor string of its own between the outer two; its
                resistance at tap k is r_string k (n - k)/n^2, n = 2^bits - 1, so that levels sag most in the middle.
                Levels lie so low that a PMOS transistor would never conduct (its gate cannot go below ground): the
                gate is an NMOS alone, unless `w_gate_p` is given. Each has an inverter for its gate.
Bit-serial      two NMOS switches connect the row to v_read while a bit is 1, to ground else; a chain of inverters
                drives them. v_read lies so far below v_core that an NMOS passes it whole.

Row: `cells` cells to columns at rest, lumped in `segments` sections of resistance and capacitance. Sizes are this kit's
choice; that a multi-level source is a write driver's too is PRIME's idea (ISCA 2016).
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.cell import TRANSIENT_OPTIONS
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.technology import Technology
from rramkit.circuits.wires import TCR
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class RowParams(Parameters):
    """A row of the array as its driver sees it, all columns held at the driver's rest."""

    cells: int = quantity(96, "1", "cells on the row", ge=1, le=1024)
    g_cell: float = quantity(20e-6, "S", "mean conductance of a cell", ge=0, le=1e-2)
    r_segment: float = quantity(1.0, "ohm", "resistance of the row for each cell", gt=0, le=1e4)
    c_segment: float = quantity(9.1e-15, "F", "capacitance for each cell: wire and transistor", ge=0, le=1e-12)
    tcr: float = quantity(TCR, "1/K", "change of the row's resistance with temperature", ge=0, le=0.02)
    segments: int = quantity(8, "1", "sections of the lumped line", ge=1, le=1024)


class RowDriverParams(Parameters):
    """A multi-level voltage source of one row."""

    old_names: ClassVar[Mapping[str, str]] = {"v_low": "v_rest", "v_high": "v_full"}

    technology: Technology = Technology()
    bits: int = quantity(5, "1", "levels are 2^bits", ge=1, le=6)
    v_rest: float = quantity(0.3, "V", "level of code 0, where lines rest", ge=0, le=3.6)
    v_full: float = quantity(0.2, "V", "level of the highest code", ge=0, le=3.6)
    r_string: float = quantity(
        0.0, "ohm", "resistance of a string of this row alone; 0: reference rails that all lines share", ge=0, le=1e7
    )
    w_gate_n: float = quantity(80e-6, "m", "width of a level's NMOS gate", ge=0.1e-6, le=1e-3)
    w_gate_p: float = quantity(0.0, "m", "width of a PMOS gate beside it; 0: none", ge=0, le=1e-3)
    w_inverter: float = quantity(
        8e-6, "m", "width of the NMOS of a gate's inverter; its PMOS is as wide", ge=1e-7, le=1e-3
    )

    @property
    def levels(self) -> int:
        """Return how many levels there are."""
        return 2**self.bits

    @property
    def span(self) -> float:
        """Return how far below rest the highest code lies [V]; negative: above."""
        return self.v_rest - self.v_full

    def v_level(self, code: int) -> float:
        """Return the level [V] of a code without a load."""
        return self.v_rest - code * self.span / (self.levels - 1)

    def r_tap(self, code: int) -> float:
        """Return the string's resistance [ohm] as seen from a tap."""
        part = code / (self.levels - 1)
        return self.r_string * part * (1 - part)


class SerialRowDriverParams(Parameters):
    """A bit-serial driver of one row."""

    technology: Technology = Technology()
    v_read: float = quantity(0.2, "V", "row while a bit is 1", ge=0.01, le=1)
    w_switch: float = quantity(10e-6, "m", "width of each of the two switches", ge=0.1e-6, le=1e-3)
    w_first: float = quantity(0.5e-6, "m", "width of the first inverter's NMOS; its PMOS is twice as wide", ge=1e-7)
    taper: float = quantity(3.0, "1", "width of each next inverter over that of the one before", ge=1, le=10)


def rails(params: RowDriverParams) -> tuple[str, ...]:
    """Return the nodes that references are connected to: of every level, or the outer two of a string."""
    return ("v_rest", "v_full") if params.r_string > 0 else tuple(f"rail_{k}" for k in range(params.levels))


# Looser than the cells' by ten: 2^bits gates of 80 um are slow to simulate. Levels, settling and energy stand within
# 1e-4, 2 % and 0.2 % of those at a tenth of reltol and chgtol.
_OPTIONS = "reltol=1e-3 abstol=1e-12 vntol=1e-6 chgtol=1e-15"


def multi_level(params: RowDriverParams) -> SubCircuit:
    """Return `.subckt multi_level row vdd RAILS off_0 off_1 ...`: `off_k` low connects level k."""
    selects = [f"off_{k}" for k in range(params.levels)]
    block = SubCircuit("multi_level", "row", "vdd", *rails(params), *selects)
    draw, top, taps = Netlister(block, params.technology), params.levels - 1, list(rails(params))
    if params.r_string > 0:
        taps = ["v_rest", *(f"tap_{k}" for k in range(1, top)), "v_full"]
        for k in range(top):
            block.R(f"_string_{k}", taps[k], taps[k + 1], params.r_string / top)
    for k, (tap, select) in enumerate(zip(taps, selects, strict=True)):
        draw.inverter(f"_not_{k}", (select, f"on_{k}", "vdd"), w_n=params.w_inverter, w_p=params.w_inverter, core=True)
        draw.mosfet(f"_n_{k}", ("row", f"on_{k}", tap, 0), "nmos_core", w=params.w_gate_n)
        if params.w_gate_p > 0:
            draw.mosfet(f"_p_{k}", ("row", select, tap, "vdd"), "pmos_core", w=params.w_gate_p)
    return block


def bit_serial(params: SerialRowDriverParams) -> SubCircuit:
    """Return `.subckt bit_serial row v_read vdd bit`: the row at v_read while `bit` is high."""
    block = SubCircuit("bit_serial", "row", "v_read", "vdd", "bit")
    draw = Netlister(block, params.technology)
    nodes = ["bit", "not_1", "yes", "not_2"]  # three inverters: `yes` opens the upper switch, `not_2` the lower one
    for k in range(3):
        width = params.w_first * params.taper**k
        draw.inverter(f"_chain_{k}", (nodes[k], nodes[k + 1], "vdd"), w_n=width, w_p=2 * width, core=True)
    for name, gate, rail in (("read", "yes", "v_read"), ("rest", "not_2", "0")):
        draw.mosfet(f"_{name}", ("row", gate, rail, 0), "nmos_core", w=params.w_switch)
    return block


def add_row(circuit: Circuit, params: RowParams, near: str, *, rest: str = "0") -> str:
    """Add the row from its driver's end, the node `near`, its cells to the node `rest`; return its far end's node."""
    share = params.cells / params.segments
    hot = {"raw_spice": f"tc1={params.tcr:.9g}"} if params.tcr > 0 else {}
    nodes = [near, *(f"{near}_{k}" for k in range(1, params.segments + 1))]
    for k in range(params.segments):
        circuit.R(f"_{nodes[k]}_r{k}", nodes[k], nodes[k + 1], share * params.r_segment, **hot)
        circuit.C(f"_{nodes[k]}_c{k}", nodes[k + 1], circuit.gnd, share * params.c_segment)
        if params.g_cell > 0:
            circuit.R(f"_{nodes[k]}_g{k}", nodes[k + 1], rest, 1 / (share * params.g_cell))
    return nodes[-1]


class RowDriverBenchParams(Parameters):
    """A multi-level source on its row: each level from rest, and back to rest."""

    driver: RowDriverParams = RowDriverParams()
    row: RowParams = RowParams()
    t_level: float = quantity(1e-9, "s", "duration of a level, and of the rest after it", ge=1e-10, le=1e-3)
    t_rise: float = quantity(50e-12, "s", "edge of the select lines", ge=1e-13, le=1e-6)
    t_step: float = quantity(100e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def codes(self) -> list[int]:
        """Codes of the train: all of them, the first rest apart."""
        return list(range(self.driver.levels))

    def t_begin(self, index: int) -> float:
        """Return when level number `index` begins [s]; before it and after each level the row rests for `t_level`."""
        return (2 * index + 1) * self.t_level

    def t_sample(self, index: int) -> float:
        """Return when level number `index` is taken [s]."""
        return self.t_begin(index) + 0.95 * self.t_level


def level_train(params: RowDriverBenchParams, codes: Sequence[int] | None = None) -> Deck:
    """Return a `.tran` deck of levels (default: the train's codes), each from rest and back to it."""
    sent, driver = params.codes if codes is None else list(codes), params.driver
    _check(sent, driver.levels)
    circuit, v_dd, span = Circuit("multi-level source"), driver.technology.v_core, driver.levels - 1
    circuit.subcircuit(multi_level(driver))
    sources = {"vdd": v_dd}
    for k, name in enumerate(rails(driver)):
        sources[name] = driver.v_level(k if driver.r_string == 0 else k * span)
    selects = [f"off_{k}" for k in range(driver.levels)]
    circuit.X("_driver", "multi_level", "out", "vdd", *rails(driver), *selects)
    for name, level in sources.items():
        circuit.V(f"_{name}", name, circuit.gnd, level)
    train = [(0.0, 0)]
    for n, code in enumerate(sent):
        train += [(params.t_begin(n), code), (params.t_begin(n) + params.t_level, 0)]
    for k, select in enumerate(selects):
        edges = [(t, v_dd * (code != k)) for t, code in train]
        points = staircase_points(edges[1:], t_rise=params.t_rise, v_start=edges[0][1])
        circuit.PieceWiseLinearVoltageSource(f"_{select}", select, circuit.gnd, values=points)
    circuit.V("_columns", "columns", circuit.gnd, driver.v_rest)
    circuit.V("_row", "row", "out", 0)
    far = add_row(circuit, params.row, "row", rest="columns")
    t_stop = train[-1][0] + params.t_level
    return Deck(
        title=f"Multi-level source, {driver.levels} levels: {len(sent)} of them from rest",
        parameters=params,
        circuit=circuit,
        libraries=(driver.technology.library,),
        analysis=f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}",
        outputs=(
            Output("v_row", "v(row)", "V", "the row at its driver"),
            Output("v_far", f"v({far})", "V", "the row at its far end"),
            Output("i_row", "i(v_row)", "A", "current from the row into its driver"),
            *(Output(f"i_{name}", f"i(v_{name})", "A", f"current into the source {name}") for name in sources),
            *(Output(f"v_{select}", f"v({select})", "V", f"low selects level {k}") for k, select in enumerate(selects)),
            *(Output(f"i_{select}", f"i(v_{select})", "A", "current into its source") for select in selects),
        ),
        measures=tuple(
            Measure(f"v_{n}", f"find v(row) at={params.t_sample(n):.6e}", "V", f"level for code {code}")
            for n, code in enumerate(sent)
        ),
        options=_OPTIONS,
    )


class SerialRowDriverBenchParams(Parameters):
    """A bit-serial driver on its row, sending one word."""

    driver: SerialRowDriverParams = SerialRowDriverParams()
    row: RowParams = RowParams(cells=64, g_cell=5e-6, c_segment=1.2e-15)
    bits: int = quantity(8, "1", "bits of a word", ge=1, le=64)
    word: int = quantity(0b10110010, "1", "the word, its highest bit first", ge=0)
    t_bit: float = quantity(5e-9, "s", "duration of a bit", ge=1e-10, le=1e-3)
    t_rise: float = quantity(50e-12, "s", "edge of the bit line's source", ge=1e-13, le=1e-6)
    t_step: float = quantity(20e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def pattern(self) -> np.ndarray:
        """Bits (bits,) in the order in which they are sent."""
        return np.array([self.word >> k & 1 for k in reversed(range(self.bits))])


def word_train(params: SerialRowDriverBenchParams) -> Deck:
    """Return a `.tran` deck of one word, bit by bit, and a rest of one bit after it."""
    if params.word >= 2**params.bits:
        raise InputError(
            f"`word` must fit `bits` = {params.bits}, below {2**params.bits}; got {params.word}. Use more."
        )
    circuit, driver = Circuit("bit-serial driver"), params.driver
    v_dd = driver.technology.v_core
    circuit.subcircuit(bit_serial(driver))
    circuit.X("_driver", "bit_serial", "row", "v_read", "vdd", "bit")
    circuit.V("_vdd", "vdd", circuit.gnd, v_dd)
    circuit.V("_read", "v_read", circuit.gnd, driver.v_read)
    edges = [(n * params.t_bit, v_dd * float(bit)) for n, bit in enumerate([*params.pattern, 0])]
    points = staircase_points(edges, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_bit", "bit", circuit.gnd, values=points)
    far = add_row(circuit, params.row, "row")
    t_stop = (params.bits + 1) * params.t_bit
    return Deck(
        title=f"Bit-serial driver: a word of {params.bits} bits",
        parameters=params,
        circuit=circuit,
        libraries=(driver.technology.library,),
        analysis=f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}",
        outputs=(
            Output("v_bit", "v(bit)", "V", "the bit"),
            Output("v_row", "v(row)", "V", "the row at its driver"),
            Output("v_far", f"v({far})", "V", "the row at its far end"),
            Output("i_read", "i(v_read)", "A", "current into the read voltage's source"),
            Output("i_vdd", "i(v_vdd)", "A", "current into the inverters' supply"),
            Output("i_bit", "i(v_bit)", "A", "current into the bit's source"),
        ),
        measures=tuple(
            Measure(f"v_{n}", f"find v({far}) at={(n + 0.95) * params.t_bit:.6e}", "V", f"far end, bit {n} is {bit}")
            for n, bit in enumerate(params.pattern)
        ),
        options=TRANSIENT_OPTIONS,
    )


def _check(codes: list[int], levels: int) -> None:
    if not codes or not all(0 <= code < levels for code in codes):
        raise InputError(
            f"`codes` must be one or more of 0 to {levels - 1}; got {codes}. Use more bits or other codes."
        )


CATALOG = {
    "row_driver": CatalogEntry(
        RowDriverBenchParams,
        level_train,
        "row driver, multi-level (DAC): a transistor from each reference level to the row",
    ),
    "row_driver_serial": CatalogEntry(SerialRowDriverBenchParams, word_train, "row driver, bit-serial: one word"),
}
