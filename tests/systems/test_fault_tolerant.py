"""Fault-tolerant training: stuck cells are found, their pairs made up for, and rows matched to what is left of them."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from fixtures.synthetic import perfect

from rramkit.array import ArrayModel
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import Gradient, Samples
from rramkit.array.write.spread import StuckParams
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams
from rramkit.errors import InputError
from rramkit.learning import Experiment
from rramkit.learning.optimisers import Momentum
from rramkit.learning.rules import FaultTolerant, ThresholdTraining
from rramkit.learning.rules.fault_detection import GroupTest, detected
from rramkit.learning.rules.row_matching import intervals, matched, mismatches, repaired

FINE = perfect(g_step=1e-8)
EXACT = VerifyParams(start="table", window=1e-4)
TENTH = UpdateParams(stuck=StuckParams(low=0.07, high=0.03))
PAIRS = Pairs(g_low=10e-6, g_high=60e-6)


def rng(seed=5):
    return np.random.default_rng(seed)


def started(rule, *, file=FINE, shape=(12, 5), seed=1) -> tuple[Any, Any]:
    bound = rule.bind(file, ArrayModel.from_tables(file, wires=False), Momentum(0.5, momentum=0.0))
    return bound, bound.init([rng(seed).uniform(-0.3, 0.3, shape)], rng=rng(seed))


def stepped(bound, state, gradient, x=None) -> Any:
    inputs = np.eye(len(gradient)) if x is None else x
    return bound.step(state, [Gradient(Samples(inputs), gradient)], rng=rng(7))


def small(shape=(12, 5), seed=2, size=0.02):
    return rng(seed).uniform(-size, size, shape)


def stuck_cells(state):
    return state.parts[0].cells.traits.stuck != 0


# Detection ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "group"), [(3, 4), (4, 15)])
def test_every_stuck_cell_is_found_and_no_other_where_pulses_do_not_scatter(seed, group):
    rule = FaultTolerant(update=TENTH, verify=EXACT, start="verify")
    bound, state = started(rule, seed=seed)
    device, part = bound.device, state.parts[0]
    none = np.zeros(part.cells.g_cell.shape, bool)
    found = detected(device, part.cells, part.g_estimate, none, how=GroupTest(group, 0.1), rng=rng(seed))
    np.testing.assert_array_equal(found.stuck, stuck_cells(state))
    # Two opposite pulses: each within half a step of the driver, 1e-8 S.
    np.testing.assert_allclose(found.cells.g_cell, part.cells.g_cell, rtol=0, atol=1.1e-8)
    # What was known before: the targets, of which write-verify missed 1e-4 of the range, 9e-9 S.
    np.testing.assert_allclose(found.estimate, found.cells.g_cell, rtol=0, atol=2e-8)
    cells, columns = none.size, none[:, 0].size
    groups = columns * -(-12 // group)
    suspected = (found.cells.tally.reads - 3 * groups) // 2
    assert suspected >= np.count_nonzero(found.stuck)
    assert suspected <= min(cells, group * np.count_nonzero(found.stuck))  # groups without one are left alone
    assert found.cells.tally.pulses == 2 * cells


def test_what_is_known_is_not_tested_again():
    bound, state = started(FaultTolerant(update=TENTH, verify=EXACT, start="verify"))
    part, known = state.parts[0], stuck_cells(state)
    found = detected(bound.device, part.cells, part.g_estimate, known, how=GroupTest(4, 0.1), rng=rng())
    fired = found.cells.pulses - part.cells.pulses
    assert np.all(fired[known] == 0) and np.all(fired[~known] == 2)
    np.testing.assert_array_equal(found.stuck, known)


def test_groups_are_read_through_the_chip_in_a_range_that_holds_them():
    file = chip_tables()
    experiment = Experiment.checked({"rule": {"kind": "fault_tolerant", "group": 8}}, where="here")
    device: Any = experiment.built_rule(file).device
    group, single = device.group_reader, device.loop.reader
    assert group is not None and single is not None
    assert group.gain.curve().i_end >= 8 * device.loop.chain.writer.g_range[1] * group.v_read
    assert group.gain.r_feedback < single.gain.r_feedback and group.g_span == single.g_span


# Matching -------------------------------------------------------------------------------------------------------------


def test_rows_are_matched_as_the_best_of_all_permutations():
    for seed in range(4):
        weight, stuck = rng(seed).uniform(-1.0, 1.0, (5, 3)), rng(seed + 9).random((2, 5, 3)) < 0.3
        g = np.where(rng(seed + 5).random((2, 5, 3)) < 0.5, 10e-6, 60e-6)
        low, high = intervals(PAIRS, g, stuck)
        use = rng(seed + 7).random(5)
        cost = mismatches(weight, low, high, use)
        place = matched(cost, np.arange(5))
        best = min(sum(cost[r, m[r]] for r in range(5)) for m in permutations(range(5)))
        assert cost[np.arange(5), place].sum() <= best + 6e-3 * cost.mean()  # five rows and what a move must gain
        by_hand = sum(use[2] * max(low[4, c] - weight[2, c], 0.0, weight[2, c] - high[4, c]) ** 2 for c in range(3))
        assert cost[2, 4] == near(by_hand, rel=1e-12)


def test_a_healthy_half_makes_up_for_a_stuck_one_within_its_interval():
    weight, stuck = rng(1).uniform(-1.0, 1.0, (6, 4)), rng(2).random((2, 6, 4)) < 0.3
    g = np.where(rng(3).random((2, 6, 4)) < 0.5, 10e-6, 60e-6)
    low, high = intervals(PAIRS, g, stuck)
    held = PAIRS.decode(repaired(PAIRS, weight, g, stuck))
    np.testing.assert_allclose(held, np.clip(weight, low, high), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(repaired(PAIRS, weight, g, stuck)[stuck], g[stuck])


# The rule -------------------------------------------------------------------------------------------------------------


def test_without_detections_it_is_threshold_training_to_the_last_bit():
    ends = []
    for rule in (ThresholdTraining(theta=0.1, update=TENTH), FaultTolerant(theta=0.1, update=TENTH, detect_every=0)):
        bound, state = started(rule)
        for seed in range(3):
            state = stepped(bound, state, small(seed=seed))
        ends.append(state)
    np.testing.assert_array_equal(ends[0].parts[0].cells.g_cell, ends[1].parts[0].cells.g_cell)
    assert ends[0].tally == ends[1].tally


def test_after_a_detection_rows_move_and_the_network_is_nearer_to_its_weights():
    away, none, aim = {}, np.zeros((30, 5)), rng(1).uniform(-0.3, 0.3, (30, 5))
    for remap in (None, False, True):
        rule = FaultTolerant(update=TENTH, verify=EXACT, start="verify", remap=bool(remap))
        bound, state = started(rule, shape=(30, 5))
        if remap is not None:
            state = stepped(bound, state, none)
            np.testing.assert_array_equal(state.parts[0].stuck, stuck_cells(state))
        away[remap] = float(np.sqrt(np.mean(np.square(state.matrices[0].weight - aim))))
        assert np.any(state.parts[0].rows != np.arange(30)) == (remap is True)
        x, e, matrix = rng(3).uniform(-1, 1, (4, 30)), rng(4).uniform(-1, 1, (4, 5)), state.matrices[0]
        np.testing.assert_allclose(matrix.forward(Samples(x), rng=rng()).y, x @ matrix.weight, rtol=0, atol=1e-9)
        np.testing.assert_allclose(matrix.backward(e, rng=rng()).y, e @ matrix.weight.T, rtol=0, atol=1e-9)
    assert away[False] < 0.8 * away[None] and away[True] < 0.5 * away[False]
    again = stepped(bound, replace(state, steps=100), none)  # the next detection finds no other, and moves nothing
    np.testing.assert_array_equal(again.parts[0].rows, state.parts[0].rows)
    np.testing.assert_array_equal(again.parts[0].stuck, state.parts[0].stuck)
    # Each half within the window of write-verify, 1e-4 of the range, and driver steps of 1e-8 S.
    np.testing.assert_allclose(again.matrices[0].weight, state.matrices[0].weight, rtol=0, atol=5e-4)


def test_stuck_cells_get_no_pulse_and_their_partners_take_the_change():
    bound, state = started(FaultTolerant(update=TENTH, verify=EXACT, start="verify", remap=False))
    before = stepped(bound, state, np.zeros((12, 5)))
    stuck = stuck_cells(before)
    one = stuck[0] ^ stuck[1]
    change = np.where(stuck[0], 0.04, -0.04) * np.where(stuck_high(before), -1.0, 1.0)  # towards what they can hold
    state = stepped(bound, before, change)
    fired = state.parts[0].cells.pulses - before.parts[0].cells.pulses
    assert np.all(fired[stuck] == 0)
    assert np.all(fired.sum(axis=0)[one] == 1)


def stuck_high(state):
    return np.any(state.parts[0].cells.traits.stuck == 1, axis=0)


def test_other_mappings_and_reads_before_pulses_are_refused():
    with pytest.raises(InputError, match='knows must be "mean" with the rule fault_tolerant'):
        FaultTolerant(knows="read")
    with pytest.raises(InputError, match="remap does nothing with detect_every = 0"):
        FaultTolerant(detect_every=0, remap=False)
    with pytest.raises(InputError, match="`rule` fault_tolerant writes pairs of cells and needs the mapping `pairs`"):
        Experiment.checked(
            {"rule": {"kind": "fault_tolerant"}, "mapping": {"kind": "offset_column"}}, where="here"
        ).built_rule(chip_tables())
