from typing import Any

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import ArrayModel, TileRng
from rramkit.array.mapping import BitSliced, Isaac, MappedMatrix, OffsetColumn, Pairs, Prime
from rramkit.array.mapping.levels import ConductanceLevels
from rramkit.array.stages.chain import ReadChain
from rramkit.errors import InputError

IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
RANGE: dict[str, Any] = {"g_low": G_LOW, "g_high": G_HIGH}
SMALL = (24, 10)  # rows and columns of an array: several tiles each way


@settings(max_examples=15)
@given(seed=st.integers(0, 999), rows=st.integers(1, 60), cols=st.integers(1, 9))
@pytest.mark.parametrize(
    "mapping", [Pairs(**RANGE, w_max=1.5), Pairs(**RANGE, w_max=1.5, about="edge"), OffsetColumn(**RANGE, w_max=1.5)]
)
def test_real_weights_give_the_product_and_come_back(mapping, seed, rows, cols):
    rng = np.random.default_rng(seed)
    weight, x = rng.uniform(-1.5, 1.5, (rows, cols)), rng.normal(size=(4, rows))
    matrix = MappedMatrix.of(weight, mapping, IDEAL, largest=SMALL)
    np.testing.assert_allclose(matrix.weight, weight, rtol=0, atol=1e-12)
    # rounding of sums over at most 60 rows whose parts are a hundred times the difference they leave
    np.testing.assert_allclose(matrix.forward(x).y, x @ weight, rtol=0, atol=1e-11)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), rows=st.integers(1, 70), cols=st.integers(1, 5))
@pytest.mark.parametrize(
    ("mapping", "w_range", "x_range"),
    [
        (BitSliced(levels=ConductanceLevels(bits=2, **RANGE), slices=4, x_max=15), (-255, 255), (-15, 15)),
        (BitSliced(levels=ConductanceLevels(bits=1, **RANGE), slices=3, x_max=1), (-7, 7), (0, 1)),
        (Prime(levels=ConductanceLevels(bits=4, **RANGE)), (-255, 255), (0, 63)),
        (Isaac(levels=ConductanceLevels(bits=2, **RANGE)), (-32768, 32767), (0, 65535)),
        (Isaac(levels=ConductanceLevels(bits=2, **RANGE), flip=False, slices=4, input_bits=4), (-128, 127), (0, 15)),
    ],
)
def test_whole_weights_give_the_whole_product_exactly(mapping, w_range, x_range, seed, rows, cols):
    rng = np.random.default_rng(seed)
    weight = rng.integers(w_range[0], w_range[1] + 1, (rows, cols))
    weight[0, 0], weight[-1, -1] = w_range
    x = rng.integers(x_range[0], x_range[1] + 1, (3, rows))
    matrix = MappedMatrix.of(weight, mapping, IDEAL, largest=(64, 16))
    np.testing.assert_array_equal(matrix.weight, weight)
    np.testing.assert_array_equal(matrix.forward(x).y, x @ weight)


def test_prime_drops_the_lowest_bits_of_the_sum():
    rng = np.random.default_rng(0)
    weight, x = rng.integers(-255, 256, (40, 3)), rng.integers(0, 64, (5, 40))
    mapping = Prime(levels=ConductanceLevels(bits=4, **RANGE), dropped=7)
    np.testing.assert_array_equal(MappedMatrix.of(weight, mapping, IDEAL).forward(x).y, (x @ weight >> 7) << 7)


def test_flipping_saves_the_converter_one_bit():
    """128 rows of two-bit cells: up to 384 levels, nine bits; with the flip never more than 192, eight bits."""
    weight = np.random.default_rng(0).integers(-32768, 32768, (128, 6))
    for flip, bits in ((True, 8), (False, 9)):
        mapping = Isaac(levels=ConductanceLevels(bits=2, **RANGE), flip=flip)
        worst = weight.copy()
        worst[:, 0] = 32767
        level = mapping.levels.level(mapping.to_cells(worst)[0])
        assert 2 ** (bits - 1) <= level.sum(axis=0).max() <= 2**bits - 1
    rows = np.ones((1, 128))
    np.testing.assert_array_equal(
        MappedMatrix.of(worst, Isaac(levels=ConductanceLevels(**RANGE)), IDEAL).forward(rows).y, rows @ worst
    )


def test_each_tile_converts_its_own_partial_sum():
    """A converter of 3 bits for each tile, by hand: partial sums rounded one by one, then added."""
    rng = np.random.default_rng(1)
    weight, x = rng.uniform(-1.0, 1.0, (48, 5)), rng.uniform(0.0, 1.0, (6, 48))
    x[:, 0] = 1.0  # the full voltage stands for one
    chain = ReadChain.checked({"adc": {"bits": 3, "i_high": 6e-5}}, where="test")
    mapping = Pairs(**RANGE)
    model = ArrayModel.from_tables(tables(linear=True), wires=False, chain=chain)
    matrix = MappedMatrix.of(weight, mapping, model, largest=SMALL)
    i_lsb, v_max = 6e-5 / 3, model.cells.v_forward
    parts = [x[:, at : at + 24] @ weight[at : at + 24] * mapping.g_unit * v_max for at in (0, 24)]
    expected = sum(np.clip(np.rint(part / i_lsb), -3, 3) for part in parts) * i_lsb / (mapping.g_unit * v_max)
    # the two ways round the same numbers, none of which lies on the edge between two codes
    np.testing.assert_allclose(matrix.forward(x).y, expected, rtol=0, atol=1e-12)


def test_cells_that_came_out_otherwise_are_read_as_they_are():
    rng = np.random.default_rng(2)
    weight = rng.uniform(-1.0, 1.0, (10, 4))
    matrix = MappedMatrix.of(weight, Pairs(**RANGE), IDEAL)
    moved = matrix.programmed(np.clip(matrix.grid.g_cell * 1.1, G_LOW, G_HIGH))
    x = rng.normal(size=(3, 10))
    assert np.max(np.abs(moved.weight - weight)) > 0.01
    np.testing.assert_allclose(moved.forward(x).y, x @ moved.weight, rtol=0, atol=1e-12)


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"`weight` must be within 1; got 2"):
        MappedMatrix.of(np.full((3, 3), 2.0), Pairs(), IDEAL)
    with pytest.raises(InputError, match="`weight` must be whole numbers from -255 to 255"):
        MappedMatrix.of(np.full((3, 3), 0.5), BitSliced(), IDEAL)
    with pytest.raises(InputError, match=r"`x` must be \(B, N\) = \(B, 3\)"):
        MappedMatrix.of(np.zeros((3, 3)), Pairs(), IDEAL).forward(np.zeros((1, 4)))
    noisy = ArrayModel.from_tables(
        tables(), wires=False, chain=ReadChain.checked({"read_noise": {"sigma_rel": 0.1}}, where="test")
    )
    matrix = MappedMatrix.of(np.ones((3, 3)), Pairs(**RANGE), noisy)
    with pytest.raises(InputError, match="`rng` must be given"):
        matrix.forward(np.ones((1, 3)))
    with pytest.raises(InputError, match=r"one generator a tile, \(1, 1\); got \(3,\)"):
        matrix.forward(np.ones((1, 3)), rng=TileRng.seeded(0, (3,)))
