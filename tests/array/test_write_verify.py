from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, perfect, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.array import UpdateParams, VerifyParams, WriteVerify
from rramkit.array.write.spread import SpreadParams, StuckParams
from rramkit.errors import InputError

SPAN = G_HIGH - G_LOW
FINE = tables(reset_v_step=0.002)
FINE = replace(
    FINE,
    tables={
        **FINE.tables,
        "set": replace(
            FINE["set"],
            conditions={
                **FINE["set"].conditions,
                "v_step": replace(FINE["set"].conditions["v_step"], values=np.asarray(0.002)),
            },
        ),
    },
)


def rng():
    return np.random.default_rng(11)


def targets(shape, seed=1):
    return np.random.default_rng(seed).uniform(G_LOW, G_HIGH, shape)


def blank(loop, shape):
    return loop.chain.init(np.full(shape, G_LOW), rng=rng())


def slow(loop, g_start, target):
    """Write one cell by the algorithm as it is written down; return conductance, pulses and whether it passed."""
    g, last, level, pulses = g_start, 0, 0, 0
    turns, ends, params = 0, 0, loop.params
    while True:
        if abs(g - target) <= params.window * SPAN:
            return g, pulses, True
        side = 1 if g < target else -1
        write = loop.chain.writer.set if side > 0 else loop.chain.writer.reset
        level = 0 if side != last else min(level + params.step, write.v_pulse.size - 1)
        turns += last not in (0, side)
        ends = (ends + 1 if side == last else 1) if level == write.v_pulse.size - 1 else 0
        last = side
        if pulses >= params.pulses_max or turns > params.turns_max or ends > params.ends_max:
            return g, pulses, False
        g = float(write.fire(np.array([g]), write.v_pulse[[level]]).g_cell[0])
        pulses += 1


@pytest.mark.parametrize("step", [1, 5])
def test_the_vectorised_loop_is_the_slow_loop(step):
    loop = WriteVerify.from_tables(tables(), VerifyParams(step=step, pulses_max=60, turns_max=4, ends_max=3))
    target = targets((2, 5, 4))
    done = loop.program(blank(loop, target.shape), target, rng=rng())
    for k, want in enumerate(target.ravel()):
        g, pulses, passed = slow(loop, G_LOW, want)
        assert done.cells.g_cell.ravel()[k] == g and done.pulses[k] == pulses
        assert (abs(done.error[k]) <= 0.01 * SPAN) == passed
    assert not np.any(done.active)


@pytest.mark.parametrize("start", ["lowest", "table"])
def test_every_cell_reaches_one_percent(start):
    loop = WriteVerify.from_tables(FINE, VerifyParams(start=start, step=4, pulses_max=1000))
    target = targets((2, 16, 16))
    done = loop.program(blank(loop, target.shape), target, rng=rng())
    assert np.max(np.abs(done.error)) <= 0.01 * SPAN
    cells = done.cells
    np.testing.assert_array_equal(cells.pulses.ravel(), done.pulses)
    assert cells.tally.pulses == done.pulses.sum() == cells.pulses_set.sum() + cells.pulses_reset.sum()
    assert done.tally.reads >= done.pulses.sum() + target.size  # a read before each pulse and one after the last
    assert done.tally.energy > cells.energy.sum()
    assert done.tally.seconds > 0.0


def test_each_read_costs_its_current_and_its_sensing():
    target = targets((2, 4, 4))
    done = {}
    for e_sense in (0.0, 2e-13):
        loop = WriteVerify.from_tables(FINE, VerifyParams(start="table", e_sense=e_sense))
        done[e_sense] = loop.program(blank(loop, target.shape), target, rng=rng()).tally
    plain, sensed = done.values()
    assert sensed.energy - plain.energy == near(2e-13 * plain.reads, 1e-9)
    cells = loop.chain.init(target, rng=rng())
    one = loop.program(cells, target, rng=rng()).tally  # all are there: one read each, no pulse
    expected = loop.v_read**2 * loop.t_read * cells.g_cell.sum() + 2e-13 * target.size
    assert one.reads == target.size and one.energy == near(expected, 1e-12)
    assert one.seconds == near(4 * loop.t_read, 1e-12)  # four rows, one after the other


