"""One corner and temperature of a design: the cell's tables of all of them, cut to a table file that training reads.

The groups `cell_read`, `cell_set`, `cell_reset` hold the cell over its state, at process corners and temperatures. The
state is not what an array knows; the conductance is. So at the corner and the temperature asked for

    g(s)            = i(s, v_read)/v_read              from `cell_read`: the axis of the new `read`
    g_start(s)      from `cell_set` and `cell_reset`    the axis of the new `set` and `reset`

Both rise with the state, so that the values at each state become rows of the new tables; along the temperature they are
interpolated by the same monotone cubic as everything else. Wires are those of the file: they do not change.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.errors import TableError
from rramkit.table import Quantity, Table, TableFile

CORNER, TEMPERATURE, STATE = "corner", "temperature", "state"
SOURCES = {"read": "cell_read", "set": "cell_set", "reset": "cell_reset"}


def at_corner(tables: TableFile, *, corner: str, temperature: float) -> TableFile:
    """Return the file with `read`, `set` and `reset` at a process corner and a temperature [K].

    Raises
    ------
    TableError
        When the file has no tables of corners, or they do not hold the corner or reach the temperature.
    """
    cut = {name: _cut(tables[source], corner, temperature) for name, source in SOURCES.items()}
    made = {"read": _read(tables["read"], cut["read"])}
    made |= {name: _write(tables[name], cut[name]) for name in ("set", "reset")}
    asked = {"corner": corner, "temperature": f"{temperature:.6g} K"}
    return TableFile({**tables.tables, **made}, {**tables.provenance, **asked})


def _cut(table: Table, corner: str, temperature: float) -> Table:
    """Return a table at one corner, and between its temperatures at one."""
    cut = table.along(CORNER, corner) if CORNER in table.axes else table
    if TEMPERATURE not in cut.axes:
        raise TableError(f"table `{table.name}` has no axis `{TEMPERATURE}`. Characterise it at several temperatures.")
    known = cut.axes[TEMPERATURE].values
    if not known[0] <= temperature <= known[-1]:
        raise TableError(
            f"`temperature` must lie within {known[0]:g} to {known[-1]:g} K, which `{table.name}` holds; got "
            f"{temperature:g}. Take one inside, or characterise further."
        )
    if any(np.any(mask.bad) for mask in cut.masks.values()):
        raise TableError(
            f"table `{table.name}` has failed points at {corner}. Regenerate it with `rramkit characterize`."
        )
    place = list(cut.axes).index(TEMPERATURE)
    values = {
        name: replace(each, values=PchipInterpolator(known, each.values, axis=place)(temperature))
        for name, each in cut.signals.items()
    }
    axes = {name: each for name, each in cut.axes.items() if name != TEMPERATURE}
    return Table(table.name, axes, values, conditions=cut.conditions)


def _read(nominal: Table, cut: Table) -> Table:
    v_cell, current = cut.axes["v_cell"], cut.signals["i_cell"].values
    v_read = nominal.condition("v_read")
    g_cell = PchipInterpolator(v_cell.values, current, axis=1)(v_read) / v_read
    return _renewed(nominal, {"g_cell": Quantity(g_cell, "S"), "v_cell": v_cell}, {"i_cell": Quantity(current, "A")})


def _write(nominal: Table, cut: Table) -> Table:
    g_start = np.mean(cut.signals["g_start"].values, axis=1)  # the read before the pulse does not know the amplitude
    signals = {name: cut.signals[name] for name in ("delta_g", "energy")}
    return _renewed(nominal, {"g_start": Quantity(g_start, "S"), "v_pulse": cut.axes["v_pulse"]}, signals)


def _renewed(nominal: Table, axes: Mapping[str, Quantity], signals: Mapping[str, Quantity]) -> Table:
    """Return a table under the nominal one's conditions, but without what was found at the nominal corner."""
    return Table(nominal.name, axes, signals, conditions=nominal.conditions)
