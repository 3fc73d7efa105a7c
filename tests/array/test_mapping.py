from typing import Any

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import ArrayModel, TileRng
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial, BitSlices, Isaac, OffsetColumn, Pairs, Prime
from rramkit.array.stages.chain import ReadChain
from rramkit.errors import InputError
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.table import TableFile

IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
RANGE: dict[str, Any] = {"g_low": G_LOW, "g_high": G_HIGH}
SMALL = (24, 10)  # rows and columns of an array: several tiles each way
REAL = [Pairs(**RANGE, w_max=1.5), Pairs(**RANGE, w_max=1.5, placement="low"), OffsetColumn(**RANGE, w_max=1.5)]
# Mappings of whole weights from -w_max to w_max, and the largest whole input; `signed` inputs come as signed voltages.
WHOLE = [
    (BitSlices(bits=2, **RANGE, slices=4, x_max=15, w_max=255), 15),
    (BitSlices(bits=1, **RANGE, slices=3, x_max=1, w_max=7), 1),
    (Prime(bits=4, **RANGE, w_max=255), 63),
    (Isaac(bits=2, **RANGE, w_max=32767), 65535),
    (Isaac(bits=2, **RANGE, flip=False, slices=4, input_bits=4, w_max=127), 15),
    (BitSerial(code="offset", flip=True, invert=True, **RANGE, input_bits=5, w_max=127), 31),
    (BitSerial(bits=2, **RANGE, weight_bits=6, input_bits=4, part=0.5, w_max=31), 15),
]


@settings(max_examples=15)
@given(seed=st.integers(0, 999), rows=st.integers(1, 60), cols=st.integers(1, 9))
@pytest.mark.parametrize("mapping", REAL)
def test_real_weights_give_both_products_and_come_back(mapping, seed, rows, cols):
    rng = np.random.default_rng(seed)
    weight, x, e = rng.uniform(-1.5, 1.5, (rows, cols)), rng.normal(size=(4, rows)), rng.normal(size=(4, cols))
    matrix = MappedMatrix.of(weight, mapping, IDEAL, largest=SMALL)
    np.testing.assert_allclose(matrix.weight, weight, rtol=0, atol=1e-12)
    # rounding of sums over at most 60 rows whose parts are a hundred times the difference they leave
    np.testing.assert_allclose(matrix.forward(x).y, x @ weight, rtol=0, atol=1e-11)
    np.testing.assert_allclose(matrix.backward(e).y, e @ weight.T, rtol=0, atol=1e-11)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), rows=st.integers(1, 70), cols=st.integers(1, 5))
@pytest.mark.parametrize(("mapping", "x_max"), WHOLE)
def test_whole_weights_give_the_whole_product_exactly(mapping, x_max, seed, rows, cols):
    rng, w_max = np.random.default_rng(seed), int(mapping.w_max)
    weight = rng.integers(-w_max, w_max + 1, (rows, cols))
    weight[0, 0], weight[-1, -1] = w_max, -w_max
    x = rng.integers(-x_max, x_max + 1, (3, rows))
    matrix = MappedMatrix.of(weight, mapping, IDEAL, largest=(64, 16), x_range=x_max)
    # Whole numbers below 2^53, divided by a conductance step and multiplied again: rounding is the last step's.
    np.testing.assert_array_equal(np.rint(matrix.weight), weight)
    y = matrix.forward(x).y
    np.testing.assert_array_equal(np.rint(y), x @ weight)
    np.testing.assert_allclose(y, x @ weight, rtol=1e-12, atol=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), rows=st.integers(1, 40), cols=st.integers(1, 5))
@pytest.mark.parametrize(("mapping", "x_max"), WHOLE)
def test_errors_go_back_through_slices(mapping, x_max, seed, rows, cols):
    rng, w_max = np.random.default_rng(seed), int(mapping.w_max)
    weight, e = rng.integers(-w_max, w_max + 1, (rows, cols)), rng.uniform(-1.0, 1.0, (3, cols))
    matrix = MappedMatrix.of(weight, mapping, IDEAL, largest=(64, 16))
    top = np.max(np.abs(e), axis=1, keepdims=True)
    quantised = np.rint(e / top * x_max) / x_max * top  # errors are inputs: they have the mapping's levels
    wanted = quantised @ weight.T
    np.testing.assert_allclose(matrix.backward(e).y, wanted, rtol=0, atol=1e-9 * w_max)


@settings(max_examples=15)
@given(seed=st.integers(0, 999))
@pytest.mark.parametrize("mapping", [*REAL, *(mapping for mapping, _ in WHOLE)])
def test_cells_changed_as_wanted_hold_the_weights_wanted(mapping, seed):
    """`cells_of`, `changes` and `weight_at` agree with the whole matrix, complements included."""
    rng = np.random.default_rng(seed)
    weight, wanted = (rng.uniform(-0.9, 0.9, (6, 4)) * mapping.w_max for _ in range(2))
    flips = mapping.flips(weight)
    g_cell = mapping.targets(weight, flips)
    rows, cols = np.nonzero(rng.uniform(size=weight.shape) < 0.5)
    flat, flipped = mapping.cells_of(rows, cols, g_cell.shape), mapping.flipped_at(flips, cols)
    now = mapping.weight(g_cell, flips)
    np.testing.assert_allclose(mapping.weight_at(g_cell, rows, cols, flips), now[rows, cols], rtol=0, atol=1e-9)
    after = g_cell.copy()
    after.ravel()[flat] += mapping.changes(g_cell.ravel()[flat], (wanted - now)[rows, cols], flipped)
    expected = now.copy()
    expected[rows, cols] = wanted[rows, cols]
    step = mapping.w_max / mapping.w_top if hasattr(mapping, "w_top") else 1e-9
    step = 1.0 if isinstance(mapping, Prime) else step  # of 255
    assert np.max(np.abs(mapping.weight(after, flips) - expected)) <= 0.5 * step + 1e-9 * mapping.w_max


