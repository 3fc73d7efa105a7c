import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, perfect, tables

from rramkit.array import ArrayModel, Tile
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import FloatMatrix
from rramkit.learning.losses import cross_entropy
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.optimisers import Adam, Momentum

NETWORK = Network.of(NetworkSettings(hidden=(5, 4)), (6,), 3)
SCALES = [plan.scale for plan in NETWORK.matrices]
RNG = np.random.default_rng(3)
X, LABELS = RNG.uniform(0.0, 1.0, (8, 6)), RNG.integers(0, 3, 8)
G_UNIT = 0.5 * (G_HIGH - G_LOW)
HALF = Pairs(w_max=2.0, g_low=G_LOW, g_high=G_HIGH)  # a weight of one is half the window
CENTRE = 0.5 * (G_LOW + G_HIGH)


def _weights(seed=4):
    drawn = NETWORK.init_weights(rng=np.random.default_rng(seed), dtype=np.dtype(float))
    return [weight + 0.01 for weight in drawn]


def _in_float(weights):
    return NETWORK.params(tuple(FloatMatrix(weight) for weight in weights))


def _in_rram(weights, file, *, wires):
    model = ArrayModel.from_tables(file, wires=wires)
    pairs = [np.stack([CENTRE + 0.5 * G_UNIT * w, CENTRE - 0.5 * G_UNIT * w]) for w in weights]
    return NETWORK.params(tuple(MappedMatrix(Tile.of(pair, model), HALF) for pair in pairs))


def _gradients(parts):
    loss, _, slopes = NETWORK.gradients(parts, X, LABELS, rng=RNG)
    return loss, slopes.matrices


def _numpy_loss(weights, x, labels):
    """The slow obvious network: one image at a time."""
    total = 0.0
    for image, label in zip(x, labels, strict=True):
        hidden = image
        for index, weight in enumerate(weights):
            scores = SCALES[index] * np.append(hidden, 1.0) @ weight
            hidden = np.maximum(scores, 0.0) if index < len(weights) - 1 else scores
        total += np.log(np.sum(np.exp(hidden))) - hidden[label]
    return total / len(labels)


@pytest.mark.parametrize("build", ["float", "perfect", "off"])
def test_gradients_against_finite_differences(build):
    weights = _weights()
    parts = {
        "float": lambda: _in_float(weights),
        "perfect": lambda: _in_rram(weights, perfect(), wires=True),
        "off": lambda: _in_rram(weights, tables(linear=True), wires=False),
    }[build]()
    loss, slopes = _gradients(parts)
    assert loss == near(_numpy_loss(weights, X, LABELS), 1e-9)
    step = 1e-6
    for layer, weight in enumerate(weights):
        for place in [(0, 0), (2, 1), (weight.shape[0] - 1, 2)]:
            ends = []
            for sign in (1.0, -1.0):
                moved = [one.copy() for one in weights]
                moved[layer][place] += sign * step
                ends.append(_numpy_loss(moved, X, LABELS))
            # central difference: rounding 1e-16 / step dominates
            assert slopes[layer].weight[place] == near((ends[0] - ends[1]) / (2 * step), within=1e-8)


def test_the_ideal_network_in_rram_is_the_float_network():
    weights = _weights()
    in_float, in_rram = _in_float(weights), _in_rram(weights, perfect(), wires=True)
    ours, reference = (NETWORK.scores(parts, X, rng=RNG) for parts in (in_rram, in_float))
    np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-11)
    for ours, reference in zip(_gradients(in_rram)[1], _gradients(in_float)[1], strict=True):
        np.testing.assert_allclose(ours.weight, reference.weight, rtol=0, atol=1e-11)


def test_a_real_device_gives_another_answer_and_its_reads_cost_energy():
    weights = _weights()
    real, ideal = (
        NETWORK.forward(parts, X, training=False, rng=RNG)
        for parts in (_in_rram(weights, tables(), wires=True), _in_float(weights))
    )
    difference = np.max(np.abs(real.scores - ideal.scores)) / np.max(np.abs(ideal.scores))
    assert 1e-3 < difference < 0.2
    assert real.reads.total.energy > 0.0
    assert ideal.reads.total.energy == 0.0


def test_cross_entropy_of_large_scores_is_finite():
    loss, error = cross_entropy(np.array([[1e4, 0.0], [0.0, 1e4]]), np.array([0, 0]))
    assert loss == near(5e3, 1e-12)
    np.testing.assert_allclose(error, [[0.0, 0.0], [-0.5, 0.5]], rtol=0, atol=1e-12)


def test_a_zero_vector_reads_zero():
    layer = _in_rram(_weights(), tables(), wires=True).matrices[1]
    np.testing.assert_allclose(layer.backward(np.zeros((2, 4)), rng=RNG).y, 0.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimiser", [Momentum(0.1, momentum=0.9), Adam(0.01)])
def test_optimisers_against_their_textbook_loop(optimiser):
    rng = np.random.default_rng(0)
    weight, state = rng.normal(size=(3, 2)), optimiser.init([np.zeros((3, 2))])
    m, s, expected = 0.0, 0.0, weight.copy()
    for step in range(1, 6):
        slope = rng.normal(size=(3, 2))
        state, (change,) = optimiser.step(state, [slope])
        weight = weight + change
        if isinstance(optimiser, Momentum):
            m = 0.9 * m + slope
            expected -= 0.1 * m
        else:
            m, s = 0.9 * m + 0.1 * slope, 0.999 * s + 0.001 * slope**2
            expected -= 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-12)
