"""When the transposable array's converters convert which unit, and through which levels that takes their controls."""

from collections.abc import Sequence

from rramkit.circuits.periphery import PeripheryParams
from rramkit.circuits.periphery_modes import Operation


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
