"""Each update rule: its step by pen and paper on an ideal device, and what it may never do."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_LOW, perfect, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.softmax import SPAN, first_weights, soft_bounds
from pydantic import Field

from rramkit.array import ArrayModel, TileGrid, UpdateParams, VerifyParams
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import Gradient, Samples
from rramkit.array.write.spread import SpreadParams
from rramkit.errors import InputError
from rramkit.learning.optimisers import Adam, Momentum
from rramkit.learning.rules import (
    BoundRule,
    FloatReference,
    MixedPrecision,
    OpenLoop,
    OuterProduct,
    RowSparse,
    RramRule,
    Rule,
    Sign,
    Threshold,
    ThresholdTraining,
    TikiTaka,
    WriteVerifyRule,
)
from rramkit.learning.rules.pulse_counts import stochastic_round
from rramkit.learning.rules.pulse_trains import Coincidences
from rramkit.learning.rules.row_sparse import largest_rows
from rramkit.parameters import Parameters

SGD = Momentum(1.0, momentum=0.0)  # the wanted change is minus the gradient
FINE, COARSE, DEAD = perfect(g_step=1e-8), tables(), tables(dead=True)
QUANTUM = 1e-8 / SPAN  # weight of one step of the fixture's driver
RRAM_RULES = [rule for rule in get_args(get_args(Rule)[0]) if issubclass(rule, RramRule)]


def rng(seed=5):
    return np.random.default_rng(seed)


BOUND = {}  # rules on a file: building the tables' look-ups is what takes the time


def bind(rule, file=FINE, optimiser=SGD):
    key = (rule.as_json(), id(file), optimiser)
    if key not in BOUND:
        BOUND[key] = (rule.bind(file, ArrayModel.from_tables(file, wires=False), optimiser), file)
    return BOUND[key][0]


def started(rule, file=FINE, optimiser=SGD, shape=(6, 4), seed=1):
    bound = bind(rule, file, optimiser)
    return bound, bound.init([rng(seed).uniform(-0.3, 0.3, shape)], rng=rng())


def gradient_of(gradient):
    """Return a gradient in two factors whose product is `gradient` (R, C)."""
    return Gradient(Samples(np.eye(len(gradient))), gradient)


def random_changes(shape=(6, 4), seed=2, size=0.1):
    return rng(seed).uniform(-size, size, shape)


# Off means off --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_the_float_rule_is_plain_numpy(optimiser):
    weights = [w.copy() for w in first_weights()]
    rule = BoundRule(FloatReference(), Momentum(0.1, momentum=0.9) if optimiser == "sgd" else Adam(0.01))
    state = rule.init(weights, rng=rng())
    w, u, m, s = weights[0].copy(), 0.0, 0.0, 0.0
    for step in range(1, 11):
        g = random_changes(w.shape, seed=step)
        state = rule.step(state, [gradient_of(g)], rng=rng())
        if optimiser == "sgd":
            u = 0.9 * u + g
            w = w - 0.1 * u
        else:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
            w = w - 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8)
    # Ten steps, sums in the same order: rounding only.
    np.testing.assert_allclose(state.matrices[0].weight, w, rtol=0, atol=1e-14)
    assert state.steps == 10 and state.pulses == ()


EXACT = VerifyParams(start="table", window=1e-4)


@pytest.mark.parametrize(
    "rule",
    [
        MixedPrecision(threshold=0.0, centre=0.5),
        Threshold(threshold=0.0, verify=EXACT, start="verify"),
        Threshold(threshold=0.0, verify=EXACT, start="verify", placement="centre", way="error", centre=0.5),
        OpenLoop(centre=0.5),
        ThresholdTraining(theta=0.0, centre=0.5),
        WriteVerifyRule(verify=EXACT, centre=0.5),
        RowSparse(keep=1.0, swap_every=0, centre=0.5),
    ],
    ids=lambda rule: rule.kind,
)
def test_on_an_ideal_device_a_rule_of_wanted_changes_is_the_float_rule(rule):
    bound, state = started(rule)
    reference = BoundRule(FloatReference(), SGD)
    twin = reference.init([state.matrices[0].weight], rng=rng())
    steps = 10
    for number in range(steps):
        g = random_changes(seed=number, size=0.04)
        state = bound.step(state, [gradient_of(g)], rng=rng())
        twin = reference.step(twin, [gradient_of(g)], rng=rng())
    # Half a driver's step for each written half and step; with verify, the window of both halves.
    allowed = steps * QUANTUM + 2 * EXACT.window
    np.testing.assert_allclose(state.matrices[0].weight, twin.matrices[0].weight, rtol=0, atol=allowed)
    assert np.max(np.abs(state.matrices[0].weight - started(rule)[1].matrices[0].weight)) > 20 * allowed


# Mixed precision with remainder ---------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), write=st.sampled_from(["nearest", "count"]), threshold=st.floats(0.0, 0.1))
@settings(max_examples=25)
def test_what_is_written_and_what_waits_is_what_was_wanted(seed, write, threshold):
    """chi + expected writes = sum of changes, on a device whose pulses do what is expected of them."""
    rule = MixedPrecision(threshold=threshold, write=write, step=0.01, centre=0.5)
    bound, state = started(rule, COARSE if write == "nearest" else FINE)
    wanted = state.matrices[0].weight + state.chi[0]
    for number in range(3):
        g = random_changes(seed=seed % 1000 + number, size=0.08)
        state = bound.step(state, [gradient_of(g)], rng=rng())
        wanted = wanted - g
        np.testing.assert_allclose(state.matrices[0].weight + state.chi[0], wanted, rtol=0, atol=1e-12)
    if write == "count":
        assert np.max(np.abs(state.chi[0])) < max(threshold, bound.device.pulses.epsilon) * (1 + 1e-9)


def test_equal_pulses_are_counted_as_aihwkit_does():
    """chi = 3.7 epsilon fires 3 up and keeps 0.7; -1.2 fires 1 down and keeps -0.2; 0.9 waits."""
    rule = MixedPrecision(threshold=0.0, write="count", step=0.005, start="error", centre=0.5)
    bound, state = started(rule, shape=(1, 3))
    epsilon = bound.device.pulses.epsilon
    assert epsilon == near(0.01, 1e-3)  # a SET and a RESET of half a percent each
    after = bound.step(state, [gradient_of(-epsilon * np.array([[3.7, -1.2, 0.9]]))], rng=rng())
    moved = (after.matrices[0].weight - state.matrices[0].weight)[0]
    np.testing.assert_allclose(moved, epsilon * np.array([3.0, -1.0, 0.0]), rtol=0, atol=1e-9)
    np.testing.assert_allclose(after.chi[0][0], epsilon * np.array([0.7, -0.2, 0.9]), rtol=0, atol=1e-9)
    np.testing.assert_array_equal((after.pulses[0] - state.pulses[0])[0], [[3, 1, 0]])


def test_changes_below_the_threshold_accumulate_until_one_pulse_writes_them():
    bound, state = started(MixedPrecision(threshold=0.2))
    after = bound.step(state, [gradient_of(np.full((6, 4), 0.01))], rng=rng())
    assert after.tally.pulses == 0 and after.matrices[0] is state.matrices[0]
    pulses = 0
    for _ in range(25):
        after = bound.step(after, [gradient_of(np.full((6, 4), 0.01))], rng=rng())
        pulses += after.tally.pulses
    assert pulses == np.sum(after.pulses[0]) - np.sum(state.pulses[0])
    # 26 changes of 0.01 pass 0.2 once: one pulse a weight, and the residue is what it did not write.
    np.testing.assert_array_equal((after.pulses[0] - state.pulses[0]).sum(axis=0), 1)
    wanted = state.matrices[0].weight + state.chi[0] - 0.26
    np.testing.assert_allclose(after.matrices[0].weight + after.chi[0], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "read_a_pair"),
    [
        (MixedPrecision(threshold=0.1), 2),
        (MixedPrecision(threshold=0.1, write="count"), 0),
        (Threshold(threshold=0.1, way="pulse"), 2),
        (Threshold(threshold=0.1, way="error"), 0),
    ],
)
def test_cells_whose_conductance_chooses_the_pulse_are_read_and_counted(rule, read_a_pair):
    bound, state = started(rule)
    g = -np.array([[0.25, 0.09, -0.3, 0.0]] * 6)
    after = bound.step(state, [gradient_of(g)], rng=rng())
    assert after.tally.reads == read_a_pair * 12
    bare = after.parts[0].cells.energy.sum() - state.parts[0].cells.energy.sum()
    loop, pairs = bound.device.loop, state.parts[0].cells.g_cell[:, np.abs(g) > 0.1]
    of_reads = loop.v_read**2 * loop.t_read * pairs.sum() if read_a_pair else 0.0
    assert after.tally.energy - bare == near(of_reads, 1e-6, within=1e-20)  # rounding of picojoules


def test_chi_is_clipped_to_what_a_pair_can_hold():
    bound, state = started(MixedPrecision(threshold=0.06))
    for _ in range(20):
        state = bound.step(state, [gradient_of(np.full((6, 4), -0.3))], rng=rng())
    # What waits below the threshold is not looked at.
    assert np.all(state.matrices[0].weight + state.chi[0] <= 1.0 + 0.06)
    assert state.tally.clamped == 24


# Mixed precision with threshold ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", ["ideal", "device"])
def test_the_threshold_rule_consumes_the_whole_value(reading):
    coarse = VerifyParams(start="table", window=0.02)
    bound, state = started(Threshold(threshold=0.1, reading=reading, verify=coarse))
    g = -np.array([[0.25, 0.09, -0.3, 0.0]] * 6)
    after = bound.step(state, [gradient_of(g)], rng=rng())
    past = np.abs(g) > 0.1
    assert np.all(after.chi[0][past] == 0.0)
    np.testing.assert_allclose(after.chi[0][~past], -g[~past], rtol=0, atol=1e-15)
    start, digital, weight = (state.parts[0].digital, after.parts[0].digital, after.matrices[0].weight)
    np.testing.assert_array_equal(digital[~past], start[~past])
    np.testing.assert_array_equal(weight[~past], state.matrices[0].weight[~past])
    assert np.max(np.abs(weight - (start - g))[past]) < 0.041  # two cells, each within its window
    expected = (start - g) if reading == "ideal" else weight
    np.testing.assert_allclose(digital[past], expected[past], rtol=0, atol=1e-15)
    untouched = np.stack([~past, ~past])
    np.testing.assert_array_equal(after.pulses[0][untouched], state.pulses[0][untouched])


def test_errors_go_back_through_the_digital_weights():
    _, state = started(Threshold(threshold=0.1, start="pulse"), COARSE)
    errors = random_changes((3, 4), seed=8)
    digital = state.parts[0].digital
    back = state.matrices[0].backward(errors, rng=rng()).y
    np.testing.assert_allclose(back, errors @ digital.T, rtol=0, atol=1e-12)
    _, other = started(Threshold(threshold=0.1, backward="tile"), COARSE)
    assert np.max(np.abs(other.matrices[0].backward(errors, rng=rng()).y - errors @ digital.T)) > 1e-4


def test_without_accumulation_small_changes_are_lost():
    bound, state = started(Threshold(threshold=0.1, accumulate=False))
    for _ in range(30):
        after = bound.step(state, [gradient_of(np.full((6, 4), 0.02))], rng=rng())
        assert after.tally.pulses == 0
    with_it, second = started(Threshold(threshold=0.1))
    fired = 0
    for _ in range(30):
        second = with_it.step(second, [gradient_of(np.full((6, 4), 0.02))], rng=rng())
        fired += second.tally.pulses
    assert fired > 24


def test_written_at_once_nothing_is_remembered_but_the_devices():
    rule = Threshold(threshold=0.0, accumulate=False, reading="device", way="pulse", placement="centre")
    bound, state = started(rule, COARSE)
    for seed in range(3):
        before, g = state.matrices[0].weight, random_changes(seed=seed, size=0.004)
        state = bound.step(state, [gradient_of(g)], rng=rng())
        after = state.matrices[0].weight
        np.testing.assert_array_equal(state.chi[0], 0.0)
        np.testing.assert_allclose(state.parts[0].digital, after, rtol=0, atol=1e-12)
        assert np.max(np.abs(after - (before - g))) > 0.001  # the driver's steps are coarser than the changes


def test_targets_have_levels_and_the_simulators_error():
    rule = Threshold(
        threshold=0.0, levels=16, way="error", sigma_program=0.5, start="error", placement="low", verify=EXACT
    )
    bound = bind(rule)
    state = bound.init([np.full((60, 50), 7 / 15)], rng=rng())
    plus, minus = state.parts[0].cells.g_cell
    spacing = SPAN / 15
    # 3,000 draws: mean and deviation to 4 / sqrt(3000) = 7 % of the deviation.
    assert np.mean(plus) == near(G_LOW + 7 * spacing, within=0.04 * spacing)
    assert np.std(plus) == near(0.5 * spacing, 0.06)
    assert np.min(minus) == G_LOW  # the error is held within the range
    off = bind(rule.model_copy(update={"sigma_program": 0.0}))
    exact = off.init([np.full((2, 2), 0.49)], rng=rng()).parts[0].cells.g_cell
    np.testing.assert_allclose(exact[0], G_LOW + 7 * spacing, rtol=1e-12)
    np.testing.assert_allclose(exact[1], G_LOW, rtol=1e-12)


# Open loop, verified, sign --------------------------------------------------------------------------------------------


def test_open_loop_keeps_nothing_and_writes_when_its_time_has_come():
    bound, state = started(OpenLoop(every=3), COARSE)
    start = state.matrices[0]
    for number in range(3):
        state = bound.step(state, [gradient_of(np.full((6, 4), -0.03))], rng=rng())
        assert (state.matrices[0] is start) == (number < 2)
        assert (state.tally.pulses > 0) == (number == 2)
    np.testing.assert_array_equal(state.chi[0], 0.0)


@pytest.mark.parametrize("knows", ["mean", "read"])
def test_open_loop_reads_no_more_than_it_says(knows):
    bound, state = started(OpenLoop(knows=knows, verify=VerifyParams(start="table", e_sense=1e-12)), COARSE)
    g = np.array([[0.05, 0.05, 0.0, 0.0]] * 6)
    # By the mean, 48 cells once after the first programming; else both halves of the 12 pairs that change.
    assert state.tally.reads == (48 if knows == "mean" else 0)
    after = bound.step(state, [gradient_of(g)], rng=rng())
    assert after.tally.reads == (0 if knows == "mean" else 24)
    loop, part = bound.device.loop, state.parts[0]
    sensed = 24e-12 + loop.v_read**2 * loop.t_read * part.cells.g_cell[:, :, :2].sum()
    pulses = np.sum(after.parts[0].cells.energy - part.cells.energy)
    assert after.tally.energy == near(pulses + (0.0 if knows == "mean" else sensed), 1e-12)


def test_the_open_loop_adds_up_the_means_of_its_pulses():
    """What the controller takes for a cell is its conductance where cells are the table's own, and not where not."""
    spread = UpdateParams(spread=SpreadParams(sigma_gain=0.3))
    for update, same in ((UpdateParams(), True), (spread, False)):
        outcomes = []
        for knows in ("mean", "read"):
            bound, state = started(OpenLoop(knows=knows, update=update), COARSE)
            for number in range(20):
                state = bound.step(state, [gradient_of(random_changes(seed=number, size=0.04))], rng=rng())
            outcomes.append(state.parts[0])
        estimated, seen = outcomes
        assert seen.g_estimate is None and estimated.g_estimate is not None
        miss = np.max(np.abs(estimated.g_estimate - estimated.cells.g_cell))
        assert (miss < 1e-18) == same  # rounding of 20 sums of microsiemens
        assert np.allclose(estimated.cells.g_cell, seen.cells.g_cell, rtol=0, atol=1e-18) == same


