from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, read_table, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.nodal import transfer_matrix

from rramkit.array import ArrayModel, CellCurrent, Tile, WireModel
from rramkit.array.cell_current import DirectionalCurrent
from rramkit.errors import InputError, TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Quantity, Table
from rramkit.table.schema import READ

FILE = tables()
IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
REAL = ArrayModel.from_tables(FILE)
CELLS_ONLY = ArrayModel.from_tables(FILE, wires=False)
FULL_SCALE = G_HIGH * V_READ  # A; of one cell


def _cells(rows, cols, seed=0):
    return np.random.default_rng(seed).uniform(G_LOW, G_HIGH, (2, rows, cols))


def _voltages(batch, lines, seed=1):
    return np.random.default_rng(seed).uniform(-V_READ, V_READ, (batch, lines))


def test_the_separable_current_is_the_table_within_its_limit():
    cells, table = CellCurrent.from_table(FILE["read"]), GridSurrogate(FILE["read"], "i_cell")
    rng = np.random.default_rng(2)
    g, v = rng.uniform(G_LOW, G_HIGH, 2000), rng.uniform(-V_READ, V_READ, 2000)
    sum_of_terms = np.sum(cells.conductance_terms(g) * cells.voltage_terms(v), axis=0)
    assert np.max(np.abs(sum_of_terms - table.at(g, v))) <= 1e-4 * table.full_scale  # SEPARATION_LIMIT
    assert len(cells.a_grid) <= 3
    assert len(CellCurrent.from_table(read_table(linear=True)).a_grid) == 1


@settings(max_examples=20)
@given(seed=st.integers(0, 999), rows=st.integers(1, 12), cols=st.integers(1, 9), batch=st.integers(1, 5))
def test_an_ideal_tile_is_the_matrix_product(seed, rows, cols, batch):
    g_cell = _cells(rows, cols, seed)
    tile = Tile.of(g_cell, IDEAL)
    weight = g_cell[0] - g_cell[1]
    rounding = 1e-12 * FULL_SCALE * max(rows, cols)
    v = _voltages(batch, rows, seed)
    np.testing.assert_allclose(tile.forward(v).i, v @ weight, rtol=0, atol=rounding)
    v = _voltages(batch, cols, seed)
    np.testing.assert_allclose(tile.backward(v).i, v @ weight.T, rtol=0, atol=rounding)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_read_is_two_phases_of_single_cells_added_by_hand(direction):
    g_cell = _cells(5, 3)
    lines, sensed = (5, 3) if direction == "forward" else (3, 5)
    v = _voltages(4, lines)
    table = GridSurrogate(FILE["read"], "i_cell")
    expected, energy = np.zeros((4, sensed)), 0.0
    for b in range(4):
        for r in range(5):
            for c in range(3):
                for half, sign in ((0, 1.0), (1, -1.0)):
                    x = v[b, r] if direction == "forward" else v[b, c]
                    across = -abs(x) if direction == "forward" else abs(x)
                    current = abs(float(table.at(g_cell[half, r, c], across)))
                    expected[b, c if direction == "forward" else r] += sign * np.sign(x) * current
                    energy += abs(x) * current * 20e-9  # t_read of the fixture
    reading = getattr(Tile.of(g_cell, CELLS_ONLY), direction)(v)
    # 2e-4 of one cell's full scale a cell summed: SEPARATION_LIMIT, twice for the subtraction
    np.testing.assert_allclose(reading.i, expected, rtol=0, atol=2e-4 * FULL_SCALE * lines)
    assert reading.energy == near(energy, rel=1e-3)
    assert reading.clamped == 0


@settings(max_examples=15)
@given(seed=st.integers(0, 999))
def test_batch_equals_loop_and_sign_turns_the_current(seed):
    tile = Tile.of(_cells(7, 4, seed), REAL)
    v = _voltages(6, 7, seed)
    whole = tile.forward(v)
    rows = [tile.forward(row[None]) for row in v]
    rounding = 1e-12 * FULL_SCALE
    np.testing.assert_allclose(whole.i, np.vstack([one.i for one in rows]), rtol=0, atol=rounding)
    assert whole.energy == near(sum(one.energy for one in rows), rel=1e-9)
    np.testing.assert_allclose(tile.forward(-v).i, -whole.i, rtol=0, atol=rounding)
    np.testing.assert_allclose(tile.forward(0 * v).i, 0.0, rtol=0, atol=rounding)


