"""One operation of a small array with all of its periphery of transistors in ngspice, against what its tables price.

A deck holds everything that a read of the array takes (`circuits.array_operation`): word lines and their drivers, row
drivers with every level, rails, line switches, readouts, converters. Each of its sources is counted where it gives. The
other side is `Reading` of a tile of the same cells at the same codes: what the simulator counts and `rramkit cost`
adds up::

    readouts         their supply, and the rest voltage of the lines that wait      `e_sensing`
    row drivers      rails, supply and selects                                      `e_drivers`
    converters       reference, latch, gates                                        conversions, `adc`
    line switches    supply and controls                                            conversions and batch, `line_switch`
    word lines       the thick-oxide supply                                         batch, `word_line`

Codes are compared too: a read that is too short to be right would be no read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from rramkit.array.model import ArrayModel
from rramkit.array.read import Reading
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.sense_unit import LINES, SenseUnit, unit_transitions
from rramkit.array.tile import Tile
from rramkit.characterization.engine.corners import at_corner, at_temperature
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.adc import AdcBenchParams, ConversionParams
from rramkit.circuits.array_operation import ArrayOperationParams, operation_reads, supplies
from rramkit.circuits.level_shifter import LevelShifterBench
from rramkit.proof.spice_tile import ArrayCircuits, plan_of, quiet, step_of, unit_of
from rramkit.table import TableFile

Direction = Literal["forward", "backward"]
PARTS: tuple[str, ...] = ("readouts", "row drivers", "converters", "line switches", "word lines")
"""Parts of the energy of a read; the lines that wait are with the readouts."""


@dataclass(frozen=True)
class OperationEnergy:
    """Energy of the reads of one direction.

    Attributes
    ----------
    spice, priced : mapping of str to float
        By part: what the supplies give in ngspice, and what the simulator counts (J).
    spice_turns : float
        Of ngspice's readouts, what they give from the first turn to the end of the last (J): without the word lines'
        rise and fall, in which they stand too.
    steps : ndarray
        Codes of the converters in ngspice less the tile's (N, lines), in steps (1).
    """

    spice: Mapping[str, float]
    priced: Mapping[str, float]
    spice_turns: float
    steps: np.ndarray


def operation_energies(
    tables: TableFile, runner: Runner, *, seed: int, rows: int = 8, columns: int = 8, vectors: int = 1
) -> dict[Direction, OperationEnergy]:
    """Return both sides of the reads of an array, forward and backward, at the condition of its tables.

    Parameters
    ----------
    tables : TableFile
        Tables of a whole chip at one condition.
    runner : Runner
        Where ngspice runs.
    seed : int
        Draws conductances and codes.
    rows, columns : int
        Size of the array, of single cells.
    vectors : int
        Input vectors of each direction, one after the other.

    Returns
    -------
    dict
        By direction.

    Raises
    ------
    TableError
        When the file was not made from SPICE, or lacks a plan of the chip.
    """
    model = ArrayModel(tables, chain=_without_spread(ReadChain.from_tables(tables)))
    rng = np.random.default_rng(seed)
    low, high = (float(each) for each in model.cells.g_grid[[0, -1]])
    tile = Tile.of(rng.uniform(1.1 * low, high / 1.1, (1, rows, columns)), model)
    circuits, found = ArrayCircuits.of(tables, runner), {}
    directions: tuple[tuple[Direction, int], ...] = (("forward", rows), ("backward", columns))
    for direction, lines in directions:
        backward = direction == "backward"
        levels = model.chain.row_driver.levels
        codes = rng.integers(0, levels, (vectors, lines))
        v = codes / (levels - 1) * (model.cells.v_backward if backward else model.cells.v_forward)
        tile = tile.calibrated(v, backward=backward, margin=1.5)
        found[direction] = _compared(tables, runner, circuits, tile=tile, codes=codes, v=v, direction=direction)
    return found


def _without_spread(chain: ReadChain) -> ReadChain:
    """Return the chain with units that are all alike, as the deck's are."""
    alike = {"latch_sigma": 0.0, "mismatch_codes": (), "mismatch_sigma": ()}
    return chain.model_copy(
        update={
            "readout": chain.readout.model_copy(update={"offset_sigma": 0.0}),
            "adc": chain.adc.model_copy(update=alike),
        }
    )


