"""The catalogue of circuit blocks: name, parameters, deck; and the names that blocks and plans had before."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rramkit.circuits import (
    adc,
    cell,
    crossbar,
    crossbar_pairs,
    crossbar_write,
    current_sense,
    device,
    disturb,
    level_shifter,
    multibit_read,
    periphery,
    readout,
    row_driver,
    sense_amp,
    write_driver,
    write_verify,
)
from rramkit.circuits.deck import Deck
from rramkit.errors import FormerNameWarning, InputError
from rramkit.parameters import Parameters


@dataclass(frozen=True)
class CatalogEntry:
    """A named block: `deck` takes an object of `parameters`."""

    parameters: type[Parameters]
    deck: Callable[[Any], Deck]
    description: str


def _crossbar(params: crossbar.CrossbarReadParams) -> Deck:
    return crossbar.transient_read(params, *crossbar.example_pattern(params))


BLOCKS = {
    "cell_read": CatalogEntry(
        cell.ReadSweepParams, cell.read_sweep, "1T1R cell: read current against voltage, state held"
    ),
    "cell_write": CatalogEntry(
        cell.WriteParams,
        cell.write_staircase,
        "1T1R cell: gradual SET (word line stepped) or RESET (source line stepped), a read around every pulse",
    ),
    "device_pulse": CatalogEntry(
        device.DevicePulseParams, device.pulse_train, "bare ReRAM device: a pulse train through a resistor"
    ),
    "level_shifter": CatalogEntry(
        level_shifter.LevelShifterBench,
        level_shifter.level_shifter_bench,
        "level shifter from core to thick-oxide logic: delays, swing, charge",
    ),
    "write_driver_set": CatalogEntry(
        write_driver.DriverWriteParams,
        write_driver.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: SET staircase on the word line",
    ),
    "write_driver_reset": CatalogEntry(
        write_driver.DriverResetParams,
        write_driver.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: RESET staircase on the source line",
    ),
    "write_driver_pulses": CatalogEntry(
        write_driver.DriverPulseParams,
        write_driver.driven_write,
        "transistor write driver: pulses of one amplitude, of programmable width and count",
    ),
    "write_verify": CatalogEntry(
        write_verify.WriteVerifyParams,
        write_verify.write_verify,
        "incremental-step write-verify, its comparator and latch in the circuit",
    ),
    "disturb": CatalogEntry(
        disturb.DisturbBenchParams,
        disturb.write_disturb,
        "half-select disturb: write driver at full amplitude, states of the neighbours",
    ),
    "crossbar": CatalogEntry(
        crossbar.CrossbarReadParams, _crossbar, "R x C crossbar with its wires: one read as a transient"
    ),
    "crossbar_write": CatalogEntry(
        crossbar_write.CrossbarWriteParams,
        crossbar_write.array_write,
        "small crossbar, every state moving: one cell written, its neighbours gated, at V/2 or at V/3",
    ),
    "periphery": CatalogEntry(
        periphery.OperateParams,
        periphery.example,
        "transposable array: forward, backward, update and memory modes of one netlist, switches of transistors",
    ),
    "periphery_codes": CatalogEntry(
        periphery.CodedParams,
        periphery.example,
        "transposable array whose reads end in codes: readouts and a SAR converter that rows and columns share",
    ),
    "crossbar_pairs": CatalogEntry(
        crossbar_pairs.PairParams,
        crossbar_pairs.example_read,
        "crossbar of signed weights as differential pairs: each row alone",
    ),
    "current_sense": CatalogEntry(
        current_sense.CurrentSenseBenchParams,
        current_sense.current_train,
        "current sense amplifier with a clamped bit line: reads of cells against one reference",
    ),
    "row_driver": CatalogEntry(
        row_driver.RowDriverBenchParams,
        row_driver.level_train,
        "row driver, multi-level (DAC): resistor string and transmission gates",
    ),
    "row_driver_serial": CatalogEntry(
        row_driver.SerialRowDriverBenchParams, row_driver.word_train, "row driver, bit-serial: one word"
    ),
    "multibit_read": CatalogEntry(
        multibit_read.MultibitReadParams,
        multibit_read.multibit_train,
        "multi-bit read: bit line, transimpedance readout and SAR converter, one code a read",
    ),
    "readout": CatalogEntry(
        readout.ReadoutBenchParams,
        readout.read_train,
        "bit-line readout with a clamp amplifier: transimpedance or integrating, a train of reads",
    ),
    "adc": CatalogEntry(
        adc.AdcBenchParams,
        adc.conversion_train,
        "SAR converter of 1 to 6 bit with a StrongARM comparator: conversions in closed loop",
    ),
    "adc_levels": CatalogEntry(
        adc.AdcTrainParams, adc.transition_train, "SAR converter: its transition levels one after the other"
    ),
    "sense_amp": CatalogEntry(
        sense_amp.SenseAmpBenchParams,
        sense_amp.decision_train,
        "sense amplifier (StrongARM latch): decisions at overdrives from small to large",
    ),
    "sense_amp_offset": CatalogEntry(
        sense_amp.SenseAmpBenchParams,
        sense_amp.example_offset,
        "sense amplifier (StrongARM latch): search for the offset by repeated clocking",
    ),
}


FORMER_NAMES = {
    "strongarm": "sense_amp",
    "strongarm_offset": "sense_amp_offset",
    "sar": "adc",
    "sar_levels": "adc_levels",
    "sar_mismatch": "adc_mismatch",
    "multi_level": "row_driver",
    "bit_serial": "row_driver_serial",
    "pulse_train": "write_driver_pulses",
    "write_disturb": "disturb",
}
"""Names of blocks and plans in version 0.1.0, hyphens as underscores, and their present ones."""


def block(name: str) -> CatalogEntry:
    """Return a block by its present name; raise `InputError` for an unknown one."""
    if name not in BLOCKS:
        raise InputError(f"`block` must be one of {', '.join(BLOCKS)}; got {name!r}. See `rramkit netlist --list`.")
    return BLOCKS[name]


def current_name(text: str) -> str:
    """Return the present name of a block or plan: hyphens count as underscores, names of 0.1.0 are replaced."""
    name = text.replace("-", "_")
    return FORMER_NAMES.get(name, name)


def noted_name(text: str) -> str:
    """Return `current_name`; warn with a `FormerNameWarning` where the text is a name of 0.1.0."""
    name = current_name(text)
    if name != text.replace("-", "_"):
        warnings.warn(f"`{text}` is now named `{name}`; the former name still works.", FormerNameWarning, stacklevel=2)
    return name
