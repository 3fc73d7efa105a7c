"""The gradual-write driver: amplitude converter and buffer, line switches, loaded lines, test benches."""

from rramkit.circuits.write_driver.amplitude import BufferParams, ConverterParams
from rramkit.circuits.write_driver.bench import (
    CATALOG,
    OPTIONS,
    CodeTrainParams,
    DriverPulseParams,
    DriverResetParams,
    DriverWriteParams,
    add_written_cell,
    driven_write,
    driver_outputs,
    read_measures,
)
from rramkit.circuits.write_driver.driver import (
    SUPPLIES,
    T_START,
    Joints,
    PulseTiming,
    WriteDriverParams,
    add_line_drivers,
    add_write_driver,
)
from rramkit.circuits.write_driver.lines import Far, Interval, Leg, LinesParams, SwitchParams

__all__ = [
    "CATALOG",
    "OPTIONS",
    "SUPPLIES",
    "T_START",
    "BufferParams",
    "CodeTrainParams",
    "ConverterParams",
    "DriverPulseParams",
    "DriverResetParams",
    "DriverWriteParams",
    "Far",
    "Interval",
    "Joints",
    "Leg",
    "LinesParams",
    "PulseTiming",
    "SwitchParams",
    "WriteDriverParams",
    "add_line_drivers",
    "add_write_driver",
    "add_written_cell",
    "driven_write",
    "driver_outputs",
    "read_measures",
]
