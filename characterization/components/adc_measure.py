"""Numbers out of converters: codes, transition levels, DNL, INL, effective bits, energy a conversion."""

import numpy as np

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.adc import AdcTrainParams
from rramkit.errors import InputError, SimulationError


def codes(waves: Waveforms, params: AdcTrainParams, count: int) -> np.ndarray:
    """Return the code (N,) of each of the first `count` conversions; raise where a register stands half-way."""
    sar = params.sar
    times = [params.t_code(index) for index in range(count)]
    decided = range(sar.bits_max - sar.bits, sar.bits_max)
    q = np.array([np.interp(times, waves["time"], waves[f"v(q_{bit})"]) for bit in decided])
    if np.any(np.abs(q - 0.5) < 0.3):
        raise SimulationError("incomplete", f"a register of the SAR stands between 0 and 1: {q.round(2).tolist()}")
    return (2 ** np.arange(sar.bits)) @ (q > 0.5)


def transitions(waves: Waveforms, params: AdcTrainParams, codes: np.ndarray | None = None) -> np.ndarray:
    """Return the inputs (N,) [V] at which the code goes up to each of `codes`, from a run of `transition_train`."""
    sar = params.sar
    ideal = (np.arange(1, 2**sar.bits) if codes is None else codes) * sar.v_ref / 2**sar.bits
    times = [params.t_code(index) for index in range(ideal.size)]
    return ideal - np.interp(times, waves["time"], waves["v(residue)"])


def nonlinearity(transitions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return DNL (L - 2,) and INL (L - 1,) in steps, of L - 1 transitions, along the line through the outer two."""
    steps = np.diff(transitions)
    step = np.mean(steps)
    inl = (transitions - transitions[0]) / step - np.arange(transitions.size)
    return steps / step - 1, inl


def quantised(v_in: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Return the code of each input: how many transitions lie below it."""
    return np.searchsorted(np.sort(transitions), v_in)


def effective_bits(signal: np.ndarray, cycles: int) -> float:
    """Return (SINAD - 1.76 dB)/6.02 dB of a sampled sine of a whole number of `cycles` in N samples.

    The sine is fitted with its offset by least squares; all that is left is noise and distortion.
    """
    n = signal.size
    if n < 8 or not 0 < cycles < n / 2 or np.gcd(n, cycles) != 1:
        raise InputError(f"`cycles` must share no factor with N and lie below N/2; got {cycles} of {n}. Take a prime.")
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
    switches. What the input's source gives is not in it, nor a digital control, which is ideal here.
    """
    sar = params.sar
    decided = range(sar.bits_max - sar.bits, sar.bits_max)
    power = {
        "reference": -sar.v_ref * waves["i(v_vref)"],
        "comparator": -sar.latch.technology.v_core * waves["i(v_vdd)"] - waves["v(clk)"] * waves["i(v_clk)"],
        "control": -waves["v(sample)"] * waves["i(v_sample)"]
        - (sar.latch.technology.v_core - waves["v(sample)"]) * waves["i(b_sample_b)"]
        - sum((waves[f"v(bit_{b})"] * waves[f"i(b_bit_{b})"] for b in decided), np.zeros_like(waves["time"])),
    }
    slots = [(k * params.t_slot, (k + 1) * params.t_slot) for k in range(count)]
    return {name: np.array([integral(waves["time"], p, slot) for slot in slots]) for name, p in power.items()}
