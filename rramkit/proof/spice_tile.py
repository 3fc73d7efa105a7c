"""Tiles whose reads ngspice solves: cells, wires, row drivers, line switches and readouts as transistors.

`SpiceTile` stands in the place of a tile in a network: the same voltages in, currents out. Each line's code, each phase
of a signed vector and each line that a sense unit serves in turn goes to `circuits.array_system`; the output of every
readout then becomes a code by the tile's own ADC, as it was drawn: its levels, offset and mismatch are those of the
tables, not simulated again. Noise is off, in ngspice and in the tile that it is compared with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Literal, Protocol, Self

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.conversions import Conversions
from rramkit.array.layout import Layout
from rramkit.array.periphery import Periphery
from rramkit.array.read import Reading
from rramkit.array.rng import Rng
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.sense_unit import LINES, SenseUnit, UnitState, unit_transitions
from rramkit.array.stages.telegraph import Telegraph
from rramkit.array.tile import Tile
from rramkit.characterization.components.cell import StateMap
from rramkit.characterization.components.wires import WireParams
from rramkit.characterization.design import plans_of
from rramkit.characterization.engine.cases import Case
from rramkit.characterization.engine.corners import T_NOMINAL, Condition, at_corner, at_temperature
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.preparation import of_case, prepare
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.array_system import ArraySystemParams, system_reads
from rramkit.circuits.compiled_cell import CellUsed, Form
from rramkit.circuits.device import Device, in_form
from rramkit.circuits.line_switch import LineSwitchBenchParams
from rramkit.circuits.readout import ReadoutBenchParams
from rramkit.circuits.row_driver import RowDriverBenchParams
from rramkit.errors import InputError, TableError
from rramkit.table import TableFile
from rramkit.table.schema import CORNERS, READ

Direction = Literal["forward", "backward"]
AT_ONCE = 400
"""Input vectors (1) of one run: reading the deck and solving the first vector costs as much as 30 to 100 more."""


@dataclass(frozen=True)
class ArrayCircuits:
    """The circuits of a table file's plans, at the condition that its tables were taken at.

    Attributes
    ----------
    system : ArraySystemParams
        Cell, wires, drivers, switches and readouts.
    condition : Condition
        Process corner, supply and temperature.
    states : StateMap
        Conductance of the cell against its state.
    """

    system: ArraySystemParams
    condition: Condition
    states: StateMap

    @property
    def cell(self) -> CellUsed:
        """The text of the arrays' cells, whose states are held, and whether it is compiled."""
        return self.system.crossbar.cell.device.used(held=True)

    @classmethod
    def of(cls, tables: TableFile, runner: Runner, *, compiled_cells: Form = "auto") -> Self:
        """Build them from the plans in a table file's provenance.

        Parameters
        ----------
        tables : TableFile
            Tables of a chip.
        runner : Runner
            Where ngspice runs.
        compiled_cells : {"auto", "never", "always"}
            Whether the arrays' cells are compiled Verilog-A; auto: where they can be.

        Raises
        ------
        InputError
            When they must be compiled, and have no compiled form.
        TableError
            When the file was not made from SPICE, or has no plan of a circuit that the arrays need.
        """
        plans = {plan.name: plan for plan in plans_of(tables.provenance)}
        needed = ("wires", "readout_transimpedance", "row_driver", "line_switch")
        missing = [name for name in needed if name not in plans]
        if missing:
            raise TableError(
                f"the table file carries no plan {', '.join(missing)}: its arrays cannot be simulated. Characterise "
                "the design `chip` or `design`."
            )
        wires, reader, driver, switch = (plans[name] for name in needed)
        params = wires.nominal
        assert isinstance(params, WireParams) and isinstance(reader.nominal, ReadoutBenchParams)
        assert isinstance(driver.nominal, RowDriverBenchParams) and isinstance(switch.nominal, LineSwitchBenchParams)
        array_cell(params.crossbar.cell.device, compiled_cells)
        condition = condition_of(tables)
        case = Case(wires.component, params, condition=condition)
        states = of_case(prepare(runner, wires, [case]), case)
        system = ArraySystemParams(
            crossbar=params.crossbar,
            read=params.read,
            readout=reader.nominal.readout,
            driver=driver.nominal.driver,
            switch=switch.nominal.switch,
        )
        system = in_form(system, compiled_cells)
        return cls(at_corner(system, condition, ("read.v_wl",)), condition, states)

    def deck_text(
        self,
        g_cell: np.ndarray,
        v_drive: np.ndarray,
        v_offset: np.ndarray,
        direction: Direction,
        turn: int,
        r_feedback: float,
    ) -> str:
        """Return the deck of one turn of reads of an array (R, C) [S] for voltages (L, B) [V] below rest."""
        rows, cols = g_cell.shape
        params = self.system.model_copy(
            update={
                "crossbar": self.system.crossbar.model_copy(update={"rows": rows, "cols": cols}),
                "readout": self.system.readout.model_copy(update={"r_feedback": r_feedback}),
                "direction": direction,
                "turn": turn,
                "share": LINES,
            }
        )
        states = self.states.state_of(g_cell, nearest=True)
        return at_temperature(system_reads(params, states, v_drive, v_offset), self.condition).text()


