"""Cycle-to-cycle noise of the Stanford/ASU cell, added to the gap after each pulse.

The source adds N(0, 1) delta_gap(T) dt in each time step dt, so its variance over a pulse, delta_gap^2 dt t, grows with
dt. Here the gap takes one step after each pulse, of the variance that the source has at its own time-step bound t_ref:

    sigma^2 = t_ref integral over the pulse of gate (delta_gap/(1 + exp((t_crit - T)/t_smth)))^2 dt

`gate` is the library's smooth field threshold: where nothing moves, nothing is noisy, and a read adds no noise (this
kit's choice; the source adds noise at rest too).
"""

from collections.abc import Mapping
from math import exp, tanh

import numpy as np

from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.equations import stanford
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.device import DevicePulseParams, pulse_train
from rramkit.errors import InputError
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
    seen = waves["time"][during], waves["v_device"][during], waves["state"][during]
    return sigma_of(*seen, values=params.device.values, noise=noise)


def sigma_of(
    time: np.ndarray, v: np.ndarray, s: np.ndarray, *, values: Mapping[str, float], noise: CycleNoise
) -> float:
    """Return the standard deviation [nm] that voltage (T,) [V] over a cell in states (T,) gives the gap in (T,) [s]."""
    power = [_strength(values, float(a), float(b), noise) ** 2 for a, b in zip(v, s, strict=True)]
    variance = noise.t_ref * np.trapezoid(power, time)  # (nm/ns)^2 s^2
    return float(np.sqrt(variance)) * 1e9


def noisy_train(
    pool: SpicePool, params: DevicePulseParams, *, rng: np.random.Generator, noise: CycleNoise | None = None
) -> np.ndarray:
    """Run a pulse train one pulse at a time, noise after each; return the state (P,) after each pulse.

    Raises
    ------
    InputError
        When the device is not of the Stanford model.
    SimulationError
        Of the first pulse that gives no complete result.
    """
    if params.device.model != "stanford":
        raise InputError(f"`device` must be a stanford device for this noise; got {params.device.model}. Change it.")
    values, noise = params.device.values, noise or CycleNoise()
    span, state, states = values["gap_max"] - values["gap_min"], params.state, []
    for amplitude in params.v_pulse:
        one = params.model_copy(update={"state": state, "v_pulse": (amplitude,)})
        waves = pool.run(pulse_train(one).text())
        step = gap_sigma(waves, one, noise) / span * rng.standard_normal()
        state = float(np.clip(waves["state"][-1] + step, 0.0, 1.0))
        states.append(state)
    return np.array(states)


def _strength(values: Mapping[str, float], v: float, s: float, noise: CycleNoise) -> float:
    """Return the noise's strength [nm/ns] at a voltage over the cell and a state, the square root of the gate in it."""
    kelvin = stanford.temperature(values, v, s)
    gate = 0.5 * (1 + tanh((stanford.local_field(values, v, s) - values["f_min"]) / stanford.FIELD_WIDTH))
    return noise.delta_gap * gate**0.5 / (1 + exp((noise.t_crit - kelvin) / noise.t_smth))
