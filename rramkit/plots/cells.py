"""Plots of one cell from its tables: read current, one write pulse, a staircase of pulses."""

from matplotlib.axes import Axes

from rramkit.plots.style import COLOURS, QUIET, colour_bar, conductance_colours, name_axis, ordered, spread
from rramkit.staircase import Staircase
from rramkit.table import Table
from rramkit.table.schema import READ, SET

_CURVES = 7  # as many as a phone's screen separates


def stepped_line(table: Table) -> str:
    """Return the line whose voltage is the amplitude of a write table."""
    if table.polarity is None or SET.burst in table.conditions:  # a measured device's terminals are its own
        return "pulse"
    if table.polarity == "reset":
        return "source line"
    return "bit line" if SET.v_wl in table.conditions else "word line"


def current_voltage(ax: Axes, table: Table) -> Axes:
    """Draw cell current against voltage, one curve for each of several conductances, and the held-out SPICE points."""
    g_cell, v_cell = (table.axes[name].values for name in (READ.g_cell, READ.v_cell))
    i_cell = table.signals[READ.i_cell].values
    colours = conductance_colours(g_cell)
    for level in spread(g_cell.size, _CURVES):
        ax.plot(v_cell, i_cell[level], color=colours.to_rgba(g_cell[level]))
    held_out = table.held_out.get(READ.i_cell)
    if held_out is not None:
        at = held_out.at
        shades = colours.to_rgba(at[READ.g_cell].values)
        ax.scatter(at[READ.v_cell].values, held_out.spice, s=9, c=shades, edgecolors=QUIET, linewidths=0.4, zorder=3)
    name_axis(ax.xaxis, "cell voltage", "V")
    name_axis(ax.yaxis, "cell current", "A")
    colour_bar(ax, colours, label="conductance", unit="S")
    return ax


def one_pulse(ax: Axes, table: Table) -> Axes:
    """Draw conductance after one pulse against its amplitude, one curve for each of several start conductances."""
    g_start, v_pulse = (table.axes[name].values for name in (SET.g_start, SET.v_pulse))
    delta_g = table.signals[SET.delta_g].values
    colours = conductance_colours(g_start)
    for level in spread(g_start.size, _CURVES):
        shade = colours.to_rgba(g_start[level])
        ax.plot(v_pulse, g_start[level] + delta_g[level], ".-", color=shade)
    _name_amplitude(ax, table)
    name_axis(ax.yaxis, "conductance after one pulse", "S")
    colour_bar(ax, colours, label="conductance before", unit="S")
    return ax


def pulse_energy(ax: Axes, table: Table) -> Axes:
    """Draw the energy of one pulse against its amplitude, one curve for each of several start conductances."""
    g_start, v_pulse = (table.axes[name].values for name in (SET.g_start, SET.v_pulse))
    energy = table.signals[SET.energy].values
    colours = conductance_colours(g_start)
    for level in spread(g_start.size, _CURVES):
        ax.plot(v_pulse, energy[level], ".-", color=colours.to_rgba(g_start[level]))
    _name_amplitude(ax, table)
    name_axis(ax.yaxis, "energy per pulse", "J")
    colour_bar(ax, colours, label="conductance before", unit="S")
    return ax


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
