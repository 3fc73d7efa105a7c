"""Each stage of the read chain against its equation, one at a time, and all of them against a slow loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import ArrayModel, ReadChain, Tile, TileGrid, TileRng
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.telegraph import Telegraph
from rramkit.errors import InputError

LINEAR = tables(linear=True)
FULL_SCALE = G_HIGH * V_READ  # A; of one cell
ROUNDING = 1e-12 * FULL_SCALE * 16


def model(wires=False, linear=True, **stages):
    chain = ReadChain.checked(stages, where="test")
    return ArrayModel.from_tables(LINEAR if linear else tables(), wires=wires, chain=chain)


def cells(*shape, seed=0):
    return np.random.default_rng(seed).uniform(G_LOW, G_HIGH, shape)


def volts(*shape, seed=1, low=-V_READ):
    return np.random.default_rng(seed).uniform(low, V_READ, shape)


G = cells(2, 9, 6)
WEIGHT = G[0] - G[1]


@pytest.mark.parametrize("wires", [False, True])
@pytest.mark.parametrize("linear", [False, True])
def test_every_stage_at_its_default_is_exactly_off(wires, linear):
    plain = Tile.of(G, ArrayModel.from_tables(LINEAR if linear else tables(), wires=wires))
    chained = Tile.of(G, model(wires, linear, subtraction="digital", adc={"shared": 4, "t_convert": 1e-9}))
    for v, way in ((volts(5, 9), "forward"), (volts(5, 6), "backward")):
        np.testing.assert_array_equal(getattr(chained, way)(v).i, getattr(plain, way)(v).i)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), levels=st.sampled_from([2, 3, 16, 200]))
def test_the_input_converter_drives_the_nearest_level(seed, levels):
    v = volts(5, 9, seed=seed)
    step = V_READ / (levels - 1)
    reading = Tile.of(G, model(row_driver={"levels": levels})).forward(v)
    np.testing.assert_allclose(reading.i, step * np.rint(v / step) @ WEIGHT, rtol=0, atol=ROUNDING)


def test_the_input_converter_follows_its_transfer():
    transfer = [0.0, 0.3, 0.55, 1.0]
    v = np.array([[0.0, 1 / 3, 2 / 3, 1.0, -1 / 3, -1.0, 0.1, 0.4, 0.2]]) * V_READ
    driven = np.array([[0.0, 0.3, 0.55, 1.0, -0.3, -1.0, 0.0, 0.3, 0.3]]) * V_READ
    reading = Tile.of(G, model(row_driver={"levels": 4, "transfer": transfer})).forward(v)
    np.testing.assert_allclose(reading.i, driven @ WEIGHT, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("accumulate", ["charge", "digital"])
@pytest.mark.parametrize("way", ["forward", "backward"])
def test_serial_bits_each_send_the_current_of_the_full_voltage(accumulate, way):
    """Nonlinear cells: the current of a code is the code's part of the current at the full read voltage."""
    tile = Tile.of(G, model(linear=False, row_driver={"levels": 16, "serial": True, "accumulate": accumulate}))
    plain = Tile.of(G, model(linear=False))
    codes = np.random.default_rng(3).integers(-15, 16, (4, 9 if way == "forward" else 6))
    one = getattr(plain, way)(V_READ * np.eye(codes.shape[1])).i  # the current that each line sends at the full voltage
    reading = getattr(tile, way)(codes * (V_READ / 15.0))
    np.testing.assert_allclose(reading.i, codes / 15.0 @ one, rtol=0, atol=2e-4 * FULL_SCALE * 9)  # SEPARATION_LIMIT
    assert reading.duration == near(4 * 2 * 4 * 20e-9, 1e-12)  # vectors, phases, bits, t_read


def test_the_multiplexer_settles_and_resists():
    tau = 15e-9
    v = volts(5, 9)
    settled = Tile.of(G, model(multiplexer={"tau": tau})).forward(v).i
    np.testing.assert_allclose(settled, v @ WEIGHT * (1.0 - np.exp(-20e-9 / tau)), rtol=0, atol=ROUNDING)
    one = np.array([50e-6, 10e-6]).reshape(2, 1, 1)
    through = Tile.of(one, model(multiplexer={"r_series": 1000.0})).forward(np.array([[0.1]])).i
    # one cell and its column's switch in series, each half with its own; second order of the fast wires
    expected = 0.1 / (1 / 50e-6 + 1000.0) - 0.1 / (1 / 10e-6 + 1000.0)
    assert through[0, 0] == near(expected, 1e-3)


