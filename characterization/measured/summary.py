"""What an import found, for the terminal and the table file: columns as they were read, ramps, spreads."""

import json
from collections.abc import Mapping

import numpy as np

from rramkit import units
from rramkit.characterization.measured.ramps import Measurement
from rramkit.characterization.measured.response import Response
from rramkit.table import Polarity
from rramkit.table.schema import SET

_WORTH = 0.02  # spread (1) from which it is worth a line


def columns_json(found: Measurement) -> str:
    """Return how each column was read, as JSON: a list of records of texts."""
    rows = []
    for use in found.uses:
        name = found.sheet.names[use.column] if found.sheet.names else ""
        values = [x for cell in found.sheet.texts(use.column) if (x := found.sheet.number(cell)) is not None]
        texts = list(dict.fromkeys(found.sheet.texts(use.column)))
        if use.role in ("ignore", "polarity", "cycle", "device") or not values:
            holds = ", ".join(texts[:4]) + (f" ... ({len(texts)})" if len(texts) > 4 else "")
        else:
            holds = units.span(np.array(values) * use.factor, use.unit or "1")
        more = [each for each in (use.polarity, use.device and f"device {use.device}") if each]
        more += [f"cycle {use.cycle}"] if use.cycle else []
        role = "not used" if use.role == "ignore" else " ".join([use.role, *more])
        unit = use.unit or ("arbitrary" if use.role == "conductance" else "")
        rows.append(
            {"column": str(use.column + 1), "name": name, "role": role, "unit": unit, "holds": holds, "by": use.origin}
        )
    return json.dumps(rows)


def ramps_json(found: Mapping[Polarity, Mapping[float, Response]]) -> str:
    """Return the ramps of each polarity and amplitude, as JSON: a list of records of texts and SI numbers."""
    rows = []
    for polarity, curves in found.items():
        for v_pulse, curve in curves.items():
            ramps = [ramp for own in curve.ramps.values() for ramp in own]
            gains = list(curve.gains.values())
            rows.append(
                {
                    "polarity": polarity,
                    SET.v_pulse: v_pulse,
                    SET.t_pulse: ramps[0].t_pulse,
                    "devices": len(curve.ramps),
                    "ramps": len(ramps),
                    "reads": sum(ramp.g_cell.size for ramp in ramps),
                    "g_low": curve.ends[0],
                    "g_high": curve.ends[1],
                    SET.sigma_read: curve.sigma_read,
                    "sigma_write": curve.sigma_write,
                    "sigma_devices": float(np.std(gains, ddof=1)) if len(gains) > 1 else 0.0,
                    "sigma_ramps": curve.ramp_to_ramp(),
                }
            )
    return json.dumps(rows)


def spreads(found: Mapping[Polarity, Mapping[float, Response]]) -> list[str]:
    """Return what differs between devices, and between ramps of one device, in words."""
    lines = []
    for polarity, curves in found.items():
        for v_pulse, curve in curves.items():
            where = f"{polarity} at {v_pulse:g} V"
            if len(curve.curves) > 1:
                low, high = np.array([each.ends for each in curve.curves.values()]).T
                change = float(np.std(list(curve.gains.values()), ddof=1))
                window = [f"{np.std(end, ddof=1) / np.mean(end):.1%}" for end in (low, high)]
                place = "in the table: `sigma_window`" if curve.sigma_window else "not in the table: one window for all"
                lines.append(
                    f"{where}: {len(curve.curves)} devices differ by {change:.1%} in the change of a pulse (in the "
                    f"table: `devices`), {window[0]} and {window[1]} in the ends of their ramps ({place})"
                )
            if curve.ramp_to_ramp() > _WORTH:
                lines.append(f"{where}: ramps of one device differ by {curve.ramp_to_ramp():.1%} in their change")
    return lines
