"""The update chain stage by stage: what each does, that it is counted, and that off is off."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, tables, with_windows
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import UpdateChain, UpdateParams
from rramkit.array.write.ageing import BOLTZMANN, RetentionParams, WearParams
from rramkit.array.write.cell_address import CellAddress
from rramkit.array.write.disturb import DisturbParams, half_selected
from rramkit.array.write.droop import DroopParams
from rramkit.array.write.spread import SpreadParams, StuckParams
from rramkit.array.write.state import POLARITIES
from rramkit.errors import InputError, TableError
from rramkit.table import Quantity, TableFile
from rramkit.table.parts import Distribution, Over

SHAPE = (2, 6, 4)
TABLES = tables()
IDEAL = UpdateChain.from_tables(TABLES)
EVERY = np.arange(np.prod(SHAPE))


def rng():
    return np.random.default_rng(7)


def trait(values: np.ndarray | None) -> np.ndarray:
    assert values is not None
    return values


def start(chain, seed=3):
    return chain.init(np.random.default_rng(seed).uniform(20e-6, 70e-6, SHAPE), rng=rng())


def amplitudes(write, count=EVERY.size, seed=5):
    return np.random.default_rng(seed).choice(write.v_pulse, count)


def spread_tables(width: float, over: Over = "cycles", write: str = "set") -> TableFile:
    """Return tables whose changes scatter uniformly by `width` S to each side."""
    table = TABLES[write]
    mean = np.asarray(table.signals["delta_g"].values)
    levels = np.array([0.0, 0.5, 1.0])
    spread = Distribution(
        "delta_g", over, levels, mean[..., None] + width * (2 * levels - 1), np.full(mean.shape, width / 3**0.5), 100
    )
    return replace(TABLES, tables={**TABLES.tables, write: replace(table, distributions={over: spread})})


@pytest.mark.parametrize("polarity", ["set", "reset"])
def test_with_every_stage_off_a_step_is_the_tables_mean(polarity):
    state, write = start(IDEAL), IDEAL.write(polarity)
    v_pulse = amplitudes(write)
    after = IDEAL.step(state, EVERY, v_pulse, polarity=polarity, rng=rng())
    pulse = write.fire(state.g_cell.ravel(), v_pulse)
    np.testing.assert_array_equal(after.g_cell.ravel(), pulse.g_cell)
    np.testing.assert_array_equal(after.energy.ravel(), pulse.energy)
    assert after.tally.energy == pulse.energy.sum() and after.tally.clamped == pulse.clamped
    counted = after.pulses_set if polarity == "set" else after.pulses_reset
    np.testing.assert_array_equal(counted, 1)
    np.testing.assert_array_equal(after.pulses, 1)
    np.testing.assert_allclose(after.seconds, 50e-9, rtol=1e-12)
    assert np.all(state.pulses == 0)  # state in, state out


def test_a_stage_at_zero_is_the_stage_left_out():
    off = UpdateParams(
        droop=DroopParams(source_set=0, bit_set=0, source_reset=0, bit_reset=0, v_follow=1e3, v_fold=1e-3),
        disturb=DisturbParams(scheme="gated"),
        spread=SpreadParams(),
        stuck=StuckParams(),
        wear=WearParams(n_half=1e18),
        retention=RetentionParams(nu=0.0),
    )
    chain = UpdateChain.from_tables(spread_tables(0.0), off)
    one, other = start(chain), start(IDEAL)
    for polarity in POLARITIES:
        v_pulse = amplitudes(IDEAL.write(polarity))
        one = chain.rest(chain.step(one, EVERY, v_pulse, polarity=polarity, rng=rng()), 1e6)
        other = IDEAL.step(other, EVERY, v_pulse, polarity=polarity, rng=rng())
        # Quantiles of no width are the mean to rounding: the distribution is kept less the mean, and added again.
        np.testing.assert_allclose(one.g_cell, other.g_cell, rtol=0, atol=1e-18)


@pytest.mark.parametrize("schedule", ["cell", "row", "array"])
def test_batch_equals_loop(schedule):
    """Pulses in one step are those one after another, where no pulse can touch another."""
    params = UpdateParams(
        schedule=schedule, spread=SpreadParams(sigma_gain=0.2, sigma_offset=0.01), wear=WearParams(n_half=5)
    )
    chain = UpdateChain.from_tables(TABLES, params)
    state = start(chain)
    v_pulse = amplitudes(chain.writer.set)
    at_once, loop = chain.step(state, EVERY, v_pulse, polarity="set", rng=rng()), state
    for cell, volts in zip(EVERY, v_pulse, strict=True):
        loop = chain.step(loop, np.array([cell]), np.array([volts]), polarity="set", rng=rng())
    np.testing.assert_array_equal(at_once.g_cell, loop.g_cell)
    np.testing.assert_array_equal(at_once.energy, loop.energy)


def test_cycle_to_cycle_draws_have_the_tables_distribution():
    width = 2e-6
    chain = UpdateChain.from_tables(spread_tables(width))
    cells = chain.init(np.full((2, 40, 50), 50e-6), rng=rng())
    v_pulse = np.full(4000, 1.25)
    after = chain.step(cells, np.arange(4000), v_pulse, polarity="set", rng=rng())
    deviation = after.g_cell.ravel() - chain.writer.set.fire(cells.g_cell.ravel(), v_pulse).g_cell
    # Mean and deviation of 4000 uniform draws are known to 1 / sqrt(4000) = 1.6 % of the deviation; 4 of these.
    assert abs(deviation.mean()) < 0.065 * width / 3**0.5
    assert deviation.std() == near(width / 3**0.5, 0.05)
    assert np.all(np.abs(deviation) <= width * (1 + 1e-9))
    mean_only = UpdateChain.from_tables(spread_tables(width), UpdateParams(cycles=False))
    still = mean_only.step(cells, np.arange(4000), v_pulse, polarity="set", rng=rng())
    assert np.ptp(still.g_cell) == 0.0


def test_a_strong_device_stays_strong():
    chain = UpdateChain.from_tables(spread_tables(2e-6, "devices"), UpdateParams(spread=SpreadParams()))
    cells = chain.init(np.full(SHAPE, 50e-6), rng=rng())
    first = chain.step(cells, EVERY, np.full(EVERY.size, 1.25), polarity="set", rng=rng())
    other = chain.step(cells, EVERY, np.full(EVERY.size, 1.25), polarity="set", rng=np.random.default_rng(99))
    np.testing.assert_array_equal(first.g_cell, other.g_cell)
    assert np.std(first.g_cell) > 0.5e-6
    order = np.argsort(trait(cells.traits.level).ravel())
    assert np.all(np.diff(first.g_cell.ravel()[order]) > 0.0)


def test_spread_is_static_and_lognormal():
    params = UpdateParams(spread=SpreadParams(sigma_gain=0.3, sigma_offset=0.02, sigma_window=0.1))
    chain = UpdateChain.from_tables(TABLES, params)
    cells = chain.init(np.full((2, 64, 64), 30e-6), rng=rng())
    gain = np.log(trait(cells.traits.gain_set))
    assert gain.mean() == near(0.0, within=4 * 0.3 / 8192**0.5)
    assert gain.std() == near(0.3, 0.04)
    flat, v_pulse = np.arange(8192), np.full(8192, 1.2)
    after = chain.step(cells, flat, v_pulse, polarity="set", rng=rng())
    write = chain.writer.set
    change = write.delta_g.at(30e-6, 1.2 - trait(cells.traits.offset)) * trait(cells.traits.gain_set)
    low, high = cells.traits.low, cells.traits.high
    np.testing.assert_allclose(after.g_cell, np.clip(30e-6 + change, low, high), rtol=1e-12)


def test_measured_windows_spread_each_cell_by_the_table():
    """The ends of the cells' windows scatter by what the file says, and only then."""
    spread = UpdateParams.from_tables(with_windows(TABLES, 0.1)).spread
    assert spread == SpreadParams(sigma_window=0.1)
    assert UpdateParams.from_tables(TABLES).spread is None
    chain = UpdateChain.from_tables(with_windows(TABLES, 0.1), UpdateParams.from_tables(with_windows(TABLES, 0.1)))
    traits = chain.init(np.full((2, 64, 64), 30e-6), rng=rng()).traits
    for end, middle in ((traits.low, G_LOW), (traits.high, G_HIGH)):
        scatter = np.log(trait(end) / middle)
        assert scatter.mean() == near(0.0, within=4 * 0.1 / 8192**0.5)
        assert scatter.std() == near(0.1, 0.04)  # 8,192 draws: 0.8 %


