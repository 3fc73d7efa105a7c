"""With every non-ideality off, training is that of a plain network: the slow obvious one below, and PyTorch's."""

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, perfect, tables

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.device import DeviceSettings
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.optimisers import Adam
from rramkit.learning.rules import BoundRule, FloatReference, MixedPrecision, OpenLoop, Threshold
from rramkit.learning.trainer import Trainer

STEPS, RATE = 10, 0.002
RNG = np.random.default_rng(0)
X, LABELS = RNG.random((STEPS, 16, 12)), RNG.integers(0, 4, (STEPS, 16))
NETWORK = Network.of(NetworkSettings(hidden=(9,)), (12,), 4)


def _plain(weights, scales):
    """Train a perceptron of two layers with Adam, every line written out; weights in units of their scale."""
    weights = [weight.copy() for weight in weights]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    scores = np.zeros(0)
    for step in range(1, STEPS + 1):
        x, labels = X[step - 1], LABELS[step - 1]
        inputs = np.hstack([x, np.ones((len(x), 1))])
        before = scales[0] * inputs @ weights[0]
        hidden = np.hstack([np.maximum(before, 0.0), np.ones((len(x), 1))])
        scores = scales[1] * hidden @ weights[1]
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        error = (p - np.eye(4)[labels]) / len(x)
        back = scales[1] * error @ weights[1].T
        slopes = [scales[0] * inputs.T @ (back[:, :-1] * (before > 0.0)), scales[1] * hidden.T @ error]
        for index, slope in enumerate(slopes):
            first[index] = 0.9 * first[index] + 0.1 * slope
            second[index] = 0.999 * second[index] + 0.001 * slope**2
            m, s = first[index] / (1 - 0.9**step), second[index] / (1 - 0.999**step)
            weights[index] = weights[index] - RATE * m / (np.sqrt(s) + 1e-8)
    return weights, scores


def _ten_steps(rule, optimiser, precision):
    """Return the first weights of a small perceptron, its state after ten steps, and the scores of the last."""
    dtype, rng = np.dtype(precision), np.random.default_rng(1)
    weights = NETWORK.init_weights(rng=rng, dtype=dtype)
    trainer = Trainer(NETWORK, rule, optimiser)
    state = trainer.init(weights, dtype=dtype, rng=rng)
    scores = np.zeros(0)
    for x, labels in zip(X, LABELS, strict=True):
        scores = NETWORK.forward(trainer.params(state), x.astype(dtype), training=True, rng=rng).scores
        state, _ = trainer.train_step(state, x.astype(dtype), labels, rng=rng)
    return weights, state, scores


def _check(rule, precision, *, weights_within, scores_within):
    start, state, scores = _ten_steps(rule, Adam(RATE), precision)
    expected, last = _plain([w.astype(float) for w in start], [plan.scale for plan in NETWORK.matrices])
    for matrix, plain, first in zip(state.rule_state.matrices, expected, start, strict=True):
        assert np.max(np.abs(plain - first)) > 1e-2  # the training did something
        np.testing.assert_allclose(matrix.weight, plain, rtol=0, atol=weights_within)
    np.testing.assert_allclose(scores, last, rtol=0, atol=scores_within)
    return state


ASKED = 1e-5
WITHIN = {"float32": ASKED, "float64": 1e-12}
"""Of weights and scores (1): what was asked for; in 64 bits, rounding of ten steps alone (2e-15 was seen)."""


@pytest.mark.parametrize("precision", WITHIN)
def test_ten_steps_of_the_float_rule_are_those_of_a_plain_network(precision):
    _check(
        BoundRule(FloatReference(), Adam(RATE)),
        precision,
        weights_within=WITHIN[precision],
        scores_within=WITHIN[precision],
    )


EXACT = Threshold(threshold=0.0, way="error", start="error", placement="centre", centre=0.5, backward="tile")
"""Every change is written, to the very conductance that is wanted; both products are read from the cells."""


@pytest.mark.parametrize("arrays", [{}, {"rows": 5, "columns": 6}], ids=["one array", "many arrays"])
@pytest.mark.parametrize("precision", WITHIN)
def test_ten_steps_in_perfect_cells_are_those_of_a_plain_network(precision, arrays):
    """Ohmic cells without wires or converters, written exactly and read in both directions: the whole tile path."""
    file = DeviceSettings(current="ohmic").applied(tables())
    model = MappingSettings(wires=False, **arrays).model(file, precision)
    rule = EXACT.bind(file, model, Adam(RATE))
    state = _check(rule, precision, weights_within=WITHIN[precision], scores_within=WITHIN[precision])
    for matrix, part in zip(state.rule_state.matrices, state.rule_state.parts, strict=True):
        assert isinstance(matrix, MappedMatrix)
        assert isinstance(matrix.tile, TileGrid if arrays else Tile)
        assert matrix.digital is None  # errors went back through the cells as well
        assert np.all(part.cells.g_cell > 0.0)


