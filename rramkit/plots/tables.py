"""Plots of any table: families of curves with held-out points, residual maps, histograms of distributions."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from rramkit import units
from rramkit.plots.axis_words import axis_words
from rramkit.plots.curves import curve, held_out, scale_axes
from rramkit.plots.style import (
    BLUE,
    DASHES,
    GREEN,
    INK,
    PURPLE,
    QUIET,
    VERMILION,
    colour_bar,
    legend_above,
    name_axis,
    note_below,
    ordered,
    spread,
)
from rramkit.table import Distribution, HeldOut, Quantity, Table
from rramkit.table.operating_point import NOMINAL_CORNER, NOMINAL_SUPPLY, NOMINAL_TEMPERATURE
from rramkit.table.schema import CORNERS, SET, words_of

_CURVES = 7  # as many as a phone's screen separates
_NAMED = (BLUE, VERMILION, GREEN, PURPLE, QUIET)
_MARKERS = "o^vsD"  # of labels: process corners
_PLACES = 3  # histograms drawn over one another
_BINS = 16
_APART = 20.0  # distances over widths (1): beyond it histograms are drawn about their medians
_DECADE = 30.0  # largest over smallest coordinate (1): beyond it residuals stand over its logarithm


def family(ax: Axes, table: Table, signal: str) -> Axes:
    """Draw a signal against its longest axis, one curve for each of several values of another.

    Dots are the points that were run, lines the curves that a look-up takes. The other axes are at the value that the
    plot states: the nominal one of supply and temperature, else the middle. Where only such conditions are left out,
    held-out points are circles, each with a cross where the table is at the point's own coordinates.
    """
    along, across = _drawn_axes(table)
    values, x_axis, of = _sheet(table, signal, along, across), table.axes[along], table.signals[signal]
    scale_axes(ax, x_axis, of)
    points, colours = table.held_out.get(signal), None
    if across is None:
        curve(ax, x_axis, values[0], log=of.log, color=BLUE)
    elif table.axes[across].labels or _size(table, across) <= len(_NAMED):
        _named(ax, table, signal, values, along, across)
    else:
        colours = _coloured(ax, table, signal, values, along, across)
    fixed = _fixed(table, along, across)
    is_drawn = points is not None and set(fixed) <= {str(name) for name in CORNERS.columns} and along in points.at
    if points is not None and is_drawn:
        held_out(ax, points, along, _shades(points, table, across, colours))
    if not x_axis.labels or len(table.axes) > 1 or is_drawn:
        _legend(ax, _own(table, points, fixed, across) if points is not None and is_drawn else None)
    _limit_constant(ax, values)
    _name(ax, table, signal, along)
    note_below(ax, _stated(table, fixed))
    return ax


def _named(ax: Axes, table: Table, signal: str, values: np.ndarray, along: str, across: str) -> None:
    """Draw a curve for each value of a short axis, named in the legend."""
    other = table.axes[across]
    before = "corner " if across == CORNERS.corner else "" if other.labels else f"{axis_words(table, across)} "
    for index, row in enumerate(values):
        look: dict[str, Any] = {"color": _NAMED[index % len(_NAMED)], "linestyle": DASHES[index % len(DASHES)]}
        label = f"{'' if index else before}{_value_text(other, index)}"
        curve(ax, table.axes[along], row, log=table.signals[signal].log, label=label, **look)


def _coloured(ax: Axes, table: Table, signal: str, values: np.ndarray, along: str, across: str) -> ScalarMappable:
    """Draw curves at several values of a long axis, whose colours a bar explains."""
    other = table.axes[across]
    norm = (LogNorm if other.log else Normalize)(float(other.values[0]), float(other.values[-1]))
    colours = ScalarMappable(norm, ordered())
    for level in spread(other.values.size, _CURVES):
        shade = colours.to_rgba(other.values[level])
        marker = "." if _size(table, along) <= 2 * _BINS else ""
        curve(ax, table.axes[along], values[level], log=table.signals[signal].log, color=shade, marker=marker)
    colour_bar(ax, colours, label=axis_words(table, across), unit=other.unit)
    return colours


def _shades(points: HeldOut, table: Table, across: str | None, colours: ScalarMappable | None) -> np.ndarray | str:
    """Return the colour of each held-out point: that of its own value of the axis that the curves differ in."""
    if across is None or across not in points.at:
        return VERMILION
    own = points.at[across].values
    if colours is not None:
        return colours.to_rgba(own)
    nearest = np.argmin(np.abs(own[:, None] - np.asarray(table.axes[across].values, dtype=float)), axis=1)
    return np.array(_NAMED)[nearest % len(_NAMED)]


def _own(table: Table, points: HeldOut, fixed: dict[str, int], across: str | None) -> str:
    """Return the words of coordinates in which held-out points differ from what is drawn."""
    drawn = {name: table.axes[name].values[[index]] for name, index in fixed.items()}
    drawn |= {} if across is None else {across: table.axes[across].values}
    differ = [n for n, values in drawn.items() if n in points.at and not np.all(np.isin(points.at[n].values, values))]
    return f", own {' and '.join(words_of(table.name, name).split()[0] for name in differ)}" if differ else " in SPICE"


def _legend(ax: Axes, own: str | None) -> None:
    """Put the legend over the axes; with the marks of held-out points, where `own` says what they have of their own."""
    handles, labels = ax.get_legend_handles_labels()
    if own is not None:
        handles += [
            Line2D([], [], marker="o", markerfacecolor="none", color=QUIET, linestyle="none"),
            Line2D([], [], marker="x", markersize=3.0, color=INK, linestyle="none"),
        ]
        labels += [f"held out{own}", "the table there"]
    if handles:
        legend_above(ax, handles, labels)


def _limit_constant(ax: Axes, values: np.ndarray) -> None:
    """Give the axis of a signal that is one value everywhere an extent in which that value can be read."""
    finite = values[np.isfinite(values)]
    if not finite.size or np.ptp(finite) > 1e-6 * np.max(np.abs(finite)):  # a microunit of it: a flat line on any scale
        return
    level = float(finite.flat[0])
    ax.set_autoscaley_on(False)  # before any limit is asked for: on a logarithmic axis one value has none
    if level == 0.0:
        ax.set_ylim(-1.0, 1.0)
        ax.set_yticks([0.0])
    elif ax.get_yscale() == "log":
        ax.set_ylim(level / 10.0, level * 10.0)
    else:
        ax.set_ylim(*sorted((0.0, 2.0 * level)))


def _stated(table: Table, fixed: dict[str, int]) -> str:
    """Return at which values of the axes that are not drawn the curves are."""
    texts = [f"{axis_words(table, name)} {_value_text(table.axes[name], index)}" for name, index in fixed.items()]
    return f"at {', '.join(texts)}" if texts else ""


def _value_text(axis: Quantity, index: int) -> str:
    return axis.labels[index] if axis.labels else units.text(float(axis.values[index]), axis.unit)


def residual_map(ax: Axes, table: Table, signal: str) -> Axes:
    """Draw where over two axes a fit misses its held-out points, by how much, and which points failed (crosses).

    Two axes of numbers where the points have them; their process corners are then the shapes of the marks.
    """
    points = table.held_out[signal]
    along, across = _map_axes(table, points)
    scale_axes(ax, table.axes[along], Quantity(np.zeros(0), "1", log=table.axes[across].log))
    largest = float(np.max(np.abs(points.error))) or 1.0
    colours = ScalarMappable(TwoSlopeNorm(0.0, -largest, largest), "RdBu_r")
    for label, marker, own in _by_label(table, points, (along, across)):
        x, y, error = points.at[along].values[own], points.at[across].values[own], points.error[own]
        look: dict[str, Any] = {"s": 26, "edgecolors": QUIET, "linewidths": 0.4, "zorder": 3, "marker": marker}
        ax.scatter(x, y, c=colours.to_rgba(error), label=label, **look)
    bad = table.masked(signal)
    if np.any(bad):
        order = list(table.axes)
        grids = dict(zip(order, np.meshgrid(*(a.values for a in table.axes.values()), indexing="ij"), strict=True))
        ax.plot(grids[along][bad], grids[across][bad], "x", color=VERMILION, markersize=4, label="failed in SPICE")
    if ax.get_legend_handles_labels()[1]:
        legend_above(ax)
    for axis, name in ((ax.xaxis, along), (ax.yaxis, across)):
        _name_axis_of(axis, table, name)
    colour_bar(ax, colours, label="fit minus SPICE", unit=points.unit)
    return ax


def _map_axes(table: Table, points: HeldOut) -> tuple[str, str]:
    along, across = _drawn_axes(table)
    numbers = [n for n in table.axes if n != along and not table.axes[n].labels and _size(table, n) > 1]
    moving = [name for name in numbers if name in points.at and np.ptp(points.at[name].values) > 0.0]
    chosen = max(moving, key=lambda name: _size(table, name), default=across)
    assert chosen is not None
    return along, chosen


def _by_label(table: Table, points: HeldOut, drawn: tuple[str, str]) -> list[tuple[str | None, str, np.ndarray]]:
    """Return label, mark and membership (N,) of the held-out points of each label of an axis that is not drawn."""
    for name, axis in table.axes.items():
        if axis.labels and name in points.at and name not in drawn:
            own = np.round(points.at[name].values).astype(int)
            there = [k for k in range(len(axis.labels)) if np.any(own == k)]
            words = {k: f"{'' if index else 'corner '}{axis.labels[k]}" for index, k in enumerate(there)}
            return [(words[k], _MARKERS[k % len(_MARKERS)], own == k) for k in there]
    return [(None, "o", np.ones(points.spice.size, dtype=bool))]


def histogram(ax: Axes, table: Table, name: str) -> Axes:
    """Draw a distribution at up to three places of the table, as the share in bins of equal width.

    The places are the lowest, the middle and the highest value of the first axis, or its labels; the other axes stand
    where the plot states. The share of a bin is that of the table's quantiles, joined by straight lines. Distributions
    that are narrow beside their distances are drawn about their medians.
    """
    distribution = table.distributions[name]
    places = _places(table, distribution)
    medians = [float(np.interp(0.5, distribution.levels, quantiles)) for _, quantiles, _ in places]
    widest = max((float(quantiles[-1] - quantiles[0]) for _, quantiles, _ in places), default=0.0)
    is_apart = len(places) > 1 and np.ptp(medians) > _APART * widest > 0.0
    for (label, quantiles, colour), median in zip(places, medians, strict=True):
        shifted = quantiles - median if is_apart else quantiles
        if shifted[-1] <= shifted[0]:
            ax.axvline(shifted[0], color=colour, label=label)
            continue
        edges = np.linspace(shifted[0], shifted[-1], _BINS + 1)
        share = np.diff(np.interp(edges, shifted, distribution.levels))
        ax.stairs(share, edges, color=colour, fill=True, alpha=0.2)
        ax.stairs(share, edges, color=colour, label=label)
    words = words_of(table.name, distribution.signal)
    name_axis(ax.xaxis, f"{words}, from its median" if is_apart else words, table.signals[distribution.signal].unit)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=None))
    ax.set_ylabel(f"share in one of {_BINS} bins (%)")
    legend_above(ax)
    note_below(ax, _stated(table, _fixed(table, next(iter(table.axes)), None)) if table.axes else "")
    return ax


def change_band(ax: Axes, table: Table) -> Axes:
    """Draw the change by one pulse of a table of one amplitude against conductance: mean, quartiles, 5 to 95 %."""
    g_start, change = table.axes[SET.g_start].values, table.signals[SET.delta_g].values[:, 0]
    distribution = table.distribution(SET.delta_g)
    if distribution is not None:
        for low, high, alpha, label in ((0.05, 0.95, 0.15, "5 to 95 %"), (0.3, 0.7, 0.3, "30 to 70 %")):
            below, above = (
                np.array([np.interp(level, distribution.levels, row) for row in distribution.quantiles[:, 0]])
                for level in (low, high)
            )
            ax.fill_between(g_start, below, above, color=BLUE, alpha=alpha, linewidth=0, label=label)
    ax.plot(g_start, change, color=BLUE, label="mean")
    ax.axhline(0.0, color=QUIET, linewidth=0.6)
    name_axis(ax.xaxis, "conductance before", "S")
    name_axis(ax.yaxis, "change by one write", "S")
    legend_above(ax)
    return ax


def played_train(ax: Axes, points: HeldOut) -> Axes:
    """Draw held-out reads of a measured pulse train, and the train simulated from the table, write after write."""
    pulse = points.at[SET.pulse].values
    ax.plot(pulse, points.spice, "o", color=QUIET, markersize=4, markerfacecolor="none", label="held-out reads")
    ax.plot(pulse, points.fit, ".-", color=BLUE, label="simulated from the table")
    name_axis(ax.xaxis, "pulse", "1")
    name_axis(ax.yaxis, "conductance", points.unit)
    legend_above(ax)
    return ax


def _drawn_axes(table: Table) -> tuple[str, str | None]:
    """Return the axis to draw along (a voltage if it has three values, else the longest), and the one to colour by."""
    numbers = [name for name in table.axes if not table.axes[name].labels] or list(table.axes)
    along = max(numbers, key=lambda n: (_size(table, n) >= 3 and table.axes[n].unit == "V", _size(table, n)))
    others = [name for name in table.axes if name != along and _size(table, name) > 1]
    across = max(others, key=lambda n: (bool(table.axes[n].labels), _size(table, n)), default=None)
    return along, across


def _size(table: Table, name: str) -> int:
    return table.axes[name].values.size


def _sheet(table: Table, signal: str, along: str, across: str | None) -> np.ndarray:
    """Return (curves, points) of a signal, the axes that are not drawn where `_fixed` says."""
    values, names = table.signals[signal].values, list(table.axes)
    for name, index in _fixed(table, along, across).items():
        values = np.take(values, index, axis=names.index(name))
        names.remove(name)
    if across is None:
        return values[None]
    return np.moveaxis(values, names.index(across), 0)


def _fixed(table: Table, along: str, across: str | None) -> dict[str, int]:
    """Return where the axes that are not drawn are held: at the nominal condition, others in the middle."""
    nominal = {CORNERS.supply: NOMINAL_SUPPLY, CORNERS.temperature: NOMINAL_TEMPERATURE}
    indices = {}
    for name, axis in table.axes.items():
        if name in (along, across):
            continue
        at_nominal = next((value for column, value in nominal.items() if column == name), None)
        if at_nominal is not None:
            indices[name] = int(np.argmin(np.abs(np.asarray(axis.values, dtype=float) - at_nominal)))
        elif NOMINAL_CORNER in axis.labels:
            indices[name] = axis.labels.index(NOMINAL_CORNER)
        else:
            indices[name] = axis.values.size // 2
    return indices


def _places(table: Table, distribution: Distribution) -> list[tuple[str, np.ndarray, str]]:
    if not table.axes:
        return [(f"{distribution.draws} draws", distribution.quantiles, BLUE)]
    first = next(iter(table.axes))
    axis, others = table.axes[first], tuple(_fixed(table, first, None).values())
    before = "corner " if first == CORNERS.corner else "" if axis.labels else f"{axis_words(table, first)} "
    places = []
    for index, colour in zip(spread(axis.values.size, _PLACES), _NAMED, strict=False):
        label = f"{'' if places else before}{_value_text(axis, int(index))}"
        quantiles = distribution.quantiles[(int(index), *others)]
        if np.all(np.isfinite(quantiles)):
            places.append((label, quantiles, colour))
    return places


def _name(ax: Axes, table: Table, signal: str, along: str) -> None:
    _name_axis_of(ax.xaxis, table, along)
    name_axis(ax.yaxis, words_of(table.name, signal), table.signals[signal].unit)


def _name_axis_of(axis: Axis, table: Table, name: str) -> None:
    quantity = table.axes[name]
    if quantity.labels:
        axis.set_ticks(quantity.values, quantity.labels)
        axis.set_label_text(axis_words(table, name))
        ends = (-0.5, len(quantity.labels) - 0.5)  # half a place outside: a mark on the frame is cut in two
        axis.axes.set(**{"xlim" if axis is axis.axes.xaxis else "ylim": ends})
    else:
        name_axis(axis, axis_words(table, name), quantity.unit)


_MANY = 1500  # points (1): beyond this they are drawn as an image, which keeps a page small
_ROOM = 4.0  # a limit over the largest error (1): a limit farther out is written, for in its scale no error is seen


def residuals(ax: Axes, points: HeldOut, *, quantity: str, source: str = "SPICE", group: str = "") -> Axes:
    """Draw fit minus SPICE against the SPICE value, on the scale of the errors, with the limits that lie on it.

    Every error and its limit are written below. Values that SPICE has all alike, as ratios are all 1, stand over the
    coordinate that moves most. `source` names the origin of the values where it is not SPICE; `group` is the table.
    """
    x, words, unit, is_coordinate = _abscissa(points, quantity, source, group)
    largest = float(np.max(np.abs(points.error[np.isfinite(points.error)]), initial=0.0))
    reach = 1.25 * max([largest, *(each for each in (points.limit_rms, points.limit_max) if each <= _ROOM * largest)])
    reach = reach or 1.25 * points.limit_max
    shown = {limit: limit < reach for limit in (points.limit_rms, points.limit_max)}
    if shown[points.limit_rms]:
        look: dict[str, Any] = {"color": QUIET, "alpha": 0.14, "linewidth": 0, "label": "limit of the rms"}
        ax.axhspan(-points.limit_rms, points.limit_rms, **look)
    ax.axhline(0.0, color=QUIET, linewidth=0.6)
    line = "limit of any point" if shown[points.limit_max] else None
    for sign, label in ((1.0, line), (-1.0, None)):
        ax.axhline(sign * points.limit_max, color=VERMILION, linewidth=1.0, linestyle=(0, (4, 3)), label=label)
    ax.plot(x, points.error, ".", color=BLUE, markersize=4, alpha=0.7, rasterized=points.spice.size > _MANY)
    if is_coordinate and np.min(x) > 0.0 and np.max(x) > _DECADE * np.min(x):
        ax.set_xscale("log")
    if np.isfinite(reach) and reach > 0.0:
        ax.set_ylim(-reach, reach)
    name_axis(ax.xaxis, words, unit)
    name_axis(ax.yaxis, f"fit minus {source}", points.unit)
    if ax.get_legend_handles_labels()[1]:
        legend_above(ax)
    note_below(ax, _errors_and_limits(points))
    return ax


def _abscissa(points: HeldOut, quantity: str, source: str, group: str) -> tuple[np.ndarray, str, str, bool]:
    """Return what residuals stand over, its words and unit, and whether it is a coordinate and not the value."""
    moving = {name: each for name, each in points.at.items() if np.ptp(each.values) > 0.0}
    if np.ptp(points.spice) > 0.0 or not moving:
        return points.spice, f"{quantity} in {source}", points.unit, False
    name = max(moving, key=lambda each: np.unique(moving[each].values).size)
    return moving[name].values, words_of(group, name), moving[name].unit, True


def _errors_and_limits(points: HeldOut) -> str:
    """Return each error with its limit: `rms 0.12 of 4.5 nA, largest 0.36 of 18 nA allowed`."""
    kinds = [("rms", points.rms, points.limit_rms), ("95 %", points.p95, points.limit_p95)]
    kinds.append(("largest", points.max, points.limit_max))
    texts = [
        f"{name} {units.text(error, points.unit)} of {units.text(limit, points.unit)}"
        for name, error, limit in kinds
        if np.isfinite(limit)
    ]
    return f"{', '.join(texts)} allowed"