def test_stuck_cells_hold_take_pulses_and_are_counted():
    chain = UpdateChain.from_tables(TABLES, UpdateParams(stuck=StuckParams(low=0.2, high=0.1)))
    cells = chain.init(np.full((2, 64, 64), 40e-6), rng=rng())
    stuck = trait(cells.traits.stuck)
    assert np.mean(stuck == -1) == near(0.2, within=0.02)  # 4 deviations of 8192 draws
    assert np.mean(stuck == 1) == near(0.1, within=0.015)
    assert np.all(cells.g_cell[stuck == -1] == G_LOW) and np.all(cells.g_cell[stuck == 1] == G_HIGH)
    after = chain.step(cells, np.arange(8192), np.full(8192, 1.8), polarity="reset", rng=rng())
    np.testing.assert_array_equal(after.g_cell[stuck != 0], cells.g_cell[stuck != 0])
    assert np.all(after.g_cell[stuck == 0] < 40e-6)
    assert after.tally.stuck == np.count_nonzero(stuck) and np.all(after.pulses == 1)


@given(n=st.floats(0, 1e9), shape=st.floats(0.2, 5), end=st.floats(0, 1))
def test_the_window_only_shrinks_and_is_halved_at_n_half(n, shape, end):
    wear = WearParams(n_half=1e6, shape=shape, end=end)
    ends = (np.array(G_LOW), np.array(G_HIGH))
    low, high = wear.window(np.array(n), *ends)
    assert G_LOW * (1 - 1e-12) <= low <= high <= G_HIGH * (1 + 1e-12)
    later = wear.window(np.array(n + 1e5), *ends)
    assert later[1] - later[0] <= (high - low) * (1 + 1e-12)
    half = wear.window(np.array(1e6), *ends)
    assert half[1] - half[0] == near(0.5 * (G_HIGH - G_LOW), 1e-12)
    assert tuple(wear.window(np.array(0.0), *ends)) == ends


