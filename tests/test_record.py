from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.edited import edited

from rramkit import record
from rramkit.errors import TableError
from rramkit.record import EpisodeRun, Epochs, LayerRecord, Run, TrainingOutcome


def example() -> Run:
    rng = np.random.default_rng(0)
    counts = np.array([300, 20, 10])
    return Run(
        settings={"hidden": [4], "epochs": 2, "seed": 7},
        tables_name="tables.h5",
        tables_provenance={"simulator": "ngspice-46", "note": "µS"},
        data_name="digits",
        kit_version="0.0.0",
        seed=7,
        created="2026-01-01T00:00:00+00:00",
        epochs=Epochs(
            epoch=np.arange(3),
            accuracy_validation=np.array([0.1, 0.8, 0.91]),
            accuracy_train=np.array([0.1, 0.85, 0.95]),
            accuracy_test=np.array([np.nan, np.nan, 0.9]),
            float_accuracy_validation=np.array([0.1, 0.9, 0.97]),
            float_accuracy_test=np.array([np.nan, np.nan, 0.96]),
            loss=np.array([2.3, 0.7, 0.3]),
            pulses_set=counts,
            pulses_reset=counts // 2,
            reads=counts * 3,
            energy_write=counts * 1e-12,
            time_write=counts * 1e-8,
            energy_read=counts * 1e-11,
            time_read=counts * 1e-9,
            clamped=counts * 0,
            cells_changed=counts * 2,
            weights_clipped=np.array([0.0, 0.01, 0.02]),
            saturated=np.array([0.0, 0.01, 0.02]),
        ),
        layers=tuple(
            LayerRecord(
                g_initial=rng.uniform(4e-6, 90e-6, (2, *shape)),
                g_final=rng.uniform(4e-6, 90e-6, (2, *shape)),
                pulses=rng.integers(0, 9, (2, *shape)),
                pulses_by_epoch=np.array([9, 3, 1]),
                histogram=rng.integers(0, 12, (3, 8)),  # no more than the 100 cells of the smaller matrix
                g_edges=np.linspace(4e-6, 90e-6, 9),
            )
            for shape in ((65, 4), (5, 10))
        ),
        confusion=rng.integers(0, 30, (10, 10)),
        accuracy=0.9,
        float_accuracy=0.96,
        train_seconds=1.5,
        memory={"gradient of the batch": 1, "weight": 1},
    )


def test_a_run_comes_back_as_it_was_saved(tmp_path):
    run, path = example(), tmp_path / "run.h5"
    record.save(run, path)
    back = record.load(path)
    plain = ("epochs", "layers", "confusion")
    for column in fields(Run):
        if column.name not in plain:
            assert getattr(back, column.name) == getattr(run, column.name), column.name
    np.testing.assert_array_equal(back.confusion, run.confusion)
    for column in fields(Epochs):
        np.testing.assert_array_equal(getattr(back.epochs, column.name), getattr(run.epochs, column.name))
    assert len(back.layers) == 2
    for ours, theirs in zip(back.layers, run.layers, strict=True):
        for column in fields(LayerRecord):
            np.testing.assert_array_equal(getattr(ours, column.name), getattr(theirs, column.name))


def test_a_run_without_a_float_network_or_without_arrays_comes_back(tmp_path):
    nothing = np.full(3, np.nan)
    epochs = replace(example().epochs, float_accuracy_validation=nothing, float_accuracy_test=nothing)
    record.save(replace(example(), layers=(), epochs=epochs, float_accuracy=float("nan")), tmp_path / "run.h5")
    back = record.load(tmp_path / "run.h5")
    assert back.layers == ()
    assert np.isnan(back.float_accuracy)


def test_every_quantity_carries_its_unit(tmp_path):
    path = tmp_path / "run.h5"
    record.save(example(), path)
    with h5py.File(path) as file:
        assert file.attrs["format"] == "rramkit run"
        units = {}
        file.visititems(
            lambda name, item: units.update({name: item.attrs["units"]}) if isinstance(item, h5py.Dataset) else None
        )
    assert units["epochs/energy_write"] == units["epochs/energy_read"] == "J"
    assert units["layers/1/g_final"] == "S"
    assert units["train_seconds"] == "s"
    assert units["confusion"] == "1"