def test_pairs_by_hand():
    pairs, span = Pairs(**RANGE, centre=0.4), G_HIGH - G_LOW
    centre = G_LOW + 0.4 * span
    found = pairs.encode(np.array([0.5, -0.2]))
    half = span * np.array([0.25, -0.1])
    np.testing.assert_allclose(found, [centre + half, centre - half], rtol=1e-12, atol=0)
    low = pairs.model_copy(update={"placement": "low", "levels": 5}).encode(np.array([0.3, -0.9]))
    np.testing.assert_allclose(low, G_LOW + span * np.array([[0.25, 0.0], [0.0, 1.0]]), rtol=1e-12, atol=0)


def test_the_window_comes_from_the_tables():
    assert Pairs.from_tables(tables()).window == (G_LOW, G_HIGH)
    assert Prime.from_tables(tables(), Prime(bits=2)).slices.levels.bits == 2
    for mapping in (Pairs(), OffsetColumn(), BitSlices(), Prime(), Isaac()):
        with pytest.raises(InputError, match=r"must have a conductance window.*from_tables\(tables\)"):
            mapping.targets(np.zeros((2, 2)))
    with pytest.raises(InputError, match="0 < g_low < g_high"):
        Pairs().with_window(2e-5, 1e-5)
    read_only = TableFile({"read": tables()["read"]}, {})
    assert Pairs.from_tables(read_only).window == (G_LOW, G_HIGH)


def test_the_mapping_is_chosen_by_kind():
    chosen = MappingSettings.checked({"kind": "isaac", "weights": {"slices": 4}, "wires": False}, where="test")
    assert isinstance(chosen.weights, Isaac) and chosen.weights.slices == 4
    assert MappingSettings.checked(chosen.model_dump(), where="test") == chosen
    assert isinstance(MappingSettings().weights, Pairs)
    for wrong in (
        {"kind": "triples"},
        {"weights": {"kind": "pairs", "slices": 3}},
        {"kind": "prime", "weights": {"kind": "pairs"}},
    ):
        with pytest.raises(InputError):
            MappingSettings.checked(wrong, where="test")


def test_prime_drops_the_lowest_bits_of_the_sum():
    rng = np.random.default_rng(0)
    weight, x = rng.integers(-255, 256, (40, 3)), rng.integers(0, 64, (5, 40))
    mapping = Prime(bits=4, **RANGE, dropped=7, w_max=255)
    y = MappedMatrix.of(weight, mapping, IDEAL, x_range=63).forward(x).y
    np.testing.assert_array_equal(np.rint(y), (x @ weight >> 7) << 7)


def test_flipping_saves_the_converter_one_bit():
    """128 rows of two-bit cells: up to 384 levels, nine bits; with the flip never more than 192, eight bits."""
    weight = np.random.default_rng(0).integers(-32767, 32768, (128, 6))
    for flip, bits in ((True, 8), (False, 9)):
        mapping = Isaac(bits=2, **RANGE, flip=flip, w_max=32767)
        worst = weight.copy()
        worst[:, 0] = 32767
        level = mapping.levels.level(mapping.targets(worst, mapping.flips(worst))[0])
        assert 2 ** (bits - 1) <= level.sum(axis=0).max() <= 2**bits - 1
    rows = np.ones((1, 128))
    matrix = MappedMatrix.of(worst, Isaac(**RANGE, w_max=32767), IDEAL, x_range=65535)
    np.testing.assert_array_equal(np.rint(matrix.forward(rows).y), rows @ worst)


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
    moved = matrix.programmed(np.clip(matrix.tile.g_cell * 1.1, G_LOW, G_HIGH))
    x = rng.normal(size=(3, 10))
    assert np.max(np.abs(moved.weight - weight)) > 0.01
    np.testing.assert_allclose(moved.forward(x).y, x @ moved.weight, rtol=0, atol=1e-12)


def test_bad_input_is_named():
    for mapping in (Pairs(**RANGE), OffsetColumn(**RANGE), BitSlices(**RANGE), Isaac(**RANGE), Prime(**RANGE)):
        with pytest.raises(InputError, match=r"`weight` must be within 1; got 2"):
            MappedMatrix.of(np.full((3, 3), 2.0), mapping, IDEAL)
    with pytest.raises(InputError, match=r"`x` must be \(B, N\) = \(B, 3\)"):
        MappedMatrix.of(np.zeros((3, 3)), Pairs(**RANGE), IDEAL).forward(np.zeros((1, 4)))
    noisy = ArrayModel.from_tables(
        tables(), wires=False, chain=ReadChain.checked({"read_noise": {"sigma_rel": 0.1}}, where="test")
    )
    matrix = MappedMatrix.of(np.ones((3, 3)), Pairs(**RANGE), noisy)
    with pytest.raises(InputError, match="`rng` must be given"):
        matrix.forward(np.ones((1, 3)))
    with pytest.raises(InputError, match=r"one generator a tile, \(1, 1\); got \(3,\)"):
        matrix.forward(np.ones((1, 3)), rng=TileRng.seeded(0, (3,)))
