"""Plot of a chip in service: the error of its outputs over the time since each calibration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rramkit.plots.style import BLUE, GREEN, QUIET, VERMILION, legend_above, name_axis

if TYPE_CHECKING:
    from rramkit.learning.calibration import Interval


def calibrations(ax: Axes, intervals: "Sequence[Interval]", e_max: float) -> Axes:
    """Draw the true error of each interval as a line, its benchmarks as points, and when it was calibrated.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    intervals : sequence of Interval
        As `rramkit.learning.calibration.in_service` yields them.
    e_max : float
        Limit of the error (1).
    """
    end = 1.3 * max(max(one.t_calibrated, one.t_ideal) for one in intervals)
    ax.axhline(e_max, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    for index, one in enumerate(intervals):
        labels = ("true error", "benchmark", "calibrated") if not index else ("_", "_", "_")
        curve = [each for each in one.curve if each[0] <= end]
        ax.plot(*zip(*curve, strict=True), color=GREEN, linewidth=0.8, label=labels[0])
        ax.plot(one.times, one.errors, "o", color=BLUE, markersize=3.0, label=labels[1])
        ax.plot([one.t_calibrated], [one.e_calibrated], "x", color=VERMILION, markersize=6.0, label=labels[2])
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, None)
    name_axis(ax.xaxis, "time since the last calibration", "s")
    name_axis(ax.yaxis, "relative error of the outputs", "1")
    legend_above(ax)
    return ax
