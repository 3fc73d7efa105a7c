"""The readout with its clamp amplifier: gain, linearity, clamp, stability, both modes."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.readout import gain_and_linearity, loop_gain, phase_margin, reads
from rramkit.circuits import readout
from rramkit.circuits.ota import OtaParams
from rramkit.circuits.readout import ReadoutBenchParams, ReadoutParams, read_train
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

INTEGRATING = ReadoutParams(mode="integrating")


def train(pool, **given):
    params = ReadoutBenchParams(**given)
    return params, reads(pool.run(read_train(params).text()), params)


def margin(pool, params):
    frequency, gain = loop_gain(pool.run(readout.loop_gain(params).text()))
    return (*phase_margin(frequency, gain), abs(gain[0]))


def test_transimpedance_is_the_feedback_resistor(pool):
    params, found = train(pool)
    gain, residual = gain_and_linearity(found.i_in, found.v_out)
    r_feedback = params.readout.r_feedback
    # out - bl = i r_feedback is Ohm's law; the clamp's own movement is what the loop gain of 100 leaves.
    np.testing.assert_allclose(
        found.v_out - (found.v_error - found.v_error[0]),
        (found.i_in - found.i_in[0]) * r_feedback,
        rtol=1e-3,
        atol=1e-6,
    )
    assert gain == near(r_feedback, 0.01)
    assert residual < 0.1 / 64  # a tenth of a step of the 6-bit converter behind it
    assert np.max(np.abs(found.v_error)) < 0.01 * params.v_max  # the clamp costs an input less than a hundredth
    # Ohm's law on the other side: what the cells and the line draw.
    expected = (params.inputs + found.v_error) / (1 / params.g_cells + params.r_line)
    np.testing.assert_allclose(found.i_in, expected, rtol=1e-3, atol=1e-9)


def test_the_loop_gain_tells_the_clamps_error(pool):
    params, found = train(pool)
    _, _, at_dc = margin(pool, params)
    # v_error = -v_out/A and T = A/(1 + r_feedback/(r_cells + r_line)); A is that of the resting point, and the second
    # stage's falls with its current at full output: a quarter.
    divider = 1 + params.readout.r_feedback / (1 / params.g_cells + params.r_line)
    gain = -found.v_out[-1] / (found.v_error[-1] - found.v_error[0])
    assert gain / divider == near(at_dc, 0.25)


@pytest.mark.parametrize("block", [ReadoutParams(), INTEGRATING], ids=["transimpedance", "integrating"])
def test_it_is_stable_with_its_line(pool, block):
    for c_line in (10e-15, 100e-15):
        degrees, frequency, _ = margin(pool, ReadoutBenchParams(readout=block, c_line=c_line))
        assert degrees > 55  # a second-order loop then overshoots by less than 13 %
        assert 50e6 < frequency < 1e9
    _, found = train(pool, readout=ReadoutParams())
    assert np.max(found.overshoot) < 0.1 * found.v_out[-1]
    assert np.max(found.t_settle) < 10e-9


@pytest.mark.parametrize("corner", ["ff", "ss"])
def test_corners_keep_gain_and_margin(pool, corner):
    block = ReadoutParams(ota=OtaParams(technology=Technology(corner=corner)))
    params, found = train(pool, readout=block, reads=3)
    gain, _ = gain_and_linearity(found.i_in, found.v_out)
    assert gain == near(block.r_feedback, 0.01)
    assert margin(pool, params)[0] > 55


def test_a_heavy_line_costs_margin(pool):
    light, heavy = (margin(pool, ReadoutBenchParams(c_line=c))[0] for c in (50e-15, 2e-12))
    assert heavy < light - 20


def test_integrating_is_charge_over_capacitance(pool):
    params, found = train(pool, readout=INTEGRATING)
    gain, residual = gain_and_linearity(found.i_in, found.v_out)
    # t/c, from half the edge on; the output follows its own slope after the loop's 0.5 ns: 3 % of 16 ns, less the
    # charge that the line's capacitance keeps (the clamp's error on 100 fF).
    assert gain == near(params.t_integrate / params.readout.c_integrate, 0.05)
    assert residual < 0.1 / 64


def test_the_integrators_clamp_error_is_its_slope_over_its_bandwidth(pool):
    _, fast = train(pool, readout=INTEGRATING, reads=3)
    slow_block = ReadoutParams(mode="integrating", c_integrate=2 * INTEGRATING.c_integrate)
    _, slow = train(pool, readout=slow_block, reads=3)
    _, still = train(pool, reads=3)
    # Less what the second stage needs to carry the current, slope or no slope: the transimpedance shows it.
    errors = [found.v_error[-1] - still.v_error[-1] for found in (fast, slow)]
    assert errors[0] < -2e-3
    # Half the slope, half the error; the slope itself gains the 4 % that the smaller error leaves of the input.
    assert errors[1] / errors[0] == near(0.5, 0.1)


def test_half_the_step_changes_nothing(pool):
    for block in (ReadoutParams(), INTEGRATING):
        params, found = train(pool, readout=block, reads=3)
        _, fine = train(pool, readout=block, reads=3, t_step=params.t_step / 2)
        np.testing.assert_allclose(fine.v_out, found.v_out, rtol=0, atol=1e-3 * found.v_out[-1])


def test_energy_is_the_bias_times_the_supply(pool):
    params, found = train(pool)
    ota = params.readout.ota
    branches = 1 + (ota.w_tail + ota.w_load) / ota.w_bias  # the bias and what the current sources copy
    # The current sources' own output conductance, and the bias diode's narrower channel: 20 %.
    assert found.energy[0] == near(ota.v_dd * ota.i_bias * branches * params.t_slot, 0.2)


def test_a_loop_that_never_falls_through_one_is_refused():
    with pytest.raises(InputError, match="gain"):
        phase_margin(np.array([1.0, 2.0]), np.array([0.5 + 0j, 0.4 + 0j]))


def test_phase_margin_of_a_known_loop():
    """One pole at 1 kHz with a gain of 1000, a second at 1 MHz: the closed form."""
    f = np.geomspace(1, 1e9, 400)
    gain = 1000 / (1 + 1j * f / 1e3) / (1 + 1j * f / 1e6)
    degrees, at = phase_margin(f, gain)
    exact = 1e6 * np.sqrt((np.sqrt(5) - 1) / 2)  # |f/1e6| sqrt(1 + (f/1e6)^2) = 1, the first pole far below
    assert at == near(exact, 2e-3)
    assert degrees == near(180 - np.degrees(np.arctan(exact / 1e3) + np.arctan(exact / 1e6)), within=0.2)
