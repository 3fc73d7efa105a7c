"""Update chain: from the amplitude of the driver to the change of the cell, and the side effects of a pulse.

    amplitude of a code of the driver (`write_driver`) -> droop (`droop`) and the cell's offset (`spread`) -> change
    drawn from the table (`pulse`), times the cell's gain -> end of the cell's window (`spread`, `ageing`) -> stuck
    cells stay -> half-select disturb of the neighbours (`disturb`); between writes cells drift (`ageing`)

Each stage is a record of `UpdateParams`, and exactly off where it is left out; `UpdateParams.from_tables` turns on what
a table file has. Clamped values, pulses on stuck cells and half-select events are counted in the state's tally.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, PrivateAttr

from rramkit.array.backend import (
    Array,
    at_least,
    both,
    copied,
    counted,
    full,
    grouped,
    is_tensor,
    kept,
    limited,
    mean,
    namespace,
    numbered,
    only,
    size,
    sums_at,
)
from rramkit.array.read_model import LARGEST
from rramkit.array.write.ageing import RetentionParams, WearParams
from rramkit.array.write.cell_address import CellAddress, every_address
from rramkit.array.write.disturb import DisturbParams, DisturbTables, half_selected
from rramkit.array.write.disturb import has_tables as disturb_tables
from rramkit.array.write.droop import Droop, DroopParams
from rramkit.array.write.droop import has_tables as droop_tables
from rramkit.array.write.pulse import GradualWrite, Stepped, Writer
from rramkit.array.write.schedule import PulseSlots, Schedule, slots
from rramkit.array.write.spread import SpreadParams, StuckParams, drawn_traits
from rramkit.array.write.state import POLARITIES, CellState, Polarity, WriteCost, checked_conductance
from rramkit.array.write.write_driver import WriteDriver
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity
from rramkit.table import Table, TableFile, TablesLike, loaded
from rramkit.table.schema import DISTURBS, DROOPS, SET, WIRES, WRITE_DRIVERS, WRITES

IDEAL, OFF = "ideal: not characterised", "off"
"""Origins of a stage that neither the file nor the settings have, and of one that is left out by name."""

STAGES = ("cycles", "write_driver", "droop", "disturb", "spread", "stuck", "wear", "retention")
"""Names of the stages of a write."""


class WriteDriverParams(Parameters):
    """The write driver of the file's tables `write_driver_set` and `write_driver_reset`."""

    groups: ClassVar[tuple[str, ...]] = tuple(columns.group for columns in WRITE_DRIVERS.values())

    cells: int | None = quantity(
        None, "1", "cells on the stepped line; left out, the physical columns of the largest array", ge=1, le=10_000
    )


