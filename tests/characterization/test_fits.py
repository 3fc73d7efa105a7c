"""Each parametric fit: known parameters, noise on top, and the estimate within a few of its own standard errors."""

import numpy as np
import pytest
from fixtures.closeness import near
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rramkit.characterization.components.sense_amp import fit_regeneration
from rramkit.characterization.fits.estimate import Start, estimate
from rramkit.characterization.fits.nonlinearity import curvature_of, fit_train, label_of, shape
from rramkit.characterization.fits.writes import fit_exponential_step, fit_soft_bounds, write_fits
from rramkit.errors import InputError
from rramkit.table import Quantity, Table

# Five standard errors: once in two million normal draws; the margin is for errors that are right to first order only.
SIGMAS = 5.0
G = np.linspace(2e-6, 40e-6, 60)
SEEDS = st.integers(0, 2**32 - 1)


def within(found, **true):
    for name, value in true.items():
        error = found.errors[name]
        assert np.isfinite(error)
        assert abs(found.values[name] - value) <= SIGMAS * error + 1e-9 * abs(value), (name, found)


def test_the_label_of_a_published_curve():
    # NeuroSim's own table pairs label 2.4 with A = 0.49918 of the number of pulses (device models, section 19)
    assert 1 / curvature_of(2.4) == near(0.49918, 2e-4)
    assert label_of(1 / 0.49918) == near(2.4, 2e-4)


@given(st.floats(-9, 9))
def test_label_and_curvature_are_each_others_inverse(label):
    assert label_of(curvature_of(label)) == near(label, within=1e-7)


@given(st.floats(-8.5, 8.5))
def test_a_labels_curve_strays_from_the_line_by_what_it_says(label):
    x = np.linspace(0, 1, 20001)
    y = shape(x, curvature_of(label))
    assert y[0] == 0 and y[-1] == near(1, 1e-12)
    largest = np.max(y - x) if label > 0 else np.max(x - y)
    assert largest / 0.09899 == near(abs(label), within=2e-3)
    assert np.all(np.diff(y) >= 0)


@settings(max_examples=25)
@given(
    label=st.floats(-5, 5), noise=st.floats(1e-9, 8e-7), rising=st.booleans(), pulses=st.integers(30, 150), seed=SEEDS
)
def test_a_train_gives_its_label_back(label, noise, rising, pulses, seed):
    ends = (2e-6, 40e-6) if rising else (40e-6, 2e-6)
    number = np.arange(pulses, dtype=float)
    clean = ends[0] + (ends[1] - ends[0]) * shape(number / (pulses - 1), curvature_of(label))
    found = fit_train(number, clean + noise * np.random.default_rng(seed).standard_normal(pulses))
    within(found, label=label, g_first=ends[0], g_last=ends[1])
    assert found.residual == near(noise, 0.5)


@settings(max_examples=25)
@given(rate=st.floats(0.005, 0.5), bound=st.floats(1e-6, 80e-6), noise=st.floats(1e-12, 3e-8), seed=SEEDS)
def test_soft_bounds_come_back(rate, bound, noise, seed):
    change = rate * (bound - G) + noise * np.random.default_rng(seed).standard_normal(G.size)
    within(fit_soft_bounds(G, change), rate=rate, g_bound=bound)


@settings(max_examples=25)
@given(
    step=st.floats(1e-7, 1e-5),
    decades=st.floats(-1.0, 1.0),
    part=st.floats(1e-6, 0.02),
    falling=st.booleans(),
    seed=SEEDS,
)
def test_an_exponential_step_comes_back(step, decades, part, falling, seed):
    slope, sign = decades * np.log(10) / np.ptp(G), -1.0 if falling else 1.0
    change = sign * step * np.exp(-slope * (G - G[0]))
    change = change + part * step * np.random.default_rng(seed).standard_normal(G.size)
    within(fit_exponential_step(G, change), step=sign * step, slope=slope)


@settings(max_examples=25)
@example(tau=5.2537160305891276e-11, first=0.0, part=1e-06, seed=1_073_741_825)  # a first guess next to zero
@given(tau=st.floats(1e-12, 1e-10), first=st.floats(0, 1e-10), part=st.floats(1e-6, 0.05), seed=SEEDS)
def test_a_regeneration_constant_comes_back(tau, first, part, seed):
    v_diff = np.geomspace(1e-4, 0.1, 25)
    clean = first + tau * np.log(1.0 / v_diff)
    found = fit_regeneration(v_diff, clean + part * tau * np.random.default_rng(seed).standard_normal(25))
    within(found, tau=tau, t_0=first)


def test_standard_errors_are_those_of_many_repetitions():
    rng = np.random.default_rng(8)
    found = [fit_soft_bounds(G, 0.05 * (50e-6 - G) + 2e-8 * rng.standard_normal(G.size)) for _ in range(300)]
    for name in ("rate", "g_bound"):
        scatter = np.std([one.values[name] for one in found])
        # 300 repetitions: the scatter itself is good to 4 %
        assert np.mean([one.errors[name] for one in found]) == near(scatter, 0.15)


def test_what_the_data_do_not_fix_has_no_error_and_too_few_are_refused():
    found = estimate(lambda p: p[0] + p[1] - np.ones(5), {"a": Start(0.3), "b": Start(0.3)})
    assert np.isinf(found.errors["a"])
    with pytest.raises(InputError, match="a fit of a, b needs at least 2 finite points; got 1"):
        estimate(lambda p: p[:1] - 1, {"a": Start(0.3), "b": Start(0.3)})
    with pytest.raises(InputError, match="must lie within -9 to 9"):
        curvature_of(9.5)


def test_a_write_table_carries_its_fits():
    v = np.linspace(1.0, 1.4, 5)
    change = 0.2 * (v - 0.9)[None, :] * (45e-6 - G[:, None])
    axes = {"g_start": Quantity(G, "S"), "v_pulse": Quantity(v, "V")}
    table = Table("set", axes, {"delta_g": Quantity(change, "S")})
    fits = write_fits(table)
    soft = fits["soft_bounds"]
    np.testing.assert_allclose(soft.parameters["rate"].values, 0.2 * (v - 0.9), rtol=1e-6)
    np.testing.assert_allclose(soft.parameters["g_bound"].values, 45e-6, rtol=1e-6)
    assert soft.axes == ("v_pulse",) and soft.residual < 1e-12
    assert fits["nonlinearity"].parameters["g_first"].values == near(2e-6, within=2e-6)
    assert set(fits["exponential_step"].parameters) == {"step", "slope"}
    still = Table("set", axes, {"delta_g": Quantity(np.zeros_like(change), "S")})
    assert write_fits(still) == {}
