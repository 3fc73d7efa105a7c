"""Held-out residuals: fit minus SPICE, with limits."""

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.style import BLUE, QUIET, VERMILION, legend_above, name_axis
from rramkit.table import HeldOut

_MANY = 1500  # points (1): beyond this they are drawn as an image, which keeps a page small


def residuals(ax: Axes, points: HeldOut, *, quantity: str, source: str = "SPICE") -> Axes:
    """Draw fit minus SPICE against the SPICE value, with the limit of the largest error and the band of the rms.

    `source` names the origin of the values where it is not SPICE.
    """
    ax.axhspan(-points.limit_rms, points.limit_rms, color=QUIET, alpha=0.14, linewidth=0, label="limit of the rms")
    ax.axhline(0.0, color=QUIET, linewidth=0.6)
    for sign, label in ((1.0, "limit of any point"), (-1.0, None)):
        ax.axhline(sign * points.limit_max, color=VERMILION, linewidth=1.0, linestyle=(0, (4, 3)), label=label)
    ax.plot(points.spice, points.error, ".", color=BLUE, markersize=3, alpha=0.7, rasterized=points.spice.size > _MANY)
    reach = 1.25 * float(np.nanmax([points.limit_max, *np.abs(points.error[np.isfinite(points.error)])]))
    ax.set_ylim(-reach, reach)
    name_axis(ax.xaxis, f"{quantity} in {source}", points.unit)
    name_axis(ax.yaxis, f"fit minus {source}", points.unit)
    legend_above(ax)
    return ax
