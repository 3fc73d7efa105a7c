"""Row driver: levels, settling and energy of the multi-level source; weight of a bit and energy of the serial one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.row_driver import RowDriverBenchParams, SerialRowDriverBenchParams, level_train, rails, word_train


@dataclass(frozen=True)
class RowLevels:
    """N levels, each from rest and back to it.

    Attributes
    ----------
    v_row, v_far : ndarray (N,)
        How far below rest the row is [V] at its driver and at its far end, settled.
    i_row : ndarray (N,)
        Current [A] from the row into its driver, settled.
    t_settle : ndarray (N,)
        Time [s] from the select's edge until the far end stays within `band` of the whole range, there or back.
    energy : ndarray (N,)
        Energy [J] that references, supply and select drivers give for a level and the rest after it.
    """

    v_row: np.ndarray
    v_far: np.ndarray
    i_row: np.ndarray
    t_settle: np.ndarray
    energy: np.ndarray


def levels(waves: Waveforms, params: RowDriverBenchParams, count: int, *, band: float = 0.005) -> RowLevels:
    """Return what each of the first `count` levels of a train gave.

    What flows back into a source is lost: a reference that a line discharges into, or a gate's charge, gives nothing
    to anyone else. So each source counts where it gives, and nowhere else.
    """
    driver, time = params.driver, waves["time"]
    given = {"vdd": driver.technology.v_core}
    for k, name in enumerate(rails(driver)):
        given[name] = driver.v_level(k if driver.r_string == 0 else k * (driver.levels - 1))
    power = sum((np.maximum(-v * waves[f"i_{name}"], 0) for name, v in given.items()), np.zeros(time.shape))
    for name in (f"off_{k}" for k in range(driver.levels)):
        power = power + np.maximum(-waves[f"v_{name}"] * waves[f"i_{name}"], 0)
    slots = [(params.t_begin(k), params.t_begin(k) + params.t_level) for k in range(count)]
    tolerance = band * abs(driver.span)
    row, far, current = (_settled(time, waves[name], slots) for name in ("v_row", "v_far", "i_row"))
    return RowLevels(
        v_row=driver.v_rest - row,
        v_far=driver.v_rest - far,
        i_row=current,
        t_settle=np.array([_there_and_back(time, waves["v_far"], slot, tolerance) for slot in slots]),
        energy=np.array([integral(time, power, (begin, end + params.t_level)) for begin, end in slots]),
    )


def _settled(time: np.ndarray, x: np.ndarray, slots: list[tuple[float, float]]) -> np.ndarray:
    """Return the mean of `x` (T,) over the last tenth of each slot: the integration's own ringing is not in it."""
    windows = [(0.1 * begin + 0.9 * end, end) for begin, end in slots]
    return np.array([integral(time, x, window) / (window[1] - window[0]) for window in windows])


def _there_and_back(time: np.ndarray, v: np.ndarray, slot: tuple[float, float], tolerance: float) -> float:
    back = (slot[1], 2 * slot[1] - slot[0])
    return max(_settling(time, v, slot, tolerance), _settling(time, v, back, tolerance))


def _settling(time: np.ndarray, v: np.ndarray, slot: tuple[float, float], tolerance: float) -> float:
    """Return how long after the slot's start `v` (T,) last stood further than `tolerance` from where it ends."""
    inside = (time >= slot[0]) & (time < 0.02 * slot[0] + 0.98 * slot[1])
    t, apart = time[inside], np.abs(v[inside] - v[inside][-1]) - tolerance
    outside = np.flatnonzero(apart > 0)
    if not outside.size:
        return 0.0
    last = outside[-1]  # it enters the band between this point of time and the next
    return float(t[last] + (t[last + 1] - t[last]) * apart[last] / (apart[last] - apart[last + 1]) - slot[0])


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
    """Return the deck of the levels of the codes (N,), one after the other."""
    return level_train(params, [int(value) for value in code])


def level_codes(params: RowDriverBenchParams) -> np.ndarray:
    """Return the codes (N,) of the bench's own train."""
    return np.array(params.codes, dtype=float)


def level_measures(waves: Waveforms, params: RowDriverBenchParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return voltages, settling and energy of each level."""
    train = levels(waves, params, code.size)
    return {name: getattr(train, name) for name in ("v_row", "v_far", "i_row", "t_settle", "energy")}


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
            "v_row": Signal("V", "the row at its driver, settled: how far below rest"),
            "v_far": Signal("V", "its far end: how far below rest"),
            "i_row": Signal("A", "current from the row into its driver, settled"),
            "t_settle": Signal("s", "until the far end stays within 0.5 % of the whole range, there or back at rest"),
            "energy": Signal("J", "one level and its rest, from references, supply and select drivers"),
        },
        constants={
            "bits": ("driver.bits", "1"),
            "v_low": ("driver.v_rest", "V"),
            "v_high": ("driver.v_full", "V"),
            "v_rest": ("driver.v_rest", "V"),
            "cells": ("row.cells", "1"),
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
