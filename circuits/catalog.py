"""The blocks that can be asked for by name: what parameters each takes, and the deck that it makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rramkit.circuits import (
    adc,
    cell_bench,
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
from rramkit.errors import InputError
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
    "cell-read": CatalogEntry(
        cell_bench.ReadSweepParams, cell_bench.read_sweep, "1T1R cell: read current against voltage, state held"
    ),
    "cell-write": CatalogEntry(
        cell_bench.WriteParams,
        cell_bench.write_staircase,
        "1T1R cell: gradual SET (word line stepped) or RESET (source line stepped), a read around every pulse",
    ),
    "device-pulse": CatalogEntry(
        device.DevicePulseParams, device.pulse_train, "bare ReRAM device: a pulse train through a resistor"
    ),
    "level-shifter": CatalogEntry(
        level_shifter.LevelShifterBench,
        level_shifter.level_shifter_bench,
        "level shifter from core to thick-oxide logic: delays, swing, charge",
    ),
    "write-driver-set": CatalogEntry(
        write_driver.DriverWriteParams,
        write_driver.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: SET staircase on the word line",
    ),
    "write-driver-reset": CatalogEntry(
        write_driver.DriverResetParams,
        write_driver.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: RESET staircase on the source line",
    ),
    "pulse-train": CatalogEntry(
        write_driver.DriverPulseParams,
        write_driver.driven_write,
        "transistor write driver: pulses of one amplitude, of programmable width and count",
    ),
    "write-verify": CatalogEntry(
        write_verify.WriteVerifyParams,
        write_verify.write_verify,
        "incremental-step write-verify, its comparator and latch in the circuit",
    ),
    "write-disturb": CatalogEntry(
        disturb.DisturbBenchParams,
        disturb.write_disturb,
        "transistor write driver at full amplitude: what half-selected neighbours see",
    ),
    "crossbar": CatalogEntry(
        crossbar.CrossbarReadParams, _crossbar, "R x C crossbar with its wires: one read as a transient"
    ),
    "crossbar-write": CatalogEntry(
        crossbar_write.CrossbarWriteParams,
        crossbar_write.array_write,
        "small crossbar, every state moving: one cell written, its neighbours gated, at V/2 or at V/3",
    ),
    "periphery": CatalogEntry(
        periphery.OperateParams,
        periphery.example,
        "transposable array: forward, backward, update and memory modes of one netlist, switches of transistors",
    ),
    "periphery-codes": CatalogEntry(
        periphery.CodedParams,
        periphery.example,
        "transposable array whose reads end in codes: readouts and a SAR converter that rows and columns share",
    ),
    "crossbar-pairs": CatalogEntry(
        crossbar_pairs.PairParams,
        crossbar_pairs.example_read,
        "crossbar of signed weights as differential pairs: each row alone",
    ),
    "current-sense": CatalogEntry(
        current_sense.CurrentSenseBenchParams,
        current_sense.current_train,
        "current sense amplifier with a clamped bit line: reads of cells against one reference",
    ),
    "multi-level": CatalogEntry(
        row_driver.RowDriverBenchParams,
        row_driver.level_train,
        "multi-level voltage source of a row: resistor string and transmission gates",
    ),
    "bit-serial": CatalogEntry(
        row_driver.SerialRowDriverBenchParams, row_driver.word_train, "bit-serial driver of a row: one word"
    ),
    "multibit-read": CatalogEntry(
        multibit_read.MultibitReadParams,
        multibit_read.multibit_train,
        "multi-bit read: bit line, transimpedance readout and SAR converter, one code a read",
    ),
    "readout": CatalogEntry(
        readout.ReadoutBenchParams,
        readout.read_train,
        "bit-line readout with a clamp amplifier: transimpedance or integrating, a train of reads",
    ),
    "sar": CatalogEntry(
        adc.AdcBenchParams,
        adc.conversion_train,
        "SAR converter of 1 to 6 bit with a StrongARM comparator: conversions in closed loop",
    ),
    "sar-levels": CatalogEntry(
        adc.AdcTrainParams, adc.transition_train, "SAR converter: its transition levels one after the other"
    ),
    "strongarm": CatalogEntry(
        sense_amp.SenseAmpBenchParams,
        sense_amp.decision_train,
        "StrongARM latch: decisions at overdrives from small to large",
    ),
    "strongarm-offset": CatalogEntry(
        sense_amp.SenseAmpBenchParams,
        sense_amp.example_offset,
        "StrongARM latch: search for the offset by repeated clocking",
    ),
}


def block(name: str) -> CatalogEntry:
    """Return a block by its name; raise `InputError` for an unknown one."""
    if name not in BLOCKS:
        raise InputError(
            f"`block` must be one of {', '.join(BLOCKS)}; got {name!r}. `rramkit netlist --list` tells more."
        )
    return BLOCKS[name]
