"""The smallest network: one matrix of pixels (and a bias row) to ten scores, its gradient by hand, on the digits.

Also a device of soft bounds whose pulses are all alike, as measured data with identical pulses give it.
"""

from dataclasses import replace

import numpy as np
from fixtures.synthetic import G_HIGH, G_LOW, perfect

from rramkit.array.matrix import Gradient, Samples
from rramkit.learning.data import digits
from rramkit.table import Quantity, TableFile

SCORE = 6.0  # score that a weight of one gives a pixel of one
SPAN = G_HIGH - G_LOW


def problem():
    """Return training inputs (N, 65) and labels, test inputs and labels."""
    data = digits(seed=1)
    with_bias = [np.hstack([x, np.ones((len(x), 1))]) for x in (data.x_train, data.x_test)]
    return with_bias[0], data.y_train, with_bias[1], data.y_test


def gradient(matrix, x, labels, *, rng):
    """Return the gradient of the mean cross-entropy of a batch by the weights of one matrix."""
    scores = SCORE * matrix.forward(Samples(x), rng=rng).y
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1.0
    return Gradient(Samples(x), SCORE * p / len(labels))


def first_weights(seed=2):
    return (np.random.default_rng(seed).normal(0.0, 0.03, (65, 10)),)


def train_epochs(rule, *, epochs, batch=32, seed=3, state=None):
    """Return the state after some epochs, and its accuracy on the test set."""
    x, labels, x_test, labels_test = problem()
    rng = np.random.default_rng(seed)
    state = state or rule.init(first_weights(), rng=rng)
    for _ in range(epochs):
        order = rng.permutation(len(labels))
        for start in range(0, order.size, batch):
            chosen = order[start : start + batch]
            slope = gradient(state.matrices[0], x[chosen], labels[chosen], rng=rng)
            state = rule.step(state, [slope], rng=rng)
    scores = state.matrices[0].forward(Samples(x_test), rng=rng).y
    return state, float(np.mean(np.argmax(scores, axis=1) == labels_test))


def soft_bounds(step=0.004) -> TableFile:
    """Return an ideal array of cells whose one pulse changes them by `step` of the range at its middle."""
    ideal = perfect()
    g = np.linspace(G_LOW, G_HIGH, 12)
    up = 2.0 * step * (G_HIGH - g)  # twice, because the middle is half way
    tables = {}
    for name, change in (("set", up), ("reset", -2.0 * step * (g - G_LOW))):
        tables[name] = replace(
            ideal[name],
            axes={"g_start": Quantity(g, "S"), "v_pulse": Quantity(np.array([1.5]), "V")},
            signals={
                "delta_g": Quantity(change[:, None], "S"),
                "energy": Quantity(np.full((12, 1), 1e-12), "J"),
            },
            conditions={"t_pulse": Quantity(np.asarray(100e-9), "s")},
        )
    return TableFile({**ideal.tables, **tables}, ideal.provenance)
