"""Gradients of every layer against finite differences, and each layer against the slow obvious loop."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.array.matrix import FloatMatrix
from rramkit.errors import InputError
from rramkit.learning import networks
from rramkit.learning.layers import (
    FUNCTIONS,
    Activation,
    BatchNorm,
    Cluster,
    Clustered,
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    MeanPool,
    Params,
    Residual,
    Step,
)
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings

RNG = np.random.default_rng(0)
IMAGES, VECTORS = RNG.normal(size=(2, 6, 6, 3)), RNG.normal(size=(4, 5))
BLOCK = Residual(
    main=(Convolution(channels=2, kernel=3, pad=1, bias="none"), BatchNorm(), Activation()),
    shortcut=(Convolution(channels=2, kernel=1, bias="none"),),
)
ARRAYS = (
    Cluster(rows=(3, 0), columns=(1, 2), connected=("11", "11")),
    Cluster(rows=(1, 2, 4), columns=(2, 0), connected=("11", "11", "11")),
)
SCALES = (0.7, 1.3)
CASES = {
    "dense": (Dense(units=3), VECTORS),
    "dense, bias row": (Dense(units=3, bias="row"), VECTORS),
    "dense, no bias": (Dense(bias="none"), VECTORS),
    "convolution": (Convolution(channels=4, kernel=3, stride=2, pad=1), IMAGES),
    "convolution, valid": (Convolution(channels=2, kernel=5, bias="none"), IMAGES),
    "max pool": (MaxPool(), IMAGES),
    "max pool, rest dropped": (MaxPool(size=4), IMAGES),
    "mean pool": (MeanPool(size=3), IMAGES),
    "mean of all": (MeanPool(size=0), IMAGES),
    "flatten": (Flatten(), IMAGES),
    "batch norm": (BatchNorm(), IMAGES),
    "batch norm, vectors": (BatchNorm(), VECTORS),
    "residual": (BLOCK, IMAGES),
    "clustered": (Clustered(inputs=5, units=4, clusters=ARRAYS), VECTORS),
    **{name: (Activation(function=name), VECTORS) for name in FUNCTIONS},
}


def _params(layer, x):
    """Return random parameters of a layer, as many and of the shapes that it plans for inputs like `x`."""
    rng, shape = np.random.default_rng(1), x.shape[:-1] if x.ndim == 4 else x.shape[1:]
    plan = layer.plan(shape, classes=3, reach=1.0)
    assert layer.sizes == (len(plan.matrices), len(plan.vectors), len(plan.means))
    return Params(
        tuple(FloatMatrix(rng.normal(size=(one.rows, one.columns))) for one in plan.matrices),
        tuple(rng.normal(size=vector.shape) for vector in plan.vectors),
        plan.means,
        SCALES[: len(plan.matrices)],
    )


def _loss(layer, x, params, pull):
    return float(np.sum(layer.forward(x, params, training=True, rng=RNG).y * pull))


def _difference(function, value, place, step=1e-6):
    ends = []
    for sign in (1.0, -1.0):
        moved = value.copy()
        moved[place] += sign * step
        ends.append(function(moved))
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_against_finite_differences(name):
    layer, x = CASES[name]
    params = _params(layer, x)
    result = layer.forward(x, params, training=True, rng=RNG)
    pull = np.random.default_rng(2).normal(size=result.y.shape)
    back = layer.backward(pull, result.cache, params, needs_input_grad=True, rng=RNG)
    assert back.error.shape == x.shape
    assert (len(back.matrices), len(back.vectors)) == layer.sizes[:2]
    # central difference: rounding 1e-16 / step over sums of some dozen terms of order one
    for place in np.ndindex(x.shape):
        slope = _difference(lambda moved: _loss(layer, moved, params, pull), x, place)
        assert back.error[place] == near(slope, 1e-6, within=2e-8)
    for index, matrix in enumerate(params.matrices):

        def of_matrix(moved, index=index):
            changed = list(params.matrices)
            changed[index] = FloatMatrix(moved)
            return _loss(layer, x, replace(params, matrices=tuple(changed)), pull)

        for place in np.ndindex(matrix.weight.shape):
            slope = _difference(of_matrix, matrix.weight, place)
            assert back.matrices[index].weight[place] == near(slope, 1e-6, within=2e-8)
    for index, vector in enumerate(params.vectors):

        def of_vector(moved, index=index):
            changed = list(params.vectors)
            changed[index] = moved
            return _loss(layer, x, replace(params, vectors=tuple(changed)), pull)

        for place in np.ndindex(vector.shape):
            slope = _difference(of_vector, vector, place)
            assert back.vectors[index][place] == near(slope, 1e-6, within=2e-8)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_has_the_shape_it_plans(name):
    layer, x = CASES[name]
    shape = x.shape[:-1] if x.ndim == 4 else x.shape[1:]
    y = layer.forward(x, _params(layer, x), training=True, rng=RNG).y
    assert layer.plan(shape, classes=3, reach=1.0).shape == (y.shape[:-1] if y.ndim == 4 else y.shape[1:])


def test_a_convolution_is_its_slow_loop():
    layer, x = CASES["convolution"]
    params = _params(layer, x)
    y = layer.forward(x, params, training=True, rng=RNG).y
    kernel, padded = params.matrices[0].weight.reshape(2, 3, 3, 4), np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for c, i, j, b in np.ndindex(y.shape):
        window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3, b]
        slow = 0.7 * np.sum(window * kernel[..., c]) + params.vectors[0][c]
        assert y[c, i, j, b] == near(slow, 1e-12, within=1e-12)


def _stepped(layer, x):
    result = layer.forward(x, Params(), training=True, rng=RNG)
    return result.y, layer.backward(np.full(x.shape, 3.0), result.cache, Params(), needs_input_grad=True, rng=RNG).error


def test_a_step_is_its_slow_loop_and_its_gradient_goes_straight_through():
    layer = Step(threshold=(0.5, -0.25), width=0.75)
    y, error = _stepped(layer, IMAGES)
    for c, i, j, b in np.ndindex(IMAGES.shape):
        beyond = IMAGES[c, i, j, b] - layer.threshold[c]
        assert y[c, i, j, b] == (1.0 if beyond > 0 else 0.0)
        assert error[c, i, j, b] == (3.0 if -0.75 <= beyond <= 0.75 else 0.0)
    # a tie is not beyond, and the edges of the width still pass
    y, error = _stepped(Step(threshold=(1.0,), width=0.5), np.array([[1.0, 1.5, 0.5, 1.5 + 1e-9, 0.5 - 1e-9]]))
    np.testing.assert_array_equal(y, [[0.0, 1.0, 0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(error, [[3.0, 3.0, 3.0, 0.0, 0.0]])
    y, _ = _stepped(Step(threshold=(9.0, 0.0, 0.0, 0.0, -9.0)), VECTORS)
    np.testing.assert_array_equal(y[:, [0, 4]], [[0.0, 1.0]] * 4)  # one a channel, of vectors too
    assert _stepped(Step(), IMAGES.astype(np.float32))[0].dtype == np.float32


def test_a_step_takes_one_threshold_or_one_a_channel(tmp_path):
    path = tmp_path / "network.toml"
    path.write_text(
        '[[layers]]\nkind = "step"\nthreshold = 0.5\n[[layers]]\nkind = "flatten"\n[[layers]]\nkind = "dense"\n'
    )
    settings = NetworkSettings.from_toml(path)
    assert settings.layers[0] == Step(threshold=(0.5,))
    with pytest.raises(InputError, match=r"one for each of its 4 channels; got 2\. Pass one or 4"):
        Network.of(NetworkSettings(layers=(Step(threshold=(0.0, 1.0)), *settings.layers[1:])), (4, 8, 8), 10)


def test_of_equal_pixels_the_first_one_takes_the_error():
    x = np.zeros((1, 2, 2, 1))
    result = MaxPool().forward(x, Params(), training=True, rng=RNG)
    back = MaxPool().backward(np.ones((1, 1, 1, 1)), result.cache, Params(), needs_input_grad=True, rng=RNG)
    np.testing.assert_array_equal(back.error, [[[[1.0], [0.0]], [[0.0], [0.0]]]])


def test_batch_norm_follows_the_batches_and_then_stands_still():
    layer = BatchNorm()
    params = Params((), (np.ones(2), np.zeros(2)), (np.zeros(2), np.ones(2)))
    rng = np.random.default_rng(3)
    batches = [rng.normal([[2.0], [-1.0]], [[3.0], [0.5]], (2, 400)).reshape(2, 10, 10, 4) for _ in range(60)]
    for batch in batches:
        result = layer.forward(batch, params, training=True, rng=rng)
        np.testing.assert_allclose(result.y.mean(axis=(1, 2, 3)), 0.0, rtol=0, atol=1e-12)
        params = replace(params, means=result.means)
    # the mean of 1/0.1 batches of 400 has a deviation of about 3 / sqrt(8000) = 0.03
    np.testing.assert_allclose(params.means[0], [2.0, -1.0], rtol=0, atol=0.15)
    np.testing.assert_allclose(np.sqrt(params.means[1]), [3.0, 0.5], rtol=0.05)
    one = layer.forward(batches[0][..., :1], params, training=False, rng=rng)
    assert all(new is old for new, old in zip(one.means, params.means, strict=True))
    of_batch = layer.forward(batches[0], params, training=False, rng=rng).y[..., :1]
    np.testing.assert_array_equal(one.y, of_batch)  # an image's outcome does not depend on its neighbours


def _built(settings, shape):
    network = Network.of(settings, shape, 10)
    rng = np.random.default_rng(0)
    matrices = tuple(FloatMatrix(w) for w in network.init_weights(rng=rng, dtype=np.dtype(np.float32)))
    vectors = tuple(v.astype(np.float32) for v in network.vectors)
    return network, network.params(matrices, vectors, tuple(m.astype(np.float32) for m in network.means))


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
    assert 2 * sum(plan.rows * plan.columns for plan in network.matrices) == near(22.3e6, 0.005)
    x = np.random.default_rng(1).random((2, 3, 32, 32), dtype=np.float32)
    assert np.all(np.isfinite(network.gradients(parts, x, np.array([1, 2]), rng=RNG)[2].matrices[0].weight))


def test_layers_that_do_not_fit_are_named():
    with pytest.raises(
        InputError, match=r"dense layer takes vectors \(F,\); put a `flatten` before it; got \(1, 8, 8\)"
    ):
        Network.of(NetworkSettings(layers=(Dense(),)), (1, 8, 8), 10)
    with pytest.raises(InputError, match="`kernel` must fit"):
        Network.of(NetworkSettings(layers=(Convolution(kernel=9),)), (1, 8, 8), 10)
    block = Residual(main=(Convolution(channels=3, pad=1),))
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
    assert isinstance(networks.resnet18()[-1], Dense)
