"""Gradients of every layer against finite differences, and each layer against the slow obvious loop."""

import numpy as np
import pytest

from rramkit.array import Windows
from rramkit.errors import InputError
from rramkit.learning import networks, specs
from rramkit.learning.layers import (
    FUNCTIONS,
    Activation,
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    MeanPool,
    Params,
    Residual,
)
from rramkit.learning.matrices import FloatMatrix
from rramkit.learning.model import Network, NetworkSettings

RNG = np.random.default_rng(0)
IMAGES, VECTORS = RNG.normal(size=(2, 6, 6, 3)), RNG.normal(size=(4, 5))
BLOCK = Residual(
    Chain((Convolution(0, Windows(3, 1, 1), 0.7), BatchNorm(0, 1, 0, 1), Activation("relu"))),
    Chain((Convolution(1, Windows(1)),)),
)
CASES = {
    "dense": (Dense(0, 0.7, 0), VECTORS, [(5, 3)], [(3,)]),
    "dense, bias row": (Dense(0, 1.3, None, True), VECTORS, [(6, 3)], []),
    "convolution": (Convolution(0, Windows(3, 2, 1), 0.7, 0), IMAGES, [(18, 4)], [(4,)]),
    "convolution, valid": (Convolution(0, Windows(5)), IMAGES, [(50, 2)], []),
    "max pool": (MaxPool(2), IMAGES, [], []),
    "max pool, rest dropped": (MaxPool(4), IMAGES, [], []),
    "mean pool": (MeanPool(3), IMAGES, [], []),
    "mean of all": (MeanPool(0), IMAGES, [], []),
    "flatten": (Flatten(), IMAGES, [], []),
    "batch norm": (BatchNorm(0, 1, 0, 1), IMAGES, [], [(2,), (2,)]),
    "batch norm, vectors": (BatchNorm(0, 1, 0, 1), VECTORS, [], [(5,), (5,)]),
    "residual": (BLOCK, IMAGES, [(18, 2), (2, 2)], [(2,), (2,)]),
    **{name: (Activation(name), VECTORS, [], []) for name in FUNCTIONS},
}


def _parts(layer, x, matrices, vectors):
    rng = np.random.default_rng(1)
    channels = x.shape[0] if x.ndim == 4 else x.shape[1]
    means = (np.zeros(channels), np.ones(channels))
    return Params(
        tuple(FloatMatrix(rng.normal(size=shape)) for shape in matrices),
        tuple(rng.normal(size=shape) for shape in vectors),
        means,
    )


def _loss(layer, x, parts, pull):
    return float(np.sum(layer.forward(x, parts, training=True, rng=RNG).y * pull))


def _difference(function, value, place, step=1e-6):
    ends = []
    for sign in (1.0, -1.0):
        moved = value.copy()
        moved[place] += sign * step
        ends.append(function(moved))
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_against_finite_differences(name):
    layer, x, matrices, vectors = CASES[name]
    parts = _parts(layer, x, matrices, vectors)
    done = layer.forward(x, parts, training=True, rng=RNG)
    pull = np.random.default_rng(2).normal(size=done.y.shape)
    back = layer.backward(pull, done.cache, parts, onward=True, rng=RNG)
    assert back.error.shape == x.shape
    found_matrices, found_vectors = dict(back.matrices), dict(back.vectors)
    assert sorted(found_matrices) == list(range(len(matrices)))
    assert sorted(found_vectors) == list(range(len(vectors)))
    # central difference: rounding 1e-16 / step over sums of some dozen terms of order one
    for place in np.ndindex(x.shape):
        slope = _difference(lambda moved: _loss(layer, moved, parts, pull), x, place)
        assert back.error[place] == pytest.approx(slope, abs=2e-8, rel=1e-6)
    for index, matrix in enumerate(parts.matrices):

        def of_matrix(moved, index=index):
            changed = list(parts.matrices)
            changed[index] = FloatMatrix(moved)
            return _loss(layer, x, Params(tuple(changed), parts.vectors, parts.means), pull)

        for place in np.ndindex(matrix.weight.shape):
            slope = _difference(of_matrix, matrix.weight, place)
            assert found_matrices[index].weight[place] == pytest.approx(slope, abs=2e-8, rel=1e-6)
    for index, vector in enumerate(parts.vectors):

        def of_vector(moved, index=index):
            changed = list(parts.vectors)
            changed[index] = moved
            return _loss(layer, x, Params(parts.matrices, tuple(changed), parts.means), pull)

        for place in np.ndindex(vector.shape):
            assert found_vectors[index][place] == pytest.approx(
                _difference(of_vector, vector, place), abs=2e-8, rel=1e-6
            )


def test_a_convolution_is_its_slow_loop():
    layer, x, matrices, vectors = CASES["convolution"]
    parts = _parts(layer, x, matrices, vectors)
    found = layer.forward(x, parts, training=True, rng=RNG).y
    kernel, padded = parts.matrices[0].weight.reshape(2, 3, 3, 4), np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for c, i, j, b in np.ndindex(found.shape):
        window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3, b]
        slow = 0.7 * np.sum(window * kernel[..., c]) + parts.vectors[0][c]
        assert found[c, i, j, b] == pytest.approx(slow, rel=1e-12, abs=1e-12)


