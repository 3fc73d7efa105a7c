"""Read of written cells: what write-verify, or a rule that reads before it writes, learns of a cell, and what it costs.

    typed   the conductance with normal noise, `sigma_read` of the range; V^2 g t and `e_sense` for each cell
    adc     through the chip: the row's driver, line switches, the readout in the smallest range that holds a cell, the
            ADC. The code is that of one conversion, less the unit's code at rest::

                g_seen = (code(v_rest + f(v g') + n) - code_rest) v_lsb / (r_feedback v)

            f  transfer of the readout    g'  conductance with the cell's noise    n  noise of readout and ADC (V)
            A unit's own offset is in the code and in the code at rest alike and is left out. Two columns share a unit:
            halves of a pair are converted one after the other
    latch   the current sense amplifier tells the side only, twice: is g above the window's lower end, is it below its
            upper end. Its reference is set to each end; the latch's offset, one draw for each unit, shifts both::

                g_seen = g' + z sigma_offset/|dv_sense/dg|       the slope is the table's at its reference conductance

Energy is that of the supplies: word line and source-line driver once for each row, switch, readout and ADC (or twice
the sense amplifier) for each cell; the switches of the other bit lines are open. Arrays work side by side, so time is
that of the busiest.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np

from rramkit.array.backend import (
    Array,
    counted,
    interpolated,
    is_tensor,
    namespace,
    only,
    resident,
    sums_at,
    total,
    weighed,
)
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.line_switch import LineSwitch
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.word_line import WordLine
from rramkit.array.write.cell_address import CellAddress
from rramkit.array.write.state import WriteCost
from rramkit.errors import TableError
from rramkit.table import TableFile
from rramkit.table.schema import ADC_LEVELS, CURRENT_SENSE, READ, READOUT_TRANSIMPEDANCE, SENSE_AMP_OFFSET

Sense = Literal["typed", "adc", "latch"]
"""How a verify read is taken: as typed, by readout and ADC, or by the current sense amplifier's latch."""

LINES = 2  # columns of a sense unit (1)


def reads_by_adc(tables: TableFile) -> bool:
    """Return whether a file has the readout and the ADC that a verify read needs."""
    if not {READOUT_TRANSIMPEDANCE.group, ADC_LEVELS.group} <= set(tables.tables):
        return False
    adc = Adc.from_tables(tables)
    return Readout.from_tables(tables) is not None and adc is not None and adc.of_voltage


@dataclass(frozen=True)
class RowCost:
    """Cost of a read: once for each row, and for each cell of it.

    Attributes
    ----------
    e_row : float
        Word line and switch of the row's driver (J).
    e_driver, e_siemens : float
        The row's driver: of the line (J), and for each siemens of the cells that are open (J/S).
    t_first, t_more : float
        Time of the sub-read of a unit's first column, and of its other one (s).
    """

    e_row: float = 0.0
    e_driver: float = 0.0
    e_siemens: float = 0.0
    t_first: float = 0.0
    t_more: float = 0.0


