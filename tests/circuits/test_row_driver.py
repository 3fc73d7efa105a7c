"""Input drivers: levels against the string's and the row's resistances, settling, bits that do not mix, energy."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.row_driver import bit_weights, levels, word_energy
from rramkit.characterization.engine.corners import Condition, at_temperature
from rramkit.circuits.row_driver import (
    RowDriverBenchParams,
    RowDriverParams,
    RowParams,
    SerialRowDriverBenchParams,
    SerialRowDriverParams,
    level_train,
    word_train,
)
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError


def train(pool, *, codes=None, kelvin=300.15, **given):
    params = RowDriverBenchParams(**given)
    sent = params.codes if codes is None else codes
    deck = at_temperature(level_train(params, sent), Condition(temperature=kelvin))
    return params, levels(pool.run(deck.text()), params, len(sent))


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


def rows_are(driver):
    """How far below rest each level lies."""
    return np.array([driver.v_rest - driver.v_level(code) for code in range(driver.levels)])


def test_levels_without_a_load_are_those_of_the_rails(pool):
    params, found = train(pool, row=RowParams(g_cell=0.0))
    # 31 closed gates leak less than 10 nA each (their gate lies 0.2 V below both ends) into 5 ohm: under 2 uV
    np.testing.assert_allclose(found.v_row, rows_are(params.driver), rtol=0, atol=2e-6)
    np.testing.assert_allclose(found.i_row, 0, rtol=0, atol=0.5e-6)
    assert np.all(found.t_settle < 0.5e-9) and found.t_settle[0] == 0


def test_a_row_draws_what_its_ladder_says_and_sags_by_the_gate(pool):
    params, found = train(pool)
    g_row, far = ladder(params.row)
    # reltol of the transient is 1e-3
    np.testing.assert_allclose(found.i_row[1:], g_row * found.v_row[1:], rtol=5e-4)
    np.testing.assert_allclose(found.v_far[1:], far * found.v_row[1:], rtol=5e-4)
    r_gate = (rows_are(params.driver)[1:] - found.v_row[1:]) / found.i_row[1:]
    # 80 um at a gate drive of 0.7 to 0.8 V; lower levels leave the gate more of it
    assert 3 < r_gate.min() and r_gate.max() < 7
    assert np.all(np.diff(r_gate) < 0)


def test_the_row_follows_the_temperature_of_its_wire(pool):
    cold, hot = (
        train(pool, driver=RowDriverParams(bits=1), row=RowParams(g_cell=40e-6, tcr=tcr), kelvin=358.15)[1]
        for tcr in (0.0, 3.9e-3)
    )
    _, far = ladder(RowParams(g_cell=40e-6, r_segment=1.0 * (1 + 3.9e-3 * 58)))
    assert hot.v_far[1] == near(far * hot.v_row[1], rel=1e-4)
    assert cold.v_far[1] > 1.01 * hot.v_far[1]  # 23 % more of a line that takes 17 %


@pytest.mark.parametrize("corner", ["ff", "ss"])
def test_resistance_stays_below_15_ohm_hot_and_at_the_lowest_supply(pool, corner):
    technology = Technology(corner=corner, v_core=0.9)
    params, found = train(pool, driver=RowDriverParams(technology=technology), codes=[1, 16, 31], kelvin=358.15)
    sag = rows_are(params.driver)[[1, 16, 31]] - found.v_row
    assert np.all(sag / found.i_row < 15)
    assert np.all(np.diff(found.v_row) > 0)
    # Seven time constants of driver, half of the hot wire and the line's 0.87 pF (to 0.1 %), and the gates' opening,
    # 0.1 ns at nine tenths of the supply.
    hot = params.row.r_segment * (1 + params.row.tcr * (358.15 - 300.15))
    tau = (15 + params.row.cells * hot / 2) * params.row.cells * params.row.c_segment
    assert np.all(found.t_settle < 7 * tau + 0.1e-9)


def test_a_string_of_its_own_sags_most_in_the_middle(pool):
    """Levels up from ground by a string, as in version 0.1.0: a record of that time, whole."""
    record = {"bits": 3, "v_low": 0.0, "v_high": 0.2, "r_string": 400.0, "w_gate_n": 10e-6, "w_gate_p": 2e-6}
    driver = RowDriverParams.checked({**record, "w_inverter": 0.5e-6}, where="a file")
    params, found = train(pool, driver=driver, row=RowParams(cells=64, g_cell=5e-6))
    g_row, _ = ladder(params.row)
    ideal, up = np.array([driver.v_level(code) for code in range(8)]), -found.v_row
    r_gate = (driver.v_full / up[7] - 1) / g_row  # behind the top level there is no string
    assert 10 < r_gate < 100
    taps = np.array([driver.r_tap(code) for code in range(1, 7)])
    by_hand = ideal[1:7] / (1 + (taps + r_gate) * g_row)
    # a tenth of the sag: what the gate's resistance changes over the range
    np.testing.assert_allclose(ideal[1:7] - up[1:7], ideal[1:7] - by_hand, rtol=0.1, atol=0.02e-3)


def test_energy_of_a_level_is_that_of_two_gates_and_the_row(pool):
    """The level's gate and the rest's close once each; the row's charge comes from the rail at rest."""
    found = {c: train(pool, codes=[0, 31], row=RowParams(g_cell=0.0, c_segment=c))[1].energy for c in (5e-15, 25e-15)}
    params = RowDriverBenchParams()
    added = params.row.cells * 20e-15 * params.driver.span * params.driver.v_rest  # C v v_rest, for the way back
    assert found[25e-15][1] - found[5e-15][1] == near(added, rel=0.03)
    # Two gates of 80 um: more than the oxide's 21 fF/um^2 of 80 x 0.02 um, less than with all that hangs on them twice.
    assert 2 * 60e-15 < found[5e-15][1] < 2 * 250e-15
    assert found[5e-15][0] < 0.1 * found[5e-15][1]  # at rest nothing switches: leakage


def test_nothing_is_taken_back(pool):
    """Cells whose current flows into the lower rails give the driver nothing."""
    rest, loaded = (train(pool, codes=[31], row=RowParams(g_cell=g))[1].energy[0] for g in (0.0, 40e-6))
    assert loaded == near(rest, rel=0.1)  # 331 uA x 0.2 V x 1 ns would be 66 fJ, a seventh of it, were it credited
    assert loaded > 0


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
        level_train(RowDriverBenchParams(), [32])
    with pytest.raises(InputError, match="word"):
        word_train(SerialRowDriverBenchParams(bits=2, word=4))
    with pytest.raises(InputError, match="taper"):
        SerialRowDriverParams.checked({"taper": 0.5}, where="here")
