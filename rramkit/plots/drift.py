"""Plots of conductances and pulses of a network's matrices by epoch, and of an ablation."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from rramkit.plots.style import BLUE, GRID, INK, QUIET, VERMILION, colour_bar, legend_above, name_axis, ordered
from rramkit.record import Epochs, LayerRecord

_SHADES = (BLUE, VERMILION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK, QUIET)


def conductance_drift(ax: Axes, layer: LayerRecord) -> Axes:
    """Draw the histogram of a matrix's conductances after each epoch as colour, and the median over it as a line."""
    epochs = np.arange(layer.histogram.shape[0] + 1) - 0.5
    shares = 100.0 * layer.histogram / np.maximum(layer.histogram.sum(axis=1, keepdims=True), 1)
    nonzero = np.ma.masked_less_equal(shares, 0.0)
    low = float(nonzero.min()) if nonzero.count() else 0.1
    norm = LogNorm(low, max(float(shares.max()), 1.01 * low))
    mesh = ax.pcolormesh(epochs, layer.g_edges, nonzero.T, cmap=ordered(falling=True), norm=norm, rasterized=True)
    ax.plot(epochs[:-1] + 0.5, _medians(layer), "o-", color=INK, linewidth=1.0, label="median")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch")
    ax.grid(visible=False)
    name_axis(ax.yaxis, "cell conductance", "S")
    colour_bar(ax, mesh, label="share of the cells", unit="%")
    legend_above(ax)
    return ax


def pulses_by_matrix(ax: Axes, layers: Sequence[LayerRecord]) -> Axes:
    """Draw the pulses a cell gets in each epoch of training, one line a matrix; epoch 0 is the programming."""
    parts = [layer.pulses_by_epoch[1:] / layer.pulses.size for layer in layers]
    for index, layer in enumerate(layers):
        epochs = np.arange(1, layer.pulses_by_epoch.size)
        _, rows, columns = layer.pulses.shape
        shade = _SHADES[index % len(_SHADES)]
        ax.plot(epochs, parts[index], "o-", color=shade, label=f"{index}: {rows} x {columns}")
    _scale_counts(ax, np.concatenate([part.ravel() for part in parts]))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel="pulses per cell")
    if len(layers) <= len(_SHADES):
        legend_above(ax)
    return ax


def gap_to_float(ax: Axes, epochs: Epochs) -> Axes:
    """Draw the float network's validation accuracy less the RRAM network's, by epoch (points)."""
    images, accuracy, of_float = epochs.followed
    gap = 100.0 * (of_float - accuracy)
    ax.axhline(0.0, color=GRID, linewidth=0.8)
    ax.plot(epochs.epoch[1:], gap[1:], "o-", color=BLUE)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel=f"float minus RRAM, {images} (points)")
    return ax


def ablation(
    ax: Axes,
    names: Sequence[str],
    accuracies: Sequence[float],
    *,
    reference: float,
    errors: Sequence[float],
    words: str = "without any",
) -> Axes:
    """Draw test accuracies with, or without, each non-ideality as bars from a reference, which `words` name.

    `errors` are the standard errors of the differences; NaN where there is one seed.
    """
    places = np.arange(len(names))
    losses = np.asarray(accuracies) - reference
    ax.barh(places, losses, left=reference, height=0.6, color=[VERMILION if loss < 0.0 else BLUE for loss in losses])
    ax.axvline(reference, color=INK, linewidth=0.8)
    finite = np.isfinite(errors)
    ax.errorbar(
        np.asarray(accuracies)[finite],
        places[finite],
        xerr=np.asarray(errors)[finite],
        fmt="none",
        ecolor=INK,
        elinewidth=0.9,
        capsize=2.0,
    )
    reach = np.where(finite, errors, 0.0)
    for place, accuracy in zip(places, accuracies, strict=True):
        ax.annotate(
            f"{100.0 * accuracy:.2f}",
            (min(accuracy - reach[place], reference), place),
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.0,
        )
    ax.set_yticks(places, list(names))
    ax.invert_yaxis()
    ends = [*(accuracies - reach), *(accuracies + reach), reference]
    room = max(max(ends) - min(ends), 1e-3)
    ax.set_xlim(min(ends) - 0.35 * room, max(ends) + 0.08 * room)  # the numbers stand left of the bars
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set_xlabel(f"test images classified correctly (%); line: {100.0 * reference:.2f} {words}")
    ax.grid(visible=False, axis="y")
    return ax


def _scale_counts(ax: Axes, values: np.ndarray) -> None:
    """Scale the y axis from zero: evenly, or, over more than a decade, by logarithms down to the least value."""
    positive = values[values > 0.0]
    if positive.size and positive.max() <= 10.0 * positive.min():
        ax.set_ylim(top=1.08 * float(positive.max()))
    elif positive.size:
        least, most = float(positive.min()), float(positive.max())
        ax.set_yscale("symlog", linthresh=least, linscale=0.3)
        steps = (1.0, 2.0, 5.0) if most < 100.0 * least else (1.0,)  # under two decades powers of ten are too few
        decades = 10.0 ** np.arange(np.floor(np.log10(least)), np.ceil(np.log10(most)) + 1.0)
        marks = [step * decade for decade in decades for step in steps]
        ax.set_yticks([0.0, *(mark for mark in marks if least <= mark <= most)])
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_ylim(bottom=0.0)


def _medians(layer: LayerRecord) -> np.ndarray:
    """Return the median conductance after each epoch (E+1,), to a bin's width."""
    centres = 0.5 * (layer.g_edges[:-1] + layer.g_edges[1:])
    share = np.cumsum(layer.histogram, axis=1) / np.maximum(layer.histogram.sum(axis=1, keepdims=True), 1)
    return centres[np.argmax(share >= 0.5, axis=1)]