class UpdateParams(Parameters):
    """Stages between the driver and the cell; one that is left out is off.

    Examples
    --------
    >>> UpdateParams(stuck={"low": 0.01}).stuck.low
    0.01
    """

    schedule: Schedule = quantity("row", "1", "cells pulsed at once: cell, row (of one amplitude) or array")
    cycles: bool = quantity(True, "1", "draw each change from the table's distribution; false: its mean")
    write_driver: WriteDriverParams | None = Field(default=None, description="amplitudes, losses and energy of drivers")
    droop: DroopParams | None = Field(default=None, description="voltage lost along the lines")
    disturb: DisturbParams | None = Field(default=None, description="half-select disturb")
    spread: SpreadParams | None = Field(default=None, description="device-to-device spread")
    stuck: StuckParams | None = Field(default=None, description="stuck cells")
    wear: WearParams | None = Field(default=None, description="the window shrinks with the pulses")
    retention: RetentionParams | None = Field(default=None, description="cells drift between writes")
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_tables(cls, tables: TablesLike, params: Self | None = None, *, off: Collection[str] = ()) -> Self:
        """Build from what a table file characterises: every stage that it has is on.

        Parameters
        ----------
        tables : TableFile, str or Path
            The file.
        params : UpdateParams, optional
            Settings by hand: what they set explicitly is kept, and so are the stages that the file does not have.
            Typed numbers of droop or disturb take the place of their tables; a typed scheme of disturb does not. With
            the file's write driver and no typed `schedule`, cells are written one at a time: the driver of a source
            line is made for the current of one.
        off : collection of str
            Names of stages that are left as `params` has them, although the file characterises them.

        Returns
        -------
        UpdateParams
            The stages; `origins` says what came from where.

        Raises
        ------
        InputError
            When `off` names no stage, or the settings do not fit together.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> UpdateParams.from_tables(example()).droop is None  # the file does not say what a drop costs
        True
        """
        params, found = params or cls(), _characterised(loaded(tables))
        strange = sorted(set(off) - set(STAGES))
        if strange:
            raise InputError(f"`off` must name stages of {', '.join(STAGES)}; got {strange[0]!r}. Fix the name.")
        values = params.model_dump(exclude_unset=True)
        origins = {name: OFF for name in off if name not in values}
        if "cycles" in origins:
            values["cycles"] = False
        for name, stage in found.items():
            if name in off or (name in values and not isinstance(values[name], dict)):
                continue
            by_hand = values.get(name, {})
            numbers = [key for key in by_hand if key not in stage.choices]
            if name in ("droop", "disturb") and numbers:
                continue
            values[name] = {**stage.values, **by_hand} if stage.values is not None else True
            origins[name] = "table" + (f", typed: {', '.join(by_hand)}" if by_hand else "")
        if "write_driver" in origins and origins["write_driver"] != OFF:
            values.setdefault("schedule", "cell")
        built = cls.checked(values, where="the update chain from tables")
        built._origins.update(origins)
        return built

    @classmethod
    def groups_of(cls, name: str) -> tuple[str, ...]:
        """Return the names of the tables that a stage reads.

        Parameters
        ----------
        name : str
            Name of the stage.

        Returns
        -------
        tuple of str
            Groups of the table file; none where no table is for it.

        Examples
        --------
        >>> UpdateParams.groups_of("droop")
        ('droop_set', 'droop_reset', 'wires')
        """
        return _GROUPS.get(name, ())

    def origins(self) -> dict[str, str]:
        """Return where each stage's numbers come from.

        Returns
        -------
        dict of str to str
            By name of the stage `table`, `typed`, `off` (left out by name) or `ideal: not characterised`.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> UpdateParams.from_tables(example(), UpdateParams(stuck={"low": 0.01})).origins()["stuck"]
        'typed'
        """
        typed = {name for name in STAGES if name in self.model_fields_set and getattr(self, name)}
        return {name: self._origins.get(name, "typed" if name in typed else IDEAL) for name in STAGES}


_PULSES = tuple(columns.group for columns in WRITES.values())
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "cycles": _PULSES,
    "write_driver": tuple(columns.group for columns in WRITE_DRIVERS.values()),
    "droop": (*(columns.group for columns in DROOPS.values()), WIRES.group),
    "disturb": tuple(columns.group for columns in DISTURBS.values()),
    "spread": _PULSES,
}
"""Tables of each stage that a file can have."""


@dataclass(frozen=True)
class _Characterised:
    """A stage as a file has it: its settings (None: a switch), and those of them that name a choice, not a number."""

    values: dict[str, Any] | None
    choices: tuple[str, ...] = ()


