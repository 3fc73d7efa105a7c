"""Controls of the transposable array: the voltage of every switch, rail and converter in every operation.

`conversion_levels` are those of the SAR converters' gates, for their switching energy.
"""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import model_validator

from rramkit.circuits.array_cells import CellSpread
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.periphery.array import PeripheryParams
from rramkit.circuits.periphery.modes import MODE_TABLE, SWITCHES, Mode, Operation
from rramkit.circuits.periphery.sense import AMPLIFIER
from rramkit.circuits.readout import ReadoutParams
from rramkit.parameters import Parameters, quantity


class OperateParams(Parameters):
    """The array, and the slots of time in which it operates."""

    periphery: PeripheryParams = PeripheryParams()
    spread: CellSpread = CellSpread()
    mode: Literal["all", "forward", "backward", "update set", "update reset", "memory read", "memory write"] = quantity(
        "all", "1", "what the example does: one mode, or all of them one after the other"
    )
    t_start: float = quantity(
        5e-9, "s", "before the first operation: the supplies rise; readouts take 20 ns more", ge=1e-9, le=1e-6
    )
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
        readout=ReadoutParams(ota=AMPLIFIER, r_feedback=40e3, c_feedback=60e-15, bank=0),
        convert="sar",
    )
    t_slot: float = quantity(60e-9, "s", "time of one operation", ge=5e-9, le=1e-3)
    t_start: float = quantity(
        30e-9, "s", "before the first operation: the supplies and the readouts' bias rise", ge=1e-9, le=1e-6
    )


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
    lines = driven_lines(params, direction)
    return [
        operation(params, direction, codes=[(periphery.levels - 1) * (k == line) for k in range(lines)], phase=phase)
        for line in range(lines)
        for phase in range(periphery.share)
    ]


def control_levels(params: PeripheryParams, operations: Sequence[Operation]) -> dict[str, list[float]]:
    """Return the voltage of every control and rail in every operation, (N,) each [V]."""
    bar, technology = params.crossbar, params.crossbar.cell.technology
    for op in operations:
        op.check(bar.rows, bar.cols, params.levels, params.share)
    v_line = line_supply(params)
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


def line_supply(params: PeripheryParams) -> float:
    """Return the supply of the line switches' controls [V]."""
    technology = params.crossbar.cell.technology
    return technology.v_core if params.switches == "core" else technology.v_io


def _codes(params: PeripheryParams, op: Operation) -> dict[str, int]:
    """Return the code of every converter that has something to say; all others give level 0."""
    if op.mode == "memory read":
        return {params.dac("row", op.row): params.levels - 1}
    side = "row" if op.mode == "forward" else "col"
    return {params.dac(side, index): code for index, code in enumerate(op.codes)}


def driven_lines(params: OperateParams, mode: Mode) -> int:
    """Return how many lines a mode drives with codes: rows forward, columns backward."""
    bar = params.periphery.crossbar
    return {"forward": bar.rows, "backward": bar.cols}.get(mode, 0)


def conversions(params: OperateParams, operations: Sequence[Operation]) -> list[tuple[int, str, float]]:
    """Return slot, unit and start [s] of every conversion."""
    return [
        (slot, unit, conversion_begin(params.periphery, unit, params.t_begin(slot)))
        for slot, op in enumerate(operations)
        for unit in converted_units(params.periphery, op)
    ]


def converted_units(params: PeripheryParams, op: Operation) -> list[str]:
    """Return the units whose outputs an operation converts: those that some line is joined to."""
    if params.convert == "none":
        return []
    joined = {params.unit(*line) for line in params.lines if op.switch(*line, params.share) == "sense"}
    return [unit for unit in params.units if unit in joined]


def conversion_begin(params: PeripheryParams, unit: str, t_slot_begin: float) -> float:
    """Return when a unit's conversion starts [s] in a slot: its converter takes its units one after the other."""
    turn = int(unit.rpartition("_")[2]) % params.adc_share
    return t_slot_begin + params.t_settle + turn * params.adc.t_conversion


def conversion_levels(params: PeripheryParams, operations: Sequence[Operation]) -> dict[str, list[float]]:
    """Return the levels [V] that the converters' gates go through in `operations`, for their switching energy.

    Each bit's plate is counted up and down once a conversion: a bit that is kept goes down at the next one's start.
    """
    technology = params.crossbar.cell.technology
    levels: dict[str, list[float]] = {}
    for op in operations:
        for unit in converted_units(params, op):
            prefix, pulse = f"adc_{params.converter(unit)}_", [technology.v_core, 0.0]
            levels.setdefault(f"ctl_mux_{unit}", [0.0]).extend([technology.v_io, 0.0])
            for node in ("sample", "sample_b", *(f"bit_{k}" for k in params.adc.decided)):
                levels.setdefault(prefix + node, [0.0]).extend(pulse)
            levels.setdefault(f"{prefix}clk", [0.0]).extend(pulse * params.adc.sar.bits)
    return levels