def test_wires_of_linear_cells_follow_the_nodal_solution_in_both_directions():
    model = ArrayModel.from_tables(tables(linear=True))
    g_cell = _cells(20, 8)
    tile = Tile.of(g_cell, model)
    physical = np.empty((20, 16))
    physical[:, ::2], physical[:, 1::2] = g_cell  # plus in the even columns
    exact = transfer_matrix(physical, r_row=1.2, r_col=1.2, r_drive=60.0, r_sense=40.0)
    weight = exact[:, ::2] - exact[:, 1::2]
    for v, i, matrix in (
        (_voltages(9, 20), tile.forward, weight),
        (_voltages(9, 8), tile.backward, weight.T),
    ):
        expected = v @ matrix
        # a tenth of what leaving the wires out would cost here (about 10 %)
        assert np.max(np.abs(i(v).i - expected)) < 0.01 * np.max(np.abs(expected))


def test_forward_and_backward_of_linear_cells_are_reciprocal():
    tile = Tile.of(_cells(9, 5), ArrayModel.from_tables(tables(linear=True)))
    forward = tile.forward(V_READ * np.eye(9)).i
    backward = tile.backward(V_READ * np.eye(5)).i
    np.testing.assert_allclose(backward.T, forward, rtol=0, atol=1e-12 * FULL_SCALE)


def test_what_leaves_the_table_is_counted():
    tile = Tile.of(np.full((2, 3, 2), 1.5 * G_HIGH), CELLS_ONLY)
    assert tile.clamped == 12
    v = np.array([[2 * V_READ, -3 * V_READ, 0.5 * V_READ]])
    assert tile.forward(v).clamped == 2
    np.testing.assert_array_equal(tile.forward(v).i, tile.forward(np.clip(v, -V_READ, V_READ)).i)


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"must be \(\.\.\., 2, R, C\)"):
        Tile.of(np.ones((3, 3, 4)), CELLS_ONLY)
    with pytest.raises(InputError, match="above 0 S"):
        Tile.of(np.zeros((2, 3, 4)), CELLS_ONLY)
    with pytest.raises(InputError, match="at most 65 rows x 96 columns"):
        Tile.of(_cells(65, 49), REAL)
    with pytest.raises(InputError, match=r"\(B, 3\)"):
        Tile.of(_cells(3, 4), CELLS_ONLY).forward(np.zeros((2, 4)))
    axes = {"g_cell": Quantity(np.array([1e-6, 9e-6]), "S"), "v_cell": Quantity(np.array([0.0, 0.2]), "V")}
    one_way = Table("read", axes, {"i_cell": Quantity(np.ones((2, 2)), "A")})
    with pytest.raises(TableError, match="both directions"):
        CellCurrent.from_table(one_way)


def test_lines_that_rest_at_a_voltage_are_pulled_down():
    """The same table read from a rest voltage swaps the directions, and its exact law follows."""
    up = FILE["read"]
    down = replace(up, conditions={**up.conditions, **READ.of(v_rest=0.3)})
    cells = CellCurrent.from_table(down)
    halves = [DirectionalCurrent.of(CellCurrent.from_table(up), backward=way) for way in (True, False)]
    for way, driven_up in zip((False, True), halves, strict=True):
        pulled = DirectionalCurrent.of(cells, backward=way)
        np.testing.assert_array_equal(pulled.b_grid, driven_up.b_grid)
        np.testing.assert_array_equal(pulled.a_terms.at(np.array([2e-5])), driven_up.a_terms.at(np.array([2e-5])))
    # Behind wires without resistance the exact law is the table itself, to the table's separation (SEPARATION_LIMIT).
    g, u = _cells(4, 5)[0], 0.5 * V_READ
    wires = WireModel.from_table(tables(perfect_wires=True)["wires"])
    surrogate = GridSurrogate(up, "i_cell")
    limit = 1e-4 * max(g.shape) * surrogate.full_scale
    law = cells.from_word
    reads = (
        (1, 0, wires.currents(g, np.full((4, 1), u), direction="forward", cells=law)),
        (-1, 1, wires.currents(g, np.full((5, 1), u), direction="backward", cells=law)),
    )
    for side, axis, exact in reads:
        sums = [s * surrogate.at(g.ravel(), np.full(g.size, s * u)).reshape(g.shape).sum(axis=axis) for s in (1, -1)]
        np.testing.assert_allclose(exact[:, 0], sums[0 if side > 0 else 1], rtol=0, atol=limit)
        assert np.max(np.abs(sums[0] - sums[1])) > 3 * limit  # so the other side would be seen
