"""Sense amplifier (StrongARM latch): decision time, regeneration, energy, kickback; its offset.

Regeneration constant of the latch, fitted to its decision times::

    t_decide = t_0 + tau ln(v_swing/|v_diff|)

    tau  regeneration constant (s)    t_0  time before regeneration (s)    v_swing  voltage of a decision (V), given

A latch's difference grows as exp(t/tau) from the input's, so that each decade less of input costs 2.3 tau (Wicht et
al., IEEE JSSC 39, 1148, 2004). The equation holds while the input is small against the swing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.fits.estimate import Estimate, Start, column, estimate
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.sense_amp import NAMES, SenseAmpBenchParams, decision_train, offset_search, scaled_mismatch
from rramkit.errors import InputError
from rramkit.table import Fit, Quantity, Table

_STEPS, _SIGNAL = "overdrive", "t_decide"
_SMALL = 10e-3  # V: the equation holds while the input is small against the swing
_LEAST = 3  # points that a line needs to have a standard error


@dataclass(frozen=True)
class Decisions:
    """A train of N decisions.

    Attributes
    ----------
    high : ndarray (N,)
        Whether each ended with out_p high.
    t_decide : ndarray (N,)
        Time [s] from half the clock's edge until the outputs stand half a supply apart; NaN where they never do.
    energy : ndarray (N,)
        Energy [J] of each evaluation and the precharge after it, from the supply and the clock's driver.
    kickback : ndarray (N,)
        Largest disturbance [V] of the difference of the inputs while the clock is high.
    kickback_common : ndarray (N,)
        Largest disturbance [V] of one input.
    """

    high: np.ndarray
    t_decide: np.ndarray
    energy: np.ndarray
    kickback: np.ndarray
    kickback_common: np.ndarray


def decisions(waves: Waveforms, params: SenseAmpBenchParams, count: int) -> Decisions:
    """Return what each of the first `count` periods of a train did."""
    each = [_decision(waves, params, index) for index in range(count)]
    return Decisions(*(np.array(column) for column in zip(*each, strict=True)))


def _decision(waves: Waveforms, params: SenseAmpBenchParams, index: int) -> tuple[bool, float, float, float, float]:
    time, v_dd = waves["time"], params.latch.technology.v_core
    half = (time > params.t_evaluate(index)) & (time < (index + 1) * params.t_clock)
    t, out, drive = time[half], waves["v_out"][half], waves["v_drive"][half]
    power = -v_dd * waves["i_vdd"] - waves["v_clk"] * waves["i_clk"]
    v_p, v_n = (waves[f"v_in_{side}"][half] for side in "pn")
    disturbed = np.maximum(np.abs(v_p - params.v_cm - drive / 2), np.abs(v_n - params.v_cm + drive / 2))
    return (
        bool(out[-1] > 0),
        _first_crossing(t, np.abs(out), 0.5 * v_dd) - params.t_evaluate(index),
        integral(time, power, params.window(index)),
        float(np.max(np.abs(v_p - v_n - drive))),
        float(np.max(disturbed)),
    )


def _first_crossing(time: np.ndarray, rising: np.ndarray, level: float) -> float:
    """Return when `rising` (T,) first passes `level`, between the samples by a straight line; NaN if never."""
    above = np.flatnonzero(rising >= level)
    if above.size == 0 or above[0] == 0:
        return float("nan")
    k = above[0]
    return float(np.interp(level, rising[k - 1 : k + 1], time[k - 1 : k + 1]))


def waveform_regeneration(waves: Waveforms, params: SenseAmpBenchParams, index: int) -> float:
    """Return the time constant [s] with which the outputs part in decision number `index`: 1/slope of ln|v(out)|.

    Taken between 2 % and 20 % of the supply: beyond the precharge and the input's own gain, before the latch saturates.
    """
    time, v_dd = waves["time"], params.latch.technology.v_core
    begin = params.t_evaluate(index)
    inside = (time > begin) & (time < (index + 1) * params.t_clock)
    t, out = time[inside], np.abs(waves["v_out"][inside])
    low, high = (_first_crossing(t, out, part * v_dd) for part in (0.02, 0.2))
    between = (t >= low) & (t <= high)
    slope, _ = np.polyfit(t[between], np.log(out[between]), 1)
    return float(1 / slope)


def offset(waves: Waveforms, params: SenseAmpBenchParams) -> float:
    """Return the offset [V] that `offset_search` converged to: the input difference that balances the latch.

    Raises `InputError` when it lies at the end of the search's range.
    """
    v_offset = balance(waves, params)
    if np.isnan(v_offset):
        raise InputError(
            f"`v_search` must exceed the offset; got {params.v_search:g} V, all of it used. Pass a larger range."
        )
    return v_offset


def balance(waves: Waveforms, params: SenseAmpBenchParams) -> float:
    """Return the input difference [V] at the end of `offset_search`; NaN at the end of the search's range."""
    v_drive = float(waves["v_drive"][-1])
    at_end = abs(v_drive) > params.v_search * (1 - 2.0 ** (1 - params.search_steps))
    return float("nan") if at_end else v_drive


def gm_over_i(waves: Waveforms) -> float:
    """Return transconductance over current [1/V] of one transistor of the pair, from a run of `input_pair`."""
    i_p, i_n = -waves["i_x_n"], -waves["i_x_p"]
    v_in = waves.abscissa
    slope = (i_p[-1] - i_n[-1] - i_p[0] + i_n[0]) / (v_in[-1] - v_in[0])
    return float(slope / np.mean((i_p + i_n) / 2))