def array_cell(device: Device, form: Form) -> CellUsed:
    """Return the text of the cells, whose states are held, of arrays of a device.

    Raises
    ------
    InputError
        When they must be compiled, and no module holds their state.
    """
    used = in_form(device, form).used(held=True)
    if form == "always" and not used.compiled:
        raise InputError(
            f"`compiled_cells` = always needs the held cell of {device.model} in Verilog-A, which arrays are read "
            f"with; it stands in {used.library} alone. Use auto or never."
        )
    return used


def plan_of(tables: TableFile, name: str) -> ComponentPlan:
    """Return the plan of a component that a file's tables were made by.

    Raises
    ------
    TableError
        When the file carries none of that name.
    """
    plans: dict[str, ComponentPlan] = {plan.name: plan for plan in plans_of(tables.provenance)}
    if name not in plans:
        raise TableError(f"the table file carries no plan `{name}`. Characterise the design `chip` or `design`.")
    return plans[name]


def condition_of(tables: TableFile) -> Condition:
    """Return the condition that a file's tables were taken at, as its table `read` says; nominal where it does not."""
    nominal = Condition()

    def condition(name: str, otherwise: float) -> float:
        given = tables[READ.group].conditions
        return float(given[name].values) if name in given else otherwise

    corner = tables.provenance.get(CORNERS.corner, "nominal")
    return Condition(
        nominal.process if corner == "nominal" else corner,
        condition(CORNERS.supply, nominal.supply),
        condition(CORNERS.temperature, T_NOMINAL),
    )


@dataclass
class Comparison:
    """Differences of all reads so far, ngspice less tile, in steps of the ADC (1); power of the readouts' supply.

    Attributes
    ----------
    steps : list of ndarray
        Differences of each read.
    watts : list of ndarray
        Of each read the power (N,) [W] of all readouts, summed over tiles, phases and turns.
    """

    steps: list[np.ndarray] = field(default_factory=list)
    watts: list[np.ndarray] = field(default_factory=list)

    @property
    def differences(self) -> np.ndarray:
        """All differences (N,) in steps (1)."""
        return np.concatenate(self.steps) if self.steps else np.zeros(0)


@dataclass(frozen=True)
class ReadRun:
    """One run: some of the vectors of one phase of one tile, the lines of one turn.

    Attributes
    ----------
    phase : int
        Number of the phase.
    tile : tuple of int
        Index of the tile.
    some : ndarray of int
        Which of the tile's different vectors (B,).
    lines : tuple of int
        Sensed lines that are read in this turn.
    point : Point
        Deck and measure.
    """

    phase: int
    tile: tuple[int, ...]
    some: np.ndarray
    lines: tuple[int, ...]
    point: Point


