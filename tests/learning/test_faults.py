"""What a training does not do is said, with the cause and the setting to change: each fault is made to happen."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from fixtures.synthetic import tables
from oracles.softmax import soft_bounds
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.errors import TrainingWarning
from rramkit.learning import Experiment, faults, train
from rramkit.record.faults import Fault, spans
from rramkit.report import headline

SMALL = {
    "network": {"hidden": (8,)},
    "data": {"train_images": 200, "test_images": 100},
    "epochs": 3,
    "optimiser": {"learning_rate": 0.01},
}
WAITS = {"rule": {"threshold": 0.9}}


def trained(file=None, **changes):
    return train(Experiment.checked({**SMALL, **changes}, where="the test"), file or tables())


def fault(run, kind):
    """Return the one fault of a kind that a run says."""
    (found,) = [each for each in run.faults if each.kind == kind]
    return found


@pytest.fixture(scope="module")
def idle():
    return trained(**WAITS)


def test_an_epoch_without_a_pulse_is_said_with_the_threshold_to_lower(idle):
    said = fault(idle, "no_pulse")
    assert said.epochs == (1, 2, 3)
    assert said.text.startswith("Epochs 1 to 3 fired no write pulse") and "`rule.threshold`" in said.text
    assert idle.epochs.pulses_set[1:].sum() == 0


def test_pulses_that_change_nothing_are_named_as_the_tables_own():
    assert "the tables' pulses change no cell" in fault(trained(tables(dead=True)), "no_pulse").text


def test_a_rule_without_residue_is_told_to_take_another():
    rule = {"kind": "threshold_training"}
    run = trained(soft_bounds(), rule=rule, optimiser={"learning_rate": 1e-7}, epochs=1)
    assert "`optimiser.learning_rate`" in fault(run, "no_pulse").text


def test_pulses_without_effect_are_said():
    """Every cell is stuck at an end: pulses are fired, and counted, and do nothing."""
    run = trained(rule={"update": {"stuck": {"low": 0.5, "high": 0.5}}}, epochs=1)
    assert run.epochs.pulses_set[1] > 0 and run.epochs.cells_changed[1] == 0
    assert "`rule.update.stuck`" in fault(run, "cells_unchanged").text


def test_clipped_weights_are_said_with_the_reach_to_raise():
    run = trained(network={"hidden": (8,), "reach": 1.0}, epochs=1)
    said = fault(run, "weights_clipped")
    # A third of normal numbers is beyond one standard deviation, and more beyond what a pair about its centre holds.
    assert run.epochs.weights_clipped[0] > 0.3 and said.epochs[0] == 0
    assert "`network.reach`" in said.text
    assert trained(epochs=1).epochs.weights_clipped[0] < 0.02


def test_saturated_converters_are_said_with_the_range_to_leave_out():
    run = trained(mapping={"read": {"adc": {"bits": 6, "i_high": 1e-7}}}, epochs=1)
    said = fault(run, "saturated")
    assert said.epochs == (1,) and run.epochs.saturated[1] > 0.1
    assert "`mapping.read.adc.i_high`" in said.text and "`mapping.margin`" in said.text


def test_a_range_of_the_first_batch_does_not_saturate():
    run = trained(mapping={"read": {"adc": {"bits": 6}}}, optimiser={"learning_rate": 0.002}, epochs=1)
    assert run.epochs.saturated[1] < faults.MOST_SATURATED and not run.faults


def test_an_accuracy_at_chance_for_three_epochs_is_said(idle):
    said = fault(idle, "chance")
    assert said.epochs == (1, 2, 3) and said.text.endswith("see: no pulse fired.")
    assert not [each for each in trained(**WAITS, epochs=2).faults if each.kind == "chance"]


def test_labels_without_a_meaning_leave_the_float_network_at_chance_too():
    rng = np.random.default_rng(3)
    experiment = Experiment.checked({**SMALL, "epochs": 4, "data": {"validation": 0.3}}, where="the test")
    run = train(experiment, tables(), data=(rng.random((300, 8)), np.arange(300) % 3))
    assert "so is the float network's" in fault(run, "chance").text


def test_a_training_that_works_has_nothing_to_say():
    run = trained(epochs=6)
    assert run.faults == () and run.notices == ()
    assert run.accuracy > 0.4  # 0.51 seen, with 200 images


def test_progress_file_report_and_warnings_say_the_same(idle, tmp_path):
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        experiment = Experiment.checked({**SMALL, **WAITS}, where="the test")
        train(experiment, tables(), progress=lambda report: texts.append(report.text))
    warned = [each for each in caught if each.category is TrainingWarning]
    assert [str(each.message) for each in warned] == list(idle.notices)
    assert {each.filename for each in warned} == {__file__}, "at the line of the caller"
    assert not texts[0].startswith("NO PULSE") and all(text.startswith("NO PULSE FIRED  ") for text in texts[1:])
    loaded = record.load(idle.save(tmp_path / "run.h5"))
    assert loaded.faults == idle.faults
    np.testing.assert_array_equal(loaded.epochs.cells_changed, idle.epochs.cells_changed)
    assert "no pulse fired" in repr(loaded)
    shown = headline.notices(tables(), loaded)
    assert any(line.startswith("No pulse fired: Epochs 1 to 3") for line in shown)
    assert headline.numbers(tables(), loaded)["notices"] == list(shown)


def test_the_command_warns_on_standard_error_and_in_its_json(tmp_path):
    path = tmp_path / "tables.h5"
    table.save(tables(), path)
    settings = ("data.train_images=200", "data.test_images=100", "network.hidden=[8]", "rule.threshold=0.9")
    pairs = [word for pair in settings for word in ("--set", pair)]
    arguments = ["train", "--tables", str(path), "-o", str(tmp_path / "run.h5"), "--epochs", "1", *pairs, "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    (notice,) = json.loads(result.stdout.splitlines()[-1])["notices"]
    assert notice.startswith("no pulse fired: Epoch 1 fired no write pulse")
    assert f"warning: {notice}" in result.stderr


# By pen and paper -----------------------------------------------------------------------------------------------------


def series(**changes):
    quiet = faults.Series(
        pulses=np.array([[9, 9], [5, 5], [5, 5]]),
        changed=np.array([0, 4, 4]),
        clipped=np.zeros(3),
        saturated=np.zeros(3),
    )
    return replace(quiet, **changes)


@pytest.mark.parametrize(
    ("changes", "kind", "epochs"),
    [
        ({}, None, ()),
        ({"pulses": np.array([[9, 9], [5, 5], [0, 0]])}, "no_pulse", (2,)),
        ({"pulses": np.array([[9, 9], [5, 0], [5, 0]])}, "matrix_unwritten", (1, 2)),
        ({"changed": np.array([0, 0, 4])}, "cells_unchanged", (1,)),
        ({"clipped": np.array([0.0, 0.01, 0.03])}, "weights_clipped", (2,)),
        ({"saturated": np.array([0.0, 0.02, 0.005])}, "saturated", (1,)),
    ],
)
def test_each_fault_is_found_in_its_epochs(changes, kind, epochs):
    experiment = Experiment()
    rule = experiment.built_rule(tables())
    found = faults.of_writes(rule, [], series(**changes))
    assert [(each.kind, each.epochs) for each in found] == ([(kind, epochs)] if kind else [])


def test_chance_is_that_of_the_most_frequent_class_by_two_standard_errors():
    chance = faults.Chance(np.array([0.1, 0.13, 0.5, 0.12, 0.15, 0.1]), np.full(6, 0.9), most=0.1, count=900)
    # sqrt(0.1 0.9 / 900) = 0.01: 0.12 is the last that is at chance.
    assert abs(chance.limit - 0.12) < 1e-12  # rounding
    assert faults.of_accuracy(chance, []) == []
    (found,) = faults.of_accuracy(replace(chance, accuracy=np.full(6, 0.12)), [])
    assert found.epochs == (1, 2, 3, 4, 5) and "`rramkit ablate`" in found.text


def test_spans_of_epochs_are_told_shortly():
    assert spans([1, 2, 3, 5, 7, 8]) == "1 to 3, 5, 7 to 8"
    assert Fault("chance", "").heading == "accuracy at chance"
