"""The level shifter: delays, swing and charge at every corner."""

import pytest
from fixtures.closeness import near

from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver import SwitchParams


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
@pytest.mark.parametrize(("v_core", "v_io"), [(1.0, 3.3), (1.0, 3.6), (0.9, 3.6)])
def test_level_shifter_at_every_corner(pool, corner, v_core, v_io):
    technology = Technology(corner=corner, v_core=v_core, v_io=v_io)
    found = pool.run(level_shifter_bench(LevelShifterBench(technology=technology)).text()).measures
    assert found["v_high"] == near(v_io, within=1e-3)
    assert found["v_low"] == near(0, within=1e-3)
    # The dead time between a pull-down and a leg must cover the slowest edge. At 0.9 V the pull-down's overdrive is
    # 0.15 V, at the slow corner 0.12 V: there an edge takes nearly all of it, else four fifths at the most. What counts
    # for an overlap is how much later one goes than the other rises, as both pass a shifter: half of it, everywhere.
    slowest = SwitchParams().t_dead * (0.95 if v_core < 1 else 0.8)
    assert 0 < found["t_up"] < slowest and 0 < found["t_down"] < slowest
    assert abs(found["t_down"] - found["t_up"]) < SwitchParams().t_dead / 2


def test_word_line_is_charged_once_a_cycle(pool):
    charges = []
    for c_load in (200e-15, 600e-15):
        params = LevelShifterBench(c_load=c_load)
        charges.append(-pool.run(level_shifter_bench(params).text()).measures["q_io"])
    # C V for each pulse. The last inverter's crowbar current falls as its edge gets slower: 1 % measured.
    assert charges[1] - charges[0] == near(400e-15 * 3.3, rel=0.03)


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
def test_word_line_of_a_whole_row_rises_within_the_dead_time(pool, corner):
    """96 cells of 4 fF at nine tenths of both supplies: from a tenth to nine tenths within 2 ns."""
    technology = Technology(corner=corner, v_core=0.9, v_io=2.97)
    found = pool.run(level_shifter_bench(LevelShifterBench(technology=technology, c_load=400e-15)).text()).measures
    assert 0 < found["t_rise"] < SwitchParams().t_dead


@pytest.mark.parametrize("w_driver", [4e-6, 12e-6])
def test_edge_is_that_of_the_drivers_resistance(pool, w_driver):
    """Twice the load takes twice the time, a third of the width three times: the shifter before it is faster."""
    edges = [
        pool.run(level_shifter_bench(LevelShifterBench(c_load=c, w_driver=w_driver)).text()).measures["t_rise"]
        for c in (300e-15, 600e-15)
    ]
    # The driver's own junctions, some 20 fF at 12 um, are loads too.
    assert edges[1] / edges[0] == near(2.0, rel=0.1)
