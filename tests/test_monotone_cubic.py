"""The curve between the points of a table, against SciPy's, and what it claims."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from rramkit.errors import InputError
from rramkit.monotone_cubic import MonotoneCubic

ROUNDING = 1e-12  # of the largest value (1): SciPy of another version may take the same sums in another order


@given(st.integers(2, 9), st.integers(-9, 6), st.integers(-15, 6), st.booleans(), st.integers(0, 2**16))
def test_it_is_scipy_s_curve_at_its_knots_between_them_and_beyond(knots, x_power, y_power, coarse, seed):
    rng = np.random.default_rng(seed)
    x = (np.cumsum(rng.uniform(0.1, 1.0, knots)) - 1.0) * 10.0**x_power
    values = rng.normal(size=(2, knots, 3))
    values = (np.round(values) if coarse else values) * 10.0**y_power  # coarse: equal neighbours, and turns
    beyond = 2.0 * x[0] - x[1], 2.0 * x[-1] - x[-2]
    at = np.concatenate([x, x, rng.uniform(*beyond, 20)]).reshape(2, -1)
    expected = PchipInterpolator(x, values, axis=1)(at)
    got = MonotoneCubic(x, values, axis=1)(at)
    assert got.shape == expected.shape == (2, *at.shape, 3)
    assert np.abs(got - expected).max() <= ROUNDING * np.abs(expected).max()


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_the_points_take_the_place_of_the_knots_axis(axis):
    values = np.random.default_rng(1).normal(size=(4, 4, 4))
    x, at = np.arange(4.0), np.array([2.5, 0.3])
    for points in (at, at[0], at.reshape(2, 1)):
        expected = PchipInterpolator(x, values, axis=axis)(points)
        got = MonotoneCubic(x, values, axis=axis)(points)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= ROUNDING * np.abs(values).max()


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8), st.booleans())
def test_monotone_data_give_a_monotone_curve(rises, falls):
    values = np.cumsum(rises) * (-1.0 if falls else 1.0)
    curve = MonotoneCubic(np.arange(values.size), values)(np.linspace(0, values.size - 1, 401))
    # a difference of two neighbours is rounded like the values themselves
    rounding = 1e-15 * 8 * np.abs(values).max()
    assert np.all(np.diff(-curve if falls else curve) >= -rounding)


def test_two_knots_make_a_straight_line():
    assert MonotoneCubic([1.0, 3.0], [2.0, 6.0])([0.0, 1.5, 3.0]).tolist() == [0.0, 3.0, 6.0]


@pytest.mark.parametrize(
    ("knots", "values", "said"),
    [
        ([1.0], [1.0], "at least 2"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "one knot for each value"),
        ([1.0, 1.0, 2.0], [1.0, 2.0, 3.0], "must rise"),
        ([1.0, float("nan")], [1.0, 2.0], "must rise"),
        ([1.0, 2.0, 3.0], [1.0, float("nan"), float("-inf")], "must be finite; 2 of 3 are not"),
    ],
)
def test_what_makes_no_curve_is_refused(knots, values, said):
    with pytest.raises(InputError, match=said):
        MonotoneCubic(knots, values)
