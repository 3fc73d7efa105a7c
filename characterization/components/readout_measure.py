"""Numbers out of readout runs: gain, linearity, clamp error, settling, phase margin, energy."""

from dataclasses import dataclass

import numpy as np

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.readout import ReadoutBenchParams
from rramkit.errors import InputError


@dataclass(frozen=True)
class ReadoutTrain:
    """A train of N reads.

    Attributes
    ----------
    i_in : ndarray (N,)
        Current [A] that the cells draw from the line when the output is taken.
    v_out : ndarray (N,)
        Output [V] less that of the first read, whose input is 0.
    v_error : ndarray (N,)
        Bit line [V] less the clamp, when the output is taken.
    overshoot : ndarray (N,)
        How far [V] the output goes past its last value during the read.
    t_settle : ndarray (N,)
        Time [s] from half the row's edge until the output stays within `band` of full scale.
    energy : ndarray (N,)
        Energy [J] of each slot (rest and read) from the amplifier's supply.
    """

    i_in: np.ndarray
    v_out: np.ndarray
    v_error: np.ndarray
    overshoot: np.ndarray
    t_settle: np.ndarray
    energy: np.ndarray


def reads(waves: Waveforms, params: ReadoutBenchParams, *, band: float = 0.005) -> ReadoutTrain:
    """Return what each read of a `read_train` gave; `band` of full scale counts as settled."""
    times = [params.t_sample(index) for index in range(params.reads)]
    at = {name: np.interp(times, waves["time"], waves[name]) for name in ("v(out)", "v(bl)", "i(v_row)")}
    v_out = at["v(out)"] - at["v(out)"][0]
    settled = [_settled(waves, params, k, band * abs(float(v_out[-1]))) for k in range(params.reads)]
    supply = params.readout.ota.v_dd
    energy = [
        integral(waves["time"], -supply * waves["i(v_vdd)"], (k * params.t_slot, (k + 1) * params.t_slot))
        for k in range(params.reads)
    ]
    return ReadoutTrain(
        i_in=at["i(v_row)"],
        v_out=v_out,
        v_error=at["v(bl)"] - params.readout.v_clamp,
        overshoot=np.array([past for past, _ in settled]),
        t_settle=np.array([t for _, t in settled]),
        energy=np.array(energy),
    )


def _settled(waves: Waveforms, params: ReadoutBenchParams, index: int, band: float) -> tuple[float, float]:
    time, begin = waves["time"], params.t_begin(index)
    inside = (time >= begin) & (time <= begin + 0.99 * params.t_read)
    t, out = time[inside], waves["v(out)"][inside]
    outside = np.flatnonzero(np.abs(out - out[-1]) > band)
    last = t[outside[-1]] if outside.size else begin + 0.5 * params.t_rise
    return float(max(np.max(out) - out[-1], 0.0)), float(last - begin - 0.5 * params.t_rise)


def gain_and_linearity(i_in: np.ndarray, v_out: np.ndarray) -> tuple[float, float]:
    """Fit v_out = gain i_in + offset; return the gain [ohm] and the largest residual over full scale."""
    gain, rest = np.polyfit(i_in, v_out, 1)
    residual = np.max(np.abs(v_out - gain * i_in - rest))
    return float(gain), float(residual / np.ptp(v_out))


def loop_gain(waves: Waveforms) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency (F,) [Hz] and complex loop gain (F,) from a run of `readout_bench.loop_gain`.

    With t_v = -v_back/v_gate and t_i = i_back/i_gate: T = (t_v t_i - 1)/(t_v + t_i + 2).
    """
    t_v = -waves["v(bl_v)"] / waves["v(gate_v)"]
    t_i = waves["i(v_back)"] / waves["i(v_gate)"]
    return np.real(waves["frequency"]), (t_v * t_i - 1) / (t_v + t_i + 2)


def phase_margin(frequency: np.ndarray, gain: np.ndarray) -> tuple[float, float]:
    """Return the phase margin [degrees] and the frequency [Hz] at which the loop gain (F,) falls through 1."""
    size, phase = np.log(np.abs(gain)), np.unwrap(np.angle(gain))
    below = np.flatnonzero((size[1:] < 0) & (size[:-1] >= 0))
    if below.size == 0:
        raise InputError("`gain` must fall through 1 within the frequencies; it does not. Sweep a wider range.")
    k = below[-1]
    part = size[k] / (size[k] - size[k + 1])
    at = np.exp(np.log(frequency[k]) + part * np.log(frequency[k + 1] / frequency[k]))
    return float(180 + np.degrees(phase[k] + part * (phase[k + 1] - phase[k]))), float(at)
