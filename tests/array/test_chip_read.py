"""Reads through the tables of the chip's circuits against a slow loop, code by code."""

from typing import Any

import numpy as np
import pytest
from fixtures import chip_tables as chip
from fixtures.chip_tables import G_HIGH, G_LOW, LSB, R_FEEDBACK, V_READ, chip_tables
from fixtures.closeness import near
from oracles.chip_read import Unit, backward_steps, forward_steps, sensed_steps

from rramkit.array import ArrayModel, ReadChain, Tile, TileGrid, TileRng
from rramkit.array.periphery import Periphery
from rramkit.array.stages.sense_unit import SenseUnit
from rramkit.errors import InputError

NOISES = ("cell_noise", "readout_noise", "adc_noise")
QUIET = chip_tables(linear=True, without=NOISES)
ROWS, PAIRS = 12, 7
RNG = np.random.default_rng(0)
G = RNG.uniform(G_LOW, G_HIGH, (2, ROWS, PAIRS))
V, E = RNG.uniform(-1.0, 1.0, (5, ROWS)), RNG.uniform(-1.0, 1.0, (5, PAIRS))
ENDLESS: dict[str, Any] = {"row_driver": {"r_out": 0.0}, "readout": {"r_in": 0.0}, "line_switch": {"r_on": 0.0}}
"""Typed over the tables: line ends without resistance."""


def model(file=QUIET, *, wires=True, **typed: Any):
    chain = ReadChain.from_tables(file, ReadChain.checked(typed, where="test"))
    return ArrayModel(file, wires=wires, chain=chain)


def physical(g):
    """Return pairs (2, R, C) as the physical array (R, 2 C): plus even, minus odd."""
    return np.moveaxis(g, 0, -1).reshape(g.shape[1], -1)


def units_of(tile):
    """Return the units of a tile as drawn, with the levels that the made-up table has."""
    draws = tile.periphery.state(SenseUnit).draws
    measured = QUIET["adc_levels"].axes["code"].values
    levels = np.interp(np.arange(1.0, 256.0), measured, chip.transitions(measured))
    return [
        Unit(np.maximum.accumulate(levels + shift) + latch, offset, chip.V_REST)
        for offset, latch, shift in zip(draws.offset, draws.latch, draws.mismatch, strict=True)
    ]


def setting(tile, *, backward):
    """Return the gain setting of a tile and the factor that its input resistance makes of a current."""
    readout = tile.model.chain.readout
    number = int(tile.periphery.state(SenseUnit).banks[backward].gain)
    first, own = readout.r_sensing, 0.0 if readout.r_in == 0.0 else R_FEEDBACK[number] / chip.LOOP_GAIN
    return readout.gains[number], lambda g: (1.0 + first * g) / (1.0 + own * g)


