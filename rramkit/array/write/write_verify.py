"""Write-verify: read, pulse towards the target, step the pulse up, until the cell is in its window.

    loop:  read g
           |g - target| <= window        one more confirmation; done after `confirm` in a row
           g < target - window           SET, one step stronger than the SET before
           g > target + window           RESET, one step stronger than the RESET before
           side changed                  the ramp of the new side restarts

Source: ramps that restart when the cell has gone past its target, with a window relative to the target (`window_of`),
Alibart et al. (Nanotechnology 23, 075201, 2012, as reimplemented by others; docs/systems/write-verify.md), and the
incremental step pulses of the bulk-switching module (arXiv 2305.14547: SET up, RESET to fine tune, at most 5 cycles of
both in characterisation, 2 in training). The stepped quantity is the table's amplitude, its width or its gate
(`stepped`); a ramp starts at its lowest value or, this kit's choice, at the one whose mean change in the table comes
nearest the target (`start`).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.backend import Array, counted, is_tensor, largest_at, namespace, only, size, total
from rramkit.array.write.pulse import Stepped
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.array.write.update import UpdateChain, UpdateParams
from rramkit.array.write.verify_read import Sense, VerifyRead, reads_by_adc
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity
from rramkit.table import TablesLike, loaded
from rramkit.table.schema import READ


class VerifyParams(Parameters):
    """Window, ramps and limits of write-verify."""

    window: float = quantity(0.01, "1", "largest miss that passes, over the conductance range or target", gt=0, le=1)
    window_of: Literal["range", "target"] = quantity(
        "range", "1", "what `window` is a part of: the conductance range, or each cell's target"
    )
    confirm: int = quantity(1, "1", "reads in a row that must pass", ge=1, le=1000)
    pulses_max: int = quantity(200, "1", "pulses after which a cell is given up", ge=0, le=100_000)
    ends_max: int = quantity(
        20, "1", "pulses of a ramp's last amplitude in a row after which a cell is given up", ge=1, le=100_000
    )
    turns_max: int = quantity(20, "1", "changes of side after which a cell is given up", ge=0, le=100_000)
    stepped: Stepped = quantity("v_pulse", "1", "stepped quantity: the amplitude, the width or the gate")
    step: int = quantity(1, "1", "driver's steps from one pulse of a ramp to the next", ge=0, le=10_000)
    start: Literal["lowest", "table"] = quantity(
        "lowest", "1", "start of a ramp: the lowest, or the nearest mean change"
    )
    sense: Sense = quantity(
        "typed",
        "1",
        "verify read: typed (sigma_read, e_sense), adc (the file's readout and ADC), latch (the side only)",
    )
    sigma_read: float = quantity(0.0, "1", "noise of a verify read, over the conductance range", ge=0, le=1)
    e_sense: float = quantity(0.0, "J", "energy of sensing one cell, beside that of its current", ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sense == "latch" and self.start == "table":
            raise ValueError("start must be lowest where sense is latch: it does not say how far the target is")
        return self

    @classmethod
    def from_tables(cls, tables: TablesLike, params: Self | None = None, *, off: Collection[str] = ()) -> Self:
        """Build from what a table file characterises: verify reads go through readout and ADC where it has both.

        Parameters
        ----------
        tables : TableFile, str or Path
            The file.
        params : VerifyParams, optional
            Settings by hand; `sense`, `sigma_read` or `e_sense` given there keep the read as it is typed.
        off : collection of str
            `sense`: leave the read as `params` has it.

        Returns
        -------
        VerifyParams
            The settings.

        Raises
        ------
        InputError
            When `off` names something else.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> VerifyParams.from_tables(example()).sense  # no readout in this file
        'typed'
        """
        params, file = params or cls(), loaded(tables).nominal()
        if set(off) - {"sense"}:
            raise InputError(f"`off` must name sense; got {sorted(set(off) - {'sense'})[0]!r}. Fix the name.")
        if off or params.model_fields_set & {"sense", "sigma_read", "e_sense"} or not reads_by_adc(file):
            return params
        return params.model_copy(update={"sense": "adc"})


@dataclass(frozen=True)
class VerifyState:
    """State of write-verify.

    Attributes
    ----------
    cells : CellState
        All cells; `cells.tally` is the cost of the last step.
    flat : ndarray of int
        The cells that are to be written (N,), as indices into the flattened (..., 2, R, C).
    target : ndarray
        Their targets (N,), in siemens.
    side : ndarray of int8
        Polarity of the last pulse (N,): 1 SET, -1 RESET, 0 none yet.
    level : ndarray of int
        Index of the last pulse's amplitude (N,).
    passed, pulses, turns, ends : ndarray of int
        Reads passed in a row, pulses fired, sides changed, pulses of the last amplitude in a row (N,).
    active : ndarray of bool
        Neither done nor given up (N,).
    tally : WriteCost
        Cost of all steps together.
    """

    cells: CellState
    flat: np.ndarray
    target: np.ndarray
    side: np.ndarray
    level: np.ndarray
    passed: np.ndarray
    pulses: np.ndarray
    turns: np.ndarray
    ends: np.ndarray
    active: np.ndarray
    tally: WriteCost

    @property
    def error(self) -> np.ndarray:
        """Conductance less target (N,), in siemens."""
        return self.cells.g_cell.ravel()[self.flat] - self.target


@dataclass(frozen=True)
class WriteVerify:
    """Write-verify with the pulses of one table file.

    Attributes
    ----------
    chain : UpdateChain
        Effect of a pulse.
    params : VerifyParams
        Window, ramps and limits.
    t_read, v_read : float
        Time (s) and voltage (V) of a verify read; a row is read at once, arrays side by side.
    reader : VerifyRead or None
        The read through the chip; None: as typed.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.table.example import example
    >>> loop, rng = WriteVerify.from_tables(example()), np.random.default_rng(0)
    >>> done = loop.program(np.full((2, 3, 2), 5e-6), np.full((2, 3, 2), 40e-6), rng=rng)
    >>> done.tally.pulses > 0, done.tally.energy > 0.0
    (True, True)
    """

    chain: UpdateChain
    params: VerifyParams
    t_read: float
    v_read: float
    reader: VerifyRead | None = None

    @classmethod
    def from_tables(
        cls, tables: TablesLike, params: VerifyParams | None = None, update: UpdateParams | None = None
    ) -> Self:
        """Build from the tables `set`, `reset` and `read`.

        Parameters
        ----------
        tables : TableFile, str or Path
            Tables `set`, `reset` and `read`; `wires` when droop is on.
        params : VerifyParams, optional
            Window, ramps and limits; left out, the defaults.
        update : UpdateParams, optional
            Stages of a write; left out, none.

        Returns
        -------
        WriteVerify
            The loop.

        Raises
        ------
        TableError
            When the file lacks a table, a signal or a condition.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> WriteVerify.from_tables(example(), VerifyParams(window=0.02)).params.window
        0.02
        """
        params, tables = params or VerifyParams(), loaded(tables)
        chain = UpdateChain.from_tables(tables, update, stepped=params.stepped)
        read, reader = tables[READ.group], None
        if params.sense != "typed":
            columns = chain.largest[1] if chain.largest is not None else 1
            reader = VerifyRead.from_tables(
                tables.nominal(), params.sense, g_range=chain.writer.g_range, columns=columns
            )
            chain = replace(chain, sensed=params.sense == "latch")
        return cls(chain, params, read.condition(READ.t_read), abs(read.condition(READ.v_read)), reader)

    def program(
        self,
        cells: CellState | np.ndarray,
        target: np.ndarray,
        flat: np.ndarray | None = None,
        *,
        rng: np.random.Generator,
    ) -> VerifyState:
        """Bring cells to their targets: `init`, and `step` until no cell is active.

        Parameters
        ----------
        cells : CellState or ndarray
            The cells as they are; or conductances (..., 2, R, C) in siemens of fresh ones.
        target : ndarray
            Targets (N,) in siemens, within the tables' range; without `flat`, of every cell (..., 2, R, C).
        flat : ndarray of int, optional
            Which cells (N,), as indices into the flattened (..., 2, R, C), each at most once.
        rng : Generator
            Draws the noise of verify reads and the change of each pulse.

        Returns
        -------
        VerifyState
            The cells (`cells`, whose tally counts the whole loop), and the `error` of each target in siemens: a cell
            that was given up keeps an error above the window.

        Raises
        ------
        InputError
            When a shape does not fit, or a target lies outside the range.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop = WriteVerify.from_tables(example())
        >>> done = loop.program(np.full((2, 3, 2), 5e-6), np.full((2, 3, 2), 40e-6), rng=np.random.default_rng(0))
        >>> bool(np.all(np.abs(done.error) < 0.01 * 86e-6))
        True
        """
        cells = cells if isinstance(cells, CellState) else self.chain.init(cells, rng=rng)
        state = self.init(cells, target, flat)
        while np.any(state.active):
            state = self.step(state, rng=rng)
        return replace(state, cells=replace(state.cells, tally=state.tally))

    def init(self, cells: CellState, target: np.ndarray, flat: np.ndarray | None = None) -> VerifyState:
        """Return the state before the first read.

        Parameters
        ----------
        cells : CellState
            The cells as they are.
        target : ndarray
            Targets (N,) in siemens, within the tables' range; without `flat`, of every cell (..., 2, R, C).
        flat : ndarray of int, optional
            Which cells (N,), as indices into the flattened (..., 2, R, C), each at most once.

        Returns
        -------
        VerifyState
            Every cell active, without a pulse.

        Raises
        ------
        InputError
            When the targets do not fit the cells or lie outside the range.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop, rng = WriteVerify.from_tables(example()), np.random.default_rng(0)
        >>> cells = loop.chain.init(np.full((2, 3, 2), 5e-6), rng=rng)
        >>> int(loop.init(cells, np.full((2, 3, 2), 40e-6)).active.sum())
        12
        """
        target = np.asarray(target, dtype=float)
        flat = None if flat is None else np.asarray(flat)
        shape = cells.g_cell.shape if flat is None else flat.shape
        if target.shape != shape:
            raise InputError(f"`target` must be {shape} in siemens; got {target.shape}. Pass one target for each cell.")
        low, high = self.chain.writer.g_range
        margin = 1e-9 * (high - low)
        if target.size and not (target.min() >= low - margin and target.max() <= high + margin):
            raise InputError(
                f"`target` must be within {low:g} to {high:g} S, the tables' range; got {target.min():g} to "
                f"{target.max():g} S. Scale the targets."
            )
        flat = np.arange(target.size) if flat is None else flat
        zeros = np.zeros(flat.size, dtype=np.int64)
        return VerifyState(
            replace(cells, tally=WriteCost()),
            flat=flat,
            target=target.ravel(),
            side=zeros.astype(np.int8),
            level=zeros,
            passed=zeros,
            pulses=zeros,
            turns=zeros,
            ends=zeros,
            active=np.ones(flat.size, dtype=bool),
            tally=WriteCost(),
        )

    def step(self, state: VerifyState, *, rng: np.random.Generator) -> VerifyState:
        """Read every active cell once, and pulse those that missed.

        Parameters
        ----------
        state : VerifyState
            The loop before.
        rng : Generator
            Draws the noise of verify reads and the change of each pulse.

        Returns
        -------
        VerifyState
            The loop after; `cells.tally` counts this step, `tally` all of them.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop, rng = WriteVerify.from_tables(example()), np.random.default_rng(0)
        >>> cells = loop.chain.init(np.full((2, 3, 2), 5e-6), rng=rng)
        >>> loop.step(loop.init(cells, np.full((2, 3, 2), 40e-6)), rng=rng).tally.reads
        12
        """
        params, chosen = self.params, np.flatnonzero(state.active)
        g_cell = state.cells.g_cell.ravel()[state.flat[chosen]]
        seen = self.seen(state.cells, state.flat[chosen], rng=rng)
        miss = seen - state.target[chosen]
        inside = np.abs(miss) <= self.tolerance(state.target[chosen])
        passed = np.where(inside, state.passed[chosen] + 1, 0)
        side = np.where(inside, state.side[chosen], np.where(miss < 0.0, 1, -1))
        turned = ~inside & (side != state.side[chosen])
        turns = state.turns[chosen] + (turned & (state.side[chosen] != 0))
        first = self._first(seen, miss, side=side, turns=turns)
        level = np.where(turned, first, np.minimum(state.level[chosen] + params.step, self._last(side)))
        ends = np.where((level == self._last(side)) & (level > 0), np.where(turned, 1, state.ends[chosen] + 1), 0)
        hopeless = (turns > params.turns_max) | (ends > params.ends_max)
        fire = ~inside & (state.pulses[chosen] < params.pulses_max) & ~hopeless
        cells, fired = self._fired(state.cells, state.flat[chosen[fire]], side[fire], level[fire], rng=rng)
        done = fired + self.reads(state.flat[chosen], g_cell, state.cells.g_cell.shape)
        return replace(
            state,
            cells=replace(cells, tally=done),
            side=_at(state.side, chosen, side),
            level=_at(state.level, chosen, np.where(fire, level, state.level[chosen])),
            passed=_at(state.passed, chosen, passed),
            pulses=_at(state.pulses, chosen, state.pulses[chosen] + fire),
            turns=_at(state.turns, chosen, turns),
            ends=_at(state.ends, chosen, np.where(fire, ends, state.ends[chosen])),
            active=_at(state.active, chosen, fire | (inside & (passed < params.confirm))),
            tally=state.tally + done,
        )

    def tolerance(self, target: np.ndarray) -> np.ndarray:
        """Return the largest miss that passes.

        Parameters
        ----------
        target : ndarray
            Targets (...), in siemens.

        Returns
        -------
        ndarray
            The same shape, in siemens.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop = WriteVerify.from_tables(example(), VerifyParams(window=0.02, window_of="target"))
        >>> loop.tolerance(np.array([10e-6, 50e-6]))
        array([2.e-07, 1.e-06])
        """
        whole = target if self.params.window_of == "target" else np.full(target.shape, self.chain.writer.span)
        return self.params.window * whole

    def seen(self, cells: CellState, flat: Array, *, rng: np.random.Generator) -> Array:
        """Return what one read of cells gives; `reads` says what it costs.

        Parameters
        ----------
        cells : CellState
            The cells.
        flat : ndarray of int
            Which (N,), as indices into the flattened matrices.
        rng : Generator
            Draws the noise of the read.

        Returns
        -------
        ndarray
            Conductances (N,), in siemens. With `latch` the controller does not see this number, only on which side of
            a target it lies.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop, rng = WriteVerify.from_tables(example()), np.random.default_rng(0)
        >>> cells = loop.chain.init(np.full((2, 3, 2), 5e-6), rng=rng)
        >>> bool(np.all(loop.seen(cells, np.arange(12), rng=rng) == 5e-6))  # as typed: without noise
        True
        """
        g_cell = cells.g_cell.reshape(-1)[flat]
        if self.reader is not None:
            offset = None if cells.traits.sense is None else cells.traits.sense.reshape(-1)[flat]
            return self.reader.seen(g_cell, offset, rng=rng)
        if not self.params.sigma_read:
            return g_cell
        return g_cell + self.params.sigma_read * self.chain.writer.span * rng.standard_normal(size(flat))

    def _last(self, side: np.ndarray) -> np.ndarray:
        """Return the index of the last amplitude of each cell's side (N,)."""
        last_set, last_reset = (self.chain.write(polarity).v_pulse.size - 1 for polarity in POLARITIES)
        return np.where(side > 0, last_set, last_reset)

    def _first(self, seen: np.ndarray, miss: np.ndarray, *, side: np.ndarray, turns: np.ndarray) -> np.ndarray:
        """Return the index of the amplitude that each cell's ramp starts with (N,).

        As the table expects, it is one step lower for each turn so far: a cell that is stronger than the table's, and
        went past its target on both sides, would else do the same again.
        """
        first = np.zeros(seen.shape, dtype=np.int64)
        if self.params.start == "table":
            for polarity in POLARITIES:
                write = self.chain.write(polarity)
                mine = side == write.sign
                wanted = -write.sign * miss[mine]
                first[mine] = write.inversion.nearest(np.clip(seen[mine], *write.g_range), wanted)
        return np.maximum(first - turns * max(self.params.step, 1), 0)

    def _fired(
        self, cells: CellState, flat: np.ndarray, side: np.ndarray, level: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[CellState, WriteCost]:
        """Return the cells after their pulses, SETs first, and what those did."""
        tally = WriteCost()
        for polarity in POLARITIES:
            write = self.chain.write(polarity)
            mine = side == write.sign
            cells = self.chain.step(cells, flat[mine], write.v_pulse[level[mine]], polarity=polarity, rng=rng)
            tally += cells.tally
        return cells, tally

    def reads(self, flat: Array, g_cell: Array, shape: tuple[int, ...], *, live: Array | None = None) -> WriteCost:
        """Return what one read of cells takes: through the chip, or as typed, V^2 g t + `e_sense` for each.

        One row of an array is read at once, arrays side by side.

        Parameters
        ----------
        flat : ndarray of int
            Cells (N,), as indices into the flattened matrices.
        g_cell : ndarray
            Their conductances (N,), in siemens.
        shape : tuple of int
            Shape of the matrices (..., 2, R, C).
        live : array of bool, optional
            Of tensors, which cells are read (N,); left out, all.

        Returns
        -------
        WriteCost
            Energy (J), time (s) and number of reads.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.table.example import example
        >>> loop, rng = WriteVerify.from_tables(example()), np.random.default_rng(0)
        >>> loop.reads(np.arange(12), np.full(12, 20e-6), (2, 3, 2)).reads
        12
        """
        if not size(flat):
            return WriteCost()
        address = self.chain.address(flat, shape)
        if self.reader is not None:
            return self.reader.cost(address, g_cell, live=live)
        if is_tensor(g_cell):
            ones = only(namespace(g_cell).ones_like(g_cell), live)
            driven = largest_at(address.row_line, ones, address.arrays * address.rows).reshape(address.arrays, -1)
            energy = self.v_read**2 * self.t_read * total(only(g_cell, live)) + self.params.e_sense * total(ones)
            rows = driven.sum(axis=-1).max()
            return WriteCost.of_reads(counted(ones), energy=energy, seconds=rows * self.t_read)
        _, first = np.unique(address.row_line, return_index=True)
        rows = int(np.bincount(address.array[first]).max())
        energy = self.v_read**2 * self.t_read * float(g_cell.sum()) + self.params.e_sense * flat.size
        return WriteCost.of_reads(flat.size, energy=energy, seconds=rows * self.t_read)


def _at(values: np.ndarray, chosen: np.ndarray, new: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[chosen] = new
    return changed
