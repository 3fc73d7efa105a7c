import numpy as np
import pytest
from fixtures.synthetic import tables
from fixtures.synthetic_tables import full_table
from hypothesis import given
from hypothesis import strategies as st

from rramkit.errors import TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.surrogate.quantiles import QuantileSurrogate
from rramkit.table import Distribution, Quantity, Table

G, V = np.linspace(1.0, 2.0, 3), np.linspace(0.0, 1.0, 4)
MEAN = G[:, None] + V


def _table(quantiles, levels, mean=MEAN):
    axes = {"g": Quantity(G, "S"), "v": Quantity(V, "V")}
    found = Distribution("y", "cycles", np.asarray(levels, dtype=float), quantiles, np.ptp(quantiles, axis=-1), 9)
    return Table("t", axes, {"y": Quantity(mean, "S")}, distributions={"any": found})


def test_zero_width_gives_exactly_the_mean():
    source = QuantileSurrogate(_table(np.repeat(MEAN[..., None], 3, axis=-1), [0, 0.5, 1]), "y")
    rng = np.random.default_rng(0)
    g, v = rng.uniform(1, 2, 500), rng.uniform(0, 1, 500)
    np.testing.assert_array_equal(source.sample(g, v, rng=rng), source.mean.at(g, v))


@given(g=st.floats(1, 2), v=st.floats(0, 1), level=st.floats(0, 1))
def test_a_quantile_between_points_and_levels_is_linear_in_each(g, v, level):
    # deviation = level (1 + g v): linear along each of the three, so that the look-up is exact to rounding
    levels = np.array([0.0, 0.3, 1.0])
    quantiles = MEAN[..., None] + levels * (1 + G[:, None, None] * V[:, None])
    source = QuantileSurrogate(_table(quantiles, levels), "y")
    expected = source.mean.at(g, v) + level * (1 + g * v)
    np.testing.assert_allclose(source.at_level(g, v, level=level), expected, rtol=0, atol=1e-13)


def test_draws_follow_the_distribution_that_was_stored():
    rng = np.random.default_rng(7)
    draws = rng.normal(0.0, 0.05 * (1 + V[None, :, None]), (3, 4, 4000)) + MEAN[..., None]
    table = Table(
        "t",
        {"g": Quantity(G, "S"), "v": Quantity(V, "V")},
        {"y": Quantity(MEAN, "S")},
        distributions={"c": Distribution.of_draws(draws, signal="y", over="cycles")},
    )
    source = QuantileSurrogate(table, "y", over="cycles")
    drawn = source.sample(np.full(20000, 1.5), np.full(20000, V[2]), rng=rng)
    sigma = 0.05 * (1 + V[2])
    # standard error of a mean of 20000 and of the 4000 draws stored: sigma / 63; of a sigma: sigma / 89
    assert abs(drawn.mean() - 1.5 - V[2]) < 4 * sigma / 55
    assert abs(drawn.std() / sigma - 1) < 0.05  # and what straight lines between the levels cost
    assert source.over == "cycles"


def test_a_level_kept_keeps_a_strong_device_strong():
    draws = np.random.default_rng(1).normal(size=(3, 4, 50)) + MEAN[..., None]
    found = Distribution.of_draws(draws, signal="y", over="devices")
    axes = {"g": Quantity(G, "S"), "v": Quantity(V, "V")}
    source = QuantileSurrogate(Table("t", axes, {"y": Quantity(MEAN, "S")}, distributions={"d": found}), "y")
    g, v = np.meshgrid(np.linspace(1, 2, 9), np.linspace(0, 1, 9))
    assert np.all(source.at_level(g, v, level=0.9) >= source.at_level(g, v, level=0.6))


def test_broadcast_equals_loop_and_the_seed_decides():
    source = QuantileSurrogate(_table(MEAN[..., None] + np.array([-0.1, 0.2]), [0, 1]), "y")
    g, v = np.linspace(1, 2, 5)[:, None], np.linspace(0, 1, 3)
    once = source.sample(g, v, rng=np.random.default_rng(3))
    assert once.shape == (5, 3)
    np.testing.assert_array_equal(once, source.sample(g, v, rng=np.random.default_rng(3)))
    level = np.random.default_rng(3).uniform(size=(5, 3))
    loop = [[source.at_level(g[i, 0], v[j], level=level[i, j]) for j in range(3)] for i in range(5)]
    np.testing.assert_allclose(once, loop, rtol=0, atol=1e-15)


def test_a_table_without_it_is_refused():
    with pytest.raises(TableError, match="table `set` has no distribution of `delta_g`"):
        QuantileSurrogate(tables()["set"], "delta_g")
    with pytest.raises(TableError, match="no distribution over devices of `delta_g`"):
        QuantileSurrogate(full_table(), "delta_g", over="devices")


def test_failed_points_are_refused_here_too():
    table = full_table()
    source = QuantileSurrogate(table, "delta_g")
    v_bad = float(table.axes["v_pulse"].values[8])
    with pytest.raises(TableError, match="lie beside failed ones"):
        source.sample(float(table.axes["g_start"].values[9]), v_bad, rng=np.random.default_rng(0))
    far = source.sample(float(table.axes["g_start"].values[1]), 0.95, rng=np.random.default_rng(0))
    assert np.isfinite(far)
    assert isinstance(source.mean, GridSurrogate)
