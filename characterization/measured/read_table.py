"""Read tables of measured cells: straight lines, or the currents of an I-V file.

I-V file: voltages, and currents of several states, in one column with a column `curve` or in a column for each state.
Curves measured in one direction only are taken as odd. Each curve's conductance is its current at `v_read` over
`v_read`. Between the curves the ratio i/(g v) is linear in the conductance; beyond the lowest and the highest curve it
is that curve's. A curve is one branch, of which sweeps up and down agree, and its current flows with the voltage.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rramkit.array.cell_current import CellCurrent
from rramkit.characterization.measured import columns
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.characterization.measured.sheet import Sheet
from rramkit.errors import InputError, TableError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.table import Table
from rramkit.table.schema import READ

_VOLTAGES = 21  # of the read table: odd, so that 0 V is one of them
_LEVELS = 16
_LOOP = 0.05  # of a curve's largest current: by more do the branches of a loop differ, noise and offset by less
_RESTS = 0.01  # of its largest current: what may flow against the voltage near 0 V is an offset
_FAR = 10.0  # factor between the conductances of the two files beyond which a unit is wrong
_MARGIN = 1.15  # the read table reaches this factor past both ends of the window, as one from SPICE does


def linear_table(g_range: tuple[float, float], settings: ImportSettings) -> Table:
    """Return the read table of an ohmic cell over conductances `g_range` (S)."""
    v_cell = _voltages(settings.read.v_max)
    g_cell = np.geomspace(g_range[0] / _MARGIN, g_range[1] * _MARGIN, _LEVELS)
    return _table(g_cell, v_cell, g_cell[:, None] * v_cell, settings)


def measured_table(sheet: Sheet, g_range: tuple[float, float], settings: ImportSettings) -> tuple[Table, list[str]]:
    """Return the read table of an I-V file, and what had to be assumed."""
    path, curves, assumed = sheet.path, _curves(sheet, settings), []
    if all(np.min(v) >= 0 or np.max(v) <= 0 for v, _ in curves.values()):
        curves = {name: (np.concatenate([v, -v]), np.concatenate([i, -i])) for name, (v, i) in curves.items()}
        assumed.append("I-V in one direction only: taken as odd")
    v_cell = _voltages(settings.read.v_max)
    rows = [_on_grid(path, name, *curve, v_cell) for name, curve in curves.items()]
    g = np.array([np.interp(settings.read.v_read, v_cell, row) for row in rows]) / settings.read.v_read
    order = np.argsort(g)
    g, ratio = g[order], (np.stack(rows) / g[:, None])[order]
    if np.any(np.diff(g) <= 0) or g[0] <= 0:
        raise InputError(f"{path}: every curve must have its own conductance above 0 S at v_read. Leave out doubles.")
    low, high = g_range[0] / _MARGIN, g_range[1] * _MARGIN
    if low > g[-1] * _FAR or high < g[0] / _FAR:
        raise InputError(
            f"{path}: its curves have conductances of {g[0]:.3g} to {g[-1]:.3g} S, the pulses {g_range[0]:.3g} to "
            f"{g_range[1]:.3g} S. Check the units of both files: `--set iv.units.current=...`."
        )
    if low < g[0] or high > g[-1]:
        assumed.append(f"I-V between {g[0]:.3g} and {g[-1]:.3g} S only: the nearest curve's shape beyond")
    g_cell = np.geomspace(low, high, _LEVELS)
    shapes = np.stack([np.interp(g_cell, g, ratio[:, k]) for k in range(v_cell.size)], axis=1)
    table = _table(g_cell, v_cell, g_cell[:, None] * shapes, settings)
    try:
        CellCurrent.from_table(table)  # what the array reads cells by
    except TableError as error:
        raise InputError(f"{path}: no array can be read with it: {error}") from error
    return table, assumed


def _curves(sheet: Sheet, settings: ImportSettings) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """Return voltages (N,) and currents (N,) of each curve, by its name."""
    uses = columns.uses(sheet, settings.iv, "iv")
    volts, curve = (columns.only(sheet.path, uses, role) for role in ("voltage", "curve"))
    currents = [use for use in uses if use.role == "current"]
    for role, there in (("voltage", volts), ("current", currents)):
        if not there:
            raise InputError(f"{sheet.path}: no column holds the {role}. Add `--set iv.columns.{role}=N`.")
    assert volts is not None
    v = columns.numbers(sheet, volts)
    if len(currents) > 1 and curve is None:
        return {sheet.label(use.column): _present(v, columns.numbers(sheet, use, missing=True)) for use in currents}
    if len(currents) > 1:
        columns.only(sheet.path, uses, "current")
    i = columns.numbers(sheet, currents[0])
    if curve is not None:
        names = np.array(sheet.texts(curve.column))
    elif len(set(sheet.blocks)) > 1:
        names = np.array([str(block + 1) for block in sheet.blocks])
    else:
        raise InputError(
            f"{sheet.path}: nothing says which rows are one curve. Add a column `curve`, or `--set iv.columns.curve=N`."
        )
    return {str(name): (v[names == name], i[names == name]) for name in dict.fromkeys(names.tolist())}


def _present(v: np.ndarray, i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return v[np.isfinite(i)], i[np.isfinite(i)]


def _on_grid(path: Path, name: str, v: np.ndarray, i: np.ndarray, v_cell: np.ndarray) -> np.ndarray:
    """Return one curve's current (V,) [A] at the table's voltages; sweeps up and down are averaged."""
    volts, place = np.unique(v, return_inverse=True)
    if volts.size < 3 or volts[0] > v_cell[0] * (1 - 1e-9) or volts[-1] < v_cell[-1] * (1 - 1e-9):
        raise InputError(
            f"{path}: every curve must reach from {v_cell[0]:g} to {v_cell[-1]:g} V; one goes from {volts[0]:g} to "
            f"{volts[-1]:g} V. Measure further, or lower `read.v_max`."
        )
    mean = np.bincount(place, i) / np.bincount(place)
    largest = float(np.max(np.abs(mean)))
    inside = (volts >= v_cell[0]) & (volts <= v_cell[-1])
    against = inside & (mean * volts < 0) & (np.abs(mean) > _RESTS * largest)
    if np.any(against):
        at = float(volts[against][np.argmax(np.abs(mean[against]))])
        is_absolute = np.all(mean[inside] >= 0)
        raise InputError(
            f"{path}: curve {name}: its current flows against the voltage ({mean[volts == at][0]:.3g} A at {at:g} V)"
            + (", as magnitudes do. Give currents their sign" if is_absolute else ". Fix the sign")
            + ", or leave the negative voltages out: the curve is then taken as odd."
        )
    apart = np.abs(i - mean[place])
    if np.max(apart) > _LOOP / 2 * largest:
        at = float(v[np.argmax(apart)])
        ends = i[v == at]
        raise InputError(
            f"{path}: curve {name} is a loop: {ends.min():.3g} and {ends.max():.3g} A at {at:g} V. Give each branch a "
            "curve of its own, below the voltage at which the cell switches."
        )
    return MonotoneCubic(volts, mean)(v_cell)


def _voltages(v_max: float) -> np.ndarray:
    return np.linspace(-v_max, v_max, _VOLTAGES)


def _table(g_cell: np.ndarray, v_cell: np.ndarray, i_cell: np.ndarray, settings: ImportSettings) -> Table:
    return Table(
        name=READ.group,
        axes=READ.of(g_cell=g_cell, v_cell=v_cell),
        signals=READ.of(i_cell=i_cell),
        conditions=READ.of(v_read=settings.read.v_read, t_read=settings.read.t_read),
    )
