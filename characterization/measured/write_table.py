"""Write tables from measured pulse trains: mean change, distribution and energy at each conductance and amplitude.

Energy. A pulse train does not give it, so it is estimated as that of a resistor of the cell's mean conductance during
the pulse, e = v^2 (g + delta_g/2) t, lines and drivers left out (the write energy of NeuroSim without its wire term).

Held out. Every fifth read of each train is kept from the mean curve. The table is then simulated from the train's
first level, write after write, and compared with those reads. They carry the noise of a read, so the limits allow for
it: rms within sqrt((limit x range)^2 + (1.25 s)^2), each read within 5 s + 4 limit x range, s the scatter of single
reads.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.characterization.fits.writes import write_fits
from rramkit.characterization.measured.pulses import PulseTrain
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.characterization.measured.trajectory import Trajectory
from rramkit.errors import InputError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import LEVELS, Distribution, HeldOut, Polarity, Quantity, Table
from rramkit.table.schema import SET, WRITES

HELD_OUT = 5  # every fifth read
_NEIGHBOURS = (
    60  # pulses whose scatter makes the distribution at a conductance: their quantiles are accurate to a tenth
)


def write_table(polarity: Polarity, trains: Sequence[PulseTrain], settings: ImportSettings) -> Table:
    """Return the table of one polarity; raise `InputError` when its amplitudes share no conductances."""
    amplitudes = sorted({train.v_pulse for train in trains})
    by_amplitude = [[train for train in trains if train.v_pulse == v] for v in amplitudes]
    curves = [mean_curve(polarity, group) for group in by_amplitude]
    low, high = max(curve.ends[0] for curve in curves), min(curve.ends[1] for curve in curves)
    if low >= high:
        raise InputError(
            f"the {polarity} trains of {', '.join(f'{v:g} V' for v in amplitudes)} share no conductances. Leave out "
            "the amplitudes that move little, or measure longer trains."
        )
    g_start = np.linspace(low, high, settings.points)
    change = np.stack([curve.change(g_start, settings.burst) for curve in curves], axis=1)
    columns = WRITES[polarity]
    table = Table(
        name=columns.group,
        axes=columns.of(g_start=g_start, v_pulse=np.array(amplitudes)),
        signals=columns.of(delta_g=change, energy=_energy(g_start, change, by_amplitude, settings.burst)),
        conditions=_conditions(trains, amplitudes, curves, settings),
        distributions=_distributions(g_start, change, curves, settings),
    )
    longest = max(zip(by_amplitude, amplitudes, strict=True), key=lambda pair: max(t.g_cell.size for t in pair[0]))
    reads = max((train.g_cell for train in longest[0]), key=len)
    return _with_held_out(replace(table, fits=write_fits(table, train=reads)), *longest, settings)


def mean_curve(polarity: Polarity, trains: Sequence[PulseTrain]) -> Trajectory:
    """Return the mean curve of trains of one amplitude; every fifth read is kept from it."""
    longest = max(train.g_cell.size for train in trains)
    keep = np.arange(longest) % HELD_OUT != HELD_OUT - 1
    keep[-1] = True  # the last level is the end of the range
    return Trajectory.of([train.g_cell for train in trains], rising=polarity == "set", keep=keep)


def _energy(g_start: np.ndarray, change: np.ndarray, groups: Sequence[Sequence[PulseTrain]], burst: int) -> np.ndarray:
    v, t = (np.array(each) for each in zip(*((group[0].v_pulse, group[0].t_pulse) for group in groups), strict=True))
    return v**2 * t * burst * np.maximum(g_start[:, None] + change / 2, 0.0)


def _conditions(
    trains: Sequence[PulseTrain], amplitudes: Sequence[float], curves: Sequence[Trajectory], settings: ImportSettings
) -> dict[str, Quantity]:
    widths = {train.t_pulse for train in trains}
    if len(widths) > 1:
        listed = ", ".join(f"{width:g}" for width in sorted(widths))
        raise InputError(f"all pulses of a polarity must have one width; got {listed} s. Import them one by one.")
    steps = np.diff(amplitudes)
    # One amplitude: the driver is on or off, its step is the amplitude itself.
    v_step = float(np.min(steps)) if steps.size else amplitudes[0]
    return WRITES[trains[0].polarity].of(
        t_pulse=settings.burst * widths.pop(),
        v_step=v_step,
        v_read=settings.read.v_read,
        burst=settings.burst,
        sigma_read=np.mean([curve.sigma_read for curve in curves]),
        pulses=sum(train.g_cell.size for train in trains),
    )


def _distributions(
    g_start: np.ndarray, change: np.ndarray, curves: Sequence[Trajectory], settings: ImportSettings
) -> dict[str, Distribution]:
    """Return the distribution of the change at each place: the shape of the steps measured near it, of the wanted size.

    One step's scatter holds the noise of two reads and of one pulse; a write of `burst` pulses leaves that of `burst`.
    """
    if settings.scatter == "none":
        return {}
    quantiles, sigma = np.empty((*change.shape, LEVELS.size)), np.empty(change.shape)
    for column, curve in enumerate(curves):
        variance = settings.burst * curve.sigma_write**2
        variance += 2 * curve.sigma_read**2 if settings.scatter == "all" else 0.0
        whole = float(np.std(curve.step)) or 1.0
        for row, g in enumerate(g_start):
            near = curve.step[np.argsort(np.abs(curve.step_at - g), kind="stable")[:_NEIGHBOURS]]
            steps = (near - np.mean(near)) * np.sqrt(variance) / whole
            quantiles[row, column] = change[row, column] + np.quantile(steps, LEVELS)
            sigma[row, column] = np.std(steps)
    draws = min(min(curve.step.size, _NEIGHBOURS) for curve in curves)
    over = "all" if settings.scatter == "all" else "cycles"
    return {over: Distribution(SET.delta_g, over, LEVELS, quantiles, sigma, draws)}


def _with_held_out(table: Table, trains: Sequence[PulseTrain], v_pulse: float, settings: ImportSettings) -> Table:
    """Return the table with its held-out reads: those of the amplitude with the longest train."""
    columns = WRITES[trains[0].polarity]
    surrogate = GridSurrogate(table, columns.delta_g)
    g_axis = table.axes[columns.g_start].values
    curve = mean_curve(trains[0].polarity, trains)
    level = float(np.clip(curve.at(np.zeros(1))[0], g_axis[0], g_axis[-1]))
    reads = max((train.g_cell for train in trains), key=len)
    played = [level]
    while len(played) * settings.burst < reads.size:
        level = float(np.clip(level + surrogate.at(level, v_pulse), g_axis[0], g_axis[-1]))
        played.append(level)
    numbers = np.arange(HELD_OUT - 1, reads.size - 1, HELD_OUT)
    fit = np.interp(numbers, np.arange(len(played)) * settings.burst, played)
    noise = float(np.hypot(curve.sigma_read, np.std(curve.step) / np.sqrt(2)))
    span = settings.limit * (g_axis[-1] - g_axis[0])
    held_out = HeldOut(
        at=columns.of(pulse=numbers),
        spice=reads[numbers],
        fit=fit,
        unit=columns.g_train.unit,
        limit_rms=float(np.hypot(span, 1.25 * noise)),
        limit_max=4 * span + 5 * noise,
    )
    return replace(table, held_out={columns.g_train: held_out})
