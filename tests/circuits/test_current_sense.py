"""The current sense amplifier: decision around the reference, clamp, its sensitivity in closed form, energy."""

import numpy as np
import pytest

from rramkit.characterization.components.current_sense import current_reads
from rramkit.circuits.current_sense import CurrentSenseBenchParams, CurrentSenseParams, current_train
from rramkit.circuits.sense_amp import NAMES, SenseAmpParams
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

V_THERMAL = 8.617333e-5 * 300.15  # V


def reads(pool, conductances=None, *, dv_threshold=None, **given):
    params = CurrentSenseBenchParams(**given)
    deck = current_train(params, conductances, dv_threshold=dv_threshold)
    waves = pool.run(deck.text())
    return params, current_reads(waves, params, len(params.conductances if conductances is None else conductances))


def test_it_tells_more_from_less_than_the_reference(pool):
    g = np.array([1.0, 10, 25, 28.5, 31.5, 35, 60, 200]) * 1e-6  # 5 % on either side of 30 uS
    _, found = reads(pool, g)
    np.testing.assert_array_equal(found.low_resistance, g > 30e-6)
    _, backward = reads(pool, g[::-1])
    np.testing.assert_array_equal(backward.low_resistance, g[::-1] > 30e-6)  # no memory of the read before


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
def test_the_line_stands_at_the_clamp_whatever_the_cell(pool, corner):
    sense = CurrentSenseParams(latch=SenseAmpParams(technology=Technology(corner=corner)))
    params, found = reads(pool, [10e-6, 30e-6, 100e-6], sense=sense)
    # The clamp's one stage has a gain of 20 to 30: of the 300 mV between its gate and the replica's that leaves 15 mV,
    # in common, and of the 100 mV by which the gate moves over a decade of current it leaves 5 mV.
    assert np.max(np.abs(found.v_line - params.sense.v_clamp)) < 0.025
    assert np.ptp(found.v_line) < 0.006
    np.testing.assert_allclose(found.i_cell, found.v_line * [10e-6, 30e-6, 100e-6], rtol=2e-3)


def test_the_difference_is_that_of_a_diode_in_weak_inversion(pool):
    _, found = reads(pool, [29e-6, 31e-6], t_develop=10e-9)
    di_over_i = np.diff(found.i_cell)[0] / np.mean(found.i_cell)
    # dv = (i/g_m) di/i, and i/g_m is n kT/q with a slope factor n of 1 to 2 while the diode is in weak inversion
    assert V_THERMAL < np.diff(found.v_sense)[0] / di_over_i < 2 * V_THERMAL


def test_offset_of_the_latch_moves_the_reference(pool):
    dv = np.zeros(len(NAMES))
    dv[NAMES.index("input_p")] = 5e-3
    # 5 mV over 1.36 mV for each uS: 33.7 uS
    _, found = reads(pool, [32.5e-6, 35e-6], dv_threshold=dv)
    np.testing.assert_array_equal(found.low_resistance, [False, True])


def test_energy_of_a_read(pool):
    params, found = reads(pool)
    standing = params.sense.latch.technology.v_core * params.t_slot
    # Three watching branches of 20 to 40 uA each, and the two lines' currents: between 60 and 200 uA
    assert np.all((found.energy > 60e-6 * standing) & (found.energy < 200e-6 * standing))
    assert np.all(np.diff(found.energy) > 0)  # a cell that draws more costs more


def test_half_the_step_changes_nothing(pool):
    params, found = reads(pool, [10e-6, 50e-6])
    _, fine = reads(pool, [10e-6, 50e-6], t_step=params.t_step / 2)
    np.testing.assert_allclose(fine.v_line, found.v_line, rtol=0, atol=1e-4)
    # the sense nodes still ring by 1 mV at 10 uS when the clock comes: a tenth of that
    np.testing.assert_allclose(fine.v_sense, found.v_sense, rtol=2e-2, atol=1e-4)


def test_a_conductance_of_zero_is_refused():
    with pytest.raises(InputError, match="conductances"):
        current_train(CurrentSenseBenchParams(), [0.0])
