"""Plots of a programmed tile: errors of its conductances and of its currents."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rramkit.plots.style import BLUE, GREEN, QUIET, VERMILION, colour_bar, legend_above, name_axis, style

_SHADES = {"exact": BLUE, "ngspice": VERMILION, "product": GREEN}
_WORDS = {"exact": "exact wires", "ngspice": "whole array in ngspice", "product": "ideal product"}


def error_map(ax: Axes, error: np.ndarray, *, label: str, unit: str) -> Axes:
    """Draw errors (R, C) of pairs as shades, zero in the middle."""
    top = float(np.max(np.abs(error))) or 1.0
    scale = Normalize(-top, top)
    colours = ScalarMappable(scale, "RdBu_r")
    ax.imshow(error, cmap=colours.cmap, norm=scale, aspect="auto", interpolation="nearest")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(8, integer=True))  # marks in the middle of a cell, numbered from 0
    ax.grid(visible=False)
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    colour_bar(ax, colours, label=label, unit=unit)
    return ax


def errors_of_currents(ax: Axes, i: np.ndarray, others: dict[str, np.ndarray]) -> Axes:
    """Draw what the tile's currents (B, M) differ by from each of `others`, against their size."""
    ax.axhline(0.0, color=QUIET, linewidth=0.6)
    for name, other in others.items():
        shade, label = _SHADES.get(name, QUIET), f"against {_WORDS.get(name, name)}"
        ax.plot(i.ravel(), (i - other).ravel(), ".", color=shade, markersize=3.5, label=label)
    name_axis(ax.xaxis, "current of the tile", "A")
    name_axis(ax.yaxis, "tile minus reference", "A")
    legend_above(ax)
    return ax


def save_error_map(path: Path, g_error: np.ndarray, i: np.ndarray, others: dict[str, np.ndarray], *, kind: str) -> None:
    """Save both plots side by side; `kind` is the picture's format."""
    with style():
        figure = Figure(figsize=(8.4, 3.2), facecolor="white")
        left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.12})
        error_map(left, g_error, label="written pair minus target", unit="S")
        errors_of_currents(right, i, others)
        figure.savefig(path, format=kind, dpi=160)
