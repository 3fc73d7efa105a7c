"""What a user would guess of training, data and results: it works, or one line says what to write instead."""
# pyright: reportArgumentType=false
# Groups are given as dictionaries and lists here, which pydantic converts.

from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import record, table
from rramkit.errors import InputError, TableError
from rramkit.learning import DataSet, Experiment, NetworkSettings, train

RNG = np.random.default_rng(0)
X, Y = RNG.random((90, 6)), np.arange(90) % 3
TINY = Experiment(network={"hidden": [5]}, epochs=1, float_reference=False)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "tables.h5"
    table.save(tables(), path)
    return path


@pytest.fixture(scope="module")
def run(file):
    return train(TINY, file, data=(X, Y))


def test_tables_are_a_file_a_path_or_a_text(file, run):
    for one in (table.load(file), str(file)):
        assert train(TINY, one, data=(X, Y)).accuracy == run.accuracy
    assert run.tables_name == "tables.h5"


def test_tables_alone_train_the_default(file, monkeypatch):
    short = Experiment(epochs=1, data={"train_images": 100, "test_images": 50}, network={"hidden": [4]})
    monkeypatch.setattr(Experiment, "__init__", lambda self: self.__setstate__(short.__getstate__()))
    assert train(file).settings["network"]["hidden"] == [4]  # pyright: ignore[reportIndexIssue]


def test_data_are_two_arrays_four_arrays_or_a_data_set(file, run):
    x, y = X.tolist(), Y.tolist()
    assert train(TINY, file, data=(x, y)).accuracy == run.accuracy
    four = train(TINY, file, data=(X[:60], Y[:60], X[60:], Y[60:]))
    assert four.confusion.sum() == 30
    assert train(TINY, file, data=DataSet(X[:60], Y[:60], X[60:], Y[60:])).accuracy == four.accuracy


def test_a_data_set_of_two_arrays_is_split():
    data = DataSet(X, Y)
    assert (len(data.x_train), len(data.x_test), data.classes) == (72, 18, 3)
    assert repr(data) == "DataSet(own data: 72 training and 18 test inputs of 6, 3 classes)"
    assert DataSet(RNG.random((30, 8, 8)), np.arange(30) % 2).shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ((X, Y[:-1]), r"`y_train` must be \(90,\), integers from 0; got \(89,\)"),
        ((X, Y.astype(float)), "got .* of float64"),
        ((X[:, 0], Y), r"`x_train` must be \(N, F\)"),
        ((X, Y, X[:9, :5], Y[:9]), r"one shape and the same classes; got \(6,\) and \(5,\)"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(arrays, words):
    with pytest.raises(InputError, match=words) as caught:
        DataSet(*arrays)
    assert "\n" not in str(caught.value)


def test_something_else_as_data_is_refused(file):
    with pytest.raises(InputError, match=r"`data` must be a DataSet, \(x, y\)"):
        train(TINY, file, data=(X,))


def test_settings_as_lists_dictionaries_and_kinds():
    assert NetworkSettings(hidden=[32]).hidden == (32,)
    assert Experiment(network={"hidden": [32]}).network.hidden == (32,)
    assert Experiment(rule="sign").rule.kind == "sign"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": [32]}, r"Experiment: `hidden` is not a known key.* Did you mean `network.hidden`\?"),
        ({"optimizer": "adam"}, r"Did you mean `optimiser`\?"),
        ({"rule": "sgn"}, "`rule.kind` must be one of .*'sign'.*; got 'sgn'"),
        ({"rule": {"kind": "sign", "stp": 1}}, r"`rule.stp` is not a known key.* Did you mean `rule.step`\?"),
        ({"epochs": 0}, "`epochs` should be greater than or equal to 1; got 0"),
        ({"network": {"layers": [{"kind": "dens"}]}}, "`network.layers.0.kind` must be one of 'dense'"),
        ({"network": {"layers": [{"kind": "dense", "unit": 3}]}}, r"Did you mean `network.layers.0.units`\?"),
    ],
)
def test_wrong_settings_are_one_line_with_the_cure(settings, words):
    with pytest.raises(InputError, match=words) as caught:
        Experiment(**settings)
    assert "\n" not in str(caught.value)


def test_a_result_has_history_accuracy_and_one_line(run):
    assert run.history is run.epochs
    assert run.history.loss.shape == (2,)
    assert 0.0 <= run.accuracy <= 1.0
    assert repr(run).startswith("Run(data, 1 epochs: test accuracy ")
    assert "\n" not in repr(run)
    assert len(repr(run)) < 120


def test_a_result_predicts_saves_and_draws(run, tmp_path):
    assert run.predict(X).shape == (90,)
    np.testing.assert_array_equal(run.predict(X), np.argmax(run.network.scores(X), axis=1))
    path = run.save(str(tmp_path / "run.h5"))
    np.testing.assert_array_equal(record.load(str(path)).network.scores(X), run.network.scores(X))
    assert run.plot(tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert "\n" not in repr(run.network)


def test_inputs_of_another_shape_are_refused(run):
    for x in (X[0], X[:, :5], np.empty((0, 6))):
        with pytest.raises(InputError, match=r"`x` must be \(N, 6\) numbers; got"):
            run.predict(x)


def test_a_missing_file_is_named():
    with pytest.raises(TableError, match=r"nowhere\.h5: no such file"):
        train(TINY, Path("nowhere.h5"))
    with pytest.raises(InputError, match="`experiment` must be an Experiment; got dict"):
        train({"epochs": 1}, "tables.h5")