def test_wear_is_each_cells_own():
    chain = UpdateChain.from_tables(TABLES, UpdateParams(wear=WearParams(n_half=3.0)))
    state = start(chain)
    few = EVERY[:5]
    for _ in range(6):
        state = chain.step(state, few, np.full(5, 1.6), polarity="set", rng=rng())
    worn, fresh = (chain.window(state, cells)[1] for cells in (few, EVERY[5:]))
    # The sixth pulse met the window that five had left.
    np.testing.assert_allclose(state.g_cell.ravel()[few], G_LOW + (G_HIGH - G_LOW) * 2 ** (-5 / 3), rtol=1e-9)
    assert np.all(worn < 0.3 * G_HIGH) and np.all(fresh == G_HIGH)
    assert state.tally.clamped == 5


@given(first=st.floats(0, 1e7), second=st.floats(0, 1e7), nu=st.floats(-0.02, 0.05), warm=st.floats(280, 400))
@settings(max_examples=40)
def test_rests_add_up(first, second, nu, warm):
    chain = UpdateChain.from_tables(TABLES, UpdateParams(retention=RetentionParams(nu=nu)))
    state = start(chain)
    twice = chain.rest(chain.rest(state, first, t_cell=warm), second, t_cell=warm)
    once = chain.rest(state, first + second, t_cell=warm)
    np.testing.assert_allclose(twice.g_cell, once.g_cell, rtol=1e-9)


