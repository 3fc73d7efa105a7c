"""RRAM-ACU: the divider and its inverse, functions to approximate, digits, copies, training before the array."""

from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.array import ArrayModel
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Divider
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.data.functions import FUNCTIONS, as_digits, function
from rramkit.learning.evaluate import tuned
from rramkit.learning.layers import Dense, Params
from rramkit.learning.layers.layer import MatrixPlan

RNG = np.random.default_rng(0)
DIVIDER = Divider(g_low=4e-6, g_high=80e-6, load=3.0, column_sum=2.5)
WEIGHT = np.clip(RNG.normal(scale=0.4, size=(6, 3)), -0.4, 0.4)  # columns of one sign add up to 2.4 at most


def foot(g_cell, v, g_load):
    """Voltage at the foot of each column (M,), by Kirchhoff's law and bisection: what comes in leaves by the load."""
    found = []
    for column in g_cell.T:
        low, high = float(v.min()) - 1.0, float(v.max()) + 1.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            inflow = sum(g * (each - middle) for g, each in zip(column, v, strict=True)) - g_load * middle
            low, high = (middle, high) if inflow > 0.0 else (low, middle)
        found.append(0.5 * (low + high))
    return np.array(found)


def test_a_column_with_a_load_divides_as_its_coefficients_say():
    g_cell, v = RNG.uniform(4e-6, 80e-6, (6, 4)), RNG.random(6)
    np.testing.assert_allclose(
        foot(g_cell, v, DIVIDER.g_load), v @ DIVIDER.coefficients(g_cell), rtol=1e-12
    )  # bisection


def test_the_inverse_of_the_divider_is_exact():
    g_cell = RNG.uniform(4e-6, 80e-6, (6, 5))
    np.testing.assert_allclose(DIVIDER.conductances(DIVIDER.coefficients(g_cell)), g_cell, rtol=1e-12)  # rounding
    np.testing.assert_allclose(DIVIDER.weight(DIVIDER.targets(WEIGHT)), WEIGHT, rtol=0.0, atol=1e-13)


def test_the_fullest_column_reaches_the_end_of_the_window():
    """Weights of 1 that add up to `column_sum` take the highest conductance; an empty column the lowest."""
    divider = DIVIDER.model_copy(update={"column_sum": 3.0})
    cells = divider.targets(np.array([[1.0], [1.0], [1.0], [0.0]]))
    assert cells.max() == near(80e-6, 1e-12) and cells[0, :, 1].max() == near(4e-6, 1e-12)  # rounding


