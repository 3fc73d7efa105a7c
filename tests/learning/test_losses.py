"""Losses: values in closed form, derivatives by differences, and trainings on targets."""

import json
from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit import record
from rramkit.cli.app import run as command
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.evaluate import evaluate
from rramkit.learning.losses import Bits, CrossEntropy, Hinge, MeanSquare

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(6, 4))
LABELS, TARGETS = RNG.integers(0, 4, 6), RNG.random((6, 2))
CASES = {
    "cross_entropy": (CrossEntropy(), LABELS),
    "hinge": (Hinge(), LABELS),
    "hinge squared": (Hinge(squared=True), LABELS),
    "mean_square": (MeanSquare(), RNG.random((6, 4))),
    "bits": (Bits(bits=2), TARGETS),
    "bits alike": (Bits(bits=2, by_weight=False), TARGETS),
}
X = np.random.default_rng(1).random((240, 3))
Y = np.stack([X.mean(axis=1), X[:, 0] * X[:, 1]], axis=1)


def regression(**changes):
    settings = {
        "network": {"hidden": [12], "function": "tanh", "reach": 4.0},
        "loss": "mean_square",
        "optimiser": {"learning_rate": 0.01},
        "epochs": 30,
        "precision": "float64",
    }
    return Experiment.checked(settings | changes, where="the test")


@pytest.mark.parametrize("name", CASES)
def test_a_derivative_is_the_slope_of_the_loss(name):
    loss, truth = CASES[name]
    _, slope = loss.of(SCORES, truth)
    step, by_hand = 1e-6, np.empty_like(SCORES)
    for place in np.ndindex(SCORES.shape):
        ends = [
            loss.of(
                np.where(np.arange(24).reshape(6, 4) == np.ravel_multi_index(place, (6, 4)), SCORES + s, SCORES), truth
            )[0]
            for s in (-step, step)
        ]
        by_hand[place] = (ends[1] - ends[0]) / (2 * step)
    np.testing.assert_allclose(slope, by_hand, rtol=0.0, atol=1e-9)  # of differences: rounding over the step


@pytest.mark.parametrize("squared", [False, True])
def test_a_hinge_is_the_sum_over_machines_of_each_class_against_the_rest(squared):
    total = 0.0
    for scores, label in zip(SCORES, LABELS, strict=True):
        for k, score in enumerate(scores):
            miss = max(0.0, 1.0 - (score if k == label else -score))
            total += 0.5 * miss * miss if squared else miss
    assert Hinge(squared=squared).of(SCORES, LABELS)[0] == near(total / 6, 1e-14)  # another order of the sum


@pytest.mark.parametrize("bits", [1, 4, 9])
def test_bits_say_the_nearest_number(bits):
    loss, t = Bits(bits=bits), np.linspace(0.0, 1.0, 1001)[:, None]
    said = loss.decoded(2.0 * loss.code(t) - 1.0)
    assert np.max(np.abs(said - t)) <= 0.5 / (2**bits - 1) + 1e-12  # half a step, and rounding of a division
    levels = np.arange(2**bits)[:, None] / (2**bits - 1)
    np.testing.assert_array_equal(loss.decoded(2.0 * loss.code(levels) - 1.0), levels)


def test_a_wrong_bit_costs_by_its_weight():
    """A sure score of 20 on the wrong side costs 20 nat, times 2^-b; the right ones nothing to 1e-8."""
    right = 20.0 * (2.0 * Bits(bits=3).code(np.array([[0.0]])) - 1.0)
    for place in range(3):
        wrong = right.copy()
        wrong[0, place] *= -1.0
        assert Bits(bits=3).of(wrong, np.array([[0.0]]))[0] == near(20.0 * 0.5**place, within=1e-7)
        assert Bits(bits=3, by_weight=False).of(wrong, np.array([[0.0]]))[0] == near(20.0, within=1e-7)


def test_bits_of_large_scores_are_finite():
    loss, error = Bits(bits=2).of(np.array([[1e4, -1e4]], dtype=np.float32), np.array([[0.0]]))
    assert loss == near(1e4, 1e-6) and np.all(np.isfinite(error)) and error.dtype == np.float32  # 32-bit numbers


def test_the_default_loss_leaves_keys_of_experiments_as_they_were():
    assert "loss" not in Experiment().model_dump()
    of: Any = Experiment
    assert of(loss="cross_entropy").key() == Experiment().key() != of(loss="hinge").key()
    assert of(loss={"kind": "bits", "bits": 3}).loss == Bits(bits=3)


