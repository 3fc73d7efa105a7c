"""The check of a whole system: its circuits are those that the tables are read for."""

import pytest

from rramkit.characterization.design import find_design
from rramkit.circuits.write_driver import DriverWriteParams
from rramkit.proof.system import _as_long_as


@pytest.mark.parametrize(("largest", "cells"), [((65, 96), 96), ((65, 97), 100), (None, None)])
def test_the_write_drivers_lines_are_as_long_as_the_arrays_rows(largest, cells):
    """Whole lumps of four: the driver's resistances in the table depend on the length."""
    (plan,) = find_design("write_driver_reset").blocks
    params = plan.nominal
    assert isinstance(params, DriverWriteParams)
    found = _as_long_as(params, largest)
    assert found.driver.lines.cells == (params.driver.lines.cells if cells is None else cells)
    unchanged = found.driver.lines.model_copy(update={"cells": params.driver.lines.cells})
    assert unchanged == params.driver.lines and found.cell == params.cell