def test_a_failed_save_leaves_nothing(tmp_path):
    broken = replace(example(), settings={"hidden": object()})
    with pytest.raises(TypeError):
        record.save(broken, tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_or_version_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(TableError, match="no such file"):
        record.load(path)
    path.write_text("not HDF5")
    with pytest.raises(TableError, match="cannot be read"):
        record.load(path)
    path.unlink()
    record.save(example(), path)
    with edited(path) as file:
        del file["epochs/loss"]
    with pytest.raises(TableError, match="loss"):
        record.load(path)
    with edited(path) as file:
        file.attrs["format_version"] = 99
    with pytest.raises(TableError, match="run format 99"):
        record.load(path)


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        ("epochs/loss", np.zeros((3, 1)), "`epochs` holds arrays whose shapes do not fit"),
        ("epochs/loss", np.full(3, np.nan), "holds values that are not finite"),
        ("epochs/loss", "text", "no real numbers"),
        ("layers/0/g_final", np.zeros((2, 65, 5)), "`layers` holds arrays whose shapes do not fit"),
        ("layers/1/histogram", np.zeros((2, 8)), "`layers` holds arrays whose shapes do not fit"),
        ("confusion", np.zeros((10, 9)), "`confusion` holds arrays whose shapes do not fit"),
        ("accuracy", np.zeros(2), "accuracy is not one finite number"),
        ("train_seconds", np.inf, "train_seconds is not one finite number"),
    ],
)
def test_values_that_cannot_be_are_refused(tmp_path, place, value, complaint):
    path = tmp_path / "run.h5"
    record.save(example(), path)
    with edited(path) as file:
        del file[place]
        file[place] = value
    with pytest.raises(TableError, match=complaint):
        record.load(path)


@pytest.mark.parametrize(("name", "text"), [("settings", "{"), ("settings", "[1]"), ("seed", "x"), ("format", "other")])
def test_attributes_that_cannot_be_are_refused_in_one_line(tmp_path, name, text):
    path = tmp_path / "run.h5"
    record.save(example(), path)
    with edited(path) as file:
        file.attrs[name] = text
    with pytest.raises(TableError, match=r"run\.h5: ") as caught:
        record.load(path)
    assert "\n" not in str(caught.value)


DATA = Path(__file__).parent / "data"


def test_a_run_file_of_version_0_1_0_is_read():
    """Written by rramkit 0.1.0: one epoch of the digits with read noise and row DACs."""
    run = record.load(DATA / "run_version_2.h5")
    assert run.epochs.epoch.tolist() == [0, 1]
    assert run.accuracy == run.epochs.accuracy_test[-1] == np.trace(run.confusion) / 50
    assert [layer.g_final.shape for layer in run.layers] == [(2, 65, 3), (2, 4, 10)]
    assert run.totals()["pulses_set"] > 0
    assert run.memory is None
    with pytest.raises(TableError, match="holds no network"):
        _ = run.network


def test_an_episode_file_of_version_0_1_0_is_read(tmp_path):
    """Written by rramkit 0.1.0: 200 actions in CartPole."""
    run = record.load(DATA / "episodes_version_1.h5", EpisodeRun)
    assert run.final_return.shape == (3,)
    assert run.scalars["steps"] == 200
    assert run.mean_return == near(float(run.final_return.mean()), 1e-15)
    assert run.history["target_updates"].step.tolist() == [2, 4, 6]
    run.save(tmp_path / "new.h5")
    np.testing.assert_equal(dict(record.load(tmp_path / "new.h5", EpisodeRun).scalars), dict(run.scalars))
    assert np.isnan(run.scalars["time_read"])  # which 0.1.0 did not write


def test_the_history_says_by_which_images_a_training_was_followed(tmp_path):
    """Files without validation accuracies read the test images after each epoch; new ones read them once."""
    new, old = example().epochs, record.load(DATA / "run_version_2.h5").epochs
    assert new.followed[0] == "validation"
    assert old.followed[0] == "test" and np.all(old.followed[1] == old.accuracy_test)
    assert np.all(np.isnan(old.accuracy_validation))
    blind = replace(new, accuracy_validation=np.full(3, np.nan), float_accuracy_validation=np.full(3, np.nan))
    assert blind.followed[0] == "training" and np.all(blind.followed[1] == new.accuracy_train)
    for name, epochs in (("new", new), ("old", old), ("blind", blind)):
        path = replace(example(), epochs=epochs, layers=()).plot(tmp_path / f"{name}.svg")
        shown = path.read_text(encoding="utf-8")
        assert (f"RRAM, {epochs.followed[0]}" in shown) and ("RRAM, test" in shown), name


def test_the_other_kind_of_run_is_named():
    with pytest.raises(TableError, match=r"holds a training by reinforcement .* record\.EpisodeRun"):
        record.load(DATA / "episodes_version_1.h5")
    assert isinstance(record.load(DATA / "episodes_version_1.h5", TrainingOutcome), EpisodeRun)
    assert isinstance(record.load(DATA / "run_version_2.h5", TrainingOutcome), Run)
