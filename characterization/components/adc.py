"""SAR converter: codes, transition levels, DNL, INL, effective bits and energy of its conversions."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.adc import (
    AdcBenchParams,
    AdcNoiseParams,
    AdcParams,
    AdcTrainParams,
    conversion_train,
    sampled_noise,
    scaled_capacitors,
    transition_train,
)
from rramkit.circuits.deck import Deck
from rramkit.circuits.sense_amp import NAMES, scaled_mismatch
from rramkit.errors import InputError, SimulationError

_SINE_SAMPLES, _SINE_CYCLES = 1021, 37  # of the sine whose codes give the effective bits; they share no factor


def codes(waves: Waveforms, params: AdcTrainParams, count: int) -> np.ndarray:
    """Return the code (N,) of each of the first `count` conversions; raise where a register stands half-way."""
    times = [params.t_code(index) for index in range(count)]
    q = np.array([np.interp(times, waves["time"], waves[f"q_{bit}"]) for bit in params.decided])
    if np.any(np.abs(q - 0.5) < 0.3):
        raise SimulationError("incomplete", f"a register of the SAR stands between 0 and 1: {q.round(2).tolist()}")
    return (2 ** np.arange(params.sar.bits)) @ (q > 0.5)


def transitions(waves: Waveforms, params: AdcTrainParams, codes: np.ndarray | None = None) -> np.ndarray:
    """Return the inputs (N,) [V] at which the code goes up to each of `codes`, from a run of `transition_train`."""
    sar = params.sar
    ideal = sar.ideal(np.arange(1, 2**sar.bits) if codes is None else codes)
    times = [params.t_code(index) for index in range(ideal.size)]
    return ideal - np.interp(times, waves["time"], waves["v_residue"])


def nonlinearity(transitions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return DNL (L - 2,) and INL (L - 1,) in steps, of L - 1 transitions, along the line through the outer two."""
    steps = np.diff(transitions)
    step = np.mean(steps)
    inl = (transitions - transitions[0]) / step - np.arange(transitions.size)
    return steps / step - 1, inl


def top_plate(sar: AdcParams, codes: np.ndarray, transitions: np.ndarray) -> float:
    """Return the capacitance [F] that the transistors add to the top plate, of transitions (N,) [V] at codes (N,).

    By charge conservation the plates move the top plate by v_ref C/(C + c_parasitic + c_transistors) from the lowest
    code to the one past the last; the outer two transitions say by how much. Charge injection that depends on the
    input is in it, since it counts as gain too. It is `AdcParams.c_transistors` where the reference is to make up for
    it.
    """
    moved = (transitions[-1] - transitions[0]) / (codes[-1] - codes[0]) * 2**sar.bits
    c_array = float(np.sum(sar.nominal_capacitors))
    return float(c_array * sar.v_reference / moved - c_array - sar.c_parasitic)


