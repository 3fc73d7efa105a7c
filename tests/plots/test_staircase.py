import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.errors import TableError
from rramkit.staircase import climb
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table

FILE = tables()


def test_each_step_is_one_pulse_from_where_the_last_left_the_cell():
    table = FILE["set"]
    g_low, g_high = table.axes["g_start"].values[[0, -1]]
    steps = climb(table, g_start=float(g_low))
    change, g = GridSurrogate(table, "delta_g"), float(g_low)
    for v, reached in zip(steps.v_pulse, steps.g_cell, strict=True):
        g = min(max(g + float(change.at(g, v)), g_low), g_high)
        assert reached == near(g, within=1e-15)  # S: rounding only


def test_set_climbs_and_reset_falls_over_the_drivers_amplitudes():
    for name, sign in (("set", 1.0), ("reset", -1.0)):
        table = FILE[name]
        steps = climb(table)
        assert np.all(sign * np.diff(steps.g_cell, prepend=steps.g_start) >= -1e-15)
        assert np.diff(steps.v_pulse) == near(table.condition("v_step"), within=1e-12)
        assert steps.energy.shape == steps.g_cell.shape == steps.v_pulse.shape


def test_dead_pulses_leave_the_cell_where_it_was():
    steps = climb(tables(dead=True)["set"], g_start=2e-5)
    assert np.abs(steps.g_cell - 2e-5).max() < 1e-15
    assert steps.clamped == 0


def test_a_table_without_the_drivers_step_is_refused():
    table = FILE["set"]
    with pytest.raises(TableError, match="v_step"):
        climb(Table("set", table.axes, table.signals), g_start=2e-5)