def _characterised(file: TableFile) -> dict[str, _Characterised]:
    """Return by name every stage that a file has."""
    pulses = _pulses_of(file)
    have = {over: any(each.distribution(SET.delta_g, over) for each in pulses) for over in ("cycles", "all", "devices")}
    found = {}
    if have["cycles"] or have["all"]:
        found["cycles"] = _Characterised(None)
    if all(columns.group in file.tables for columns in WRITE_DRIVERS.values()):
        found["write_driver"] = _Characterised({}, ("cells",))
    if droop_tables(file) and WIRES.group in file.tables:
        found["droop"] = _Characterised({"source": "table"}, ("source",))
    if disturb_tables(file):
        found["disturb"] = _Characterised({"scheme": "gated", "source": "table"}, ("scheme", "source"))
    windows = [float(each.conditions[SET.sigma_window]) for each in pulses if SET.sigma_window in each.conditions]
    if have["devices"] or any(windows):
        spread = {str(SET.sigma_window): float(np.sqrt(np.mean(np.square(windows))))} if any(windows) else {}
        found["spread"] = _Characterised({"devices": True, **spread})
    return found


def _pulses_of(file: TableFile) -> list[Table]:
    return [file.tables[columns.group] for columns in WRITES.values() if columns.group in file.tables]


