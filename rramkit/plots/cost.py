"""Plots of what a training costs: bars by heading, places of the gradient, the tornado, accuracy against energy."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from rramkit import units
from rramkit.cost.comparison import ClaimedRatio
from rramkit.cost.gradient import NAMES, GradientCost
from rramkit.cost.tornado import Swing
from rramkit.plots.style import BLUE, COLOURS, GREEN, INK, PURPLE, QUIET, VERMILION, legend_above, name_axis

_ORIGINS = {"SPICE": BLUE, "found": GREEN, "derived": PURPLE, "recalled": VERMILION}


def cost_breakdown(ax: Axes, energies: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw the energy (J) of each heading as a bar, its parts by where their prices are from."""
    names = list(energies)
    left = np.zeros(len(names))
    for origin, colour in _ORIGINS.items():
        width = np.array([energies[name].get(origin, 0.0) for name in names])
        if width.any():
            ax.barh(names, width, left=left, color=colour, height=0.65, label=origin)
            left += width
    for index, energy in enumerate(left):
        ax.annotate(  # a space before the text would be lost in SVG
            units.text(float(energy), "J"),
            (energy, index),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
        )
    ax.set_xlim(0.0, 1.3 * max(float(left.max(initial=0.0)), 1e-30))
    return _of_energy(ax, "energy of the run")


def gradient_places(ax: Axes, places: Sequence[GradientCost]) -> Axes:
    """Draw the energy of gradient and update at each place, on a logarithmic scale; a range where it is one."""
    names = [f"{NAMES[each.place]}{' *' if each.chosen else ''}" for each in places]
    ax.set_xscale("log")
    for name, each in zip(names, places, strict=True):
        ax.plot([each.low, each.high], [name, name], color=BLUE, linewidth=6.0, solid_capstyle="butt")
        ax.plot([each.low, each.high], [name, name], "o", color=INK)
        ends = [each.low] if each.low == each.high else [each.low, each.high]
        text = " to ".join(units.text(end, "J") for end in ends)
        ax.annotate(text, (each.low, name), xytext=(0, 7), textcoords="offset points", fontsize=7.5)
    ax.set_ylim(len(names) - 0.5, -0.8)
    ax.margins(x=0.15)
    ax.grid(visible=False, axis="y")
    name_axis(ax.xaxis, "energy of gradient and update (* as priced)", "J")
    return ax


def claimed_ratio(ax: Axes, claims: Sequence[ClaimedRatio]) -> Axes:
    """Draw the range of a run's ratio (1) with each gradient unit, and the claimed ratio, on a logarithmic scale."""
    names = [each.unit for each in claims]
    known = [end for each in claims for end in (each.ratio.low, each.ratio.high) if end]
    low, high = min((*known, claims[0].claim.ratio)), max((*known, claims[0].claim.ratio))
    ax.set_xscale("log")
    ax.set_xlim(low / 2.0, high * 2.0)
    for name, each in zip(names, claims, strict=True):
        start, stop = each.ratio.low or low / 2.0, each.ratio.high or high * 2.0  # an unknown end: to the edge
        ax.plot([start, stop], [name, name], color=BLUE, linewidth=6.0, solid_capstyle="butt")
        ax.annotate(each.ratio.text("1"), (start, name), xytext=(0, 7), textcoords="offset points", fontsize=7.5)
    ax.axvline(claims[0].claim.ratio, color=VERMILION, linewidth=1.2)
    ax.set_ylim(len(names) - 0.5, -0.8)
    ax.grid(visible=False, axis="y")
    name_axis(ax.xaxis, "machine's energy over the run's; line: as claimed", "1")
    return ax


def tornado(ax: Axes, swings: Sequence[Swing], energy: float) -> Axes:
    """Draw how far each assumption moves the total energy (J), the widest on top."""
    names = [swing.name for swing in swings]
    for index, swing in enumerate(swings):
        ax.barh(index, swing.low - energy, left=energy, color=GREEN, height=0.65)
        ax.barh(index, swing.high - energy, left=energy, color=VERMILION, height=0.65)
        for end, text, side in ((swing.low, swing.low_at, -1), (swing.high, swing.high_at, 1)):
            if end != energy:
                place = {"xytext": (2 * side, 0), "textcoords": "offset points", "va": "center", "fontsize": 6.5}
                ax.annotate(text, (end, index), ha="left" if side > 0 else "right", **place)
    ax.axvline(energy, color=QUIET, linewidth=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.margins(x=0.25)
    return _of_energy(ax, "energy of the run")


def accuracy_against_energy(ax: Axes, energy: np.ndarray, accuracy: np.ndarray, images: str) -> Axes:
    """Draw the accuracy (E+1,) on some images against the energy (J) spent so far (E+1,)."""
    ax.plot(energy, accuracy, "o-", color=COLOURS["rram"])
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set_ylabel(f"{images} images classified correctly (%)")
    ax.set_xlim(left=0.0)
    name_axis(ax.xaxis, "energy since the start, digital work included", "J")
    return ax


def _of_energy(ax: Axes, label: str) -> Axes:
    """Label bars of energy, the first on top."""
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    name_axis(ax.xaxis, label, "J")
    if ax.get_legend_handles_labels()[1]:
        legend_above(ax)
    return ax
