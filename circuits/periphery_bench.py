"""Testbenches of the transposable array: the sources of its controls, as a transient or as static points of a sweep.

The netlist is the same whatever the array does; these sources alone say what it does (`V_ctl_*` and `V_rail_*`, or the
`B_ctl_*` and `B_rail_*` of a static sweep).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc_control import add_control, add_pulses, add_sampling
from rramkit.circuits.array_cells import CellSpread
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.periphery import PeripheryParams, add_periphery
from rramkit.circuits.periphery_modes import MODE_TABLE, SWITCHES, Mode, Operation
from rramkit.circuits.periphery_sense import SenseBlock
from rramkit.circuits.periphery_timing import conversion_begin, converted_units
from rramkit.circuits.readout import ReadoutParams
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

# As a cell's, but abstol = 1e-11 A, still 1e-5 of a read current: with 1e-13 some runs (5 of 14, by initial state and
# step) had their step cut by 8 again and again on a flat plateau; with 1e-11 none of 8 did. Found by trial.
OPERATE_OPTIONS = "method=gear reltol=1e-4 abstol=1e-11 vntol=1e-7 chgtol=1e-18 itl4=100"
# With converters: their switches move femtocoulombs in picoseconds, and a tenth of the tolerance would cost three times
# the points (11,000 instead of 3,400 for two reads) for the same codes.
CONVERT_OPTIONS = "method=gear reltol=1e-3 abstol=1e-11 vntol=1e-6 chgtol=1e-16 itl4=100"
STATIC_OPTIONS = "reltol=1e-7 abstol=1e-15 vntol=1e-10 gmin=1e-15"
# With amplifiers KLU calls the matrix singular on the way to the operating point of anything from 3 x 3 up (the order
# of pivots that it took from the first guess; the Sparse solver has no such trouble): 10 Tohm from every node to ground
# is a pivot for all of them, and takes 0.03 pA, 1e-8 of a read current.
SHUNTED_OPTIONS = STATIC_OPTIONS + " rshunt=1e13"
EXAMPLE: tuple[Mode, ...] = ("forward", "backward", "update set", "memory read", "memory write", "update reset")


class OperateParams(Parameters):
    """The array, and the slots of time in which it operates."""

    periphery: PeripheryParams = PeripheryParams()
    spread: CellSpread = CellSpread()
    mode: Literal["all", "forward", "backward", "update set", "update reset", "memory read", "memory write"] = quantity(
        "all", "1", "what the example does: one mode, or all of them one after the other"
    )
    t_start: float = quantity(5e-9, "s", "before the first operation: the supplies rise", ge=1e-9, le=1e-6)
    t_slot: float = quantity(40e-9, "s", "time of one operation", ge=5e-9, le=1e-3)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-11, le=1e-7)
    t_step: float = quantity(0.25e-9, "s", "largest time step", ge=1e-13, le=1e-8)
    v_set: float = quantity(1.8, "V", "write rail of a SET", ge=0, le=3.3)
    v_word_set: float = quantity(1.4, "V", "word rail of a SET update: it limits the current", ge=0, le=3.6)
    v_reset: float = quantity(1.8, "V", "write rail of a RESET", ge=0, le=3.3)
    v_word_reset: float = quantity(3.6, "V", "word rail of a RESET", ge=0, le=3.6)
    v_word_memory: float = quantity(2.0, "V", "word rail of a memory write: all the way at once", ge=0, le=3.6)
    v_word_read: float = quantity(2.5, "V", "word rail of all reads, above where lines rest", ge=0, le=3.6)
    seed: int = quantity(1, "1", "seed of states and codes", ge=0)

    @model_validator(mode="after")
    def _conversions_fit(self) -> Self:
        periphery = self.periphery
        if periphery.convert == "sar":
            end = periphery.t_settle + periphery.adc_share * periphery.adc.t_conversion
            if end > self.t_slot - 2 * self.t_rise:
                raise ValueError(
                    f"t_slot must hold t_settle and {periphery.adc_share} conversions, {end:.3g} s, and two edges"
                )
        return self

    def t_begin(self, slot: int) -> float:
        """Return when slot number `slot` begins [s]."""
        return self.t_start + slot * self.t_slot


class CodedParams(OperateParams):
    """An array whose reads end in codes: readouts, and one converter for rows and columns alike."""

    periphery: PeripheryParams = PeripheryParams(
        crossbar=CrossbarParams(rows=2, cols=2),
        sense="transimpedance",
        readout=ReadoutParams(r_feedback=40e3, c_feedback=60e-15),
        convert="sar",
    )
    t_slot: float = quantity(60e-9, "s", "time of one operation", ge=5e-9, le=1e-3)


def example(params: OperateParams) -> Deck:
    """Return a deck of seeded states in which the array does one thing, or all it can."""
    periphery = params.periphery
    bar, rng = periphery.crossbar, np.random.default_rng(params.seed)
    shape = (bar.rows, bar.cols)
    values = rng.uniform(5e-6, 80e-6, shape) if bar.cell_kind == "1R" else rng.uniform(0.55, 0.8, shape)
    modes = EXAMPLE if params.mode == "all" else (params.mode,)
    operations = [
        operation(params, mode, codes=rng.integers(0, periphery.levels, _driven(params, mode)).tolist())
        for mode in modes
    ]
    return operate(params, params.spread.drawn(values, bar.cell_kind, rng=rng), operations)


def operation(
    params: OperateParams,
    mode: Mode,
    *,
    codes: Sequence[int] = (),
    row: int = 0,
    cols: Sequence[int] = (0,),
    phase: int = 0,
) -> Operation:
    """Return an operation at the rails that `params` gives its mode."""
    rails = {
        "update set": (params.v_set, params.v_word_set),
        "update reset": (params.v_reset, params.v_word_reset),
        "memory write": (params.v_set, params.v_word_memory),
    }
    v_write, v_word = rails.get(mode, (0.0, params.v_word_read + params.periphery.v_rest))
    return Operation(mode, tuple(codes), row, tuple(cols), phase, v_write, v_word)


def unit_reads(params: OperateParams, direction: Literal["forward", "backward"]) -> list[Operation]:
    """Return the operations that find the matrix: each driven line alone at the largest code, every phase of it."""
    periphery = params.periphery
    lines = _driven(params, direction)
    return [
        operation(params, direction, codes=[(periphery.levels - 1) * (k == line) for k in range(lines)], phase=phase)
        for line in range(lines)
        for phase in range(periphery.share)
    ]


def operate(
    params: OperateParams, values: np.ndarray, operations: Sequence[Operation], *, sense: SenseBlock | None = None
) -> Deck:
    """Return a `.tran` deck that does `operations` one after the other, a slot each.

    The supplies come up before the first. Switches change at a slot's start; the write rail rises two edges later and
    falls two edges before the slot's end.
    """
    circuit, t_stop = Circuit("transposable array"), params.t_start + len(operations) * params.t_slot
    add_periphery(circuit, params.periphery, values, sense=sense)
    for node, levels in control_levels(params.periphery, operations).items():
        # The lines are grounded while the supplies rise: left open they would float up with them.
        grounded = node.startswith("ctl_ground_")
        steps: list[tuple[float, float]] = [(0.0, _line_supply(params.periphery))] if grounded else []
        for slot, level in enumerate(levels):
            start = params.t_begin(slot)
            if node == "rail_write":
                steps += [(start + 2 * params.t_rise, level), (start + params.t_slot - 3 * params.t_rise, 0.0)]
            else:
                steps.append((start, level))
        points = staircase_points(steps, t_rise=params.t_rise)
        circuit.PieceWiseLinearVoltageSource(f"_{node}", node, circuit.gnd, values=points)
    _add_supplies(circuit, params, rising=True)
    _add_conversions(circuit, params, operations)
    return Deck(
        title=_title(params),
        parameters=params,
        circuit=circuit,
        libraries=params.periphery.libraries,
        analysis=f".tran {params.t_step} {t_stop:.9e} 0 {params.t_step} uic",
        outputs=_outputs(params.periphery),
        measures=_measures(params, operations),
        options=OPERATE_OPTIONS if params.periphery.convert == "none" else CONVERT_OPTIONS,
    )


def static_operations(
    params: OperateParams, values: np.ndarray, operations: Sequence[Operation], *, sense: SenseBlock | None = None
) -> Deck:
    """Return a `.dc` deck whose point b is the operating point of operation b (reads: states are held)."""
    if params.periphery.convert != "none":
        raise InputError("`convert` must be none in a static sweep; got sar, which converts in time. Take `operate`.")
    circuit = Circuit("transposable array")
    add_periphery(circuit, params.periphery, values, sense=sense, held=True)
    circuit.V("_sweep", "sweep", circuit.gnd, 0)
    for node, levels in control_levels(params.periphery, operations).items():
        # One more point past the last: ngspice's pwl() wants two, and rounding may carry the sweep past its end.
        pairs = ", ".join(f"{b}, {v:.12g}" for b, v in enumerate([*levels, levels[-1]]))
        circuit.raw_spice += f"B_{node} {node} 0 v = pwl(v(sweep), {pairs})\n"
    _add_supplies(circuit, params, rising=False)
    return Deck(
        title=_title(params),
        parameters=params,
        circuit=circuit,
        libraries=params.periphery.libraries,
        analysis=f".dc V_sweep 0 {len(operations) - 1} 1",
        outputs=tuple(out for out in _outputs(params.periphery) if not out.name.startswith("state")),
        swept="operation (1)",
        options=STATIC_OPTIONS if params.periphery.sense == "ideal" else SHUNTED_OPTIONS,
    )


def control_levels(params: PeripheryParams, operations: Sequence[Operation]) -> dict[str, list[float]]:
    """Return the voltage of every control and rail in every operation, (N,) each [V]."""
    bar, technology = params.crossbar, params.crossbar.cell.technology
    for op in operations:
        op.check(bar.rows, bar.cols, params.levels, params.share)
    v_line = _line_supply(params)
    levels: dict[str, list[float]] = {}
    for side, index in params.lines:
        for switch in SWITCHES:
            closed = [op.switch(side, index, params.share) == switch for op in operations]
            levels[f"ctl_{switch}_{side}_{index}"] = [v_line * on for on in closed]
    codes = [_codes(params, op) for op in operations]
    for bank in params.dacs:
        for level in range(params.levels):
            levels[f"ctl_dac_{bank}_{level}"] = [technology.v_core * (code.get(bank, 0) == level) for code in codes]
    for i in range(bar.words):
        levels[f"ctl_word_{i}"] = [technology.v_io * op.word_open(i) for op in operations]
    levels["rail_word"] = [op.v_word for op in operations]
    levels["rail_write"] = [op.v_write for op in operations]
    for level in range(params.levels):
        levels[f"rail_{level}"] = [params.v_rest + params.v_full * level / (params.levels - 1)] * len(operations)
    if params.sense == "transimpedance":
        levels["rail_rest"] = [params.v_rest * MODE_TABLE[op.mode].reads for op in operations]
    return levels


def _line_supply(params: PeripheryParams) -> float:
    technology = params.crossbar.cell.technology
    return technology.v_core if params.switches == "core" else technology.v_io


def _codes(params: PeripheryParams, op: Operation) -> dict[str, int]:
    """Return the code of every converter that has something to say; all others give level 0."""
    if op.mode == "memory read":
        return {params.dac("row", op.row): params.levels - 1}
    side = "row" if op.mode == "forward" else "col"
    return {params.dac(side, index): code for index, code in enumerate(op.codes)}


def _driven(params: OperateParams, mode: Mode) -> int:
    bar = params.periphery.crossbar
    return {"forward": bar.rows, "backward": bar.cols}.get(mode, 0)


def _add_supplies(circuit: Circuit, params: OperateParams, *, rising: bool) -> None:
    """Add the supplies. In a transient they rise from zero, where all nodes start: found up, they kick the lines."""
    technology, readout = params.periphery.crossbar.cell.technology, params.periphery.readout
    supplies = [("vdd_io", technology.v_io), ("vdd_core", technology.v_core)]
    if params.periphery.sense == "transimpedance":
        supplies += [("vdd_ota", readout.ota.v_dd), ("clamp", readout.v_clamp)]
    if params.periphery.convert == "sar":
        sar = params.periphery.adc.sar
        supplies += [("adc_ref", sar.v_ref), ("adc_cm", sar.v_cm)]
    for name, volts in supplies:
        if rising:
            points = [(0.0, 0.0), (params.t_start / 2, volts)]
            circuit.PieceWiseLinearVoltageSource(f"_{name}", name, circuit.gnd, values=points)
        else:
            circuit.V(f"_{name}", name, circuit.gnd, volts)


def conversions(params: OperateParams, operations: Sequence[Operation]) -> list[tuple[int, str, float]]:
    """Return slot, unit and start [s] of every conversion."""
    return [
        (slot, unit, conversion_begin(params.periphery, unit, params.t_begin(slot)))
        for slot, op in enumerate(operations)
        for unit in converted_units(params.periphery, op)
    ]


def _add_conversions(circuit: Circuit, params: OperateParams, operations: Sequence[Operation]) -> None:
    """Add the ideal control of the converters and their multiplexers."""
    periphery, adc = params.periphery, params.periphery.adc
    found = conversions(params, operations)
    for name in periphery.converters:
        begins = sorted(begin for _, unit, begin in found if periphery.converter(unit) == name)
        add_sampling(circuit, adc, begins, prefix=f"adc_{name}_")
        add_control(circuit, adc, begins, prefix=f"adc_{name}_")
    for unit in periphery.units if periphery.convert == "sar" else ():
        # open two edges before the next one closes: two outputs must not drive each other
        spans = [(t, t + adc.t_conversion - 2 * adc.t_rise) for _, of, t in found if of == unit]
        add_pulses(circuit, f"ctl_mux_{unit}", spans, adc, high=periphery.crossbar.cell.technology.v_io)


def _title(params: OperateParams) -> str:
    bar = params.periphery.crossbar
    return f"{bar.rows} x {bar.cols} {bar.cell_kind} transposable array with its periphery"


def _outputs(params: PeripheryParams) -> tuple[Output, ...]:
    bar = params.crossbar
    found = [Output(f"i_sense_{u}", f"i(v_sense_{u})", "A", f"current into sense unit {u}") for u in params.units]
    if params.sense == "transimpedance":
        found += [Output(f"v_out_{u}", f"v(out_{u})", "V", f"output of sense unit {u}") for u in params.units]
        found += [Output("i_vdd_ota", "i(v_vdd_ota)", "A", "current into the amplifiers' supply")]
    for a in params.converters:
        found.append(Output(f"v_adc_{a}", f"v(adc_{a}_in_adc)", "V", f"input of converter {a}, behind its multiplexer"))
        found.append(Output(f"v_x_{a}", f"v(adc_{a}_x)", "V", f"top plate of converter {a}"))
        found += [
            Output(f"q_{a}_{b}", f"v(adc_{a}_q_{b})", "1", f"register {b} of converter {a}") for b in params.adc.decided
        ]
    if params.converters:
        found.append(Output("i_adc_ref", "i(v_adc_ref)", "A", "current into the converters' reference"))
        found.append(Output("i_vdd_core", "i(v_vdd_core)", "A", "current into the core supply"))
    found += [Output(f"v_{s}_{k}", f"v({s}_{k})", "V", f"{s} {k}, at its switches") for s, k in params.lines]
    found += [Output("i_write", "i(v_rail_write)", "A", "current into the write rail")] if params.moving else []
    if params.subtract == "analog":
        for n, _ in enumerate(params.pairs()):
            found.append(Output(f"act_{n}", f"v(act_{n})", "1", f"activation of pair {n}"))
            found.append(Output(f"der_{n}", f"v(der_{n})", "1", f"derivative of the activation of pair {n}"))
    if params.moving:
        cells = np.ndindex(bar.rows, bar.cols)
        found += [Output(f"state_{i}_{j}", f"v(s_{i}_{j})", "1", f"state of cell ({i}, {j})") for i, j in cells]
    return tuple(found)


def _measures(params: OperateParams, operations: Sequence[Operation]) -> tuple[Measure, ...]:
    """Sense currents at the end of each slot, and the state of its selected cells; the same whatever the slot does."""
    found: list[Measure] = []
    for slot, op in enumerate(operations):
        end = params.t_start + (slot + 1) * params.t_slot - params.t_rise
        for unit in params.periphery.units:
            find = f"find i(v_sense_{unit}) at={end:.6e}"
            found.append(Measure(f"i_{slot}_{unit}", find, "A", f"slot {slot}, {op.mode}: sense unit {unit}"))
        for col in op.cols if params.periphery.moving else ():
            find = f"find v(s_{op.row}_{col}) at={end:.6e}"
            text = f"slot {slot}, {op.mode}: state of cell ({op.row}, {col})"
            found.append(Measure(f"s_{slot}_{op.row}_{col}", find, "1", text))
    return (*found, *_code_measures(params, operations))


def _code_measures(params: OperateParams, operations: Sequence[Operation]) -> Iterator[Measure]:
    """Yield every register of every conversion, and the code that they make."""
    periphery, adc = params.periphery, params.periphery.adc
    for slot, unit, begin in conversions(params, operations):
        text = f"slot {slot}, {operations[slot].mode}: unit {unit}"
        for bit in adc.decided:
            find = f"find v(adc_{periphery.converter(unit)}_q_{bit}) at={adc.code_at(begin):.9e}"
            yield Measure(f"q_{slot}_{unit}_{bit}", find, "1", f"{text}, register {bit}")
        code = " + ".join(f"{2**k}*q_{slot}_{unit}_{bit}" for k, bit in enumerate(adc.decided))
        yield Measure(f"code_{slot}_{unit}", f"param='{code}'", "1", f"{text}, code")
