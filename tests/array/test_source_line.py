"""Source line whose other cells carry a part of a pulse's current: closed form against a ladder solved node by node."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from hypothesis import given
from hypothesis import strategies as st
from oracles.source_line import volts_lost

from rramkit.array.write.cell_address import CellAddress
from rramkit.array.write.source_line import SourceLine, source_drop
from rramkit.array.write.write_driver import WriteDriver
from rramkit.errors import TableError

CELLS = 64
R, R_DRIVER, R_CELL = 1.3, 150.0, 16e3  # ohm


@pytest.mark.parametrize("g_cell", [0.0, 1 / R_CELL, 2e-4])
def test_drops_of_one_and_of_several_cells_are_those_of_the_ladder(g_cell):
    position = np.array([3, 20, 20 + 7, 63, 40])
    drawn = np.array([50e-6, 120e-6, 10e-6, 80e-6, 99e-6])
    current = np.zeros(CELLS + 1)
    current[position] = drawn
    same = {"r_segment": R, "r_driver": np.full(5, R_DRIVER), "g_cell": np.full(5, g_cell), "cells": CELLS}
    together = source_drop(drawn, np.zeros(5, dtype=int), position, **same)
    slow = volts_lost(current, r_segment=R, r_driver=R_DRIVER, g_cell=g_cell)[position]
    np.testing.assert_allclose(together, slow, rtol=1e-4)
    alone = source_drop(drawn, None, position, **same)
    for k, i in enumerate(drawn):
        single = np.where(np.arange(CELLS + 1) == position[k], i, 0.0)
        assert alone[k] == near(
            float(volts_lost(single, r_segment=R, r_driver=R_DRIVER, g_cell=g_cell)[position[k]]), rel=1e-4
        )


def test_no_other_cell_is_wires_and_driver_in_series():
    i, p = np.array([1e-4, 2e-4]), np.array([5, 9])
    found = source_drop(i, None, p, r_segment=R, r_driver=np.full(2, R_DRIVER), g_cell=np.zeros(2), cells=CELLS)
    np.testing.assert_allclose(found, i * (R_DRIVER + R * p), rtol=1e-9)


@given(r_driver=st.floats(5.0, 800.0), r_cell=st.floats(13e3, 1e6), r=st.floats(0.5, 4.0))
def test_driver_and_cells_follow_from_the_losses_at_both_ends(r_driver, r_cell, r):
    lost = volts_lost(np.append(np.zeros(CELLS), 1.0), r_segment=r, r_driver=r_driver, g_cell=1 / r_cell)
    line = SourceLine.of(lost[[0]], lost[[-1]], r_segment=r, cells=CELLS, r_neighbour=12.5e3)
    # the ladder's nodes against the smooth line (1e-4) are magnified where the cells carry little of the current
    assert line.r_driver[0] == near(r_driver, rel=0.02)
    assert 1 / (line.r_access[0] + 12.5e3) == near(1 / r_cell, rel=0.02, within=2e-7)


def test_losses_that_no_line_has_are_refused():
    with pytest.raises(TableError, match="same line"):
        SourceLine.of(np.array([150.0]), np.array([20.0]), r_segment=R, cells=CELLS, r_neighbour=12.5e3)


def test_means_of_rows_within_arrays():
    values = np.random.default_rng(0).uniform(size=(3, 2, 5, 7))
    flat = np.arange(values.size)
    address = CellAddress.of(flat, values.shape, (4, 6))
    found = address.row_means(values)
    of_cells = values.ravel()
    for line in np.unique(address.row_line):
        mine = address.row_line == line
        np.testing.assert_allclose(found[mine], of_cells[mine].mean(), rtol=1e-12)


def test_a_far_end_without_the_other_cells_is_refused():
    file = chip_tables()
    table = file["write_driver_set"]
    conditions = {name: value for name, value in table.conditions.items() if name != "r_neighbour"}
    with pytest.raises(TableError, match="r_neighbour"):
        WriteDriver.from_table(replace(table, conditions=conditions), cells=64, pulses=file["set"])