def test_drift_is_the_power_law_with_arrhenius_and_starts_anew_with_a_pulse():
    chain = UpdateChain.from_tables(TABLES, UpdateParams(retention=RetentionParams(nu=0.01, activation=1.1)))
    state = start(chain)
    day = 86400.0
    cold, hot = chain.rest(state, day), chain.rest(state, day, t_cell=358.0)
    np.testing.assert_allclose(cold.g_cell, state.g_cell * (1.0 + day) ** -0.01, rtol=1e-12)
    faster = np.exp(1.1 / BOLTZMANN * (1 / 300 - 1 / 358))
    np.testing.assert_allclose(hot.g_cell, state.g_cell * (1.0 + day * faster) ** -0.01, rtol=1e-12)
    few = EVERY[:4]
    pulsed = chain.step(cold, few, np.full(4, 0.8), polarity="set", rng=rng())
    later = chain.rest(pulsed, 10.0)
    ratio = later.g_cell.ravel() / pulsed.g_cell.ravel()
    np.testing.assert_allclose(ratio[:4], 11.0**-0.01, rtol=1e-12)
    np.testing.assert_allclose(ratio[4:], ((1 + day + 10) / (1 + day)) ** -0.01, rtol=1e-12)
    spread = UpdateChain.from_tables(TABLES, UpdateParams(retention=RetentionParams(nu=0.01, sigma_nu=0.005)))
    assert np.std(spread.rest(start(spread), day).g_cell / start(spread).g_cell) > 0.01
    up = UpdateChain.from_tables(TABLES, UpdateParams(retention=RetentionParams(nu=-1.0)))
    assert up.rest(start(up), 1e9).tally.clamped == EVERY.size  # held in the window, and counted


def test_half_selected_as_the_slow_count():
    flat = np.random.default_rng(1).choice(EVERY, 11, replace=False)
    address = CellAddress.of(flat, SHAPE)
    slot = np.random.default_rng(2).integers(0, 3, 11)
    # A slot pulses whole crossings of its rows and columns at most once each; the count is line by line.
    slow = np.zeros(SHAPE, dtype=int)
    for s in np.unique(slot):
        rows, cols = set(address.row[slot == s]), set(address.col[slot == s])
        for half, row, pair in np.ndindex(SHAPE):
            slow[half, row, pair] += (row in rows) + (2 * pair + half in cols)
        for cell in flat[slot == s]:
            slow.ravel()[cell] -= 2
    np.testing.assert_array_equal(half_selected(address, slot, CellAddress.of(EVERY, SHAPE)), slow.ravel())


def test_disturb_moves_the_others_a_little_and_the_right_way():
    params = DisturbParams()
    chain = UpdateChain.from_tables(TABLES, UpdateParams(schedule="cell", disturb=params))
    state = start(chain)
    one = EVERY[9:10]
    for polarity, sign in zip(POLARITIES, (1, -1), strict=True):
        after = chain.step(state, one, np.array([1.6]), polarity=polarity, rng=rng())
        moved = sign * np.log(after.g_cell / state.g_cell)
        address = CellAddress.of(EVERY, SHAPE)
        beside = (address.row == address.row[9]) ^ (address.col == address.col[9])
        assert np.all((moved.ravel() > 0.0)[EVERY != 9] == beside[EVERY != 9])
        assert np.max(moved.ravel()[beside]) < 1e-6
        assert after.tally.half_selected == np.count_nonzero(beside)
    gated = UpdateChain.from_tables(TABLES, UpdateParams(disturb=DisturbParams(scheme="gated")))
    np.testing.assert_array_equal(
        gated.step(state, one, np.array([1.6]), polarity="set", rng=rng()).g_cell.ravel()[EVERY != 9],
        state.g_cell.ravel()[EVERY != 9],
    )


