"""Tables of noise, droop and disturb of a cell: made from its plan, and what physics says of them."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.droop import _comes_to_a_limit
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.plan import Plan
from rramkit.circuits.cell import PulseParams
from rramkit.circuits.disturb import neighbour_levels
from rramkit.circuits.droop import DroopParams, LineLevels, droop, dropped, variants

PLAN = Plan.checked({"droop": {"g_points": 3, "v_points": 3}, "disturb": {"g_points": 2, "v_points": 2}}, where="here")
FEWER = {"droop_set": 2, "droop_reset": 2, "disturb_set": 1, "disturb_reset": 1, "cell_noise": 2}


@pytest.fixture(scope="module")
def tables(pool):
    made = {}
    for each in PLAN.expanded():
        if each.name in FEWER:
            runs = each.held_out.model_copy(update={"runs": FEWER[each.name]})
            made |= component_tables(Runner(pool, lambda _: None), each.model_copy(update={"held_out": runs}))
    return made


def test_a_cells_plan_makes_the_tables_of_its_losses(tables):
    assert set(tables) == set(FEWER)
    assert tuple(tables["droop_set"].axes) == ("g_start", "v_pulse")
    assert tuple(tables["disturb_set"].axes) == ("g_cell", "v_pulse")
    assert tables["cell_noise"].condition("bandwidth") == near(33e6, rel=1e-12)


def test_a_drop_along_the_stepped_line_is_the_amplitudes_own(tables):
    np.testing.assert_array_equal(tables["droop_reset"].signals["source"].values, 1.0)


def test_a_higher_source_costs_a_set_gate_drive_and_drain_voltage(tables):
    """More than its own volt, less than two; the bit line costs little, as the word line limits the current.

    So it is of pulses that end at the filament's limit too: they come there whatever they lost.
    """
    found = tables["droop_set"]
    source, bit = (found.signals[name].values for name in ("source", "bit"))
    assert np.all((source > 1.1) & (source < 2.0))
    assert np.all((bit > 0.0) & (bit < 0.3))
    assert np.ptp(bit[:, -1]) < 1e-9  # of one state, whatever it started from
    moving = (slice(None), slice(1, -1))  # at the lowest amplitude little moves
    assert np.all(np.diff(bit[moving], axis=0) < 0.0)  # the higher the conductance, the deeper in saturation


def test_a_reset_loses_its_bit_line_the_more_the_deeper_its_follower_saturates(tables):
    bit = tables["droop_reset"].signals["bit"].values
    assert np.all(bit > 1.0)
    assert np.all(np.diff(bit, axis=1)[:2] > 0.0)


def test_disturb_rises_with_the_conductance_and_gating_stops_it(tables):
    for polarity in ("set", "reset"):
        found = tables[f"disturb_{polarity}"]
        half, gated = (found.signals[name].values for name in ("half", "gated"))
        assert np.all(half[1] > half[0] * 0.999) and half[1, -1] > 1e-9
        np.testing.assert_allclose(gated, 1e-12, rtol=1e-9)  # what a run can resolve
    reset = tables["disturb_reset"].signals["half"].values
    assert reset[1, 1] > 10.0 * reset[1, 0]  # exponential in the amplitude
    half = tables["disturb_set"].signals["half"].values
    np.testing.assert_allclose(half[:, 0], half[:, 1], rtol=1e-3)  # SET's bit line does not step


def test_the_variants_of_a_pulse_differ_on_one_line_by_the_drop():
    pulse = PulseParams()
    found = dropped(pulse, "set", 1.3, dv=0.01)
    assert found["whole"] == LineLevels(pulse.v_bl_set, 1.3, 0.0)
    assert found["lower"].wl == near(1.29, rel=1e-12) and found["source"].sl == near(0.01, rel=1e-12)
    assert found["bit"].bl == near(pulse.v_bl_set - 0.01, rel=1e-12)
    reset = dropped(pulse, "reset", 1.5, dv=0.01)
    assert reset["source"] == reset["lower"] and reset["bit"].bl == near(0.01, rel=1e-12)
    assert variants(DroopParams()) == ("whole", "lower", "source", "bit")
    assert variants(DroopParams(polarity="reset")) == ("whole", "lower", "bit")
    stepped = DroopParams(pulse=PulseParams(set_line="bl"))
    assert variants(stepped) == ("whole", "lower", "source")
    assert len(droop(stepped).outputs) == 6  # state and current of each


def test_half_selected_cells_have_the_lines_of_their_scheme():
    pulse = PulseParams()
    found = neighbour_levels(pulse, "set", 1.3)
    assert found["half"] == LineLevels(pulse.v_bl_set / 2, pulse.v_wl_reset, 0.0)
    assert found["gated"] == LineLevels(pulse.v_bl_set, 0.0, 0.0)
    assert neighbour_levels(pulse, "reset", 1.5)["gated"] == LineLevels(1.5, pulse.v_wl_reset, 1.5)


@pytest.mark.parametrize(
    ("start", "end", "limited"),
    [(0.5, 0.999, True), (0.001, 0.999, True), (0.5, 0.001, True), (0.999, 0.999, False), (0.2, 0.9, False)],
)
def test_a_pulse_comes_to_a_limit_from_anywhere_but_there(start, end, limited):
    assert _comes_to_a_limit(np.linspace(start, end, 5)) is limited
