"""A network after its training: as the run said, aged by the law, on other chips, as plain arrays, trained on."""
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# Groups are given as dictionaries and lists here, which pydantic converts; the matrices here are in cells.

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit import record
from rramkit.array.matrix import FloatMatrix
from rramkit.array.write.ageing import RetentionParams
from rramkit.cli.chip import ChipOptions
from rramkit.cli.train import experiment_of
from rramkit.errors import InputError, TableError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.continued import plain_of
from rramkit.learning.evaluate import aged, evaluate, refreshed, rewritten
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.state_dict import from_state_dict, state_dict

LAYERS = [
    {"kind": "convolution", "channels": 3, "kernel": 2},
    {"kind": "batch_norm"},
    {"kind": "activation"},
    {"kind": "flatten"},
    {"kind": "dense", "bias": "row"},
]
DRIFT = RetentionParams(nu=0.05, t_0=1.0, t_ref=300.0)


def data() -> DataSet:
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 1, 4, 4)), np.arange(60) % 3
    x[np.arange(60), 0, y, y] += 1.0  # a class that can be learned
    return DataSet(x[:45], y[:45], x[45:], y[45:], "made up")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> SimpleNamespace:
    settings = {"network": {"layers": LAYERS}, "epochs": 2, "mapping": {"wires": False}}
    experiment = Experiment.checked(settings, where="the test")
    path = tmp_path_factory.mktemp("run") / "run.h5"
    train(experiment, tables(), data=data()).save(path)
    return SimpleNamespace(experiment=experiment, run=record.load(path), data=data())


def test_a_run_says_what_its_file_says(trained):
    network, x, labels = trained.run.network, trained.data.x_test, trained.data.y_test
    found = evaluate(network, x, labels)
    assert found.accuracy == trained.run.accuracy
    np.testing.assert_array_equal(found.confusion, trained.run.confusion)
    numbers = x.astype(network.dtype)
    reads = network.network.forward(network.params, numbers, training=False, rng=np.random.default_rng(1)).reads.total
    # The same reads, added up in another order: float64.
    assert found.energy * len(x) == near(reads.energy, rel=1e-12)
    assert found.seconds * len(x) == near(reads.seconds, rel=1e-12)
    assert [(layer.name, layer.shape, layer.cells) for layer in found.layers] == [
        ("0", (4, 3), 24),
        ("4", (28, 3), 168),
    ]
    assert all(layer.energy > 0.0 for layer in found.layers)


