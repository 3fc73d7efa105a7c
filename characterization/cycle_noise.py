"""Cycle-to-cycle noise of the state, added after each pulse; for models whose equations offer it (Stanford/ASU).

The Stanford model's source adds N(0, 1) delta_gap(T) dt in each time step dt, so its variance over a pulse,
delta_gap^2 dt t, grows with dt. Here the gap changes by one step after each pulse, of the variance that the source has
at its own time-step bound t_ref:

    sigma^2 = t_ref integral over the pulse of gate (delta_gap/(1 + exp((t_crit - T)/t_smth)))^2 dt

`gate` is the library's smooth field threshold: no noise where the gap rests, so a read adds none (this kit's choice;
the source adds noise at rest too). Temperature and gate are the model's own (`netlists/equations/`).
"""

from collections.abc import Mapping
from math import exp

import numpy as np

from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.device import Device, DevicePulseParams, pulse_train
from rramkit.errors import InputError
from rramkit.netlists.equations import NoiseEquations, noisy_models
from rramkit.parameters import Parameters, quantity


class CycleNoise(Parameters):
    """Noise of the gap: Stanford model v1.0.0 (doi:10.4231/D37H1DN48), `t_ref` its time-step bound."""

    delta_gap: float = quantity(0.02, "m/s", "strength of the noise in a hot cell", ge=0, le=10)
    t_crit: float = quantity(450.0, "K", "temperature of half strength", ge=0, le=2000)
    t_smth: float = quantity(500.0, "K", "width of the rise with temperature", gt=0, le=5000)
    t_ref: float = quantity(1e-9, "s", "time step at which the source's noise is taken", gt=0, le=1e-6)


def gap_sigma(waves: Waveforms, params: DevicePulseParams, noise: CycleNoise) -> float:
    """Return the standard deviation [nm] that the pulse of a one-pulse train gives the gap."""
    during = waves["time"] <= 2 * params.t_rise + params.t_pulse
    pulse = waves["time"][during], waves["v_device"][during], waves["state"][during]
    return sigma_of(*pulse, device=params.device, noise=noise)


def noise_equations(device: Device) -> NoiseEquations:
    """Return what the device's model offers for this noise; raise `InputError` where it has none."""
    found = device.equations.noise
    if found is None:
        models = ", ".join(noisy_models())
        raise InputError(f"`device` must be of a model with cycle noise ({models}); got {device.model}. Fix it.")
    return found


def sigma_of(time: np.ndarray, v: np.ndarray, s: np.ndarray, *, device: Device, noise: CycleNoise) -> float:
    """Return the standard deviation [nm] that voltage (T,) [V] over a cell in states (T,) gives the gap in (T,) [s].

    Raises `InputError` for a device whose model has no such noise.
    """
    model, values = noise_equations(device), device.values
    power = [_strength(model, values, float(a), float(b), noise) ** 2 for a, b in zip(v, s, strict=True)]
    variance = noise.t_ref * np.trapezoid(power, time)  # (nm/ns)^2 s^2
    return float(np.sqrt(variance)) * 1e9


def noisy_train(
    pool: SpicePool, params: DevicePulseParams, *, rng: np.random.Generator, noise: CycleNoise | None = None
) -> np.ndarray:
    """Run a pulse train one pulse at a time, noise after each; return the state (P,) after each pulse.

    Raises
    ------
    InputError
        When the device's model has no such noise.
    SimulationError
        Of the first pulse that gives no complete result.
    """
    noise, span = noise or CycleNoise(), noise_equations(params.device).span(params.device.values)
    state, states = params.state, []
    for amplitude in params.v_pulse:
        one = params.model_copy(update={"state": state, "v_pulse": (amplitude,)})
        waves = pool.run(pulse_train(one).text())
        step = gap_sigma(waves, one, noise) / span * rng.standard_normal()
        state = float(np.clip(waves["state"][-1] + step, 0.0, 1.0))
        states.append(state)
    return np.array(states)


def _strength(model: NoiseEquations, values: Mapping[str, float], v: float, s: float, noise: CycleNoise) -> float:
    """Return the noise's strength [nm/ns] at a voltage over the cell and a state, the square root of the gate in it."""
    kelvin, gate = model.temperature(values, v, s), model.gate(values, v, s)
    return noise.delta_gap * gate**0.5 / (1 + exp((noise.t_crit - kelvin) / noise.t_smth))
