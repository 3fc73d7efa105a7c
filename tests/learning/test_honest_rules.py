"""No rule knows more of the cells than it has read, and every read of a cell is counted."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

import rramkit.learning
from rramkit import record
from rramkit.array import ArrayModel, VerifyParams
from rramkit.array.matrix import Gradient, Samples
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.optimisers import Adam, Momentum
from rramkit.learning.rules import (
    FaultTolerant,
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
)
from rramkit.learning.rules.rram_device import RramDevice

ROOM = Path(rramkit.learning.__file__).parent
LOOKS = {
    "rules/rram_device.py": "the one place that reads cells for a rule, and writes them: reads are counted there",
    "rules/row_permutation.py": "the protocol's `weight`, for users; no rule asks",
    "rules/copied.py": "the protocol's `weight`, and the mismatch of both arrays; no rule asks",
    "rules/tiki_taka.py": "the protocol's `weight` of a sum of matrices; no rule asks",
    "corrected.py": "the protocol's `weight` of a matrix with corrected outputs; no rule asks",
    "correction.py": "the same while a correction is fitted",
    "rules/float.py": "a float matrix is memory",
    "continued.py": "first cells of a training that goes on from a run, or of another chip, written and counted",
    "evaluate/conductances.py": "cells of a trained network aged and varied, and how many are where weights want them",
    "evaluate/evaluation.py": "how many cells hold a trained network, and its accuracy with weights in memory",
    "evaluate/writes.py": "cells of a trained network refreshed, each write counted; no rule asks",
    "on_device.py": "why numbers of a device are none: the wires' network of a matrix; no rule asks",
    "state_dict.py": "weights of a trained network for export; no rule asks",
    "folding.py": "signs of a trained binary network for a user; no rule asks",
    "spiking/evaluation.py": "how heavy the lines of a trained network are, for a notice; no rule asks",
    "spiking/network.py": "weights that thresholds are found for, once the training is over; no rule asks",
    "spiking/periphery.py": "cells of a trained network on the periphery of spikes; no rule asks",
    "faults.py": "what a training says of itself after an epoch; no rule asks",
    "supervised.py": "histograms of the record",
    "train.py": "first and last conductances of the record",
}
IDENTITY = {
    "rules/rram_rule.py": ["_same"],  # compares objects, not numbers
    "rules/pulse_counts.py": ["_phase"],  # amplitudes of the cells' kind of array
    "layers/clustered.py": ["weight"],  # a gradient of some of the weights
}
SHAPES = ("shape", "size", "dtype")


def looks(path):
    """Return (function, line) of each access to conductances or weights of cells, not of shapes or gradients."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in ("g_cell", "weight"):
            continue
        parent = parents[node]
        shape = isinstance(parent, ast.Attribute) and parent.attr in SHAPES
        called = isinstance(parent, ast.Call) and parent.func is node  # `mapping.weight(...)` of given conductances
        gradient = node.attr == "weight" and ast.unparse(node.value) in ("gradient", "request.gradient", "each", "plan")
        if shape or called or gradient:
            continue
        around = parent
        while not isinstance(around, ast.FunctionDef | ast.Module):
            around = parents[around]
        found.append((getattr(around, "name", ""), node.lineno))
    return found


def test_no_module_looks_at_cells_outside_the_listed_places():
    unlisted = {}
    for path in sorted(ROOM.rglob("*.py")):
        name = path.relative_to(ROOM).as_posix()
        found = [look for look in looks(path) if look[0] not in IDENTITY.get(name, ())]
        if found and name not in LOOKS:
            unlisted[name] = found
    assert not unlisted


def test_the_list_of_places_is_not_longer_than_it_must_be():
    assert [name for name in LOOKS if not looks(ROOM / name)] == []


# Behaviour ------------------------------------------------------------------------------------------------------------

BLIND = [
    MixedPrecision(threshold=0.05),
    MixedPrecision(threshold=0.05, write="count"),
    Threshold(threshold=0.05, way="pulse"),
    Threshold(threshold=0.05, way="pulse", reading="device"),
    OpenLoop(),
    OpenLoop(knows="read"),
    ThresholdTraining(theta=0.1),
    FaultTolerant(theta=0.1, detect_every=0),
    RowSparse(keep=0.5, swap_every=0),
    RowSparse(keep=0.5, swap_every=0, residue="read"),
    Sign(),
    OuterProduct(),
    TikiTaka(),
]


def bound(rule, optimiser):
    return rule.bind(tables(), ArrayModel.from_tables(tables(), wires=False), optimiser)


def rng(seed=3):
    return np.random.default_rng(seed)


