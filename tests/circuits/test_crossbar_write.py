"""One cell written in an array: it moves, its neighbours do as the scheme says; spread and size are looked after."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.circuits.array_cells import CellSpread
from rramkit.circuits.cell import PulseShape
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.crossbar_write import CrossbarWriteParams, Selection, array_write
from rramkit.errors import InputError


def changes(pool, params):
    waves = pool.run(array_write(params).text())
    bar = params.crossbar
    last = np.array([[waves[f"s_{i}_{j}"][-1] for j in range(bar.cols)] for i in range(bar.rows)])
    return last - params.start_states(), waves


def written(**given):
    bar = CrossbarParams(rows=3, cols=3, **given.pop("bar", {}))
    return CrossbarWriteParams(crossbar=bar, pulses=1, **given)


@pytest.mark.parametrize(
    ("scheme", "neighbours"),
    # Gated, no neighbour moves beyond the transient's noise (1e-9). At V/2 (0.9 V) those of the same row and column do.
    [("gated", 1e-9), ("half", 1e-4)],
)
def test_set_moves_the_selected_cell_only(pool, scheme, neighbours):
    params = written(selection=Selection(scheme=scheme, row=1, col=2), v_write=1.8, v_word=1.5)
    moved, waves = changes(pool, params)
    assert moved[1, 2] > 0.1
    moved[1, 2] = 0
    assert np.max(np.abs(moved)) < neighbours
    if scheme == "half":
        assert np.max(moved) > 1e-12  # they are disturbed, and the deck shows it
    assert waves.measures["ds_selected"] == near(waves["s_1_2"][-1] - params.state, within=1e-6)


def test_reset_with_either_line_on_the_rows(pool):
    """The same cell, the array turned: rows as bit lines. 3 x 3, so that a turned index would hit another cell."""
    found = []
    for row_line in ("source", "bit"):
        bar = {"row_line": row_line, "gating": "row", "r_row": 0, "r_col": 0, "c_row": 0, "c_col": 0}
        params = written(
            bar=bar, selection=Selection(row=0, col=2), polarity="reset", v_write=1.8, v_word=3.6, state=0.95
        )
        moved, _ = changes(pool, params)
        assert moved[0, 2] < -0.05
        found.append(moved[0, 2])
        moved[0, 2] = 0
        assert np.max(np.abs(moved)) < 1e-9
    # One edge of 1 ns is 2 % of the pulse, and the two arrays load the driven line with different transistors.
    assert found[0] == near(found[1], 0.02)


def test_selectors_guard_a_1s1r_array(pool):
    params = written(
        bar={"cell_kind": "1S1R"}, selection=Selection(scheme="third", row=1, col=1), v_write=2.6, state=0.6
    )
    moved, _ = changes(pool, params)
    assert moved[1, 1] > 0.05
    moved[1, 1] = 0
    assert np.max(np.abs(moved)) < 1e-6


def test_halving_the_step_changes_nothing_that_matters(pool):
    found = []
    for t_step in (0.2e-9, 0.1e-9):
        params = written(pulse=PulseShape(t_step=t_step), v_write=1.8, v_word=1.5)
        found.append(changes(pool, params)[0][0, 0])
    assert abs(found[1] - found[0]) < 2e-4  # of the state's range


def test_spread_sets_the_start():
    params = written(spread=CellSpread(sigma=0.05, stuck_high=0.2), seed=3)
    states = params.start_states()
    assert np.std(states) > 0.02 and np.all((states >= 0) & (states <= 1))
    np.testing.assert_array_equal(states, params.start_states())


def test_large_arrays_are_refused():
    with pytest.raises(InputError, match="64 or less"):
        array_write(CrossbarWriteParams(crossbar=CrossbarParams(rows=9, cols=8)))
    with pytest.raises(InputError, match="1T1R or 1S1R where states move"):
        array_write(written(bar={"cell_kind": "1R"}, selection=Selection(scheme="half")))
