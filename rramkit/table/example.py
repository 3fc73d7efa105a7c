"""A small made-up table file for examples and doctests: analytic, no simulation, no device.

The cell current is a sinh, SET raises and RESET lowers the conductance by a change that grows with the amplitude, and
the wires have round resistances. Nothing here is characterised: never train on it for a result.
"""

import numpy as np

from rramkit.table.quantity import Quantity
from rramkit.table.table import Table, TableFile

_G = (4e-6, 90e-6)  # S
_V_READ, _V_SHAPE = 0.2, 0.43  # V


def example() -> TableFile:
    """Return a made-up table file with `read`, `set`, `reset` and `wires`.

    Examples
    --------
    >>> list(example().tables)
    ['read', 'set', 'reset', 'wires']
    """
    tables = (_read(), _write("set", 1.0), _write("reset", -1.0), _wires())
    return TableFile({table.name: table for table in tables}, {"device": "example: made up, not characterised"})


def _read() -> Table:
    g, v = np.linspace(*_G, 16), np.linspace(-_V_READ, _V_READ, 17)
    i = g[:, None] * _V_READ * np.sinh(v / _V_SHAPE) / np.sinh(_V_READ / _V_SHAPE)
    return Table(
        "read",
        {"g_cell": Quantity(g, "S"), "v_cell": Quantity(v, "V")},
        {"i_cell": Quantity(i, "A")},
        {"t_read": _number(20e-9, "s"), "v_read": _number(-_V_READ, "V")},
    )


def _write(name: str, sign: float) -> Table:
    g, v = np.linspace(*_G, 18), np.linspace(0.8, 1.8, 41)
    end = _G[1] if sign > 0.0 else _G[0]
    change = (end - g[:, None]) * (v - 0.8) ** 2  # soft bounds: the nearer the end of the range, the smaller
    energy = 1e-13 + 60e-9 * (g[:, None] + np.abs(change)) * v**2  # J: lines, and 60 ns of dissipation
    return Table(
        name,
        {"g_start": Quantity(g, "S"), "v_pulse": Quantity(v, "V")},
        {"delta_g": Quantity(change, "S"), "energy": Quantity(energy, "J")},
        {"t_pulse": _number(50e-9, "s"), "v_step": _number(0.025, "V")},
    )


def _wires() -> Table:
    ohms = {"r_row": 1.0, "r_col": 1.0, "r_drive": 50.0, "r_sense": 50.0}
    return Table(
        "wires",
        {},
        {name: _number(value, "ohm") for name, value in ohms.items()},
        {"rows_max": _number(64.0, "1"), "cols_max": _number(128.0, "1")},
    )


def _number(value: float, unit: str) -> Quantity:
    return Quantity(np.asarray(value), unit)