@dataclass(frozen=True)
class VerifyRead:
    """Reads of single cells through the chip.

    Attributes
    ----------
    sense : str
        `adc` or `latch`.
    v_read : float
        Read voltage (V).
    noise : ReadNoise
        Noise of the cell.
    g_span : float
        Conductance range of the tables (S).
    row : RowCost
        Cost of a row.
    gain : ReadoutGain or None
        The readout's range, with `adc`.
    adc : Adc or None
        The ADC, with `adc`.
    v_rest : float
        Output at rest (V).
    e_switch : float
        Energy of the sensed line's switch (J).
    g_energy, e_sense : ndarray
        Conductances (N,) in siemens and energy of a decision at each (J), with `latch`.
    sigma_latch : float
        Standard deviation of the latch's offset, as conductance (S).
    """

    sense: Literal["adc", "latch"]
    v_read: float
    noise: ReadNoise
    g_span: float
    row: RowCost
    gain: ReadoutGain | None = None
    adc: Adc | None = None
    v_rest: float = 0.0
    e_switch: float = 0.0
    g_energy: np.ndarray | None = None
    e_sense: np.ndarray | None = None
    sigma_latch: float = 0.0

    @classmethod
    def from_tables(
        cls, tables: TableFile, sense: Literal["adc", "latch"], *, g_range: tuple[float, float], columns: int
    ) -> Self:
        """Build from a file at one operating condition.

        Parameters
        ----------
        tables : TableFile
            `read` and, for `adc`, readout and ADC; for `latch`, `current_sense`. Noise and what else the file has.
        sense : str
            `adc` or `latch`.
        g_range : tuple of float
            Lowest and highest conductance of a cell (S).
        columns : int
            Physical columns of an array: cells on a word line.

        Raises
        ------
        TableError
            When the file lacks what the read is taken by.
        """
        read = tables[READ.group]
        v_read, noise = abs(read.condition(READ.v_read)), ReadNoise.from_tables(tables) or ReadNoise()
        switch, words = LineSwitch.from_tables(tables) or LineSwitch(), WordLine.from_tables(tables) or WordLine()
        e_row = switch.energy + (words.e_line(columns) if words.on else 0.0)
        driver = RowDriver.from_tables(tables) or RowDriver()
        e_driver, e_siemens = (each[-1] if each else 0.0 for each in (driver.e_code, driver.e_slope))
        if sense == "latch":
            return cls._by_latch(tables, v_read, noise, g_range, (e_row, e_driver, e_siemens))
        readout, adc = Readout.from_tables(tables), Adc.from_tables(tables)
        if readout is None or adc is None or not adc.of_voltage:
            raise TableError(
                "`sense` = adc needs the tables `readout_transimpedance` with gain settings and `adc_levels` with its "
                "range. Characterise them, or pass sense = typed."
            )
        holds = [gain for gain in readout.gains if gain.curve().i_end >= v_read * g_range[1]] or [readout.gains[0]]
        t_read = read.condition(READ.t_read)
        table, columns_of = tables[READOUT_TRANSIMPEDANCE.group], READOUT_TRANSIMPEDANCE
        if columns_of.t_read in table.conditions:
            t_read = table.condition(columns_of.t_read)
        each = t_read + adc.t_convert
        row = RowCost(e_row, e_driver, e_siemens, each, each)
        return cls("adc", v_read, noise, g_range[1] - g_range[0], row, holds[-1], adc, readout.v_rest, switch.energy)

    @classmethod
    def _by_latch(
        cls,
        tables: TableFile,
        v_read: float,
        noise: ReadNoise,
        g_range: tuple[float, float],
        energies: tuple[float, float, float],
    ) -> Self:
        table, columns = tables[CURRENT_SENSE.group], CURRENT_SENSE
        g = np.asarray(table.axes[columns.g_cell].values, dtype=float)
        energy, v_sense = (
            np.asarray(table.signal(name).values, dtype=float) for name in (columns.energy, columns.v_sense)
        )
        slope = float(np.interp(table.condition(columns.g_ref), g, np.abs(np.gradient(v_sense, g))))
        sigma = 0.0
        if SENSE_AMP_OFFSET.group in tables.tables:
            sigma = tables[SENSE_AMP_OFFSET.group].sigma(SENSE_AMP_OFFSET.offset) / slope
        t_decide = 2.0 * table.condition(columns.t_read)
        row = RowCost(*energies, t_decide, t_decide)
        span = g_range[1] - g_range[0]
        return cls("latch", v_read, noise, span, row, g_energy=g, e_sense=energy, sigma_latch=sigma)

    def seen(self, g_cell: Array, offset: Array | None, *, rng: np.random.Generator) -> Array:
        """Return what a read gives for cells (N,) in siemens (S).

        `offset` (N,) are the units' standard normals, with `latch`; None: no offset.
        """
        noisy, xp = g_cell, namespace(g_cell)
        if self.noise.on:
            sigma = xp.sqrt(self.noise.cell_variance(g_cell, self.g_span))
            noisy = g_cell + sigma * rng.standard_normal(tuple(g_cell.shape))
        if self.sense == "latch":
            return noisy if offset is None else noisy + self.sigma_latch * offset
        assert self.gain is not None and self.adc is not None
        v = self.v_rest + self.gain.curve().output(self.v_read * noisy)
        if self.adc.v_noise or any(self.gain.i_noise):
            own = self.gain.noise(g_cell) * self.gain.r_feedback
            v_noise = xp.hypot(own, xp.full_like(own, self.adc.v_noise))
            v = v + v_noise * rng.standard_normal(tuple(g_cell.shape))
        levels, at_rest = self._levels
        code = xp.searchsorted(resident(levels, v), v, side="right") - at_rest
        return xp.astype(code, xp.float64) * (self.adc.v_lsb / (self.gain.r_feedback * self.v_read))

    @cached_property
    def _levels(self) -> tuple[np.ndarray, int]:
        """Voltages at which the ADC's codes begin, rising (V), and how many are at or below that at rest."""
        assert self.adc is not None
        levels = np.maximum.accumulate(self.adc.transitions())
        return levels, int(np.searchsorted(levels, self.v_rest, side="right"))

    def cost(self, address: CellAddress, g_cell: Array, *, live: Array | None = None) -> WriteCost:
        """Return what one read of cells (N,) of conductances (N,) in siemens takes; of tensors of the `live` ones."""
        if is_tensor(g_cell):
            return self._cost_of_tensors(address, g_cell, live)
        if not g_cell.size:
            return WriteCost()
        rows, row_of = np.unique(address.row_line, return_inverse=True)
        energy = rows.size * (self.row.e_row + self.row.e_driver) + self.row.e_siemens * float(g_cell.sum())
        energy += float(np.sum(self._of_cells(g_cell)))
        units = row_of.astype(np.int64) * (address.cols + LINES) + address.col // LINES
        unit, lines = np.unique(units, return_counts=True)
        turns = np.ones(rows.size)
        np.maximum.at(turns, unit // (address.cols + LINES), lines.astype(float))
        array = np.empty(rows.size, dtype=np.intp)
        array[row_of] = address.array
        busy = np.bincount(array, weights=self.row.t_first + (turns - 1.0) * self.row.t_more)
        return WriteCost.of_reads(g_cell.size, energy=energy, seconds=float(busy.max()))

    def _cost_of_tensors(self, address: CellAddress, g_cell: Array, live: Array | None) -> WriteCost:
        """Return the same, of every row and unit that there is: how many are read is not asked."""
        ones, rows = only(namespace(g_cell).ones_like(g_cell), live), address.arrays * address.rows
        units = -(-address.cols // LINES)
        lines = sums_at(address.row_line * units + address.col // LINES, ones, rows * units).reshape(rows, units)
        turns = lines.max(axis=-1).values
        driven = turns > 0.0
        seconds = driven * (self.row.t_first + (turns - 1.0) * self.row.t_more)
        energy = weighed(driven.sum(), self.row.e_row + self.row.e_driver) + self.row.e_siemens * total(
            only(g_cell, live)
        )
        energy = energy + total(only(self._of_cells(g_cell), live))
        busy = seconds.reshape(address.arrays, -1).sum(axis=-1).max()
        return WriteCost.of_reads(counted(ones), energy=energy, seconds=busy)

    def _of_cells(self, g_cell: Array) -> Array:
        """Return the energy of sensing each cell (N,) (J)."""
        if self.g_energy is not None and self.e_sense is not None:
            return 2.0 * interpolated(g_cell, self.g_energy, self.e_sense)
        assert self.gain is not None and self.adc is not None
        return self.gain.read_energy(self.v_read * g_cell) + self.adc.energy + self.e_switch