def test_of_equal_pixels_the_first_one_takes_the_error():
    x = np.zeros((1, 2, 2, 1))
    done = MaxPool(2).forward(x, Params(()), training=True, rng=RNG)
    back = MaxPool(2).backward(np.ones((1, 1, 1, 1)), done.cache, Params(()), onward=True, rng=RNG)
    np.testing.assert_array_equal(back.error, [[[[1.0], [0.0]], [[0.0], [0.0]]]])


def test_batch_norm_follows_the_batches_and_then_stands_still():
    layer = BatchNorm(0, 1, 0, 1)
    parts = Params((), (np.ones(2), np.zeros(2)), (np.zeros(2), np.ones(2)))
    rng = np.random.default_rng(3)
    batches = [rng.normal([[2.0], [-1.0]], [[3.0], [0.5]], (2, 400)).reshape(2, 10, 10, 4) for _ in range(60)]
    for batch in batches:
        done = layer.forward(batch, parts, training=True, rng=rng)
        np.testing.assert_allclose(done.y.mean(axis=(1, 2, 3)), 0.0, rtol=0, atol=1e-12)
        parts = Params((), parts.vectors, tuple(value for _, value in sorted(done.means)))
    # the mean of 1/0.1 batches of 400 has a deviation of about 3 / sqrt(8000) = 0.03
    np.testing.assert_allclose(parts.means[0], [2.0, -1.0], rtol=0, atol=0.15)
    np.testing.assert_allclose(np.sqrt(parts.means[1]), [3.0, 0.5], rtol=0.05)
    judged = layer.forward(batches[0][..., :1], parts, training=False, rng=rng)
    assert not judged.means
    alone = layer.forward(batches[0], parts, training=False, rng=rng).y[..., :1]
    np.testing.assert_array_equal(judged.y, alone)  # an image's outcome does not depend on its neighbours


def _built(settings, shape):
    network = Network.of(settings, shape, 10)
    rng = np.random.default_rng(0)
    matrices = tuple(FloatMatrix(w) for w in network.drawn(rng=rng, dtype=np.dtype(np.float32)))
    vectors = tuple(v.astype(np.float32) for v in network.vectors)
    return network, Params(matrices, vectors, tuple(m.astype(np.float32) for m in network.means))


@pytest.mark.parametrize(
    ("name", "shape", "weights"),
    [("mlp", (64,), 65 * 48 + 49 * 10), ("lenet5", (1, 28, 28), 61_470), ("vgg8", (3, 32, 32), 549_984)],
)
def test_networks_by_name(name, shape, weights):
    network, parts = _built(NetworkSettings(name=name), shape)
    assert sum(plan.rows * plan.columns for plan in network.matrices) == weights
    x = np.random.default_rng(1).random((3, *shape), dtype=np.float32)
    loss, done, slopes = network.gradients(parts, x, np.array([1, 2, 3]), rng=RNG)
    assert done.scores.shape == (3, 10)
    assert 0.5 < loss < 10.0  # untrained: near ln 10
    assert [g.weight.shape for g in slopes.matrices] == [m.weight.shape for m in parts.matrices]
    assert [v.shape for v in slopes.vectors] == [v.shape for v in parts.vectors]
    arrays = [done.scores, *done.means, *slopes.vectors, *(g.weight for g in slopes.matrices)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_resnet18_has_the_counts_of_the_literature():
    network, parts = _built(NetworkSettings(name="resnet18"), (3, 32, 32))
    assert 2 * sum(plan.rows * plan.columns for plan in network.matrices) == pytest.approx(22.3e6, rel=0.005)
    x = np.random.default_rng(1).random((2, 3, 32, 32), dtype=np.float32)
    assert np.all(np.isfinite(network.gradients(parts, x, np.array([1, 2]), rng=RNG)[2].matrices[0].weight))


def test_layers_that_do_not_fit_are_named():
    with pytest.raises(
        InputError, match=r"dense layer takes vectors \(F,\); put a `flatten` before it; got \(1, 8, 8\)"
    ):
        Network.of(NetworkSettings(layers=(specs.DenseSpec(),)), (1, 8, 8), 10)
    with pytest.raises(InputError, match="`kernel` must fit"):
        Network.of(NetworkSettings(layers=(specs.ConvolutionSpec(kernel=9),)), (1, 8, 8), 10)
    block = specs.ResidualSpec(main=(specs.ConvolutionSpec(channels=3, pad=1),))
    with pytest.raises(InputError, match="must give one shape"):
        Network.of(NetworkSettings(layers=(block,)), (1, 8, 8), 10)


def test_a_network_from_toml(tmp_path):
    path = tmp_path / "network.toml"
    path.write_text(
        '[[layers]]\nkind = "convolution"\nchannels = 4\n[[layers]]\nkind = "flatten"\n[[layers]]\nkind = "dense"\n'
    )
    network, _ = _built(NetworkSettings.from_toml(path), (1, 8, 8))
    assert [(plan.rows, plan.columns) for plan in network.matrices] == [(9, 4), (144, 10)]
    path.write_text('[[layers]]\nkind = "convolution"\nkernle = 4\n')
    with pytest.raises(InputError, match="kernle"):
        NetworkSettings.from_toml(path)
    assert isinstance(networks.resnet18()[-1], specs.DenseSpec)
