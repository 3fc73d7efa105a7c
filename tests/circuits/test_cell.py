"""The 1T1R cell in its testbenches: gradual SET and RESET, energy, reads that move nothing."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.cell import integral, pulse_energies, read_conductances
from rramkit.circuits import libraries
from rramkit.circuits.cell import (
    CellParams,
    Polarity,
    PulseParams,
    ReadParams,
    ReadRowParams,
    ReadSweepParams,
    WriteParams,
    held_cell,
    read_row,
    read_sweep,
    write_staircase,
)
from rramkit.circuits.write_driver import WriteDriverParams
from rramkit.errors import InputError


def staircase(pool, **given):
    params = WriteParams(**given)
    return params, pool.run(write_staircase(params).text())


def test_set_staircase_is_gradual_and_monotone(pool):
    params, waves = staircase(pool, polarity="set", state=0.55, v_first=0.9, v_last=1.5, pulses=34)
    g = read_conductances(waves, params)
    steps = np.diff(g)
    below = g[1:] < 0.999 * g[-1]  # the last pulses find the filament at its limit, where it stays
    assert np.all(steps[below] > 0) and np.all(steps[~below] >= 0) and np.sum(~below) < 6
    assert g[-1] > 70e-6 and g[0] < 10e-6
    assert np.max(steps) < 76e-6 / 12  # 18 mV a level, nearly two of the driver's: none takes a twelfth of the window


def test_reset_staircase_is_gradual_and_monotone(pool):
    params, waves = staircase(pool, polarity="reset", state=0.95, v_first=1.2, v_last=1.7, pulses=34)
    g = read_conductances(waves, params)
    assert np.all(np.diff(g) < 0)
    assert g[0] > 70e-6 and g[-1] < 20e-6
    assert np.max(-np.diff(g)) < 9e-6  # RESET falls steepest in the middle: an eighth of the window in one step


def test_no_drive_no_change(pool):
    params, waves = staircase(pool, polarity="set", state=0.8, v_first=0.0, v_last=0.0, pulses=3)
    g = read_conductances(waves, params)
    # The reads between are all that happens; 1e-5 is the tolerance of the transient.
    np.testing.assert_allclose(g, g[0], rtol=1e-5)


def test_read_of_the_staircase_equals_the_static_read(pool):
    params, waves = staircase(pool, state=0.8, pulses=1, v_first=0.0)
    sweep = pool.run(read_sweep(ReadSweepParams(state=0.8, points=21)).text())
    static = np.interp(0.1, sweep["v_cell"], sweep["i_cell"]) / 0.1
    # The driver's 1 ohm on both lines is 0.006 % of the cell's 30 kohm; the static read has none.
    g = read_conductances(waves, params)[0]
    assert g == near(1 / (1 / static + 2), 2e-4)


def test_single_pulses_reach_both_ends_of_the_window(pool):
    """RESET brings 14 uS to 4 uS in one pulse of the driver's highest amplitude, SET 60 uS to 80 uS."""
    reads = []
    cases: tuple[tuple[Polarity, float, int], ...] = (("reset", 0.66, 63), ("set", 0.91, 63))
    for polarity, state, code in cases:
        v = WriteDriverParams().amplitude(code, polarity)
        params, waves = staircase(pool, polarity=polarity, state=state, v_first=v, v_last=v, pulses=1)
        reads.append(read_conductances(waves, params))
    (high, low), (before, after) = reads
    assert high > 12e-6 and low < 4e-6
    assert before < 65e-6 and after > 80e-6


def test_energy_of_a_pulse_is_charge_times_voltage(pool):
    params, waves = staircase(pool, polarity="set", state=0.8, v_first=1.3, v_last=1.3, pulses=1)
    begin, end = params.write_window(0)
    from_bit_line = -integral(waves["time"], waves["v_bl"] * waves["i_bl"], (begin, end))
    charge = -integral(waves["time"], waves["i_bl"], (begin, end))
    energy = pulse_energies(waves, params)[0]
    # During the plateau the bit line stands at 1.7 V; the edges and the word line's charging add a little.
    assert from_bit_line == near(1.7 * charge, rel=0.02)
    assert energy == near(from_bit_line, rel=0.02)


def test_halving_the_step_changes_nothing_that_matters(pool):
    g = []
    for t_step in (0.2e-9, 0.1e-9):
        params, waves = staircase(pool, state=0.7, v_first=1.3, v_last=1.3, pulses=1, pulse=PulseParams(t_step=t_step))
        g.append(read_conductances(waves, params)[1])
    assert abs(g[1] - g[0]) < 1e-4 * 76e-6  # of the window


def test_integral_of_a_straight_line():
    time = np.linspace(0, 1, 7)
    assert integral(time, 2 * time, (0.25, 0.7)) == near(0.7**2 - 0.25**2, 1e-12)


def test_windows_do_not_touch_the_reads():
    params = WriteParams(pulses=3)
    for k in range(3):
        begin, end = params.write_window(k)
        assert params.t_read_at(k) < begin < end < params.t_read_at(k + 1)


def test_a_read_from_rest_pulls_a_line_down(pool):
    """At 0.3 V of rest the cell conducts as two sources of these voltages say, and less than driven up from ground."""
    read, state = ReadParams(), 0.95
    sweep = pool.run(read_sweep(ReadSweepParams(read=read, state=state, points=3)).text())
    row = pool.run(read_row(ReadRowParams(read=read, state=(0.8, state), points=3)).text())
    np.testing.assert_allclose(row["i_cell_1"], sweep["i_cell"], rtol=1e-6)  # one cell, two benches
    for v, bit, source in ((-0.1, 0.2, 0.3), (0.1, 0.3, 0.2)):
        cell = held_cell(CellParams())
        lines = f"V_bl bl 0 {bit}\nV_sl sl 0 {source}\nV_wl wl 0 {read.v_wl}\nX_c bl wl sl cell_1t1r_held s_0={state}\n"
        text = "\n".join([libraries.text(name) for name in CellParams().libraries])
        by_hand = pool.run(f"by hand\n{text}\n{cell}\n{lines}.op\n.end\n")["i(v_sl)"][0]
        assert np.interp(v, sweep["v_cell"], sweep["i_cell"]) == near(by_hand, rel=1e-4)
    up = pool.run(read_sweep(ReadSweepParams(read=ReadParams(v_rest=0), state=state, points=3)).text())
    less = 1 - sweep["i_cell"][-1] / up["i_cell"][-1]
    # The transistor is some 1.5 kohm of 13 kohm, and 0.2 V of its 2.5 V of overdrive are gone: 1 %.
    assert 0.002 < less < 0.03


def test_a_record_of_the_former_version_reads_from_ground():
    """A table file of 0.1.0 holds its whole plan; read as it was made. A part of a record means the present way."""
    record = {"v_read": 0.1, "v_max": 0.2, "v_wl": 2.5, "t_read": 1e-8}
    assert ReadParams.checked(record, where="a file").v_rest == 0
    assert ReadParams.checked({"v_wl": 2.5}, where="a file").v_rest == 0.3
    with pytest.raises(InputError, match="v_rest must be 0, or v_max and v_read or more"):
        ReadParams(v_rest=0.05)