class ReadSolver(Protocol):
    """What solves the reads of whole arrays."""

    @property
    def comparison(self) -> Comparison:
        """Differences so far."""
        ...

    def outputs(self, tile: Tile, state: UnitState, drives: list[np.ndarray], *, backward: bool) -> list[np.ndarray]:
        """Return the readouts' outputs (..., N, lines) [V] for each phase's voltages (..., N, L) [V] below rest."""
        ...


@dataclass(frozen=True)
class SpiceSolver:
    """Reads whole arrays in ngspice, on all workers of a runner, which keeps what is finished.

    Attributes
    ----------
    circuits : ArrayCircuits
        What is simulated.
    runner : Runner
        Where.
    comparison : Comparison
        What came out, against the tiles.
    """

    circuits: ArrayCircuits
    runner: Runner
    comparison: Comparison = field(default_factory=Comparison)

    def outputs(self, tile: Tile, state: UnitState, drives: list[np.ndarray], *, backward: bool) -> list[np.ndarray]:
        """Return the readouts' outputs (..., N, lines) [V] for each phase's voltages (..., N, L) [V] below rest."""
        arrays = _physical(to_numpy(tile.g_cell).astype(float))
        lead, sensed = arrays.shape[:-2], arrays.shape[-2] if backward else arrays.shape[-1]
        found = [np.empty((*lead, v.shape[-2], sensed)) for v in drives]
        runs, places = [], {}
        for phase, v in enumerate(drives):
            for index in np.ndindex(*lead):
                rail = np.broadcast_to(v, (*lead, *v.shape[-2:]))[index]
                different, places[phase, index] = _different(rail)
                runs += self._runs(tile, state, arrays[index], different, phase, index, backward=backward)
        outputs = {key: np.empty((place.max() + 1, sensed)) for key, place in places.items()}
        direction = "backward" if backward else "forward"
        watts = {key: np.zeros(len(each)) for key, each in outputs.items()}
        v_dd = self.circuits.system.readout.ota.v_dd
        for run, values in zip(runs, self.runner.need(f"{direction} reads", [r.point for r in runs]), strict=True):
            outputs[run.phase, run.tile][np.ix_(run.some, run.lines)] = values[:, :-1]
            watts[run.phase, run.tile][run.some] -= v_dd * values[:, -1]
        for (phase, index), place in places.items():
            found[phase][index] = outputs[phase, index][place]
        self.comparison.watts.append(np.sum([watts[key][place] for key, place in places.items()], axis=0))
        return found

    def _runs(
        self,
        tile: Tile,
        state: UnitState,
        array: np.ndarray,
        rails: np.ndarray,
        phase: int,
        index: tuple[int, ...],
        *,
        backward: bool,
    ) -> list[ReadRun]:
        """Return the runs that read one tile's different vectors (B, L) [V]."""
        sensed = array.shape[0] if backward else array.shape[1]
        # the amplifier in the deck has its systematic offset by itself
        offsets = state.draws.offset[index][: -(-sensed // LINES)] - unit_of(tile).readout.offset_mean
        r_feedback = unit_of(tile).readout.gains[int(state.banks[backward].gain[index])].r_feedback
        direction: Direction = "backward" if backward else "forward"
        runs = []
        sweeps = -(-len(rails) // AT_ONCE)
        for first in range(sweeps):
            some = np.arange(first, len(rails), sweeps)  # each sweep from weak vectors to strong ones
            for turn in range(min(LINES, sensed)):
                lines = tuple(range(turn, sensed, LINES))
                make = partial(self.circuits.deck_text, array, rails[some].T, offsets, direction, turn, r_feedback)
                names = (*(f"v_out_{line // LINES}" for line in lines), "i_vdd_ota")
                point = Point(make, partial(stacked, names=names), f"tile {index}, phase {phase}, turn {turn}")
                runs.append(ReadRun(phase, index, some, lines, point))
        return runs


def _different(rails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different vectors (B, L) of some (N, L) [V], weakest first, and which of them each is (N,).

    From one point of a sweep to the next an output then moves little. In any other order one in fifty moves by 0.3 V,
    Newton goes round in circles, and ngspice steps gmin from 0 V: 1,000 iterations in place of three.
    """
    different, place = np.unique(rails, axis=0, return_inverse=True)
    order = np.argsort(different.sum(axis=1), kind="stable")
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    return different[order], rank[place.ravel()]


def stacked(waves: Waveforms, names: tuple[str, ...]) -> np.ndarray:
    """Return some vectors of a sweep's reads side by side (B, N); its first point is none (`array_system`)."""
    return np.stack([waves[name][1:] for name in names], axis=1)


@dataclass(frozen=True, repr=False)
class SpiceTile(Tile):
    """A tile whose reads ngspice solves; each is compared with the tile's own."""

    solver: ReadSolver | None = None

    @classmethod
    def like(cls, tile: Tile, solver: ReadSolver) -> Self:
        """Return the same cells and circuits, noise off, read by ngspice."""
        merge = tile.model.chain.merge
        if merge in ("majority", "analog"):
            raise InputError(
                f"the run's arrays must have a converter each; those of the merge {merge} have not. Train with "
                "`mapping.read.merge` digital or count."
            )
        if not any(isinstance(stage, SenseUnit) for stage in tile.periphery.stages):
            raise InputError(
                "the run's arrays must be read through readouts and ADCs of a table file; they are not. Train on the "
                "tables of the design `chip` or `design` with no stage of the read switched off."
            )
        calm = quiet(tile)
        return cls(**{each.name: getattr(calm, each.name) for each in fields(Tile)}, solver=solver)

    def sensed(
        self,
        v: np.ndarray,
        layout: Layout,
        *,
        backward: bool,
        rng: Rng | None = None,
        joint: Periphery | None = None,
        conversions: Conversions | None = None,
    ) -> Reading:
        """Read signed voltages `v` in volts as `Tile.sensed` does, in ngspice; every output is converted."""
        assert self.solver is not None and joint is None and conversions is None  # refused by `like` and by `prove`
        plain = Tile(**{each.name: getattr(self, each.name) for each in fields(Tile)})
        predicted = plain.sensed(v, layout, backward=backward, rng=None)
        state = self.periphery.state(SenseUnit)
        bank = state.banks[backward]
        unit = unit_of(self)
        levels, code_rest = _levels(unit, state, bank.gain)
        step = unit.adc.v_lsb / np.array([gain.r_feedback for gain in unit.readout.gains])[bank.gain]
        signs, drives = self._drives(to_numpy(layout.rows(v)).astype(float), backward=backward)
        total = np.zeros_like(to_numpy(predicted.i), dtype=float)
        for sign, outputs in zip(signs, self.solver.outputs(self, state, drives, backward=backward), strict=True):
            codes = _codes(outputs, levels, code_rest)
            total += sign * self._combined(codes, backward=backward) * step[..., None, None]
        error = (total - to_numpy(predicted.i)) / step[..., None, None]
        self.solver.comparison.steps.append(error.ravel())
        return replace(predicted, i=total.astype(to_numpy(predicted.i).dtype), energy=0.0)

    def _drives(self, v: np.ndarray, *, backward: bool) -> tuple[list[float], list[np.ndarray]]:
        """Return sign and rail voltages (..., N, L) of each phase, as codes of the row drivers."""
        encoder = self.periphery.encoder(backward=backward)
        volts = encoder.drive.volts
        if volts is None:
            raise InputError("the run's rows must be driven in the levels of a table; they are not. Train on a chip's.")
        code = np.floor(np.abs(v) * encoder.scale + 0.5).astype(int)
        rail = np.asarray(volts)[code]
        if backward and self.paired:
            up, down = np.where(v > 0.0, rail, 0.0), np.where(v < 0.0, rail, 0.0)
            return [1.0, -1.0], [_interleaved(up, down), _interleaved(down, up)]
        signs = [sign for sign in (1.0, -1.0) if sign > 0.0 or np.any(v < 0.0)]
        return signs, [np.where(sign * v > 0.0, rail, 0.0) for sign in signs]

    def _combined(self, codes: np.ndarray, *, backward: bool) -> np.ndarray:
        """Return the codes of physical lines (..., N, lines) as those of outputs: halves of pairs subtracted."""
        if backward or not self.paired:
            return codes
        return codes[..., 0::2] - codes[..., 1::2]


def quiet(tile: Tile) -> Tile:
    """Return a tile that reads without noise, everything that was drawn for it the same."""
    chain = tile.model.chain
    noiseless = {
        "read_noise": ReadNoise(),
        "telegraph": Telegraph(),
        "readout": chain.readout.model_copy(update={"noise": 0.0}),
        "adc": chain.adc.model_copy(update={"noise": 0.0, "v_noise": 0.0}),
    }
    model = replace(tile.model, chain=chain.model_copy(update=noiseless))
    kept = {type(stage): state for stage, state in zip(tile.periphery.stages, tile.periphery.states, strict=True)}
    stages = model.chain.stages
    periphery = replace(
        tile.periphery,
        stages=stages,
        states=tuple(kept[type(stage)] for stage in stages),
        random=False,
        i_variance=0.0,
    )
    return replace(tile, model=model, periphery=periphery, read_cache=None)


def unit_of(tile: Tile) -> SenseUnit:
    """Return the readouts and ADCs of a tile."""
    return next(stage for stage in tile.periphery.stages if isinstance(stage, SenseUnit))


def step_of(tile: Tile, *, backward: bool) -> float:
    """Return the current of one step of a tile's ADCs (A)."""
    unit, state = unit_of(tile), tile.periphery.state(SenseUnit)
    return unit.adc.v_lsb / unit.readout.gains[int(state.banks[backward].gain)].r_feedback


def _levels(unit: SenseUnit, state: UnitState, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the transitions (..., U, 2^b - 1) [V] and the code at rest (..., U) of every unit, as drawn."""
    draws = state.draws
    levels = np.maximum.accumulate(unit.adc.transitions() + draws.mismatch, axis=-1) + draws.latch[..., None]
    _, code_rest = unit_transitions(unit.readout, unit.adc, draws, gain)
    return levels, code_rest


def _codes(outputs: np.ndarray, levels: np.ndarray, code_rest: np.ndarray) -> np.ndarray:
    """Return codes less that at rest (..., N, lines) of outputs [V]."""
    codes = np.zeros(outputs.shape)
    for index in np.ndindex(*outputs.shape[:-2]):
        for line in range(outputs.shape[-1]):
            unit = line // LINES
            v = outputs[(*index, slice(None), line)]
            code = np.searchsorted(levels[(*index, unit)], v, side="right") - code_rest[(*index, unit)]
            codes[(*index, slice(None), line)] = code
    return codes


def _physical(g_cell: np.ndarray) -> np.ndarray:
    """Return conductances (..., halves, R, C) as arrays (..., R, physical columns): halves of a pair side by side."""
    halves, rows, columns = g_cell.shape[-3:]
    return np.moveaxis(g_cell, -3, -1).reshape(*g_cell.shape[:-3], rows, columns * halves)


def _interleaved(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    """Return voltages of the two columns of each pair (..., N, C) side by side (..., N, 2 C)."""
    return np.stack([plus, minus], axis=-1).reshape(*plus.shape[:-1], 2 * plus.shape[-1])


def steps_of(differences: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield figures of the differences (N,) in steps of the ADC, by name."""
    size = np.abs(differences)
    yield "within 1 step", float(np.mean(size <= 1.0 + 1e-3)) if size.size else float("nan")
    yield "rms", float(np.sqrt(np.mean(size**2))) if size.size else float("nan")
    yield "largest", float(size.max(initial=0.0))