def test_droop_weakens_far_cells_and_shared_lines():
    weaker = {}
    for schedule in ("cell", "row", "array"):
        chain = UpdateChain.from_tables(TABLES, UpdateParams(schedule=schedule, droop=DroopParams()))
        cells = chain.init(np.full(SHAPE, 60e-6), rng=rng())
        after = chain.step(cells, EVERY, np.full(EVERY.size, 1.6), polarity="reset", rng=rng())
        address = CellAddress.of(EVERY, SHAPE)
        change = after.g_cell.ravel() - 60e-6
        ideal = IDEAL.writer.reset.fire(np.array([60e-6]), np.array([1.6])).g_cell[0] - 60e-6
        corner = (address.along_row == 0) & (address.along_col == 0)
        assert change[corner][0] == near(ideal, 1e-12)  # no segment between it and its drivers
        assert np.all(change[~corner] > ideal)
        last_row = address.row == address.rows - 1
        assert np.all(np.diff(change[last_row][np.argsort(address.col[last_row])]) >= 0.0)
        weaker[schedule] = change[(address.along_row == 7) & (address.along_col == 5)][0]
    assert weaker["cell"] < weaker["row"] < weaker["array"] < 0.0


def test_widths_may_be_stepped_where_the_table_has_them():
    def with_widths(name):
        table = TABLES[name]
        widths = np.array([25e-9, 50e-9, 100e-9])
        factor = np.sqrt(widths / 50e-9)
        signals = {
            key: Quantity(np.asarray(signal.values)[..., None] * factor, signal.unit)
            for key, signal in table.signals.items()
        }
        conditions = {key: value for key, value in table.conditions.items() if key != "t_pulse"}
        axes = {**table.axes, "t_pulse": Quantity(widths, "s")}
        return replace(table, axes=axes, signals=signals, conditions=conditions)

    wide = replace(TABLES, tables={**TABLES.tables, **{name: with_widths(name) for name in ("set", "reset")}})
    cells = np.full(4, 40e-6)
    by_width = UpdateChain.from_tables(wide, stepped="t_pulse").writer.set
    np.testing.assert_array_equal(by_width.v_pulse, [25e-9, 50e-9, 100e-9])
    np.testing.assert_allclose(by_width.seconds(by_width.v_pulse), by_width.v_pulse, rtol=1e-12)
    change = by_width.mean(np.full(3, 40e-6), by_width.v_pulse)
    np.testing.assert_allclose(change / change[1], [0.5**0.5, 1.0, 2**0.5], rtol=1e-6)
    by_volts = UpdateChain.from_tables(wide).writer.set  # at the middle width, which is the plain table's
    np.testing.assert_allclose(
        by_volts.mean(cells, by_volts.v_pulse[:4]), IDEAL.writer.set.mean(cells, by_volts.v_pulse[:4]), atol=1e-12
    )
    with pytest.raises(TableError, match="must have the axis `t_pulse`"):
        UpdateChain.from_tables(TABLES, stepped="t_pulse")


def test_a_table_of_one_amplitude_writes():
    one = replace(
        TABLES,
        tables={
            **TABLES.tables,
            **{
                name: replace(
                    TABLES[name],
                    axes={**TABLES[name].axes, "v_pulse": Quantity(np.array([1.2]), "V")},
                    signals={
                        key: Quantity(np.asarray(signal.values)[:, 8:9], signal.unit)
                        for key, signal in TABLES[name].signals.items()
                    },
                    conditions={key: v for key, v in TABLES[name].conditions.items() if key != "v_step"},
                )
                for name in ("set", "reset")
            },
        },
    )
    chain = UpdateChain.from_tables(one)
    v_pulse, expected = chain.writer.set.nearest(np.array([10e-6, 20e-6]), np.array([1e-6, 50e-6]))
    np.testing.assert_array_equal(v_pulse, 1.2)
    state = chain.init(np.full(SHAPE, 10e-6), rng=rng())
    after = chain.step(state, EVERY, np.full(EVERY.size, 1.2), polarity="set", rng=rng())
    np.testing.assert_allclose(after.g_cell - 10e-6, expected[0], rtol=1e-12)


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"\(\.\.\., 2, R, C\)"):
        IDEAL.init(np.ones((3, 4, 4)), rng=rng())
    with pytest.raises(InputError, match="finite"):
        IDEAL.init(np.full(SHAPE, np.nan), rng=rng())
    with pytest.raises(InputError, match="within the table"):
        IDEAL.step(start(IDEAL), EVERY[:1], np.array([3.0]), polarity="set", rng=rng())
