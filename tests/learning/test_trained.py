"""A trained network comes back from its run file, to the bit."""
# pyright: reportArgumentType=false
# Groups are given as dictionaries and lists here, which pydantic converts.

import numpy as np
import pytest
from fixtures.edited import edited
from fixtures.synthetic import tables

from rramkit import record
from rramkit.errors import TableError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.train import data_set

LAYERS = [
    {"kind": "convolution", "channels": 3},
    {"kind": "batch_norm"},
    {"kind": "activation"},
    {"kind": "max_pool"},
    {"kind": "flatten"},
    {"kind": "dense"},
]
SMALL_ARRAYS = {"rows": 12, "columns": 6}  # many arrays for each matrix
CONVERTED = {"read": {"dac": {"levels": 64}, "converter": {"bits": 6}}}  # full scale from a first batch


def _data():
    rng = np.random.default_rng(0)
    x, y = rng.random((80, 1, 6, 6)), np.arange(80) % 4
    return DataSet(x[:60], y[:60], x[60:], y[60:], "made up")


@pytest.mark.parametrize(
    ("rule", "mapping", "device"),
    [
        ({"kind": "mixed_precision"}, SMALL_ARRAYS, {}),
        ({"kind": "mixed_precision"}, {**SMALL_ARRAYS, **CONVERTED}, {}),
        ({"kind": "open_loop"}, CONVERTED, {"current": "ohmic"}),
        ({"kind": "row_sparse", "swap_every": 2}, SMALL_ARRAYS, {}),
        ({"kind": "tiki_taka", "gamma": 0.5}, {}, {}),
        ({"kind": "float"}, {}, {}),
    ],
    ids=lambda value: str(value.get("kind", "")) or None,
)
def test_the_network_of_a_file_gives_the_accuracy_of_the_run(tmp_path, rule, mapping, device):
    experiment = Experiment.checked(
        {"network": {"layers": LAYERS}, "epochs": 2, "rule": rule, "mapping": mapping, "device": device},
        where="the test",
    )
    data = _data()
    run = train(experiment, tables(), data=data)
    loaded = record.load(run.save(tmp_path / "run.h5"))
    predicted = loaded.network.predict(data.x_test)
    assert np.mean(predicted == data.y_test) == run.accuracy == loaded.accuracy
    counts = np.zeros((4, 4), dtype=int)
    np.add.at(counts, (data.y_test, predicted), 1)
    np.testing.assert_array_equal(counts, run.confusion)
    np.testing.assert_array_equal(loaded.scores(data.x_test), run.scores(data.x_test))


def test_the_network_is_the_one_in_training():
    """The stored network against the state that training ended with, read directly."""
    experiment = Experiment(network={"layers": LAYERS}, epochs=1, mapping=SMALL_ARRAYS)
    training = SupervisedTraining(experiment, experiment.chip.tables(tables()), data_set(_data(), experiment))
    while not training.finished:
        training.advance()
    params = training.rram.params(training.states.rram)
    x = _data().x_test.astype(np.float32)
    live = training.rram.network.scores(params, x, rng=np.random.default_rng(0))
    run = train(experiment, tables(), data=_data())
    np.testing.assert_array_equal(run.network.scores(x), live)


def test_read_noise_is_drawn_from_the_seed_or_a_generator():
    noisy = {**SMALL_ARRAYS, "read": {"noise": {"sigma_span": 0.02}}}
    run = train(Experiment(network={"layers": LAYERS}, epochs=1, mapping=noisy), tables(), data=_data())
    x = _data().x_test
    np.testing.assert_array_equal(run.scores(x), run.scores(x))
    assert np.any(run.scores(x) != run.scores(x, rng=np.random.default_rng(9)))


def test_a_file_without_a_network_says_so(tmp_path):
    run = train(Experiment(network={"layers": LAYERS}, epochs=1), tables(), data=_data())
    path = run.save(tmp_path / "run.h5")
    with edited(path) as file:
        del file["network"], file.attrs["kind"]
        file.attrs["format_version"] = 2
    with pytest.raises(TableError, match="holds no network: its file has format 2"):
        record.load(path).predict(_data().x_test)
