"""Check of the composition: whole small arrays with their periphery in ngspice against what the tables predict.

At each operating condition ::

    reads         a drawn array, drawn inputs, both directions, offsets drawn for each unit: every line's code, in steps
                  of the ADC (`spice_tile`; the ADC itself as its tables have it)
    conversions   the ADC of transistors in closed loop, at outputs of those reads: codes against the table's levels
    updates       a train of SET and one of RESET pulses through the write driver and its lines: the cell's conductance
                  after each pulse against the update chain's, step by step from the same start
    energy        of each vector's reads, from the readouts' supply: the power of the deck over the time of a read; of
                  each pulse of the trains, from all supplies of the write driver

Limits are those that the composition is to keep: codes 0.5 steps rms, 95 % within one step, all within two;
conductances within 2 % of the range; energies within 10 %.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np

from rramkit.array.model import ArrayModel
from rramkit.array.rng import TileRng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.sense_unit import SenseUnit
from rramkit.array.tile import Tile
from rramkit.array.write.state import POLARITIES, Polarity
from rramkit.array.write.update import UpdateChain, UpdateParams
from rramkit.characterization.components.adc import codes
from rramkit.characterization.components.wires import WireParams
from rramkit.characterization.components.write_driver import supply_energies
from rramkit.characterization.engine.corners import at_corner, at_temperature
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.adc.bench import AdcBenchParams, conversion_train
from rramkit.circuits.compiled_cell import CellUsed, Form
from rramkit.circuits.device import in_form
from rramkit.circuits.write_driver import CodeTrainParams, DriverWriteParams, driven_write
from rramkit.proof.spice_tile import (
    ArrayCircuits,
    SpiceSolver,
    SpiceTile,
    array_cell,
    condition_of,
    plan_of,
    quiet,
    step_of,
    unit_of,
)
from rramkit.table import HeldOut, Quantity, Table, TableFile
from rramkit.table.schema import CORNERS, READOUT_TRANSIMPEDANCE, SYSTEM

STEPS_RMS, STEPS_LARGEST = 0.5, 1.0
"""Largest rms of the codes' differences, and what 95 % of them stay within, in steps of the ADC (1)."""

CONDUCTANCE = 0.02
"""Largest difference of a conductance after the pulses, over the range (1)."""

CELLS_USED = "system_cells"
"""Key of a table file's provenance with the cells of the check, as JSON."""

ENERGY = 0.10
"""Largest relative difference of an energy (1)."""


@dataclass(frozen=True)
class SystemSize:
    """Size of a check.

    Attributes
    ----------
    rows, pairs : int
        Of the array.
    vectors : int
        Input vectors of each direction.
    conversions : int
        Conversions by the ADC of transistors.
    pulses : int
        Pulses of each polarity.
    """

    rows: int = 8
    pairs: int = 4
    vectors: int = 6
    conversions: int = 8
    pulses: int = 20


def check_system(
    tables: TableFile,
    runner: Runner,
    *,
    seed: int,
    size: SystemSize | None = None,
    compiled_cells: Form = "auto",
) -> dict[str, HeldOut]:
    """Return ngspice against the tables, at the condition that the tables were taken at.

    Parameters
    ----------
    tables : TableFile
        Tables of a whole chip at one condition.
    runner : Runner
        Where ngspice runs.
    seed : int
        Draws conductances, inputs, offsets and pulses.
    size : SystemSize, optional
        Size of the check.
    compiled_cells : {"auto", "never", "always"}
        Whether the cells, of arrays and of pulse trains, are compiled Verilog-A; auto: where they can be.

    Returns
    -------
    dict of str to HeldOut
        By quantity: ngspice, tables and limits.

    Raises
    ------
    InputError
        When cells must be compiled, and have no compiled form.
    TableError
        When the file was not made from SPICE, or lacks a table of the chip.
    """
    size = size or SystemSize()
    rng = np.random.default_rng(seed)
    circuits = ArrayCircuits.of(tables, runner, compiled_cells=compiled_cells)
    found = _reads(tables, circuits, runner, rng, size, seed)
    return found | _updates(tables, circuits, runner, rng, size, compiled_cells)


def cells_used(tables: TableFile, compiled_cells: Form) -> dict[str, CellUsed]:
    """Return the text of the cells that the check has in its decks: of `arrays`, and of `set` and `reset` pulses.

    Raises
    ------
    InputError
        When cells must be compiled, and have no compiled form.
    TableError
        When the file was not made from SPICE, or has no plan of a circuit that the check needs.
    """
    wires = plan_of(tables, "wires").nominal
    assert isinstance(wires, WireParams)
    pulses = {each: _write_params(tables, each, compiled_cells).cell.device.used() for each in POLARITIES}
    return {"arrays": array_cell(wires.crossbar.cell.device, compiled_cells), **pulses}


