"""Input drivers: levels against the string's and the row's resistances, settling, bits that do not mix, energy."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.row_driver import bit_weights, levels, word_energy
from rramkit.circuits.row_driver import (
    RowDriverBenchParams,
    RowDriverParams,
    RowParams,
    SerialRowDriverBenchParams,
    SerialRowDriverParams,
    level_train,
    word_train,
)
from rramkit.errors import InputError


def train(pool, **given):
    params = RowDriverBenchParams(**given)
    return params, levels(pool.run(level_train(params).text()), params, len(params.codes))


def word(pool, **given):
    params = SerialRowDriverBenchParams(**given)
    waves = pool.run(word_train(params).text())
    return params, bit_weights(waves, params), word_energy(waves, params)


def ladder(row):
    """Input conductance of the row and the voltage at its far end over that at its driver: section by section."""
    share = row.cells / row.segments
    y, v = 0.0, 1.0
    for _ in range(row.segments):
        y += share * row.g_cell
        v /= 1 + share * row.r_segment * y
        y = 1 / (share * row.r_segment + 1 / y)
    return y, v


def test_levels_without_a_load_are_those_of_the_string(pool):
    params, found = train(pool, row=RowParams(g_cell=0.0))
    ideal = np.array([params.driver.v_level(code) for code in params.codes])
    # leakage of eight gates (100 nA) on 100 ohm of string: 10 uV
    np.testing.assert_allclose(found.v_row, ideal, rtol=0, atol=10e-6)
    assert np.all(found.t_settle < 0.5e-9)


def test_levels_sag_as_string_gate_and_row_divide_them(pool):
    params, found = train(pool)
    driver = params.driver
    g_row, far = ladder(params.row)
    np.testing.assert_allclose(found.v_far[1:8], far * found.v_row[1:8], rtol=1e-4)
    # The gate's resistance from the top level, behind which there is no string; lower levels leave its NMOS more drive.
    r_gate = (driver.v_high / found.v_row[7] - 1) / g_row
    assert 10 < r_gate < 100
    codes = range(1, 7)
    taps = np.array([driver.r_tap(code) for code in codes])
    by_hand = np.array([driver.v_level(code) for code in codes]) / (1 + (taps + r_gate) * g_row)
    ideal = np.array([driver.v_level(code) for code in codes])
    # a tenth of the sag: what the gate's resistance changes over the range
    np.testing.assert_allclose(ideal - found.v_row[1:7], ideal - by_hand, rtol=0.1, atol=0.02e-3)


@pytest.mark.parametrize("corner", ["ff", "ss"])
def test_corners_and_monotone_levels(pool, corner):
    driver = RowDriverParams(technology=RowDriverParams().technology.model_copy(update={"corner": corner}), bits=2)
    params, found = train(pool, driver=driver)
    assert np.all(np.diff(found.v_row[: driver.levels]) > 0.9 * params.driver.v_level(1))
    assert np.all(found.t_settle < 0.5e-9)


def test_energy_of_a_level_is_the_strings(pool):
    params, found = train(pool, row=RowParams(g_cell=0.0))
    string = params.driver.v_high**2 / params.driver.r_string * params.t_level
    # the gates that switch and the row's charge come on top: below 3 %
    assert np.all((found.energy > 0.99 * string) & (found.energy < 1.03 * string))


def test_a_word_arrives_bit_by_bit(pool):
    params, weight, _ = word(pool)
    _, far = ladder(params.row)
    ones = params.pattern == 1
    full = params.driver.v_read * params.t_bit
    # The far end stands lower by what switch and line take of the level: 5 % and the delay of the inverters.
    assert np.all(weight[ones] > 0.93 * far * full) and np.all(weight[ones] < far * full)
    # A bit's tail reaches into the next by the delay of 0.1 ns: 2 % of the bit.
    assert np.all(np.abs(weight[~ones]) < 0.02 * full)


def test_a_bit_weighs_the_same_wherever_it_stands(pool):
    totals = []
    for sent in (0b10000000, 0b00010000, 0b00000010, 0b11001010):
        params, weight, _ = word(pool, word=sent)
        totals.append(np.sum(weight) / np.sum(params.pattern))
    # What a bit loses at its beginning it gains at its end: 0.5 % is left when neighbours merge.
    np.testing.assert_allclose(totals, totals[0], rtol=5e-3)


def test_energy_of_a_word(pool):
    params, weight, energy = word(pool)
    g_row, far = ladder(params.row)
    # v_read times the charge: into the cells, and into the row's capacitance at each of three rises.
    c_row = params.row.cells * params.row.c_segment
    by_hand = params.driver.v_read * (g_row * np.sum(weight) / far + 3 * c_row * params.driver.v_read)
    # The switches' own charge, and the current through both of them while they change over, add 5.3 %.
    assert energy["row"] == near(1.053 * by_hand, rel=0.02)
    _, _, idle = word(pool, word=0)
    assert (
        energy["driver"] > idle["driver"] + 3 * 10e-15
    )  # three times up and down: the chain's and the switches' gates


def test_half_the_step_changes_nothing(pool):
    params, weight, energy = word(pool, bits=2, word=0b10)
    _, fine, fine_energy = word(pool, bits=2, word=0b10, t_step=params.t_step / 2)
    np.testing.assert_allclose(fine, weight, rtol=0, atol=1e-3 * weight[0])
    assert fine_energy["driver"] == near(energy["driver"], rel=0.02)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="codes"):
        level_train(RowDriverBenchParams(), [8])
    with pytest.raises(InputError, match="word"):
        word_train(SerialRowDriverBenchParams(bits=2, word=4))
    with pytest.raises(InputError, match="taper"):
        SerialRowDriverParams.checked({"taper": 0.5}, where="here")
