"""Write tables from measured ramps: mean change, distributions and energy at each conductance and amplitude.

Distributions. `cycles`: the noise of a pulse, which is what a device's reads scatter about its own curve. `devices`:
the gains of devices (`response`), where there are several; how far the ends of their windows spread is the condition
`sigma_window`.

Energy. A ramp does not give it, so it is estimated as that of a resistor of the cell's mean conductance during
the pulse, e = v^2 (g + delta_g/2) t, lines and drivers left out (the write energy of NeuroSim without its wire term).

Held out. Every fifth read of each ramp is kept from the mean curve. The table, times the gain of the device whose gain
is nearest 1, is then simulated from the first level of that device's longest ramp, write after write, and compared with
those reads. They carry the noise of a read, so the limits allow for
it: rms within sqrt((limit x range)^2 + (1.25 s)^2), each read within 5 s + 4 limit x range, s the scatter of single
reads.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.characterization.fits.writes import write_fits
from rramkit.characterization.measured.ramps import SHORTEST, Ramp
from rramkit.characterization.measured.response import Response
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.characterization.measured.trajectory import HELD_OUT
from rramkit.errors import InputError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import LEVELS, Distribution, HeldOut, Polarity, Quantity, Table
from rramkit.table.schema import SET, WRITES

_NEIGHBOURS = (
    60  # pulses whose scatter makes the distribution at a conductance: their quantiles are accurate to a tenth
)


def responses(polarity: Polarity, ramps: Sequence[Ramp]) -> dict[float, Response]:
    """Return the response to each amplitude (V), rising."""
    amplitudes = sorted({ramp.v_pulse for ramp in ramps})
    return {v: Response.of(polarity, [ramp for ramp in ramps if ramp.v_pulse == v]) for v in amplitudes}


def write_table(polarity: Polarity, found: dict[float, Response], settings: ImportSettings) -> Table:
    """Return the table of one polarity; raise `InputError` when its amplitudes share no conductances."""
    amplitudes, curves = list(found), list(found.values())
    low, high = max(curve.ends[0] for curve in curves), min(curve.ends[1] for curve in curves)
    if low >= high:
        raise InputError(
            f"the {polarity} ramps of {', '.join(f'{v:g} V' for v in amplitudes)} share no conductances. Leave out "
            "the amplitudes that move little, or measure longer ramps."
        )
    g_start = np.linspace(low, high, settings.points)
    change = np.stack([curve.change(g_start, settings.burst) for curve in curves], axis=1)
    columns, t_pulse = WRITES[polarity], _width(curves)
    energy = (np.array(amplitudes) ** 2 * t_pulse * settings.burst) * np.maximum(g_start[:, None] + change / 2, 0.0)
    steps = np.diff(amplitudes)
    table = Table(
        name=columns.group,
        axes=columns.of(g_start=g_start, v_pulse=np.array(amplitudes)),
        signals=columns.of(delta_g=change, energy=energy),
        conditions=_conditions(polarity, curves, settings, t_pulse=t_pulse)
        # One amplitude: the driver is on or off, its step is the amplitude itself.
        | columns.of(v_step=float(np.min(steps)) if steps.size else amplitudes[0]),
        distributions=_distributions(g_start, change, curves, settings),
    )
    curve = max(curves, key=lambda each: max(ramp.pulse[-1] for ramp in each.ramps[each.middle]))
    ramp = _longest(curve)
    table = replace(table, fits=write_fits(table, train=ramp.g_cell))
    return _with_held_out(table, curve, ramp, settings)


def _longest(curve: Response) -> Ramp:
    """Return the longest ramp of the device nearest the mean: the one that runs from the curve's start."""
    return max(curve.ramps[curve.middle], key=lambda ramp: ramp.pulse[-1])


def _width(curves: Sequence[Response]) -> float:
    widths = {ramp.t_pulse for curve in curves for ramps in curve.ramps.values() for ramp in ramps}
    if len(widths) > 1:
        listed = ", ".join(f"{width:g}" for width in sorted(widths))
        raise InputError(f"all pulses of a polarity must have one width; got {listed} s. Import them one by one.")
    return widths.pop()


def _conditions(
    polarity: Polarity, curves: Sequence[Response], settings: ImportSettings, *, t_pulse: float
) -> dict[str, Quantity]:
    columns, windows = WRITES[polarity], [curve.sigma_window for curve in curves]
    spread = columns.of(sigma_window=np.sqrt(np.mean(np.square(windows)))) if any(windows) else {}
    return spread | columns.of(
        t_pulse=settings.burst * t_pulse,
        v_read=settings.read.v_read,
        burst=settings.burst,
        sigma_read=np.mean([curve.sigma_read for curve in curves]),
        pulses=sum(ramp.g_cell.size for curve in curves for ramps in curve.ramps.values() for ramp in ramps),
    )


