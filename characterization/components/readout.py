"""Bit-line readout: transfer, linearity, clamp error, settling, energy of its reads; loop gain and phase margin."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.ota import NAMES, scaled_mismatch
from rramkit.circuits.readout import (
    ReadoutBenchParams,
    ReadoutNoiseParams,
    ReadoutOffsetParams,
    noise_at_rest,
    offset_sweep,
    read_train,
)
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
        Time [s] from half the row's edge until the output stays within `band` of full scale of where it ends. That
        end is the asymptote of the read's last two fifths, so that a read which is too short shows it: the time is
        then beyond it.
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
    at = {name: np.interp(times, waves["time"], waves[name]) for name in ("v_out", "v_bl", "i_row")}
    settled = [_settled(waves, params, k, band * params.v_full) for k in range(params.reads)]
    supply = params.readout.ota.v_dd
    energy = [
        integral(waves["time"], -supply * waves["i_vdd"], (k * params.t_slot, (k + 1) * params.t_slot))
        for k in range(params.reads)
    ]
    return ReadoutTrain(
        i_in=at["i_row"],
        v_out=at["v_out"] - at["v_out"][0],
        v_error=at["v_bl"] - params.readout.v_clamp,
        overshoot=np.array([past for past, _ in settled]),
        t_settle=np.array([t for _, t in settled]),
        energy=np.array(energy),
    )


def _settled(waves: Waveforms, params: ReadoutBenchParams, index: int, band: float) -> tuple[float, float]:
    """Return by how much [V] the output of a read goes past its last value, and when [s] it is within `band`."""
    time, begin = waves["time"], params.t_begin(index)
    inside = (time >= begin) & (time <= begin + 0.99 * params.t_read)
    t, out = time[inside], waves["v_out"][inside]
    end, tau = asymptote(t, out)
    outside = np.flatnonzero(np.abs(out - end) > band)
    last = t[outside[-1]] if outside.size else begin + 0.5 * params.t_rise
    if outside.size and outside[-1] == t.size - 1:
        last += tau * np.log(np.abs(out[-1] - end) / band)
    return float(max(np.max(out) - out[-1], 0.0)), float(max(last - begin - 0.5 * params.t_rise, 0.0))


def asymptote(time: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return where `values` (T,) go, and the time constant [s]; the last value and 0 where they have arrived.

    Three values v at equal distances h over the last two fifths of the time (T,) [s]: of an exponential the differences
    d_1, d_2 are as q = exp(-h/tau), and the asymptote is v_3 + d_2 q/(1 - q) (Aitken).
    """
    h = 0.2 * (time[-1] - time[0])
    first, second, third = np.interp([time[-1] - 2 * h, time[-1] - h, time[-1]], time, values)
    before, after = second - first, third - second
    ratio = after / before if before != 0 else 0.0
    if not 0.02 < ratio < 0.95:  # four time constants within h: what is left is less than the differences can tell
        return float(third), 0.0
    return float(third + after * ratio / (1 - ratio)), float(-h / np.log(ratio))


def gain_and_linearity(i_in: np.ndarray, v_out: np.ndarray) -> tuple[float, float]:
    """Fit v_out = gain i_in + offset; return the gain [ohm] and the largest residual over full scale."""
    gain, rest = np.polyfit(i_in, v_out, 1)
    residual = np.max(np.abs(v_out - gain * i_in - rest))
    return float(gain), float(residual / np.ptp(v_out))


def loop_gain(waves: Waveforms) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency (F,) [Hz] and complex loop gain (F,) from a run of `circuits.readout.loop_gain`.

    With t_v = -v_back/v_gate and t_i = i_back/i_gate: T = (t_v t_i - 1)/(t_v + t_i + 2).
    """
    t_v = -waves["v_back"] / waves["v_gate"]
    t_i = waves["i_back"] / waves["i_gate"]
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


def deck(params: ReadoutBenchParams, v_in: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of reads at the inputs (N,) [V], after a read of input 0."""
    return read_train(_with_zero(params, v_in), [0.0, *v_in])


def inputs(params: ReadoutBenchParams) -> np.ndarray:
    """Return the inputs (N,) [V] of the bench's own train, without its zero."""
    return params.inputs[1:]


