"""Distributions of the write tables from SPICE: no spread is no width, a small one is that of a derivative."""

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.tiny_plan import TINY

from rramkit.characterization.components.cell import CELL_WRITE
from rramkit.characterization.engine.cases import Case, GridPoint, case_at
from rramkit.characterization.engine.results import draw_numbers
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.plan import Plan
from rramkit.circuits.mismatch import sigma_threshold
from rramkit.errors import InputError
from rramkit.surrogate.grid import GridSurrogate

pytestmark = pytest.mark.spice

STANFORD = {
    "cell": {"device": {"model": "stanford"}},
    "pulse": {"v_bl_set": 2.5},
    "conductance": {"g_min": 2e-5, "g_max": 4e-4, "points": 4, "read_points": 5},
    "reset": {"v_first": 1.3, "v_last": 1.9, "points": 4, "held_out": 4},
    "max_step_error": 0.05,
}


def plan(base=None, **monte_carlo) -> Plan:
    values = TINY.model_dump(exclude_unset=True) | (base or {})
    return Plan.checked({**values, "monte_carlo": {"g_points": 3, "v_points": 3, **monte_carlo}}, where="test")


def made(pool, wanted, polarity):
    plans = {each.name: each for each in wanted.expanded()}
    return component_tables(Runner(pool, silent), plans[polarity])[polarity]


def drawn(wanted: Plan, number: int) -> Case:
    """One draw of the cell at one point of the SET table."""
    write = wanted.expanded()[1]
    return case_at(write, GridPoint({"v_pulse": 1.2}), draw=draw_numbers(write)[number])


def threshold(wanted: Plan, number: int) -> float:
    shift = drawn(wanted, number).resolved()[2].dv_threshold
    assert shift is not None
    return float(shift[0])


@pytest.mark.long
def test_no_draws_no_distribution_and_no_spread_no_width(pool):
    quiet = {"scatter": {"cycle_relative": 0.0, "cycle_floor": 0.0, "devices": 0.0}}
    assert not made(pool, plan(quiet), "set").distributions
    table = made(pool, plan(count=3, matching={"a_vt": 0.0}), "set")
    found = table.distributions["devices"]
    assert (found.over, found.draws) == ("devices", 3)
    change = table.signals["delta_g"].values
    # the same pulses again, in rows of other lengths: the simulator's own tolerance on a step (reltol 1e-4)
    step = 1e-4 * np.max(np.abs(change))
    np.testing.assert_allclose(found.quantiles - change[..., None], 0.0, rtol=0, atol=10 * step)
    assert found.sigma.max() < 1e-18  # S: rounding


@pytest.mark.long
def test_a_threshold_spread_is_the_slope_of_the_table_times_sigma(pool):
    wanted = plan(count=16, matching={"a_vt": 1e-9})
    table = made(pool, wanted, "set")
    found = table.distributions["devices"]
    sigma = sigma_threshold(wanted.monte_carlo.matching, wanted.cell.w_access, wanted.cell.l_access)
    draws = np.array([threshold(wanted, k) for k in range(16)])
    assert np.std(draws) == near(sigma, 0.5)  # 16 draws: 18 %
    # At the lowest conductance and the middle amplitude the change rises with the gate: oracle by that slope.
    g, v = table.axes["g_start"].values[0], table.axes["v_pulse"].values[2]
    surrogate = GridSurrogate(table, "delta_g")
    slope = float(surrogate.at(g, v + 0.01) - surrogate.at(g, v - 0.01)) / 0.02
    # a 5 x 5 grid knows its slope to a quarter
    assert found.sigma[0, 2] == near(slope * np.std(draws, ddof=1), 0.25)


def test_draws_are_seeded_and_the_cell_of_a_draw_is_the_same_everywhere():
    wanted = plan(count=2)
    assert threshold(wanted, 1) == threshold(wanted, 1) != threshold(wanted, 0)
    params, _, draw = drawn(wanted, 1).resolved()
    deck = CELL_WRITE.deck(params, np.empty(0), draw).parameters
    assert deck.v_pulse == (1.2 - threshold(wanted, 1),)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(InputError, match="published spread; sky130 has none"):
        drawn(plan(count=2, spreads=("device",)), 0).resolved()
    jart = plan({"cell": {"device": {"model": "jart"}}}, count=2, spreads=("device",))
    first, other = (drawn(jart, k).resolved() for k in (0, 1))
    assert first[0].cell.device != other[0].cell.device
    assert first[2].dv_threshold is None


def test_noise_of_cycles_widens_with_its_strength_and_belongs_to_the_stanford_cell(pool):
    tables = {
        strength: made(pool, plan(STANFORD, count=400, spreads=("cycles",), noise={"delta_gap": strength}), "reset")
        for strength in (0.0, 0.01, 0.02)
    }
    none, some, twice = (tables[k].distributions["cycles"] for k in tables)
    assert none.sigma.max() < 1e-12 * some.sigma.max()  # 400 equal numbers, and the rounding of their mean
    moving = some.sigma > 0.05 * some.sigma.max()
    # Twice the strength is twice the step of the gap; conductance bends with the gap, by some percent here
    np.testing.assert_allclose(twice.sigma[moving] / some.sigma[moving], 2.0, rtol=0.15)
    with pytest.raises(InputError, match=r"a model with cycle noise \(stanford\); got sky130"):
        made(pool, plan(count=2, spreads=("cycles",)), "set")
