"""A pulse of the transistor-level write driver through its lines, against what the tables of its parts predict."""

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.pulse_decks import droop_table, pulse_table, state_map

from rramkit.array.write.cell_address import CellAddress
from rramkit.array.write.droop import Droop
from rramkit.array.write.droop import DroopParams as DroopWorth
from rramkit.array.write.pulse import GradualWrite
from rramkit.array.write.write_driver import WriteDriver
from rramkit.characterization.components.write_driver import measure as driver_measure
from rramkit.characterization.components.write_driver import supply_energies
from rramkit.circuits.write_driver import CodeTrainParams, driven_write
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table
from rramkit.table.schema import DROOPS, WRITE_DRIVERS

CELLS = 16  # the shortest lines of the driver's plan
WINDOW = 76e-6  # S, of the default plan


@pytest.fixture(scope="module")
def states(pool):
    return state_map(pool)


def train(polarity, state, code):
    given = {"polarity": polarity, "state": state, "pulses": 1, "code_list": (code,), "t_step": 0.5e-9}
    return CodeTrainParams.checked({**given, "driver": {"lines": {"cells": CELLS}}}, where="the test")


def driver_table(pool, polarity, state, code):
    """Return what the driver does at one code, on a cell whose state stands still."""
    params, columns = train(polarity, state, code), WRITE_DRIVERS[polarity]
    found = driver_measure(pool.run(driven_write(params, held=True).text()), params, np.array([float(code)]))
    return Table(
        columns.group,
        columns.of(code=np.array([float(code)]), cells=np.array([float(CELLS)]), state=np.array([state])),
        columns.of(**{name: np.reshape(value, (1, 1, 1)) for name, value in found.items()}),
        columns.of(t_pulse=params.t_pulse, t_slot=params.t_write, r_neighbour=params.driver.lines.r_neighbour),
    )


@pytest.mark.parametrize(("polarity", "g_start", "code"), [("set", 12e-6, 30), ("reset", 70e-6, 50)])
def test_a_pulse_through_the_driver_is_what_the_tables_of_its_parts_say(pool, states, polarity, g_start, code):
    state = float(states.state_of(np.array([g_start]))[0])
    real = train(polarity, state, code)
    waves = pool.run(driven_write(real).text())
    change = float(states.g_of(waves["state"][-1:])[0]) - g_start
    energy = float(sum(each[0] for each in supply_energies(waves, real).values()))

    v = float(real.amplitudes[0])
    driver = driver_table(pool, polarity, state, code)
    volts = v + np.linspace(-0.06, 0.01, 8)
    own = pulse_table(pool, states, polarity, g_start * np.array([0.97, 1.03]), volts)
    columns, loss = DROOPS[polarity], droop_table(pool, states, polarity, state, v)
    drivers = {polarity: WriteDriver.from_table(driver, cells=CELLS, pulses=own)}
    worth = {polarity: (GridSurrogate(loss, columns.source), GridSurrogate(loss, columns.bit))}
    lines = Droop(1.0, 1.0, DroopWorth(), worth, drivers)  # ohm a segment, as the bench's lines
    write, cell, v_settled = GradualWrite.from_table(own), np.array([g_start]), drivers[polarity].codes.v_settled
    shape = (2, CELLS, CELLS // 2)
    flat = np.array([np.ravel_multi_index((1, 0, CELLS // 2 - 1), shape)])  # the far end of both lines
    address = CellAddress.of(flat, shape)
    assert (address.along_row[0], address.along_col[0]) == (CELLS - 1, CELLS - 1)
    lost = lines.lost(write, cell, v_settled, address=address, slot=np.zeros(1, dtype=np.intp))
    predicted, ideal = (float(write.mean(cell, v_settled - less)[0]) for less in (lost, 0.0))
    assert abs(ideal - change) > 0.02 * WINDOW  # what the driver and the lines take is not small
    # 2 % of the window: the current is the pulse's mean, and ends of a pulse weigh more than its middle
    assert abs(predicted - change) < 0.02 * WINDOW
    assert abs(predicted - change) < 0.35 * abs(ideal - change)
    e_cell = write.joules(cell, v_settled, lost)
    # the driver was measured on a cell that stands still: its own charge is 90 % of the energy, and that is the same
    assert float(drivers[polarity].energy(v_settled, e_cell, np.ones(1))[0]) == near(energy, rel=0.05)
