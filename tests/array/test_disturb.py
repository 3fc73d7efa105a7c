"""Half-select disturb, against ngspice: the table's component against twenty pulses of the kit's half-select deck."""

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.pulse_decks import state_map

from rramkit.array.write.disturb import DisturbParams
from rramkit.characterization.components.disturb import half_selected_end, relative_changes
from rramkit.circuits.cell import CellParams, PulseParams, write_staircase
from rramkit.circuits.disturb import DisturbCellParams, disturb_cell, half_select


@pytest.mark.parametrize(
    ("polarity", "v_line", "state"), [("set", 1.7, 0.95), ("reset", 1.7, 0.95), ("reset", 1.6, 1.0)]
)
def test_a_pulse_disturbs_by_a_twentieth_of_what_twenty_do(pool, polarity, v_line, state):
    pulses = 20
    params = half_select(CellParams(), polarity=polarity, v_line=v_line, state=state, pulses=pulses)
    v_open = params.pulse.v_wl_reset
    waves = pool.run(write_staircase(params).text())
    first, last = (float(np.interp(params.t_read_at(k), waves["time"], waves["i_sl"])) for k in (0, pulses))
    # the same lines: SET's are the bit line's half, whatever the amplitude; word lines as open as in that deck
    pulse = PulseParams(v_wl_reset=v_open, v_wl_set=v_open, r_driver=params.pulse.r_driver, c_line=params.pulse.c_line)
    one = DisturbCellParams(polarity=polarity, pulse=pulse, state=state, v_first=v_line)
    found = relative_changes(
        state_map(pool), one, half_selected_end(pool.run(disturb_cell(one).text()), one, np.zeros(0))
    )
    # a read scatters by 1e-7 of its current, and the state moves little in twenty pulses
    assert abs(np.log(last / first)) == near(pulses * float(found["half"]), 0.1, within=1e-7)
    assert float(found["gated"]) <= 1e-11


def test_the_typed_law_is_a_power_of_the_conductance_and_an_exponential_of_the_amplitude():
    law = DisturbParams().reset
    g = np.array([40e-6, 80e-6])
    change = law.change(g, np.array([3, 3]), v_mean=1.9, g_high=80e-6)
    assert change[1] == near(3 * 5.7e-7, rel=1e-9)
    assert change[0] / change[1] == near(0.5**1.65, rel=1e-9)
    folded = law.change(g, np.array([3, 3]), v_mean=1.9 + 0.057, g_high=80e-6)
    np.testing.assert_allclose(folded, np.e * change, rtol=1e-9)
