"""One whole read of an array with all its periphery: what the deck's sources give, and that its codes are right."""

import numpy as np
import pytest

from rramkit.characterization.waveforms import integral
from rramkit.circuits.array_operation import ArrayOperationParams, operation_reads, supplies
from rramkit.circuits.array_system import ArraySystemParams
from rramkit.circuits.cell import ReadParams
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.row_driver import RowDriverParams
from rramkit.errors import InputError

ROWS = COLS = 2
READ = ReadParams(v_rest=0.3, v_wl=3.3, v_max=0.1)


def params(**given):
    bar = CrossbarParams(rows=ROWS, cols=COLS)
    system = {"crossbar": bar, "driver": RowDriverParams(bits=2), "read": READ} | given
    return ArrayOperationParams(system=ArraySystemParams(**system))


def test_what_does_not_fit_is_refused():
    states = np.full((ROWS, COLS), 0.7)
    with pytest.raises(InputError, match=r"`codes` must be \(2, N\) whole numbers from 0 to 3"):
        operation_reads(params(), states, np.full((ROWS, 1), 4))
    with pytest.raises(InputError, match="whole numbers"):
        operation_reads(params(), states, np.full((ROWS, 1), 1.5))
    with pytest.raises(InputError, match=r"`t_change` must be .* s or less"):
        operation_reads(params().model_copy(update={"t_change": 20e-9}), states, np.ones((ROWS, 1), dtype=int))
    with pytest.raises(InputError, match=r"`system\.driver\.r_string` must be 0"):
        operation_reads(params(driver=RowDriverParams(bits=2, r_string=1e3)), states, np.ones((ROWS, 1), dtype=int))
    with pytest.raises(InputError, match=r"`system\.read\.v_wl` must be the supply"):
        operation_reads(params(read=READ.model_copy(update={"v_wl": 2.5})), states, np.ones((ROWS, 1), dtype=int))
    with pytest.raises(InputError, match=r"`system\.share` must divide"):
        operation_reads(params(share=4), states, np.ones((ROWS, 1), dtype=int))


def test_every_source_of_the_deck_is_counted_or_gives_nothing():
    """Clamp and common mode drive gates only; the core supply of the shifters is left out of their table too."""
    codes = np.array([[1, 3], [2, 0]])
    deck = operation_reads(params(), np.full((ROWS, COLS), 0.7), codes)
    sources = {line.split()[0].lower() for line in str(deck.circuit).splitlines() if line[:2].lower() == "v_"}
    counted = {f"v_{each.current.removeprefix('i_')}" for each in supplies(params(), codes)}
    left_out = sources - counted
    ideal = {"v_clamp", "v_cm", "v_vcore_word", "v_word"}
    control = {name for name in left_out if name.startswith(("v_adc_0_rst", "v_adc_0_trial", "v_adc_0_take"))}
    assert left_out == ideal | control


@pytest.mark.long
def test_a_read_of_two_lines_gives_codes_in_order_and_readouts_their_standing_power(pool):
    """Of two columns the one with more conductance has the higher code; two turns of one unit are 104 ns of 1.2 mW."""
    given = params()
    codes = np.full((ROWS, 1), 3)
    waves = pool.run(operation_reads(given, np.array([[0.6, 0.9], [0.6, 0.9]]), codes).text())
    found = []
    for turn in range(2):
        at = given.adc.code_at(given.t_begin(turn) + given.t_read)
        bits = [np.interp(at, waves["time"], waves[f"q_0_{bit}"]) > 0.5 for bit in given.adc.decided]
        found.append(sum(2**bit * up for bit, up in enumerate(bits)))
    assert found[1] > found[0] + 1
    (supply,) = [each for each in supplies(given, codes) if each.part == "readouts"]
    assert isinstance(supply.volts, float)
    within = (given.t_begin(0), given.t_begin(2))
    power = integral(waves["time"], -supply.volts * waves[supply.current], within) / (within[1] - within[0])
    assert 1e-3 < power < 1.5e-3  # W: the amplifier's standing current at 1.8 V, which the plan of the readout found
