import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodal import transfer_matrix
from synthetic import tables

from rramkit.array import WireModel, effective_conductance
from rramkit.errors import InputError, TableError
from rramkit.table import Table

OHM = st.floats(0.1, 3.0)
ENDS = st.floats(1.0, 100.0)


def _pattern(shape, high, seed=0):
    return np.random.default_rng(seed).uniform(high / 20, high, shape)


def _same(r_segment, r_end):
    return {"r_row": r_segment, "r_col": r_segment, "r_drive": r_end, "r_sense": r_end}


@pytest.mark.parametrize(
    ("shape", "r_segment", "r_end", "unsigned", "signed"),
    [  # the last column of the table in wires.py and a sixth; the errors are the model's, not the solver's
        ((49, 20), 1.2, 60.0, 0.007e-2, 0.08e-2),
        ((65, 96), 1.2, 60.0, 0.095e-2, 0.86e-2),
        ((65, 96), 2.5, 100.0, 0.30e-2, 2.4e-2),
    ],
)
def test_against_the_exact_nodal_solution(shape, r_segment, r_end, unsigned, signed):
    g = _pattern(shape, 90e-6)
    exact, fast = (of(g, **_same(r_segment, r_end)) for of in (transfer_matrix, effective_conductance))
    rng = np.random.default_rng(1)
    v = rng.uniform(0.0, 1.0, (50, shape[0]))
    assert np.sqrt(np.mean((v @ (fast - exact)) ** 2)) / np.max(v @ exact) < unsigned
    v = rng.uniform(-1.0, 1.0, (50, shape[0]))
    exact, fast = (matrix[:, ::2] - matrix[:, 1::2] for matrix in (exact, fast))
    assert np.sqrt(np.mean((v @ (fast - exact)) ** 2)) / np.max(np.abs(v @ exact)) < signed


def test_unequal_rows_and_columns_are_not_confused():
    g = _pattern((8, 24), 60e-6)
    for names in ({"r_row": 8.0, "r_col": 0.2}, {"r_row": 0.2, "r_col": 8.0}):
        ohm = {**names, "r_drive": 20.0, "r_sense": 90.0}
        # 1 % of the largest element: ten times below what a swap of the two would cost here
        tolerance = 0.01 * g.max()
        np.testing.assert_allclose(effective_conductance(g, **ohm), transfer_matrix(g, **ohm), rtol=0, atol=tolerance)
        swapped = {**ohm, "r_row": ohm["r_col"], "r_col": ohm["r_row"]}
        assert np.max(np.abs(effective_conductance(g, **swapped) - transfer_matrix(g, **ohm))) > 5 * tolerance


@given(g=st.floats(1e-6, 100e-6), r_drive=ENDS, r_sense=ENDS)
def test_one_cell_is_a_series_circuit(g, r_drive, r_sense):
    fast = effective_conductance(np.array([[g]]), r_row=5.0, r_col=5.0, r_drive=r_drive, r_sense=r_sense)
    closed = 1.0 / (1.0 / g + r_drive + r_sense)
    # second-order model: what is left is of third order in the drop, which is at most 2 % here
    assert fast[0, 0] == pytest.approx(closed, rel=2e-5)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), r_row=OHM, r_col=OHM, r_drive=ENDS, r_sense=ENDS)
def test_reciprocity_bounds_and_leading_axes(seed, r_row, r_col, r_drive, r_sense):
    g = _pattern((12, 17), 60e-6, seed)
    fast = effective_conductance(g, r_row=r_row, r_col=r_col, r_drive=r_drive, r_sense=r_sense)
    turned = effective_conductance(g.T[::-1, ::-1], r_row=r_col, r_col=r_row, r_drive=r_sense, r_sense=r_drive)
    np.testing.assert_allclose(turned.T[::-1, ::-1], fast, rtol=1e-9, atol=0)  # rounding
    assert np.all(fast > 0.0)
    assert np.all(fast.sum(axis=0) < g.sum(axis=0))  # all rows driven: wires only ever take current
    stack = effective_conductance(np.stack([g, 2 * g]), r_row=r_row, r_col=r_col, r_drive=r_drive, r_sense=r_sense)
    np.testing.assert_allclose(stack[0], fast, rtol=1e-12, atol=0)


def test_no_wires_give_the_cells_exactly():
    g = _pattern((5, 6), 90e-6)
    np.testing.assert_array_equal(effective_conductance(g, **_same(0.0, 0.0)), g)
    np.testing.assert_array_equal(effective_conductance(np.zeros((5, 6)), **_same(1.0, 50.0)), np.zeros((5, 6)))


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"must be \(\.\.\., R, C\)"):
        effective_conductance(np.ones(4), **_same(1.0, 1.0))
    with pytest.raises(InputError, match="`r_row` must be at least 0"):
        effective_conductance(np.ones((2, 2)), **_same(-1.0, 1.0))
    wires = WireModel.from_table(tables()["wires"])
    with pytest.raises(InputError, match="at most 65 rows x 96 columns"):
        wires.check(66, 96)
    with pytest.raises(TableError, match="lacks r_row"):
        WireModel.from_table(Table(name="wires", axes={}, signals={}))
