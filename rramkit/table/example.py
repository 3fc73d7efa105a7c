"""A small made-up table file for examples and doctests: analytic, no simulation, no device.

The cell current is a sinh, SET raises and RESET lowers the conductance by a change that grows with the amplitude, and
the wires have round resistances. Nothing here is characterised: never train on it for a result.
"""

import numpy as np

from rramkit.table.file import TableFile
from rramkit.table.schema import READ, RESET, SET, WIRES, Write
from rramkit.table.table import Table

_G = (4e-6, 90e-6)  # S
_V_READ, _V_SHAPE = 0.2, 0.43  # V


def example() -> TableFile:
    """Return a made-up table file with `read`, `set`, `reset` and `wires`.

    Returns
    -------
    TableFile
        Tables for examples, in SI units: 4 to 90 uS, read to 0.2 V, pulses of 0.8 to 1.8 V and 50 ns.

    Examples
    --------
    >>> list(example())
    ['read', 'set', 'reset', 'wires']
    """
    tables = (_read(), _write(SET, _G[1]), _write(RESET, _G[0]), _wires())
    return TableFile({table.name: table for table in tables}, {"device": "example: made up, not characterised"})


def _read() -> Table:
    g, v = np.linspace(*_G, 16), np.linspace(-_V_READ, _V_READ, 17)
    i = g[:, None] * _V_READ * np.sinh(v / _V_SHAPE) / np.sinh(_V_READ / _V_SHAPE)
    return Table(READ.group, READ.of(g_cell=g, v_cell=v), READ.of(i_cell=i), READ.of(t_read=20e-9, v_read=-_V_READ))


def _write(columns: Write, end: float) -> Table:
    """Return a write table whose pulses move the conductance towards `end` (S)."""
    g, v = np.linspace(*_G, 18), np.linspace(0.8, 1.8, 41)
    change = (end - g[:, None]) * (v - 0.8) ** 2  # soft bounds: the nearer the end of the range, the smaller
    energy = 1e-13 + 60e-9 * (g[:, None] + np.abs(change)) * v**2  # J: lines, and 60 ns of dissipation
    return Table(
        columns.group,
        columns.of(g_start=g, v_pulse=v),
        columns.of(delta_g=change, energy=energy),
        columns.of(t_pulse=50e-9, v_step=0.025),
    )


def _wires() -> Table:
    return Table(
        WIRES.group,
        {},
        WIRES.of(r_row=1.0, r_col=1.0, r_drive=50.0, r_sense=50.0),
        WIRES.of(rows_max=64, cols_max=128),
    )
