"""Measured reads under the curves that the tables follow."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rramkit import units
from rramkit.files import whole_file
from rramkit.plots.style import COLOURS, DASHES, QUIET, legend_above, name_axis, spread, style
from rramkit.table import Table, TableFile
from rramkit.table.schema import READS, words_of

_COLUMNS = READS["set"]  # both polarities have the same columns
_DRAWN = 60  # ramps whose curves are drawn: more cover the reads
_MANY = 1500  # reads: beyond this they are drawn as an image, which keeps a page small


def reads_and_fit(ax: Axes, table: Table) -> Axes:
    """Draw every read of a table `reads_set` or `reads_reset` as a dot, and the fit along each ramp as a line.

    Ramps of up to five amplitudes have a dash pattern for each, which the legend names.
    """
    pulse, g_cell, g_fit, ramp, v_pulse = (
        table.signals[name].values
        for name in (_COLUMNS.pulse, _COLUMNS.g_cell, _COLUMNS.g_fit, _COLUMNS.ramp, _COLUMNS.v_pulse)
    )
    colour, amplitudes, named = COLOURS[table.name.removeprefix("reads_")], np.unique(v_pulse), set()
    several = 1 < amplitudes.size <= len(DASHES)
    ax.plot(pulse, g_cell, ".", color=QUIET, markersize=3, alpha=0.6, label="reads", rasterized=pulse.size > _MANY)
    ramps = np.unique(ramp)
    for index in spread(ramps.size, _DRAWN):
        own = ramp == ramps[index]
        place = int(np.searchsorted(amplitudes, v_pulse[own][0])) if several else 0
        text = f"fit, {units.text(float(amplitudes[place]), 'V')}" if several else "fit, each ramp"
        look = {"color": colour, "linewidth": 1.0, "linestyle": DASHES[place]}
        ax.plot(pulse[own], g_fit[own], label=None if text in named else text, **look)
        named.add(text)
    name_axis(ax.xaxis, "pulses along the curve", "1")
    name_axis(ax.yaxis, "conductance", "S")
    legend_above(ax)
    return ax


def save_fits(tables: TableFile, path: Path, *, title: str) -> None:
    """Write a picture of the reads of both polarities under their fits; the suffix of `path` is its format."""
    names = [str(each.group) for each in READS.values() if each.group in tables.tables]
    with style(), whole_file(path) as draft:
        figure = Figure(figsize=(9.0, 3.6), facecolor="white")
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.0, color=QUIET)
        for ax, name in zip(figure.subplots(1, len(names)), names, strict=True):
            reads_and_fit(ax, tables[name]).set_title(words_of(name), loc="right")
        figure.savefig(draft, dpi=130)