def decision_deck(params: SenseAmpBenchParams, overdrive: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of decisions at the overdrives (N,) [V].

    Their sign alternates: a latch that remembered the decision before would then show it.
    """
    signed = overdrive * np.where(np.arange(overdrive.size) % 2, -1.0, 1.0)
    return decision_train(params, signed, dv_threshold=draw.dv_threshold)


def overdrives(params: SenseAmpBenchParams) -> np.ndarray:
    """Return the overdrives (N,) [V] of the bench's own train."""
    return np.abs(params.overdrives)


def decision_measures(waves: Waveforms, params: SenseAmpBenchParams, overdrive: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return times, energies and kickback of the decisions, and the regeneration constant of the first."""
    train = decisions(waves, params, overdrive.size)
    return {
        "t_decide": train.t_decide,
        "energy": train.energy,
        "kickback": train.kickback,
        "kickback_common": train.kickback_common,
        "tau_regeneration": np.array(waveform_regeneration(waves, params, 0)),
    }


def offset_deck(params: SenseAmpBenchParams, _steps: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of the search for the offset."""
    return offset_search(params, draw.dv_threshold)


def offset_measures(waves: Waveforms, params: SenseAmpBenchParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the offset; NaN beyond the range of the search."""
    return {"offset": np.array(balance(waves, params))}


def latch_normals(_params: SenseAmpBenchParams) -> int:
    """Return how many standard normals a latch takes: one a transistor."""
    return len(NAMES)


def latch_draw(params: SenseAmpBenchParams, normals: np.ndarray) -> RandomDraw:
    """Return the threshold mismatch of the latch's transistors."""
    return RandomDraw(dv_threshold=scaled_mismatch(params.latch, normals))


def latch_fits(table: Table) -> dict[str, Fit]:
    """Return `regeneration`: tau and t_0 [s] over the table's axes but the overdrive; {} where points are missing."""
    if _STEPS not in table.axes or _SIGNAL not in table.signals or np.any(table.masked(_SIGNAL)):
        return {}
    overdrive, dimension = table.axes[_STEPS].values, list(table.axes).index(_STEPS)
    small = overdrive <= _SMALL
    if np.count_nonzero(small) < _LEAST:
        return {}
    times = np.moveaxis(table.signals[_SIGNAL].values, dimension, 0)
    estimates = [fit_regeneration(overdrive[small], row) for row in times.reshape(overdrive.size, -1)[small].T]
    columns = {name: column(estimates, name) for name in ("tau", "t_0")}
    fit = Fit(
        equation=REGENERATION + ", v_swing = 1 V",
        signal=_SIGNAL,
        parameters={name: Quantity(values.reshape(times.shape[1:]), "s") for name, (values, _) in columns.items()},
        errors={name: errors.reshape(times.shape[1:]) for name, (_, errors) in columns.items()},
        residual=float(np.sqrt(np.mean([estimate.residual**2 for estimate in estimates]))),
        axes=tuple(name for name in table.axes if name != _STEPS),
    )
    return {"regeneration": fit}


_MISMATCH = Mismatch(latch_normals, latch_draw)
COMPONENTS = (
    Component(
        name="sense_amp",
        parameters=SenseAmpBenchParams,
        deck=decision_deck,
        measure=decision_measures,
        steps=Steps("overdrive", "V", "size of the input difference", overdrives),
        signals={
            "t_decide": Signal("s", "from half the clock's edge until the outputs stand half a supply apart"),
            "energy": Signal("J", "an evaluation and its precharge, from the supply and the clock's driver"),
            "kickback": Signal("V", "largest disturbance of the inputs' difference"),
            "kickback_common": Signal("V", "largest disturbance of one input"),
        },
        summary={"tau_regeneration": Signal("s", "time constant with which the outputs part, first step of the train")},
        mismatch=_MISMATCH,
        fits=latch_fits,
        constants={"t_clock": ("t_clock", "s"), "v_cm": ("v_cm", "V")},
    ),
    Component(
        name="sense_amp_offset",
        parameters=SenseAmpBenchParams,
        deck=offset_deck,
        measure=offset_measures,
        summary={"offset": Signal("V", "input difference that balances the latch")},
        mismatch=_MISMATCH,
        step="t_step_search",
        constants={"v_cm": ("v_cm", "V")},
    ),
)


REGENERATION = "t_decide = t_0 + tau ln(v_swing/|v_diff|)"


def fit_regeneration(v_diff: np.ndarray, t_decide: np.ndarray, *, v_swing: float = 1.0) -> Estimate:
    """Fit decision times (N,) in seconds at input differences (N,) in volts; gives `tau` and `t_0` (s).

    Raises
    ------
    InputError
        When there are fewer than three times, or one is not finite: a decision is missing.
    """
    if v_diff.size < 3 or not np.all(np.isfinite(t_decide)):
        raise InputError(
            f"`t_decide` must be 3 or more finite times; got {t_decide}. A decision is missing: allow a longer period."
        )
    lags = np.log(v_swing / np.abs(v_diff))
    tau, first = np.polyfit(lags, t_decide, 1)
    start = {
        "tau": Start(float(max(tau, 1e-15)), 0.0),
        "t_0": Start(float(first), size=float(np.max(np.abs(t_decide)))),
    }
    return estimate(lambda p: p[1] + p[0] * lags - t_decide, start)