def gradient(seed=1):
    draw = rng(seed)
    return Gradient(Samples(draw.uniform(0.0, 0.6, (8, 6))), draw.uniform(-0.3, 0.3, (8, 4)))


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("rule", BLIND, ids=lambda rule: f"{rule.kind}-{getattr(rule, 'write', '')}")
def test_a_rule_does_the_same_to_other_cells_that_read_the_same(rule, decay, monkeypatch):
    """Two arrays with different cells, of which reads say the same: pulses, residue and memory are the same."""
    known = rule.decays or isinstance(rule, Threshold) or (isinstance(rule, OpenLoop) and rule.knows == "mean")
    if decay and not known:
        pytest.skip("refused: see below")
    device = bound(rule, Momentum(0.5, decay, momentum=0.0))
    state = device.init([rng(1).uniform(-0.3, 0.3, (6, 4))], rng=rng())
    (part,) = state.parts
    shown = part.cells.g_cell
    hidden = replace(part.cells, g_cell=np.clip(shown + rng(2).uniform(-8e-6, 8e-6, shown.shape), 5e-6, 88e-6))
    other = replace(state, parts=(replace(part, cells=hidden),))
    monkeypatch.setattr(
        RramDevice,
        "read_cells",
        lambda self, cells, flat, *, rng, live=None: (
            shown.ravel()[flat],
            self.loop.reads(flat, shown.ravel()[flat], shown.shape),
        ),
    )
    first, second = (device.step(each, [gradient()], rng=rng()).parts[0] for each in (state, other))
    assert np.any(first.cells.g_cell != second.cells.g_cell)
    assert np.sum(first.pulses - part.pulses) > 0
    np.testing.assert_array_equal(first.pulses, second.pulses)
    for name in ("chi", "digital", "g_estimate"):
        ours, theirs = getattr(first, name), getattr(second, name)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_what_a_read_sees_has_the_noise_of_a_verify_read_and_its_cost():
    rule = MixedPrecision(verify=VerifyParams(start="table", sigma_read=0.02, e_sense=1e-13))
    device = bound(rule, Momentum(0.5)).device
    assert device is not None
    cells = device.loop.chain.init(np.full((2, 200, 200), 40e-6), rng=rng())
    flat = np.arange(0, 80_000, 2)
    seen, cost = device.read_cells(cells, flat, rng=rng())
    span = device.loop.chain.writer.span
    # 40,000 draws: mean to 4 / sqrt(40000) of the deviation, deviation to 4 / sqrt(80000) of itself
    assert abs(seen.mean() - 40e-6) < 0.02 * 0.02 * span
    assert np.std(seen) == near(0.02 * span, 0.0142)
    assert cost.reads == 40_000
    v, t = device.loop.v_read, device.loop.t_read
    assert cost.energy == near(40_000 * (1e-13 + v**2 * 40e-6 * t), 1e-9)
    assert np.all((seen >= device.loop.chain.writer.g_range[0]) & (seen <= device.loop.chain.writer.g_range[1]))
    part, _ = device.read_weights(cells, np.array([3, 4]), np.array([5, 6]), rng=rng())
    assert np.count_nonzero(np.isfinite(part)) == 4 and np.all(np.isfinite(part[:, [3, 4], [5, 6]]))


def test_what_is_read_after_a_write_is_counted():
    """The digital weight as the device holds it: one read before the pulse, and one of its outcome."""
    reads = {}
    for reading in ("ideal", "device"):
        device = bound(Threshold(threshold=0.05, way="pulse", reading=reading), Momentum(0.5, momentum=0.0))
        state = device.init([rng(1).uniform(-0.3, 0.3, (6, 4))], rng=rng())
        written = np.count_nonzero(np.abs(0.5 * gradient().weight) > 0.05)
        reads[reading] = device.step(state, [gradient()], rng=rng()).tally.reads / (2 * written)
    assert reads == {"ideal": 1.0, "device": 2.0}


def test_a_noisy_read_chooses_another_pulse():
    """The same cells, read without and with noise: the residue says what was believed."""
    outcomes = []
    for sigma in (0.0, 0.05):
        device = bound(MixedPrecision(threshold=0.05, verify=VerifyParams(sigma_read=sigma)), Momentum(0.5))
        state = device.init([rng(1).uniform(-0.3, 0.3, (6, 4))], rng=rng())
        outcomes.append(device.step(state, [gradient()], rng=rng()).parts[0])
    assert np.any(outcomes[0].cells.g_cell != outcomes[1].cells.g_cell)