@dataclass(frozen=True)
class UpdateChain:
    """Write pulses of one table file with their stages; `init`, `step` and `rest` take a state and return the next.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.table.example import example
    >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
    >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
    >>> chain.step(cells, [0, 5], [1.2, 1.2], polarity="set", rng=rng).tally.pulses_set
    2

    Attributes
    ----------
    writer : Writer
        The tables `set` and `reset`.
    params : UpdateParams
        The stages.
    droop : Droop or None
        Resistances of lines and drivers and their factors, where droop or the write driver is on.
    disturb : DisturbTables or None
        Disturb of half-selected cells, where it is on and the file's.
    drivers : mapping
        By polarity the write driver, where it is on.
    largest : tuple of int or None
        Rows and physical columns of the largest array; a larger matrix is cut into several. None: one array, any size.
    sensed : bool
        Whether each sense unit's comparator has an offset of its own (`Traits.sense`).
    """

    writer: Writer
    params: UpdateParams
    droop: Droop | None = None
    largest: tuple[int, int] | None = None
    disturb: DisturbTables | None = None
    drivers: Mapping[Polarity, WriteDriver] = field(default_factory=dict)
    sensed: bool = False

    @classmethod
    def from_tables(
        cls, tables: TablesLike, params: UpdateParams | None = None, *, stepped: Stepped = "v_pulse"
    ) -> Self:
        """Build from the tables `set`, `reset` and, when droop is on, `wires`; without `params` every stage is off.

        Parameters
        ----------
        tables : TableFile, str or Path
            Tables `set`, `reset` and, when droop is on, `wires`.
        params : UpdateParams, optional
            The stages; left out, none.
        stepped : str
            The axis that writes step: `v_pulse`, `t_pulse` or the gate's.

        Returns
        -------
        UpdateChain
            The pulses and their stages.

        Raises
        ------
        TableError
            When the file lacks a table, a signal or a condition.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> chain.largest
        (64, 128)
        """
        params, tables = params or UpdateParams(), loaded(tables).nominal()
        largest = _largest(tables)
        drivers = _drivers(tables, params.write_driver, largest[1]) if stepped == SET.v_pulse else {}
        levels = {
            WRITES[polarity].group: driver.amplitudes(*_ends(tables[WRITES[polarity].group]))
            for polarity, driver in drivers.items()
        }
        disturb = params.disturb
        return cls(
            Writer.from_tables(tables, stepped=stepped, levels=levels),
            params,
            Droop.from_tables(tables, params.droop, drivers),
            largest,
            DisturbTables.from_tables(tables, disturb.scheme)
            if disturb is not None and disturb.source == "table"
            else None,
            drivers,
        )

    def address(self, flat: np.ndarray, shape: tuple[int, ...]) -> CellAddress:
        """Return array, row and column of the cells `flat` (N,) of matrices of `shape` (..., 2, R, C).

        Parameters
        ----------
        flat : ndarray of int
            Cells (N,), as indices into the flattened matrices.
        shape : tuple of int
            Shape of the matrices (..., 2, R, C).

        Returns
        -------
        CellAddress
            Array, row and physical column of each (N,).

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> chain.address(np.array([0, 5]), (2, 3, 2)).flat
        array([0, 5])
        """
        return CellAddress.of(flat, shape, self.largest)

    def write(self, polarity: Polarity) -> GradualWrite:
        """Return the pulses of a polarity.

        Parameters
        ----------
        polarity : str
            `set` or `reset`.

        Returns
        -------
        GradualWrite
            Amplitudes (V), changes (S) and energies (J) of its table.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> chain.write("reset").sign
        -1.0
        """
        return self.writer.set if polarity == "set" else self.writer.reset

    def init(self, g_cell: np.ndarray, *, rng: np.random.Generator) -> CellState:
        """Return the state of fresh cells, with the traits of each cell drawn.

        Parameters
        ----------
        g_cell : ndarray
            Conductances (..., 2, R, C) in siemens.
        rng : Generator
            Draws spread, stuck cells and drift exponents.

        Returns
        -------
        CellState
            Cells without a pulse.

        Raises
        ------
        InputError
            When the shape or a value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
        >>> cells.g_cell.shape, int(cells.pulses_set.sum())
        ((2, 3, 2), 0)
        """
        g_cell = checked_conductance(g_cell)
        low, high = self.writer.g_range
        levels = any(write.devices is not None for write in (self.writer.set, self.writer.reset))
        traits = drawn_traits(
            g_cell.shape, self.params.spread, self.params.stuck, ends=(low, high), levels=levels, rng=rng
        )
        drift = self.params.retention
        if drift is not None and drift.sigma_nu:
            traits = replace(traits, drift=rng.normal(drift.nu, drift.sigma_nu, g_cell.shape))
        if self.sensed:
            traits = replace(traits, sense=self._sense_offsets(g_cell.shape, rng=rng))
        if traits.stuck is not None:
            g_cell = np.where(traits.stuck == 0, g_cell, np.where(traits.stuck < 0, low, high))
        return CellState.fresh(g_cell, traits, ages=drift is not None)

    def step(
        self,
        state: CellState,
        flat: Array,
        v_pulse: Array,
        *,
        polarity: Polarity,
        rng: np.random.Generator,
        schedule: Schedule | None = None,
        live: Array | None = None,
        own: bool = False,
    ) -> CellState:
        """Fire one pulse at each of some cells.

        Parameters
        ----------
        state : CellState
            The cells before.
        flat : ndarray of int
            Which cells (N,), each at most once: indices into the flattened (..., 2, R, C).
        v_pulse : ndarray
            Amplitude of each pulse at the driver (N,), within the table.
        polarity : str
            `set` or `reset`.
        rng : Generator
            Draws the changes.
        schedule : str, optional
            Cells pulsed at once; left out, the `schedule` of the parameters.
        live : array of bool, optional
            Where the cells are tensors: which of the (N,) are pulsed. All are computed, so that nobody has to ask the
            device how many they are; the others stay as they are. Left out, all.
        own : bool
            Whether nobody else has `state`, whose arrays may then be written into; `both_polarities` knows when.

        Returns
        -------
        CellState
            The cells after; its tally counts this step alone.

        Raises
        ------
        InputError
            When an amplitude lies outside the table.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
        >>> after = chain.step(cells, [0, 5], [1.2, 1.2], polarity="set", rng=rng)
        >>> after.tally.pulses_set, bool(after.g_cell.ravel()[0] > 20e-6)
        (2, True)
        """
        write, shape = self.write(polarity), tuple(state.g_cell.shape)
        if not is_tensor(state.g_cell):
            flat, v_pulse = np.asarray(flat), np.asarray(v_pulse, dtype=float)
        write.check(v_pulse)
        if not size(flat):
            return replace(state, tally=WriteCost())
        driver, xp = self.drivers.get(polarity), namespace(state.g_cell)
        v_pulse = v_pulse if driver is None else write.rounded(v_pulse)
        address, before = self.address(flat, shape), state.g_cell.reshape(-1)[flat]
        seconds = write.seconds(v_pulse) if driver is None else full(tuple(flat.shape), driver.codes.t_slot, v_pulse)
        when = slots(schedule or self.params.schedule, address, v_pulse, seconds, levels=write.v_pulse, live=live)
        fired = Fired(address, v_pulse, when, live)
        lost = self._lost(state, write, fired)
        moved = before + self._change(state, write, v_pulse, lost, flat=flat, rng=rng)
        after = limited(moved, *self.window(state, flat))
        stuck, inside = _is_stuck(state, flat), limited(before, *write.delta_g.x0_range)
        edges = write.delta_g.clamped(*write.coordinates(inside, v_pulse, lost), live=live)
        clamped = write.moved(moved, after, live=live) + edges
        tally = WriteCost(clamped=clamped, seconds=when.seconds, stuck=counted(both(live, stuck)))
        energy = write.joules(before, v_pulse, lost)
        if driver is not None:
            energy = driver.energy(v_pulse, energy, fired.at_once())
        end = xp.where(stuck, before, after)
        written = state.pulsed(flat, end, polarity=polarity, energy=energy, seconds=seconds, live=live, own=own)
        written = replace(written, tally=written.tally + tally)
        return self._disturbed(written, write, fired)

    def both_polarities(
        self,
        state: CellState,
        flat: Array,
        v_pulse: Array,
        is_set: Array,
        *,
        rng: np.random.Generator,
        live: Array | None = None,
    ) -> CellState:
        """Fire one pulse at each of some cells, SETs first; the whole matrices are copied once.

        Parameters
        ----------
        state : CellState
            The cells before.
        flat : ndarray of int
            Which cells (N,), each at most once: indices into the flattened (..., 2, R, C).
        v_pulse : ndarray
            Amplitude of each pulse at the driver (N,), within the table.
        is_set : ndarray of bool
            SET or RESET (N,).
        rng : Generator
            Draws the changes.
        live : array of bool, optional
            Where the cells are tensors: which of the (N,) are pulsed, as for `step`; left out, all.

        Returns
        -------
        CellState
            The cells after; its tally counts both steps.

        Raises
        ------
        InputError
            When an amplitude lies outside the table.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
        >>> after = chain.both_polarities(cells, [0, 5], [1.2, 1.2], np.array([True, False]), rng=rng)
        >>> after.tally.pulses_set, after.tally.pulses_reset
        (1, 1)
        """
        cells, cost = state, WriteCost()
        if not is_tensor(state.g_cell):
            flat, v_pulse = np.asarray(flat), np.asarray(v_pulse, dtype=float)
        for polarity, mine in zip(POLARITIES, (is_set, ~is_set), strict=True):
            own = cells.g_cell is not state.g_cell  # a step that fires has copied what it wrote
            (at, v), of_side = kept(mine, flat, v_pulse, live=live)
            cells = self.step(cells, at, v, polarity=polarity, rng=rng, live=of_side, own=own)
            cost += cells.tally
        return replace(cells, tally=cost)

    def rest(self, state: CellState, seconds: float, *, t_cell: float | None = None) -> CellState:
        """Return the cells after a rest without pulses: they drift where `retention` is on.

        Parameters
        ----------
        state : CellState
            The cells before.
        seconds : float
            Duration (s).
        t_cell : float, optional
            Temperature of the cells (K); left out, that of `retention`.

        Returns
        -------
        CellState
            The cells after; its tally counts conductances clamped at the end of a window.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
        >>> bool(np.all(chain.rest(cells, 3600.0).g_cell == 20e-6))  # no `retention`: no drift
        True
        """
        drift = self.params.retention
        if drift is None or state.age is None:
            return replace(state, tally=WriteCost())
        xp, before = namespace(state.g_cell), state.g_cell.reshape(-1)
        every, aged = numbered(size(before), before), drift.aged(seconds, drift.t_cell if t_cell is None else t_cell)
        nu = drift.nu if state.traits.drift is None else state.traits.drift.reshape(-1)
        moved = before * drift.factor(state.age.reshape(-1), aged, nu)
        after = xp.where(_is_stuck(state, every), before, limited(moved, *self.window(state, every)))
        tally = WriteCost(clamped=self.writer.set.moved(moved, after))
        return replace(state, g_cell=after.reshape(state.g_cell.shape), age=state.age + aged, tally=tally)

    def window(self, state: CellState, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the conductances that cells can have now.

        Parameters
        ----------
        state : CellState
            The cells.
        flat : ndarray of int
            Which (N,), as indices into the flattened matrices.

        Returns
        -------
        tuple of ndarray
            Lowest and highest conductance (N,), in siemens.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> chain, rng = UpdateChain.from_tables(example()), np.random.default_rng(0)
        >>> cells = chain.init(np.full((2, 3, 2), 20e-6), rng=rng)
        >>> [float(end[0]) for end in chain.window(cells, np.array([0]))]
        [4e-06, 9e-05]
        """
        low, high = (
            full(tuple(flat.shape), end, state.g_cell) if own is None else own.reshape(-1)[flat]
            for own, end in zip((state.traits.low, state.traits.high), self.writer.g_range, strict=True)
        )
        wear = self.params.wear
        return (low, high) if wear is None else wear.window(state.pulses.reshape(-1)[flat], low, high)

    def _sense_offsets(self, shape: tuple[int, ...], *, rng: np.random.Generator) -> np.ndarray:
        """Draw standard normals (..., 2, R, C): one for each sense unit, the same at all cells of its two columns."""
        address = every_address(shape, self.largest)
        units = -(-address.cols // 2)
        drawn = rng.standard_normal((address.arrays, units))
        return drawn[address.array, address.col // 2].reshape(shape)

    def _lost(self, state: CellState, write: GradualWrite, fired: "Fired") -> Array | float:
        """Return the volts that do not reach each cell (N,)."""
        address = fired.address
        lost = 0.0 if state.traits.offset is None else state.traits.offset.reshape(-1)[address.flat]
        if self.droop is None:
            return lost
        g_row = address.row_means(state.g_cell) if self.droop.source_lines else None
        g_cell = state.g_cell.reshape(-1)[address.flat]
        slot = None if fired.when.alone else fired.when.slot
        return lost + self.droop.lost(
            write, g_cell, fired.v_pulse, address=address, slot=slot, g_row=g_row, live=fired.live
        )

    def _change(
        self,
        state: CellState,
        write: GradualWrite,
        v_pulse: Array,
        lost: Array | float,
        *,
        flat: Array,
        rng: np.random.Generator,
    ) -> Array:
        """Return the change of each cell (N,) before any clamp (S)."""
        traits, before = state.traits, state.g_cell.reshape(-1)[flat]
        level = None if traits.level is None else traits.level.reshape(-1)[flat]
        change = write.drawn(before, v_pulse, lost, cycles=self.params.cycles, level=level, rng=rng)
        driver = self.drivers.get("set" if write.sign > 0.0 else "reset")
        if driver is not None:
            change = change * driver.width(v_pulse)
        gain = traits.gain_set if write.sign > 0.0 else traits.gain_reset
        return change if gain is None else change * gain.reshape(-1)[flat]

    def _disturbed(self, state: CellState, write: GradualWrite, fired: "Fired") -> CellState:
        """Return the cells after half-select disturb of those on the same lines."""
        disturb = self.params.disturb
        polarity: Polarity = "set" if write.sign > 0.0 else "reset"
        nothing = disturb is None or (disturb.scheme == "gated" and self.disturb is None)
        if disturb is None or nothing or (self.disturb is not None and polarity not in self.disturb.changes):
            return state
        shape, xp, flat = tuple(state.g_cell.shape), namespace(state.g_cell), state.g_cell.reshape(-1)
        every = (
            self.address(numbered(size(flat), flat), shape) if is_tensor(flat) else every_address(shape, self.largest)
        )
        events = half_selected(fired.address, fired.when.slot, every, alone=fired.when.alone, live=fired.live)
        hit = every.flat if is_tensor(flat) else np.flatnonzero(events)
        before, count, v_mean = flat[hit], events[hit], fired.mean_amplitude()
        times = count.double() if is_tensor(count) else count
        if self.disturb is not None:
            change = self.disturb.change(polarity, before, times, v_mean=v_mean)
        else:
            shift = disturb.set if write.sign > 0.0 else disturb.reset
            change = shift.change(before, times, v_mean=v_mean, g_high=self.writer.g_range[1])
        low, high = self.window(state, hit)
        after = limited(before * xp.exp(write.sign * change), xp.minimum(low, before), xp.maximum(high, before))
        g_cell = copied(state.g_cell)
        g_cell.reshape(-1)[hit] = xp.where(_is_stuck(state, hit), before, after)
        number = count.sum() if is_tensor(count) else int(count.sum())
        return replace(state, g_cell=g_cell, tally=state.tally + WriteCost(half_selected=number))


def _largest(tables: TableFile) -> tuple[int, int]:
    """Return the rows and columns of the largest array: on which the wires were checked, or the default."""
    if WIRES.group not in tables.tables:
        return LARGEST
    wires = tables[WIRES.group]
    return round(wires.condition(WIRES.rows_max)), round(wires.condition(WIRES.cols_max))


def _drivers(tables: TableFile, params: WriteDriverParams | None, columns: int) -> dict[Polarity, WriteDriver]:
    """Return the write drivers of both polarities, for lines of so many physical columns; none where they are off."""
    if params is None:
        return {}
    cells = params.cells or columns
    return {
        polarity: WriteDriver.from_table(tables[own.group], cells=cells, pulses=tables[WRITES[polarity].group])
        for polarity, own in WRITE_DRIVERS.items()
    }


def _ends(pulses: Table) -> tuple[float, float]:
    """Return the lowest and the highest amplitude of a pulse table (V)."""
    return pulses.valid_range(SET.v_pulse)


@dataclass(frozen=True)
class Fired:
    """The pulses of one step.

    Attributes
    ----------
    address : CellAddress
        Where the cells (N,) lie.
    v_pulse : array
        Their amplitudes (N,) (V).
    when : PulseSlots
        Which of them are pulsed at once.
    live : array of bool or None
        Of tensors, which are pulsed (N,); None: all.
    """

    address: CellAddress
    v_pulse: Array
    when: PulseSlots
    live: Array | None

    def at_once(self) -> Array:
        """Return how many cells are pulsed at once on each pulse's row (N,)."""
        ones = namespace(self.v_pulse).ones_like(self.v_pulse)
        if self.when.alone:  # one cell in each slot
            return ones
        lines = self.address.arrays * self.address.rows
        index, count = grouped(self.when.slot * lines + self.address.row_line)
        at_once = sums_at(index, only(ones, self.live), count)[index]
        return at_once if self.live is None else at_least(at_once, 1.0)

    def mean_amplitude(self) -> Array | float:
        """Return the mean amplitude of the pulses (V); of none, of tensors, any."""
        if self.live is None:
            return mean(self.v_pulse)
        return only(self.v_pulse, self.live).sum() / at_least(counted(self.live), 1)


def _is_stuck(state: CellState, flat: Array) -> Array:
    """Return which of the cells `flat` (N,) are stuck."""
    stuck, xp = state.traits.stuck, namespace(state.g_cell)
    return xp.zeros_like(flat, dtype=xp.bool) if stuck is None else stuck.reshape(-1)[flat] != 0
