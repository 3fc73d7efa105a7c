"""The ReRAM library against its published equations: in closed form, and integrated by SciPy, the filament clipped."""

import numpy as np
import pytest
from fixtures.closeness import near
from oracles import sky130_clipped as published

from rramkit import netlists
from rramkit.characterization.components.cell import read_conductances
from rramkit.circuits.cell import WriteParams, write_staircase
from rramkit.circuits.device import Device, DevicePulseParams, pulse_train

R_SERIES = 5e3  # ohm: stands for the transistor
WIDTH, RISE, REST = 50.0, 1.0, 5.0  # ns


def pulsed(pool, state, v_pulses, *, width_ns=WIDTH, r_series=R_SERIES):
    """Return waveforms of a train, and the state after each pulse that the published equations give."""
    params = DevicePulseParams(
        device=Device(model="sky130"),
        state=state,
        v_pulse=v_pulses,
        r_series=r_series,
        t_pulse=width_ns * 1e-9,
        t_step=0.05e-9,
    )
    expected = published.state_after(state, v_pulses, width_ns=width_ns, rise_ns=RISE, rest_ns=REST, r_series=r_series)
    return pool.run(pulse_train(params).text()), expected


@pytest.mark.parametrize(("state", "siemens"), [(1.0, 99e-6), (0.0, 0.29e-6)])
def test_read_conductance_anchors(pool, state, siemens):
    """The two anchors that follow from the published equations at 0.1 V, given to two digits, the second one cut."""
    deck = f"r\n{netlists.text(netlists.RRAM_SKY130)}\nV1 a 0 0.1\nX1 a 0 rram_sky130_held s_0={state}\n.op\n.end\n"
    i = -pool.run(deck)["i(v1)"][0]
    # gmin (1e-12 S) adds 3e-6 to the smaller of them
    assert i == near(published.current(0.1, state), 1e-5)
    assert i / 0.1 == near(siemens, 0.03)


@pytest.mark.parametrize(
    ("state", "v_pulse"),
    [(0.6, 1.9), (0.6, 2.0), (0.7, 2.2), (0.8, 2.4), (0.9, 2.6), (0.7, -1.8), (0.95, -2.4), (0.5, 1.2)],
)
def test_state_after_a_pulse_against_scipy(pool, state, v_pulse):
    waves, expected = pulsed(pool, state, (v_pulse,))
    # 0.1 % of the state's range, on changes of up to 30 %: the step error of gear at 0.05 ns is a tenth of it
    assert waves["state"][-1] == near(expected[-1], within=1e-3)
    if abs(v_pulse) > 1.5:
        assert abs(expected[-1] - state) > 0.01  # the pulse does something, so the comparison means something


def test_strong_pulses_stop_at_the_bounds(pool):
    """Through 1 kohm, 3 V SET and RESET the cell completely; the published filament stops at its limits."""
    waves, expected = pulsed(pool, 0.4, (3.0, 0.1, -3.0, 0.1), r_series=1000.0)
    np.testing.assert_allclose(expected, [1, 1, 0, 0], rtol=0, atol=1e-6)
    found = [waves.measures[f"state_{k}"] for k in range(4)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)  # a tenth of the window's width
    assert np.min(waves["state"]) > -1e-3 and np.max(waves["state"]) < 1 + 1e-3  # of one step, while it is hot


@pytest.mark.parametrize(("state", "v_pulse"), [(0.98, 2.1), (0.98, 2.06), (0.97, 2.1)])
def test_the_way_to_the_bound_is_as_published(pool, state, v_pulse):
    """Near the limit the filament has its full speed: a window of 1 % would be late by 0.1 to 0.3 % of the range."""
    waves, expected = pulsed(pool, state, (v_pulse,), width_ns=10.0, r_series=3e3)
    assert waves["state"][-1] == near(expected[-1], within=1e-4)  # the step error; the window acts above 0.998
    assert abs(expected[-1] - state) > 0.01


def test_skywater_set_reads_as_a_cell_in_state_1(pool):
    """SkyWater's published SET of a 1T1R (word line 1.7 V, bit line 2.4 V, 1 us), twice: no pulse leads past 1."""
    skywater = {"v_first": 1.7, "v_last": 1.71, "pulses": 2, "pulse": {"v_bl_set": 2.4, "t_pulse": 1e-6}}
    waves = pool.run(write_staircase(params := WriteParams.checked({"state": 0.3} | skywater, where="test")).text())
    g = read_conductances(waves, params)
    idle = WriteParams.checked({"state": 1.0, "v_first": 0.0, "pulses": 1}, where="test")
    at_bound = read_conductances(pool.run(write_staircase(idle).text()), idle)[0]
    np.testing.assert_allclose(g[1:], at_bound, rtol=1e-3)  # two reads settled to reltol, 1e-4
    assert np.max(waves["state"]) < 1 + 1e-3


def test_reading_moves_nothing(pool):
    """1 us at 0.2 V, a hundred reads long, moves the state by less than 1e-8 of its range."""
    params = DevicePulseParams(
        device=Device(model="sky130"), state=0.8, v_pulse=(0.2,), t_pulse=1e-6, t_step=0.05e-9, t_rest=2e-9
    )
    assert abs(pool.run(pulse_train(params).text())["state"][-1] - 0.8) < 1e-8
