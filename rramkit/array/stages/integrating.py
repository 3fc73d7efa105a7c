"""Integrating readout as a stage: the line's current on a capacitor for a fixed time, an output voltage a read.

The table `readout_integrating` gives output, line error and energy against the current, for lines of several
conductances. As a gain setting of `Readout` its resistance is that of the capacitor,

    v_out = i t_integrate / c_integrate            so r_feedback = t_integrate / c_integrate

Source: the charge of an ideal integrator; what the circuit adds is in the table. Transfer and energy are those of the
heaviest line, whose currents reach furthest; `spread` says how far the other lines lie from it. No chip of a training
has it: spiking networks take it in place of readout and ADC.
"""

from typing import Any

import numpy as np

from rramkit.array.stages.readout import Readout
from rramkit.errors import TableError
from rramkit.table import TableFile
from rramkit.table.schema import READOUT_INTEGRATING, READOUT_OFFSET


def integrating_readout(tables: TableFile) -> Readout | None:
    """Return the integrating readouts of a table file at one condition; None where it has none.

    Parameters
    ----------
    tables : TableFile
        Without axes of condition. The amplifier's offset comes from `readout_offset`, where the file has it.

    Returns
    -------
    Readout or None
        With one gain setting of `t_integrate / c_integrate` ohm.

    Raises
    ------
    TableError
        When every point of a line failed, or the output does not rise with the current.
    """
    columns = READOUT_INTEGRATING
    table = tables.tables.get(columns.group)
    if table is None:
        return None
    lines = np.asarray(table.axes[columns.g_cells].values, dtype=float)
    order = [list(table.axes).index(axis) for axis in (columns.g_cells, columns.v_in)]

    def over_lines(name: str) -> np.ndarray:
        values = np.transpose(np.asarray(table.signal(name).values, dtype=float), order)
        return np.where(np.transpose(~table.masked(name), order), values, np.nan)[np.argsort(lines)]

    i_in, v_out = np.abs(over_lines(columns.i_in)), np.abs(over_lines(columns.v_out))
    good = np.isfinite(i_in[-1]) & np.isfinite(v_out[-1])
    i, v = (np.append(0.0, each[-1][good]) for each in (i_in, v_out))
    if i.size < 2 or np.any(np.diff(i) <= 0.0) or np.any(np.diff(v) <= 0.0):
        raise TableError(
            f"`{columns.group}/v_out` must rise with the current of the heaviest line. "
            "Regenerate it with `rramkit characterize`."
        )
    values: dict[str, Any] = {
        "r_feedback": table.condition(columns.t_integrate) / table.condition(columns.c_integrate),
        "i_in": tuple(i.tolist()),
        "v_out": tuple(v.tolist()),
        "spread": float(np.nanmax(np.abs(np.interp(i_in, i, v) - v_out)) / v[-1]),
    }
    if columns.v_error in table.signals:
        slopes = _slopes(i_in, over_lines(columns.v_error))
        values |= {"g_in": tuple(np.sort(lines).tolist()), "r_in": tuple(slopes.tolist())}
    if columns.energy in table.signals:
        energy = over_lines(columns.energy)[-1]
        some = np.isfinite(i_in[-1]) & np.isfinite(energy)
        values |= {"i_energy": tuple(i_in[-1][some].tolist()), "energy": tuple(energy[some].tolist())}
    whole: dict[str, Any] = {"gains": [values], "v_rest": table.condition(columns.v_clamp)}
    if READOUT_OFFSET.group in tables.tables:
        whole["offset_sigma"] = tables[READOUT_OFFSET.group].sigma(READOUT_OFFSET.v_offset)
    return Readout.checked(whole, where=f"the table `{columns.group}`")


def _slopes(i_in: np.ndarray, v_error: np.ndarray) -> np.ndarray:
    """Return the fall of each line with its current (lines,) in ohm, by least squares: the input resistance."""
    found = []
    for current, error in zip(i_in, v_error, strict=True):
        good = np.isfinite(current) & np.isfinite(error)
        slope = -np.polyfit(current[good], error[good], 1)[0] if np.count_nonzero(good) > 1 else 0.0
        found.append(max(float(slope), 0.0))
    return np.asarray(found)