def test_guided_ramps_need_fewer_pulses():
    target = targets((2, 8, 8))
    mean = {}
    for start in ("lowest", "table"):
        loop = WriteVerify.from_tables(FINE, VerifyParams(start=start, step=4, pulses_max=1000))
        mean[start] = loop.program(blank(loop, target.shape), target, rng=rng()).pulses.mean()
    assert mean["table"] < 0.2 * mean["lowest"]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_a_cell_within_its_window_is_not_pulsed(seed):
    loop = WriteVerify.from_tables(FINE)
    target = targets((2, 3, 3), seed)
    near = target + np.random.default_rng(seed).uniform(-0.0099, 0.0099, target.shape) * SPAN
    cells = loop.chain.init(np.clip(near, 1e-9, None), rng=rng())
    done = loop.program(cells, target, rng=rng())
    assert done.tally.pulses == 0 and done.tally.reads == target.size
    np.testing.assert_array_equal(done.cells.g_cell, cells.g_cell)


def test_only_the_cells_asked_for_are_written():
    loop = WriteVerify.from_tables(FINE, VerifyParams(start="table"))
    cells = loop.chain.init(targets((3, 2, 4, 4)), rng=rng())
    flat = np.array([0, 17, 55, 90])
    done = loop.program(cells, np.full(4, 50e-6), flat, rng=rng())
    np.testing.assert_allclose(done.cells.g_cell.ravel()[flat], 50e-6, rtol=0, atol=0.01 * SPAN)
    others = np.setdiff1d(np.arange(96), flat)
    np.testing.assert_array_equal(done.cells.g_cell.ravel()[others], cells.g_cell.ravel()[others])


def test_noisy_reads_need_confirmations():
    """A read whose noise is as wide as the window passes cells outside it; three in a row pass fewer."""
    target = targets((2, 24, 24))
    outside = {}
    for confirm in (1, 3):
        params = VerifyParams(start="table", confirm=confirm, sigma_read=0.01, pulses_max=400, turns_max=300)
        loop = WriteVerify.from_tables(FINE, params)
        done = loop.program(blank(loop, target.shape), target, rng=rng())
        outside[confirm] = np.mean(np.abs(done.error) > 0.01 * SPAN)
    assert 0.0 < outside[3] < 0.6 * outside[1]


def test_hopeless_cells_are_given_up_and_left_in_the_error():
    stuck = UpdateParams(stuck=StuckParams(low=0.1, high=0.1), spread=SpreadParams(sigma_gain=0.1))
    loop = WriteVerify.from_tables(FINE, VerifyParams(start="lowest", step=20, ends_max=5), stuck)
    target = np.full((2, 16, 16), 45e-6)
    cells = blank(loop, target.shape)
    done = loop.program(cells, target, rng=rng())
    assert cells.traits.stuck is not None
    dead = cells.traits.stuck.ravel() != 0
    ramps = np.where(
        cells.traits.stuck.ravel() < 0, loop.chain.writer.set.v_pulse.size, loop.chain.writer.reset.v_pulse.size
    )
    # Every 20th amplitude up to the last one, and four times the last one again.
    assert np.all(np.abs(done.error[dead]) > 0.3 * SPAN)
    np.testing.assert_array_equal(done.pulses[dead], (np.ceil((ramps - 1) / 20) + 5)[dead])
    assert done.tally.stuck == done.pulses[dead].sum()


def test_weak_and_strong_devices_get_there():
    """The loop sees what a pulse did: gains of a tenth to each side, another for each device."""
    loop = WriteVerify.from_tables(
        FINE, VerifyParams(start="table"), UpdateParams(spread=SpreadParams(sigma_gain=0.1, sigma_offset=0.005))
    )
    target = targets((2, 16, 16))
    done = loop.program(blank(loop, target.shape), target, rng=rng())
    assert np.mean(np.abs(done.error) <= 0.01 * SPAN) > 0.98


def test_a_fine_ideal_device_lands_with_one_pulse_of_the_table():
    loop = WriteVerify.from_tables(perfect(), VerifyParams(start="table", window=0.002))
    target = targets((2, 8, 8))
    done = loop.program(blank(loop, target.shape), target, rng=rng())
    assert done.pulses.max() <= 1
    # Half a step of the fixture's driver, 1e-7 S.
    assert np.max(np.abs(done.error)) <= 0.501e-7


def test_bad_targets_are_named():
    loop = WriteVerify.from_tables(FINE)
    with pytest.raises(InputError, match=r"within 4e-06 to 9e-05 S"):
        loop.init(blank(loop, (2, 2, 2)), np.full((2, 2, 2), 1e-3))
    with pytest.raises(InputError, match=r"must be \(2, 2, 2\)"):
        loop.init(blank(loop, (2, 2, 2)), np.full((2, 2), 5e-5))
