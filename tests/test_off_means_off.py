"""With every non-ideality off, training is that of a plain network: the slow obvious one below, and PyTorch's."""

import numpy as np
import pytest
from synthetic import perfect

from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.model import Network, NetworkSettings
from rramkit.learning.optimisers import Adam
from rramkit.learning.rules import FloatReference
from rramkit.learning.student import Teacher

STEPS, RATE = 10, 0.002
RNG = np.random.default_rng(0)
X, LABELS = RNG.random((STEPS, 16, 12)), RNG.integers(0, 4, (STEPS, 16))


def _plain(weights, scales):
    """Train a perceptron of two layers with Adam, every line written out; weights in units of their scale."""
    weights = [weight.copy() for weight in weights]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    scores = np.empty(0)
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


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_ten_steps_of_the_float_rule_are_those_of_a_plain_network(precision):
    dtype, rng = np.dtype(precision), np.random.default_rng(1)
    network = Network.of(NetworkSettings(hidden=(9,)), (12,), 4)
    weights = network.drawn(rng=rng, dtype=dtype)
    teacher = Teacher(network, FloatReference(Adam(RATE)), Adam(RATE))
    student = teacher.enrolled(weights, dtype=dtype, rng=rng)
    scores = np.empty(0)
    for x, labels in zip(X, LABELS, strict=True):
        scores = network.forward(student.parts, x.astype(dtype), training=True, rng=rng).scores
        student, _ = teacher.taught(student, x.astype(dtype), labels, rng=rng)
    expected, last = _plain([w.astype(float) for w in weights], [plan.scale for plan in network.matrices])
    for matrix, plain, start in zip(student.learner.matrices, expected, weights, strict=True):
        assert np.max(np.abs(plain - start)) > 1e-2  # the training did something
        np.testing.assert_allclose(matrix.weight, plain, rtol=0, atol=1e-5)  # what was asked for
    np.testing.assert_allclose(scores, last, rtol=0, atol=1e-5)


def test_ten_steps_on_a_perfect_device_are_those_of_the_float_network():
    """Cells that are linear and written exactly, ideal wires, no converters: one experiment, in RRAM and in float."""
    rng = np.random.default_rng(2)
    x, y = rng.random((160, 12)), rng.integers(0, 4, 160)
    data = DataSet(x, y, x[:40], y[:40])
    experiment = Experiment.checked(
        {
            "network": {"hidden": [9]},
            "mapping": {"wires": False},
            "rule": {"kind": "mixed_precision", "threshold": 0.0},
            "epochs": 1,
            "batch": 16,
            "precision": "float64",
        },
        where="the test",
    )
    seen = []
    train(experiment, perfect(g_step=1e-9), data=data, progress=seen.append)
    assert seen[1].accuracy_test == seen[1].float_accuracy_test
    assert seen[1].loss != pytest.approx(seen[0].loss, abs=1e-3)


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
    weights = network.drawn(rng=rng, dtype=np.dtype(float))
    scales = [plan.scale for plan in network.matrices]
    teacher = Teacher(network, FloatReference(Adam(RATE)), Adam(RATE))
    student = teacher.enrolled(weights, dtype=np.dtype(float), rng=rng)
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
        student, _ = teacher.taught(student, x, labels, rng=rng)
        own = {
            "0.weight": (scales[0] * units[0]).T.reshape(3, 2, 3, 3),
            "5.weight": (scales[1] * units[1]).T,
        }
        adam.zero_grad()
        scores = torch.func.functional_call(twin, own, torch.tensor(x))
        torch.nn.functional.cross_entropy(scores, torch.tensor(labels)).backward()
        adam.step()
    for matrix, unit, start in zip(student.learner.matrices, units, weights, strict=True):
        assert np.max(np.abs(matrix.weight - start)) > 1e-2
        np.testing.assert_allclose(matrix.weight, unit.detach().numpy(), rtol=0, atol=1e-5)