def test_the_clamp_limits_and_counts():
    free, i_max = volts(5, 9) @ WEIGHT, 1e-6
    limited = Tile.of(G, model(clamp={"i_max": i_max})).forward(np.abs(volts(5, 9)))
    expected = np.clip(np.abs(volts(5, 9)) @ WEIGHT, -i_max, i_max)
    np.testing.assert_allclose(limited.i, expected, rtol=0, atol=ROUNDING)
    assert limited.beyond == limited.clamped == np.count_nonzero(np.abs(expected) == i_max) > 0
    assert np.max(np.abs(free)) > i_max


def test_the_converter_rounds_each_phase_and_counts_what_lies_beyond():
    bits, i_high = 5, 20e-6
    lsb, v = i_high / 15, volts(7, 9)
    tile = Tile.of(G, model(adc={"bits": bits, "i_high": i_high}))
    phases = [np.maximum(sign * v, 0.0) @ WEIGHT for sign in (1.0, -1.0)]
    codes = [np.clip(np.rint(phase / lsb), -15, 15) for phase in phases]
    reading = tile.forward(v)
    np.testing.assert_allclose(reading.i, (codes[0] - codes[1]) * lsb, rtol=0, atol=ROUNDING)
    assert reading.beyond == sum(np.count_nonzero(np.abs(np.rint(phase / lsb)) > 15) for phase in phases)


def test_halves_are_converted_apart_with_digital_subtraction():
    lsb, v = 60e-6 / 31, volts(7, 9)
    tile = Tile.of(G, model(adc={"bits": 5, "i_high": 60e-6}, subtraction="digital"))
    expected = sum(
        sign * half * np.clip(np.rint(np.maximum(sign * v, 0.0) @ g / lsb), 0, 31) * lsb
        for sign in (1.0, -1.0)
        for half, g in zip((1.0, -1.0), G, strict=True)
    )
    np.testing.assert_allclose(tile.forward(v).i, expected, rtol=0, atol=ROUNDING)


def test_backward_converts_the_rows_in_two_turns():
    lsb, v = 60e-6 / 31, volts(7, 6)
    tile = Tile.of(G, model(adc={"bits": 5, "i_high": 60e-6}))
    up, down = np.maximum(v, 0.0), np.maximum(-v, 0.0)
    turns = (up @ G[0].T + down @ G[1].T, up @ G[1].T + down @ G[0].T)
    codes = [np.clip(np.rint(turn / lsb), 0, 31) for turn in turns]
    np.testing.assert_allclose(tile.backward(v).i, (codes[0] - codes[1]) * lsb, rtol=0, atol=ROUNDING)


def test_calibration_measures_the_full_scale_of_each_converter():
    tile = Tile.of(G, model(adc={"bits": 10, "shared": 2}))
    v = volts(50, 9)
    default, own = tile.forward(v), tile.calibrated(v).forward(v)
    exact = v @ WEIGHT
    assert own.beyond == 0
    assert np.max(np.abs(own.i - exact)) < 0.5 * np.max(np.abs(default.i - exact))
    phases = np.concatenate([np.maximum(v, 0) @ WEIGHT, np.maximum(-v, 0) @ WEIGHT])
    largest = np.abs(phases).max(axis=0).reshape(3, 2).max(axis=1)
    bank, _ = tile.calibrated(v).periphery.state(Adc)
    np.testing.assert_allclose(np.asarray(bank.i_high)[0], np.repeat(largest, 2), rtol=1e-12)
    with pytest.raises(InputError, match="left out"):
        Tile.of(G, model(adc={"bits": 8, "i_high": 1e-5})).calibrated(v)


def test_converters_differ_once_and_neighbours_share_one():
    spread = {"offset_sigma": 1e-7, "gain_sigma": 0.02, "shared": 3}
    tile = Tile.of(G, model(adc=spread), rng=TileRng.seeded(4))
    offset = tile.forward(np.zeros((2, 9))).i
    np.testing.assert_array_equal(offset[0], offset[1])
    np.testing.assert_array_equal(offset[0, :3], np.repeat(offset[0, 0], 3))
    assert offset[0, 3] != offset[0, 0]
    again = tile.programmed(cells(2, 9, 6, seed=5)).forward(np.zeros((1, 9))).i
    np.testing.assert_array_equal(again[0], offset[0])
    many = Tile.of(cells(400, 2, 2, 30), model(adc={**spread, "shared": 1}), rng=TileRng.seeded(0, (400,)))
    # 12 000 numbers: their standard deviation is known to 0.7 %, four times that allowed
    assert np.std(many.forward(np.zeros((1, 1, 2))).i) == near(1e-7, 0.03)


