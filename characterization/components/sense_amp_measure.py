"""Numbers out of sense amplifier runs: decision, decision time, regeneration, energy, kickback, offset."""

from dataclasses import dataclass

import numpy as np

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.current_sense import CurrentSenseBenchParams
from rramkit.circuits.sense_amp import SenseAmpBenchParams
from rramkit.errors import InputError


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
    t, out, drive = time[half], waves["v(out)"][half], waves["v(drive)"][half]
    power = -v_dd * waves["i(v_vdd)"] - waves["v(clk)"] * waves["i(v_clk)"]
    v_p, v_n = (waves[f"v(in_{side})"][half] for side in "pn")
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
    t, out = time[inside], np.abs(waves["v(out)"][inside])
    low, high = (_first_crossing(t, out, part * v_dd) for part in (0.02, 0.2))
    between = (t >= low) & (t <= high)
    slope, _ = np.polyfit(t[between], np.log(out[between]), 1)
    return float(1 / slope)


def offset(waves: Waveforms, params: SenseAmpBenchParams) -> float:
    """Return the offset [V] that `offset_search` found: the input difference that balances the latch.

    Raises `InputError` when it lies at the end of the search's range.
    """
    found = float(waves["v(drive)"][-1])
    if abs(found) > params.v_search * (1 - 2.0 ** (1 - params.search_steps)):
        raise InputError(
            f"`v_search` must exceed the offset; got {params.v_search:g} V, all used up. Give a larger range."
        )
    return found


def gm_over_i(waves: Waveforms) -> float:
    """Return transconductance over current [1/V] of one transistor of the pair, from a run of `input_pair`."""
    i_p, i_n = -waves["i(v_x_n)"], -waves["i(v_x_p)"]
    v_in = waves["v-sweep"]
    slope = (i_p[-1] - i_n[-1] - i_p[0] + i_n[0]) / (v_in[-1] - v_in[0])
    return float(slope / np.mean((i_p + i_n) / 2))


@dataclass(frozen=True)
class CurrentReads:
    """A train of N reads of a current sense amplifier.

    Attributes
    ----------
    low_resistance : ndarray (N,)
        Whether the cell was found to draw more than the reference.
    v_line : ndarray (N,)
        Bit line [V] when the latch is clocked.
    i_cell : ndarray (N,)
        The cell's current [A] then.
    v_sense : ndarray (N,)
        Reference diode's node less the cell's [V] then: what the latch has to tell.
    energy : ndarray (N,)
        Energy [J] of each read from the supply, its rest included, the drivers of clock and rest not.
    """

    low_resistance: np.ndarray
    v_line: np.ndarray
    i_cell: np.ndarray
    v_sense: np.ndarray
    energy: np.ndarray


def current_reads(waves: Waveforms, params: CurrentSenseBenchParams, count: int) -> CurrentReads:
    """Return what each of the first `count` reads of a train found."""
    clocks = [params.t_clock(index) for index in range(count)]
    decided = [t + 0.9 * params.t_decide for t in clocks]
    power = -params.sense.latch.technology.v_core * waves["i(v_vdd)"]
    slots = [(k * params.t_slot, (k + 1) * params.t_slot) for k in range(count)]
    return CurrentReads(
        low_resistance=np.interp(decided, waves["time"], waves["v(out_p)"] - waves["v(out_n)"]) > 0,
        v_line=np.interp(clocks, waves["time"], waves["v(bl)"]),
        i_cell=np.interp(clocks, waves["time"], waves["i(v_cell)"]),
        v_sense=np.interp(clocks, waves["time"], waves["v(sense_ref)"] - waves["v(sense_cell)"]),
        energy=np.array([integral(waves["time"], power, slot) for slot in slots]),
    )
