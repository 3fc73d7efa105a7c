"""A read in one compiled pass against the same read step by step: the same bits, whatever the stages and the shapes.

Energy alone is rounded otherwise. The kernel's products are those of SciPy's BLAS, which numba calls, the steps' those
of NumPy's: where the two round a product of such a shape otherwise, currents are held to that rounding. Tested where
numba is installed; without it every read goes step by step.
"""

from importlib import util
from typing import Any

import numpy as np
import pytest
from fixtures.chip_tables import G_HIGH, G_LOW, chip_tables
from fixtures.closeness import near
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import ArrayModel, ReadChain, TileGrid, TileRng, read_pass
from rramkit.array import read as steps
from rramkit.array.kernels import parts
from rramkit.array.windows import Windows
from rramkit.table.example import example

needs_numba = pytest.mark.skipif(
    util.find_spec("numba") is None, reason="compiled kernels need numba: pip install 'rramkit[fast]'"
)

CELLS: dict[str, Any] = {"read_noise": {"sigma_span": 0.02}}
CHAINS: dict[str, dict[str, Any]] = {
    "noise of cells": CELLS,
    "converters": {"row_driver": {"levels": 32}, "adc": {"bits": 6}},
    "all": {**CELLS, "row_driver": {"levels": 32}, "adc": {"bits": 6, "noise": 1e-8}},
    "converters that differ": {
        **CELLS,
        "adc": {"bits": 6, "offset_sigma": 1e-7, "gain_sigma": 0.02, "shared": 3},
    },
    "halves apart": {**CELLS, "adc": {"bits": 6}, "subtraction": "digital"},
    "bits one by one": {
        **CELLS,
        "row_driver": {"levels": 16, "serial": True, "accumulate": "digital"},
        "adc": {"bits": 6},
    },
}
FILE = "every stage of a file"


def model(name: str) -> ArrayModel:
    if name == FILE:
        file = chip_tables()
        return ArrayModel.from_tables(file, chain=ReadChain.from_tables(file))
    return ArrayModel.from_tables(example(), wires=False, chain=ReadChain.checked(CHAINS[name], where="test"))


def grid_of(name: str, rows: int, pairs: int, largest: tuple[int, int]) -> TileGrid:
    rng = np.random.default_rng(rows)
    g_cell = rng.uniform(G_LOW, G_HIGH, (2, rows, pairs)).astype(np.float32)
    grid = TileGrid.of(g_cell, model(name), largest=largest, rng=rng)
    if not grid.model.chain.calibrates:
        return grid
    v_max, both = grid.model.cells.v_forward, rng.uniform(-1.0, 1.0, (40, rows + pairs)).astype(np.float32) * 0.9
    return grid.calibrated(v_max * both[:, :rows]).calibrated(
        grid.model.cells.v_backward * both[:, rows:], backward=True
    )


