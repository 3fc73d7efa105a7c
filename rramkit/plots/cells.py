"""Plots of one cell from its tables: read current, one write pulse, a staircase of pulses."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.axis_words import stepped_line
from rramkit.plots.curves import curve, held_out, scale_axes
from rramkit.plots.style import COLOURS, QUIET, colour_bar, conductance_colours, name_axis, ordered, spread
from rramkit.staircase import Staircase
from rramkit.table import Quantity, Table
from rramkit.table.schema import READ, SET

_CURVES = 7  # as many as a phone's screen separates
_FEW = 3  # amplitudes that are marked on the axis one by one


def current_voltage(ax: Axes, table: Table) -> Axes:
    """Draw cell current against voltage, one curve for each of several conductances, and the held-out SPICE points.

    A held-out point is a circle, with a cross where the table is at the point's own conductance, voltage and condition.
    """
    g_cell, v_cell, signal = table.axes[READ.g_cell].values, table.axes[READ.v_cell], table.signals[READ.i_cell]
    colours = conductance_colours(g_cell)
    scale_axes(ax, v_cell, signal)
    for level in spread(g_cell.size, _CURVES):
        shade = colours.to_rgba(g_cell[level])
        curve(ax, v_cell, signal.values[level], log=signal.log, color=shade, marker="")
    points = table.held_out.get(READ.i_cell)
    if points is not None:
        held_out(ax, points, READ.v_cell, colours.to_rgba(points.at[READ.g_cell].values))
    name_axis(ax.xaxis, "cell voltage", "V")
    name_axis(ax.yaxis, "cell current", "A")
    colour_bar(ax, colours, label="conductance", unit="S")
    return ax


def one_pulse(ax: Axes, table: Table) -> Axes:
    """Draw conductance after one pulse against its amplitude, one curve for each of several start conductances."""
    _pulse_curves(ax, table, lambda level: table.axes[SET.g_start].values[level] + table.signals[SET.delta_g][level])
    name_axis(ax.yaxis, "conductance after one pulse", "S")
    return ax


def pulse_energy(ax: Axes, table: Table) -> Axes:
    """Draw the energy of one pulse against its amplitude, one curve for each of several start conductances."""
    _pulse_curves(ax, table, lambda level: table.signals[SET.energy][level])
    name_axis(ax.yaxis, "energy per pulse", "J")
    return ax


def _pulse_curves(ax: Axes, table: Table, values: Callable[[int], np.ndarray]) -> None:
    """Draw the values (P,) at several start conductances against the amplitude, and the bar of their colours."""
    g_start, v_pulse = table.axes[SET.g_start].values, table.axes[SET.v_pulse]
    colours = conductance_colours(g_start)
    scale_axes(ax, v_pulse, Quantity(g_start, "S"))
    for level in spread(g_start.size, _CURVES):
        curve(ax, v_pulse, values(int(level)), color=colours.to_rgba(g_start[level]))
    _name_amplitude(ax, table)
    colour_bar(ax, colours, label="conductance before", unit="S")


def delta_g_map(ax: Axes, table: Table) -> Axes:
    """Draw the change of conductance by one pulse over start conductance and amplitude, at the table's own points."""
    g_start, v_pulse = (table.axes[name].values for name in (SET.g_start, SET.v_pulse))
    delta_g = table.signals[SET.delta_g].values
    falling = abs(delta_g.min()) > abs(delta_g.max())  # the bright end is the strong one for RESET too
    mesh = ax.pcolormesh(v_pulse, g_start, delta_g, cmap=ordered(falling=falling), shading="nearest", rasterized=True)
    ax.grid(visible=False)
    _name_amplitude(ax, table)
    name_axis(ax.yaxis, "conductance before", "S")
    colour_bar(ax, mesh, label="change by one pulse", unit="S")
    return ax


def staircase(ax: Axes, steps: Staircase, *, table: Table) -> Axes:
    """Draw the conductance of a cell along a staircase of a write table, one pulse an amplitude."""
    colour = COLOURS[table.polarity] if table.polarity else QUIET
    ax.step(steps.v_pulse, steps.g_cell, where="post", color=colour)
    ax.plot(steps.v_pulse, steps.g_cell, ".", color=colour)
    ax.axhline(steps.g_start, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    offset, side = ((0, 2), "bottom") if table.polarity == "set" else ((0, -2), "top")
    ax.annotate(
        "before the first pulse",
        (1, steps.g_start),
        xycoords=("axes fraction", "data"),
        xytext=offset,
        textcoords="offset points",
        ha="right",
        va=side,
        color=QUIET,
        fontsize=8.0,
    )
    name_axis(ax.xaxis, f"{stepped_line(table)} voltage, one pulse a step", "V")
    name_axis(ax.yaxis, "conductance after it", "S")
    return ax


def _name_amplitude(ax: Axes, table: Table) -> None:
    name_axis(ax.xaxis, f"{stepped_line(table)} voltage", "V")
    values = table.axes[SET.v_pulse].values
    if values.size <= _FEW:
        ax.set_xticks(values)
