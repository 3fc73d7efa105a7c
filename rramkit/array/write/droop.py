"""Write-voltage droop: IR drop of a pulse along the lines and in their drivers, on its way to the cell.

Currents of the cells that are pulsed at once flow through shared segments. With p segments between a line's driver and
a cell, r ohms each, and R ohms in the driver, the drop at cell k is ::

    d_k = r sum_m I_m min(p_k, p_m) + R sum_m I_m         over the cells m pulsed at once on that line
    v_k = v_pulse - k_source d_source - k_bit d_bit

    I  mean current of a pulse (A), from the table's energy: (E - C V^2) / (V t), at the amplitude that arrives

r is that of the fitted wires at the temperature of the cells: rows (source lines) `r_row`, columns (bit lines) `r_col`.
R is that of the write driver (`write_driver`), less what the pulse table has in series for the cell's own current.
Where the driver's table says what a source line loses at both its ends, d_source is that of a line whose other cells
carry a part of the current (`source_line`): they are as open as the pulsed one. Two passes of the fixed point I(v),
v(I) are taken: the second changes v by less than a tenth of the first where the droop is below 10 %; R is that at the
current of the first.

The factors k convert a volt lost on a line to volts of the stepped line; the access transistor sets them. A SET whose
word line is stepped loses gate drive and drain voltage when its source rises, little when its bit line falls. In RESET
the rise of the bit line is lost to the device entirely, while the stepped source line counts the less the deeper the
transistor, a source follower, is saturated. They come from the tables `droop_set` and `droop_reset`, over conductance
and amplitude; or are typed, as ::

    k_bit = bit_reset + exp((v_pulse - v_follow) / v_fold)                      in RESET

The typed defaults are this kit's measurements of its sky130 cell of version 0.1.0 with the crossbar-write deck: 16 ohm
a segment, 7 segments of one line, three states. Another cell needs its own, or the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np

from rramkit.array.backend import Array, grouped, namespace, only, sums_at
from rramkit.array.wires import warmer
from rramkit.array.write.cell_address import CellAddress, shared_drop
from rramkit.array.write.pulse import GradualWrite
from rramkit.array.write.source_line import SourceLine, source_drop
from rramkit.array.write.state import POLARITIES, Polarity
from rramkit.array.write.write_driver import Load, WriteDriver
from rramkit.errors import TableError
from rramkit.parameters import Parameters, quantity
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table, TableFile
from rramkit.table.schema import CORNERS, DROOPS, SET, WIRES

_PASSES = 2


class DroopParams(Parameters):
    """Volts of the stepped line for a volt lost on each line: from the tables, or the typed ones below."""

    groups: ClassVar[tuple[str, ...]] = (*(columns.group for columns in DROOPS.values()), WIRES.group)

    source: Literal["typed", "table"] = quantity(
        "typed", "1", "typed: the constants here; table: the tables `droop_set` and `droop_reset` of the file"
    )
    source_set: float = quantity(1.75, "1", "source line, in SET", ge=0, le=20)
    bit_set: float = quantity(0.08, "1", "bit line, in SET", ge=0, le=20)
    source_reset: float = quantity(0.96, "1", "source line, in RESET", ge=0, le=20)
    bit_reset: float = quantity(1.0, "1", "bit line, in RESET, at low amplitudes", ge=0, le=20)
    v_follow: float = quantity(1.56, "V", "RESET amplitude at which the source follower's part is one", ge=0, le=1e3)
    v_fold: float = quantity(0.12, "V", "volts by which that part grows by a factor e", gt=0, le=10)


@dataclass(frozen=True)
class Droop:
    """What is lost on the way from the driver to the cell.

    Attributes
    ----------
    r_row, r_col : float
        Resistance of a segment of a row and of a column (ohm).
    params : DroopParams
        Factors, where they are typed.
    worth : mapping
        By polarity the tables' factors of source and bit line; empty: typed.
    drivers : mapping
        By polarity the write driver; empty: no resistance.
    source_lines : mapping
        By polarity what a source line's driver and its other cells do; empty: wires and driver in series.
    """

    r_row: float
    r_col: float
    params: DroopParams
    worth: Mapping[Polarity, tuple[GridSurrogate, GridSurrogate]] = field(default_factory=dict)
    drivers: Mapping[Polarity, WriteDriver] = field(default_factory=dict)
    source_lines: Mapping[Polarity, SourceLine] = field(default_factory=dict)

    @classmethod
    def from_table(cls, table: Table, params: DroopParams, *, kelvin: float | None = None) -> Self:
        """Build from the table `wires` at a temperature; raise `TableError` when it lacks a resistance."""
        missing = [name for name in (WIRES.r_row, WIRES.r_col) if name not in table.signals]
        if missing:
            raise TableError(
                f"table `{table.name}` lacks {', '.join(missing)}. Regenerate it with `rramkit characterize`."
            )
        scale = warmer(table, kelvin)
        return cls(scale * float(table.signals[WIRES.r_row]), scale * float(table.signals[WIRES.r_col]), params)

    @classmethod
    def from_tables(
        cls, tables: TableFile, params: DroopParams | None, drivers: Mapping[Polarity, WriteDriver]
    ) -> Self | None:
        """Build from a file at one operating condition; None where neither lines nor drivers lose anything.

        `params` None: lines lose nothing, and what the drivers lose is converted by the tables where there are some.
        """
        if params is None and not drivers:
            return None
        kelvin = tables[SET.group].conditions.get(CORNERS.temperature)
        tabled = params.source == "table" if params is not None else has_tables(tables)
        droop = cls(0.0, 0.0, DroopParams())
        if params is not None:
            droop = cls.from_table(tables[WIRES.group], params, kelvin=None if kelvin is None else float(kelvin))
        worth: dict[Polarity, tuple[GridSurrogate, GridSurrogate]] = {}
        if tabled:
            worth = {polarity: _worth(tables[DROOPS[polarity].group]) for polarity in POLARITIES}
        return replace(droop, worth=worth, drivers=drivers, source_lines=_source_lines(drivers, droop.r_row))

    def lost(
        self,
        write: GradualWrite,
        g_cell: Array,
        v_pulse: Array,
        *,
        address: CellAddress,
        slot: Array | None,
        g_row: Array | None = None,
        live: Array | None = None,
    ) -> Array:
        """Return the volts that each cell's amplitude loses on its lines (N,).

        Parameters
        ----------
        write : GradualWrite
            The polarity.
        g_cell, v_pulse : ndarray
            Conductances (N,) in siemens and the drivers' amplitudes (N,).
        address : CellAddress
            Array, row and column of each cell.
        slot : array of int or None
            Slot of each cell (N,): cells of one slot are pulsed at once; None: each alone.
        g_row : ndarray, optional
            Mean conductance of the cells of each one's row (N,) (S); where `source_lines` says what they carry.
        live : array of bool, optional
            Of tensors, which cells are pulsed (N,); left out, all.
        """
        source, bit = self._worth(write, g_cell, v_pulse)
        lines = address.arrays * max(address.rows, address.cols)
        row = None if slot is None else slot * lines + address.row_line
        col = None if slot is None else slot * lines + address.col_line
        polarity: Polarity = "set" if write.sign > 0.0 else "reset"
        driver, load = self.drivers.get(polarity), None
        lost = namespace(g_cell).zeros_like(g_cell)
        for _ in range(_PASSES):
            current = only(write.current(g_cell, v_pulse, lost), live)
            d_bit = self.r_col * _drop(current, col, address.along_col)
            if driver is None:
                lost = source * self.r_row * _drop(current, row, address.along_row) + bit * d_bit
                continue
            if load is None:  # resistances: a few ohms between an idle and a strong cell, once is enough
                load = driver.load(v_pulse, current)
            d_source = self._source_drop(polarity, current, row, load=load, address=address, g_row=g_row, live=live)
            d_bit = d_bit + load.of(driver.codes.r_bit) * _of_line(current, col)
            own = driver.r_table * current
            lost = source * (d_source - own) + bit * (d_bit - own)
        return lost

    def _source_drop(
        self,
        polarity: Polarity,
        current: np.ndarray,
        row: np.ndarray | None,
        *,
        load: Load,
        address: CellAddress,
        g_row: Array | None,
        live: Array | None,
    ) -> Array:
        """Return what each cell's source line and its driver lose (N,) (V)."""
        line = self.source_lines.get(polarity)
        if line is None or g_row is None:
            wires = self.r_row * _drop(current, row, address.along_row)
            return wires + load.of(self.drivers[polarity].codes.r_source) * _of_line(current, row)
        return source_drop(
            current,
            row,
            address.along_row,
            r_segment=line.r_segment,
            r_driver=load.of(line.r_driver),
            g_cell=g_row / (1.0 + g_row * load.of(line.r_access)),
            cells=address.cols,
            live=live,
        )

    def _worth(
        self, write: GradualWrite, g_cell: np.ndarray, v_pulse: np.ndarray
    ) -> tuple[np.ndarray | float, np.ndarray | float]:
        """Return the volts of the stepped line for each volt dropped along the source and the bit line."""
        k = self.params
        if self.worth:
            tables = self.worth["set" if write.sign > 0.0 else "reset"]
            volts = write.volts(v_pulse)
            return tables[0].at(g_cell, volts), tables[1].at(g_cell, volts)
        if write.sign > 0.0:
            return k.source_set, k.bit_set
        follow = namespace(v_pulse).exp((write.volts(v_pulse) - k.v_follow) / k.v_fold)
        return k.source_reset, k.bit_reset + follow


