"""Line switch: resistance against an operating point, what a PMOS would add, energy against charge."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.line_switch import measure
from rramkit.circuits import libraries
from rramkit.circuits.line_switch import LineSwitchBenchParams, LineSwitchParams, switch_once
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError


def closed(pool, **given):
    params = LineSwitchBenchParams(**given)
    waves = pool.run(switch_once(params).text())
    return params, waves, {name: float(value) for name, value in measure(waves, params, np.zeros(1)).items()}


def by_hand(pool, v, i, *, p=False, corner="tt"):
    """Resistance [ohm] of the bare transistor at a voltage [V] and a current [A], by an operating point."""
    switch, technology = LineSwitchParams(), Technology.checked({"corner": corner}, where="here")
    line = f"M1 a g b 0 nmos_io w={switch.w_switch} l={technology.l_io}\n"
    line += f"M2 a 0 b g pmos_io w={2 * switch.w_switch} l={technology.l_io}\n" if p else ""
    text = libraries.text(technology.library)
    found = pool.run(
        f"t\n{text}\nVa a 0 {v}\nVg g 0 {technology.v_io}\nIb b 0 {i}\n{line}.options reltol=1e-6\n.op\n.end\n"
    )
    return (v - found["v(b)"][0]) / i


def test_closed_it_is_its_transistor(pool):
    params, waves, found = closed(pool)
    i = params.v_read / (params.r_load + found["r_on"])
    assert found["r_on"] == near(by_hand(pool, params.v_line, i), rel=1e-3)
    assert waves["v_b"][0] == near(params.v_line - params.v_read, rel=1e-3)  # open: the load's own end


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
def test_over_the_range_of_a_read_it_is_nearly_a_resistor(pool, corner):
    """From 0.2 to 0.4 V, 0.1 V round rest: within 6 %, since 2.3 V of overdrive lose 0.1 V."""
    r = [by_hand(pool, v, 1e-4, corner=corner) for v in (0.2, 0.3, 0.4)]
    assert 0 < r[2] - r[0] < 0.12 * r[1] and r[1] < 30


def test_a_pmos_beside_it_would_conduct_nothing(pool):
    assert by_hand(pool, 0.3, 1e-4, p=True) == near(by_hand(pool, 0.3, 1e-4), rel=1e-3)


def test_energy_is_the_gates_charge_times_the_supply(pool):
    params, waves, found = closed(pool)
    v_dd, time = params.switch.technology.v_io, waves["time"]
    charge = np.trapezoid(np.maximum(-waves["i_vdd"], 0) + np.maximum(-waves["i_en"], 0), time)
    assert found["energy"] == near(v_dd * charge, rel=0.05)  # the control gives its charge on its way up: half its part
    # Oxide of the switch, 6.65 nm: C = 3.9 eps0 / t W L; overlaps come on top, less than the oxide itself.
    oxide = 3.9 * 8.854e-12 / 6.65e-9 * params.switch.w_switch * params.switch.technology.l_io
    _, _, wider = closed(pool, switch=LineSwitchParams(w_switch=2 * params.switch.w_switch))
    # The inverters do not grow with the switch: what is more is oxide, overlaps and junctions of its own.
    assert 1 < (wider["energy"] - found["energy"]) / (oxide * v_dd**2) < 2
    assert wider["r_on"] == near(found["r_on"] / 2, rel=0.02)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="w_switch"):
        LineSwitchParams.checked({"w_switch": 0}, where="here")
