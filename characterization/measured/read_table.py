"""Read tables of measured cells: straight lines, or the currents of an I-V file.

I-V file, with a header: `v_cell` (V), `i_cell` (A), `curve` (a number for each state). Curves measured in one
direction only are taken as odd. Each curve's conductance is its current at `v_read` over `v_read`. Between the curves
the ratio i/(g v) is linear in the conductance; beyond the lowest and the highest curve it is that curve's.
"""

from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.characterization.measured.pulses import read_columns
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.errors import InputError
from rramkit.table import Table
from rramkit.table.schema import READ

_VOLTAGES = 21  # of the read table: odd, so that 0 V is one of them
_LEVELS = 16
_UNITS: dict[str, str] = {READ.v_cell: READ.v_cell.unit, READ.i_cell: READ.i_cell.unit, "curve": "1"}
_MARGIN = 1.15  # the read table reaches this factor past both ends of the window, as one from SPICE does


def linear_table(g_range: tuple[float, float], settings: ImportSettings) -> Table:
    """Return the read table of an ohmic cell over conductances `g_range` (S)."""
    v_cell = _voltages(settings.read.v_max)
    g_cell = np.geomspace(g_range[0] / _MARGIN, g_range[1] * _MARGIN, _LEVELS)
    return _table(g_cell, v_cell, g_cell[:, None] * v_cell, settings)


def measured_table(path: Path, g_range: tuple[float, float], settings: ImportSettings) -> tuple[Table, list[str]]:
    """Return the read table of an I-V file, and what had to be assumed."""
    columns = read_columns(path, _UNITS)
    missing = [name for name in _UNITS if name not in columns.numbers]
    if missing:
        raise InputError(f"{path}: needs a column `{missing[0]}`. Name it in the header.")
    v, i, curve = (columns.numbers[name] for name in _UNITS)
    assumed = []
    if np.min(v) >= 0 or np.max(v) <= 0:
        v, i, curve = np.concatenate([v, -v]), np.concatenate([i, -i]), np.concatenate([curve, curve])
        assumed.append("I-V in one direction only: taken as odd")
    v_cell = _voltages(settings.read.v_max)
    rows = [_on_grid(path, v[curve == k], i[curve == k], v_cell) for k in np.unique(curve)]
    g = np.array([np.interp(settings.read.v_read, v_cell, row) for row in rows]) / settings.read.v_read
    order = np.argsort(g)
    g, ratio = g[order], (np.stack(rows) / g[:, None])[order]
    if np.any(np.diff(g) <= 0) or g[0] <= 0:
        raise InputError(f"{path}: every curve must have its own conductance above 0 S at v_read. Leave out doubles.")
    low, high = g_range[0] / _MARGIN, g_range[1] * _MARGIN
    if low < g[0] or high > g[-1]:
        assumed.append(f"I-V between {g[0]:.3g} and {g[-1]:.3g} S only: the nearest curve's shape beyond")
    g_cell = np.geomspace(low, high, _LEVELS)
    shapes = np.stack([np.interp(g_cell, g, ratio[:, k]) for k in range(v_cell.size)], axis=1)
    return _table(g_cell, v_cell, g_cell[:, None] * shapes, settings), assumed


def _on_grid(path: Path, v: np.ndarray, i: np.ndarray, v_cell: np.ndarray) -> np.ndarray:
    """Return one curve's current (V,) [A] at the table's voltages; sweeps up and down are averaged."""
    volts, place = np.unique(v, return_inverse=True)
    if volts.size < 3 or volts[0] > v_cell[0] * (1 - 1e-9) or volts[-1] < v_cell[-1] * (1 - 1e-9):
        raise InputError(
            f"{path}: every curve must reach from {v_cell[0]:g} to {v_cell[-1]:g} V; one goes from {volts[0]:g} to "
            f"{volts[-1]:g} V. Measure further, or lower `read.v_max`."
        )
    mean = np.bincount(place, i) / np.bincount(place)
    return PchipInterpolator(volts, mean)(v_cell)


def _voltages(v_max: float) -> np.ndarray:
    return np.linspace(-v_max, v_max, _VOLTAGES)


def _table(g_cell: np.ndarray, v_cell: np.ndarray, i_cell: np.ndarray, settings: ImportSettings) -> Table:
    return Table(
        name=READ.group,
        axes=READ.of(g_cell=g_cell, v_cell=v_cell),
        signals=READ.of(i_cell=i_cell),
        conditions=READ.of(v_read=settings.read.v_read, t_read=settings.read.t_read),
    )