def _distributions(
    g_start: np.ndarray, change: np.ndarray, curves: Sequence[Response], settings: ImportSettings
) -> dict[str, Distribution]:
    """Return the distributions of the change at each place: over pulses, and over devices where there are several."""
    found = {}
    if settings.scatter != "none":
        each = _over_pulses(g_start, change, curves, settings)
        found[each.over] = each
    if min(len(curve.curves) for curve in curves) > 1:
        found["devices"] = _over_devices(change, curves)
    return found


def _over_pulses(
    g_start: np.ndarray, change: np.ndarray, curves: Sequence[Response], settings: ImportSettings
) -> Distribution:
    """Return the distribution of the change of a pulse: the shape of the steps measured near it, of the wanted size.

    One step's scatter holds the noise of two reads and of one pulse; a write of `burst` pulses leaves that of `burst`.
    """
    quantiles, sigma = np.empty((*change.shape, LEVELS.size)), np.empty(change.shape)
    for column, curve in enumerate(curves):
        step, step_at = curve.step, curve.step_at
        variance = settings.burst * curve.sigma_write**2
        variance += 2 * curve.sigma_read**2 if settings.scatter == "all" else 0.0
        whole = float(np.std(step)) or 1.0
        for row, g in enumerate(g_start):
            near = step[np.argsort(np.abs(step_at - g), kind="stable")[:_NEIGHBOURS]]
            steps = (near - np.mean(near)) * np.sqrt(variance) / whole
            quantiles[row, column] = change[row, column] + np.quantile(steps, LEVELS)
            sigma[row, column] = np.std(steps)
    draws = min(min(curve.step.size, _NEIGHBOURS) for curve in curves)
    return Distribution(SET.delta_g, "all" if settings.scatter == "all" else "cycles", LEVELS, quantiles, sigma, draws)


def _over_devices(change: np.ndarray, curves: Sequence[Response]) -> Distribution:
    """Return the distribution of the change over devices: the mean device's times the gains."""
    gains = np.stack([np.quantile(list(curve.gains.values()), LEVELS) for curve in curves])
    deviation = np.array([np.std(list(curve.gains.values()), ddof=1) for curve in curves])
    quantiles = np.sort(change[..., None] * gains, axis=-1)  # of a fall the largest gain is the lowest change
    draws = min(len(curve.curves) for curve in curves)
    return Distribution(SET.delta_g, "devices", LEVELS, quantiles, np.abs(change) * deviation, draws)


def _with_held_out(table: Table, curve: Response, ramp: Ramp, settings: ImportSettings) -> Table:
    """Return the table with held-out reads: those of a ramp, compared with writes simulated from the table."""
    columns = WRITES[ramp.polarity]
    surrogate = GridSurrogate(table, columns.delta_g)
    g_axis = table.axes[columns.g_start].values
    own, gain = curve.curves[ramp.device], curve.gains[ramp.device]
    start = float(own.shifts[list(curve.ramps[ramp.device]).index(ramp)])
    mean, margin = own.at(start + ramp.pulse), 1e-9 * (g_axis[-1] - g_axis[0])
    inside = np.flatnonzero((mean >= g_axis[0] - margin) & (mean <= g_axis[-1] + margin))
    # a device's window, or a stronger amplitude's, may reach beyond the table's: it starts where the table does
    first = int(inside[0]) if inside.size >= SHORTEST else 0
    level = float(np.clip(mean[first], g_axis[0], g_axis[-1]))
    played = [level]
    while (len(played) - 1) * settings.burst < ramp.pulse[-1] - ramp.pulse[first]:
        level = float(np.clip(level + gain * surrogate.at(level, ramp.v_pulse), g_axis[0], g_axis[-1]))
        played.append(level)
    place = np.arange(HELD_OUT - 1, ramp.pulse.size - 1, HELD_OUT)
    place = place[place >= first]
    numbers = ramp.pulse[place]
    fit = np.interp(numbers - ramp.pulse[first], np.arange(len(played)) * settings.burst, played)
    spacing = float(np.median(np.diff(ramp.pulse)))
    noise = float(np.hypot(own.sigma_read, np.std(own.step) * np.sqrt(spacing) / np.sqrt(2)))
    span = settings.limit * (g_axis[-1] - g_axis[0])
    held_out = HeldOut(
        at=columns.of(pulse=numbers),
        spice=ramp.g_cell[place],
        fit=fit,
        unit=columns.g_train.unit,
        limit_rms=float(np.hypot(span, 1.25 * noise)),
        limit_max=4 * span + 5 * noise,
    )
    return replace(table, held_out={columns.g_train: held_out})