def _reads(
    tables: TableFile,
    circuits: ArrayCircuits,
    runner: Runner,
    rng: np.random.Generator,
    size: SystemSize,
    seed: int,
) -> dict[str, HeldOut]:
    chain = ReadChain.from_tables(tables)
    model = ArrayModel(tables, chain=chain)
    low, high = (float(each) for each in model.cells.g_grid[[0, -1]])
    # single-ended, so that each line's own code is compared, not a difference of two
    g_cell = rng.uniform(1.1 * low, high / 1.1, (1, size.rows, 2 * size.pairs))
    tile = Tile.of(g_cell, model, rng=TileRng.seeded(seed))
    forward = rng.uniform(0.0, model.cells.v_forward, (size.vectors, size.rows))
    backward = rng.uniform(0.0, model.cells.v_backward, (size.vectors, 2 * size.pairs))
    tile = tile.calibrated(forward, margin=1.5)
    tile = tile.calibrated(backward, backward=True, margin=1.5)
    solver = SpiceSolver(circuits, runner)
    through, found = SpiceTile.like(tile, solver), {}
    for name, v in (("forward", forward), ("backward", backward)):
        spice = getattr(through, name)(v).i
        table = getattr(quiet(tile), name)(v).i
        step = step_of(tile, backward=name == "backward")
        found[f"code_{name}"] = _held_out(spice / step, table / step, STEPS_RMS, STEPS_LARGEST, "1")
        found[f"energy_{name}"] = _energy(tables, tile, solver.comparison.watts[-1], table, backward=name == "backward")
    found[SYSTEM.code_adc] = _conversions(tables, runner, rng, tile, size)
    return found


def _energy(tables: TableFile, tile: Tile, watts: np.ndarray, i: np.ndarray, *, backward: bool) -> HeldOut:
    """Return the energy of each vector's reads from the readouts' supply.

    ngspice's is its power (N,) [W] over the time of a read, the table's that at the currents (N, M) [A] of all lines.
    """
    spice = watts * tables[READOUT_TRANSIMPEDANCE.group].condition(READOUT_TRANSIMPEDANCE.t_read)
    gain = unit_of(tile).readout.gains[int(tile.periphery.state(SenseUnit).banks[backward].gain)]
    table = gain.read_energy(i.astype(float)).sum(axis=-1)
    scale = ENERGY * float(np.mean(spice))
    return _held_out(spice, table, scale, scale, "J")


def _conversions(tables: TableFile, runner: Runner, rng: np.random.Generator, tile: Tile, size: SystemSize) -> HeldOut:
    """Return codes of the ADC of transistors, and those of the table's levels, at drawn inputs."""
    plan, adc = plan_of(tables, "adc"), unit_of(tile).adc
    params = at_corner(plan.nominal, condition_of(tables), plan.component.supplies)
    assert isinstance(params, AdcBenchParams) and adc.v_low is not None and adc.v_high is not None
    v_in = np.sort(rng.uniform(adc.v_low, adc.v_high, size.conversions))

    def deck() -> str:
        return at_temperature(conversion_train(params, v_in), condition_of(tables)).text()

    spice = runner.need("conversions", [Point(deck, partial(_codes, params=params, count=v_in.size), "conversions")])[0]
    table = np.searchsorted(adc.transitions(), v_in, side="right").astype(float)
    return _held_out(spice, table, STEPS_RMS, STEPS_LARGEST, "1")


def _codes(waves: Waveforms, params: AdcBenchParams, count: int) -> np.ndarray:
    return codes(waves, params, count).astype(float)


def _updates(
    tables: TableFile,
    circuits: ArrayCircuits,
    runner: Runner,
    rng: np.random.Generator,
    size: SystemSize,
    compiled_cells: Form,
) -> dict[str, HeldOut]:
    """Return conductances after each pulse of a SET and of a RESET train through the write driver, and its energy."""
    without = ("cycles", "spread", "disturb")
    typed = UpdateParams.from_tables(tables, off=[name for name in without if name in UpdateParams().origins()])
    chain = UpdateChain.from_tables(tables, typed)
    low, high = chain.writer.g_range
    states = circuits.states
    points, trains = [], []
    for polarity in POLARITIES:
        params = _as_long_as(_write_params(tables, polarity, compiled_cells), chain.largest)
        start = low + (0.15 if polarity == "set" else 0.8) * (high - low)
        code = np.sort(rng.integers(4, 44 if polarity == "set" else 52, size.pulses))
        values = {name: getattr(params, name) for name in type(params).model_fields}
        state = float(states.state_of(np.array([start]))[0])
        train = CodeTrainParams.checked(
            values | {"pulses": code.size, "code_list": tuple(int(c) for c in code), "state": state}, where="the check"
        )
        trains.append((polarity, train, code, start))
        points.append(Point(partial(_write_deck, train, tables), partial(_pulses, params=train), polarity))
    found = {}
    for (polarity, train, code, start), (after, joules) in zip(trains, runner.need("updates", points), strict=True):
        spice = states.g_of(after)
        table, energy = _predicted(chain, polarity, train, code, start)
        inside = (spice > low) & (spice < high)  # beyond its window a table ends
        scale = CONDUCTANCE * (high - low)
        found[f"g_{polarity}"] = _held_out(spice[inside], table[inside], scale, scale, "S")
        scale = ENERGY * float(np.mean(joules[inside]))
        found[f"energy_{polarity}"] = _held_out(joules[inside], energy[inside], scale, scale, "J")
    return found


