"""Row driver: input DAC, linear, bent or bit-serial. The voltage that a line gets for the one requested.

Off (`levels` 0): the voltage itself. On: the nearest of `levels` evenly spaced codes from 0 V to the full read voltage,
as one pulse of that code's voltage; or `serial`, as one pulse a bit, each of the full read voltage, so that the cell's
own nonlinearity drops out: the n bits of a code D send their currents one after the other, and

    i = sum_j 2^j bit_j(D) i(g, v_max) / (levels - 1)

is formed either by charge, halved after each bit, with one conversion at the end (`charge`; the bulk-switching module,
arXiv 2305.14547), or from n conversions, shifted and added (`digital`; ISAAC).

`transfer` holds the voltage of each code over the full one where the driver is not linear.

From a table file: `row_driver` gives, for each code and load of the row, how far the row's end lies below its rest
voltage (`v_row`) and the current into the driver (`i_row`). Along the loads each code is a straight line::

    v_row = v_open(code) - r_out i_row          v_open  volts of the code without current    r_out  output resistance

`v_open`, less that of code 0, are the levels; `r_out`, one slope for all codes by least squares, is the driver's end of
the wires (`wires`, r_drive), so that what cells take from a level, row by row, comes from the solution of the wires.
What is left, because r_out differs from code to code, is `error`: the largest distance of the table's `v_row` from that
line over the full voltage. Between the measured codes levels are linear in the code (`bits` says how many there are).
The energy of a level is that of its code, a monotone cubic between the measured ones, and of the row's load, linear in
the conductance of its cells: energy = e_code + e_slope g, `e_error` says how well. With one load only, as in files of
version 0.1.0 (without `i_row`), the levels are those of the middle load over the highest, and the energy is the mean.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array.stages.interpolation import extrapolated
from rramkit.array.stages.stage import LineDrive, Stage
from rramkit.errors import TableError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.parameters import quantity
from rramkit.table import Table, TableFile
from rramkit.table.schema import ROW_DRIVER


class RowDriver(Stage):
    """Levels, serial or not, and the transfer of the row drivers."""

    groups: ClassVar[tuple[str, ...]] = (ROW_DRIVER.group,)
    typed_over: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "levels": ("transfer", "v_open", "e_code", "e_slope"),
        "serial": ("transfer", "v_open", "e_code", "e_slope"),
        "transfer": ("v_open",),
        "energy": ("e_code", "e_slope"),
    }

    levels: int = quantity(0, "1", "codes from 0 V to the full read voltage; 0: any voltage", ge=0, le=65536)
    serial: bool = quantity(
        False, "1", "one pulse of the full read voltage for each bit, not one of the code's voltage"
    )
    accumulate: Literal["charge", "digital"] = quantity("charge", "1", "how serial bits are weighted and added")
    transfer: tuple[float, ...] = Field(
        default=(), description="voltage of each code over the full one; empty: linear", json_schema_extra={"unit": "1"}
    )
    energy: float = quantity(0.0, "J", "energy of one driven line and pulse, beside the array's own", ge=0.0)
    v_open: tuple[float, ...] = Field(
        default=(),
        description="voltage of each code without current, in place of `transfer`",
        json_schema_extra={"unit": "V"},
    )
    r_out: float | None = quantity(None, "ohm", "output resistance; left out, that of the wires", ge=0.0, le=1e6)
    e_code: tuple[float, ...] = Field(
        default=(), description="energy of each code on a line without cells", json_schema_extra={"unit": "J"}
    )
    e_slope: tuple[float, ...] = Field(
        default=(), description="energy of each code for a siemens of cells", json_schema_extra={"unit": "J/S"}
    )
    error: float = quantity(0.0, "1", "largest error of the table's levels by one output resistance", ge=0.0)
    e_error: float = quantity(0.0, "1", "largest error of the linear energy over the largest energy", ge=0.0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.levels == 1:
            raise ValueError("levels must be 0 (off) or at least 2")
        if self.serial and (self.levels < 2 or self.levels & (self.levels - 1)):
            raise ValueError("levels must be a power of two when serial")
        if self.transfer and (self.serial or len(self.transfer) != self.levels):
            raise ValueError("transfer must hold one voltage for each level, and none when serial")
        if any(later < earlier for earlier, later in zip(self.transfer, self.transfer[1:], strict=False)):
            raise ValueError("transfer must not fall")
        if any(each and len(each) != self.levels for each in (self.v_open, self.e_code, self.e_slope)):
            raise ValueError("v_open, e_code and e_slope must hold one value for each level")
        if len(self.e_code) != len(self.e_slope):
            raise ValueError("e_code and e_slope must be given together")
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return levels, output resistance and energy from the table `row_driver`; None where the file has none."""
        if ROW_DRIVER.group not in tables.tables:
            return None
        table = tables[ROW_DRIVER.group]
        v_row = np.asarray(table.signal(ROW_DRIVER.v_row).values, dtype=float)
        loaded = ROW_DRIVER.i_row in table.signals and ROW_DRIVER.g_cell in table.axes and v_row.shape[-1] > 1
        values = _levels_and_resistance(table) if loaded else _levels_of_one_load(table)
        return cls.checked(values, where="the table `row_driver`")

    @property
    def on(self) -> bool:
        """Whether lines are driven in levels, or driving them costs energy, or drivers resist."""
        return self.levels > 0 or self.energy > 0.0 or self.r_out is not None

    @property
    def r_driving(self) -> float | None:
        """Output resistance (ohm)."""
        return self.r_out

    def drive(self, lines: LineDrive) -> LineDrive:
        """Return the codes' voltages, their pulses and their energy."""
        lines = replace(lines, e_line=lines.e_line + self.energy)
        if not self.levels:
            return lines
        fractions = np.asarray(self.transfer) if self.transfer else np.linspace(0.0, 1.0, self.levels)
        volts = np.asarray(self.v_open) if self.v_open else None
        e_levels = (np.asarray(self.e_code), np.asarray(self.e_slope)) if self.e_code else None
        return replace(
            lines,
            fractions=fractions,
            volts=volts,
            e_levels=e_levels,
            serial=self.serial,
            accumulate=self.accumulate,
        )


