"""Plot of an exploration: accuracy of every point against its energy, with the Pareto front and the default."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from rramkit.plots.style import BLUE, GREEN, QUIET, VERMILION, legend_above, name_axis

_DECADE = 10.0  # largest over smallest energy (1) from which the axis is logarithmic


def pareto_front(
    ax: Axes,
    energy: np.ndarray,
    accuracy: np.ndarray,
    *,
    front: Sequence[int],
    default: int,
    best: int,
    images: str = "validation",
) -> Axes:
    """Draw accuracies (P,) of points against the energies (P,) (J) of the reads for one input.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    energy, accuracy : ndarray
        Of each point (P,), in joules, and from 0 to 1.
    front : sequence of int
        Indices of the points on the Pareto front.
    default, best : int
        Indices of the point that others are compared with, and of the best beside it.
    images : str
        What the accuracy is of.

    Returns
    -------
    Axes
        `ax`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> ax = pareto_front(ax, np.array([1e-9, 2e-9]), np.array([0.8, 0.9]), front=[0, 1], default=1, best=1)
    >>> ax.get_ylabel()
    'validation images classified correctly (%)'
    """
    known = energy > 0.0
    if known.any() and energy[known].max() > _DECADE * energy[known].min():
        ax.set_xscale("log")
    ax.plot(energy, accuracy, "o", color=QUIET, alpha=0.5, label="point")
    order = sorted(front, key=lambda index: energy[index])
    ax.plot(energy[order], accuracy[order], "o-", color=BLUE, drawstyle="steps-post", label="Pareto front")
    marks = (("default", default, "s", VERMILION), ("best at no more energy", best, "D", GREEN))
    for label, index, mark, colour in marks:
        ax.plot([energy[index]], [accuracy[index]], mark, color=colour, markersize=6.0, label=label)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set_ylabel(f"{images} images classified correctly (%)")
    name_axis(ax.xaxis, "energy of the reads for one image", "J")
    legend_above(ax)
    return ax
