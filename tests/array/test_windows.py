import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, tables

from rramkit.array import ArrayModel, Tile, Windows
from rramkit.array.layout import Cut, Images, Vectors
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import Samples

CASES = [Windows(3), Windows(3, 1, 1), Windows(2, 2), Windows(3, 2, 1), Windows(1, 2)]
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 6, 7, 3))


def _slowly(windows, images):
    """Every window, one number at a time."""
    channels, height, width, batch = images.shape
    k, step, pad = windows.kernel, windows.stride, windows.pad
    found = []
    for top in range(-pad, height + pad - k + 1, step):
        for left in range(-pad, width + pad - k + 1, step):
            for b in range(batch):
                places = [(c, top + i, left + j) for c in range(channels) for i in range(k) for j in range(k)]
                inside = [0 <= y < height and 0 <= x < width for _, y, x in places]
                found.append([images[c, y, x, b] if ok else 0.0 for (c, y, x), ok in zip(places, inside, strict=True)])
    return np.array(found)


@pytest.mark.parametrize("windows", CASES)
def test_rows_and_sums_against_the_slow_loop(windows):
    slow = _slowly(windows, IMAGES)
    np.testing.assert_array_equal(windows.rows(IMAGES), slow)
    assert len(slow) == 3 * windows.size(6) * windows.size(7)
    # another order of the same sum: rounding
    np.testing.assert_allclose(windows.line_sums(IMAGES), slow.sum(axis=0), rtol=0, atol=1e-12)
    per_image = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(windows.spread(per_image, IMAGES)[:, 0], np.tile(per_image, len(slow) // 3))


@pytest.mark.parametrize("windows", CASES)
@pytest.mark.parametrize("most", [1, 100, 10**6])
def test_blocks_are_the_rows_a_few_at_a_time(windows, most):
    whole, rows = windows.rows(IMAGES), np.zeros(windows.rows(IMAGES).shape)
    for at, columns in zip(windows.places(IMAGES, most), windows.blocks(IMAGES, most), strict=True):
        assert columns.size <= max(most, whole.size // windows.size(6))  # a row of windows at least
        rows[at] = columns.T
    np.testing.assert_array_equal(rows, whole)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("inner", [Vectors(), Images(Windows(3, 1, 1))], ids=["vectors", "images"])
def test_every_layout_gives_its_rows_in_blocks(inner, before):
    x = RNG.normal(size=(7, 18)) if isinstance(inner, Vectors) else IMAGES
    for layout in (inner, Cut(inner, 4, 5, before=before)):  # two lines too many
        rows = layout.rows(x)
        found = np.zeros_like(rows)
        for at, columns in zip(layout.places(x, 50), layout.blocks(x, 50), strict=True):
            found[..., at, :] = columns.swapaxes(-1, -2)
        np.testing.assert_array_equal(found, rows)
        assert layout.count(x) == rows.shape[-2]


@pytest.mark.parametrize("windows", CASES)
def test_folding_is_the_adjoint_of_laying_out(windows):
    rows = RNG.normal(size=windows.rows(IMAGES).shape)
    forward, backward = np.sum(windows.rows(IMAGES) * rows), np.sum(IMAGES * windows.folded(rows, IMAGES.shape))
    assert forward == near(backward, 1e-12)  # <A x, y> = <x, A^T y>: rounding of a sum


@pytest.mark.parametrize("windows", CASES)
def test_a_tile_reads_windows_as_it_reads_their_rows(windows):
    rng = np.random.default_rng(1)
    g_cell = rng.uniform(G_LOW, G_HIGH, (2, windows.rows(IMAGES).shape[1], 4))
    tile = Tile.of(g_cell, ArrayModel.from_tables(tables()))
    v = 0.05 * IMAGES
    direct, laid_out = tile.forward(v, windows=windows), tile.forward(windows.rows(v))
    # the same numbers in another order of sums: far below a picoampere of the microamperes that flow
    np.testing.assert_allclose(direct.i, laid_out.i, rtol=0, atol=1e-17)
    assert direct.energy == near(laid_out.energy, 1e-12)


def test_an_image_is_scaled_as_a_whole_and_a_vector_by_itself():
    images = Samples(IMAGES, Windows(3))
    scaled, factor = images.scaled(0.3)
    np.testing.assert_allclose(np.abs(scaled.values).max(axis=(0, 1, 2)), 0.3, rtol=1e-12)
    np.testing.assert_allclose(scaled.rows(), images.rows() * factor, rtol=1e-12)
    scaled, factor = Samples(np.array([[1.0, -4.0], [0.0, 0.0]])).scaled(0.2)
    np.testing.assert_allclose(scaled.values, [[0.05, -0.2], [0.0, 0.0]], rtol=1e-12)
    np.testing.assert_allclose(factor, [[0.05], [0.2]], rtol=1e-12)
    # Errors of a network that is sure of itself: a factor that lifts them to volts would be no 32-bit number.
    scaled, factor = Samples(np.array([[1e-42, -2e-40], [3e-38, 0.0]], np.float32)).scaled(0.2)
    assert np.all(np.isfinite(factor)) and np.all(np.abs(scaled.values) <= np.float32(0.2))
    assert scaled.values[1, 0] == near(0.2, 1e-6)


def test_a_convolution_in_rram_is_near_the_float_one():
    rng = np.random.default_rng(2)
    centre, g_unit = 0.5 * (G_LOW + G_HIGH), (G_HIGH - G_LOW) / 4.0
    weight = rng.uniform(-1.0, 1.0, (18, 5))
    pair = np.stack([centre + 0.5 * g_unit * weight, centre - 0.5 * g_unit * weight])
    mapping = Pairs(w_max=4.0, g_low=G_LOW, g_high=G_HIGH)
    samples = Samples(IMAGES, Windows(3, 1, 1))
    exact = samples.rows() @ weight
    ideal = MappedMatrix(Tile.of(pair, ArrayModel.from_tables(tables(linear=True), wires=False)), mapping)
    np.testing.assert_allclose(ideal.forward(samples, rng=rng).y, exact, rtol=0, atol=1e-11)
    real = MappedMatrix(Tile.of(pair, ArrayModel.from_tables(tables())), mapping).forward(samples, rng=rng)
    assert 1e-3 < np.max(np.abs(real.y - exact)) / np.max(np.abs(exact)) < 0.2
    assert real.energy > 0.0
