"""Whole array with its periphery, of bare resistors: currents and outputs by hand in each direction and turn."""

from typing import Literal

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.engine.convergence_aids import with_options
from rramkit.circuits.array_system import ArraySystemParams, system_reads
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.readout import ReadoutParams
from rramkit.errors import InputError

ROWS, COLS = 3, 4
G = np.random.default_rng(5).uniform(5e-6, 20e-6, (ROWS, COLS))
# Drivers, switches and readouts are about 50 ohm in series with lines of at most 4 cells of 20 uS: 0.4 %. Twice that.
SERIES = 8e-3


def params(direction: Literal["forward", "backward"] = "forward", turn=0, **given):
    bar = CrossbarParams(rows=ROWS, cols=COLS, cell_kind="1R")
    return ArraySystemParams(crossbar=bar, direction=direction, turn=turn, **given)


def reads(pool, deck):
    """Every output at each input vector; the sweep's first point is none."""
    waves = pool.run(deck.text())
    return {output.name: waves[output.name][1:] for output in deck.outputs}


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_turn_senses_one_line_of_each_unit(pool, direction, turn):
    given = params(direction, turn)
    g = G if direction == "forward" else G.T  # (driven, sensed)
    v_drive = np.random.default_rng(6).uniform(0, 0.1, (given.driven, 2))
    waves = reads(pool, system_reads(given, G, v_drive))
    assert given.lines_in_turn == tuple(range(turn, g.shape[1], 2))
    for line in given.lines_in_turn:
        drawn = -waves[f"i_{line // 2}"]  # a line pulled down takes current from its readout
        np.testing.assert_allclose(drawn, g[:, line] @ v_drive, rtol=SERIES)
        above = waves[f"v_out_{line // 2}"] - given.readout.v_clamp
        # the amplifier's error at its input: a few tenths of a millivolt, beside outputs of some millivolts
        np.testing.assert_allclose(above, drawn * given.readout.r_feedback, rtol=0, atol=1e-3)


def test_at_rest_an_offset_drives_the_line_of_its_own_unit(pool):
    """The readout holds its line 5 mV above all others: the line's cells draw that, the neighbours' units nothing."""
    v_offset = 5e-3
    given = params()
    waves = reads(pool, system_reads(given, G, np.zeros((ROWS, 1)), [v_offset, 0.0]))
    base = reads(pool, system_reads(given, G, np.zeros((ROWS, 1))))
    drawn = [float(base[f"i_{unit}"][0] - waves[f"i_{unit}"][0]) for unit in (0, 1)]
    assert drawn[0] == near(v_offset * G[:, 0].sum(), rel=0.02)  # 1 % more for the amplifier's finite gain
    assert abs(drawn[1]) < 1e-3 * drawn[0]
    moved = float(waves["v_out_0"][0] - base["v_out_0"][0])
    assert moved == near(v_offset * (1 + given.readout.r_feedback * G[:, 0].sum()), rel=0.02)


@pytest.mark.parametrize(("direction", "v_dd"), [("forward", 1.62), ("backward", 1.98)])
def test_the_operating_point_is_found_from_the_first_guess(pool, direction, v_dd):
    """In 16 to 20 iterations; from the lines alone it takes 60 to 800, as a rule more than 200."""
    ota = ArraySystemParams().readout.ota.model_copy(update={"v_dd": v_dd})
    bar = CrossbarParams(rows=4, cols=6)
    given = ArraySystemParams(crossbar=bar, direction=direction, readout=ReadoutParams(ota=ota))
    deck = system_reads(given, np.full((4, 6), 0.7), np.full((given.driven, 1), 0.03)).text()
    waves = pool.run(with_options(deck, "itl1=50 gminsteps=0 srcsteps=0"))
    # a column of cells of some 10 uS takes uA from its readout, whose output rises by some mV
    assert all(0.301 < waves[f"v_out_{unit}"][1] < 0.4 for unit in range(given.units))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"`v_drive` must be \(3, B\)"):
        system_reads(params(), G, np.zeros((COLS, 1)))
    with pytest.raises(InputError, match=r"`v_offset` must be \(2,\)"):
        system_reads(params(), G, np.zeros((ROWS, 1)), [0.0])
    with pytest.raises(InputError, match="`turn` must be below `share` = 2"):
        system_reads(params(turn=2), G, np.zeros((ROWS, 1)))