def _levels_of_one_load(table: Table) -> dict[str, Any]:
    """Return levels over the highest, of the middle load, and the mean energy of a level."""
    v_row = np.asarray(table.signal(ROW_DRIVER.v_row).values, dtype=float)
    v_row = v_row.reshape(v_row.shape[0], -1)
    rise = v_row[:, v_row.shape[1] // 2] - v_row[0, v_row.shape[1] // 2]
    if rise[-1] == 0.0:
        raise TableError(
            "`row_driver/v_row` must differ between the first and the last code. "
            "Regenerate it with `rramkit characterize`."
        )
    transfer = np.clip(np.maximum.accumulate(rise / rise[-1]), 0.0, 1.0)
    values: dict[str, Any] = {"levels": transfer.size, "transfer": tuple(transfer.tolist())}
    if ROW_DRIVER.energy in table.signals:
        values["energy"] = float(np.mean(table.signals[ROW_DRIVER.energy].values))
    return values


def _levels_and_resistance(table: Table) -> dict[str, Any]:
    """Return levels without current, output resistance and energy from a table over code and load."""
    order = [list(table.axes).index(axis) for axis in (ROW_DRIVER.code, ROW_DRIVER.g_cell)]

    def over_loads(name: str) -> np.ndarray:
        return np.transpose(np.asarray(table.signal(name).values, dtype=float), order)  # (codes, loads)

    measured = np.asarray(table.axes[ROW_DRIVER.code].values, dtype=float)
    bits = ROW_DRIVER.bits in table.conditions and round(table.condition(ROW_DRIVER.bits))
    codes = np.arange(2.0**bits) if bits else measured
    v_row, i_row = over_loads(ROW_DRIVER.v_row), over_loads(ROW_DRIVER.i_row)
    i_less = i_row - i_row.mean(axis=1, keepdims=True)
    v_less = v_row - v_row.mean(axis=1, keepdims=True)
    r_out = -float(np.sum(i_less * v_less) / np.sum(i_less**2))  # one slope for all codes, least squares
    v_open = (v_row + r_out * i_row).mean(axis=1)
    rest = np.abs(v_open[:, None] - r_out * i_row - v_row)
    v_open = extrapolated(codes, measured, v_open)
    v_open -= v_open[0]
    values: dict[str, Any] = {
        "levels": v_open.size,
        "v_open": tuple(v_open.tolist()),
        "r_out": max(r_out, 0.0),
        "error": float(rest.max() / np.abs(v_open).max()),
    }
    if ROW_DRIVER.energy in table.signals and ROW_DRIVER.cells in table.conditions:
        energy = over_loads(ROW_DRIVER.energy)
        load = table.condition(ROW_DRIVER.cells) * np.asarray(table.axes[ROW_DRIVER.g_cell].values, dtype=float)
        line = np.stack([np.ones_like(load), load], axis=1)
        fit = np.linalg.lstsq(line, energy.T, rcond=None)[0]  # (2, codes)
        values |= {
            "e_code": tuple(MonotoneCubic(measured, fit[0])(codes).tolist()),
            "e_slope": tuple(MonotoneCubic(measured, fit[1])(codes).tolist()),
            "e_error": float(np.max(np.abs(line @ fit - energy.T)) / np.max(np.abs(energy))),
        }
    return values