def test_a_regression_is_learnt_in_rram_and_judged_by_relative_errors(tmp_path):
    run = train(regression(), tables(), data=DataSet(X, Y))
    network, data = run.network, DataSet(X, Y)
    apart = np.abs(network.scores(data.x_test) - data.y_test)
    assert run.errors["mean"] == near(float(apart.mean()), 1e-12)  # the same sum in another order
    assert run.errors["largest"] == float(apart.max())
    assert run.accuracy == 1.0 - run.errors["mean"] and run.float_accuracy == 1.0 - run.errors["float_mean"]
    assert run.epochs.loss[-1] < 0.2 * run.epochs.loss[0]
    assert run.errors["mean"] < 0.08 and run.errors["float_mean"] < 0.05  # measured: 0.047 and 0.031
    again = record.load(run.save(tmp_path / "run.h5"))
    assert again.errors == run.errors and again.confusion.tolist() == [[len(data.y_test)]]
    loaded: Any = again.network
    found = evaluate(loaded, data.x_test, data.y_test, loss=MeanSquare())
    assert found.errors is not None and found.errors.largest == run.errors["largest"]
    with pytest.raises(InputError, match="the data have targets"):
        evaluate(loaded, data.x_test, data.y_test)  # an accuracy in classes would be no number of it


def test_the_command_judges_cells_that_spread_by_the_loss_and_refuses_spikes(tmp_path, capsys):
    data = {"name": "function", "function": "exp", "train_images": 200, "test_images": 50}
    run = train(regression(data=data, epochs=3), tables())
    path = str(run.save(tmp_path / "run.h5"))
    assert command(["evaluate", path, "--spread", "0", "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["accuracy"] == run.accuracy
    (spread,) = outcome["spreads"]  # of nothing: the cells as they are
    assert spread["accuracy"] == run.accuracy and spread["errors"]["largest"] == run.errors["largest"]
    with pytest.raises(InputError, match="the run has targets"):
        command(["evaluate", path, "--spiking"])


def test_a_network_with_bits_has_an_output_for_each(tmp_path):
    run = train(regression(loss={"kind": "bits", "bits": 3}, epochs=2), tables(), data=DataSet(X, Y))
    assert run.network.scores(X[:5]).shape == (5, 6)
    again = record.load(run.save(tmp_path / "run.h5"))
    np.testing.assert_array_equal(again.network.scores(X[:5]), run.network.scores(X[:5]))


def test_a_support_vector_machine_is_learnt():
    labels = np.argmax(X, axis=1)
    settings = {
        "network": {"hidden": [], "reach": 4.0},
        "loss": {"kind": "hinge", "squared": True},
        "optimiser": {"learning_rate": 0.02},
        "epochs": 15,
    }
    run = train(Experiment.checked(settings, where="the test"), tables(), data=DataSet(X, labels))
    assert not run.errors and run.accuracy > 0.7  # measured: 0.94; the most frequent class has 0.36


@pytest.mark.parametrize(
    ("loss", "y", "said"),
    [
        (
            "mean_square",
            (X[:, 0] > 0.5).astype(int),
            'must have targets (N, O); the data have labels (N,). Take "cross',
        ),
        ("bits", (X[:, 0] > 0.5).astype(int), 'must have targets (N, O); the data have labels (N,). Take "cross'),
        ("cross_entropy", Y, 'must have labels (N,); the data have targets (N, O). Take "mean_square" or "bits"'),
        ("hinge", Y, 'must have labels (N,); the data have targets (N, O). Take "mean_square" or "bits"'),
    ],
)
def test_a_loss_refuses_data_of_the_other_kind(loss, y, said):
    with pytest.raises(InputError, match=r"`loss\.kind`") as caught:
        train(regression(loss=loss), tables(), data=DataSet(X, y))
    assert said in str(caught.value)


def test_targets_are_from_0_to_1():
    with pytest.raises(
        InputError, match=r"`y_train` must be targets \(240, O\) from 0 to 1; got \(240, 2\), 0\..* to 1\.9"
    ):
        DataSet(X, 2.0 * Y)
    with pytest.raises(InputError, match="2 targets and labels to 1"):
        DataSet(X, Y, X, (X[:, 0] > 0.5).astype(int))
    assert repr(DataSet(X, Y)).endswith("192 training and 48 test inputs of 3, 2 targets)")
