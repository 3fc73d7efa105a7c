"""Half-select disturb: neighbours under the write driver's pulses, gated and at V/2."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.disturb import disturbances
from rramkit.circuits.cell import CellParams, write_staircase
from rramkit.circuits.disturb import DisturbBenchParams, half_select, write_disturb
from rramkit.errors import InputError


@pytest.mark.parametrize(("polarity", "state"), [pytest.param("set", 0.5, marks=pytest.mark.long), ("reset", 0.95)])
def test_gated_neighbours_stand_still(pool, polarity, state):
    """A full-amplitude pulse moves them by less than 1e-10 of the range; a thousand stay 1e-4 of the limit of 1e-3.

    Resolution: the state's leak of 1e15 ohm, 1e-13 a slot. Every pulse brings the same, so that a thousand are a
    thousandfold; `test_half_select_adds_up` shows over a hundred pulses, where there is something to see, that it is.
    """
    params = DisturbBenchParams(polarity=polarity, state=state, pulses=2)
    waves = pool.run(write_disturb(params).text())
    changes = disturbances(waves, params)
    assert len(changes) == 2 * len(params.states)
    for change in changes.values():
        assert np.all(np.abs(change) < 1e-10)
        assert 1000 * np.max(np.abs(change)) < 1e-3
    assert abs(waves["state"][-1] - state) > 0.1  # the written cell, meanwhile, is written


@pytest.mark.parametrize(("polarity", "v_line"), [("set", 1.7), ("reset", 1.7)])  # the driver's highest amplitude
def test_half_select_adds_up(pool, polarity, v_line):
    """At V/2 without gating the state changes in proportion to the number of pulses."""
    per_pulse = []
    for pulses in (5, 100):
        params = half_select(CellParams(), polarity=polarity, v_line=v_line, state=0.95, pulses=pulses)
        waves = pool.run(write_staircase(params).text())
        per_pulse.append((waves["state"][-1] - 0.95) / pulses)
    assert per_pulse[1] == near(per_pulse[0], 1e-2)
    assert np.sign(per_pulse[1]) == (1 if polarity == "set" else -1)
    assert 1e-12 < abs(per_pulse[1]) < 1e-6  # 1,000 pulses move no cell by a thousandth of its range


def test_states_outside_the_range_are_refused():
    with pytest.raises(InputError, match="less than or equal to 1") as caught:
        DisturbBenchParams.checked({"code_first": 0, "states": [0.5, 1.5]}, where="user.toml")
    assert "\n" not in str(caught.value)
