"""A network whose reads PyTorch computes: near NumPy's, and resumed with the same numbers. Skipped without PyTorch."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.errors import SetupError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.condition import OperatingTables
from rramkit.learning.evaluate import refreshed, rewritten
from rramkit.learning.state_dict import from_state_dict, state_dict
from rramkit.learning.trained import TrainedNetwork

torch = pytest.importorskip("torch")

CHAIN = {"row_driver": {"levels": 64}, "adc": {"bits": 9}, "read_noise": {"sigma_span": 0.01}}
LAYERS = [
    {"kind": "convolution", "channels": 3, "pad": 1},
    {"kind": "activation"},
    {"kind": "max_pool"},
    {"kind": "flatten"},
    {"kind": "dense"},
]


def _experiment(**mapping):
    settings = {"network": {"layers": LAYERS}, "epochs": 8, "batch": 10}
    return Experiment.checked({**settings, "mapping": {"rows": 12, "columns": 6, **mapping}}, where="the test")


def _data():
    rng = np.random.default_rng(0)
    y = np.arange(160) % 4
    x = 0.4 * rng.random((160, 1, 6, 6))
    for image, label in zip(x, y, strict=True):
        image[0, 3 * (label // 2) : 3 * (label // 2) + 3, 3 * (label % 2) : 3 * (label % 2) + 3] += 0.6
    return DataSet(x[:100], y[:100], x[100:], y[100:], "bright quarters")


def test_torch_trains_as_numpy_does():
    numpy_run, torch_run = (train(_experiment(backend=each), tables(), data=_data()) for each in ("numpy", "torch"))
    # Before training both hold the same cells and draw the same noise: what differs is rounding in float32, and the
    # odd converter code on its edge. After it, single pulses have gone another way.
    assert torch_run.epochs.loss[0] == near(numpy_run.epochs.loss[0], 2e-3)
    assert torch_run.epochs.energy_read[1] == near(numpy_run.epochs.energy_read[1], 0.02)
    assert min(torch_run.accuracy, numpy_run.accuracy) > 0.9


@pytest.mark.parametrize("chain", [{}, CHAIN])
def test_taken_up_it_gives_the_same_numbers(tmp_path, chain):
    class Killed(Exception):
        pass

    def killed(report):
        if report.epoch == 2:
            raise Killed

    experiment, path = _experiment(backend="torch", read=chain), tmp_path / "run.h5"
    whole = train(experiment, tables(), data=_data())
    with pytest.raises(Killed):
        train(experiment, tables(), data=_data(), run_path=path, progress=killed)
    resumed = train(experiment, tables(), data=_data(), run_path=path)
    np.testing.assert_array_equal(resumed.epochs.loss, whole.epochs.loss)
    for mine, other in zip(resumed.layers, whole.layers, strict=True):
        np.testing.assert_array_equal(mine.g_final, other.g_final)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has what the test wants missing")
def test_a_device_that_is_not_there_is_named():
    with pytest.raises(SetupError, match="`device` cuda is not there"):
        train(_experiment(backend="torch", device="cuda"), tables(), data=_data())


@pytest.mark.parametrize("rule", ["outer_product", "tiki_taka", "write_verify"])
def test_a_run_of_a_rule_that_does_not_train_on_a_device_is_evaluated_there(rule):
    """Runs of before had their reads alone on the device, with any rule: reading what they hold asks for no rule."""
    data, whole = _data(), {"network": {"layers": LAYERS}, "epochs": 1, "batch": 10, "rule": {"kind": rule}}
    run = train(Experiment.checked(whole, where="the test"), tables(), data=data)
    on_device = {**whole, "mapping": {"backend": "torch"}}
    old = replace(run, settings=on_device)
    scores, expected = old.network.scores(data.x_test), run.network.scores(data.x_test)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-4 * np.max(np.abs(expected)))  # sums in float32
    experiment, operating = Experiment.checked(on_device, where="the test"), OperatingTables(tables(), tables())
    trained = old.network
    assert isinstance(trained, TrainedNetwork)
    named = state_dict(trained.network, trained.params)
    plain = from_state_dict(trained.network, named, w_max=[1.0, 1.0], dtype=np.dtype("float32"))
    fresh, cost = rewritten(experiment, operating, plain, data.x_train, data.y_train, input_shape=data.shape, seed=1)
    assert fresh.scores(data.x_test).shape == scores.shape and cost.pulses_set > 0
    again, cost = refreshed(experiment, operating, trained, trained, seed=1)
    assert again.scores(data.x_test).shape == scores.shape
