"""The blocks that can be asked for by name: what parameters each takes, and the deck that it makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rramkit.circuits import (
    cell_bench,
    crossbar_bench,
    crossbar_write,
    current_sense_bench,
    device_bench,
    input_driver_bench,
    level_shifter,
    multibit_bench,
    pairs,
    periphery_bench,
    readout_bench,
    sar_bench,
    strongarm_bench,
    write_disturb,
    write_driver_bench,
    write_verify,
)
from rramkit.circuits.deck import Deck
from rramkit.errors import InputError
from rramkit.parameters import Parameters


@dataclass(frozen=True)
class Block:
    """A named block: `deck` takes an object of `parameters`."""

    parameters: type[Parameters]
    deck: Callable[[Any], Deck]
    description: str


def _crossbar(params: crossbar_bench.CrossbarReadParams) -> Deck:
    return crossbar_bench.transient_read(params, *crossbar_bench.example_pattern(params))


BLOCKS = {
    "cell-read": Block(
        cell_bench.ReadSweepParams, cell_bench.read_sweep, "1T1R cell: read current against voltage, state held"
    ),
    "cell-write": Block(
        cell_bench.WriteParams,
        cell_bench.write_staircase,
        "1T1R cell: gradual SET (word line stepped) or RESET (source line stepped), a read around every pulse",
    ),
    "device-pulse": Block(
        device_bench.PulseTrainParams, device_bench.pulse_train, "bare ReRAM device: a pulse train through a resistor"
    ),
    "level-shifter": Block(
        level_shifter.LevelShifterBench,
        level_shifter.level_shifter_bench,
        "level shifter from core to thick-oxide logic: delays, swing, charge",
    ),
    "write-driver-set": Block(
        write_driver_bench.DriverWriteParams,
        write_driver_bench.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: SET staircase on the word line",
    ),
    "write-driver-reset": Block(
        write_driver_bench.DriverResetParams,
        write_driver_bench.driven_write,
        "transistor write driver, loaded lines, 1T1R cell: RESET staircase on the source line",
    ),
    "pulse-train": Block(
        write_driver_bench.PulseTrainParams,
        write_driver_bench.driven_write,
        "transistor write driver: pulses of one amplitude, of programmable width and count",
    ),
    "write-verify": Block(
        write_verify.WriteVerifyParams,
        write_verify.write_verify,
        "incremental-step write-verify, its comparator and latch in the circuit",
    ),
    "write-disturb": Block(
        write_disturb.DisturbParams,
        write_disturb.write_disturb,
        "transistor write driver at full amplitude: what half-selected neighbours see",
    ),
    "crossbar": Block(
        crossbar_bench.CrossbarReadParams, _crossbar, "R x C crossbar with its wires: one read as a transient"
    ),
    "crossbar-write": Block(
        crossbar_write.CrossbarWriteParams,
        crossbar_write.array_write,
        "small crossbar, every state moving: one cell written, its neighbours gated, at V/2 or at V/3",
    ),
    "periphery": Block(
        periphery_bench.OperateParams,
        periphery_bench.example,
        "transposable array: forward, backward, update and memory modes of one netlist, switches of transistors",
    ),
    "periphery-codes": Block(
        periphery_bench.CodedParams,
        periphery_bench.example,
        "transposable array whose reads end in codes: readouts and a SAR converter that rows and columns share",
    ),
    "crossbar-pairs": Block(
        pairs.PairParams, pairs.example_read, "crossbar of signed weights as differential pairs: each row alone"
    ),
    "current-sense": Block(
        current_sense_bench.CurrentSenseBenchParams,
        current_sense_bench.current_train,
        "current sense amplifier with a clamped bit line: reads of cells against one reference",
    ),
    "multi-level": Block(
        input_driver_bench.MultiLevelBenchParams,
        input_driver_bench.level_train,
        "multi-level voltage source of a row: resistor string and transmission gates",
    ),
    "bit-serial": Block(
        input_driver_bench.BitSerialBenchParams, input_driver_bench.word_train, "bit-serial driver of a row: one word"
    ),
    "multibit-read": Block(
        multibit_bench.MultibitParams,
        multibit_bench.multibit_train,
        "multi-bit read: bit line, transimpedance readout and SAR converter, one code a read",
    ),
    "readout": Block(
        readout_bench.ReadoutBenchParams,
        readout_bench.read_train,
        "bit-line readout with a clamp amplifier: transimpedance or integrating, a train of reads",
    ),
    "sar": Block(
        sar_bench.SarBenchParams,
        sar_bench.conversion_train,
        "SAR converter of 1 to 6 bit with a StrongARM comparator: conversions in closed loop",
    ),
    "sar-levels": Block(
        sar_bench.SarTrainParams, sar_bench.transition_train, "SAR converter: its transition levels one after the other"
    ),
    "strongarm": Block(
        strongarm_bench.StrongArmBenchParams,
        strongarm_bench.decision_train,
        "StrongARM latch: decisions at overdrives from small to large",
    ),
    "strongarm-offset": Block(
        strongarm_bench.StrongArmBenchParams,
        strongarm_bench.example_offset,
        "StrongARM latch: search for the offset by repeated clocking",
    ),
}


def block(name: str) -> Block:
    """Return a block by its name; raise `InputError` for an unknown one."""
    if name not in BLOCKS:
        raise InputError(
            f"`block` must be one of {', '.join(BLOCKS)}; got {name!r}. `rramkit netlist --list` tells more."
        )
    return BLOCKS[name]
