"""Plots of measured reads: every read is drawn, and the curve that the table follows over it."""

import numpy as np
from matplotlib.figure import Figure

from rramkit import plots
from rramkit.table import Table, TableFile
from rramkit.table.schema import READS

PULSE = np.tile(np.arange(10.0), 2)
COLUMNS = READS["set"]
TABLE = Table(
    name=COLUMNS.group,
    axes=COLUMNS.of(read=np.arange(20)),
    signals=COLUMNS.of(
        g_cell=2e-6 + 1e-6 * PULSE + 1e-7 * (-1) ** np.arange(20),
        g_fit=2e-6 + 1e-6 * PULSE,
        pulse=PULSE,
        ramp=np.repeat([0.0, 1.0], 10),
        device=np.zeros(20),
        v_pulse=np.ones(20),
    ),
)


def test_all_reads_lie_under_the_fit_of_each_ramp():
    ax = plots.reads_and_fit(Figure().add_subplot(), TABLE)
    reads, *fits = ax.get_lines()
    np.testing.assert_array_equal(reads.get_ydata(), TABLE.signals["g_cell"].values)
    assert len(fits) == 2
    np.testing.assert_array_equal(fits[1].get_ydata(), TABLE.signals["g_fit"].values[10:])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pulses along the curve", "conductance (µS)")


def test_the_gallery_draws_them_once():
    assert list(plots.gallery(TableFile({TABLE.name: TABLE}, {}))) == ["reads_set-fit"]
