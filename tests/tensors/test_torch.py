"""The same tiles on PyTorch tensors: the numbers of NumPy at 1e-6, and modules that learn. Skipped without PyTorch."""

from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables

from rramkit.array import ArrayModel, ReadChain, Tile, TileGrid, TileRng
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSlices, Isaac, OffsetColumn, Pairs, Prime
from rramkit.errors import InputError

torch = pytest.importorskip("torch")

EVERYTHING = {
    "row_driver": {"levels": 64},
    "multiplexer": {"tau": 5e-9, "r_series": 20.0},
    "clamp": {"i_max": 8e-5},
    "adc": {"bits": 9, "noise": 1e-8, "shared": 2, "offset_sigma": 1e-8, "gain_sigma": 0.01},
    "read_noise": {"sigma_span": 0.01, "sigma_rel": 0.02},
    "telegraph": {"fraction": 0.2},
}
CHAINS = [
    {},
    {"row_driver": {"levels": 16, "serial": True}, "adc": {"bits": 8}},
    {"row_driver": {"levels": 16, "serial": True, "accumulate": "digital"}},
    EVERYTHING,
    {**EVERYTHING, "subtraction": "digital"},
]


def cells(*shape, seed=0):
    return np.random.default_rng(seed).uniform(G_LOW, G_HIGH, shape)


def volts(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-V_READ, V_READ, shape)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("wires", [False, True])
def test_numpy_and_torch_give_the_same_read(chain, wires):
    model = ArrayModel.from_tables(tables(), wires=wires, chain=ReadChain.checked(chain, where="test"))
    g, v, e = cells(2, 40, 21), volts(6, 40), volts(6, 21)
    found = []
    for convert in (np.asarray, torch.tensor):
        grid = TileGrid.of(convert(g), model, largest=(24, 16), rng=TileRng.seeded(1, (2, 3)))
        if chain.get("adc"):
            grid = grid.calibrated(convert(v)).calibrated(convert(e), backward=True)
        rng = TileRng.seeded(2, (2, 3))
        found.append([grid.forward(convert(v), rng=rng), grid.backward(convert(e), rng=rng)])
    for numpy_read, torch_read in zip(*found, strict=True):
        assert isinstance(torch_read.i, torch.Tensor) and torch_read.i.dtype == torch.float64
        full_scale = np.max(np.abs(numpy_read.i))
        np.testing.assert_allclose(torch_read.i.numpy(), numpy_read.i, rtol=0, atol=1e-6 * full_scale)  # as asked
        assert torch_read.energy == near(numpy_read.energy, 1e-9)
        assert (torch_read.clamped, torch_read.duration) == (numpy_read.clamped, numpy_read.duration)


def test_float32_stays_float32_and_follows_float64():
    model = ArrayModel.from_tables(tables())
    g, v = cells(2, 30, 12), volts(6, 30)
    exact = Tile.of(g, model).forward(v).i
    for convert, dtype in ((np.asarray, np.float32), (torch.tensor, torch.float32)):
        read = Tile.of(convert(g, dtype=dtype), model).forward(convert(v, dtype=dtype)).i
        assert read.dtype == dtype
        # sums of 60 products whose parts are some ten times the difference they leave, at 6e-8 each
        np.testing.assert_allclose(np.asarray(read), exact, rtol=0, atol=1e-5 * np.max(np.abs(exact)))


WINDOW: dict[str, Any] = {"g_low": G_LOW, "g_high": G_HIGH}
MAPPINGS = [
    Pairs(**WINDOW),
    OffsetColumn(**WINDOW),
    BitSlices(**WINDOW),
    Prime(**WINDOW),
    Isaac(**WINDOW, slices=2, input_bits=6),
]


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda mapping: mapping.kind)
def test_mappings_give_the_same_products_on_tensors(mapping):
    model = ArrayModel.from_tables(tables(linear=True), wires=False)
    rng = np.random.default_rng(0)
    weight, x, e = (rng.uniform(-1.0, 1.0, shape) for shape in ((30, 4), (5, 30), (3, 4)))
    products = []
    for convert in (np.asarray, torch.tensor):
        matrix = MappedMatrix.of(convert(weight), mapping, model)
        products.append([matrix.weight, matrix.forward(convert(x)).y, matrix.backward(convert(e)).y])
    for ours, theirs in zip(*products, strict=True):
        # the same whole numbers, or sums of 30 products in another order
        np.testing.assert_allclose(np.asarray(theirs), ours, rtol=0, atol=1e-10)


def test_a_device_can_draw_its_own_numbers():
    streams = [TileRng.seeded(3, (2,), device="cpu") for _ in range(2)]
    reference = torch.zeros(1, dtype=torch.float32)
    first, second = (each.normal((100_000,), reference) for each in streams)
    assert torch.equal(first, second) and not torch.equal(first[0], first[1])
    assert float(first.std()) == near(1.0, within=5 / np.sqrt(4e5))
    alone = TileRng.seeded(3, first=1, device="cpu").normal((100_000,), reference)
    assert torch.equal(alone, first[1])


def test_a_tensor_of_whole_numbers_or_words_is_named():
    with pytest.raises(InputError, match="must be real numbers"):
        Tile.of(torch.zeros((2, 2, 2), dtype=torch.complex64), ArrayModel.from_tables(tables()))