def test_threshold_training_leaves_out_what_is_small_beside_the_largest():
    bound, state = started(ThresholdTraining(theta=0.2))
    g = np.array([[0.1, 0.021, 0.019, -0.019]] * 6)
    after = bound.step(state, [gradient_of(g)], rng=rng())
    fired = (after.pulses[0] - state.pulses[0]).sum(axis=0)
    np.testing.assert_array_equal(fired, [[1, 1, 0, 0]] * 6)


def test_every_weight_is_verified_and_reads_are_counted():
    bound, state = started(WriteVerifyRule(verify=VerifyParams(start="table", window=0.01)), COARSE)
    after = bound.step(state, [gradient_of(np.zeros((6, 4)))], rng=rng())
    assert after.tally.reads >= 48
    for _ in range(5):
        after = bound.step(after, [gradient_of(np.full((6, 4), 0.004))], rng=rng())
    # Each change is half a window; the digital weights keep them all.
    np.testing.assert_allclose(after.parts[0].digital, state.parts[0].digital - 0.02, rtol=0, atol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_the_sign_rule_knows_the_sign_only(seed):
    g = random_changes(seed=seed) + 1e-9
    scale = rng(seed).uniform(0.01, 100.0, g.shape)
    bound, state = started(Sign(step=0.01, centre=0.5))
    one, other = (bound.step(state, [gradient_of(each)], rng=rng()) for each in (g, g * scale))
    np.testing.assert_array_equal(one.parts[0].cells.g_cell, other.parts[0].cells.g_cell)
    moved = one.matrices[0].weight - state.matrices[0].weight
    np.testing.assert_allclose(moved, -np.sign(g) * bound.device.pulses.epsilon, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(one.pulses[0] - state.pulses[0], 1)  # both halves, one pulse each


def test_a_gradient_of_zero_fires_nothing():
    bound, state = started(Sign(step=0.01))
    g = random_changes()
    g[2] = 0.0
    after = bound.step(state, [gradient_of(g)], rng=rng())
    fired = (after.pulses[0] - state.pulses[0]).sum(axis=0)
    assert np.all(fired[2] == 0) and np.all(np.delete(fired, 2, axis=0) == 2)


# Outer products and Tiki-Taka -----------------------------------------------------------------------------------------


def factors(samples=40, seed=4, size=0.3):
    """Return samples of one sign a line, so that their outer products add up."""
    draw = rng(seed)
    signs = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0, 1.0])
    inputs, errors = (draw.uniform(0.0, size, (samples, sign.size)) * sign for sign in signs)
    return Gradient(Samples(inputs), errors)


