"""The write driver in transistors: its parts, gradual SET and RESET through it, the closed loop, the neighbours."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.components.write_driver_measure import (
    cell_energies,
    disturbances,
    driven_conductances,
    pulse_shapes,
    supply_energies,
)
from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits.cell import CellParams
from rramkit.circuits.cell_bench import write_staircase
from rramkit.circuits.disturb import DisturbBenchParams, half_select, write_disturb
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver_bench import DriverPulseParams, DriverResetParams, DriverWriteParams, driven_write
from rramkit.circuits.write_legs import SwitchParams
from rramkit.circuits.write_verify import WriteVerifyParams, write_verify
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


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
@pytest.mark.parametrize(("v_core", "v_io"), [(1.0, 3.3), (1.0, 3.6), (0.9, 3.6)])
def test_level_shifter_at_every_corner(pool, corner, v_core, v_io):
    technology = Technology(corner=corner, v_core=v_core, v_io=v_io)
    found = pool.run(level_shifter_bench(LevelShifterBench(technology=technology)).text()).measures
    assert found["v_high"] == pytest.approx(v_io, abs=1e-3)
    assert found["v_low"] == pytest.approx(0, abs=1e-3)
    # The dead time between a pull-down and a leg must cover the slowest edge. At 0.9 V the pull-down's overdrive is
    # 0.15 V, at the slow corner 0.12 V: there an edge takes nearly all of it, else four fifths at the most. What counts
    # for an overlap is how much later one goes than the other rises, as both pass a shifter: half of it, everywhere.
    slowest = SwitchParams().t_dead * (0.95 if v_core < 1 else 0.8)
    assert 0 < found["t_up"] < slowest and 0 < found["t_down"] < slowest
    assert abs(found["t_down"] - found["t_up"]) < SwitchParams().t_dead / 2


def test_level_shifter_charges_its_load_once_a_cycle(pool):
    charges = []
    for c_load in (20e-15, 60e-15):
        params = LevelShifterBench(c_load=c_load)
        charges.append(-pool.run(level_shifter_bench(params).text()).measures["q_io"])
    # Each of the two outputs rises once: 2 C V. The crowbar current of the cross-coupled pair changes with the load
    # too: 3.2 % measured.
    assert charges[1] - charges[0] == near(2 * 40e-15 * 3.3, rel=0.05)


def test_converter_gives_its_codes_voltages(set_run, reset_run):
    for params, waves in (set_run, reset_run):
        times = [params.pulse_interval(k)[0] for k in range(params.pulses)]
        low, high = params.driver.span(params.polarity)
        step = (high - low) / 2**params.driver.converter.bits
        # Half a step: the legs' resistance beside 2R (20 kohm) is all that bends it.
        np.testing.assert_allclose(np.interp(times, waves["time"], waves["v(dac)"]), params.amplitudes, atol=step / 2)


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
        rest = [integral(waves["time"], -waves["i(v_write)"], (t, t + 2e-9)) / 2e-9 for t in (begin - 15e-9,)]
        assert np.all(supplies["write"] > 0.9 * rest[0] * params.driver.v_write * (end - begin))


def test_bit_line_supply_gives_the_cells_charge(set_run):
    params, waves = set_run
    charge = np.array([integral(waves["time"], waves["i(v_cell)"], params.window(k)) for k in range(params.pulses)])
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


@pytest.mark.parametrize("g_target", [40e-6, pytest.param(15e-6, marks=pytest.mark.long)])
def test_write_verify_stops_at_its_target(pool, g_target):
    check_verify(pool, WriteVerifyParams(state=0.55, g_target=g_target, pulses=4), rising=True)


@pytest.mark.long
@pytest.mark.parametrize("g_target", [30e-6, 50e-6])
def test_write_verify_in_reset(pool, g_target):
    check_verify(pool, WriteVerifyParams(polarity="reset", state=0.95, g_target=g_target, pulses=8), rising=False)


def check_verify(pool, params, *, rising):
    waves = pool.run(write_verify(params).text())
    t_done = waves.measures["t_done"]
    reads = [k for k in range(params.pulses + 1) if params.strobe(k)[0] < t_done < params.strobe(k)[1] + 1e-9]
    assert len(reads) == 1  # the latch moves in a strobe and at no other time
    stop = reads[0]
    assert 0 < stop < params.pulses  # a loop that never or always stops would pass otherwise
    divider = np.array([waves.measures[f"v_divider_{k}"] for k in range(params.pulses + 1)])
    g = (2 * params.driver.v_read - divider) / divider * params.g_target
    beyond = g > params.g_target if rising else g < params.g_target
    # The comparator's own systematic offset may be mistaken by 2 mV of 100 mV: 4 % of the target.
    slack = 0.04 * params.g_target
    assert np.all(beyond[stop:] | (abs(g[stop:] - params.g_target) < slack))
    assert not np.any(beyond[:stop] & (abs(g[:stop] - params.g_target) > slack))
    state = np.interp([params.read_interval(stop)[1], params.t_stop], waves["time"], waves["v(s)"])
    assert abs(state[1] - state[0]) < 1e-6  # and no pulse comes after


@pytest.mark.parametrize(("polarity", "state"), [("set", 0.5), ("reset", 0.95)])
def test_gated_neighbours_stand_still(pool, polarity, state):
    """A full-amplitude pulse moves them by less than 1e-11 of the range; a thousand stay 1e-4 of the limit of 1e-3.

    Resolution: the state's leak of 1e15 ohm, 1e-13 a slot. Every pulse brings the same, so that a thousand are a
    thousandfold; `test_half_select_adds_up` shows over a hundred pulses, where there is something to see, that it is.
    """
    params = DisturbBenchParams(polarity=polarity, state=state, pulses=2)
    waves = pool.run(write_disturb(params).text())
    changes = disturbances(waves, params)
    assert len(changes) == 2 * len(params.states)
    for change in changes.values():
        assert np.all(np.abs(change) < 1e-11)
        assert 1000 * np.max(np.abs(change)) < 1e-3
    assert abs(waves["v(s)"][-1] - state) > 0.1  # the written cell, meanwhile, is written


@pytest.mark.parametrize(("polarity", "v_line"), [("set", 1.7), ("reset", 2.0)])
def test_half_select_adds_up(pool, polarity, v_line):
    """At V/2 without gating the state creeps, in proportion to the number of pulses."""
    per_pulse = []
    for pulses in (5, 100):
        params = half_select(CellParams(), polarity=polarity, v_line=v_line, state=0.95, pulses=pulses)
        waves = pool.run(write_staircase(params).text())
        per_pulse.append((waves["v(s)"][-1] - 0.95) / pulses)
    assert per_pulse[1] == pytest.approx(per_pulse[0], rel=1e-2)
    assert np.sign(per_pulse[1]) == (1 if polarity == "set" else -1)
    assert 1e-10 < abs(per_pulse[1]) < 1e-6  # 1,000 pulses: 6e-6 in SET, 5e-4 in RESET


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"code_last": 64}, "2\\^bits - 1 = 63"),
        ({"driver": {"converter": {"bits": 4}}}, "2\\^bits - 1 = 15"),
        ({"driver": {"v_low_set": 1.6}}, "v_low must lie below"),
        ({"driver": {"lines": {"cells": 63}}}, "multiple of lumps"),
        ({"driver": {"buffer": {"c_miller": 0}}}, "driver.buffer.c_miller"),
        ({"states": [0.5, 1.5]}, "less than or equal to 1"),
    ],
)
def test_what_does_not_fit_is_refused(values, says):
    with pytest.raises(InputError, match=says) as caught:
        DisturbBenchParams.checked({"code_first": 0, **values}, where="user.toml") if "states" in values else (
            DriverWriteParams.checked(values, where="user.toml")
        )
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
