"""Plots of a training from its run file: accuracy, loss, pulses, energy, conductances, confusion."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from rramkit.plots.style import COLOURS, GRID, INK, QUIET, colour_bar, legend_above, name_axis, ordered
from rramkit.record import Epochs, LayerRecord

_WIDE = 30.0  # pulses (1): above it the scale is logarithmic, which shows the many cells with few


def learning_curve(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the accuracies of the RRAM network and of the float network by epoch.

    By epoch: on validation and training images. Stars: on the test images, after the last epoch.
    """
    images, accuracy, of_float = epochs.followed
    if np.any(np.isfinite(of_float)):
        ax.plot(epochs.epoch, of_float, "--", color=COLOURS["float"], label=f"float, {images}")
    ax.plot(
        epochs.epoch, epochs.accuracy_train, color=COLOURS["rram"], linewidth=0.8, alpha=0.6, label="RRAM, training"
    )
    if images != "training":
        ax.plot(epochs.epoch, accuracy, "o-", color=COLOURS["rram"], label=f"RRAM, {images}")
    if images != "test":
        for name, accuracy in (("float", epochs.float_accuracy_test), ("RRAM", epochs.accuracy_test)):
            if np.isfinite(accuracy[-1]):
                colour = COLOURS[name.lower()]
                ax.plot(epochs.epoch[-1:], accuracy[-1:], "*", markersize=9, color=colour, label=f"{name}, test")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set_ylabel("images classified correctly (%)")
    _name_epochs(ax, epochs)
    legend_above(ax)
    return ax


