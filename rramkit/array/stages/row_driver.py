"""Row driver: input DAC, linear, bent or bit-serial. The voltage that a line gets for the one requested.

Off (`levels` 0): the voltage itself. On: the nearest of `levels` evenly spaced codes from 0 V to the full read voltage,
as one pulse of that code's voltage; or `serial`, as one pulse a bit, each of the full read voltage, so that the cell's
own nonlinearity drops out: the n bits of a code D send their currents one after the other, and

    i = sum_j 2^j bit_j(D) i(g, v_max) / (levels - 1)

is formed either by charge, halved after each bit, with one conversion at the end (`charge`; the bulk-switching module,
arXiv 2305.14547), or from n conversions, shifted and added (`digital`; ISAAC).

`transfer` holds the voltage of each code over the full one where the driver is not linear. The table `row_driver` gives
it: the voltage `v_row` that each code puts on a row whose cells have the middle conductance of the table, less that of
code 0, over the highest; and the energy of a level, its mean.
"""

from dataclasses import replace
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array.stages.stage import LineDrive, Stage
from rramkit.errors import TableError
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import ROW_DRIVER


class RowDriver(Stage):
    """Levels, serial or not, and the transfer of the row drivers."""

    levels: int = quantity(0, "1", "codes from 0 V to the full read voltage; 0: any voltage", ge=0, le=65536)
    serial: bool = quantity(
        False, "1", "one pulse of the full read voltage for each bit, not one of the code's voltage"
    )
    accumulate: Literal["charge", "digital"] = quantity("charge", "1", "how serial bits are weighted and added")
    transfer: tuple[float, ...] = Field(
        default=(), description="voltage of each code over the full one; empty: linear", json_schema_extra={"unit": "1"}
    )
    energy: float = quantity(0.0, "J", "energy of one driven line and pulse, beside the array's own", ge=0.0)

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
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return levels, transfer and energy from the table `row_driver`; None where the file has none."""
        if ROW_DRIVER.group not in tables.tables:
            return None
        table = tables[ROW_DRIVER.group]
        v_row = np.asarray(table.signal(ROW_DRIVER.v_row).values, dtype=float)
        v_row = v_row.reshape(v_row.shape[0], -1)
        rise = v_row[:, v_row.shape[1] // 2] - v_row[0, v_row.shape[1] // 2]
        if rise[-1] == 0.0:
            raise TableError(
                "`row_driver/v_row` must differ between the first and the last code. "
                "Regenerate it with `rramkit characterize`."
            )
        transfer = np.clip(np.maximum.accumulate(rise / rise[-1]), 0.0, 1.0)
        values = {"levels": transfer.size, "transfer": tuple(transfer.tolist())}
        if ROW_DRIVER.energy in table.signals:
            values["energy"] = float(np.mean(table.signals[ROW_DRIVER.energy].values))
        return cls.checked(values, where="the table `row_driver`")

    @property
    def on(self) -> bool:
        """Whether lines are driven in levels, or driving them costs energy."""
        return self.levels > 0 or self.energy > 0.0

    def drive(self, lines: LineDrive) -> LineDrive:
        """Return the codes' voltages, their pulses and their energy."""
        lines = replace(lines, e_line=lines.e_line + self.energy)
        if not self.levels:
            return lines
        fractions = np.asarray(self.transfer) if self.transfer else np.linspace(0.0, 1.0, self.levels)
        return replace(lines, fractions=fractions, serial=self.serial, accumulate=self.accumulate)
