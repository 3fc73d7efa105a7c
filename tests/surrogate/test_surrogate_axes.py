"""The surrogate over one, three and four axes, along an axis of one value, and beside points that failed."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables
from fixtures.synthetic_tables import cornered_table, full_table
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.errors import TableError
from rramkit.surrogate.grid import GridSurrogate, exact_pchip
from rramkit.table import Mask, Quantity, Table


def _table(values, *axes):
    named = {f"x{k}": Quantity(np.asarray(axis, dtype=float), "V") for k, axis in enumerate(axes)}
    return Table(name="t", axes=named, signals={"y": Quantity(np.asarray(values, dtype=float), "A")})


AXES = [np.array([0.0, 1.0, 3.0]), np.array([-1.0, 0.0, 1.0, 4.0]), np.array([2.0, 5.0])]


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(1, 3))
@settings(max_examples=40)
def test_a_multilinear_signal_is_reproduced_over_any_number_of_axes(parts, count):
    axes = AXES[:count]
    grids = np.meshgrid(*axes, indexing="ij")
    surrogate = GridSurrogate(_table(1.0 + sum((k + 1) * grid for k, grid in enumerate(grids)), *axes), "y")
    at = [axis[0] + part * (axis[-1] - axis[0]) for axis, part in zip(axes, parts, strict=False)]
    expected = 1.0 + sum((k + 1) * x for k, x in enumerate(at))
    assert surrogate.at(*at) == near(expected, within=1e-12)
    assert surrogate.clamped(*at) == 0


def test_four_axes_stay_within_the_resampling_limit():
    axes = [np.linspace(0, 1, size) for size in (5, 4, 6, 3)]
    a, b, c, d = np.meshgrid(*axes, indexing="ij")
    values = np.exp(-3 * a) * np.tanh(4 * b) + c**2 * (1 + d)
    surrogate = GridSurrogate(_table(values, *axes), "y")
    assert surrogate.resampling_error <= 5e-4
    at = [np.sort(np.random.default_rng(k).uniform(0, 1, 7)) for k in range(4)]
    exact = exact_pchip(values, axes, at)
    found = surrogate.at(*np.meshgrid(*at, indexing="ij"))
    assert np.max(np.abs(found - exact)) < 1e-3 * surrogate.full_scale  # the claim of the module


def test_the_tensor_curve_is_the_same_one_axis_at_a_time():
    """Oracle: SciPy's own curve along each axis, in a loop over the rows of the others."""
    from scipy.interpolate import PchipInterpolator

    axes = AXES
    values = np.random.default_rng(2).normal(size=(3, 4, 2))
    at = [np.array([0.5, 2.0]), np.array([-0.5]), np.array([3.0, 4.0])]
    slow = np.empty((2, 1, 2))
    for i, x in enumerate(at[0]):
        for j, y in enumerate(at[1]):
            for k, z in enumerate(at[2]):
                plane = [[PchipInterpolator(axes[2], row)(z) for row in sheet] for sheet in values]
                line = [PchipInterpolator(axes[1], row)(y) for row in plane]
                slow[i, j, k] = PchipInterpolator(axes[0], line)(x)
    np.testing.assert_allclose(exact_pchip(values, axes, at), slow, rtol=0, atol=1e-12)


def test_an_axis_of_one_value_is_a_constant():
    one = GridSurrogate(_table([[1.0], [3.0]], [0.0, 1.0], [0.9]), "y")
    np.testing.assert_array_equal(one.at([0.0, 0.5, 1.0], 0.9), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(one.at(range(2), 0.9), [1.0, 3.0])  # what NumPy makes an array of is no tensor
    assert one.clamped(0.5, 0.9) == 0
    assert one.clamped(0.5, 1.0) == 1  # answered by the value at 0.9, and counted
    assert one.at(0.5, 1.0) == 2.0


def test_labels_are_never_interpolated():
    with pytest.raises(TableError, match=r"an axis of labels, `corner`\. Select one with `along` first"):
        GridSurrogate(cornered_table(), "t_decide")
    slow = GridSurrogate(cornered_table().along("corner", "ss"), "t_decide")
    assert slow.at(300.0, 0.2) == near(1.4 * 1e-10 / 0.2, 1e-12)
    with pytest.raises(TypeError, match="axes temperature, v_diff; got 1"):
        slow.at(300.0)


def test_a_failed_point_is_refused_on_all_patches_whose_curve_it_shapes_and_nowhere_else():
    x0, x1 = np.arange(9.0), np.arange(8.0)
    values = np.add.outer(x0**2, x1)
    table = _table(values, x0, x1)
    bad = np.zeros((9, 8), dtype=np.uint8)
    bad[4, 3] = 1
    masked = replace(
        table,
        signals={"y": Quantity(np.where(bad, np.nan, values), "A")},
        masks={"y": Mask(bad, ("no convergence",))},
    )
    whole, holed = GridSurrogate(table, "y"), GridSurrogate(masked, "y")
    refused = 0
    for a in np.arange(0.25, 8, 0.5):
        for b in np.arange(0.25, 7, 0.5):
            if 2 <= a <= 6 and 1 <= b <= 5:  # two measured points on each side
                assert holed.masked(a, b)
                with pytest.raises(TableError, match=r"1 points of `t/y` lie beside .*\(1 of no convergence\)"):
                    holed.at(a, b)
                refused += 1
            else:
                assert not holed.masked(a, b)
                # outside, the value that stands in for the failed one must not be felt
                assert holed.at(a, b) == near(whole.at(a, b), within=2e-3 * whole.full_scale)
    assert refused == 64
    with pytest.raises(TableError, match="`t/y` must have every point; 1 failed"):
        holed.fine_grid()


@pytest.mark.parametrize("good", [(0, 0, 0), (2, 1, 1), (1, 3, 0)])
def test_what_stands_in_for_failed_points_is_the_nearest_that_was_measured(good):
    """All but one failed, whose values are huge: were one of them taken, the curve would have to be cut finely."""
    values = np.random.default_rng(3).uniform(1e30, 1e31, (3, 4, 2))
    values[good] = 2.0
    bad = np.ones(values.shape, dtype=np.uint8)
    bad[good] = 0
    table = replace(_table(values, *map(np.arange, values.shape)), masks={"y": Mask(bad, ("crash",))})
    assert GridSurrogate(table, "y").resampling_error == 0.0  # the same value at every point


def test_a_table_that_failed_whole_is_refused():
    table = _table(np.full((2, 2), np.nan), [0, 1], [0, 1])
    bad = replace(table, masks={"y": Mask(np.ones((2, 2), dtype=np.uint8), ("crash",))})
    with pytest.raises(TableError, match="every point of `t/y` failed"):
        GridSurrogate(bad, "y")


def test_a_valid_range_narrower_than_the_axis_clamps_and_counts_there():
    surrogate = GridSurrogate(replace(full_table(), masks={}, signals=tables()["set"].signals), "delta_g")
    assert surrogate.x1_range == (0.9, 1.5)
    assert surrogate.at(2e-5, 1.6) == surrogate.at(2e-5, 1.5)
    assert surrogate.clamped(2e-5, [0.85, 1.0, 1.55]) == 2