@pytest.mark.parametrize("way", ["forward", "backward"])
@pytest.mark.parametrize("bits", [0, 14])
def test_read_noise_has_the_variance_of_its_cells(way, bits):
    sigma_span, sigma_rel, own = 0.02, 0.05, 3e-8
    stages = {
        "read_noise": {"sigma_span": sigma_span, "sigma_rel": sigma_rel},
        "adc": {"noise": own, "bits": bits, **({"i_high": 1e-3} if bits else {})},
    }
    tile = Tile.of(G, model(**stages))
    v = volts(1, 9 if way == "forward" else 6)
    reading = getattr(tile, way)(np.repeat(v, 20_000, axis=0), rng=TileRng.seeded(1))
    variance = (sigma_span * (G_HIGH - G_LOW)) ** 2 + (sigma_rel * G) ** 2
    total = v**2 @ (variance[0] + variance[1] if way == "forward" else (variance[0] + variance[1]).T) + 2 * own**2
    if bits:
        total = total + 2 * (1e-3 / (2.0**13 - 1) if way == "forward" else 1e-3 / (2.0**14 - 1)) ** 2 / 12
    # 20 000 numbers: standard deviation known to 0.5 %, four times that and a half allowed
    np.testing.assert_allclose(reading.i.std(axis=0), np.sqrt(total[0]), rtol=0.025)
    exact = v @ (WEIGHT if way == "forward" else WEIGHT.T)
    assert np.all(np.abs(reading.i.mean(axis=0) - exact[0]) < 5 * np.sqrt(total[0] / 20_000))


def test_telegraph_noise_takes_the_trapped_cells_part_for_its_share_of_time():
    tile = Tile.of(G, model(telegraph={"fraction": 0.3, "amplitude": 0.2, "duty": 0.25}), rng=TileRng.seeded(2))
    traps, v = np.asarray(tile.periphery.state(Telegraph)), volts(3, 9)
    rng = TileRng.seeded(3)
    reads = np.stack([tile.forward(v, rng=rng).i for _ in range(2000)])
    mean = (G * (1.0 - 0.2 * 0.25 * traps))[0] - (G * (1.0 - 0.2 * 0.25 * traps))[1]
    spread = 0.2**2 * 0.25 * 0.75 * (v**2 @ (traps * G**2).sum(axis=0))
    np.testing.assert_allclose(reads.var(axis=0), spread, rtol=0.2, atol=1e-20)  # 2000 reads: 3 % each, 18 of them
    assert np.all(np.abs(reads.mean(axis=0) - v @ mean) <= 5 * np.sqrt(spread / 2000) + ROUNDING)
    one = tile.forward(np.vstack([v, v]), rng=rng).i
    np.testing.assert_allclose(one[:3], one[3:], rtol=0, atol=ROUNDING)  # a batch is one snapshot