def quantised(v_in: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Return the code of each input: how many transitions lie below it."""
    return np.searchsorted(np.sort(transitions), v_in)


def effective_bits(signal: np.ndarray, cycles: int) -> float:
    """Return (SINAD - 1.76 dB)/6.02 dB of a sampled sine of a whole number of `cycles` in N samples.

    The sine is fitted with its offset by least squares; the residual is noise and distortion.
    """
    n = signal.size
    if n < 8 or not 0 < cycles < n / 2 or np.gcd(n, cycles) != 1:
        raise InputError(f"`cycles` must share no factor with N and lie below N/2; got {cycles} of {n}. Pass a prime.")
    angle = 2 * np.pi * cycles * np.arange(n) / n
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones(n)], axis=1)
    factors, *_ = np.linalg.lstsq(basis, signal, rcond=None)
    noise = np.mean((signal - basis @ factors) ** 2)
    power = (factors[0] ** 2 + factors[1] ** 2) / 2
    return float((10 * np.log10(power / noise) - 1.76) / 6.02)


def coherent_sine(transitions: np.ndarray, *, samples: int, cycles: int) -> np.ndarray:
    """Return a sine (samples,) [V] over the whole range: all transitions and a step beyond the outer ones."""
    step = np.mean(np.diff(transitions))
    low, high = transitions[0] - step, transitions[-1] + step
    angle = 2 * np.pi * cycles * np.arange(samples) / samples
    return (low + high) / 2 + 0.999 * (high - low) / 2 * np.sin(angle)


def conversion_energies(waves: Waveforms, params: AdcTrainParams, count: int) -> dict[str, np.ndarray]:
    """Return the energy (N,) [J] of each conversion, by source.

    `reference` charges the array; `comparator` is the latch's supply and clock; `control` drives the gates of the
    switches. The energy from the input's source and that of a digital control, which is ideal here, are left out.
    """
    v_dd = params.sar.latch.technology.v_core
    power = {
        "reference": -params.sar.v_reference * waves["i_vref"],
        "comparator": -v_dd * waves["i_vdd"] - waves["v_clk"] * waves["i_clk"],
        "control": -waves["v_sample"] * waves["i_sample"]
        - (v_dd - waves["v_sample"]) * waves["i_sample_b"]
        - sum((waves[f"v_bit_{b}"] * waves[f"i_bit_{b}"] for b in params.decided), np.zeros_like(waves["time"])),
    }
    slots = [(k * params.t_slot, (k + 1) * params.t_slot) for k in range(count)]
    return {name: np.array([integral(waves["time"], p, slot) for slot in slots]) for name, p in power.items()}


def conversion_deck(params: AdcBenchParams, v_in: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of conversions in closed loop, one for each input (N,) [V]."""
    return conversion_train(params, v_in, capacitors=draw.capacitors, dv_threshold=draw.dv_threshold)


def conversion_inputs(params: AdcBenchParams) -> np.ndarray:
    """Return the inputs (N,) [V] of the bench's own train."""
    return params.inputs


def conversions(waves: Waveforms, params: AdcBenchParams, v_in: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return code and energies of each conversion, and their mean energy."""
    energies = conversion_energies(waves, params, v_in.size)
    return {
        "code": codes(waves, params, v_in.size).astype(float),
        "energy": np.sum(list(energies.values()), axis=0),
        "energy_mean": np.mean(np.sum(list(energies.values()), axis=0)),
        **{f"energy_{source}": values for source, values in energies.items()},
    }


def conversion_normals(params: AdcBenchParams) -> int:
    """Return how many standard normals a converter takes: its latch's transistors, then its capacitors."""
    return len(NAMES) + params.sar.bits_max + 1


def conversion_draw(params: AdcBenchParams, normals: np.ndarray) -> RandomDraw:
    """Return the mismatch of latch and capacitors."""
    latch, capacitors = normals[: len(NAMES)], normals[len(NAMES) :]
    return RandomDraw(scaled_mismatch(params.sar.latch, latch), scaled_capacitors(params.sar, capacitors))


def levels_deck(params: AdcTrainParams, code: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of transition levels, one for each code (N,)."""
    return transition_train(params, draw.capacitors, codes=code)


def level_codes(params: AdcTrainParams) -> np.ndarray:
    """Return every code that begins at a transition (2^bits - 1,)."""
    return np.arange(1.0, 2**params.sar.bits)


def levels(waves: Waveforms, params: AdcTrainParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return each transition; of a train that has the outer two also the figures of the converter as a whole."""
    v_transition = transitions(waves, params, code)
    every = np.array([1, 2**params.sar.bits - 1])
    whole = code.size > 2 and np.array_equal(code[[0, -1]], every)
    return {"v_transition": v_transition} | (transfer(params.sar, code, v_transition) if whole else _NO_TRANSFER)


_NO_TRANSFER = dict.fromkeys(("step", "gain_error", "offset", "inl_max", "dnl_max", "effective_bits"), np.array(np.nan))


def transfer(sar: AdcParams, code: np.ndarray, v_transition: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of the converter as a whole from transitions (N,) [V] at codes (N,), the outer two among them.

    INL is that of the codes given, DNL that of the neighbours among them (NaN without); the sine is converted by all
    levels, those between the given ones by a straight line.
    """
    every = np.arange(1, 2**sar.bits)
    step = (v_transition[-1] - v_transition[0]) / (code[-1] - code[0])
    inl = (v_transition - v_transition[0]) / step - (code - code[0])
    dnl = np.diff(v_transition)[np.diff(code) == 1] / step - 1
    levels = np.interp(every, code, v_transition)
    sine = quantised(coherent_sine(levels, samples=_SINE_SAMPLES, cycles=_SINE_CYCLES), levels)
    return {
        "step": np.array(step),
        "gain_error": np.array(step / sar.v_step - 1),
        "offset": np.array(v_transition[0] - sar.ideal(every)[0]),
        "inl_max": np.max(np.abs(inl)),
        "dnl_max": np.max(np.abs(dnl)) if dnl.size else np.array(np.nan),
        "effective_bits": np.array(effective_bits(sine.astype(float), _SINE_CYCLES)),
    }


def noise_deck(params: AdcNoiseParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of the noise that is sampled."""
    return sampled_noise(params)


def noise(waves: Waveforms, _params: AdcNoiseParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the rms noise of x - y, which is that of the input: the plates move neither of them any more."""
    return {"v_noise": np.array(waves.measures["v_noise_total"])}


def level_normals(params: AdcTrainParams) -> int:
    """Return how many standard normals the capacitor array takes."""
    return params.sar.bits_max + 1


def level_draw(params: AdcTrainParams, normals: np.ndarray) -> RandomDraw:
    """Return the mismatch of the capacitors."""
    return RandomDraw(capacitors=scaled_capacitors(params.sar, normals))


_CONSTANTS = {
    "bits": ("sar.bits", "1"),
    "v_low": ("sar.v_low", "V"),
    "v_high": ("sar.v_high", "V"),
    "v_ref": ("sar.v_reference", "V"),
    "t_conversion": ("t_slot", "s"),
}
COMPONENTS = (
    Component(
        name="adc",
        parameters=AdcBenchParams,
        deck=conversion_deck,
        measure=conversions,
        steps=Steps("v_in", "V", "input of a conversion", conversion_inputs),
        signals={
            "code": Signal("1", "output code"),
            "energy": Signal("J", "energy of a conversion, from reference, comparator and control"),
            **{f"energy_{part}": Signal("J", f"its {part}") for part in ("reference", "comparator", "control")},
        },
        summary={"energy_mean": Signal("J", "mean energy of the train's conversions")},
        mismatch=Mismatch(conversion_normals, conversion_draw),
        constants=_CONSTANTS,
    ),
    Component(
        name="adc_levels",
        parameters=AdcTrainParams,
        deck=levels_deck,
        measure=levels,
        steps=Steps("code", "1", "code that begins at the transition", level_codes, whole=True),
        signals={"v_transition": Signal("V", "input at which the code goes up to `code`, without comparator offset")},
        summary={
            "step": Signal("V", "mean step of the transfer"),
            "gain_error": Signal("1", "its relative difference from (v_high - v_low)/2^bits"),
            "offset": Signal("V", "first transition less its ideal place"),
            "inl_max": Signal("1", "largest integral nonlinearity of the codes, in steps, line through the outer ones"),
            "dnl_max": Signal("1", "largest differential nonlinearity, in steps, of neighbours among the codes"),
            "effective_bits": Signal("1", "effective bits of a sine over the whole range"),
        },
        mismatch=Mismatch(level_normals, level_draw),
        constants=_CONSTANTS,
    ),
    Component(
        name="adc_noise",
        parameters=AdcNoiseParams,
        deck=noise_deck,
        measure=noise,
        summary={"v_noise": Signal("V", "rms noise of the sampled input, of input and common mode together")},
        step="",
        constants={name: _CONSTANTS[name] for name in ("bits", "v_low", "v_high", "v_ref")},
    ),
)