@pytest.mark.parametrize(
    "rule", [Sign(), OuterProduct(), TikiTaka(), OpenLoop(knows="read")], ids=lambda rule: rule.kind
)
def test_weights_that_a_rule_does_not_know_do_not_decay(rule):
    with pytest.raises(InputError, match=rf"`optimiser.weight_decay` must be 0 with the rule {rule.kind}"):
        bound(rule, Momentum(0.5, 0.1)).init([np.zeros((6, 4))], rng=rng())


def copy_of(state):
    """Return the weights (R, C) that the controller has in memory."""
    digital = state.parts[0].digital
    assert digital is not None
    return digital


@pytest.mark.parametrize("write", ["nearest", "count"])
def test_mixed_precision_decays_by_its_copy_which_follows_the_cells(write):
    """On a device whose pulses do what is expected of them the copy is the weight; it is read once, at the start."""
    rate, decay = 0.5, 0.2
    rule = MixedPrecision(threshold=0.03, write=write, centre=0.5)
    with_decay, without = (bound(rule, Momentum(rate, each, momentum=0.0)) for each in (decay, 0.0))
    first = rng(1).uniform(-0.3, 0.3, (6, 4))
    state, plain = with_decay.init([first], rng=rng()), without.init([first], rng=rng())
    assert state.tally.reads == plain.tally.reads == 48  # both halves of 24 weights, once
    np.testing.assert_allclose(copy_of(state), state.matrices[0].weight, rtol=0, atol=1e-12)  # rounding of the mapping
    wanted = state.matrices[0].weight + state.chi[0]
    for seed in range(4):
        before = copy_of(state)
        state = with_decay.step(state, [gradient(seed)], rng=rng())
        wanted = wanted - rate * (gradient(seed).weight + decay * before)
    if write == "nearest":
        np.testing.assert_allclose(copy_of(state), state.matrices[0].weight, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state.matrices[0].weight + state.chi[0], wanted, rtol=0, atol=1e-12)
        read = np.count_nonzero(state.parts[0].pulses - plain.parts[0].pulses)
        assert read > 0
    else:
        np.testing.assert_allclose(copy_of(state) + state.chi[0], wanted, rtol=0, atol=1e-12)
        assert state.tally.reads == 0


# Digital memory -------------------------------------------------------------------------------------------------------

NUMBERS = {  # of each weight, Adam's two means among them: by hand from the equations in each rule's file
    "mixed_precision": 4,  # gradient, chi
    "threshold": 5,  # gradient, dw, w_FP
    "open_loop": 5,  # gradient, estimates of two cells
    "threshold_training": 5,
    "fault_tolerant": 5,
    "write_verify": 4,  # gradient, weight
    "binary": 4,  # gradient, shadow
    "row_sparse": 4,  # gradient, chi
    "sign": 1,  # gradient
    "outer_product": 0,
    "tiki_taka": 0,
    "float": 4,  # gradient, weight
}


@pytest.mark.parametrize("kind", [rule().kind for rule in get_args(get_args(Rule)[0])])
def test_each_rule_states_its_digital_memory(kind):
    rule = Experiment.checked({"rule": kind}, where="the test").rule
    device = bound(rule, Adam(0.001))
    memory = rule.memory(device)
    assert sum(memory.values()) == NUMBERS[kind], memory
    assert memory == device.memory
    if not isinstance(rule, RramRule):
        return
    # What the state holds is stated: the accumulated changes where they are ever other than zero, and each copy.
    state = device.step(device.init([rng(1).uniform(-0.3, 0.3, (6, 4))], rng=rng()), [gradient()], rng=rng())
    (part,) = state.parts
    assert not np.any(part.chi) or "accumulated changes" in memory
    assert (part.digital is not None) == ("weight" in memory)
    assert (part.g_estimate is not None) == ("estimate of each cell" in memory)


def test_decay_and_momentum_change_the_memory():
    rule = MixedPrecision()
    assert sum(rule.memory(bound(rule, Adam(0.001, 0.1))).values()) == 5
    assert sum(rule.memory(bound(rule, Momentum(0.1, momentum=0.0))).values()) == 2
    assert "accumulated changes" in OpenLoop(every=4).memory(bound(OpenLoop(every=4), Adam(0.1)))


def test_the_run_file_says_what_was_in_memory(tmp_path):
    settings = {"network": {"hidden": [4]}, "data": {"train_images": 60, "test_images": 30}, "epochs": 1}
    experiment = Experiment.checked(settings, where="the test")
    run = train(experiment, tables())
    run.save(tmp_path / "run.h5")
    assert record.load(tmp_path / "run.h5").memory == run.memory == experiment.built_rule(tables()).memory
    assert run.totals()["digital_numbers"] == NUMBERS["mixed_precision"]
