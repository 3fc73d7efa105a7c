"""Line switch: the gate between a line and its driver or its readout; on-resistance, settling, energy.

The same switch lies in a line's path whether the line is driven or sensed, so its resistance `r_on` adds to both ends
of the wires, of rows and of columns. `r_series` adds to the end of the columns alone (the multiplexer of version 0.1.0,
whose name is still read). The current settles with one time constant, and is sensed at the end of the read pulse::

    i = i_end (1 - exp(-t_read / tau))

Energy: a sensed line's switch closes and opens once for each conversion, because a sense unit serves its lines in turn;
that of a driven line stays closed for the whole batch (this kit's own count). Off: 0 ohm, 0 s, 0 J.

From a table file: `line_switch` (`r_on`, `energy`). `tau` is not characterised: what a read current reaches in `t_read`
is part of the table `readout_transimpedance`.
"""

import math
from typing import ClassVar, Self

from rramkit.array.stages.stage import CellTerms, Stage, TileSpec
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import LINE_SWITCH


class LineSwitch(Stage):
    """Resistance, settling and energy of the switch of a line."""

    groups: ClassVar[tuple[str, ...]] = (LINE_SWITCH.group,)

    r_on: float = quantity(0.0, "ohm", "resistance of the closed switch of a line, driven or sensed", ge=0.0, le=1e6)
    r_series: float = quantity(0.0, "ohm", "resistance in series with each column alone", ge=0.0, le=1e6)
    tau: float = quantity(0.0, "s", "time constant of the current behind it", ge=0.0, le=1.0)
    energy: float = quantity(0.0, "J", "energy of closing and opening a switch once", ge=0.0)

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return resistance and energy from the table `line_switch`; None where the file has none."""
        if LINE_SWITCH.group not in tables.tables:
            return None
        table = tables[LINE_SWITCH.group]
        values = {"r_on": float(table.signal(LINE_SWITCH.r_on))}
        if LINE_SWITCH.energy in table.signals:
            values["energy"] = float(table.signals[LINE_SWITCH.energy])
        return cls.checked(values, where="the table `line_switch`")

    @property
    def on(self) -> bool:
        """Whether the switch resists, settles slowly or costs energy."""
        return self.r_on > 0.0 or self.r_series > 0.0 or self.tau > 0.0 or self.energy > 0.0

    @property
    def r_line(self) -> float:
        """Resistance at the end of every line (ohm)."""
        return self.r_on

    @property
    def r_column(self) -> float:
        """Resistance at the end of each column alone (ohm)."""
        return self.r_series

    @property
    def e_conversion(self) -> float:
        """Energy of the sensed line's switch (J)."""
        return self.energy

    def e_batch(self, tile: TileSpec, *, backward: bool) -> float:
        """Return the energy of the driven lines' switches, once a batch (J)."""
        return self.energy * tile.tiles * (tile.columns if backward else tile.rows)

    def settled(self, t_read: float) -> float:
        """Return the part of its end value that a current has reached after `t_read` (s)."""
        return 1.0 if self.tau == 0.0 else -math.expm1(-t_read / self.tau)

    def prepare(self, cells: CellTerms) -> None:
        """Scale the currents of all cells, and their noise, by the part that has settled."""
        settled = self.settled(cells.t_read)
        if settled == 1.0:
            return
        cells.terms *= settled
        if cells.variance is not None:
            cells.variance *= settled**2