@pytest.mark.parametrize("trains", ["stochastic", "deterministic"])
def test_coincidences_are_the_outer_product_on_average(trains):
    result = factors()
    rate, epsilon, draws = 0.02, 0.0005, 400
    trial = Coincidences(trains, 10)
    if trains == "deterministic":
        rate, trial = 0.5, Coincidences(trains, 40)
    # Rounding of the deterministic trains averages out over samples, not over draws: one draw says it all.
    steps = [trial.counts(result, rate, epsilon, rng=rng(k)) for k in range(draws if trains == "stochastic" else 1)]
    assert all(clipped == 0 for _, _, clipped in steps)
    mean = np.mean([up - down for up, down, _ in steps], axis=0)
    wanted = -rate * result.weight / epsilon
    if trains == "stochastic":
        total = np.mean([up + down for up, down, _ in steps], axis=0)
        # Counts scatter as Poisson's at most: sigma^2 = total; 4.5 sigma of the mean of all draws.
        assert np.all(np.abs(mean - wanted) < 4.5 * np.sqrt(total / draws) + 1e-9)
    else:
        # Up to 9 slots on a line, rounded by 0.3 (rms): 5 % of a sample's coincidences, 1 % of forty samples'.
        np.testing.assert_allclose(mean, wanted, rtol=0.04, atol=1.0)


