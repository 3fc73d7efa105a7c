"""What a measured device can be: magnitudes, windows and noise, checked before a table is made of it.

The limits are wide: a value outside is a unit that is wrong, not a rare device. Between the limits of refusal and those
of usual devices there is a note.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rramkit import units
from rramkit.characterization.measured.ramps import POLARITIES, Ramp
from rramkit.characterization.measured.response import Response
from rramkit.errors import InputError
from rramkit.table import Polarity

# Lowest and highest that is refused, and that is usual: from 1 Tohm to 100 ohm, electrochemical cells of seconds to
# filaments of picoseconds; 100 mA melts a probe, 1 mJ a cell.
_LIMITS: Mapping[str, tuple[float, float, float, float]] = {
    "conductance": (1e-12, 1e-2, 1e-9, 2e-3),
    "amplitude": (0.01, 20.0, 0.1, 10.0),
    "width": (1e-12, 10.0, 1e-10, 1e-1),
    "current": (0.0, 0.1, 0.0, 0.01),
    "energy": (0.0, 1e-3, 0.0, 1e-6),
}
_UNITS = {"conductance": "S", "amplitude": "V", "width": "s", "current": "A", "energy": "J"}
_SHARED = 0.5  # of the smaller window: what SET and RESET share, below which there is a note
_TURNS = 0.3  # of its range: how far a ramp of one polarity may go the other way
_NOISY = 0.5  # noise of a read over the range, above which no curve can be seen


def check_ramps(path: Path, ramps: Sequence[Ramp]) -> list[str]:
    """Return notes on magnitudes of ramps in siemens; raise `InputError` for what no device has."""
    notes = []
    for polarity in POLARITIES:
        own = [ramp for ramp in ramps if ramp.polarity == polarity]
        for ramp in own:
            _check_way(path, ramp)
        g_cell = np.concatenate([ramp.g_cell for ramp in own])
        found = {
            "conductance": (float(np.quantile(g_cell, 0.05)), float(np.max(g_cell))),
            "amplitude": (min(r.v_pulse for r in own), max(r.v_pulse for r in own)),
            "width": (min(r.t_pulse for r in own), max(r.t_pulse for r in own)),
            "current": (0.0, max(r.v_pulse * float(np.max(r.g_cell)) for r in own)),
            "energy": (0.0, max(r.v_pulse**2 * r.t_pulse * float(np.max(r.g_cell)) for r in own)),
        }
        notes += [note for name, (low, high) in found.items() for note in _judged(path, polarity, name, low, high)]
    return notes


def _judged(path: Path, polarity: Polarity, name: str, low: float, high: float) -> list[str]:
    least, most, usual_low, usual_high = _LIMITS[name]
    unit = _UNITS[name]
    span = units.span(np.array([low, high]), unit) if low else f"up to {units.text(high, unit)}"
    if low < 0 <= least and name == "conductance":
        return []  # reads scatter about a small conductance; the mean is checked later
    if low < least or high > most:
        bounds = (
            f"{units.text(least, unit)} to {units.text(most, unit)}" if least else f"at most {units.text(most, unit)}"
        )
        raise InputError(
            f"{path}: {polarity} pulses with {name} {span}: no device has that (limit: {bounds}). Check the units: "
            f"{_cure(name)}."
        )
    if low < usual_low or high > usual_high:
        return [f"{polarity}: {name} {span} is unusual: check the unit"]
    return []


def _cure(name: str) -> str:
    if name == "conductance":
        return "the header's, or `--unit`"
    return {"amplitude": "`--unit amplitude=mV`", "width": "`--unit width=ns`"}.get(
        name, "of conductance, amplitude and width"
    )


def _check_way(path: Path, ramp: Ramp) -> None:
    """Refuse a ramp of one polarity that turns, as one that holds both does."""
    size = max(ramp.g_cell.size // 12, 1)
    blocks = ramp.g_cell[: ramp.g_cell.size // size * size].reshape(-1, size).mean(axis=1)
    sign = 1.0 if ramp.polarity == "set" else -1.0
    along = sign * blocks
    back = float(np.max(np.maximum.accumulate(along) - along))
    third = np.diff(ramp.g_cell, 3)
    noise = float(np.sqrt(np.mean(third**2) / 20))
    rise = float(np.ptp(along))
    if along[-1] > along[0] and back > _TURNS * rise + 5 * noise / np.sqrt(size):
        top = int(np.argmax(along)) * size
        word = "rises" if sign > 0 else "falls"
        raise InputError(
            f"{path}: a ramp of {ramp.polarity} pulses {word} up to pulse {ramp.pulse[top]:g} and goes back after it: "
            "it holds both polarities, or several ramps. Add a column of the polarity or of the cycle, or "
            "`--set pulses.ramp=N`."
        )


def check_responses(path: Path, found: Mapping[Polarity, Mapping[float, Response]]) -> list[str]:
    """Return notes on windows and noise; raise `InputError` where polarities share no window, or noise hides all."""
    notes, windows = [], {}
    for polarity, curves in found.items():
        windows[polarity] = (
            max(curve.ends[0] for curve in curves.values()),
            min(curve.ends[1] for curve in curves.values()),
        )
        for v_pulse, curve in curves.items():
            span = curve.ends[1] - curve.ends[0]
            if curve.sigma_read > _NOISY * span:
                raise InputError(
                    f"{path}: {polarity} pulses of {v_pulse:g} V: reads scatter by {curve.sigma_read / span:.0%} of "
                    "the whole change, so that no curve can be seen. Average reads, or measure longer ramps."
                )
    (set_low, set_high), (reset_low, reset_high) = windows["set"], windows["reset"]
    shared = min(set_high, reset_high) - max(set_low, reset_low)
    texts = [units.span(np.array(each), "S") for each in windows.values()]
    if shared <= 0:
        raise InputError(
            f"{path}: SET ramps run over {texts[0]}, RESET ramps over {texts[1]}: they share no conductance, so that "
            "no cell could be written both ways. Measure both over one window, and check their units."
        )
    share = shared / min(set_high - set_low, reset_high - reset_low)
    if share < _SHARED:
        notes.append(f"SET covers {texts[0]}, RESET {texts[1]}: cells move within the {share:.0%} that both share")
    return notes
