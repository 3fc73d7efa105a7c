import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, perfect, tables
from hypothesis import given
from hypothesis import strategies as st

from rramkit.array import Writer
from rramkit.errors import InputError, TableError
from rramkit.learning.rules.pulse_choice import MISS_LIMIT, plan_pulses
from rramkit.table import Quantity, Table, TableFile

WRITER = Writer.from_tables(tables())
PERFECT = Writer.from_tables(perfect())
CONDUCTANCE = st.floats(G_LOW, G_HIGH)
CENTRE = 0.5 * (G_LOW + G_HIGH)


def test_amplitudes_are_the_drivers_steps_within_the_table():
    np.testing.assert_allclose(WRITER.set.v_pulse, np.linspace(0.8, 1.6, 17), rtol=0, atol=1e-12)
    np.testing.assert_allclose(WRITER.reset.v_pulse, np.linspace(0.8, 1.9, 23), rtol=0, atol=1e-12)


@given(g=CONDUCTANCE, wanted=st.floats(-90e-6, 90e-6))
def test_the_chosen_amplitude_is_the_nearest_of_all(g, wanted):
    write = WRITER.set if wanted > 0.0 else WRITER.reset
    v_pulse, expected = write.nearest(np.array([g]), np.array([wanted]))
    changes = np.array([float(write.delta_g.at(g, v)) for v in write.v_pulse])
    assert abs(float(write.delta_g.at(g, v_pulse[0])) - wanted) == np.min(np.abs(changes - wanted))
    assert np.isin(v_pulse[0], write.v_pulse)
    # what the table expects is what the pulse does
    after = write.fire(np.array([g]), v_pulse)
    assert after.g_cell[0] - g == near(expected[0], within=1e-15)


@given(g=CONDUCTANCE, v=st.floats(0.8, 1.6))
def test_set_never_lowers_reset_never_raises_and_both_stay_in_range(g, v):
    up, down = (write.fire(np.array([g]), np.array([v])) for write in (WRITER.set, WRITER.reset))
    assert g - 1e-15 <= up.g_cell[0] <= G_HIGH
    assert G_LOW <= down.g_cell[0] <= g + 1e-15
    assert min(up.energy[0], down.energy[0]) > 0.0


def test_a_pulse_beyond_the_table_is_clipped_and_counted():
    pulse = WRITER.set.fire(np.array([20e-6, 80e-6]), np.array([1.6, 0.8]))
    assert pulse.g_cell[0] == G_HIGH
    assert pulse.clamped == 1


@given(plus=CONDUCTANCE, minus=CONDUCTANCE, wanted=st.floats(2e-6, 40e-6), up=st.booleans())
def test_a_planned_pulse_moves_the_difference_the_right_way(plus, minus, wanted, up):
    change = wanted if up else -wanted
    plan = plan_pulses(WRITER, np.array([[plus], [minus]]), np.array([change]), g_centre=CENTRE)
    if plan.weight.size:
        difference = plan.expected[0] if plan.half[0] == 0 else -plan.expected[0]
        assert 0.0 < difference / change <= 1.0 + MISS_LIMIT + 1e-12  # too small is nearer; too large by half, no more
        assert plan.is_set[0] == (plan.expected[0] > 0.0)


@given(plus=st.floats(30e-6, 60e-6), minus=st.floats(30e-6, 60e-6), wanted=st.floats(-20e-6, 20e-6))
def test_with_a_perfect_device_the_pair_moves_towards_its_centre(plus, minus, wanted):
    if abs(wanted) < 1e-6:
        return
    plan = plan_pulses(PERFECT, np.array([[plus], [minus]]), np.array([wanted]), g_centre=CENTRE)
    assert plan.is_set[0] == (plus + minus < 2 * CENTRE)
    assert abs(plan.expected[0]) == near(abs(wanted), within=0.051e-6)  # half a step of the fixture's driver


def test_dead_pulses_are_never_fired():
    writer = Writer.from_tables(tables(dead=True))
    pairs = np.full((2, 5), CENTRE)
    assert plan_pulses(writer, pairs, np.full(5, 10e-6), g_centre=CENTRE).weight.size == 0


def test_bad_tables_and_amplitudes_are_named():
    with pytest.raises(InputError, match=r"0\.8 to 1\.6 V"):
        WRITER.set.fire(np.array([10e-6]), np.array([1.7]))
    good = tables()
    axes = {"g_start": Quantity(np.array([1e-3, 2e-3]), "S"), "v_pulse": Quantity(np.array([1.0, 2.0]), "V")}
    signals = {name: Quantity(np.ones((2, 2)), "S") for name in ("delta_g", "energy")}
    elsewhere = Table("reset", axes, signals, good["reset"].conditions)
    with pytest.raises(TableError, match="share no conductance"):
        Writer.from_tables(TableFile({**good.tables, "reset": elsewhere}, {}))
    without = Table("set", good["set"].axes, good["set"].signals)
    with pytest.raises(TableError, match="v_step"):
        Writer.from_tables(TableFile({**good.tables, "set": without}, {}))