def both_ways(grid: TileGrid, v: np.ndarray, *, backward: bool = False, windows: Windows | None = None) -> tuple:
    """Return the reading of one pass, that of single steps, and how many passes there were."""
    readings, used = [], []

    def counted(lines: read_pass.LinePass) -> Any:
        done = read_pass.passed(lines)
        used.append(done is not None)
        return done

    for passed in (counted, lambda _: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(steps, "passed", passed)
            rng = TileRng.seeded(1, grid.shape)
            reading = grid.backward(v, rng=rng) if backward else grid.forward(v, rng=rng, windows=windows)
            readings.append(reading)
    return *readings, sum(used)


def products_agree(grid: TileGrid, vectors: int, block: int, *, turned: bool, backward: bool) -> bool:
    """Whether the kernel's products of an array's matrix, a block of vectors at a time, are the bits of NumPy's."""
    from rramkit.array.kernels.compiled.passes import _multiply

    rng, shape = np.random.default_rng(0), grid.tiles.g_cell.shape[-2:]
    rows, outputs = shape[::-1] if backward else shape
    for _ in range(20):
        matrix, x = (rng.random(size, dtype=np.float32) for size in (shape, (vectors, rows)))
        across = matrix.T if backward else matrix
        whole = (across.T @ np.ascontiguousarray(x.T)).T if turned else x @ across
        for start in range(0, vectors, block):
            part, some = x[start : start + block], len(x[start : start + block])
            part = np.ascontiguousarray(part.T) if turned else part
            found, more = np.empty((2, outputs, some) if turned else (2, some, outputs), np.float32)
            _multiply(matrix[None], part[None], found, more, turned, backward)
            if not np.array_equal(found.T if turned else found, whole[start : start + block]):
                return False
    return True


def agree(grid: TileGrid, mine: Any, theirs: Any, *, block: int, turned: bool, backward: bool = False) -> None:
    """Currents and counts are the same, or as near as products of BLAS that round otherwise leave them."""
    if np.array_equal(mine.i, theirs.i):
        assert mine.beyond == theirs.beyond
        return
    vectors, lines = mine.i.shape[0], grid.pairs if backward else grid.rows
    assert not products_agree(grid, vectors, block, turned=turned, backward=backward)
    # a sum of n products is off by n 2^-24 of the sum of their magnitudes at most: two sums, and two halves of them
    cells = grid.model.cells
    rounding = 4 * lines**2 * 2.0**-24 * G_HIGH * max(cells.v_forward, cells.v_backward)
    # where it carries a current over the edge between two codes, the code is the next one: at most 2e-4 of them
    flipped = 1 + mine.i.size // 1000
    assert np.count_nonzero(np.abs(mine.i - theirs.i) > rounding) <= flipped
    assert abs(mine.beyond - theirs.beyond) <= flipped


def same(grid: TileGrid, v: np.ndarray, *, backward: bool = False, windows: Windows | None = None) -> None:
    mine, theirs, used = both_ways(grid, v, backward=backward, windows=windows)
    assert used
    assert mine.i.strides == theirs.i.strides  # later layers draw their noise in this order
    turned = windows is not None or not v.flags.c_contiguous
    agree(grid, mine, theirs, block=len(mine.i), turned=turned, backward=backward)
    assert (mine.conversions, mine.duration) == (theirs.conversions, theirs.duration)
    # readouts: the mean current in float64 against float32, 24 bits; the conductances of some tables are beyond theirs
    assert mine.energy == near(theirs.energy, 1e-6)


@needs_numba
@pytest.mark.parametrize("name", [*CHAINS, FILE])
@given(
    st.tuples(st.integers(2, 30), st.integers(2, 12)),
    st.tuples(st.integers(1, 30), st.integers(1, 12)),
    st.integers(2, 70),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**16),
)
@settings(max_examples=6, deadline=None)
def test_vectors_are_read_in_one_pass_as_step_by_step(name, shape, size, batch, turned, backward, seed):
    rows, pairs = shape
    largest = min(size[0], rows), 2 * min(size[1], pairs)
    grid = grid_of(name, rows, pairs, largest)
    cells, lines = grid.model.cells, pairs if backward else rows
    v = np.random.default_rng(seed).uniform(-1.0, 1.0, (lines, batch) if turned else (batch, lines)).astype(np.float32)
    v *= cells.v_backward if backward else cells.v_forward
    if 1 in (largest[1] // 2, largest[0]) and turned:
        return  # one output alone: either memory order is both, and steps are taken
    same(grid, v.T if turned else v, backward=backward)


@needs_numba
@pytest.mark.parametrize("windows", [Windows(3), Windows(3, 1, 1), Windows(3, 2, 1)], ids=["plain", "border", "stride"])
@pytest.mark.parametrize("name", ["all", FILE])
def test_windows_are_read_in_one_pass_as_step_by_step(name, windows):
    grid = grid_of(name, 18, 5, (8, 6))
    v = np.random.default_rng(2).uniform(0.0, grid.model.cells.v_forward, (2, 9, 7, 6)).astype(np.float32)
    same(grid, v, windows=windows)


@needs_numba
def test_blocks_and_threads_do_not_change_a_read(monkeypatch):
    """Several blocks a tile, in one part and in three, and in one block."""
    grid, found = grid_of("halves apart", 12, 4, (8, 8)), []
    v = np.random.default_rng(3).uniform(0.0, grid.model.cells.v_forward, (3, 34, 34, 16)).astype(np.float32)
    for block, threads in ((2**14, "1"), (2**14, "3"), (2**24, "1")):
        monkeypatch.setattr(read_pass, "BLOCK", block)
        monkeypatch.setenv(parts.VARIABLE, threads)
        found.append(grid.forward(v, rng=TileRng.seeded(1, grid.shape), windows=Windows(2, 1)))
    one, three, whole = found
    assert one.i.size >= 2 * parts.LEAST
    assert np.array_equal(one.i, three.i)
    assert one.beyond == three.beyond
    agree(grid, whole, one, block=33 * 16, turned=True)  # a row of windows of all images
    assert one.energy == three.energy == whole.energy


@needs_numba
@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("a clamp before the converter", {"clamp": {"i_max": 1e-4}, "adc": {"bits": 6}}),
        ("noise of converters alone", {"adc": {"noise": 1e-8}}),
        ("cells alone", {}),
        ("joined arrays", {"merge": "analog"}),
    ],
)
def test_what_the_kernel_does_not_have_is_read_step_by_step(name, chain):
    array = ArrayModel.from_tables(example(), wires=False, chain=ReadChain.checked(chain, where="test"))
    g_cell = np.random.default_rng(0).uniform(G_LOW, G_HIGH, (2, 8, 3)).astype(np.float32)
    grid = TileGrid.of(g_cell, array, largest=(4, 6))
    mine, theirs, used = both_ways(grid, np.full((5, 8), 0.05, np.float32))
    assert not used
    assert np.array_equal(mine.i, theirs.i)


@needs_numba
def test_what_a_pass_makes_of_the_stages_is_kept_between_reads(monkeypatch):
    made = []
    make = read_pass.Sensing._made.__func__
    monkeypatch.setattr(
        read_pass.Sensing, "_made", classmethod(lambda cls, *given: made.append(given) or make(cls, *given))
    )
    grid = grid_of(FILE, 24, 8, (24, 16))
    v = np.full((70, 24), 0.5 * grid.model.cells.v_forward, np.float32)
    for seed in range(3):
        grid.forward(v, rng=TileRng.seeded(seed, grid.shape))
    assert len(made) == 1
