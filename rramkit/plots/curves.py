"""Curves of a table as training reads them, and held-out points beside them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rramkit.monotone_cubic import MonotoneCubic
from rramkit.plots.style import INK
from rramkit.table import HeldOut, Quantity

_PARTS = 16  # straight pieces between two points of a table (1): at a screen's size they look like the curve


def scale_axes(ax: Axes, x_axis: Quantity, signal: Quantity) -> None:
    """Make the axes logarithmic where the table interpolates in the logarithm."""
    if x_axis.log:
        ax.set_xscale("log")
    if signal.log:
        ax.set_yscale("log")


def curve(
    ax: Axes,
    x_axis: Quantity,
    values: np.ndarray,
    *,
    color: Any,  # noqa: ANN401  (what matplotlib takes for a colour)
    linestyle: Any = "-",  # noqa: ANN401  (or for a line)
    marker: str = ".",
    label: str | None = None,
    log: bool = False,
) -> Line2D:
    """Draw the table's own curve through values (N,) along one of its axes, and a dot at each point that was run.

    The curve is the monotone cubic that a look-up takes, in the logarithm of a logarithmic axis or signal (`log`).
    Along an axis of labels there is none, nor beside a point that failed, where a look-up is refused.
    """
    knots, good = np.asarray(x_axis.values, dtype=float), np.isfinite(values)
    look: dict[str, Any] = {"color": color, "marker": marker, "label": label}
    if x_axis.labels or np.count_nonzero(good) < 2:
        return ax.plot(knots, values, linestyle="none", **look)[0]
    along, of = (np.log(knots) if x_axis.log else knots), (np.log(values) if log else values)
    places = np.arange((knots.size - 1) * _PARTS + 1)
    fine = np.interp(places / _PARTS, np.arange(knots.size), along)
    drawn = MonotoneCubic(along[good], of[good])(fine)
    drawn = np.exp(drawn) if log else drawn
    drawn[_refused(~good)[np.minimum(places // _PARTS, knots.size - 2)]] = np.nan
    drawn[::_PARTS] = values  # to the last digit
    x = np.exp(fine) if x_axis.log else fine
    x[::_PARTS] = knots
    return ax.plot(x, drawn, linestyle=linestyle, markevery=_PARTS, **look)[0]


def _refused(bad: np.ndarray) -> np.ndarray:
    """Return between which neighbours a look-up is refused, (N-1,): a failed point shapes two intervals a side."""
    around = np.pad(bad, 1)
    return np.logical_or.reduce([around[k : k + bad.size - 1] for k in range(4)])


def held_out(ax: Axes, points: HeldOut, along: str, colours: np.ndarray | str) -> None:
    """Draw held-out points as open circles, and a cross where the table is at the point's own coordinates."""
    x = points.at[along].values
    look: dict[str, Any] = {"facecolors": "none", "edgecolors": colours, "linewidths": 0.9}
    ax.scatter(x, points.spice, s=22, zorder=3, **look)
    ax.plot(x, points.fit, "x", color=INK, markersize=2.6, markeredgewidth=0.6, zorder=4)
