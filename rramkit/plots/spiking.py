"""Plot of a spiking evaluation: accuracy against the steps that an input was shown."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from rramkit.plots.style import BLUE, QUIET, legend_above

_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def accuracy_by_step(ax: Axes, accuracy: np.ndarray, beside: float | None = None) -> Axes:
    """Draw the accuracy after each step (T,), and as a line that of the same network read by levels."""
    steps = np.arange(1, accuracy.size + 1)
    ax.plot(steps, accuracy, "o-", color=BLUE, label="by spikes")
    if beside is not None:
        ax.axhline(beside, color=QUIET, linewidth=1.0, linestyle="--", label="by levels")
    ax.set_xscale("log")
    ax.set_xticks([each for each in _TICKS if each <= accuracy.size], minor=False)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set(xlabel="steps shown", ylabel="inputs classified correctly (%)")
    legend_above(ax)
    return ax
