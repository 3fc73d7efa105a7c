"""Testbenches of the transposable array: the sources of its controls, as a transient or as static points of a sweep.

The netlist is the same whatever the array does; these sources alone say what it does (`V_ctl_*` and `V_rail_*`, or the
`B_ctl_*` and `B_rail_*` of a static sweep).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import add_control, add_pulses, add_sampling
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.periphery.array import PeripheryParams, add_periphery
from rramkit.circuits.periphery.controls import (
    CodedParams,
    OperateParams,
    control_levels,
    conversions,
    driven_lines,
    line_supply,
    operation,
)
from rramkit.circuits.periphery.modes import Mode, Operation
from rramkit.circuits.periphery.sense import SenseBlock
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError

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


def example(params: OperateParams) -> Deck:
    """Return a deck of seeded states in which the array does one thing, or all it can."""
    periphery = params.periphery
    bar, rng = periphery.crossbar, np.random.default_rng(params.seed)
    shape = (bar.rows, bar.cols)
    values = rng.uniform(5e-6, 80e-6, shape) if bar.cell_kind == "1R" else rng.uniform(0.55, 0.8, shape)
    modes = EXAMPLE if params.mode == "all" else (params.mode,)
    operations = [
        operation(params, mode, codes=rng.integers(0, periphery.levels, driven_lines(params, mode)).tolist())
        for mode in modes
    ]
    return operate(params, params.spread.drawn(values, bar.cell_kind, rng=rng), operations)


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
        steps: list[tuple[float, float]] = [(0.0, line_supply(params.periphery))] if grounded else []
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
        raise InputError("`convert` must be none in a static sweep; got sar, which converts in time. Use `operate`.")
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


def _add_supplies(circuit: Circuit, params: OperateParams, *, rising: bool) -> None:
    """Add the supplies. In a transient they rise from zero, where all nodes start: found up, they kick the lines."""
    technology, readout = params.periphery.crossbar.cell.technology, params.periphery.readout
    supplies = [("vdd_io", technology.v_io), ("vdd_core", technology.v_core)]
    if params.periphery.sense == "transimpedance":
        supplies += [("vdd_ota", readout.ota.v_dd), ("clamp", readout.v_clamp)]
    if params.periphery.convert == "sar":
        sar = params.periphery.adc.sar
        supplies += [("adc_ref", sar.v_reference), ("adc_cm", sar.v_common)]
    for name, volts in supplies:
        if rising:
            points = [(0.0, 0.0), (params.t_start / 2, volts)]
            circuit.PieceWiseLinearVoltageSource(f"_{name}", name, circuit.gnd, values=points)
        else:
            circuit.V(f"_{name}", name, circuit.gnd, volts)


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


CATALOG = {
    "periphery": CatalogEntry(
        OperateParams,
        example,
        "transposable array: forward, backward, update and memory modes of one netlist, switches of transistors",
    ),
    "periphery_codes": CatalogEntry(
        CodedParams,
        example,
        "transposable array whose reads end in codes: readouts and a SAR converter that rows and columns share",
    ),
}
