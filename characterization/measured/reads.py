"""Tables of what was read: every conductance of a measurement beside the mean curve that its table follows.

They are there to be looked at: under the fit in plots and reports. Training does not read them.
"""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.measured.ramps import Ramp
from rramkit.characterization.measured.response import Response
from rramkit.table import Polarity, Table
from rramkit.table.schema import READS

MOST = 20000  # reads of a polarity that are kept: more are no clearer in a picture


def reads_table(polarity: Polarity, found: Mapping[float, Response]) -> Table:
    """Return the reads of one polarity with their fit, along the pulse numbers of each device's curve."""
    columns, rows, number = READS[polarity], [], 0
    for curve in found.values():
        for device, ramps in enumerate(curve.ramps.values()):
            own = list(curve.curves.values())[device]
            for ramp, shift in zip(ramps, own.shifts, strict=True):
                rows.append(_rows(ramp, number, device, own.at(ramp.pulse + shift), shift))
                number += 1
    table = np.concatenate(rows)
    if table.shape[0] > MOST:  # whole ramps, evenly chosen
        ramps = np.unique(np.linspace(0, number - 1, max(int(number * MOST / table.shape[0]), 1)).astype(int))
        table = table[np.isin(table[:, 0], ramps)]
    ramp, device, v_pulse, pulse, g_cell, g_fit = table.T
    return Table(
        name=columns.group,
        axes=columns.of(read=np.arange(table.shape[0])),
        signals=columns.of(g_cell=g_cell, g_fit=g_fit, pulse=pulse, ramp=ramp, device=device, v_pulse=v_pulse),
    )


def _rows(ramp: Ramp, number: int, device: int, fit: np.ndarray, shift: float) -> np.ndarray:
    """Return ramp, device, amplitude (V), pulse number, read (S) and fit (S) of each read (N, 6)."""
    size = ramp.pulse.size
    return np.column_stack(
        [
            np.full(size, number),
            np.full(size, device),
            np.full(size, ramp.v_pulse),
            ramp.pulse + shift,
            ramp.g_cell,
            fit,
        ]
    )