ALL_ON = {
    "row_driver": {"levels": 16},
    "multiplexer": {"tau": 5e-9},
    "clamp": {"i_max": 5e-5},
    "adc": {"bits": 8, "noise": 1e-8, "shared": 2, "offset_sigma": 1e-8, "gain_sigma": 0.01, "i_high": 5e-5},
    "read_noise": {"sigma_span": 0.01},
    "telegraph": {"fraction": 0.2},
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("subtraction", ["analog", "digital"])
def test_a_tile_draws_the_same_alone_as_among_others(dtype, subtraction):
    g = cells(3, 2, 7, 5).astype(dtype)
    whole_model = model(True, False, subtraction=subtraction, **ALL_ON)
    v = volts(4, 7)
    together = Tile.of(g, whole_model, rng=TileRng.seeded(7, (3,)))
    read = together.forward(v[None], rng=TileRng.seeded(8, (3,))).i
    back = together.backward(volts(4, 5)[None], rng=TileRng.seeded(9, (3,))).i
    assert read.dtype == dtype
    for number in range(3):
        alone = Tile.of(g[number], whole_model, rng=TileRng.seeded(7, first=number))
        # rounding of products in other blocks may move a current to the next code, one in thousands
        lsb = 5e-5 / 127
        difference = alone.forward(v, rng=TileRng.seeded(8, first=number)).i - read[number]
        assert np.mean(np.abs(difference) > 1e-3 * lsb) <= 0.05
        difference = alone.backward(volts(4, 5), rng=TileRng.seeded(9, first=number)).i - back[number]
        assert np.mean(np.abs(difference) > 1e-3 * lsb) <= 0.05


def test_the_same_seed_gives_the_same_read_and_another_seed_another():
    tile = Tile.of(G, model(read_noise={"sigma_rel": 0.1}))
    first, second, other = (tile.forward(volts(3, 9), rng=TileRng.seeded(seed)).i for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.all(first != other)
    generator = np.random.default_rng(1)
    drawn = [tile.forward(volts(3, 9), rng=generator).i for _ in range(2)]
    assert np.all(drawn[0] != drawn[1])


def test_normal_numbers_are_normal():
    for dtype in (np.float32, np.float64):
        z = TileRng.seeded(5).normal((400_000,), np.zeros(1, dtype)).astype(float)
        assert z.mean() == near(0.0, within=5 / np.sqrt(z.size))
        assert z.std() == near(1.0, within=5 / np.sqrt(2 * z.size))
        assert np.mean(z**4) == near(3.0, within=5 * np.sqrt(96 / z.size))
        half = z.size // 2
        for lag in (1, half):  # neighbours, and the two numbers that share their random bits
            assert np.mean(z[: z.size - lag] * z[lag:]) == near(0.0, within=5 / np.sqrt(half))
        assert np.mean(np.abs(z) > 3.0) == near(0.0027, 0.15)


def test_a_read_counts_time_and_energy_of_its_converters():
    stages: dict[str, Any] = {
        "adc": {"bits": 8, "shared": 4, "t_convert": 5e-9, "energy": 2e-12},
        "row_driver": {"levels": 4, "energy": 1e-13},
    }
    reading, plain = (
        Tile.of(G, chain).forward(np.full((3, 9), V_READ))
        for chain in (model(**stages), model(row_driver={"levels": 4}))
    )
    assert reading.duration == near(3 * (20e-9 + 4 * 5e-9), 1e-12)
    assert reading.energy - plain.energy == near(3 * 6 * 2e-12 + 3 * 9 * 1e-13, 1e-9)


@settings(max_examples=8)
@given(seed=st.integers(0, 99), rows=st.integers(1, 40), pairs=st.integers(1, 20))
def test_a_grid_of_tiles_is_the_large_matrix(seed, rows, pairs):
    g = cells(2, rows, pairs, seed=seed)
    grid = TileGrid.of(g, model(), largest=(16, 12))
    np.testing.assert_array_equal(grid.g_cell, g)
    v, e = volts(3, rows, seed=seed), volts(3, pairs, seed=seed)
    np.testing.assert_allclose(grid.forward(v).i, v @ (g[0] - g[1]), rtol=0, atol=4 * ROUNDING)
    np.testing.assert_allclose(grid.backward(e).i, e @ (g[0] - g[1]).T, rtol=0, atol=4 * ROUNDING)
    assert grid.programmed(g[::-1]).forward(v).i == near(-grid.forward(v).i, within=4 * ROUNDING)


@pytest.mark.parametrize(
    ("stages", "complaint"),
    [
        ({"row_driver": {"levels": 1}}, "levels must be 0"),
        ({"row_driver": {"levels": 10, "serial": True}}, "power of two"),
        ({"row_driver": {"levels": 3, "transfer": [0.0, 1.0]}}, "one voltage for each level"),
        ({"row_driver": {"levels": 3, "transfer": [0.0, 1.0, 0.5]}}, "must not fall"),
        ({"adc": {"bits": 1}}, "at least 2 bits"),
        ({"adc": {"bit": 1}}, "`adc.bit` is not a known key"),
        ({"read_noise": {"sigma_rel": -1.0}}, "greater than or equal to 0"),
    ],
)
def test_a_chain_that_does_not_fit_is_named(stages, complaint):
    with pytest.raises(InputError, match=complaint):
        ReadChain.checked(stages, where="test")


def test_bad_reads_are_named():
    tile = Tile.of(cells(3, 2, 4, 2), model())
    with pytest.raises(InputError, match=r"\(\.\.\., B, R\) = \(\.\.\., B, 4\) in volts and fit the tiles \(3,\)"):
        tile.forward(np.zeros((2, 5, 4)))
    with pytest.raises(InputError, match="NaN or infinity"):
        tile.forward(np.full((1, 5, 4), np.nan))
    with pytest.raises(InputError, match="`v` must be an array of real numbers"):
        tile.forward("volts")
    with pytest.raises(InputError, match="`rng` must be given: the read chain has a spread"):
        Tile.of(G, model(adc={"gain_sigma": 0.1}))
    with pytest.raises(InputError, match=r"`g_cell` must be \(3, 2, 4, 2\)"):
        tile.programmed(G)


def test_the_example_chain_is_the_modules_table():
    chain = ReadChain.from_toml(Path(__file__).parents[2] / "examples" / "chains" / "bulk_module.toml")
    lsb = 70e-6 / 255
    assert chain.adc.noise == near(2 * lsb, 1e-3)
    assert chain.read_noise.sigma_span == near(0.3 / 15, 1e-12)
    tile = Tile.of(G, ArrayModel.from_tables(tables(), chain=chain))
    reading = tile.forward(np.abs(volts(4, 9)), rng=TileRng.seeded(0))
    assert np.max(np.abs(np.rint(reading.i / lsb) - reading.i / lsb)) < 1e-6  # whole steps