def measure(waves: Waveforms, params: ReadoutBenchParams, v_in: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the figures of each read; outputs count from that at input 0."""
    train = reads(waves, _with_zero(params, v_in))
    names = ("i_in", "v_out", "v_error", "overshoot", "t_settle", "energy")
    return {name: getattr(train, name)[1:] for name in names} | transfer(train, params.v_full)


def transfer(train: ReadoutTrain, v_full: float) -> dict[str, np.ndarray]:
    """Return gain [ohm], nonlinearity [V] and input resistance [ohm] of the reads whose output lies within `v_full`.

    Lines are fitted to v_out and to v_error against i_in; NaN where there are fewer than three such reads.
    """
    inside = train.v_out <= v_full
    if np.count_nonzero(inside) < 3 or np.ptp(train.i_in[inside]) == 0:
        return dict.fromkeys(("gain", "inl", "r_in"), np.array(np.nan))
    i_in, v_out = train.i_in[inside], train.v_out[inside]
    gain, rest = np.polyfit(i_in, v_out, 1)
    r_in = -np.polyfit(i_in, train.v_error[inside], 1)[0]
    inl = np.max(np.abs(v_out - gain * i_in - rest))
    return {"gain": np.array(gain), "inl": np.array(inl), "r_in": np.array(r_in)}


def _with_zero(params: ReadoutBenchParams, v_in: np.ndarray) -> ReadoutBenchParams:
    """Return the parameters of a train with a read of input 0 before the others."""
    return params.model_copy(update={"reads": v_in.size + 1})


def offset_deck(params: ReadoutOffsetParams, _steps: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of the bit line over the trim's codes."""
    return offset_sweep(params, draw.dv_threshold)


def offsets(waves: Waveforms, params: ReadoutOffsetParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the offset at the trim's best code, and that of the middle code, which is balanced."""
    v_offset = waves["v_bl"] - params.readout.v_clamp
    best = int(np.argmin(np.abs(v_offset)))
    return {"v_offset": np.array(v_offset[best]), "v_untrimmed": np.array(v_offset[v_offset.size // 2])}


def offset_normals(_params: ReadoutOffsetParams) -> int:
    """Return how many standard normals an amplifier takes: one a transistor."""
    return len(NAMES)


def offset_draw(params: ReadoutOffsetParams, normals: np.ndarray) -> RandomDraw:
    """Return the threshold mismatch of the amplifier's transistors."""
    return RandomDraw(dv_threshold=scaled_mismatch(params.readout.ota, normals))


def noise_deck(params: ReadoutNoiseParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of the noise at rest."""
    return noise_at_rest(params)


def noise(waves: Waveforms, params: ReadoutNoiseParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the noise of the output as the current that the feedback turns into it."""
    return {"i_noise": np.array(waves.measures["v_noise_total"] / params.readout.r_feedback)}


COMPONENTS = (
    Component(
        name="readout",
        parameters=ReadoutBenchParams,
        deck=deck,
        measure=measure,
        steps=Steps("v_in", "V", "how far the rows are pulled below the clamp", inputs),
        signals={
            "i_in": Signal("A", "current that the cells draw from the line when the output is taken"),
            "v_out": Signal("V", "output less that at input 0"),
            "v_error": Signal("V", "bit line less the clamp then"),
            "overshoot": Signal("V", "how far the output goes past its last value"),
            "t_settle": Signal("s", "until the output stays within 0.5 % of full scale"),
            "energy": Signal("J", "rest and read, from the amplifier's supply"),
        },
        summary={
            "gain": Signal("ohm", "slope of the output against the current, within full scale"),
            "inl": Signal("V", "largest distance of the output from that line"),
            "r_in": Signal("ohm", "fall of the bit line with the current, when the output is taken"),
        },
        constants={
            "g_cells": ("g_cells", "S"),
            "v_clamp": ("readout.v_clamp", "V"),
            "c_integrate": ("readout.c_integrate", "F"),
            "t_integrate": ("t_integrate", "s"),
            "t_read": ("t_slot", "s"),
        },
    ),
    Component(
        name="readout_offset",
        parameters=ReadoutOffsetParams,
        deck=offset_deck,
        measure=offsets,
        summary={
            "v_offset": Signal("V", "bit line less the clamp at no input, the trim at its best code"),
            "v_untrimmed": Signal("V", "the same with the trim at its middle code"),
        },
        mismatch=Mismatch(offset_normals, offset_draw),
        step="",
        constants={"v_clamp": ("readout.v_clamp", "V")},
    ),
    Component(
        name="readout_noise",
        parameters=ReadoutNoiseParams,
        deck=noise_deck,
        measure=noise,
        summary={"i_noise": Signal("A", "rms noise of the output over the feedback: amplifier, feedback, line, cells")},
        step="",
    ),
)