def has_tables(tables: TableFile) -> bool:
    """Return whether a file says what a voltage drop costs, for both polarities."""
    return all(columns.group in tables.tables for columns in DROOPS.values())


def _worth(table: Table) -> tuple[GridSurrogate, GridSurrogate]:
    columns = DROOPS["reset" if table.polarity == "reset" else "set"]
    return GridSurrogate(table, columns.source), GridSurrogate(table, columns.bit)


def _source_lines(drivers: Mapping[Polarity, WriteDriver], r_row: float) -> dict[Polarity, SourceLine]:
    """Return the source lines of those drivers whose tables say what a line loses at both ends."""
    found: dict[Polarity, SourceLine] = {}
    for polarity, driver in drivers.items():
        codes = driver.codes
        if codes.r_source_far is not None and r_row > 0.0:
            found[polarity] = SourceLine.of(
                codes.r_source,
                codes.r_source_far,
                r_segment=r_row,
                cells=driver.cells,
                r_neighbour=driver.r_neighbour,
            )
    return found


def _drop(current: np.ndarray, line: np.ndarray | None, position: np.ndarray) -> np.ndarray:
    """Return the drop (N,) along lines of 1 ohm a segment; `line` None: no line is shared."""
    if line is None:
        return current * position
    xp = namespace(current)
    return shared_drop(current, line, xp.astype(position, current.dtype), xp.ones_like(current))


def _of_line(current: np.ndarray, line: np.ndarray | None) -> np.ndarray:
    """Return the sum of the currents (N,) of each cell's line (N,); None: no line is shared."""
    if line is None:
        return current
    index, count = grouped(line)
    return sums_at(index, current, count)[index]
