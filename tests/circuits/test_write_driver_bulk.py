"""The b-RRAM written through the driver in transistors: SET by the bit line's voltage, RESET by the source line's."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from rramkit.characterization.components.disturb import disturbances
from rramkit.characterization.components.write_driver import (
    cell_energies,
    driven_conductances,
    pulse_shapes,
    supply_energies,
)
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import integral
from rramkit.circuits.disturb import DisturbBenchParams, write_disturb
from rramkit.circuits.write_driver import DriverResetParams, DriverWriteParams, driven_write
from rramkit.circuits.write_verify import WriteVerifyParams, write_verify

EXAMPLES = Path(__file__).parents[2] / "examples" / "driver"
MODELS = {"set": DriverWriteParams, "reset": DriverResetParams}
SIGNS = {"set": 1, "reset": -1}
WINDOW = 36e-6  # S: from 4 to 40 uS


def example(polarity, **changes):
    path = EXAMPLES / f"bulk_{polarity}.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8")) | changes
    return MODELS[polarity].checked(values, where=path.name)


def written(pool, params):
    return params, pool.run(driven_write(params).text())


@pytest.fixture(scope="module", params=["set", "reset"])
def run(request, pool):
    return written(pool, example(request.param, pulses=3, t_pulse=50e-9))


def test_few_pulses_walk_most_of_the_window(run):
    params, waves = run
    g = driven_conductances(waves, params)
    steps = SIGNS[params.polarity] * np.diff(g)
    assert np.all(steps > 0)
    # RESET: the access transistor, a follower then, passes at most 1.7 V, and the barrier rises as the state falls.
    assert np.sum(steps) > (0.8 if params.polarity == "set" else 0.5) * WINDOW


def test_stepped_line_follows_its_code(run):
    params, waves = run
    for shape in pulse_shapes(waves, params):
        # Three codes over the whole span: slewing 0.7 V takes longer than a staircase's steps. A step is 23 or 16 mV.
        assert abs(shape.v_settled - shape.v_level) < 0.023
        assert shape.t_settle < 2 / 3 * params.driver.t_lead  # two thirds of the time it is given: 20 ns
        # 0.3 mA of a cell at 3 V through a leg whose NMOS is off there and a buffer that answers in 10 ns.
        assert shape.droop < 0.25


def test_word_line_closes_between_pulse_and_read(run):
    params, waves = run
    for index in range(params.pulses):
        begin, end = params.pulse_interval(index)[1], params.read_interval(index + 1)[0]
        between = (waves["time"] > begin) & (waves["time"] < end)
        assert np.min(waves["v_wl"][between]) < 0.1


def test_energy_comes_from_the_supplies(run):
    params, waves = run
    total = np.sum(list(supply_energies(waves, params).values()), axis=0)
    cell = cell_energies(waves, params)
    assert np.all(cell > 0)
    assert np.all(total > cell)
    # The buffer draws its bias all the time: no less than that is what a pulse costs.
    begin, end = params.window(0)
    rest = integral(waves["time"], -waves["i_write"], (begin - 15e-9, begin - 13e-9)) / 2e-9
    assert np.all(total > 0.9 * rest * params.driver.v_write * (end - begin))


@pytest.mark.long
def test_halving_the_step_changes_nothing_that_matters(pool):
    g = []
    for t_step in (0.5e-9, 0.25e-9):
        params, waves = written(pool, example("set", pulses=1, code_first=32, code_last=32, t_step=t_step))
        g.append(driven_conductances(waves, params))
    assert g[0][1] - g[0][0] > 5e-6
    np.testing.assert_allclose(g[1], g[0], rtol=0, atol=1e-3 * WINDOW)


@pytest.mark.long
def test_neighbours_of_a_stepped_bit_line_stand_still(pool):
    """The column sees the stepped bit line behind closed gates, the row an open gate between two grounded lines."""
    values = example("set", pulses=2).model_dump()
    params = DisturbBenchParams.checked(values | {"code_first": 63, "code_last": 63}, where="here")
    waves = pool.run(write_disturb(params).text())
    for change in disturbances(waves, params).values():
        assert 1000 * np.max(np.abs(change)) < 1e-3
    assert waves["state"][-1] > 0.5  # the written cell, meanwhile, is written


@pytest.mark.long
def test_write_verify_steps_the_bit_line_until_the_target(pool):
    """The loop withholds the word line's pulse here, not the bit line's: after the target nothing moves."""
    values = example("set", pulses=4).model_dump() | {"g_target": 10e-6, "code_first": 8, "t_read": 40e-9}
    params = WriteVerifyParams.checked(values, where="here")
    waves = pool.run(write_verify(params).text())
    divider = np.array([waves.measures[f"v_divider_{k}"] for k in range(params.pulses + 1)])
    g = (2 * params.driver.v_read - divider) / divider * params.g_target
    t_done = waves.measures["t_done"]
    stop = [k for k in range(params.pulses + 1) if params.strobe(k)[0] < t_done < params.strobe(k)[1] + 1e-9]
    assert len(stop) == 1 and 0 < stop[0] < params.pulses
    assert np.all(g[: stop[0]] < params.g_target) and g[stop[0]] > params.g_target
    state = np.interp([params.read_interval(stop[0])[1], params.t_stop], waves["time"], waves["state"])
    assert abs(state[1] - state[0]) < 1e-3  # of the range: later codes still stand on the bit line, behind a shut gate


@pytest.mark.long
@pytest.mark.parametrize("polarity", ["set", "reset"])
def test_thirty_six_levels(polarity):
    """Thirty-six codes over the whole span: monotone, and at least 32 steps above what a read can tell apart."""
    with SpicePool(workers=1, timeout=900) as patient:
        params, waves = written(patient, example(polarity, pulses=36))
    steps = SIGNS[polarity] * np.diff(driven_conductances(waves, params))
    assert np.all(steps > 0)
    assert np.sum(steps > 0.1e-6) >= 32