def _compared(
    tables: TableFile,
    runner: Runner,
    circuits: ArrayCircuits,
    *,
    tile: Tile,
    codes: np.ndarray,
    v: np.ndarray,
    direction: Direction,
) -> OperationEnergy:
    """Return both sides at codes (N, driven), which are the voltages `v` (N, driven) [V]."""
    params = _params(tables, circuits, tile, direction)
    states = circuits.states.state_of(np.asarray(tile.g_cell[0], dtype=float), nearest=True)

    def deck() -> str:
        return at_temperature(operation_reads(params, states, codes.T), circuits.condition).text()

    measure = partial(_measured, params=params, codes=codes.T)
    values = runner.need("operations", [Point(deck, measure, direction)])[0]
    spice = dict(zip(PARTS, values[: len(PARTS)], strict=True))
    reading = getattr(quiet(tile), direction)(v)
    unit, bank = unit_of(tile), tile.periphery.state(SenseUnit).banks[direction == "backward"]
    at_rest = unit_transitions(unit.readout, unit.adc, bank.draws, bank.gain)[1][bank.unit]
    codes_of_tile = np.rint(reading.i / step_of(tile, backward=direction == "backward")).astype(int) + at_rest
    steps = values[len(PARTS) + 1 :].reshape(codes_of_tile.shape) - codes_of_tile
    return OperationEnergy(spice, _priced(tile, reading), float(values[len(PARTS)]), steps)


def _params(tables: TableFile, circuits: ArrayCircuits, tile: Tile, direction: Direction) -> ArrayOperationParams:
    """Return the circuits of the operation, at the tables' condition, the tile's gain setting and the table's times."""
    adc, shifter = (plan_of(tables, name).nominal for name in ("adc", "level_shifter"))
    assert isinstance(adc, AdcBenchParams) and isinstance(shifter, LevelShifterBench)
    condition, system = circuits.condition, circuits.system
    unit = unit_of(tile)
    gain = unit.readout.gains[int(tile.periphery.state(SenseUnit).banks[direction == "backward"].gain)]
    rows, cols = (int(side) for side in tile.g_cell.shape[-2:])
    converter = ConversionParams.checked(
        {name: getattr(adc, name) for name in ConversionParams.model_fields}, where="the plan `adc`"
    )
    return ArrayOperationParams(
        system=system.model_copy(
            update={
                "crossbar": system.crossbar.model_copy(update={"rows": rows, "cols": cols}),
                "readout": system.readout.model_copy(update=dict(r_feedback=gain.r_feedback)),
                "direction": direction,
                "share": LINES,
            }
        ),
        adc=at_corner(converter, condition),
        shifter=shifter.shifter,
        w_word=shifter.w_driver,
        t_read=tile.model.t_read,
    )


def _measured(waves: Waveforms, params: ArrayOperationParams, codes: np.ndarray) -> np.ndarray:
    """Return the energy of each part (J), that of the readouts within the turns (J), and every code of the converters.

    Codes (driven, N) as the deck's; those of the converters are in the order of vectors and lines.
    """
    time, share = waves["time"], params.system.share
    turns = codes.shape[1] * share
    energies: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    within = 0.0
    for each in supplies(params, codes):
        power = -(waves[each.volts] if isinstance(each.volts, str) else each.volts) * waves[each.current]
        power = power if each.signed else np.maximum(power, 0.0)
        part = "readouts" if each.part == "lines that wait" else each.part
        energies[part] += integral(time, power, (float(time[0]), float(time[-1])))
        if part == "readouts":
            within += integral(time, power, (params.t_begin(0), params.t_begin(turns)))
    return np.array([*energies.values(), within, *_codes(waves, params, codes.shape[1]).ravel()])


def _codes(waves: Waveforms, params: ArrayOperationParams, vectors: int) -> np.ndarray:
    """Return the converters' codes (N, lines)."""
    sensed, share = params.system.sensed, params.system.share
    codes = np.zeros((vectors, sensed))
    for vector, line in np.ndindex(vectors, sensed):
        turn = vector * share + line % share
        at = params.adc.code_at(params.t_begin(turn) + params.t_read)
        for bit in params.adc.decided:
            q = np.interp(at, waves["time"], waves[f"q_{line // share}_{bit}"])
            codes[vector, line] += 2**bit * (q > 0.5)
    return codes


def _priced(tile: Tile, reading: Reading) -> dict[str, float]:
    """Return the energy of each part (J) as the simulator counts it."""
    chain, (_, rows, columns) = tile.model.chain, tile.tiling
    words = rows * chain.word_line.e_line(columns)
    converters = reading.conversions * chain.adc.energy
    others = reading.energy - reading.e_sensing - reading.e_drivers - converters - words
    return dict(zip(PARTS, (reading.e_sensing, reading.e_drivers, converters, others, words), strict=True))
