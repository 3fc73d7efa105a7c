"""Numbers out of input driver runs: levels, settling, weight of a bit, energy."""

from dataclasses import dataclass

import numpy as np

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.row_driver import RowDriverBenchParams, SerialRowDriverBenchParams


@dataclass(frozen=True)
class RowLevels:
    """A train of N levels.

    Attributes
    ----------
    v_row, v_far : ndarray (N,)
        The row [V] at its driver and at its far end, settled.
    t_settle : ndarray (N,)
        Time [s] from the select's edge until the far end stays within `band` of the whole range.
    energy : ndarray (N,)
        Energy [J] of each step from references, supply and select drivers.
    """

    v_row: np.ndarray
    v_far: np.ndarray
    t_settle: np.ndarray
    energy: np.ndarray


def levels(waves: Waveforms, params: RowDriverBenchParams, count: int, *, band: float = 0.005) -> RowLevels:
    """Return what each of the first `count` steps of a level train gave."""
    driver = params.driver
    far = f"v(row_{params.row.segments})"
    times = [params.t_sample(index) for index in range(count)]
    selects = [f"sel_{k}" for k in range(driver.levels)]
    power = -driver.v_high * waves["i(v_v_high)"] - driver.v_low * waves["i(v_v_low)"]
    power = power - driver.technology.v_core * waves["i(v_vdd)"]
    power = power - sum((waves[f"v({s})"] * waves[f"i(v_{s})"] for s in selects), np.zeros_like(power))
    slots = [(k * params.t_level, (k + 1) * params.t_level) for k in range(count)]
    tolerance = band * (driver.v_high - driver.v_low)
    return RowLevels(
        v_row=np.interp(times, waves["time"], waves["v(row)"]),
        v_far=np.interp(times, waves["time"], waves[far]),
        t_settle=np.array([_settling(waves["time"], waves[far], slot, tolerance) for slot in slots]),
        energy=np.array([integral(waves["time"], power, slot) for slot in slots]),
    )


def _settling(time: np.ndarray, v: np.ndarray, slot: tuple[float, float], tolerance: float) -> float:
    """Return how long after the slot's start `v` (T,) last stood further than `tolerance` from where it ends."""
    inside = (time >= slot[0]) & (time < 0.02 * slot[0] + 0.98 * slot[1])
    t, part = time[inside], v[inside]
    outside = np.flatnonzero(np.abs(part - part[-1]) > tolerance)
    return float(t[outside[-1]] - slot[0]) if outside.size else 0.0


def bit_weights(waves: Waveforms, params: SerialRowDriverBenchParams) -> np.ndarray:
    """Return the integral (bits,) [V s] of the row's far end over each bit: a column's charge goes with it."""
    far = waves[f"v(row_{params.row.segments})"]
    slots = [(k * params.t_bit, (k + 1) * params.t_bit) for k in range(params.bits)]
    return np.array([integral(waves["time"], far, slot) for slot in slots])


def word_energy(waves: Waveforms, params: SerialRowDriverBenchParams) -> dict[str, float]:
    """Return the energy [J] of the whole word: `row` from v_read, `driver` from the inverters and the bit's source."""
    driver, end = params.driver, float(waves["time"][-1])
    power = {
        "row": -driver.v_read * waves["i(v_read)"],
        "driver": -driver.technology.v_core * waves["i(v_vdd)"] - waves["v(bit)"] * waves["i(v_bit)"],
    }
    return {name: integral(waves["time"], p, (0.0, end)) for name, p in power.items()}