@pytest.mark.parametrize(
    "spoilt", [{"wires": True}, {"read": {"row_driver": {"levels": 16}}}], ids=["wires", "converter"]
)
def test_what_is_on_is_seen(spoilt):
    """The same comparison tells a network with wires or converters from the plain one."""
    file = DeviceSettings(current="ohmic").applied(tables())
    model = MappingSettings.checked({"wires": False, **spoilt}, where="the test").model(file, "float64")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        _check(EXACT.bind(file, model, Adam(RATE)), "float64", weights_within=ASKED, scores_within=ASKED)


@pytest.mark.parametrize("kind", [MixedPrecision(threshold=0.0, centre=0.5), OpenLoop(centre=0.5)])
def test_ten_steps_of_pulses_of_a_perfect_device_are_those_of_a_plain_network(kind):
    """Pulses make any change in steps of a nanosiemens, 1.2e-5 of the range; with the remainder kept or lost."""
    file = perfect(g_step=1e-9)
    rule = kind.bind(file, MappingSettings(wires=False).model(file, "float64"), Adam(RATE))
    step = 1e-9 / (G_HIGH - G_LOW)
    # Every pulse misses by half a step at most: those of ten batches, where the remainder is lost. Scores sum up to 13
    # products of inputs up to one, ten times their weights' size: 1.4e-4 was seen.
    _check(rule, "float64", weights_within=STEPS * step / 2, scores_within=50 * step)


def test_ten_steps_on_a_perfect_device_are_those_of_the_float_network():
    """The same as one experiment, from the settings: in RRAM, and in float beside it."""
    rng = np.random.default_rng(2)
    x, y = rng.random((160, 12)), rng.integers(0, 4, 160)
    data = DataSet(x, y, x[:40], y[:40])
    settings = {
        "network": {"hidden": [9]},
        "device": {"current": "ohmic"},
        "mapping": {"wires": False},
        "rule": EXACT.model_dump(),
        "epochs": 1,
        "batch": 16,
        "precision": "float64",
    }
    seen = []
    run = train(Experiment.checked(settings, where="the test"), tables(), data=data, progress=seen.append)
    twin = train(Experiment.checked({**settings, "rule": {"kind": "float"}}, where="the test"), tables(), data=data)
    assert run.accuracy == run.float_accuracy == twin.accuracy
    assert seen[1].loss == near(float(twin.epochs.loss[1]), within=1e-9)
    assert seen[1].loss != near(seen[0].loss, within=1e-3)


def test_a_convolution_network_trains_as_pytorch_does():
    torch = pytest.importorskip("torch")
    specs = [
        {"kind": "convolution", "channels": 3, "kernel": 3, "pad": 1},
        {"kind": "batch_norm"},
        {"kind": "activation"},
        {"kind": "max_pool"},
        {"kind": "flatten"},
        {"kind": "dense"},
    ]
    network = Network.of(NetworkSettings.checked({"layers": specs}, where="the test"), (2, 6, 6), 4)
    rng = np.random.default_rng(3)
    weights = network.init_weights(rng=rng, dtype=np.dtype(float))
    scales = [plan.scale for plan in network.matrices]
    trainer = Trainer(network, BoundRule(FloatReference(), Adam(RATE)), Adam(RATE))
    state = trainer.init(weights, dtype=np.dtype(float), rng=rng)
    convolution, dense = torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.Linear(27, 4)
    layers = (convolution, torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), dense)
    twin = torch.nn.Sequential(*layers).double()
    # In units of the scales, so that Adam takes the same steps: y = scale x W'.
    units = [torch.tensor(w, requires_grad=True) for w in weights]
    with torch.no_grad():
        convolution.bias.zero_()
        dense.bias.zero_()
    others = [parameter for name, parameter in twin.named_parameters() if name not in ("0.weight", "5.weight")]
    adam = torch.optim.Adam([*units, *others], lr=RATE)
    for step in range(STEPS):
        x, labels = rng.normal(size=(16, 2, 6, 6)), LABELS[step]
        state, _ = trainer.train_step(state, x, labels, rng=rng)
        own = {
            "0.weight": (scales[0] * units[0]).T.reshape(3, 2, 3, 3),
            "5.weight": (scales[1] * units[1]).T,
        }
        adam.zero_grad()
        scores = torch.func.functional_call(twin, own, torch.tensor(x))
        torch.nn.functional.cross_entropy(scores, torch.tensor(labels)).backward()
        adam.step()
    for matrix, unit, start in zip(state.rule_state.matrices, units, weights, strict=True):
        assert np.max(np.abs(matrix.weight - start)) > 1e-2
        np.testing.assert_allclose(matrix.weight, unit.detach().numpy(), rtol=0, atol=1e-5)
