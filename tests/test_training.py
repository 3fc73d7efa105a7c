import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import G_HIGH, G_LOW, tables

from rramkit import record, table
from rramkit.errors import InputError, SetupError
from rramkit.learning import DataSet, Experiment, digits, train
from rramkit.learning.data import stratified

SHORT = Experiment.checked({"network": {"hidden": (24,)}, "epochs": 6}, where="the test")
CHANCE = 0.1


def changed(**changes):
    return Experiment.checked({**SHORT.model_dump(), **changes}, where="the test")


@pytest.fixture(scope="module")
def short():
    seen = []
    return train(SHORT, tables(), tables_name="made-up.h5", progress=seen.append), seen


def test_the_digits_are_learnt_in_rram(short):
    run, _ = short
    # six epochs; the full budget reaches 97 %
    assert run.accuracy > 0.90
    assert run.accuracy > run.float_accuracy - 0.06
    assert run.epochs.loss[-1] < 0.4 * run.epochs.loss[0]


def test_the_run_records_what_happened(short):
    run, seen = short
    epochs = run.epochs
    assert [report.epoch for report in seen] == list(range(SHORT.epochs + 1)) == list(epochs.epoch)
    assert run.accuracy == epochs.accuracy_test[-1] == np.trace(run.confusion) / run.confusion.sum()
    assert [layer.pulses.shape for layer in run.layers] == [(2, 65, 24), (2, 25, 10)]
    fired = sum(int(layer.pulses.sum()) for layer in run.layers)
    assert fired == epochs.pulses_set.sum() + epochs.pulses_reset.sum()
    assert epochs.pulses_set[0] == 2 * (65 * 24 + 25 * 10)  # initial programming: one pulse a cell
    assert epochs.energy_read[0] == 0.0
    assert np.all(epochs.energy_read[1:] > 0.0)
    for layer in run.layers:
        assert np.all((layer.g_final >= G_LOW) & (layer.g_final <= G_HIGH))
        untouched = layer.pulses == 1
        np.testing.assert_array_equal(layer.g_final[untouched], layer.g_initial[untouched])
    assert run.settings["network"]["hidden"] == [24]
    assert run.tables_name == "made-up.h5"
    assert run.tables_provenance["device"] == "synthetic"


def test_one_seed_gives_one_run_and_another_seed_another(short):
    run, _ = short
    few = SHORT.model_copy(update={"epochs": 1})
    first, second = train(few, tables()), train(few, tables())
    other = train(few.model_copy(update={"seed": 2}), tables())
    for ours, theirs, strangers in zip(first.layers, second.layers, other.layers, strict=True):
        np.testing.assert_array_equal(ours.g_final, theirs.g_final)
        assert np.any(ours.g_final != strangers.g_final)
    assert first.epochs.loss[1] == second.epochs.loss[1] == run.epochs.loss[1]


@pytest.mark.parametrize("change", [{"strength": 0.7}, {"linear": True}, {"perfect_wires": True}])
def test_another_table_gives_another_result(short, change):
    run, _ = short
    other = train(SHORT.model_copy(update={"epochs": 1}), tables(**change))
    assert other.epochs.loss[1] != run.epochs.loss[1]
    assert np.any(other.layers[0].g_final != run.layers[0].g_final)


def test_without_wires_the_table_of_wires_is_not_asked_for(short):
    file = tables()
    without = table.TableFile({name: file[name] for name in ("read", "set", "reset")}, {})
    run = train(changed(epochs=1, mapping={"wires": False}), without)
    assert run.accuracy > 0.3


def test_pulses_that_do_nothing_teach_nothing():
    run = train(changed(epochs=4), tables(dead=True))
    assert np.max(run.epochs.accuracy_test) < 1.6 * CHANCE
    assert run.float_accuracy > 0.8  # the float network beside it learns
    for layer in run.layers:
        np.testing.assert_array_equal(layer.g_initial, layer.g_final)


def test_momentum_trains_too():
    experiment = changed(optimiser={"kind": "momentum", "learning_rate": 0.02}, epochs=3)
    assert train(experiment, tables()).accuracy > 0.8


def test_an_array_larger_than_the_checked_wires_is_refused():
    with pytest.raises(InputError, match="at most 65 rows x 96 columns"):
        train(changed(network={"hidden": (49,)}, mapping={"columns": 98}), tables())
    run = train(changed(network={"hidden": (49,)}, epochs=1), tables())  # on two arrays
    assert run.layers[0].pulses.shape == (2, 65, 49)


def test_experiments_are_bounded_and_named(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text("[network]\nhidden = [20, 12]\n[rule]\nkind = 'mixed_precision'\nthreshold = 0.1\n")
    assert Experiment.from_toml(path).network.hidden == (20, 12)
    path.write_text("[rule]\nkind = 'mixed_precision'\ntreshold = 0.1\n")
    with pytest.raises(InputError, match="treshold"):
        Experiment.from_toml(path)
    path.write_text("[network]\nhidden = [0]\n")
    with pytest.raises(InputError, match="hidden"):
        Experiment.from_toml(path)


def test_the_split_is_stratified_and_seeded():
    data = digits(seed=5)
    assert isinstance(data, DataSet)
    assert data.x_train.shape == (1797 - len(data.y_test), 64)
    assert 0.0 <= data.x_train.min() <= data.x_train.max() <= 1.0
    for label in range(10):
        ours, all_of_it = np.sum(data.y_test == label), np.sum(data.y_test == label) + np.sum(data.y_train == label)
        assert abs(ours - 0.2 * all_of_it) <= 0.5
    np.testing.assert_array_equal(data.x_test, digits(seed=5).x_test)
    assert np.any(data.y_test[:50] != digits(seed=6).y_test[:50])
    x = np.arange(20.0)[:, None]
    small = stratified(x, np.repeat([0, 1], 10), seed=0)
    assert sorted([*small.x_train[:, 0], *small.x_test[:, 0]]) == list(range(20))


def test_missing_scikit_learn_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SetupError, match="scikit-learn"):
        digits(seed=0)


def test_training_needs_neither_pyspice_nor_ngspice(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    program = """
import sys
from pathlib import Path
sys.modules["PySpice"] = None
import rramkit
from rramkit import record, table
from rramkit.learning import Experiment, NetworkSettings, train
run = train(Experiment(network=NetworkSettings(hidden=(12,)), epochs=1), table.load(Path("tables.h5")))
record.save(run, Path("run.h5"))
loaded = [name for name in sys.modules if name.startswith(("circuits", "characterization", "netlists"))]
loaded += [name for name in sys.modules if name.startswith(("rramkit.circuits", "rramkit.characterization"))]
assert not loaded, loaded
assert "matplotlib" not in sys.modules
"""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "RRAMKIT_NGSPICE": str(tmp_path / "nowhere.so"), "PYTHONPATH": str(root)}
    (tmp_path / "program.py").write_text(program)
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert record.load(tmp_path / "run.h5").accuracy > CHANCE