def test_deterministic_trains_by_pen_and_paper():
    """x = 0.4 and 0.2, e = 0.4; c' = 5: rows fire 2 and 1 slots, the column 2 parts: 4 and 2 coincidences, downward."""
    result = Gradient(Samples(np.array([[0.4, 0.2]])), np.array([[0.4, -0.4]]))
    up, down, clipped = Coincidences("deterministic", 10).counts(result, 0.025, 0.001, rng=rng())
    np.testing.assert_array_equal(down, [[4, 0], [2, 0]])
    np.testing.assert_array_equal(up, [[0, 4], [0, 2]])
    _, _, clipped = Coincidences("deterministic", 1).counts(result, 0.025, 0.001, rng=rng())
    assert clipped == 3  # 2 slots are more than 1: the first row, both columns


def test_outer_products_move_an_ideal_device_as_gradient_descent():
    bound, state = started(
        OuterProduct(trains="stochastic", step=2e-4, slots=100, centre=0.5), optimiser=Momentum(0.02)
    )
    result = factors(200)
    after = bound.step(state, [result], rng=rng())
    moved, wanted = after.matrices[0].weight - state.matrices[0].weight, -0.02 * result.weight
    # Two hundred coincidences a weight, random in number: 7 %; 4 deviations.
    np.testing.assert_allclose(moved, wanted, rtol=0.28, atol=0)
    assert after.tally.pulses == (after.pulses[0] - state.pulses[0]).sum()


