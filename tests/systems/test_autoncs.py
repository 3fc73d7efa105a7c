"""AutoNCS (DAC 2015): sparse connections in clusters of limited size, discrete synapses for the rest."""
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportIndexIssue=false
# Groups are given as dictionaries here, which pydantic converts; what is loaded here is a training of cells.

from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit import record
from rramkit.array import ArrayModel
from rramkit.array.clusters import Cluster, clusters_of, tiles_of
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import FloatMatrix, Samples
from rramkit.cost import cost_of
from rramkit.cost.area import copies_of
from rramkit.cost.subject import Subject
from rramkit.cost.work import work_of
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.evaluate import evaluate
from rramkit.learning.layers import Clustered
from rramkit.learning.layers.layer import Params
from rramkit.learning.state_dict import from_state_dict, state_dict
from rramkit.learning.supervised import init, trainers

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "systems" / "autoncs.toml"
FLOAT = np.dtype(float)
RNG = np.random.default_rng(0)  # of reads without noise: it draws nothing


def planted(density: float, outside: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a mask (64, 48) of four blocks, its lines shuffled, and the block of each row and of each column."""
    rng = np.random.default_rng(3)
    inside = np.kron(np.eye(4, dtype=bool), np.ones((16, 12), bool))
    mask = np.where(inside, rng.random(inside.shape) < density, rng.random(inside.shape) < outside)
    rows, columns = rng.permutation(64), rng.permutation(48)
    return mask[rows][:, columns], rows // 16, columns // 12


def times_held(shape: tuple[int, ...], found: tuple[Cluster, ...]) -> np.ndarray:
    """Return in how many arrays each connection is: the slow way."""
    held = np.zeros(shape, int)
    for each in found:
        for i, row in enumerate(each.rows):
            for j, column in enumerate(each.columns):
                held[row, column] += each.connected[i, j]
    return held


@pytest.mark.parametrize(("density", "outside"), [(1.0, 0.0), (1.0, 0.02), (0.8, 0.05)])
@pytest.mark.parametrize("limit", [(16, 12), (32, 24)])
def test_planted_blocks_are_found(density, outside, limit):
    mask, of_rows, of_columns = planted(density, outside)
    found = clusters_of(mask, rows=limit[0], columns=limit[1])
    arrays = [each for each in found if not each.discrete]
    blocks = {(frozenset(of_rows[each.rows]), frozenset(of_columns[each.columns])) for each in arrays}
    assert blocks == {(frozenset([k]), frozenset([k])) for k in range(4)}
    assert [each.connected.shape for each in arrays] == [(16, 12)] * 4
    np.testing.assert_array_equal(times_held(mask.shape, found), mask)
    inside = of_rows[:, None] == of_columns
    # Nothing is discrete but what lies outside of the blocks; the cells of the blocks are used as densely as planted.
    assert sum(each.connections for each in found if each.discrete) == np.sum(mask & ~inside)
    assert sum(each.connections for each in arrays) / sum(each.cells for each in arrays) == np.sum(mask & inside) / 768
    assert all(each.use == 1.0 for each in found if each.discrete)
    assert tiles_of(mask.shape, rows=16, columns=12) == 16  # where four do


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.floats(0.02, 1.0), st.integers(2, 8), st.integers(0, 1000))
def test_every_connection_is_in_one_array_within_the_limit(rows, columns, density, limit, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    mask[0, 0] = True
    found = clusters_of(mask, rows=limit, columns=limit, seed=seed)
    np.testing.assert_array_equal(times_held(mask.shape, found), mask)
    for each in found:
        assert max(each.connected.shape) <= limit
        assert each.use == 1.0 and min(each.connected.shape) == 1 if each.discrete else each.use >= 0.25


LAYER = {"kind": "clustered", "inputs": 16, "units": 12, "rows": 8, "columns": 6}
LAYER |= {"connections": {"groups": 2, "outside": 0.05}}


def parts(layer: Clustered, whole: np.ndarray) -> list[np.ndarray]:
    """Return the weights of each array of a layer."""
    return [np.where(each.mask, whole[np.ix_(each.rows, each.columns)], 0.0) for each in layer.clusters]


def test_products_are_those_of_the_whole_matrix_bit_for_bit():
    layer, rng = Clustered(**LAYER), np.random.default_rng(5)
    assert sum(each.discrete for each in layer.clusters) > 0
    # Whole numbers: sums of them are exact in any order.
    whole = rng.integers(-9, 9, (16, 12)).astype(float) * layer.mask
    x, error = (rng.integers(-9, 9, (7, lines)).astype(float) for lines in (16, 12))
    params = Params(tuple(FloatMatrix(each) for each in parts(layer, whole)), scales=(1.0,) * len(layer.clusters))
    forward = layer.forward(x, params, training=True, rng=RNG)
    np.testing.assert_array_equal(forward.y, x @ whole)
    back = layer.backward(error, forward.cache, params, needs_input_grad=True, rng=RNG)
    np.testing.assert_array_equal(back.error, error @ whole.T)
    slopes = np.zeros((16, 12))
    for each, gradient in zip(layer.clusters, back.matrices, strict=True):
        slopes[np.ix_(each.rows, each.columns)] += gradient.weight
    np.testing.assert_array_equal(slopes, (x.T @ error) * layer.mask)


def test_reads_of_cells_are_those_of_plain_tiles():
    layer, rng = Clustered(**LAYER), np.random.default_rng(6)
    whole = rng.uniform(-1.0, 1.0, (16, 12)) * layer.mask
    mapping, model = Pairs.from_tables(tables()), ArrayModel(tables(), wires=False, precision="float64")
    x = rng.uniform(-1.0, 1.0, (5, 16))
    # One input range: the cells' current is not quite linear, and each array would scale its own inputs.
    plain = MappedMatrix.of(whole, mapping, model, x_range=1.0, largest=(8, 12)).forward(Samples(x), rng=RNG)
    arrays = tuple(MappedMatrix.of(each, mapping, model, x_range=1.0) for each in parts(layer, whole))
    params = Params(arrays, scales=(1.0,) * len(arrays))
    forward = layer.forward(x, params, training=False, rng=RNG)
    np.testing.assert_allclose(forward.y, plain.y, rtol=0.0, atol=1e-12)  # sums of ones in another order
    # Cells without a connection take current too, in both halves of a pair: fewer cells, less energy.
    assert sum(cost.energy for cost in forward.reads) < 0.7 * plain.energy


def few() -> DataSet:
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 16)), np.arange(60) % 3
    x[np.arange(60), y] += 1.0
    return DataSet(x[:45], y[:45], x[45:], y[45:], "made up")


def experiment(**others: object) -> Experiment:
    layers = [LAYER, {"kind": "activation"}, {"kind": "dense"}]
    values = {
        "network": {"layers": layers},
        "epochs": 2,
        "float_reference": False,
        "mapping": {"wires": False},
        **others,
    }
    return Experiment.checked(values, where="the test")


def test_a_training_leaves_cells_without_a_connection_alone_and_its_file_holds_the_clusters(tmp_path):
    # Two blocks with holes: of the cells of an array that are no connections there are some.
    blocks = np.kron(np.eye(2), np.ones((6, 8))) * (np.random.default_rng(4).random((12, 16)) < 0.8)
    np.savez(tmp_path / "w.npz", weight=blocks)
    sparse = LAYER | {"connections": {"file": str(tmp_path / "w.npz"), "name": "weight"}}
    layers = [sparse, {"kind": "activation"}, {"kind": "dense"}]
    first = experiment(network={"layers": layers}, epochs=4, optimiser={"learning_rate": 0.03})
    train(first, tables(), data=few()).save(tmp_path / "run.h5")
    run = record.load(tmp_path / "run.h5")
    layer = first.network.layers[0]
    assert isinstance(layer, Clustered)
    assert sum(np.sum(~each.mask) for each in layer.clusters) > 10
    (tmp_path / "w.npz").unlink()  # the run file holds the clusters
    moved = 0
    for each, cells in zip(layer.clusters, run.layers, strict=False):
        still = cells.g_final[:, ~each.mask]
        np.testing.assert_array_equal(still, cells.g_initial[:, ~each.mask])
        moved += int(np.sum(cells.g_final[:, each.mask] != cells.g_initial[:, each.mask]))
    assert moved > 50
    found = evaluate(run.network, few().x_test, few().y_test)
    assert found.accuracy == run.accuracy
    assert [each.name for each in found.layers][:2] == ["0.cluster.0", "0.cluster.1"]
    stored = run.settings["network"]["layers"][0]
    assert Clustered.checked(stored, where="the run").clusters == layer.clusters
    arrays = state_dict(run.network.network, run.network.params)
    assert not np.any(arrays["0.cluster.0.weight"].T[~layer.clusters[0].mask])
    with pytest.raises(InputError, match="must be 0 where the layer has no connection"):
        from_state_dict(run.network.network, {**arrays, "0.cluster.0.weight": np.ones((6, 8))}, w_max=1.0, dtype=FLOAT)
    work = work_of(run.network.network)
    assert len(work.matrices) == len(layer.clusters) + 1
    assert work.macs_backward == 12 * 3  # of the last layer: a first layer sends no errors back
    assert cost_of(run).line_buffers == ()  # clusters are no chain of layers


def test_a_first_layer_in_several_arrays_has_no_copy_of_any():
    """Of the first layer no error goes back: `sign` with copies writes one of the layer after it alone."""
    copied = experiment(epochs=1, rule={"kind": "sign", "backward": "copy"})
    run = train(copied, tables(), data=few())
    subject = Subject.of(run)
    clusters = len(copied.network.layers[0].clusters)
    assert clusters > 2 and [subject.arrays(index) for index in range(clusters + 1)] == [1] * clusters + [2]
    assert [each.layer for each in copies_of(subject)] == [subject.work.matrices[-1].label]
    trainer, _ = trainers(copied, copied.on(copied.chip.tables(tables())), (16,), 3)
    state = init(trainer, copied)
    assert [part.copy is None for part in state.rule_state.parts] == [True] * clusters + [False]


def test_the_example_is_an_experiment_and_uses_every_cell_of_its_arrays():
    layer = Experiment.from_toml(EXAMPLE).network.layers[0]
    assert isinstance(layer, Clustered)
    assert layer.layout == {
        "arrays": 4,
        "cells": 768,
        "use": 1.0,
        "connections": 787,
        "discrete": 19,
        "discrete_lines": 15,
        "plain_arrays": 16,
        "plain_use": 787 / 3072,
    }


def test_what_is_no_sparse_layer_is_refused(tmp_path):
    for kind in ("outer_product", "tiki_taka", "fault_tolerant", "binary"):  # before a cell is written
        with pytest.raises(InputError, match=rf"leaves cells without a connection alone; `{kind}` \w"):
            train(experiment(rule={"kind": kind}), tables(), data=few())
    np.savez(tmp_path / "w.npz", **{"1.weight": np.arange(192.0).reshape(12, 16)})
    named = {"file": str(tmp_path / "w.npz"), "name": "1.weight"}
    for wrong, words in (
        ({"inputs": 15}, "must be 16 here; got 15"),
        ({"connections": {"keep": 0.1}}, "keep do nothing for planted groups"),
        ({"connections": {**named, "groups": 2}}, "groups do nothing for connections of a file"),
        ({"connections": {"file": named["file"]}}, "name must say"),
        ({"connections": named | {"name": "2.weight"}}, "must hold `2.weight`; got 1.weight"),
        ({"connections": named, "units": 11}, "\\(11, 16\\); got \\(12, 16\\)"),
        ({"connections": {"groups": 13}}, "at most 12"),
        ({"clusters": [{"rows": [16], "columns": [0], "connected": ["1"]}]}, "rows below 16"),
        ({"clusters": [{"rows": [1], "columns": [0], "connected": ["11"]}]}, "a digit for each column"),
    ):
        with pytest.raises(InputError, match=words):
            first = Experiment.checked({"network": {"layers": [LAYER | wrong]}}, where="the test").network
            first.chain(images=False).plan((16,), classes=3, reach=10.0)
    kept = Clustered(**LAYER | {"connections": named | {"keep": 0.25}})
    assert kept.mask.sum() == 48 and kept.mask[:, 9:].all()  # the largest weights are those of the last three outputs
    assert kept.layout["use"] == 1.0 and kept.layout["plain_use"] == 0.25
