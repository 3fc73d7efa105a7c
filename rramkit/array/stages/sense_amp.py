"""Comparator of a one-bit read: the latch of the tables `sense_amp` and `sense_amp_offset`, behind a readout.

It tells whether the readout's output exceeds a reference voltage. Each has an input offset, drawn once. Energy of a
decision is `decision_energy`, its time the table's clock period. The merge `majority` has the same latch
(`comparator`).
"""

from typing import Self

import numpy as np

from rramkit.errors import TableError
from rramkit.parameters import Parameters, quantity
from rramkit.table import Table, TableFile
from rramkit.table.schema import SENSE_AMP, SENSE_AMP_OFFSET


class SenseAmp(Parameters):
    """One comparator: energy and time of a decision, and its offset."""

    energy: float = quantity(0.0, "J", "energy of one decision", ge=0.0)
    t_decide: float = quantity(0.0, "s", "time of one decision: the clock period", ge=0.0)
    v_low: float = quantity(0.0, "V", "lowest common mode of the inputs", ge=0.0, le=10.0)
    v_high: float = quantity(10.0, "V", "highest common mode of the inputs", ge=0.0, le=10.0)
    offset_sigma: float = quantity(0.0, "V", "standard deviation of the input offset", ge=0.0, le=1.0)

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self:
        """Return the comparator that a file characterises, at its nominal condition.

        Raises
        ------
        TableError
            When the file lacks the table `sense_amp`.
        """
        if SENSE_AMP.group not in tables.tables:
            raise TableError(
                f"the table `{SENSE_AMP.group}` is missing: its comparators read the mapping `sei`. Characterise it "
                "with `rramkit characterize --plan design`."
            )
        table = tables.nominal()[SENSE_AMP.group]
        v_cm = np.asarray(table.axes[SENSE_AMP.v_cm].values)
        values = {
            "v_low": float(v_cm.min()),
            "v_high": float(v_cm.max()),
            "energy": decision_energy(table),
            "t_decide": table.condition(SENSE_AMP.t_clock),
        }
        if SENSE_AMP_OFFSET.group in tables.tables:
            values["offset_sigma"] = tables.nominal()[SENSE_AMP_OFFSET.group].sigma(SENSE_AMP_OFFSET.offset)
        return cls.checked(values, where=f"the table `{SENSE_AMP.group}`")


def decision_energy(table: Table) -> float:
    """Return the energy (J) of a decision of the latch: the mean over the overdrives and common modes of its table.

    The mean, since decisions are counted by the million, each at another overdrive and, as references differ, at
    another common mode; so converters are priced too. The largest, at the smallest overdrive and the highest common
    mode, is a fifth more in the default design.
    """
    return float(np.mean(np.asarray(table.signal(SENSE_AMP.energy).values)))
