"""The write driver in transistors: gradual SET and RESET, pulse shape and energy."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components import write_driver
from rramkit.characterization.components.write_driver import (
    cell_energies,
    driven_conductances,
    pulse_shapes,
    supply_energies,
)
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.plan import Plan, PulseAxis
from rramkit.characterization.waveforms import integral
from rramkit.circuits.cell import Polarity
from rramkit.circuits.write_driver import (
    DriverPulseParams,
    DriverResetParams,
    DriverWriteParams,
    WriteDriverParams,
    driven_write,
)
from rramkit.errors import InputError

WINDOW = 95e-6  # S: from 5 to 100 uS


def written(pool, params):
    return params, pool.run(driven_write(params).text())


def _step(params):
    low, high = params.driver.span(params.polarity)
    return (high - low) / 2**params.driver.converter.bits


@pytest.fixture(scope="module")
def set_run(pool):
    return written(pool, DriverWriteParams(state=0.55, pulses=3))


@pytest.fixture(scope="module")
def reset_run(pool):
    return written(pool, DriverResetParams(pulses=3))


def test_converter_gives_its_codes_voltages(set_run, reset_run):
    for params, waves in (set_run, reset_run):
        times = [params.pulse_interval(k)[0] for k in range(params.pulses)]
        # A fifth of a step: the legs' resistance beside 2R (80 kohm) is all that bends it.
        reached = np.interp(times, waves["time"], waves["v_dac"])
        np.testing.assert_allclose(reached, params.amplitudes, atol=_step(params) / 5)


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
            assert shape.t_settle < 20e-9  # two thirds of the time it is given
            assert shape.overshoot < 0.1  # of 1 to 1.7 V
            # The loop gain's offset and the tail of its settling: half a step, so that a code is nearest its own level.
            assert abs(shape.v_settled - shape.v_level) < _step(params) / 2
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


def test_tables_amplitudes_are_the_drivers_codes():
    """`set` and `reset` are asked at what the driver makes: amplitude k of a table is code k."""
    driver, plan = WriteDriverParams(), Plan()
    cases: tuple[tuple[Polarity, PulseAxis], ...] = (("set", plan.set), ("reset", plan.reset))
    for polarity, axis in cases:
        levels = [driver.amplitude(code, polarity) for code in range(2**driver.converter.bits)]
        table = axis.v_first + axis.v_step * np.arange(len(levels))
        np.testing.assert_allclose(table, levels, rtol=0, atol=1e-12)
        assert axis.v_last == near(levels[-1], within=1e-12)
    assert plan.pulse.v_bl_set == driver.v_bl_set and plan.pulse.v_wl_reset == driver.v_write
    assert plan.pulse.t_pulse == DriverWriteParams().t_pulse


@pytest.mark.parametrize("model", [DriverWriteParams, DriverResetParams])
def test_driver_is_measured_on_a_load(pool, model):
    """The resistances times the cell's current are what each driver loses; the rest of the drop is the wires'."""
    params = model(t_step=1e-9, state=0.95)
    code = np.array([30.0])
    train = write_driver.code_train(params, code)
    waves = pool.run(write_driver.deck(params, code, RandomDraw()).text())
    found = {name: float(values[0]) for name, values in write_driver.measure(waves, params, code).items()}
    wires = params.driver.lines.cells * params.driver.lines.r_segment
    v_far = np.interp(train.pulse_interval(0)[1], waves["time"], waves["v_bl"] - waves["v_sl"])
    source, bit = found["r_source"] + wires, found["r_bit"] + wires
    given = params.driver.v_bl_set if params.polarity == "set" else found["v_settled"]
    # Through the row's open cells a part of the current takes another way than the source line: 10 % of the drop.
    lost = (source + bit) * found["i_end"]
    assert given - abs(v_far) == near(lost, rel=0.15, within=1e-3)
    assert found["energy"] > found["energy_cell"] > 0
    assert found["i_end"] > 50e-6


def test_inhibited_bit_lines_cost_their_charge(pool):
    """C V^2 from the inhibit rail, which does not take back: twice the capacitance, twice the energy."""
    energies = []
    for c_cell in (5e-15, 10e-15):
        params = DriverResetParams.checked(
            {"t_step": 1e-9, "driver": {"lines": {"cells": 32, "c_inhibited": c_cell}}}, where="here"
        )
        code = np.array([20.0])
        waves = pool.run(write_driver.deck(params, code, RandomDraw()).text())
        energies.append(float(write_driver.measure(waves, params, code)["energy_inhibit"][0]))
    v = params.driver.amplitude(20, "reset")
    # The rail follows the converter, whose overshoot of up to a tenth it charges and does not take back.
    assert energies[1] - energies[0] == near(5e-15 * 32 * 31 * v**2, rel=0.1)


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
    below = g[1:] < 0.999 * np.max(g)  # in SET the last codes find the filament at its limit, where it stays
    assert np.all(steps[below] > 0) and np.all(steps > -1e-4 * np.max(g))  # a read is settled to reltol
