"""MNSIM 1.1's formula for the error of a read, beside wires solved here at equal cells, wires and sizes."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.cost.published import mnsim

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "mnsim_accuracy.py"


@pytest.fixture(scope="module")
def beside() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mnsim_accuracy", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_large_arrays_lose_what_mnsim_says_they_lose(beside):
    """From 128 rows on wires decide. 11 %: of the cells that MNSIM's fit was made with only the range is known."""
    for node in (18e-9, 45e-9, 90e-9):
        r_wire = mnsim.wire_resistance(node)
        for size in (128, 256):
            assert beside.errors(size, r_wire).mean() == near(mnsim.read_error(size, r_wire), rel=0.11)


def test_small_arrays_have_an_error_there_that_no_wire_makes(beside):
    r_wire = mnsim.wire_resistance(90e-9)
    assert beside.errors(16, r_wire).mean() < 0.01 * mnsim.read_error(16, r_wire)


def test_few_wires_take_what_the_first_order_says(beside):
    # Sums of min(j, m) over the cells of a line: r / R (N - 1) (2 N - 1) / 6 in rows, the same in columns. What is left
    # out is of second order, 1e-4 of it.
    size, r_wire, r_cell = 12, 1.0, 1e6
    wanted = r_wire / r_cell * (size - 1) * (2 * size - 1) / 3.0
    assert beside.errors(size, r_wire, r_cell=r_cell).mean() == near(wanted, rel=1e-3)


def test_the_closed_form_is_every_nodes_solution(beside):
    for r_load in (0.0, 3e3):
        ours, solved = (beside.errors(32, 12.681, r_load=r_load, exact=exact) for exact in (False, True))
        np.testing.assert_allclose(ours, solved, rtol=1e-8)  # 6e-11 measured: cells that are alike are its best case
