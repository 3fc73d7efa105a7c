"""Read noise: each cell's conductance varies from read to read.

In each pulse of a read the conductance of a cell has an independent normal error of standard deviation::

    sigma = sqrt((sigma_span (g_high - g_low))^2 + (sigma_rel g)^2 + sigma_table(g)^2)

with the table's lowest and highest conductance. The sum of independent normal numbers is normal, with the variances
added, so one number is drawn for each sensed current instead of one for each cell (exact in distribution)::

    var(i_c) = sum_r sigma_rc^2 v_r^2

That noise has a part of the range and a part of the value is this kit's own choice. Off: all 0. From a table file:
`cell_noise` gives sigma_table, linear between its conductances.
"""

from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array.backend import Array
from rramkit.array.stages.stage import CellTerms, Stage
from rramkit.array.uniform_lut import UniformLut
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import CELL_NOISE


class ReadNoise(Stage):
    """Standard deviation of a cell's conductance from read to read."""

    groups: ClassVar[tuple[str, ...]] = (CELL_NOISE.group,)

    sigma_span: float = quantity(0.0, "1", "standard deviation over the table's conductance range", ge=0.0, le=1.0)
    sigma_rel: float = quantity(0.0, "1", "standard deviation over the cell's conductance", ge=0.0, le=1.0)
    g_table: tuple[float, ...] = Field(
        default=(), description="conductances of `sigma_table`", json_schema_extra={"unit": "S"}
    )
    sigma_table: tuple[float, ...] = Field(
        default=(), description="standard deviation at each of `g_table`", json_schema_extra={"unit": "S"}
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.g_table) != len(self.sigma_table) or len(self.g_table) == 1:
            raise ValueError("sigma_table must hold one value for each of g_table, at least two")
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return the noise of the table `cell_noise`; None where the file has none."""
        if CELL_NOISE.group not in tables.tables:
            return None
        table = tables[CELL_NOISE.group]
        values = {
            "g_table": tuple(np.asarray(table.axes[CELL_NOISE.g_cell].values, dtype=float).tolist()),
            "sigma_table": tuple(np.asarray(table.signal(CELL_NOISE.sigma_g).values, dtype=float).tolist()),
        }
        return cls.checked(values, where="the table `cell_noise`")

    @property
    def on(self) -> bool:
        """Whether cells are noisy."""
        return self.sigma_span > 0.0 or self.sigma_rel > 0.0 or any(sigma > 0.0 for sigma in self.sigma_table)

    @property
    def random(self) -> bool:
        """Each read draws its noise."""
        return self.on

    def cell_variance(self, g_cell: Array, span: float) -> Array:
        """Return sigma^2 (...) in siemens squared for conductances (...) of a table whose range is `span` (S)."""
        own = (self.sigma_span * span) ** 2 + (self.sigma_rel * g_cell) ** 2
        if not self.sigma_table:
            return own
        return own + _sigma(self.g_table, self.sigma_table).at(g_cell)[0] ** 2

    def prepare(self, cells: CellTerms) -> None:
        """Give each cell the variance of its conductance."""
        own = self.cell_variance(cells.g_cell, cells.g_span)
        cells.variance = own if cells.variance is None else cells.variance + own


@lru_cache(maxsize=8)
def _sigma(g_table: tuple[float, ...], sigma_table: tuple[float, ...]) -> UniformLut:
    """Return the standard deviation (S) against the conductance (S)."""
    return UniformLut.of(np.asarray(g_table), np.asarray(sigma_table)[None])
