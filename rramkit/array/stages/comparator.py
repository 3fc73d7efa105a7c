"""Comparator: one bit of the difference of a pair's halves, in place of a converter (`merge` majority of a read chain).

From a table file it is the StrongARM latch behind the readouts: energy of a decision (`sense_amp.decision_energy`)
and the clock period `t_clock` of the table `sense_amp`; the spread of its offset from
`sense_amp_offset`, over the readout's feedback resistor a current. Off without: an exact comparison that costs nothing.
The mapping `sei` has the same latch (`sense_amp`).

Each array has one a pair of columns, with an offset drawn once. What it compares with, and what becomes of its bits, is
the tile grid's (`rramkit.array.tile_grid`). That the first half is held until the second is read, and that what both
are compared with is exact, is this kit's own choice.
"""

from typing import Any, ClassVar, Self

from rramkit.array.backend import Array
from rramkit.array.rng import TileRng
from rramkit.array.stages.sense_amp import decision_energy
from rramkit.array.stages.stage import Stage, TileSpec
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import SENSE_AMP, SENSE_AMP_OFFSET

_HALVES = 2  # sensed currents of a decision (1)


class Comparator(Stage):
    """Offset, energy and time of the comparators of pairs."""

    groups: ClassVar[tuple[str, ...]] = (SENSE_AMP.group, SENSE_AMP_OFFSET.group)

    v_sigma: float = quantity(0.0, "V", "standard deviation of the offset, behind a readout", ge=0.0, le=1.0)
    i_sigma: float = quantity(0.0, "A", "standard deviation of the offset, of currents", ge=0.0, le=1.0)
    energy: float = quantity(0.0, "J", "energy of a decision", ge=0.0)
    t_decide: float = quantity(0.0, "s", "time of a decision", ge=0.0)

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return offset, energy and time from the tables of the latch; None where the file has none."""
        if SENSE_AMP.group not in tables.tables:
            return None
        latch = tables[SENSE_AMP.group]
        values: dict[str, Any] = {
            "energy": decision_energy(latch),
            "t_decide": latch.condition(SENSE_AMP.t_clock),
        }
        if SENSE_AMP_OFFSET.group in tables.tables:
            values["v_sigma"] = tables[SENSE_AMP_OFFSET.group].sigma(SENSE_AMP_OFFSET.offset)
        return cls.checked(values, where="the table `sense_amp`")

    @property
    def on(self) -> bool:
        """Whether it errs or costs anything."""
        return any((self.v_sigma, self.i_sigma, self.energy, self.t_decide))

    @property
    def per_tile(self) -> bool:
        """Whether each tile draws the offsets of its comparators."""
        return self.v_sigma > 0.0 or self.i_sigma > 0.0

    @property
    def e_conversion(self) -> float:
        """Energy for each sensed half of a pair (J): a decision takes two."""
        return self.energy / _HALVES

    def conversion_time(self, sub_reads: int) -> float:
        """Return the time of the decisions of one phase of a vector (s): all pairs decide at once."""
        return sub_reads * self.t_decide

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> Array | None:
        """Draw the offsets of the comparators of each tile (..., 1, M), over their standard deviation."""
        if not self.per_tile or rng is None:
            return None
        return rng.normal((1, int(tile.g_cell.shape[-1])), tile.g_cell)

    def offset(self, drawn: Array | None, r_feedback: Array | None) -> Array | float:
        """Return the offsets (..., 1, M) (A) of `drawn` ones; behind readouts by their feedback (ohm)."""
        if drawn is None:
            return 0.0
        return drawn * (self.i_sigma if r_feedback is None else self.v_sigma / r_feedback)
