"""The transposable array with its periphery: circuit, mode table, controls, test benches, account of what is shared."""

from rramkit.circuits.periphery.array import PeripheryParams, add_periphery
from rramkit.circuits.periphery.bench import CATALOG, EXAMPLE, example, operate, static_operations
from rramkit.circuits.periphery.controls import (
    CodedParams,
    OperateParams,
    control_levels,
    conversions,
    converted_units,
    operation,
    unit_reads,
)
from rramkit.circuits.periphery.modes import MODE_TABLE, SWITCHES, Mode, Operation
from rramkit.circuits.periphery.reuse import ALL_MODES, Account, account, one_round
from rramkit.circuits.periphery.sense import SenseBlock, SenseKind, probe, transimpedance

__all__ = [
    "ALL_MODES",
    "CATALOG",
    "EXAMPLE",
    "MODE_TABLE",
    "SWITCHES",
    "Account",
    "CodedParams",
    "Mode",
    "OperateParams",
    "Operation",
    "PeripheryParams",
    "SenseBlock",
    "SenseKind",
    "account",
    "add_periphery",
    "control_levels",
    "conversions",
    "converted_units",
    "example",
    "one_round",
    "operate",
    "operation",
    "probe",
    "static_operations",
    "transimpedance",
    "unit_reads",
]
