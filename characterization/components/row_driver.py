"""Row driver: levels, settling and energy of the multi-level source; weight of a bit and energy of the serial one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.row_driver import RowDriverBenchParams, SerialRowDriverBenchParams, level_train, word_train


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
    times = [params.t_sample(index) for index in range(count)]
    selects = [f"sel_{k}" for k in range(driver.levels)]
    power = -driver.v_high * waves["i_high"] - driver.v_low * waves["i_low"]
    power = power - driver.technology.v_core * waves["i_vdd"]
    power = power - sum((waves[f"v_{s}"] * waves[f"i_{s}"] for s in selects), np.zeros_like(power))
    slots = [(k * params.t_level, (k + 1) * params.t_level) for k in range(count)]
    tolerance = band * (driver.v_high - driver.v_low)
    return RowLevels(
        v_row=np.interp(times, waves["time"], waves["v_row"]),
        v_far=np.interp(times, waves["time"], waves["v_far"]),
        t_settle=np.array([_settling(waves["time"], waves["v_far"], slot, tolerance) for slot in slots]),
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
    far = waves["v_far"]
    slots = [(k * params.t_bit, (k + 1) * params.t_bit) for k in range(params.bits)]
    return np.array([integral(waves["time"], far, slot) for slot in slots])


def word_energy(waves: Waveforms, params: SerialRowDriverBenchParams) -> dict[str, float]:
    """Return the energy [J] of the whole word: `row` from v_read, `driver` from the inverters and the bit's source."""
    driver, end = params.driver, float(waves["time"][-1])
    power = {
        "row": -driver.v_read * waves["i_read"],
        "driver": -driver.technology.v_core * waves["i_vdd"] - waves["v_bit"] * waves["i_bit"],
    }
    return {name: integral(waves["time"], p, (0.0, end)) for name, p in power.items()}


def level_deck(params: RowDriverBenchParams, code: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of one level after the other, of the codes (N,)."""
    return level_train(params, [int(value) for value in code])


def level_codes(params: RowDriverBenchParams) -> np.ndarray:
    """Return the codes (N,) of the bench's own train."""
    return np.array(params.codes, dtype=float)


def level_measures(waves: Waveforms, params: RowDriverBenchParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return voltages, settling and energy of each level."""
    train = levels(waves, params, code.size)
    return {name: getattr(train, name) for name in ("v_row", "v_far", "t_settle", "energy")}


def word_deck(params: SerialRowDriverBenchParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of one word, bit by bit."""
    return word_train(params)


def word_measures(waves: Waveforms, params: SerialRowDriverBenchParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return weight of a bit, its spread, and the energies of the word; NaN for a word of zeros."""
    weights, sent = bit_weights(waves, params), params.pattern == 1
    energy = word_energy(waves, params)
    ones = weights[sent]
    mean = np.mean(ones) if ones.size else np.nan
    return {
        "weight": np.array(mean),
        "weight_spread": np.array(np.ptp(ones) / mean if ones.size else np.nan),
        "weight_zero": np.array(np.max(np.abs(weights[~sent])) / mean if np.any(~sent) else np.nan),
        "energy_row": np.array(energy["row"]),
        "energy_driver": np.array(energy["driver"]),
    }


COMPONENTS = (
    Component(
        name="row_driver",
        parameters=RowDriverBenchParams,
        deck=level_deck,
        measure=level_measures,
        steps=Steps("code", "1", "code of the level", level_codes, whole=True),
        signals={
            "v_row": Signal("V", "the row at its driver, settled"),
            "v_far": Signal("V", "its far end"),
            "t_settle": Signal("s", "until the far end stays within 0.5 % of the whole range"),
            "energy": Signal("J", "one level, from references, supply and select drivers"),
        },
        constants={
            "bits": ("driver.bits", "1"),
            "v_low": ("driver.v_low", "V"),
            "v_high": ("driver.v_high", "V"),
            "t_level": ("t_level", "s"),
        },
    ),
    Component(
        name="row_driver_serial",
        parameters=SerialRowDriverBenchParams,
        deck=word_deck,
        measure=word_measures,
        summary={
            "weight": Signal("V s", "integral of the row's far end over a bit that is 1, mean over the word"),
            "weight_spread": Signal("1", "largest less smallest of those, over the mean"),
            "weight_zero": Signal("1", "largest of a bit that is 0, over the mean of those that are 1"),
            "energy_row": Signal("J", "the whole word, from the read voltage"),
            "energy_driver": Signal("J", "the whole word, from the inverters' supply and the bit's source"),
        },
        constants={
            "bits": ("bits", "1"),
            "word": ("word", "1"),
            "t_bit": ("t_bit", "s"),
            "v_read": ("driver.v_read", "V"),
        },
    ),
)