def test_tiki_taka_by_pen_and_paper():
    """A takes the gradient; one row of A a batch goes over to C, the rows in turn."""
    rule = TikiTaka(trains="deterministic", slots=1000, step=1e-4, rate_transfer=0.5, centre=0.5)
    bound, state = started(rule, perfect(g_step=1e-9), optimiser=Momentum(0.01), shape=(3, 2))
    result = factors(50)
    result = Gradient(Samples(result.inputs[:, :3]), result.errors[:, :2])
    first, a_sum = state.matrices[0].weight, np.zeros((3, 2))
    expected = first.copy()
    for number in range(4):
        state = bound.step(state, [result], rng=rng(number))
        a_sum = a_sum - 0.01 * result.weight
        a_now = bound.device.mapping.weight(state.parts[0].fast.g_cell)
        # Up to 2 slots on a line, rounded by 0.3 (rms): some 20 % of a sample's coincidences, 3 % of fifty samples'.
        np.testing.assert_allclose(a_now, a_sum, rtol=0.15)
        expected[number % 3] += 0.5 * a_now[number % 3]
        # One whole step of C, stochastically rounded.
        np.testing.assert_allclose(state.matrices[0].weight, expected, rtol=0, atol=(number + 1) * 2.1e-4)
    assert np.max(np.abs(expected - first)) > 20 * 2.1e-4


