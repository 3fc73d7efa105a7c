"""Validation inputs choose learning rates and the end of a training; the test inputs are read once, after it."""

from dataclasses import fields, replace

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, digits, train
from rramkit.learning.data import DataSettings
from rramkit.learning.schedules import ScheduleSettings
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.sweep import TrialResult, ranked
from rramkit.record import Epochs


def _experiment(**changes):
    settings = {"network": {"hidden": (6,)}, "data": {"train_images": 300, "test_images": 100}, "epochs": 3}
    return Experiment.checked({**settings, **changes}, where="the test")


def _data(rng, classes=3, size=90):
    return DataSet(rng.random((size, 5)), np.arange(size) % classes)


def _stuck(data):
    """Return data whose validation accuracy is 0.1, always: every input the same, and each class as often."""
    return replace(data, x_validation=np.zeros((20, *data.x_validation.shape[1:])), y_validation=np.arange(20) % 10)


def test_the_split_is_the_same_part_of_each_class_and_loses_nothing():
    whole = digits(seed=3)
    data = whole.with_validation(0.1, seed=3)
    counts = [np.bincount(labels, minlength=10) for labels in (data.y_train, data.y_validation, whole.y_train)]
    np.testing.assert_array_equal(counts[0] + counts[1], counts[2])
    np.testing.assert_array_equal(counts[1], np.round(0.1 * counts[2]))
    np.testing.assert_array_equal(data.x_test, whole.x_test)
    together = np.vstack(
        [np.column_stack([data.x_train, data.y_train]), np.column_stack([data.x_validation, data.y_validation])]
    )
    before = np.column_stack([whole.x_train, whole.y_train])
    order = [np.lexsort(each.T) for each in (together, before)]
    np.testing.assert_array_equal(together[order[0]], before[order[1]])


def test_the_seed_draws_the_split_and_zero_leaves_it_out():
    data = _data(np.random.default_rng(0))
    first, again, other = (data.with_validation(0.2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_validation, again.x_validation)
    assert np.any(first.x_validation != other.x_validation)
    assert data.with_validation(0.0, seed=1) is data
    assert first.with_validation(0.5, seed=9) is first  # inputs of its own stay
    settings = DataSettings(validation=0.0).loaded(seed=1)
    np.testing.assert_array_equal(settings.x_train, digits(seed=1).x_train)


@pytest.mark.filterwarnings("ignore::rramkit.errors.DataWarning")  # few inputs
@pytest.mark.parametrize("name", ["digits", "npz"])
def test_every_data_set_has_validation_inputs(tmp_path, name):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=rng.random((60, 5)), y=np.arange(60) % 3)
    data = DataSettings(name=name, file=str(tmp_path / "own.npz")).loaded(seed=1)
    share = len(data.y_validation) / (len(data.y_train) + len(data.y_validation))
    assert 0.08 < share < 0.15  # a tenth of each class, rounded


@pytest.mark.filterwarnings("ignore::rramkit.errors.DataWarning")  # few inputs
def test_a_file_may_bring_validation_inputs_of_its_own(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 5)), np.arange(60) % 3
    arrays = {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:50], "y_test": y[40:50]}
    np.savez(tmp_path / "own.npz", **arrays, x_validation=x[50:], y_validation=y[50:])
    data = DataSettings(name="npz", file=str(tmp_path / "own.npz")).loaded(seed=1)
    np.testing.assert_array_equal(data.x_validation, x[50:])
    np.testing.assert_array_equal(data.x_train, x[:40])
    with pytest.raises(InputError, match=r"`x_validation` must be inputs like those of training"):
        DataSet(x[:40], y[:40], x[40:50], y[40:50], x_validation=x[50:, :4], y_validation=y[50:])


def test_what_cannot_be_split_is_refused():
    data = DataSet(np.eye(3), np.arange(3), np.eye(3), np.arange(3))
    with pytest.raises(InputError, match=r"classes that have two or more; got 3 .* Set it to 0"):
        data.with_validation(0.1, seed=1)


def test_standardised_numbers_come_from_the_training_inputs_alone():
    data = _data(np.random.default_rng(0)).with_validation(0.2, seed=1)
    wild = replace(data, x_validation=1e3 + data.x_validation, x_test=data.x_test - 1e3)
    np.testing.assert_array_equal(data.standardised().x_train, wild.standardised().x_train)
    moved = wild.standardised().x_validation - data.standardised().x_validation
    # single precision: 1e3 over the one deviation of the training inputs
    np.testing.assert_allclose(moved, 1e3 / data.x_train.std(), rtol=1e-4)


