"""Measured reads under the curves that the tables follow."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rramkit.files import whole_file
from rramkit.plots.style import COLOURS, QUIET, legend_above, name_axis, spread, style
from rramkit.table import Table, TableFile
from rramkit.table.schema import READS

_COLUMNS = READS["set"]  # both polarities have the same columns
_DRAWN = 60  # ramps whose curves are drawn: more cover the reads
_MANY = 1500  # reads: beyond this they are drawn as an image, which keeps a page small


def reads_and_fit(ax: Axes, table: Table) -> Axes:
    """Draw every read of a table `reads_set` or `reads_reset` as a dot, and the fit along each ramp as a line."""
    pulse, g_cell, g_fit, ramp = (
        table.signals[name].values for name in (_COLUMNS.pulse, _COLUMNS.g_cell, _COLUMNS.g_fit, _COLUMNS.ramp)
    )
    colour = COLOURS[table.name.removeprefix("reads_")]
    ax.plot(pulse, g_cell, ".", color=QUIET, markersize=3, alpha=0.6, label="reads", rasterized=pulse.size > _MANY)
    ramps = np.unique(ramp)
    for k, index in enumerate(spread(ramps.size, _DRAWN)):
        own = ramp == ramps[index]
        ax.plot(pulse[own], g_fit[own], color=colour, linewidth=1.0, label=None if k else "fit, each ramp")
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
            reads_and_fit(ax, tables[name]).set_title(name.removeprefix("reads_").upper(), loc="right")
        figure.savefig(draft, dpi=130)
