"""One quiet look for every plot, put on by a context and never globally.

The colours are those of Okabe and Ito (Color Universal Design, 2008), which stay apart in every common colour
blindness; ordered values take matplotlib's `viridis`, which rises evenly in lightness for every eye.
"""

import math
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rramkit import units

INK, QUIET, GRID = "#1b1d21", "#686c73", "#d8dade"
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
COLOURS = {"set": BLUE, "reset": VERMILION, "write": PURPLE, "read": GREEN, "rram": BLUE, "float": QUIET}

DASHES = ("-", (0, (5, 2)), (0, (2, 1.4)), (0, (6, 1.5, 1, 1.5)), (0, (1, 1.2)))
"""Line styles in order: curves that coincide stay visible."""

# Marks in each decade of a logarithmic axis, by the largest over the smallest value up to which they are taken: powers
# of ten alone would mark too little of a short one.
_MARKS = {6.0: tuple(np.arange(1.0, 10.0)), 300.0: (1.0, 2.0, 5.0), math.inf: (1.0,)}
_LONG = 40  # characters of a row of a legend (1): three columns of more are wider than the picture
_NOTE = 72  # characters of a line of a note (1): the width of a picture in a page
_SMALL = 1e-3  # pure numbers (1): below it a power of ten is taken out of the ticks
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

STYLE: dict[str, object] = {
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # the one font that matplotlib always brings
    "font.size": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.5,
    "svg.fonttype": "none",
}


def style() -> AbstractContextManager[None]:
    """Return the context in which figures take this look."""
    return matplotlib.rc_context(STYLE)  # pyright: ignore[reportArgumentType]


def ordered(*, falling: bool = False) -> Colormap:
    """Return the colours of ordered values, without the ends that vanish on white or on black paper."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0.22, 0.9, 256))
    return ListedColormap(shades[::-1] if falling else shades)


def name_axis(axis: Axis, label: str, unit: str) -> None:
    """Label an axis whose data are in SI units: ticks and label share one prefix; small pure numbers a power of ten.

    Call it after drawing, and after the axis' scale is chosen.
    """
    low, high = axis.get_view_interval()
    size, is_log = max(abs(low), abs(high)), axis.get_scale() == "log"
    scale, shown = units.prefixed(size, unit)
    if unit == "1" and 0.0 < size < _SMALL and not is_log:
        power = 3 * math.floor(math.log10(size) / 3)
        scale, shown = 10.0**power, f"10{str(power).translate(_RAISED)}"
    if is_log:
        axis.set_major_locator(LogLocator(subs=next(subs for ratio, subs in _MARKS.items() if high < low * ratio)))
    nothing = 1e-9 * size / scale  # of the axis: the rounding noise of a tick locator
    thousands = unit == "1"
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: _tick(value / scale, nothing=0.0 if is_log else nothing, thousands=thousands))
    )
    axis.set_minor_formatter(NullFormatter())
    axis.set_label_text(f"{label} ({shown})" if shown else label)


def colour_bar(ax: Axes, mappable: ScalarMappable, *, label: str, unit: str) -> None:
    """Put a thin bar beside `ax` that says what its colours mean."""
    bar = ax.figure.colorbar(mappable, ax=ax, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_rasterized(True)  # 256 rectangles otherwise
    name_axis(bar.ax.yaxis, label, unit)


def legend_above(ax: Axes, handles: Sequence[Artist] | None = None, labels: Sequence[str] | None = None) -> None:
    """Put the legend over the axes, where it hides no data; with marks of the caller's where these are given."""
    if handles is None or labels is None:
        handles, labels = ax.get_legend_handles_labels()
    widths = [max((len(label) for label in labels[column::3]), default=0) for column in range(3)]
    look = {"ncols": 2 if sum(widths) > _LONG else 3, "borderaxespad": 0.2, "handlelength": 1.8, "columnspacing": 1.4}
    order = [k for column in range(look["ncols"]) for k in range(column, len(labels), look["ncols"])]  # row by row
    shown = [handles[k] for k in order], [labels[k] for k in order]
    ax.legend(*shown, loc="lower left", bbox_to_anchor=(0.0, 1.0), **look)


def conductance_colours(g_cell: np.ndarray) -> ScalarMappable:
    """Return the map from conductance to colour over the range of `g_cell`."""
    return ScalarMappable(Normalize(float(np.min(g_cell)), float(np.max(g_cell))), ordered())


def spread(size: int, most: int) -> np.ndarray:
    """Return at most `most` indices spread evenly over `size` rows, both ends among them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def note_below(ax: Axes, text: str) -> None:
    """Write small lines under the label of the x axis, where they hide no data and no legend; nothing for no text."""
    if text:
        text = textwrap.fill(textwrap.shorten(text, 2 * _NOTE, placeholder=" ..."), _NOTE)
        place = {"xytext": (0, -35), "textcoords": "offset points", "ha": "right", "va": "top"}
        ax.annotate(text, (1.0, 0.0), xycoords="axes fraction", fontsize=7.0, color=QUIET, **place)


def _tick(value: float, *, nothing: float, thousands: bool) -> str:
    number = 0.0 if abs(value) <= nothing else float(f"{value:.6g}")
    shown = f"{number:,.0f}" if thousands and number.is_integer() else f"{number:.6g}"
    return shown.replace("-", "\N{MINUS SIGN}")
