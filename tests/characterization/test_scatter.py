"""Scatter of pulses and noise of reads in closed form: moments, limits, and what stands in the tables."""

import numpy as np
from fixtures.closeness import near
from hypothesis import given
from hypothesis import strategies as st

from rramkit.characterization.components.cell import CELL_NOISE, CELL_WRITE, CellNoiseParams, CellWriteParams
from rramkit.characterization.plan import Plan
from rramkit.characterization.read_noise import ReadNoise, sigma_of_read
from rramkit.characterization.scatter import PulseScatter, distributions, normal_levels
from rramkit.netlists import models
from rramkit.surrogate.quantiles import QuantileSurrogate
from rramkit.table import Table
from rramkit.table.parts import LEVELS
from rramkit.table.schema import SET

G, V = np.linspace(4e-6, 80e-6, 5), np.linspace(1.0, 1.5, 4)
CHANGE = np.linspace(0.0, 40e-6, 5)[::-1, None] * np.array([0.0, 0.1, 0.5, 1.0])


def table(change, scatter):
    return Table(
        "set",
        SET.of(g_start=G, v_pulse=V),
        SET.of(delta_g=change, energy=np.ones_like(change)),
        distributions=dict(distributions(scatter, change)),
    )


def test_draws_between_the_quantiles_have_the_sigma_asked_for():
    z = normal_levels()
    assert np.all(np.diff(z) > 0) and z.size == LEVELS.size
    np.testing.assert_allclose(z, -z[::-1], rtol=1e-12)
    drawn = np.interp(np.random.default_rng(0).uniform(size=400_000), LEVELS, z)
    assert np.std(drawn) == near(1.0, rel=5e-3)  # 400,000 draws know a sigma to 0.1 %


def test_a_large_change_scatters_by_its_part_and_a_small_one_by_less_than_the_floor():
    scatter = PulseScatter(relative=0.1, floor=0.5e-6)
    sigma = distributions(scatter, CHANGE)["cycles"].sigma
    np.testing.assert_array_equal(sigma[CHANGE == 0.0], 0.0)
    assert sigma[0, 3] == near(float(np.hypot(4e-6, 0.5e-6 * 40.0 / 40.5)), rel=1e-12)
    assert np.all(sigma <= np.hypot(0.1 * CHANGE, 0.5e-6))
    source = QuantileSurrogate(table(CHANGE, scatter), "delta_g", over="cycles")
    drawn = source.sample(np.full(50_000, G[0]), np.full(50_000, V[-1]), rng=np.random.default_rng(1))
    assert np.mean(drawn) == near(40e-6, rel=2e-3) and np.std(drawn) == near(sigma[0, 3], rel=0.02)


@given(st.floats(-60e-6, 60e-6), st.floats(0.01, 1.0))
def test_a_device_that_sets_more_resets_less_and_never_the_other_way(change, sigma):
    found = distributions(PulseScatter(devices=sigma), np.array([change]))["devices"]
    assert np.all(np.diff(found.quantiles, axis=-1) >= 0.0)
    assert np.all(found.quantiles * change >= 0.0)
    middle = found.quantiles[0, LEVELS == 0.5]
    assert float(middle[0]) == near(change, 1e-12)  # the median device is the table's
    strong = abs(found.quantiles[0, -2]) >= abs(change) if change >= 0 else abs(found.quantiles[0, -2]) <= abs(change)
    assert strong


def test_no_scatter_is_no_distribution():
    assert distributions(PulseScatter(), CHANGE) == {}
    assert CELL_WRITE.scatter is not None
    assert CELL_WRITE.scatter(CellWriteParams(), table(CHANGE, PulseScatter())) == {}


def test_noise_of_a_read_is_thermal_shot_and_slow():
    g, v, band = 50e-6, 0.1, 33e6
    white = sigma_of_read(ReadNoise(bandwidth=band), g, v_read=v, kelvin=300.0)
    thermal, shot = 4 * 1.380649e-23 * 300.0 * g * band, 2 * 1.602176634e-19 * g * v * band
    assert float(white) == near(float(np.sqrt(thermal + shot)) / v, rel=1e-12)
    assert float(white) < 0.2e-6  # 13 nA at 0.1 V: far below the slow noise of a filament
    slow = sigma_of_read(ReadNoise(bandwidth=band, relative=0.01, floor=0.1e-6), g, v_read=v, kelvin=300.0)
    assert float(slow) == near(float(np.sqrt(white**2 + (0.01 * g) ** 2 + 0.1e-6**2)), rel=1e-12)


def test_a_plan_takes_the_numbers_of_its_device_and_says_where_they_come_from():
    own = models.model("sky130")
    plans = {each.name: each for each in Plan().expanded()}
    window = 76e-6
    written = plans["set"].nominal
    assert isinstance(written, CellWriteParams)
    assert written.scatter == PulseScatter(
        relative=own.scatter.cycle_relative, floor=own.scatter.cycle_floor * window, devices=own.scatter.devices
    )
    read = plans["cell_noise"].nominal
    assert isinstance(read, CellNoiseParams) and read.noise.relative == own.scatter.read_relative
    for name in ("sky130", "bulk"):
        assert "ours" in models.model(name).scatter_source
    quiet = Plan.checked({"scatter": {"cycle_relative": 0, "cycle_floor": 0, "devices": 0}}, where="the test")
    silent = quiet.expanded()[1].nominal
    assert isinstance(silent, CellWriteParams) and silent.scatter == PulseScatter()
    assert (
        Plan.checked({"cell": {"device": {"model": "vteam"}}}, where="the test").scatter.of(
            Plan.checked({"cell": {"device": {"model": "vteam"}}}, where="the test").cell.device
        )
        == type(own.scatter)()
    )


def test_the_tables_of_losses_can_be_left_out():
    less = Plan.checked({"droop": {"g_points": 0}, "disturb": {"g_points": 0}, "scatter": {"points": 0}}, where="here")
    assert [each.name for each in less.expanded()] == ["read", "set", "reset", "wires"]


def test_the_noise_is_measured_on_the_cell_itself(pool):
    params = CellNoiseParams(state=0.8, noise=ReadNoise(relative=0.02))
    from rramkit.characterization.components.cell import CellReadParams, read_deck, read_noise, reads
    from rramkit.characterization.engine.monte_carlo import RandomDraw

    waves = pool.run(read_deck(params, np.zeros(0), RandomDraw()).text())
    g = float(reads(waves, CellReadParams(state=0.8, points=1), np.zeros(0))["g_cell"])
    found = float(np.ravel(read_noise(waves, params, np.zeros(0))["sigma_g"])[0])
    kelvin = params.cell.device.values["t_amb"]
    assert found == near(float(sigma_of_read(params.noise, g, v_read=params.read.v_read, kelvin=kelvin)), rel=1e-9)
    assert CELL_NOISE.preparation is not None
