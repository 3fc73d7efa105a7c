"""Word lines: energy of opening the access transistors of an array.

All rows' word lines rise once for a batch of vectors and stay up until its end (this kit's own choice: a chip that
lowers them between vectors pays for each). From a table file: `level_shifter` gives the energy of one pulse against the
load (`energy`, `c_load`), and its condition `c_word` the capacitance of a word line for each of its cells; a line of C
cells is a load of C `c_word`. Without that condition the energy is not known and not counted. Off: no energy.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array.stages.interpolation import extrapolated
from rramkit.array.stages.stage import Stage, TileSpec
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import LEVEL_SHIFTER


class WordLine(Stage):
    """Capacitance of a word line and energy of its driver."""

    groups: ClassVar[tuple[str, ...]] = (LEVEL_SHIFTER.group,)

    c_word: float = quantity(0.0, "F", "capacitance of a word line for each of its cells", ge=0.0)
    c_load: tuple[float, ...] = Field(
        default=(), description="loads of the level shifter", json_schema_extra={"unit": "F"}
    )
    energy: tuple[float, ...] = Field(
        default=(), description="energy of one pulse at each load", json_schema_extra={"unit": "J"}
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.c_load) != len(self.energy):
            raise ValueError("energy must hold one value for each of c_load")
        return self

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return loads and energies from the table `level_shifter`; None where the file has none with `c_word`."""
        table = tables.tables.get(LEVEL_SHIFTER.group)
        if table is None or LEVEL_SHIFTER.c_word not in table.conditions or LEVEL_SHIFTER.c_load not in table.axes:
            return None
        values = {
            "c_word": table.condition(LEVEL_SHIFTER.c_word),
            "c_load": tuple(np.asarray(table.axes[LEVEL_SHIFTER.c_load].values, dtype=float).tolist()),
            "energy": tuple(np.asarray(table.signal(LEVEL_SHIFTER.energy).values, dtype=float).tolist()),
        }
        return cls.checked(values, where="the table `level_shifter`")

    @property
    def on(self) -> bool:
        """Whether word lines cost energy."""
        return self.c_word > 0.0 and len(self.energy) > 0

    def e_line(self, cells: int) -> float:
        """Return the energy of one pulse of a word line of so many cells (J): linear between loads, and beyond."""
        load = np.asarray(cells * self.c_word)
        return float(extrapolated(load, np.asarray(self.c_load), np.asarray(self.energy)))

    def e_batch(self, tile: TileSpec, *, backward: bool) -> float:
        """Return the energy of one rise and fall of all word lines (J)."""
        return self.e_line(tile.columns) * tile.rows * tile.tiles