def _write_params(tables: TableFile, polarity: Polarity, compiled_cells: Form) -> DriverWriteParams:
    """Return the write driver's circuit of a table file's plan, its cell in a form."""
    plan = plan_of(tables, f"write_driver_{polarity}")
    params = at_corner(plan.nominal, condition_of(tables), plan.component.supplies)
    assert isinstance(params, DriverWriteParams)
    return in_form(params, compiled_cells)


def _as_long_as(params: DriverWriteParams, largest: tuple[int, int] | None) -> DriverWriteParams:
    """Return the driver's circuit with lines as long as the rows of the largest array, for which its table is read."""
    if largest is None:
        return params
    lumps = params.driver.lines.lumps
    lines = params.driver.lines.model_copy(update={"cells": -(-largest[1] // lumps) * lumps})
    return params.model_copy(update={"driver": params.driver.model_copy(update={"lines": lines})})


def _write_deck(train: CodeTrainParams, tables: TableFile) -> str:
    return at_temperature(driven_write(train), condition_of(tables)).text()


def _pulses(waves: Waveforms, params: CodeTrainParams) -> np.ndarray:
    """Return the cell's state after each pulse, and the energy (J) of the pulse from all supplies (2, P)."""
    ends = [params.window(index)[1] for index in range(params.pulses)]
    energies = np.sum(list(supply_energies(waves, params).values()), axis=0)
    return np.stack([np.interp(ends, waves["time"], waves["state"]), energies])


def _predicted(
    chain: UpdateChain, polarity: Polarity, train: CodeTrainParams, code: np.ndarray, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the conductance (P,) that the update chain expects after each pulse, and the pulse's energy (P,) (J).

    The cell is one at the lines' far ends.
    """
    write, cells = chain.write(polarity), train.driver.lines.cells
    chain = replace(chain, largest=(cells, cells))  # the circuit's bit line is as long as its source line
    others = np.full((1, cells, cells), 1.0 / train.driver.lines.r_neighbour)
    others = np.clip(others, *chain.writer.g_range)
    far = cells - 1
    others.ravel()[far] = start
    rng = np.random.default_rng(0)
    state, after, energy = chain.init(others, rng=rng), [], []
    for each in code:
        v_pulse = write.v_pulse[min(int(each), write.v_pulse.size - 1)]
        state = chain.step(state, np.array([far]), np.array([v_pulse]), polarity=polarity, rng=rng)
        after.append(state.g_cell.ravel()[far])
        energy.append(state.tally.energy)
    return np.array(after), np.array(energy)


def _held_out(spice: np.ndarray, table: np.ndarray, rms: float, largest: float, unit: str) -> HeldOut:
    spice, table = (np.asarray(each, dtype=float).ravel() for each in (spice, table))
    at = {"output": Quantity(np.arange(spice.size, dtype=float), "1")}
    return HeldOut(at, spice, table, unit, limit_rms=rms, limit_max=2.0 * largest, limit_p95=largest)


def conditions_of(tables: TableFile) -> list[tuple[str, TableFile]]:
    """Return the tables at the conditions that are checked, by name: of a file with corners three, else the nominal."""
    has_corners = any(CORNERS.corner in each.axes for each in tables.tables.values())
    found = [("nominal", tables.nominal())]
    if has_corners:
        corners = (("ss", 358.15), ("ff", 253.15))
        found += [(f"{name} {kelvin:g} K", tables.at(corner=name, temperature=kelvin)) for name, kelvin in corners]
    return found


def with_checks(
    tables: TableFile, checks: Mapping[str, Mapping[str, HeldOut]], cells: Mapping[str, CellUsed]
) -> TableFile:
    """Return a table file with the checks of all conditions in it, and the text of the cells that they had."""
    used = json.dumps({name: asdict(each) for name, each in cells.items()}, sort_keys=True)
    held = {**tables.tables, SYSTEM.group: system_table(checks)}
    return replace(tables, tables=held, provenance={**tables.provenance, CELLS_USED: used})


def system_table(checks: Mapping[str, Mapping[str, HeldOut]]) -> Table:
    """Return the checks of all conditions as the table `system` of a file: rms of each difference, values held out."""
    joined = {name: _joined([each[name] for each in checks.values()]) for name in next(iter(checks.values()))}
    signals = {name: Quantity(np.array(each.rms), each.unit) for name, each in joined.items()}
    return Table(name=SYSTEM.group, axes={}, signals=signals, conditions={}, held_out=joined)


def _joined(parts: list[HeldOut]) -> HeldOut:
    spice, table = (np.concatenate([getattr(each, name) for each in parts]) for name in ("spice", "fit"))
    at = {"output": Quantity(np.arange(spice.size, dtype=float), "1")}
    return replace(parts[0], at=at, spice=spice, fit=table)
