"""Lines that a user of PyTorch or scikit-rf would guess: a tile, its reads, programming a matrix."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.array import ArrayModel, Reading, Tile, TileGrid, WriteVerify
from rramkit.array.mapping import Pairs
from rramkit.errors import InputError
from rramkit.table.example import example

TABLES = example()
G = np.random.default_rng(0).uniform(10e-6, 80e-6, (2, 3, 2))
V = [0.1, -0.05, 0.2]
W = np.array([[0.5, -1.0], [1.0, 0.25], [-0.5, 0.0]])
TILE = Tile.of(G, ArrayModel(TABLES))
CURRENTS = TILE.forward(np.array([V])).i[0]


def rng():
    return np.random.default_rng(1)


def test_array_model_of_tables():
    assert ArrayModel(TABLES).t_read == ArrayModel.from_tables(TABLES).t_read
    assert ArrayModel(TABLES, wires=False).wires is None
    with pytest.raises(InputError, match="`tables` must be a table file; got none"):
        ArrayModel()


def test_tile_of_conductances_and_a_model():
    np.testing.assert_array_equal(Tile.of(G, TABLES).read(V), CURRENTS)
    np.testing.assert_array_equal(Tile.of(G.tolist(), TABLES).read(V), CURRENTS)


def test_tile_from_tables():
    np.testing.assert_array_equal(Tile.from_tables(TABLES, G).read(V), CURRENTS)


def test_tile_of_a_matrix_of_single_ended_cells():
    tile = Tile.of(G[0], TABLES)
    assert not tile.paired
    ideal = np.array(V) @ G[0]
    np.testing.assert_allclose(tile.read(V), ideal, rtol=0, atol=0.05 * np.max(np.abs(ideal)))  # wires, nonlinear cells


def test_read_of_one_vector_and_of_a_batch():
    assert TILE.read(V).shape == (2,)
    assert TILE.read([V] * 4).shape == (4, 2)
    np.testing.assert_array_equal(TILE.read([V])[0], CURRENTS)


def test_forward_and_backward_of_one_vector():
    reading = TILE.forward(V)
    assert isinstance(reading, Reading) and reading.i.shape == (2,)
    np.testing.assert_array_equal(reading.i, CURRENTS)
    assert TILE.backward([0.1, -0.2]).i.shape == (3,)


def test_calling_and_multiplying_a_tile_is_a_forward_read():
    np.testing.assert_array_equal(TILE(V), CURRENTS)
    np.testing.assert_array_equal(TILE @ np.array(V), CURRENTS)
    np.testing.assert_array_equal(np.array(V) @ TILE, CURRENTS)


def test_integers_are_voltages():
    # rounding of the separated cell current, 1e-20 of full scale
    np.testing.assert_allclose(TILE.read([0, 0, 0]), [0.0, 0.0], rtol=0, atol=1e-22)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(InputError, match=r"`v` must be \(B, R\) = \(B, 3\) in volts; got \(2,\)"):
        TILE.read([0.1, 0.2])
    with pytest.raises(InputError, match=r"`g_cell` must be \(\.\.\., 2, R, C\) in siemens"):
        Tile.of([1e-5], TABLES)


def test_a_large_matrix_is_a_grid_of_tiles():
    grid = ArrayModel(TABLES).tile(np.full((2, 100, 10), 20e-6))
    assert isinstance(grid, TileGrid) and grid.shape == (2, 1)
    assert grid.read(np.full(100, 0.1)).shape == (10,)
    assert (np.full((3, 100), 0.1) @ grid).shape == (3, 10)


def test_program_a_matrix():
    array = ArrayModel(TABLES)
    tile, cost = array.program(W, rng=rng())
    low, high = 4e-6, 90e-6
    product = np.array(V) @ W * (high - low)
    # a window of 1 % of the range for each half, wires and nonlinear cells: some percent of the largest current
    np.testing.assert_allclose(tile.read(V), product, rtol=0, atol=0.06 * np.max(np.abs(product)))
    assert cost.missed == 0 and cost.pulses > 0 and cost.energy > 0.0 and cost.error_max <= 0.02


def test_program_by_one_pulse_and_exactly():
    array = ArrayModel(TABLES)
    _, once = array.program(W, rng=rng(), method="pulse")
    _, exact = array.program(W, rng=rng(), method="exact")
    assert once.pulses <= W.size * 2
    assert (exact.pulses, exact.error_max) == (0, 0.0)
    with pytest.raises(InputError, match="`method` must be verify, pulse or exact"):
        array.program(W, rng=rng(), method="magic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"`weight` must be \(N, M\)"):
        array.program([1.0, 2.0], rng=rng())


def test_write_verify_of_plain_conductances():
    done = WriteVerify.from_tables(TABLES).program(np.full(G.shape, 5e-6), G, rng=rng())
    assert np.max(np.abs(done.error)) <= 0.01 * 86e-6


def test_cells_that_are_given_up_are_counted():
    from rramkit.array import VerifyParams

    _, cost = ArrayModel(TABLES).program(W, rng=rng(), verify=VerifyParams(pulses_max=1))
    assert cost.missed > 0


def test_pairs_need_a_window():
    assert Pairs(g_low=4e-6, g_high=90e-6).g_unit == near(86e-6, 1e-12)


def test_one_line_each():
    model = ArrayModel(TABLES)
    cells = WriteVerify.from_tables(TABLES).chain.init(G, rng=rng())
    for thing in (TILE, model.tile(np.full((2, 100, 10), 2e-5)), model, TILE.forward(V), cells):
        assert len(repr(thing)) < 120 and "\n" not in repr(thing)
        assert repr(thing).startswith(type(thing).__name__)
