"""Testbenches of the input drivers: a sequence of levels on a row, and words sent bit by bit."""

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell_bench import TRANSIENT_OPTIONS
from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.row_driver import (
    RowDriverParams,
    RowParams,
    SerialRowDriverParams,
    add_row,
    bit_serial,
    multi_level,
)
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class RowDriverBenchParams(Parameters):
    """A multi-level source on its row, stepping through codes."""

    driver: RowDriverParams = RowDriverParams()
    row: RowParams = RowParams()
    t_level: float = quantity(5e-9, "s", "duration of a level", ge=1e-10, le=1e-3)
    t_rise: float = quantity(50e-12, "s", "edge of the select lines", ge=1e-13, le=1e-6)
    t_step: float = quantity(20e-12, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def codes(self) -> list[int]:
        """Codes of the train: up one by one, then between the ends."""
        top = self.driver.levels - 1
        return [*range(top + 1), 0, top, 0]

    def t_sample(self, index: int) -> float:
        """Return when level number `index` is taken [s]."""
        return (index + 0.95) * self.t_level


def level_train(params: RowDriverBenchParams, codes: Sequence[int] | None = None) -> Deck:
    """Return a `.tran` deck of one level after the other (default: the train's codes); from code 0 at the start."""
    sent, driver = params.codes if codes is None else list(codes), params.driver
    _check(sent, driver.levels)
    circuit, v_dd = Circuit("multi-level source"), driver.technology.v_core
    circuit.subcircuit(multi_level(driver))
    selects = [f"sel_{k}" for k in range(driver.levels)]
    circuit.X("_driver", "multi_level", "row", "v_low", "v_high", "vdd", *selects)
    for name, level in (("vdd", v_dd), ("v_low", driver.v_low), ("v_high", driver.v_high)):
        circuit.V(f"_{name}", name, circuit.gnd, level)
    for k, select in enumerate(selects):
        edges = [(n * params.t_level, v_dd * (code == k)) for n, code in enumerate(sent)]
        points = _held_start(edges, t_rise=params.t_rise)
        circuit.PieceWiseLinearVoltageSource(f"_{select}", select, circuit.gnd, values=points)
    far = add_row(circuit, params.row, "row")
    t_stop = len(sent) * params.t_level
    return Deck(
        title=f"Multi-level source, {driver.levels} levels: {len(sent)} steps",
        parameters=params,
        circuit=circuit,
        libraries=(driver.technology.library,),
        analysis=f".tran {params.t_step:g} {t_stop:.9e} 0 {params.t_step:g}",
        outputs=(
            Output("v_row", "v(row)", "V", "the row at its driver"),
            Output("v_far", f"v({far})", "V", "the row at its far end"),
            Output("i_high", "i(v_v_high)", "A", "current into the upper reference"),
            Output("i_low", "i(v_v_low)", "A", "current into the lower reference"),
            Output("i_vdd", "i(v_vdd)", "A", "current into the inverters' supply"),
            *(Output(f"v_{select}", f"v({select})", "V", f"selects level {k}") for k, select in enumerate(selects)),
            *(Output(f"i_{select}", f"i(v_{select})", "A", "current into its source") for select in selects),
        ),
        measures=tuple(
            Measure(f"v_{n}", f"find v(row) at={params.t_sample(n):.6e}", "V", f"level for code {code}")
            for n, code in enumerate(sent)
        ),
        options=TRANSIENT_OPTIONS,
    )


class SerialRowDriverBenchParams(Parameters):
    """A bit-serial driver on its row, sending one word."""

    driver: SerialRowDriverParams = SerialRowDriverParams()
    row: RowParams = RowParams()
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


def _held_start(edges: list[tuple[float, float]], *, t_rise: float) -> list[tuple[float, float]]:
    """Return the corners of a drive that stands at its first level from the start."""
    later = staircase_points([(t, v - edges[0][1]) for t, v in edges], t_rise=t_rise)
    return [(t, v + edges[0][1]) for t, v in later]


def _check(codes: list[int], levels: int) -> None:
    if not codes or not all(0 <= code < levels for code in codes):
        raise InputError(
            f"`codes` must be one or more of 0 to {levels - 1}; got {codes}. Use more bits or other codes."
        )
