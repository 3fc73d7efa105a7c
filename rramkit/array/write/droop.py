"""Write-voltage droop: IR drop of a pulse along the lines, on its way to the cell.

Currents of the cells that are pulsed at once flow through shared segments. With p segments between a line's driver and
a cell, r ohms each, the drop at cell k is ::

    d_k = r sum_m I_m min(p_k, p_m)              over the cells m pulsed at once on that line
    v_k = v_pulse - k_source d_source - k_bit d_bit

    I  mean current of a pulse (A), from the table's energy: (E - C V^2) / (V t), at the amplitude that arrives

r is that of the fitted wires: rows (source lines) `r_row`, columns (bit lines) `r_col`. Two passes of the fixed point
I(v), v(I) are taken: the second changes v by less than a tenth of the first where the droop is below 10 %.

The factors k convert a volt lost on a line to volts of the stepped line; the access transistor sets them. A SET whose
word line is stepped loses gate drive and drain voltage when its source rises, little when its bit line falls. In RESET
the rise of the bit line is lost to the device entirely, while the stepped source line counts the less the deeper the
transistor, a source follower, is saturated::

    k_bit = bit_reset + exp((v_pulse - v_follow) / v_fold)                      in RESET

The defaults are this kit's measurements of its sky130 cell with the crossbar-write deck: 16 ohm a segment, 7 segments
of one line, three states. Results: SET source 1.66 to 2.06 and bit 0.00 to 0.13; RESET source 0.91 to 1.01 and bit 1.06
to 1.28 at 1.3 V, 1.4 to 1.9 at 1.5 V, 3.4 to 4.6 at 1.7 V, 10 to 19 at 1.85 V (`tests/array/test_droop.py`
repeats some). Another cell needs its own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.write.cell_address import CellAddress, shared_drop
from rramkit.array.write.pulse import GradualWrite
from rramkit.errors import TableError
from rramkit.parameters import Parameters, quantity
from rramkit.table import Table
from rramkit.table.schema import WIRES

_PASSES = 2


class DroopParams(Parameters):
    """Volts of the stepped line for a volt lost on each line."""

    source_set: float = quantity(1.75, "1", "source line, in SET", ge=0, le=20)
    bit_set: float = quantity(0.08, "1", "bit line, in SET", ge=0, le=20)
    source_reset: float = quantity(0.96, "1", "source line, in RESET", ge=0, le=20)
    bit_reset: float = quantity(1.0, "1", "bit line, in RESET, at low amplitudes", ge=0, le=20)
    v_follow: float = quantity(1.56, "V", "RESET amplitude at which the source follower's part is one", ge=0, le=1e3)
    v_fold: float = quantity(0.12, "V", "volts by which that part grows by a factor e", gt=0, le=10)


@dataclass(frozen=True)
class Droop:
    """Resistance of a segment of the row and column lines (ohm), and the factors."""

    r_row: float
    r_col: float
    params: DroopParams

    @classmethod
    def from_table(cls, table: Table, params: DroopParams) -> Self:
        """Build from the table `wires`; raise `TableError` when it lacks a resistance."""
        missing = [name for name in (WIRES.r_row, WIRES.r_col) if name not in table.signals]
        if missing:
            raise TableError(
                f"table `{table.name}` lacks {', '.join(missing)}. Regenerate it with `rramkit characterize`."
            )
        return cls(float(table.signals[WIRES.r_row]), float(table.signals[WIRES.r_col]), params)

    def lost(
        self, write: GradualWrite, g_cell: np.ndarray, v_pulse: np.ndarray, *, address: CellAddress, slot: np.ndarray
    ) -> np.ndarray:
        """Return the volts that each cell's amplitude loses on its lines (N,).

        Parameters
        ----------
        write : GradualWrite
            The polarity.
        g_cell, v_pulse : ndarray
            Conductances (N,) in siemens and the drivers' amplitudes (N,).
        address : CellAddress
            Array, row and column of each cell.
        slot : ndarray of int
            Slot of each cell (N,): cells of one slot are pulsed at once.
        """
        source, bit = self._worth(write, v_pulse)
        lines = int(max(address.row_line.max(initial=0), address.col_line.max(initial=0))) + 1
        lost = np.zeros(g_cell.shape)
        for _ in range(_PASSES):
            current = write.current(g_cell, v_pulse, lost)
            rows = shared_drop(current, slot * lines + address.row_line, address.along_row)
            cols = shared_drop(current, slot * lines + address.col_line, address.along_col)
            lost = source * rows + bit * cols
        return lost

    def _worth(self, write: GradualWrite, v_pulse: np.ndarray) -> tuple[float, np.ndarray | float]:
        """Return the volts of the stepped line for each volt-segment of the source and of the bit line, times ohms."""
        k = self.params
        if write.sign > 0.0:
            return k.source_set * self.r_row, k.bit_set * self.r_col
        follow = np.exp((write.volts(v_pulse) - k.v_follow) / k.v_fold)
        return k.source_reset * self.r_row, (k.bit_reset + follow) * self.r_col
