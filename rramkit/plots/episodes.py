"""Plots of a training by reinforcement learning: returns, energy, cells rewritten by updates of the target network."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rramkit.files import whole_file
from rramkit.plots.style import BLUE, QUIET, VERMILION, legend_above, name_axis, style
from rramkit.record import EpisodeRun

_SPAN = 20  # episodes in the running mean


def returns(ax: Axes, run: EpisodeRun) -> Axes:
    """Draw the return of every training episode, their running mean, and the evaluations without random actions."""
    episodes, judged = run.series["episodes"], run.series["judged"]
    ax.plot(episodes.step, episodes.value, ".", color=QUIET, markersize=2.0, alpha=0.5, label="training episode")
    if episodes.value.size >= _SPAN:
        mean = np.convolve(episodes.value, np.full(_SPAN, 1.0 / _SPAN), mode="valid")
        ax.plot(episodes.step[_SPAN - 1 :], mean, color=BLUE, label=f"mean of {_SPAN} episodes")
    ax.plot(judged.step, judged.value, "o", color=VERMILION, markersize=3.0, label="evaluation, no random actions")
    ax.set_xlabel("actions")
    ax.set_ylabel(f"return in {run.settings['environment']}")
    legend_above(ax)
    return ax


def rewrites(run: EpisodeRun) -> bool:
    """Return whether any update of the target network rewrote a cell: else there is nothing to draw."""
    return bool(np.any(run.series["target_updates"].value > 0))


def cells_rewritten(ax: Axes, run: EpisodeRun) -> Axes:
    """Draw how many cells each update of the target network rewrote."""
    updates = run.series["target_updates"]
    ax.plot(updates.step, updates.value, "o", color=VERMILION)
    ax.set_ylim(0.0, 1.1 * max(float(np.max(updates.value, initial=0.0)), 1.0))  # no cell at all is a flat line at 0
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    name_axis(ax.yaxis, f"cells rewritten, of {run.scalars['cells']:,.0f}", "1")
    ax.set_xlabel("batches")
    return ax


def energy(ax: Axes, run: EpisodeRun) -> Axes:
    """Draw the energy of all writes and reads so far, and of the target network's updates among it."""
    spent, updates = run.series["energy"], run.series["target_energy"]
    ax.plot(spent.step, spent.value, color=BLUE, label="writes and reads")
    if spent.step.size and updates.step.size:
        at = np.interp(updates.step, run.series["loss"].step, spent.step)  # batches to actions
        if np.any(updates.value > 0.0):
            ax.plot(at, np.cumsum(updates.value), color=VERMILION, label="updates of the target")
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("actions")
    name_axis(ax.yaxis, "energy since the start", "J")
    legend_above(ax)
    return ax


def save(run: EpisodeRun, path: Path) -> None:
    """Draw returns, energy and rewritten cells of a run into a picture file; its suffix says which kind."""
    title = f"{run.settings['environment']}, target network by {run.settings['target']}"
    with style(), whole_file(path) as draft:
        figure = Figure(figsize=(7.0, 7.0))
        figure.suptitle(f"{title}: mean return {run.mean_return:.1f} over {run.final_return.size} episodes")
        panels = 3 if rewrites(run) else 2
        above, middle, *below = figure.subplots(panels, 1, height_ratios=(3, 1.5, 1.2)[:panels])
        returns(above, run)
        energy(middle, run)
        middle.sharex(above)
        for ax in below:
            cells_rewritten(ax, run)
        figure.savefig(draft, dpi=130, facecolor="white")
