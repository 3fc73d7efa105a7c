"""What one cell does, from its tables: read current, one pulse, the staircase of many."""

from matplotlib.axes import Axes

from rramkit.plots.style import COLOURS, QUIET, colour_bar, conductance_colours, name_axis, ordered, spread
from rramkit.staircase import Staircase
from rramkit.table import Table

_STEPPED = {"set": "word line", "reset": "source line"}
_CURVES = 7  # as many as stay apart on a phone


def current_voltage(ax: Axes, table: Table) -> Axes:
    """Draw cell current against voltage, one curve for each of several conductances, and the held-out SPICE points."""
    g_cell, v_cell = (table.axes[name].values for name in ("g_cell", "v_cell"))
    i_cell = table.signals["i_cell"].values
    colours = conductance_colours(g_cell)
    for level in spread(g_cell.size, _CURVES):
        ax.plot(v_cell, i_cell[level], color=colours.to_rgba(g_cell[level]))
    held_out = table.held_out.get("i_cell")
    if held_out is not None:
        at = held_out.at
        shades = colours.to_rgba(at["g_cell"].values)
        ax.scatter(at["v_cell"].values, held_out.spice, s=9, c=shades, edgecolors=QUIET, linewidths=0.4, zorder=3)
    name_axis(ax.xaxis, "cell voltage", "V")
    name_axis(ax.yaxis, "cell current", "A")
    colour_bar(ax, colours, label="conductance", unit="S")
    return ax


def one_pulse(ax: Axes, table: Table) -> Axes:
    """Draw conductance after one pulse against its amplitude, one curve for each of several start conductances."""
    g_start, v_pulse = (table.axes[name].values for name in ("g_start", "v_pulse"))
    delta_g = table.signals["delta_g"].values
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
    g_start, v_pulse = (table.axes[name].values for name in ("g_start", "v_pulse"))
    energy = table.signals["energy"].values
    colours = conductance_colours(g_start)
    for level in spread(g_start.size, _CURVES):
        ax.plot(v_pulse, energy[level], ".-", color=colours.to_rgba(g_start[level]))
    _name_amplitude(ax, table)
    name_axis(ax.yaxis, "energy a pulse", "J")
    colour_bar(ax, colours, label="conductance before", unit="S")
    return ax


def delta_g_map(ax: Axes, table: Table) -> Axes:
    """Draw the change of conductance by one pulse over start conductance and amplitude, at the table's own points."""
    g_start, v_pulse = (table.axes[name].values for name in ("g_start", "v_pulse"))
    delta_g = table.signals["delta_g"].values
    falling = abs(delta_g.min()) > abs(delta_g.max())  # the bright end is the strong one for RESET too
    mesh = ax.pcolormesh(v_pulse, g_start, delta_g, cmap=ordered(falling=falling), shading="nearest", rasterized=True)
    ax.grid(visible=False)
    _name_amplitude(ax, table)
    name_axis(ax.yaxis, "conductance before", "S")
    colour_bar(ax, mesh, label="change by one pulse", unit="S")
    return ax


def staircase(ax: Axes, steps: Staircase, *, name: str) -> Axes:
    """Draw the conductance a cell climbs or falls through, one pulse an amplitude; `name` is `set` or `reset`."""
    colour = COLOURS.get(name, QUIET)
    ax.step(steps.v_pulse, steps.g_cell, where="post", color=colour)
    ax.plot(steps.v_pulse, steps.g_cell, ".", color=colour)
    ax.axhline(steps.g_start, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    offset, side = ((0, 2), "bottom") if name == "set" else ((0, -2), "top")
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
    name_axis(ax.xaxis, f"{_STEPPED.get(name, 'pulse')} voltage, one pulse a step", "V")
    name_axis(ax.yaxis, "conductance after it", "S")
    return ax


def _name_amplitude(ax: Axes, table: Table) -> None:
    name_axis(ax.xaxis, f"{_STEPPED.get(table.name, 'pulse')} voltage", "V")
