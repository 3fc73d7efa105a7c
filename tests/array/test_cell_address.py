import numpy as np
from fixtures.synthetic import tables
from hypothesis import given
from hypothesis import strategies as st

from rramkit.array import ArrayModel, TileGrid
from rramkit.array.write.cell_address import CellAddress, shared_drop
from rramkit.array.write.schedule import Schedule, slots

SHAPE = (3, 2, 4, 5)


def test_places_are_those_of_the_physical_array():
    g_cell = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    address = CellAddress.of(g_cell.ravel(), SHAPE)
    for flat, array, row, col in zip(address.flat, address.array, address.row, address.col, strict=True):
        assert g_cell[array, col % 2, row, col // 2] == flat
    assert (address.rows, address.cols) == (4, 10)
    assert set(address.row_line) == set(range(12)) and set(address.col_line) == set(range(30))


def test_a_large_matrix_is_cut_as_the_grid_of_tiles_cuts_it():
    shape, largest = (2, 7, 9), (4, 10)
    g_cell = 10e-6 + 1e-9 * np.arange(np.prod(shape)).reshape(shape)
    grid = TileGrid.of(g_cell, ArrayModel.from_tables(tables(), wires=False), largest=largest)
    tiles = np.asarray(grid.tiles.g_cell)
    address = CellAddress.of(np.arange(g_cell.size), shape, largest)
    assert (address.arrays, address.rows, address.cols) == (4, tiles.shape[-2], 2 * tiles.shape[-1])
    found = tiles.reshape(-1, *tiles.shape[-3:])[address.array, address.col % 2, address.row, address.col // 2]
    np.testing.assert_array_equal(found, g_cell.ravel())


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 40))
def test_shared_resistance_as_the_slow_sum(seed, count):
    rng = np.random.default_rng(seed)
    current, line, position = rng.uniform(0, 1, count), rng.integers(0, 4, count), rng.integers(0, 9, count)
    slow = [
        sum(i * min(p, position[k]) for i, p, key in zip(current, position, line, strict=True) if key == line[k])
        for k in range(count)
    ]
    np.testing.assert_allclose(
        shared_drop(current, line, position.astype(float), np.ones(count)), slow, rtol=0, atol=1e-12 * max(count, 1)
    )


def test_the_drop_is_that_of_a_ladder():
    """Kirchhoff: between neighbouring cells of one line flow the currents of all cells beyond."""
    rng = np.random.default_rng(1)
    current, r = rng.uniform(0, 1e-4, 6), 2.5
    drop = r * shared_drop(current, np.zeros(6, dtype=int), np.arange(6.0), np.ones(6))
    np.testing.assert_allclose(np.diff(drop), r * np.cumsum(current[::-1])[::-1][1:], rtol=1e-12)


def test_slots_of_the_three_schedules():
    rng = np.random.default_rng(2)
    flat = np.sort(rng.choice(np.prod(SHAPE), 60, replace=False))
    address = CellAddress.of(flat, SHAPE)
    volts, seconds = rng.choice([1.0, 1.1, 1.2], 60), np.full(60, 1e-7)
    keys: dict[Schedule, np.ndarray] = {
        "cell": flat,
        "row": address.row_line * 100 + (volts * 10).round(),
        "array": address.array * 100 + (volts * 10).round(),
    }
    for schedule, key in keys.items():
        when = slots(schedule, address, volts, seconds)
        for a in range(60):
            np.testing.assert_array_equal(when.slot == when.slot[a], key == key[a])
        busiest = max(np.unique(key[address.array == array]).size for array in range(3))
        assert abs(when.seconds - busiest * 1e-7) < 1e-15
    none = slots("row", CellAddress.of(flat[:0], SHAPE), volts[:0], seconds[:0])
    assert none.seconds == 0.0
