"""Digital correction of outputs: a gain and an offset that reads have is found and taken out, and stays on the chip."""
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# Groups are given as dictionaries and lists here, which pydantic converts; matrices made up here read forward only.

from dataclasses import dataclass

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.array.matrix import FloatMatrix, Product
from rramkit.array.write.ageing import RetentionParams
from rramkit.errors import InputError
from rramkit.learning import Experiment
from rramkit.learning.cells import leaves
from rramkit.learning.corrected import Corrected
from rramkit.learning.correction import corrected
from rramkit.learning.evaluate import accuracy_in_float, aged, evaluate, rewritten
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.state_dict import from_state_dict, state_dict
from rramkit.learning.trained import TrainedNetwork

LAYERS = [
    {"kind": "convolution", "channels": 3, "kernel": 2, "bias": "none"},
    {"kind": "batch_norm"},
    {"kind": "activation"},
    {"kind": "flatten"},
    {"kind": "dense"},
]
RNG = np.random.default_rng(4)
ARRAYS = {
    "0.weight": RNG.normal(size=(3, 1, 2, 2)),
    "1.weight": RNG.uniform(0.5, 2.0, 3),
    "1.bias": RNG.normal(size=3),
    "1.running_mean": RNG.normal(size=3),
    "1.running_var": RNG.uniform(0.5, 2.0, 3),
    "4.weight": RNG.normal(size=(3, 27)),
    "4.bias": RNG.normal(size=3),
}
X = RNG.normal(size=(40, 1, 4, 4))
FLOAT64 = np.dtype(float)


@dataclass(frozen=True)
class Wrong:
    """A matrix whose outputs have a gain and an offset of their own."""

    inner: FloatMatrix
    gain: np.ndarray
    offset: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        return self.inner.weight

    def forward(self, x, *, rng) -> Product:
        return Product(self.inner.forward(x, rng=rng).y * self.gain + self.offset, energy=1.0, duration=2.0)


def plain_network():
    network = Network.of(NetworkSettings(layers=LAYERS), (1, 4, 4), 3)
    return from_state_dict(network, ARRAYS, w_max=1.0, dtype=FLOAT64)


def on(matrices) -> TrainedNetwork:
    plain = plain_network()
    return TrainedNetwork(plain.network, plain.network.params(matrices, plain.vectors, plain.means), FLOAT64)


def test_gains_and_offsets_of_every_layer_are_taken_out():
    plain, rng = plain_network(), np.random.default_rng(7)
    exact = tuple(FloatMatrix(weight) for weight in plain.weights)
    wrong = on(tuple(Wrong(each, rng.uniform(0.5, 1.2, 3), rng.normal(size=3)) for each in exact))
    scores = on(exact).scores(X)
    assert np.abs(wrong.scores(X) - scores).max() > 0.5
    right, cost = corrected(wrong, plain.weights, X[:12], batch=5)
    # A straight line is fitted exactly; sums of float64, a few of order one.
    np.testing.assert_allclose(right.scores(X), scores, rtol=0, atol=1e-10)
    assert (cost.energy, cost.seconds) == (6.0, 12.0)  # three batches through two matrices
    again, _ = corrected(right, plain.weights, X[:12], batch=5)
    assert isinstance(again.params.matrices[0].inner, Wrong)  # one correction, not one on top of the other
    np.testing.assert_array_equal(again.params.matrices[0].gain, right.params.matrices[0].gain)
    for matrix, weight in zip(right.params.matrices, plain.weights, strict=True):
        np.testing.assert_array_equal(matrix.weight, weight)


def test_an_output_that_is_always_the_same_keeps_its_gain():
    plain = plain_network()
    weights = (plain.weights[0] * np.array([0.0, 1.0, 1.0]), plain.weights[1])
    found, _ = corrected(on(tuple(FloatMatrix(weight) for weight in weights)), weights, X[:4], batch=4)
    assert found.params.matrices[0].gain[0] == 1.0 and found.params.matrices[0].offset[0] == 0.0
    for each in found.params.matrices:  # of exact reads nothing is to be corrected: rounding of sums
        np.testing.assert_allclose(each.gain, 1.0, rtol=1e-12)
        np.testing.assert_allclose(each.offset, 0.0, rtol=0, atol=1e-12)
    with pytest.raises(InputError, match="at least two inputs"):
        corrected(found, weights, X[:1], batch=4)


def test_what_lines_take_is_given_back_and_the_cells_stay_what_they_are():
    """Switches of 300 ohm take some percent of the currents; exact cells, so that nothing else is wrong."""
    settings = {
        "network": {"layers": LAYERS},
        "mapping": {"read": {"line_switch": {"r_on": 300.0}}},
        "rule": {"kind": "write_verify", "placement": "low", "start": "error"},
        "precision": "float64",
    }
    experiment = Experiment.checked(settings, where="the test")
    operating, plain = experiment.chip.tables(tables()), plain_network()
    labels = np.argmax(on(tuple(FloatMatrix(weight) for weight in plain.weights)).scores(X), axis=1)
    chip, _ = rewritten(experiment, operating, plain, X, labels, input_shape=(1, 4, 4), seed=3)
    right, cost = corrected(chip, plain.weights, X[:16], batch=16)
    scores = on(tuple(FloatMatrix(weight) for weight in plain.weights)).scores(X)
    before, after = (np.abs(each.scores(X) - scores).mean() for each in (chip, right))
    # What is left depends on the inputs: the curve of the cells, and losses by the other cells' currents.
    assert after < 0.2 * before, (before, after)
    assert cost.energy == near(sum(layer.energy for layer in evaluate(chip, X[:16], labels[:16]).layers) * 16, rel=0.05)
    gains = [each.gain for each in right.params.matrices]
    assert all(np.all((gain > 1.0) & (gain < 2.0)) for gain in gains)
    own, its = (state_dict(each.network, each.params) for each in (chip, right))
    assert all(np.array_equal(own[name], its[name]) for name in own)
    old = aged(right, 1e6, t_cell=300.0, retention=RetentionParams(nu=0.02))
    assert all(isinstance(matrix, Corrected) and len(leaves(matrix)) == 1 for matrix in old.params.matrices)
    assert np.all(old.params.matrices[1].inner.g_cell <= chip.params.matrices[1].g_cell)
    anew, _ = corrected(old, plain.weights, X[:16], batch=16)
    late, made_good = (np.abs(each.scores(X) - scores).mean() for each in (old, anew))
    assert made_good < 0.5 * late
    assert accuracy_in_float(plain, X, labels, dtype=FLOAT64) == 1.0


def test_a_pair_off_the_middle_holds_less_before_a_half_is_cut():
    experiment = Experiment.checked({"rule": {"kind": "write_verify", "centre": 0.4}}, where="the test")
    rule = experiment.built_rule(tables())
    assert rule.device is not None
    mapping = rule.device.mapping
    assert rule.limits(1) == [near(0.8, rel=1e-12)]
    low, high = mapping.window
    for weight in (0.8, -0.8):
        assert mapping.decode(mapping.encode(np.array(weight))) == near(weight, rel=1e-12)
    assert abs(mapping.decode(mapping.encode(np.array(1.0)))) < 0.95  # what a weight of one had silently become
    lowest = experiment.rule.model_copy(update={"placement": "low"})
    lower = experiment.model_copy(update={"rule": lowest}).built_rule(tables())
    assert lower.limits(1) == [1.0]
    assert lower.device is not None
    np.testing.assert_allclose(lower.device.mapping.encode(np.array(1.0)), [high, low], rtol=1e-12)