def error_curve(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the validation error by epoch on a logarithmic scale, which separates late epochs."""
    ax.set_yscale("log")
    images, in_rram, of_float = epochs.followed
    for accuracy, line, name in ((of_float, "--", "float"), (in_rram, "o-", "rram")):
        if not np.any(np.isfinite(accuracy)):
            continue  # no float network was trained
        label = {"float": f"float, {images}", "rram": f"RRAM, {images}"}[name]
        ax.plot(epochs.epoch, np.ma.masked_equal(100.0 * (1.0 - accuracy), 0.0), line, color=COLOURS[name], label=label)
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("error (%)")
    _name_epochs(ax, epochs)
    legend_above(ax)
    return ax


def loss(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the mean loss over the training set by epoch."""
    ax.plot(epochs.epoch, epochs.loss, "o-", color=COLOURS["rram"])
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("loss on training images")
    _name_epochs(ax, epochs)
    return ax


def pulses_by_epoch(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the set and reset pulses of each epoch of training, without the initial programming (epoch 0)."""
    _stacked(ax, epochs, {"set": epochs.pulses_set, "reset": epochs.pulses_reset})
    name_axis(ax.yaxis, "pulses per epoch", "1")
    return ax


def energy_by_epoch(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the energy of writing and reading in each epoch of training, without the initial programming (epoch 0)."""
    _stacked(ax, epochs, {"write": epochs.energy_write, "read": epochs.energy_read})
    name_axis(ax.yaxis, "energy per epoch", "J")
    return ax


def energy_cumulative(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the energy spent since the start on writing, on reading and on both."""
    write, read = np.cumsum(epochs.energy_write), np.cumsum(epochs.energy_read)
    ax.plot(epochs.epoch, write + read, "o-", color=INK, label="both")
    ax.plot(epochs.epoch, write, color=COLOURS["write"], label="write")
    ax.plot(epochs.epoch, read, color=COLOURS["read"], label="read")
    ax.set_ylim(bottom=0.0)
    name_axis(ax.yaxis, "energy since the start", "J")
    _name_epochs(ax, epochs)
    ax.legend(loc="upper left")
    return ax


def conductance_histogram(ax: Axes, layer: LayerRecord) -> Axes:
    """Draw how many cells of a layer hold each conductance, before and after training."""
    both = np.concatenate([layer.g_initial.ravel(), layer.g_final.ravel()])
    bins = np.histogram_bin_edges(both, bins=48).tolist()
    ax.hist(layer.g_initial.ravel(), bins=bins, color=QUIET, alpha=0.35, label="before training")
    ax.hist(
        layer.g_final.ravel(), bins=bins, histtype="step", color=COLOURS["rram"], linewidth=1.4, label="after training"
    )
    name_axis(ax.xaxis, "cell conductance", "S")
    name_axis(ax.yaxis, "cells", "1")
    legend_above(ax)
    return ax


def pulses_by_cell(ax: Axes, layer: LayerRecord) -> Axes:
    """Draw the pulses fired at each cell (2 or 1, R, C): plus half above, minus half below; blank is no pulse."""
    halves = layer.pulses.astype(float)
    order = ": plus, then minus half" if len(halves) == 2 else ""
    if halves.shape[1] > halves.shape[2]:  # the long side lies along the page
        halves = halves.swapaxes(1, 2)
        ax.set(xlabel="row", ylabel=f"column{order}")
    else:
        ax.set(xlabel="column", ylabel=f"row{order}")
    pulses = np.ma.masked_less(np.vstack(list(halves)), 1.0)
    most = max(2.0, float(layer.pulses.max()))
    colours = LogNorm(1.0, most) if most > _WIDE else Normalize(1.0, most)
    image = ax.imshow(pulses, cmap=ordered(), norm=colours, aspect="auto", interpolation="nearest")
    height = halves.shape[1]
    if len(halves) == 2:
        ax.axhline(height - 0.5, color=INK, linewidth=0.8)
    marks = np.arange(0, height, max(1, height // 4))[:4]  # not the last line: it would touch the next half's first
    ax.set_yticks([m + height * k for k in range(len(halves)) for m in marks], [str(m) for m in marks] * len(halves))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(visible=False)
    colour_bar(ax, image, label="pulses per cell", unit="1")
    return ax


def confusion(ax: Axes, counts: np.ndarray) -> Axes:
    """Draw the confusion matrix: share of each true class (row) that got each predicted class, counts written in."""
    share = 100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    off_diagonal = share - np.diag(np.diag(share))
    top = max(float(off_diagonal.max()), 0.1)
    image = ax.imshow(np.ma.masked_equal(off_diagonal, 0.0), cmap=ordered(), norm=Normalize(0.0, top))
    for (true, predicted), number in np.ndenumerate(counts):
        shade = GRID if number == 0 else INK
        if true != predicted and number:
            shade = _on(image.to_rgba(off_diagonal[true, predicted]))
        ax.text(
            predicted,
            true,
            str(int(number)),
            ha="center",
            va="center",
            fontsize=6.5,
            color=shade,
            fontweight="bold" if true == predicted else "normal",
        )
    ax.set(xlabel="predicted class", ylabel="true class", xticks=range(len(counts)), yticks=range(len(counts)))
    ax.grid(visible=False)
    colour_bar(ax, image, label="share of the true class", unit="%")
    return ax


def _on(colour: Sequence[float] | np.ndarray) -> str:
    """Return white or black, whichever stands out more from an sRGB colour (WCAG 2.1, relative luminance)."""
    rgb = np.array(colour[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(np.array([0.2126, 0.7152, 0.0722]) @ linear)
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _stacked(ax: Axes, epochs: Epochs, parts: dict[str, np.ndarray]) -> None:
    below = np.zeros(epochs.epoch.size - 1)
    for name, values in parts.items():
        ax.bar(epochs.epoch[1:], values[1:], bottom=below, width=0.8, color=COLOURS[name], label=name)
        below = below + values[1:]
    ax.grid(visible=False, axis="x")
    _name_epochs(ax, epochs)
    ax.set_xlim(left=0.4)
    legend_above(ax)


def _name_epochs(ax: Axes, epochs: Epochs) -> None:
    ax.set_xlim(epochs.epoch[0] - 0.6, epochs.epoch[-1] + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch")
