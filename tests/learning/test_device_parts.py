"""Parts of the device made ideal: what is said of each holds, and the other parts stay the tables' own."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, tables

from rramkit.array import ArrayModel
from rramkit.array.write.pulse import Writer
from rramkit.learning.device import FINER, DeviceSettings
from rramkit.table import Distribution, TableFile

G = np.linspace(G_LOW, G_HIGH, 7)


def test_the_tables_as_they_are_are_the_very_same():
    file = tables()
    after = DeviceSettings().applied(file)
    assert all(after[name] is file[name] for name in file.tables)


def test_ohmic_cells_are_linear():
    file = tables()
    after = DeviceSettings(current="ohmic").applied(file)
    cells = ArrayModel.from_tables(after).cells
    assert len(cells.a_grid) == 1 < len(ArrayModel.from_tables(file).cells.a_grid)
    # Resampling to the fine grid rounds; a conductance is then off by its last digits only.
    np.testing.assert_allclose(cells.a_grid[0], cells.g_grid, rtol=1e-9)
    assert after["set"] is file["set"]


@pytest.mark.parametrize("name", ["set", "reset"])
def test_even_changes_are_those_at_the_middle(name):
    file = tables()
    before, after = (
        getattr(Writer.from_tables(each), name) for each in (file, DeviceSettings(change="even").applied(file))
    )
    for v in before.v_pulse:
        middle = before.mean(np.array([0.5 * (G_LOW + G_HIGH)]), np.array([v]))
        # The fine grid is cubic between the table's points: even where the points are even.
        np.testing.assert_allclose(after.mean(G, np.full(G.shape, v)), middle[0], rtol=0, atol=1e-12)
    assert np.ptp(before.mean(G, np.full(G.shape, before.v_pulse[-1]))) > 1e-5


def test_even_changes_keep_their_spread():
    file = tables()
    change = file["set"].signals["delta_g"].values
    drawn = Distribution.of_draws(
        change[..., None] + 1e-6 * np.random.default_rng(1).standard_normal((*change.shape, 40)),
        signal="delta_g",
        over="cycles",
    )
    scattered = TableFile({**file.tables, "set": replace(file["set"], distributions={"cycles": drawn})}, {})
    before, after = (
        Writer.from_tables(each).set.cycles for each in (scattered, DeviceSettings(change="even").applied(scattered))
    )
    at = np.full(G.shape, 1.2)
    assert before is not None and after is not None
    for level in (0.1, 0.9):
        widths = [each.at_level(G, at, level=np.full(G.shape, level)) - each.mean.at(G, at) for each in (before, after)]
        # Sums of differences of microsiemens: rounding of 64-bit numbers.
        np.testing.assert_allclose(*widths, rtol=0, atol=1e-18)


def test_a_finer_driver_misses_less():
    file = tables()
    before, after = (Writer.from_tables(each).set for each in (file, DeviceSettings(amplitude="fine").applied(file)))
    assert after.v_pulse.size == FINER * (before.v_pulse.size - 1) + 1
    wanted = np.linspace(2e-6, 1e-5, G.size)
    misses = [np.max(np.abs(each.nearest(G[:4], wanted[:4])[1] - wanted[:4])) for each in (before, after)]
    assert misses[1] < 0.2 * misses[0]