def test_cells_drift_by_the_law(trained):
    network = trained.run.network
    old = aged(network, 99.0, t_cell=300.0, retention=DRIFT)
    for before, after in zip(network.params.matrices, old.params.matrices, strict=True):
        wanted = np.clip(before.g_cell * 100.0**-0.05, *before.mapping.window)
        # The network's conductances are of single precision.
        np.testing.assert_allclose(after.g_cell, wanted, rtol=1e-6)
    assert np.any(old.params.matrices[0].g_cell < network.params.matrices[0].g_cell)
    refreshed = aged(network, 99.0, t_cell=300.0, retention=DRIFT, refresh=9.0)
    younger = aged(network, 9.0, t_cell=300.0, retention=DRIFT)
    for ours, theirs in zip(refreshed.params.matrices, younger.params.matrices, strict=True):
        np.testing.assert_array_equal(ours.g_cell, theirs.g_cell)
    warm = aged(network, 99.0, t_cell=358.0, retention=DRIFT)
    assert warm.params.matrices[0].g_cell.sum() < old.params.matrices[0].g_cell.sum()
    spread = DRIFT.model_copy(update={"sigma_nu": 0.02})
    chips = [aged(network, 99.0, t_cell=300.0, retention=spread, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (chip.params.matrices[0].g_cell for chip in chips)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_another_chip_has_other_cells_for_the_same_weights(trained):
    plain, images = plain_of(trained.run.network), trained.data
    spread = {**trained.experiment.model_dump(), "rule": {"update": {"spread": {"sigma_gain": 0.1}}}}
    experiment = Experiment.checked(spread, where="the test")
    operating = experiment.chip.tables(tables())
    chips = [
        rewritten(experiment, operating, plain, images.x_train, images.y_train, input_shape=images.shape, seed=seed)
        for seed in (3, 3, 4)
    ]
    first, again, other = (network.params.matrices[1].g_cell for network, _ in chips)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert chips[0][1].pulses > 0 and chips[0][1].energy > 0.0
    wrong = chips[0][0].params.matrices[1].weight - plain.weights[1]
    assert 0.0 < np.abs(wrong).mean() < 0.1  # one pulse a cell misses by some percent of the range


def float_network() -> tuple[Network, dict[str, np.ndarray]]:
    """Return a network and random weights by the kit's names."""
    network, rng = Network.of(NetworkSettings(layers=LAYERS), (2, 4, 4), 3), np.random.default_rng(5)
    shapes = {"0.weight": (3, 2, 2, 2), "0.bias": (3,), "1.weight": (3,), "1.bias": (3,), "1.running_mean": (3,)}
    shapes |= {"1.running_var": (3,), "4.weight": (3, 27), "4.bias": (3,)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["1.running_var"] = rng.uniform(0.5, 2.0, 3)
    return network, arrays


def by_hand(x: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the scores of images (N, C, H, W) by loops, in PyTorch's layout."""
    kernel, scores = arrays["0.weight"], []
    for image in x:
        maps = np.empty((3, 3, 3))
        for channel, row, column in np.ndindex(maps.shape):
            maps[channel, row, column] = (kernel[channel] * image[:, row : row + 2, column : column + 2]).sum()
        maps += arrays["0.bias"][:, None, None]
        normal = (maps.T - arrays["1.running_mean"]) / np.sqrt(arrays["1.running_var"] + 1e-5)
        maps = np.maximum((normal * arrays["1.weight"] + arrays["1.bias"]).T, 0.0)
        scores.append(arrays["4.weight"] @ maps.ravel() + arrays["4.bias"])
    return np.array(scores)


def test_plain_weights_are_in_the_usual_layout_and_come_back():
    network, arrays = float_network()
    plain = from_state_dict(network, arrays, w_max=1.0, dtype=np.dtype(float))
    assert all(np.abs(weight).max() == near(1.0, rel=1e-15) for weight in plain.weights)
    params = plain.network.params(tuple(FloatMatrix(weight) for weight in plain.weights), plain.vectors, plain.means)
    x = np.random.default_rng(6).random((4, 2, 4, 4))
    scores = plain.network.scores(params, x, rng=np.random.default_rng(0))
    np.testing.assert_allclose(scores, by_hand(x, arrays), rtol=1e-10, atol=1e-12)  # sums of 27 terms of order one
    back = state_dict(plain.network, params)
    assert list(back) == list(arrays)
    for name, values in arrays.items():
        np.testing.assert_allclose(back[name], values, rtol=1e-14, atol=0)


def test_names_of_another_program_are_taken_in_order_or_refused():
    network, arrays = float_network()
    others = {f"net.{name}": values for name, values in arrays.items()} | {"net.1.num_batches_tracked": np.array(3)}
    plain = from_state_dict(network, others, w_max=1.0, dtype=np.dtype(float))
    assert plain.names["0.weight"] == "net.0.weight"
    for change, words in (
        ({"0.weight": np.ones((3, 2, 2, 3))}, "is needed"),
        ({"4.bias": np.full(3, np.nan)}, "not finite"),
        ({"5.weight": np.ones(3)}, "9 arrays, not 8"),
    ):
        with pytest.raises(InputError, match=words):
            from_state_dict(
                network, {**others, **{f"net.{k}": v for k, v in change.items()}}, w_max=1.0, dtype=np.dtype(float)
            )


def test_a_training_goes_on_from_a_run(trained):
    more = trained.experiment.model_copy(update={"epochs": 1})
    further = train(more, tables(), data=trained.data, start=trained.run)
    # Nothing is noisy here: before its first epoch it is the network of the run.
    assert further.epochs.accuracy_validation[0] == trained.run.epochs.accuracy_validation[-1]
    assert further.epochs.loss[0] == near(trained.run.epochs.loss[-1], rel=1e-5)  # single precision, other batches
    for before, after in zip(trained.run.layers, further.layers, strict=True):
        np.testing.assert_allclose(after.g_initial, before.g_final, rtol=1e-6)
    assert further.epochs.pulses_set[0] == 0
    other = Experiment.checked({**more.model_dump(), "network": {"hidden": [5]}}, where="the test")
    with pytest.raises(InputError, match="Set the same network"):
        train(other, tables(), data=trained.data, start=trained.run)
    first = Experiment.checked({**more.model_dump(), "pretrain": {"epochs": 2}}, where="the test")
    with pytest.raises(InputError, match=r"`pretrain.epochs` is of first weights.* got 2\. Leave"):
        train(first, tables(), data=trained.data, start=trained.run)


def test_the_settings_of_a_run_that_is_gone_on_from_train_no_float_network_first(trained):
    """Its weights are there; settings that are given beside it are another matter, and refused by the training."""
    settings = {**trained.experiment.model_dump(mode="json"), "pretrain": {"epochs": 3, "rate": 2.0}}
    before, chip = replace(trained.run, settings=settings), ChipOptions()
    assert experiment_of(None, [], chip, before=before).pretrain.epochs == 0
    assert experiment_of(None, ["pretrain.epochs=2"], chip, before=before).pretrain.epochs == 2


def test_arrays_of_another_network_are_refused(trained):
    stored = trained.run.stored_network
    path = next(path for path in stored.changes if path.endswith("g_cell"))
    for value in (stored.changes[path][..., :-1], np.full_like(stored.changes[path], np.nan)):
        broken = replace(trained.run, stored_network=replace(stored, changes={**stored.changes, path: value}))
        with pytest.raises(TableError, match="is not that of its settings"):
            _ = broken.network


def test_a_refresh_brings_cells_back_and_has_a_price(trained):
    network, operating = trained.run.network, trained.experiment.chip.tables(tables())

    def refresh(old):
        return refreshed(trained.experiment, operating, network, old, seed=1)

    cells = sum(matrix.g_cell.size for matrix in network.params.matrices)
    same, nothing = refresh(network)
    assert nothing.pulses == 0 and nothing.reads == cells  # each cell is found where it should be
    np.testing.assert_array_equal(same.params.matrices[0].g_cell, network.params.matrices[0].g_cell)
    costs = []
    for seconds in (3.0, 1e9):
        old = aged(network, seconds, t_cell=300.0, retention=DRIFT)
        new, cost = refresh(old)
        costs.append(cost)
        for first, later, now in zip(*(each.params.matrices for each in (network, old, new)), strict=True):
            before, after = (np.abs(each.g_cell - first.g_cell) for each in (later, now))
            span = first.mapping.span
            # The loop ends within 1 % of the range of what a cell should have, or gives up as near as it came.
            assert after.max() <= max(before.max(), 0.0101 * span) and after.mean() < 0.5 * before.mean()
    assert 0 < costs[0].pulses < costs[1].pulses and 0.0 < costs[0].energy < costs[1].energy
