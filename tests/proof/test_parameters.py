"""Circuit parameters by the end of their path: found in every plan, changed in all of them, refused where unknown."""

import pytest
from fixtures.closeness import near

from rramkit.characterization.design import find_design
from rramkit.errors import InputError
from rramkit.proof.parameters import beside, changed, matches, value_of

CHIP = find_design("chip")


def test_a_parameter_changes_in_every_plan_that_has_it_and_in_no_other():
    value = value_of(CHIP, "readout.ota.w_input")
    new, touched = changed(CHIP, "readout.ota.w_input", 1.1 * value)
    assert value_of(new, "readout.ota.w_input") == 1.1 * value
    for old, plan in zip(CHIP.plans, new.plans, strict=True):
        has = bool(matches(old.nominal, "readout.ota.w_input"))
        assert (plan.name in touched) == has == (plan.parameters != old.parameters)


def test_the_cell_is_shared_by_its_tables_and_the_write_drivers():
    _, touched = changed(CHIP, "cell.w_access", 2.2e-6)
    assert {"read", "set", "reset", "wires", "write_driver_set"} <= set(touched)


def test_an_unknown_parameter_is_refused_with_near_names():
    with pytest.raises(InputError, match="w_input"):
        value_of(CHIP, "readout.ota.w_inptu")


def test_an_ambiguous_name_is_refused():
    with pytest.raises(InputError, match="Give more of its path"):
        value_of(CHIP, "t_step")


def test_values_beside_a_parameter_are_a_step_away_and_whole_where_it_is():
    low, high = beside(CHIP, "cell.w_access", 0.1)
    assert (low, high) == (1.8e-6, near(2.2e-6, rel=1e-15))  # the rounding of one product
    assert beside(CHIP, "sar.bits", 0.1) == (7.0, 9.0)  # 7.2 and 8.8
    assert beside(CHIP, "sar.bits", 0.01) == (7.0, 9.0)  # never no change at all
    assert beside(CHIP, "sar.bits", 0.3) == (6.0, 10.0)


def test_a_part_of_nothing_is_refused():
    with pytest.raises(InputError, match=r"`readout\.ota\.trim` is 0 in this design"):
        beside(CHIP, "readout.ota.trim", 0.1)


def test_a_value_out_of_bounds_is_refused():
    with pytest.raises(InputError):
        changed(CHIP, "cell.w_access", 1.0)


def test_a_key_of_the_plan_of_cell_and_array_is_a_parameter_too():
    new, touched = changed(CHIP, "conductance.g_max", 60e-6)
    assert CHIP.cell is not None and new.cell is not None
    assert value_of(CHIP, "conductance.g_max") == CHIP.cell.conductance.g_max
    assert new.cell.conductance.g_max == 60e-6
    assert {"read", "set", "reset", "wires"} <= set(touched)  # no circuit parameter has the name: their points differ
    _, touched = changed(CHIP, "wires.rows_max", 40)
    assert touched == ("wires",)
    rows = value_of(CHIP, "wires.rows_max")
    assert beside(CHIP, "wires.rows_max", 0.001) == (rows - 1.0, rows + 1.0)  # whole, as those of circuits
