"""Cycle-to-cycle noise that no time step changes, and device-to-device spread drawn in Python."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.cycle_noise import CycleNoise, gap_sigma, noisy_train
from rramkit.characterization.reference import state_after
from rramkit.circuits.device import Device, DevicePulseParams, pulse_train, spread_devices
from rramkit.errors import InputError

PULSE = DevicePulseParams(device=Device(model="stanford"), state=0.5, r_series=1e3, v_pulse=(-1.4,), t_step=0.1e-9)


def sigma(pool, noise, **changed):
    params = PULSE.model_copy(update=changed)
    return gap_sigma(pool.run(pulse_train(params).text()), params, noise)


def test_noise_does_not_depend_on_the_time_step(pool):
    coarse, fine = (sigma(pool, CycleNoise(), t_step=t_step) for t_step in (0.1e-9, 0.02e-9))
    # Noise in each step would differ by sqrt(5); the trapezoidal rule over edges of ten steps differs by 1 %.
    assert fine == near(coarse, 0.01)


def test_noise_of_a_plateau_in_closed_form(pool):
    """A pulse that leaves the state where it is: T and the gate stand still, and sigma = delta sqrt(t_ref t)."""
    noise = CycleNoise(delta_gap=0.02, t_crit=0.0, t_smth=1.0)  # full strength at any temperature
    found = sigma(pool, noise, state=0.0, v_pulse=(-1.6,), t_pulse=100e-9, t_rise=0.1e-9, t_step=0.1e-9)
    # 0.2 % for the two edges of 0.1 ns, during part of which the field lies below the threshold
    assert found == near(0.02 * np.sqrt(1e-9 * 100e-9) * 1e9, 2e-3)


def test_a_read_adds_no_noise(pool):
    assert sigma(pool, CycleNoise(), v_pulse=(0.2,)) < 1e-9  # nm


def test_no_noise_is_the_plain_train(pool):
    params = PULSE.model_copy(update={"v_pulse": (-1.4, -1.5, 1.8)})
    states = noisy_train(pool, params, rng=np.random.default_rng(1), noise=CycleNoise(delta_gap=0))
    np.testing.assert_allclose(states, state_after(params), rtol=0, atol=1e-3)


def test_noise_is_seeded_and_has_its_size(pool):
    plain = noisy_train(pool, PULSE, rng=np.random.default_rng(0), noise=CycleNoise(delta_gap=0))[0]
    runs = [noisy_train(pool, PULSE, rng=np.random.default_rng(seed))[0] for seed in (*range(60), 0)]
    assert runs[0] == runs[-1] and runs[0] != runs[1]
    expected = sigma(pool, CycleNoise()) / 1.5  # of the gap's range
    # 60 samples: the sample's deviation scatters by 1/sqrt(120) = 9 %; three of those
    assert np.std(np.array(runs[:60]) - plain) == near(expected, 0.28)


def test_noise_belongs_to_the_stanford_cell(pool):
    with pytest.raises(InputError, match=r"a model with cycle noise \(stanford\)"):
        noisy_train(pool, DevicePulseParams(), rng=np.random.default_rng(1))


def test_spread_stays_within_its_limits_and_is_seeded():
    devices = spread_devices(Device(model="jart"), 400, rng=np.random.default_rng(3))
    again = spread_devices(Device(model="jart"), 400, rng=np.random.default_rng(3))
    assert devices == again
    for name, low, high, mean in (("r_fil", 40.5, 49.5, 45), ("l_disc", 0.36, 0.44, 0.4), ("n_max", 18, 22, 20)):
        values = np.array([device.values[name] for device in devices])
        assert low <= values.min() and values.max() <= high
        # symmetric limits: the mean of 400 scatters by less than the range/sqrt(12)/20; three of those
        assert values.mean() == near(mean, within=3 * (high - low) / np.sqrt(12) / 20)
        assert values.std() > (high - low) / 10


def test_spread_devices_differ_in_spice_as_in_scipy(pool):
    for device in spread_devices(Device(model="jart"), 3, rng=np.random.default_rng(5)):
        params = DevicePulseParams(device=device, state=0.1, r_series=500.0, v_pulse=(0.95, -1.5), t_step=0.05e-9)
        found = pool.run(pulse_train(params).text())["state"][-1]
        assert found == near(state_after(params)[-1], within=1e-3)


def test_a_model_without_spread_says_so():
    with pytest.raises(InputError, match="published spread"):
        spread_devices(Device(), 2, rng=np.random.default_rng(1))
