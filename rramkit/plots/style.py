"""One quiet look for every plot, put on by a context and never globally.

The colours are those of Okabe and Ito (Color Universal Design, 2008), which stay apart in every common colour
blindness; ordered values take matplotlib's `viridis`, which rises evenly in lightness for every eye.
"""

from contextlib import AbstractContextManager

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rramkit import units

INK, QUIET, GRID = "#1b1d21", "#686c73", "#d8dade"
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
COLOURS = {"set": BLUE, "reset": VERMILION, "write": PURPLE, "read": GREEN, "rram": BLUE, "float": QUIET}

_FEW_DECADES = 2.5  # of a colour bar (1): powers of ten alone would mark too little of it

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
    """Label an axis whose data are in SI units: ticks and label share one prefix. Call it after drawing."""
    low, high = axis.get_view_interval()
    scale, shown = units.prefixed(max(abs(low), abs(high)), unit)
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value / scale, thousands=unit == "1")))
    axis.set_minor_formatter(NullFormatter())
    axis.set_label_text(f"{label} ({shown})" if shown else label)


def colour_bar(ax: Axes, mappable: ScalarMappable, *, label: str, unit: str) -> None:
    """Put a thin bar beside `ax` that says what its colours mean."""
    bar = ax.figure.colorbar(mappable, ax=ax, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    norm = mappable.norm
    if isinstance(norm, LogNorm) and norm.vmin and norm.vmax:
        few = norm.vmax < norm.vmin * 10.0**_FEW_DECADES
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    if bar.solids is not None:
        bar.solids.set_rasterized(True)  # 256 rectangles otherwise
    name_axis(bar.ax.yaxis, label, unit)


def legend_above(ax: Axes) -> None:
    """Put the legend over the axes, where it hides no data."""
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2, handlelength=1.4)


def conductance_colours(g_cell: np.ndarray) -> ScalarMappable:
    """Return the map from conductance to colour over the range of `g_cell`."""
    return ScalarMappable(Normalize(float(np.min(g_cell)), float(np.max(g_cell))), ordered())


def spread(size: int, most: int) -> np.ndarray:
    """Return at most `most` indices spread evenly over `size` rows, both ends among them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def _tick(value: float, *, thousands: bool) -> str:
    number = round(value, 9) + 0.0  # without the rounding noise of a tick locator, and without -0
    shown = f"{number:,.0f}" if thousands and number.is_integer() else f"{number:.6g}"
    return shown.replace("-", "\N{MINUS SIGN}")
