import numpy as np
from fixtures.synthetic import G_HIGH, G_LOW, tables
from hypothesis import given
from hypothesis import strategies as st

from rramkit.array import Writer
from rramkit.array.write.amplitudes import Inversion

WRITER = Writer.from_tables(tables())


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), flat=st.booleans())
def test_bisection_finds_what_the_slow_search_finds(seed, count, flat):
    rng = np.random.default_rng(seed)
    grid = np.linspace(0.0, 1.0, 5)
    steps = rng.uniform(0.0, 1.0, (5, count)) * (rng.uniform(size=(5, count)) > (0.5 if flat else -1.0))
    change = np.cumsum(steps, axis=1)
    g, wanted = rng.uniform(0.0, 1.0, 30), rng.uniform(-1.0, count, 30)
    found = Inversion.of(grid, change).nearest(g, wanted)
    for cell, want, index in zip(g, wanted, found, strict=True):
        column = np.array([np.interp(cell, grid, change[:, a]) for a in range(count)])
        misses = np.abs(column - want)
        # Rounding of the interpolation decides between amplitudes whose changes are equal to 1e-12.
        assert misses[index] <= misses.min() + 1e-12
        assert index == np.flatnonzero(misses <= misses[index] + 1e-12)[0] or misses[index] == misses.min()


def test_a_change_beyond_reach_takes_the_end_and_a_conductance_outside_its_edge():
    inversion = Inversion.of(np.array([0.0, 1.0]), np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]))
    np.testing.assert_array_equal(
        inversion.nearest(np.array([0.0, 0.0, 5.0, -3.0]), np.array([-9.0, 9.0, 3.9, 1.1])), [0, 2, 2, 1]
    )


def test_noise_on_a_table_costs_no_more_than_itself():
    """A measured table is not monotone: the running maximum is, and misses the best amplitude by the noise at most."""
    rng = np.random.default_rng(3)
    grid = np.linspace(0.0, 1.0, 9)
    noise = 0.02
    change = np.linspace(0.0, 1.0, 41) + rng.uniform(-noise, noise, (9, 41))
    g, wanted = rng.uniform(0.0, 1.0, 200), rng.uniform(0.0, 1.0, 200)
    found = Inversion.of(grid, change).nearest(g, wanted)
    columns = np.stack([np.interp(g, grid, change[:, a]) for a in range(41)], axis=1)
    miss = np.abs(columns[np.arange(200), found] - wanted)
    assert np.max(miss - np.min(np.abs(columns - wanted[:, None]), axis=1)) <= 4 * noise


@given(g=st.floats(G_LOW, G_HIGH), wanted=st.floats(-90e-6, 90e-6))
def test_what_is_asked_for_and_reached_comes_back(g, wanted):
    """Inverse pair: the change of a chosen amplitude, asked for again, is that of an amplitude as good."""
    write = WRITER.set if wanted > 0.0 else WRITER.reset
    v_pulse, expected = write.nearest(np.array([g]), np.array([wanted]))
    again, same = write.nearest(np.array([g]), expected)
    if G_LOW < g + expected[0] < G_HIGH:  # an end in range was not clipped
        assert abs(same[0] - expected[0]) < 1e-18 and again[0] <= v_pulse[0]