def test_both_products_through_dividers_are_those_of_the_weights():
    model = ArrayModel(tables(linear=True), wires=False)
    matrix = MappedMatrix.of(WEIGHT, Divider.from_tables(tables(), Divider(column_sum=2.5)), model)
    x, e = RNG.random((5, 6)), RNG.normal(size=(5, 3))
    # rounding of sums whose parts are some ten times the difference that they leave
    np.testing.assert_allclose(matrix.forward(x).y, x @ WEIGHT, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(matrix.backward(e).y, e @ WEIGHT.T, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("coefficients", "said"),
    [
        (np.full((4, 2), 0.25), "must add up to less than 1; got 1 in column 0"),
        (np.full((4, 2), 1e-4), "must take conductances within 4e-06 to 8e-05 S; they take 2.401e-08"),
        (np.array([[0.3], [0.01]]), "they take 3.478e-06 to 0.0001043 S. Scale the weights, or raise `column_sum`"),
    ],
)
def test_coefficients_that_no_column_has_are_refused(coefficients, said):
    with pytest.raises(InputError) as caught:
        DIVIDER.conductances(coefficients)
    assert said in str(caught.value)


def test_columns_are_limited_to_what_they_can_give():
    full = np.array([[1.0, -0.5], [1.5, 0.2], [-0.5, -0.4], [1.0, 0.0]])
    limited, changed = DIVIDER.limited(full)
    # 1 + 1 + 1 of one sign becomes 2.5, the other sign stays
    np.testing.assert_allclose(limited, [[2.5 / 3, -0.5], [2.5 / 3, 0.2], [-0.5, -0.4], [2.5 / 3, 0.0]], rtol=1e-14)
    assert changed == 3
    with pytest.raises(InputError, match=r"must add up to less than 1; got 1\.033 in column 0"):
        DIVIDER.targets(np.ones((6, 1)))


def test_a_rule_of_single_weights_cannot_write_dividers():
    settings = {"mapping": {"kind": "divider"}, "rule": "mixed_precision", "loss": "mean_square"}
    with pytest.raises(InputError, match=r'`rule\.kind` must write whole matrices .* Set it to "write_verify"'):
        Experiment.checked(settings, where="the test").built_rule(tables())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_of_functions_fill_0_to_1_without_being_cut(name):
    data, one = function(name, train=3000, test=10, seed=1), FUNCTIONS[name]
    u = np.asarray(one.low) + data.x_train * (np.asarray(one.high) - np.asarray(one.low))
    back = np.asarray(one.f_low) + data.y_train * (np.asarray(one.f_high) - np.asarray(one.f_low))
    np.testing.assert_allclose(back, one.of(u), rtol=0.0, atol=1e-12)  # rounding of the scale
    assert 0.0 <= data.y_train.min() < 0.1 and 0.8 < data.y_train.max() <= 1.0  # ends of six inputs are rare


def test_the_arm_reaches_the_point_that_its_joints_are_of():
    u = RNG.uniform(0.1, 0.65, (50, 2))
    first, second = FUNCTIONS["inversek2j"].of(u).T
    reached = 0.5 * np.stack([np.cos(first) + np.cos(first + second), np.sin(first) + np.sin(first + second)], axis=1)
    np.testing.assert_allclose(reached, u, rtol=0.0, atol=1e-12)  # rounding


def test_digits_stand_for_their_number():
    x = np.arange(256)[:, None] / 255
    high, low = (as_digits(x, bits=8, row_bits=5) * 31).T
    np.testing.assert_array_equal(np.rint(high) * 8 + np.rint(low) / 4, np.arange(256))
    with pytest.raises(InputError, match=r"`data\.bits` takes vectors \(N, F\) of numbers from 0 to 1"):
        as_digits(2.0 * x, bits=8, row_bits=5)
    for wrong in ({"row_bits": 2}, {"function": "exp"}, {"bits": 2, "row_bits": 3}):
        with pytest.raises(InputError, match="data"):
            Experiment.checked({"data": wrong}, where="the test")
    with pytest.raises(InputError, match="rate needs epochs of pretraining"):
        Experiment.checked({"pretrain": {"rate": 2.0}}, where="the test")


def test_copies_of_an_input_add_up():
    """Three rows of each input and of the bias: the product of the sum of their weights, and its gradient."""
    layer, x = Dense(units=2, bias="row", copies=3), RNG.random((4, 5))
    plan = layer.plan((5,), classes=9, reach=4.0).matrices[0]
    assert (plan.rows, plan.columns) == (18, 2)
    assert plan.scale * 3 == near(MatrixPlan.of(5, 2, reach=4.0).scale, 1e-15)
    first = plan.init(rng=np.random.default_rng(1)).reshape(3, 6, 2)
    np.testing.assert_array_equal(first[0], first[2])
    from rramkit.array.matrix import FloatMatrix

    weight = RNG.normal(size=(18, 2))
    params = Params((FloatMatrix(weight),), scales=(0.5,))
    summed = 0.5 * weight.reshape(3, 6, 2).sum(axis=0)
    result = layer.forward(x, params, training=False, rng=RNG)
    np.testing.assert_allclose(result.y, x @ summed[:-1] + summed[-1], rtol=1e-12)  # another order of the sum
    back = layer.backward(np.ones((4, 2)), result.cache, params, needs_input_grad=True, rng=RNG)
    np.testing.assert_allclose(back.error, np.ones((4, 2)) @ summed[:-1].T, rtol=1e-12)


def test_what_was_learnt_in_float_is_written_and_learnt_on_in_the_array():
    """The six functions' method on one of them and a made-up device: errors in the array within 1.5 of float."""
    settings = {
        "network": {
            "reach": 8.0,
            "layers": [
                {"kind": "dense", "units": 6, "bias": "row", "copies": 2},
                {"kind": "activation", "function": "sigmoid"},
                {"kind": "dense", "bias": "row", "copies": 2},
            ],
        },
        "data": {
            "name": "function",
            "function": "exp",
            "bits": 8,
            "row_bits": 5,
            "validation": 0.0,
            "test_images": 200,
        },
        "loss": "mean_square",
        "mapping": {"kind": "divider", "weights": {"kind": "divider", "load": 50.0, "column_sum": 6.0}, "wires": False},
        "rule": {"kind": "write_verify", "way": "error", "start": "error"},
        "pretrain": {"epochs": 60, "rate": 10.0},
        "optimiser": {"learning_rate": 0.0005},
        "epochs": 1,
        "batch": 100,
    }
    run = train(Experiment.checked(settings, where="the test"), tables(linear=True))
    assert run.errors["mean"] < 1.5 * run.errors["float_mean"] < 0.045  # measured: 0.021 in float
    assert run.errors["largest"] < 1.5 * run.errors["float_largest"]
    assert (
        run.epochs.accuracy_train[0] > 0.97
    )  # the weights of the float training are in the cells before the first epoch
    network: Any = run.network
    matrices = network.params.matrices
    assert tuned(network, [matrix.weight for matrix in matrices], window=1e-4) == 1.0
    moved = tuned(network, [0.9 * matrix.weight for matrix in matrices], window=1e-4)
    assert moved is not None and moved <= 0.5  # those of zero stay


def test_targets_of_a_network_come_from_a_file_of_ones_own():
    x = RNG.random((40, 2))
    assert DataSet(x, x.mean(axis=1, keepdims=True)).has_targets
