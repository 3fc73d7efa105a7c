"""Written tiles: what is renewed is what is made anew, to the last bit; wires left alone stay within their bound."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import ArrayModel, ReadChain, Tile, TileGrid, TileRng, read_cache
from rramkit.array import tile as tile_module
from rramkit.array.operators import Operators
from rramkit.array.read_cache import FEW, ReadCache

CHAIN = ReadChain.checked(
    {"row_driver": {"levels": 64}, "clamp": {"i_max": 1.0}, "read_noise": {"sigma_span": 0.01, "sigma_rel": 0.02}},
    where="test",
)
EXACT = ArrayModel.from_tables(tables(), chain=CHAIN)
UNWIRED = replace(EXACT, wires=None)
SWITCHED = replace(UNWIRED, chain=ReadChain.checked({"multiplexer": {"r_series": 500.0}}, where="test"))
ROWS, PAIRS, LARGEST = 20, 13, (9, 12)


def _written(g_cell, count, rng, size=1.0):
    """Return the conductances after `count` cells were moved by up to `size` of the range."""
    new = g_cell.copy()
    at = rng.integers(0, new.size, count)
    new.ravel()[at] = np.clip(new.ravel()[at] + size * (G_HIGH - G_LOW) * rng.uniform(-1, 1, count), G_LOW, G_HIGH)
    return new


def _reads(grid, *, forward=True, backward=True):
    v = np.random.default_rng(1).uniform(-V_READ, V_READ, (5, ROWS))
    e = np.random.default_rng(2).uniform(-V_READ, V_READ, (5, PAIRS))
    found = []
    if forward:
        found.append(grid.forward(v, rng=TileRng.seeded(3, grid.shape)))
    if backward:
        found.append(grid.backward(e, rng=TileRng.seeded(4, grid.shape)))
    return found


def _same(found, expected):
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine.i, theirs.i)
        assert (mine.energy, mine.clamped) == (theirs.energy, theirs.clamped)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 999),
    writes=st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=1, max_size=4),
    model=st.sampled_from([EXACT, UNWIRED, SWITCHED]),
)
def test_tiles_written_again_and_again_read_as_those_made_anew(seed, writes, model):
    rng = np.random.default_rng(seed)
    g_cell = rng.uniform(G_LOW, G_HIGH, (2, ROWS, PAIRS))
    grid = TileGrid.of(g_cell, model, largest=LARGEST)
    for count, forward, backward in writes:
        _reads(grid, forward=forward, backward=backward)  # what has been prepared differs from turn to turn
        g_cell = _written(g_cell, count, rng)
        grid = grid.programmed(g_cell)
    _same(_reads(grid), _reads(TileGrid.of(g_cell, model, largest=LARGEST)))


@settings(max_examples=15)
@given(seed=st.integers(0, 999), within=st.floats(1e-4, 1e-2))
def test_wires_left_alone_stay_within_their_bound(seed, within):
    model = replace(ArrayModel.from_tables(tables()), wires_within=within)
    rng = np.random.default_rng(seed)
    g_cell = rng.uniform(G_LOW, G_HIGH, (2, ROWS, PAIRS))
    grid = TileGrid.of(g_cell, model, largest=LARGEST)
    v = rng.uniform(0.0, V_READ, (8, ROWS))  # all of one sign: what wires take away adds up
    for _ in range(6):
        grid.forward(v)
        g_cell = _written(g_cell, 3, rng, size=0.2)
        grid = grid.programmed(g_cell)
    exact = TileGrid.of(g_cell, model, largest=LARGEST)
    # A column's current and a row's each off by `within` at most, of what both halves of a pair carry.
    carried = v @ (g_cell[0] + g_cell[1])
    assert np.all(np.abs(grid.forward(v).i - exact.forward(v).i) <= 2.0 * within * carried)
    np.testing.assert_array_equal(grid.without_cache().forward(v).i, exact.forward(v).i)


def test_a_line_that_gathers_too_much_has_its_wires_solved():
    model = replace(ArrayModel.from_tables(tables()), wires_within=1e-2)
    g_cell = np.full((2, ROWS, PAIRS), 0.5 * (G_LOW + G_HIGH))
    grid = TileGrid.of(g_cell, model, largest=LARGEST)
    v = np.full((1, ROWS), V_READ)
    grid.forward(v)
    moved, solved = g_cell.copy(), []
    for row in range(9):  # a column of the first tile, one cell after the other
        moved = moved.copy()
        moved[0, row, 0] = G_HIGH
        grid = grid.programmed(moved)
        solved.append(np.array_equal(grid.forward(v).i, TileGrid.of(moved, model, largest=LARGEST).forward(v).i))
    assert not solved[0]
    assert any(solved)


def test_other_tiles_keep_what_was_prepared():
    g_cell = np.random.default_rng(0).uniform(G_LOW, G_HIGH, (2, ROWS, PAIRS))
    grid = TileGrid.of(g_cell, ArrayModel.from_tables(tables()), largest=LARGEST)
    before = grid.tiles.rows_driven
    moved = g_cell.copy()
    moved[1, 0, 0] *= 1.1
    after = grid.programmed(moved).tiles.rows_driven
    differ = np.any(after.difference != before.difference, axis=(-3, -2, -1))
    np.testing.assert_array_equal(differ, np.arange(differ.size).reshape(differ.shape) == 0)


@pytest.mark.parametrize("within", [0.0, 1e-3])
def test_tiles_without_cache_are_those_built_from_their_cells(within):
    model = replace(EXACT, wires_within=within)
    g_cell = np.random.default_rng(0).uniform(G_LOW, G_HIGH, (2, ROWS, PAIRS))
    grid = TileGrid.of(g_cell, model, largest=LARGEST)
    _reads(grid)
    moved = _written(g_cell, 5, np.random.default_rng(1), size=0.01)
    _same(_reads(grid.programmed(moved).without_cache()), _reads(TileGrid.of(moved, model, largest=LARGEST)))


@pytest.mark.parametrize("nonlinear", [False, True], ids=["linear", "adc"])
def test_a_written_tile_takes_at_most_a_fifth_more_memory_than_a_fresh_one(nonlinear):
    """What was prepared before a write goes when it has been brought up to date."""
    stages = {"adc": {"bits": 8}, "read_noise": {"sigma_span": 0.02}} if nonlinear else {}
    model = replace(EXACT, chain=ReadChain.checked(stages, where="test"))
    g_cell = np.random.default_rng(0).uniform(G_LOW, 0.5 * G_HIGH, (2, 20, 20)).astype(np.float32)
    fresh = Tile.of(g_cell, model, rng=TileRng.seeded(0))
    tile, v = fresh, np.full((1, 20), 0.5 * V_READ, np.float32)
    for number in range(3):
        for way in (tile.forward, tile.backward):
            way(v, rng=TileRng.seeded(number))
        if number < 2:
            g_cell = g_cell.copy()
            g_cell[0, number, 5] *= np.float32(1.3)
            tile = tile.programmed(g_cell)
    assert tile.read_cache is not None
    assert _bytes(tile) <= 1.2 * _bytes(fresh)


def _bytes(tile):
    """Return the bytes of the arrays that hang on a tile, each counted once; without model and periphery."""
    found, waiting = {}, [value for name, value in vars(tile).items() if name not in ("model", "periphery")]
    while waiting:
        each = waiting.pop()
        if isinstance(each, np.ndarray):
            base = each if each.base is None else each.base
            found[id(base)] = base.nbytes
        elif isinstance(each, (Operators, ReadCache)):
            waiting += vars(each).values()
    return sum(found.values())


@given(seed=st.integers(0, 999), count=st.integers(1, 20))
@settings(max_examples=15)
def test_a_few_written_cells_leave_the_tile_that_a_write_of_all_leaves(seed, count):
    model, rng = replace(EXACT, wires_within=1e-3), np.random.default_rng(seed)
    low, high = model.cells.g_grid[[0, -1]]
    g_cell = rng.uniform(low, high, (2, ROWS, PAIRS))
    g_cell.flat[:4] = 0.9 * low  # outside the table, of which some are written again
    tile, moved = TileGrid.of(g_cell, model, largest=LARGEST).tiles, _written(g_cell, count, rng, size=0.3)
    moved.flat[rng.integers(0, 8, 3)] = (low, 0.9 * low, 1.1 * high)
    new = TileGrid.of(moved, model, largest=LARGEST).tiles.g_cell
    assert 0 < np.count_nonzero(new != tile.g_cell) * FEW <= new.size
    with pytest.MonkeyPatch.context() as patch:
        for module in (read_cache, tile_module):  # a tile of a test has fewer cells than pay for it
            patch.setattr(module, "MANY_CELLS", 1)
        few = tile.programmed(new)
    whole = tile.programmed(new)
    np.testing.assert_array_equal(few.g_cell, whole.g_cell)
    assert few.clamped == whole.clamped == model.cells.outside(new) and not few.g_cell.flags.writeable
    assert few.read_cache is not None and whole.read_cache is not None
    np.testing.assert_array_equal(few.read_cache.written, whole.read_cache.written)
    np.testing.assert_array_equal(few.read_cache.solved, whole.read_cache.solved)
