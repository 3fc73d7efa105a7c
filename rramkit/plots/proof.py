"""Plot of a proof: margins of images in ngspice against those in the tables."""

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.style import BLUE, QUIET, VERMILION, legend_above


def margins(ax: Axes, scores_tables: np.ndarray, scores_spice: np.ndarray, truth: np.ndarray) -> Axes:
    """Draw each image's margin in ngspice against that in the tables; images decided differently stand out.

    The margin is the score of the true class less the highest other one: above 0 the image is decided rightly.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    scores_tables, scores_spice : ndarray
        Scores (N, classes).
    truth : ndarray of int
        True classes (N,).
    """
    tables, spice = _margin(scores_tables, truth), _margin(scores_spice, truth)
    apart = np.argmax(scores_tables, axis=1) != np.argmax(scores_spice, axis=1)
    reach = np.array([min(tables.min(), spice.min()), max(tables.max(), spice.max())])
    ax.plot(reach, reach, color=QUIET, linewidth=0.6, linestyle=(0, (4, 3)))
    for axis in (ax.axhline, ax.axvline):
        axis(0.0, color=QUIET, linewidth=0.6)
    ax.plot(tables[~apart], spice[~apart], ".", color=BLUE, markersize=4, label="decided alike")
    if np.any(apart):
        ax.plot(tables[apart], spice[apart], "o", color=VERMILION, markersize=5, label="decided differently")
    ax.set_xlabel("margin in the tables (1)")
    ax.set_ylabel("margin in ngspice (1)")
    legend_above(ax)
    return ax


def _margin(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the score of the true class less the highest other one (N,)."""
    rows = np.arange(truth.size)
    others = scores.astype(float).copy()
    others[rows, truth] = -np.inf
    return scores[rows, truth] - others.max(axis=1)