def test_gamma_reads_both_matrices():
    bound, state = started(TikiTaka(gamma=0.5, trains="deterministic"), optimiser=Momentum(0.01))
    state = bound.step(state, [factors()], rng=rng())
    slow, fast = (bound.device.mapping.weight(cells.g_cell) for cells in (state.parts[0].cells, state.parts[0].fast))
    np.testing.assert_allclose(state.matrices[0].weight, slow + 0.5 * fast, rtol=0, atol=1e-12)
    x, e = random_changes((5, 6)), random_changes((5, 4))
    matrix = state.matrices[0]
    np.testing.assert_allclose(matrix.forward(Samples(x), rng=rng()).y, x @ matrix.weight, rtol=0, atol=1e-9)
    np.testing.assert_allclose(matrix.backward(e, rng=rng()).y, e @ matrix.weight.T, rtol=0, atol=1e-9)


def test_fractions_of_a_step_are_drawn():
    steps = np.full(100_000, -1.3)
    result = stochastic_round(steps, rng=rng())
    assert set(np.unique(result)) == {-2, -1}
    assert result.mean() == near(-1.3, within=0.006)  # 4 deviations of the mean of 1e5 draws


# Row-sparse -----------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), keep=st.sampled_from([0.1, 0.34, 0.5]))
@settings(max_examples=20)
def test_row_sparse_touches_only_the_chosen_rows(seed, keep):
    bound, state = started(RowSparse(keep=keep, swap_every=0))
    g = random_changes(seed=seed)
    wanted = state.chi[0] - g
    after = bound.step(state, [gradient_of(g)], rng=rng())
    rows = largest_rows(wanted, keep)
    assert rows.size == max(1, round(6 * keep))
    others = np.setdiff1d(np.arange(6), rows)
    np.testing.assert_array_equal(after.pulses[0][:, others], state.pulses[0][:, others])
    np.testing.assert_array_equal(after.parts[0].cells.g_cell[:, others], state.parts[0].cells.g_cell[:, others])
    np.testing.assert_allclose(after.chi[0][others], wanted[others], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(after.chi[0][rows], 0.0)
    assert after.tally.reads == 2 * rows.size * 4  # both halves of each pair of the rows written
    assert np.sum(wanted[rows] ** 2, axis=1).min() >= np.sum(wanted[others] ** 2, axis=1).max()


def test_old_rows_change_places_with_young_ones_and_the_network_stays():
    exact = VerifyParams(start="table", window=1e-3)
    bound, state = started(RowSparse(keep=0.17, swap_every=4, ratio=2.0, verify=exact))
    g = np.zeros((6, 4))
    g[3] = 0.02
    for _ in range(3):
        state = bound.step(state, [gradient_of(g)], rng=rng())
    before = state.matrices[0].weight
    state = bound.step(state, [gradient_of(g)], rng=rng())  # the fourth: row 3 is written, and then moved
    rows = state.parts[0].rows
    assert rows[3] != 3 and sorted(rows) == list(range(6))
    after = state.matrices[0].weight
    np.testing.assert_allclose(after[3], before[3] - 0.02, rtol=0, atol=3e-3)  # windows of both cells
    np.testing.assert_allclose(np.delete(after, 3, 0), np.delete(before, 3, 0), rtol=0, atol=3e-3)
    x, e = random_changes((5, 6)), random_changes((5, 4))
    np.testing.assert_allclose(state.matrices[0].forward(Samples(x), rng=rng()).y, x @ after, rtol=0, atol=1e-9)
    np.testing.assert_allclose(state.matrices[0].backward(e, rng=rng()).y, e @ after.T, rtol=0, atol=1e-9)
    moved = state.pulses[0].max(axis=(0, 2))
    state = bound.step(state, [gradient_of(g)], rng=rng())
    assert np.argmax(state.pulses[0].max(axis=(0, 2)) - moved) == rows[3]  # writes follow the row


# All of them ----------------------------------------------------------------------------------------------------------


class Experiment(Parameters):
    rule: Rule = Field(default=FloatReference())


@pytest.mark.parametrize("kind", RRAM_RULES, ids=lambda kind: kind().kind)
def test_rules_are_chosen_by_name_in_toml_and_one_seed_gives_one_result(tmp_path, kind):
    path = tmp_path / "experiment.toml"
    path.write_text(f'[rule]\nkind = "{kind().kind}"\n[rule.update.spread]\nsigma_gain = 0.1\n')
    rule = Experiment.from_toml(path).rule
    assert rule == kind(update=UpdateParams(spread=SpreadParams(sigma_gain=0.1)))
    result = []
    for seed in (1, 1, 2):
        bound = bind(rule, COARSE, Momentum(0.1))
        state = bound.init(first_weights(), rng=rng(seed))
        state = bound.step(state, [factors_for(state)], rng=rng(seed))
        result.append(state.parts[0].cells.g_cell)
        assert state.tally.pulses == sum(pulses.sum() for pulses in state.pulses) - initial(bound, seed)
    np.testing.assert_array_equal(result[0], result[1])
    assert np.any(result[0] != result[2])


def initial(bound, seed):
    state = bound.init(first_weights(), rng=rng(seed))
    return sum(pulses.sum() for pulses in state.pulses)


def factors_for(state):
    rows, cols = state.matrices[0].weight.shape
    draw = rng(9)
    return Gradient(Samples(draw.uniform(0, 1, (8, rows))), draw.uniform(-0.3, 0.3, (8, cols)))


def test_cells_are_written_in_the_arrays_that_they_are_read_in():
    model = replace(ArrayModel.from_tables(COARSE, wires=False), largest=(3, 4))
    bound = MixedPrecision().bind(COARSE, model, SGD)
    assert isinstance(bound.rule, MixedPrecision) and bound.device is not None
    state = bound.init([random_changes()], rng=rng())
    matrix = state.matrices[0]
    assert isinstance(matrix, MappedMatrix) and isinstance(matrix.tile, TileGrid) and matrix.tile.shape == (2, 2)
    after = bound.step(state, [gradient_of(random_changes(seed=6))], rng=rng())
    np.testing.assert_allclose(
        after.matrices[0].weight, bound.device.mapping.weight(after.parts[0].cells.g_cell), atol=1e-12
    )
    places = bound.device.loop.chain.address(np.arange(48), (2, 6, 4))
    assert (places.arrays, places.rows, places.cols) == (4, 3, 4)


def test_a_key_of_another_rule_is_an_error(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text('[rule]\nkind = "sign"\nthreshold = 0.1\n')
    with pytest.raises(InputError, match="threshold"):
        Experiment.from_toml(path)
    path.write_text('[rule]\nkind = "tikitaka"\n')
    with pytest.raises(InputError, match="tikitaka"):
        Experiment.from_toml(path)


@pytest.mark.parametrize("kind", RRAM_RULES, ids=lambda kind: kind().kind)
def test_dead_pulses_move_nothing(kind):
    bound = bind(kind(), DEAD, Momentum(0.1))
    state = bound.init(first_weights(), rng=rng())
    after = bound.step(state, [factors_for(state)], rng=rng())
    np.testing.assert_array_equal(after.parts[0].cells.g_cell, state.parts[0].cells.g_cell)


def test_one_amplitude_serves_the_rules_of_equal_pulses():
    for rule in (Sign(start="error"), OuterProduct(start="error"), TikiTaka(start="error")):
        bound = bind(rule, soft_bounds(0.004), Momentum(0.1))
        assert bound.device.pulses.epsilon == near(0.008, 0.3)  # at `centre`, not quite the middle