def test_other_test_inputs_change_no_number_but_the_test_accuracy():
    """Every choice of a training, and all its history, are blind to the test inputs."""
    schedule = {"kind": "plateau", "every": 1}
    experiment = _experiment(schedule=schedule, mapping={"read": {"read_noise": {"sigma_span": 0.02}}})
    data = experiment.data.loaded(seed=1)
    wrong = replace(data, x_test=1.0 - data.x_test, y_test=(data.y_test + 1) % 10)
    first, second = (train(experiment, tables(), data=each) for each in (data, wrong))
    for name in (column.name for column in fields(Epochs)):
        if "test" not in name:
            np.testing.assert_array_equal(getattr(first.epochs, name), getattr(second.epochs, name), err_msg=name)
    for ours, theirs in zip(first.layers, second.layers, strict=True):
        np.testing.assert_array_equal(ours.g_final, theirs.g_final)
    assert first.accuracy != second.accuracy


def test_the_test_inputs_are_read_once(monkeypatch):
    seen = []
    scores = SupervisedTraining._scores

    def counted(self, trainer, state, x, rng):
        seen.append((x is self.data.x_test, trainer is self.rram, self.epoch))
        return scores(self, trainer, state, x, rng)

    monkeypatch.setattr(SupervisedTraining, "_scores", counted)
    run = train(_experiment(), tables())
    assert [each for each in seen if each[0]] == [(True, True, 3), (True, False, 3)]  # RRAM and float, at the end
    assert np.isnan(run.epochs.accuracy_test).tolist() == [True, True, True, False]
    assert run.epochs.accuracy_test[-1] == run.accuracy
    assert run.epochs.float_accuracy_test[-1] == run.float_accuracy


def test_the_plateau_lowers_the_rate_by_the_validation_accuracy():
    """The same training with validation inputs that rise, and with ones that cannot: nothing but these differs."""
    schedule, rule = {"kind": "plateau", "every": 1, "factor": 1e-9}, {"threshold": 0.01}
    experiment = _experiment(schedule=schedule, rule=rule, epochs=2)
    data = experiment.data.loaded(seed=1)
    run, stuck_run = (train(experiment, tables(), data=each) for each in (data, _stuck(data)))
    # After an epoch without a rise nothing is learnt: the second epoch of the stuck run writes (almost) nothing.
    assert run.epochs.accuracy_validation[1] > run.epochs.accuracy_validation[0]
    assert stuck_run.epochs.accuracy_validation[1] <= stuck_run.epochs.accuracy_validation[0]
    assert run.epochs.pulses_set[1] == stuck_run.epochs.pulses_set[1]
    assert run.epochs.pulses_set[2] > 10 * max(stuck_run.epochs.pulses_set[2], 1)


def test_a_training_stops_when_the_validation_accuracy_does_not_rise():
    experiment = _experiment(schedule={"stop": 2}, epochs=30)
    data = experiment.data.loaded(seed=1)
    run = train(experiment, tables(), data=_stuck(data))
    best = int(np.argmax(run.epochs.accuracy_validation))
    assert run.epochs.epoch[-1] == best + 2 < 30
    assert run.accuracy == run.epochs.accuracy_test[-1]


@pytest.mark.parametrize("schedule", [{"kind": "plateau"}, {"stop": 3}])
def test_without_validation_inputs_what_needs_them_is_refused(schedule):
    experiment = _experiment(schedule=schedule, data={"validation": 0.0})
    with pytest.raises(InputError, match=r"`schedule` must have validation inputs .* Set `data\.validation`"):
        train(experiment, tables())
    run = train(_experiment(data={"validation": 0.0, "train_images": 100}, epochs=1), tables())
    assert np.all(np.isnan(run.epochs.accuracy_validation)) and np.isfinite(run.accuracy)


def test_stops_count_from_the_best_epoch():
    schedule = ScheduleSettings(stop=2)
    assert not schedule.stops([0.1, 0.5, 0.4, 0.6, 0.6])
    assert schedule.stops([0.1, 0.5, 0.4, 0.6, 0.6, 0.5])
    assert not ScheduleSettings().stops([0.5] * 50)


def test_a_sweep_is_ranked_by_validation_not_by_test():
    rows = [TrialResult(n, "", v, t, None, 0, 0.0, 0, 0.0) for n, v, t in (("a", 0.8, 0.99), ("b", 0.9, 0.5))]
    assert [row.label for row in ranked(rows)] == ["b", "a"]
    blind = [*rows, TrialResult("c", "", None, 0.7, None, 0, 0.0, 0, 0.0)]
    assert ranked(blind) == blind