def expected(tile, v, *, backward):
    """Return what the slow loop reads (A)."""
    wires = tile.model.lines_of(backward=backward)
    array = physical(np.asarray(tile.g_cell))
    array = array if wires is None else wires.effective(array)
    gain, factor = setting(tile, backward=backward)
    units, levels = units_of(tile), np.asarray(tile.model.chain.row_driver.v_open)
    slow = backward_steps if backward else forward_steps
    return slow(array, levels, v, lambda m: units[m // 2], gain.curve().output, factor) * (LSB / gain.r_feedback)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("wires", [False, True])
def test_every_code_is_that_of_the_slow_loop(backward, calibrated, wires):
    typed = {} if wires else ENDLESS
    tile = Tile.of(G, model(wires=wires, **typed), rng=TileRng.seeded(3))
    v = E if backward else V
    if calibrated:
        tile = tile.calibrated(V_READ * v, backward=backward, margin=1.1)
    reading = (tile.backward if backward else tile.forward)(V_READ * v)
    found = expected(tile, v, backward=backward)
    step = LSB / setting(tile, backward=backward)[0].r_feedback
    np.testing.assert_array_equal(np.rint(reading.i / step), np.rint(found / step))
    np.testing.assert_allclose(reading.i, found, rtol=1e-9, atol=1e-9 * step)  # codes are whole: rounding of the factor
    assert np.count_nonzero(np.rint(found / step)) > 20


def test_calibration_takes_the_smallest_range_that_holds_the_currents():
    tile = Tile.of(G, model(), rng=TileRng.seeded(3))
    readout = tile.model.chain.readout
    state = tile.periphery.state(SenseUnit)
    assert [int(bank.gain) for bank in state.banks] == [0, 0]  # the largest range
    shift = (state.draws.offset[:, None] * np.stack([G[0].sum(axis=0), G[1].sum(axis=0)], axis=1)).ravel()
    phases = np.concatenate([np.maximum(V, 0.0), np.maximum(-V, 0.0)]) * V_READ
    for scale in (1.0, 0.2, 0.02):
        once = tile.calibrated(scale * V_READ * V, margin=1.1)
        number = int(once.periphery.state(SenseUnit).banks[0].gain)
        assert once.forward(scale * V_READ * V).beyond == 0
        # The next smaller range would clip: 0.7 V at the output above rest, 20 mV below it, but for the unit's latch.
        largest = np.max(1.1 * scale * (phases @ physical(G)).max(axis=0) + shift)
        r_next = readout.gains[min(number + 1, 3)].r_feedback
        assert number == 3 or largest * r_next > 0.65 or np.min(shift) * r_next < -5e-3
    quiet = Tile.of(G, model(readout={"offset_sigma": 0.0}, adc={"latch_sigma": 0.0}), rng=TileRng.seeded(3))
    for scale, number in ((1.0, 2), (0.2, 3), (0.02, 3)):  # up to 34 uA, and in proportion
        once = quiet.calibrated(scale * V_READ * V, margin=1.1)
        assert int(once.periphery.state(SenseUnit).banks[0].gain) == number
        assert once.forward(scale * V_READ * V).beyond == 0
    assert quiet.calibrated(0.2 * V_READ * V).forward(5.0 * V_READ * V).beyond > 0
    fixed = Tile.of(G, model(readout={"r_feedback": 14e3}), rng=TileRng.seeded(3))
    assert int(fixed.periphery.state(SenseUnit).banks[1].gain) == 2
    with pytest.raises(InputError, match="r_feedback` be left out"):
        fixed.calibrated(V_READ * V)


def test_a_unit_that_clips_in_every_range_does_not_choose_the_largest():
    """Comparators of 15 mV: one in twenty begins above the voltage at rest, in every gain setting."""
    count = 120
    many = np.broadcast_to(G, (count, 2, ROWS, PAIRS)).copy()
    tiles = Tile.of(
        many, model(readout={"offset_sigma": 0.0}, adc={"latch_sigma": 15e-3}), rng=TileRng.seeded(2, (count,))
    )
    once = tiles.calibrated(0.02 * V_READ * V, margin=1.1)
    latch, gain = tiles.periphery.state(SenseUnit).draws.latch, once.periphery.state(SenseUnit).banks[0].gain
    lost, others = latch > 25e-3, latch < 12e-3  # 20 mV lie between rest and the first code
    only = np.any(lost, axis=1) & np.all(lost | others, axis=1)
    assert np.count_nonzero(only) > 2 and np.all(gain[only] == 3)


@pytest.mark.parametrize("backward", [False, True])
def test_single_ended_columns_are_read_by_the_units_of_their_place(backward):
    columns = np.random.default_rng(1).uniform(G_LOW, G_HIGH, (ROWS, 9))
    tile = Tile.of(columns, model(wires=False, **ENDLESS), rng=TileRng.seeded(5))
    v = np.random.default_rng(2).uniform(0.0, 1.0, (4, 9 if backward else ROWS))
    reading = (tile.backward if backward else tile.forward)(V_READ * v)
    gain, factor = setting(tile, backward=backward)
    units, levels = units_of(tile), np.asarray(tile.model.chain.row_driver.v_open)
    driven = levels[np.rint(v * 31).astype(int)]
    effective = columns.T if backward else columns
    steps = sensed_steps(effective, driven, lambda m: units[m // 2], gain.curve().output, factor)
    np.testing.assert_allclose(reading.i, steps * (LSB / gain.r_feedback), rtol=1e-12)


def test_a_grid_adds_the_codes_of_its_tiles():
    chain = model(wires=False, **ENDLESS)
    grid = TileGrid.of(G, chain, largest=(6, 8), rng=TileRng.seeded(7, (2, 2))).calibrated(0.3 * V_READ * V)
    total = np.zeros((5, PAIRS))
    for row in range(2):
        for column in range(2):
            g = np.asarray(grid.tiles.g_cell[row, column])
            one = Tile.of(g, chain, rng=TileRng.seeded(7, first=2 * row + column))
            some = V[:, 6 * row : 6 * row + 6]
            part = one.calibrated(0.3 * V_READ * some).forward(V_READ * some).i
            found = expected(one.calibrated(0.3 * V_READ * some), some, backward=False)
            np.testing.assert_allclose(part, found, rtol=1e-9, atol=1e-18)
            total[:, 4 * column : 4 * column + 4] += part[:, : PAIRS - 4 * column]
    np.testing.assert_allclose(grid.forward(V_READ * V).i, total, rtol=1e-12, atol=1e-18)


def test_the_offset_of_a_unit_cancels_in_the_difference_of_equal_halves():
    """Equal halves give equal codes, whatever the offsets; unlike ones differ by v_offset (g_plus - g_minus)."""
    equal = Tile.of(np.stack([G[0], G[0]]), model(wires=False, **ENDLESS), rng=TileRng.seeded(3))
    np.testing.assert_array_equal(equal.forward(V_READ * np.abs(V)).i, 0.0)
    unlike = Tile.of(G, model(wires=False, adc={"bits": 14}, **ENDLESS), rng=TileRng.seeded(3))
    at_rest = unlike.forward(np.zeros((1, ROWS))).i[0]
    offset = unlike.periphery.state(SenseUnit).draws.offset
    own, step = offset * (G[0] - G[1]).sum(axis=0), 0.72 / 2**14 / 3.5e3
    assert np.max(np.abs(own)) > 30 * step
    # half a step of each half is the quantisation; the readout's gain is 0.2 % low
    np.testing.assert_allclose(at_rest, own, rtol=3e-3, atol=1.01 * step)


def test_offsets_are_those_of_the_tables():
    grid = Tile.of(np.broadcast_to(G, (200, 2, ROWS, PAIRS)).copy(), model(), rng=TileRng.seeded(1, (200,)))
    draws = grid.periphery.state(SenseUnit).draws
    assert draws.offset.shape == (200, 7)  # pairs; rows have six of them
    # 1400 numbers: their standard deviation is known to 1.9 %, three times that allowed
    assert np.std(draws.offset) == near(chip.SIGMA_READOUT, rel=0.06)
    assert np.std(draws.latch) == near(chip.SIGMA_LATCH, rel=0.06)
    at_measured = draws.mismatch[..., [0, 16, 32, 254]]
    assert np.std(at_measured) == near(chip.SIGMA_LEVEL, rel=0.06)
    assert np.abs(np.corrcoef(at_measured.reshape(-1, 4).T) - np.eye(4)).max() < 0.1


def test_noise_is_that_of_cells_readout_and_adc():
    """Spread of many reads; with levels of 0.4 nA, so that quantisation is no part of it."""
    chain = model(chip_tables(linear=True), wires=False, adc={"bits": 16}, **ENDLESS)
    tile = Tile.of(G, chain, rng=TileRng.seeded(3)).calibrated(0.5 * V_READ * V)
    gain, _ = setting(tile, backward=False)
    v = 0.5 * V[:1]
    found = tile.forward(np.repeat(V_READ * v, 20_000, axis=0), rng=TileRng.seeded(8)).i
    volts = np.asarray(tile.model.chain.row_driver.v_open)[np.rint(np.abs(v[0]) * 31).astype(int)]
    cells = (chip.SIGMA_CELL * G) ** 2
    g_line = G.sum(axis=1)
    electronics = [gain.noise(g_line[half]) ** 2 + (chip.V_NOISE / gain.r_feedback) ** 2 for half in (0, 1)]
    variance = volts**2 @ (cells[0] + cells[1]) + 2.0 * (electronics[0] + electronics[1])
    # 20 000 numbers: 0.5 % each, four times that allowed; the readout's gain bends by half a per cent
    np.testing.assert_allclose(found.std(axis=0), np.sqrt(variance), rtol=0.025)


def level_energy(load):
    """Return the made-up energy (J) of the highest level on a line of `load` (S)."""
    i = V_READ * load / (1.0 + chip.R_OUT * load)
    return 20e-15 + 0.9 * V_READ * 500e-15 + 0.2 * chip.V_REST * i * 45e-9


def test_energy_is_what_the_supplies_give():
    """One vector of full volts on equal cells, by hand from the made-up formulas."""
    g, rows, pairs = 30e-6, 20, 16
    chain = model(wires=False, **ENDLESS)
    tile = Tile.of(np.full((2, rows, pairs), g), chain, rng=TileRng.seeded(0))
    reading = tile.forward(np.full((1, rows), V_READ))
    offset = tile.periphery.state(SenseUnit).draws.offset
    i = rows * g * V_READ
    readout = 1.8 * (100e-6 + i) * 1.2 * chip.T_READ
    waiting = chip.V_REST * i * chip.T_READ
    line = level_energy(2 * pairs * g)
    columns, words = 2 * pairs, 0.1e-12 + 3.3**2 * chip.C_WORD * 2 * pairs
    by_hand = columns * (readout + waiting + chip.E_CONVERSION + chip.E_SWITCH) + rows * (
        2 * line + chip.E_SWITCH + words
    )
    # the energy of a level is fitted by a straight line in the load, off by `e_error` of the largest
    miss = chain.chain.row_driver.e_error * level_energy(96 * 40e-6)
    assert abs(reading.energy - by_hand) < 2 * rows * miss < 2e-3 * by_hand
    assert reading.duration == near(2 * (chip.T_READ + chip.T_CONVERSION), rel=1e-12)
    assert offset.shape == (16,)
    both = tile.forward(np.array([[V_READ, -V_READ] * 10]))
    assert both.duration == near(2 * reading.duration, rel=1e-12)
    back = tile.backward(np.full((1, pairs), V_READ))
    lines = level_energy(rows * g) + 20e-15  # each bit line is driven in one phase and at rest in the other
    i = pairs * g * V_READ
    readout, waiting = 1.8 * (100e-6 + i) * 1.2 * chip.T_READ, chip.V_REST * i * chip.T_READ
    by_hand = 2 * rows * (readout + waiting + chip.E_CONVERSION + chip.E_SWITCH)
    by_hand += 2 * columns * lines + columns * chip.E_SWITCH + rows * words
    assert abs(back.energy - by_hand) < 2 * columns * miss


@pytest.mark.parametrize("backward", [False, True])
def test_float32_reads_the_same_codes_but_for_rounding(backward):
    """Without drawn offsets, whose numbers differ in float32; one code in a thousand may be the next."""
    chain = model(readout={"offset_sigma": 0.0}, adc={"latch_sigma": 0.0, "mismatch_sigma": [], "mismatch_codes": []})
    g, v = (
        np.broadcast_to(G, (40, 2, ROWS, PAIRS)) * np.linspace(0.9, 1.0, 40)[:, None, None, None],
        E if backward else V,
    )
    double, single = (
        (tile.backward if backward else tile.forward)((V_READ * v).astype(dtype)).i
        for dtype in (np.float64, np.float32)
        for tile in [Tile.of(np.maximum(g, G_LOW).astype(dtype), chain)]
    )
    assert single.dtype == np.float32
    differ = np.rint((single - double) / (LSB / 3.5e3))
    assert np.mean(differ != 0) < 1e-3 and np.max(np.abs(differ)) <= 1


def test_a_tile_is_the_same_alone_and_among_others_and_after_a_write():
    file = chip_tables()
    together = Tile.of(np.stack([G, 0.5 * G, G]), model(file), rng=TileRng.seeded(2, (3,)))
    alone = Tile.of(G, model(file), rng=TileRng.seeded(2, first=2))
    rngs = TileRng.seeded(9, (3,)), TileRng.seeded(9, first=2)
    np.testing.assert_allclose(
        together.forward(V_READ * V, rng=rngs[0]).i[2], alone.forward(V_READ * V, rng=rngs[1]).i, rtol=1e-12, atol=1e-18
    )
    moved = G.copy()
    moved[0, 3, 2] *= 1.2
    written = alone.programmed(moved)
    assert written.periphery is alone.periphery
    anew = Tile.of(moved, model(file), rng=TileRng.seeded(2, first=2))
    for way, v in (("forward", V), ("backward", E)):
        found = [getattr(tile, way)(V_READ * v, rng=TileRng.seeded(4)) for tile in (written, anew)]
        np.testing.assert_array_equal(found[0].i, found[1].i)
        assert found[0].energy == found[1].energy
    with pytest.raises(InputError, match="`rng` must be given: the read chain has a spread"):
        Tile.of(G, model(file))


def test_torch_reads_what_numpy_reads():
    torch = pytest.importorskip("torch")
    found = []
    for convert in (np.asarray, torch.tensor):
        tile = Tile.of(convert(G), model(chip_tables()), rng=TileRng.seeded(3)).calibrated(convert(0.5 * V_READ * V))
        found.append([tile.forward(convert(V_READ * V), rng=TileRng.seeded(1))])
        found[-1].append(tile.backward(convert(V_READ * E), rng=TileRng.seeded(1)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(np.asarray(other.i), one.i, rtol=1e-9, atol=1e-18)
        assert other.energy == near(one.energy, rel=1e-9)
        assert (other.beyond, other.duration) == (one.beyond, one.duration)


@pytest.mark.parametrize("typed", [{}, {"merge": "analog"}], ids=["each array", "joined arrays"])
def test_stages_are_told_of_the_lines_once_after_a_write(monkeypatch, typed):
    """What readouts make of the lines' conductances holds until cells are written, and reads are the same numbers."""
    tellings = []
    told = Periphery.at_lines

    def counted(self, g_line, *, backward):
        tellings.append(backward)
        return told(self, g_line, backward=backward)

    monkeypatch.setattr(Periphery, "at_lines", counted)
    grid = TileGrid.of(G, model(**typed), largest=(6, 14), rng=np.random.default_rng(1))
    v, e = V * V_READ, E * V_READ
    grid = grid.calibrated(v).calibrated(e, backward=True)
    tellings.clear()
    first = [grid.forward(v).i, grid.backward(e).i]
    again = [grid.forward(v).i, grid.backward(e).i]
    assert tellings == [False, True]
    written = grid.programmed(G[:, ::-1].copy())
    after = [written.forward(v).i, written.backward(e).i]
    assert tellings == [False, True, False, True]
    fresh = [getattr(written.without_cache(), way)(x).i for way, x in (("forward", v), ("backward", e))]
    for one, other in zip([*first, *after], [*again, *fresh], strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.any(first[0] != after[0])


def test_stages_are_told_anew_where_each_read_has_cells_of_its_own(monkeypatch):
    """Traps that each read draws change the lines' conductances with the currents."""
    tellings = []
    told = Periphery.at_lines
    monkeypatch.setattr(
        Periphery, "at_lines", lambda self, g, *, backward: tellings.append(g) or told(self, g, backward=backward)
    )
    tile = Tile.of(G, model(telegraph={"fraction": 0.5}), rng=np.random.default_rng(1)).calibrated(V * V_READ)
    tellings.clear()
    rng = TileRng.seeded(3)
    for _ in range(2):
        tile.forward(V * V_READ, rng=rng)
    assert len(tellings) == 2 and np.any(tellings[0] != tellings[1])
