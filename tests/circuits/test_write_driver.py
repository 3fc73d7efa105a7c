"""The write driver in transistors: gradual SET and RESET, pulse shape and energy."""

import numpy as np
import pytest

from rramkit.characterization.components.write_driver import (
    cell_energies,
    driven_conductances,
    pulse_shapes,
    supply_energies,
)
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import integral
from rramkit.circuits.write_driver import (
    DriverPulseParams,
    DriverResetParams,
    DriverWriteParams,
    driven_write,
)
from rramkit.errors import InputError

WINDOW = 95e-6  # S: from 5 to 100 uS


def written(pool, params):
    return params, pool.run(driven_write(params).text())


@pytest.fixture(scope="module")
def set_run(pool):
    return written(pool, DriverWriteParams(state=0.55, pulses=3))


@pytest.fixture(scope="module")
def reset_run(pool):
    return written(pool, DriverResetParams(pulses=3))


def test_converter_gives_its_codes_voltages(set_run, reset_run):
    for params, waves in (set_run, reset_run):
        times = [params.pulse_interval(k)[0] for k in range(params.pulses)]
        low, high = params.driver.span(params.polarity)
        step = (high - low) / 2**params.driver.converter.bits
        # Half a step: the legs' resistance beside 2R (20 kohm) is all that bends it.
        np.testing.assert_allclose(np.interp(times, waves["time"], waves["v_dac"]), params.amplitudes, atol=step / 2)


def test_set_through_the_driver(set_run):
    params, waves = set_run
    g = driven_conductances(waves, params)
    assert np.all(np.diff(g) > 0)
    assert g[0] < 10e-6 and g[-1] > 80e-6


def test_reset_through_the_driver(reset_run):
    params, waves = reset_run
    g = driven_conductances(waves, params)
    assert np.all(np.diff(g) < 0)
    assert g[0] > 70e-6 and g[-1] < 55e-6


def test_pulse_shape(set_run, reset_run):
    for params, waves in (set_run, reset_run):
        for shape in pulse_shapes(waves, params):
            assert shape.t_settle < 15e-9  # three quarters of the time it is given
            assert shape.overshoot < 0.1  # of 1 to 1.7 V
            # The loop gain's offset and the tail of its settling: measured 6 mV, less than a step of the converter.
            assert abs(shape.v_settled - shape.v_level) < 0.01
            assert shape.droop < (0.01 if params.polarity == "set" else 0.2)  # a gate takes no current, a cell does


def test_energy_comes_from_the_supplies(set_run, reset_run):
    for params, waves in (set_run, reset_run):
        supplies, cell = supply_energies(waves, params), cell_energies(waves, params)
        total = np.sum(list(supplies.values()), axis=0)
        assert np.all(cell > 0)
        assert np.all(total > cell)
        # The buffer draws its bias all the time: no less than that is what a pulse costs.
        begin, end = params.window(0)
        rest = [integral(waves["time"], -waves["i_write"], (t, t + 2e-9)) / 2e-9 for t in (begin - 15e-9,)]
        assert np.all(supplies["write"] > 0.9 * rest[0] * params.driver.v_write * (end - begin))


def test_bit_line_supply_gives_the_cells_charge(set_run):
    params, waves = set_run
    charge = np.array([integral(waves["time"], waves["i_cell"], params.window(k)) for k in range(params.pulses)])
    given = supply_energies(waves, params)["bl_set"] / params.driver.v_bl_set
    # The rest charges the bit line and the junctions behind its cells: 60 to 500 fF at 1.7 V.
    assert np.all((given - charge > 0.1e-12) & (given - charge < 0.9e-12))


def test_pulse_train_has_one_amplitude_and_saturates(pool):
    params, waves = written(pool, DriverPulseParams(state=0.55, pulses=3))
    g = driven_conductances(waves, params)
    steps = np.diff(g)
    assert np.all(steps > 0)
    assert np.all(np.diff(steps) < 0)  # the gate sets the level: each pulse adds less than the one before
    shapes = pulse_shapes(waves, params)
    assert np.ptp([shape.v_settled for shape in shapes]) < 2e-3


@pytest.mark.parametrize(
    ("model", "state"), [(DriverWriteParams, 0.7), pytest.param(DriverResetParams, 0.95, marks=pytest.mark.long)]
)
def test_halving_the_step_changes_nothing_that_matters(pool, model, state):
    g = []
    for t_step in (0.2e-9, 0.1e-9):
        params = model(pulses=1, code_first=50, code_last=50, t_step=t_step, state=state)
        g.append(driven_conductances(pool.run(driven_write(params).text()), params))
    assert abs(g[0][1] - g[0][0]) > 5e-6
    # A thousandth of the window: the deck's reltol, on a change of tens of microsiemens.
    np.testing.assert_allclose(g[1], g[0], rtol=0, atol=1e-3 * WINDOW)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"code_last": 64}, "2\\^bits - 1 = 63"),
        ({"driver": {"converter": {"bits": 4}}}, "2\\^bits - 1 = 15"),
        ({"driver": {"v_low_set": 1.6}}, "v_low must lie below"),
        ({"driver": {"lines": {"cells": 63}}}, "multiple of lumps"),
        ({"driver": {"buffer": {"c_miller": 0}}}, "driver.buffer.c_miller"),
    ],
)
def test_what_does_not_fit_is_refused(values, says):
    with pytest.raises(InputError, match=says) as caught:
        DriverWriteParams.checked(values, where="user.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.long
@pytest.mark.parametrize(("model", "state", "sign"), [(DriverWriteParams, 0.55, 1), (DriverResetParams, 0.95, -1)])
def test_forty_levels(model, state, sign):
    """Forty codes over the whole range: monotone, and at least 32 steps above what a read can tell apart."""
    with SpicePool(workers=1, timeout=900) as patient:
        params, waves = written(patient, model(state=state, pulses=40))
    g = driven_conductances(waves, params)
    steps = sign * np.diff(g)
    assert np.sum(steps > 0.1e-6) >= 32
    assert np.all(steps > 0)
