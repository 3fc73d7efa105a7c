"""Plots of any table: families of curves with held-out points, residual maps, histograms of distributions."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm

from rramkit import units
from rramkit.plots.style import (
    BLUE,
    GREEN,
    PURPLE,
    QUIET,
    VERMILION,
    colour_bar,
    legend_above,
    name_axis,
    ordered,
    spread,
)
from rramkit.table import Distribution, HeldOut, Quantity, Table
from rramkit.table.operating_point import NOMINAL_CORNER, NOMINAL_SUPPLY, NOMINAL_TEMPERATURE
from rramkit.table.schema import CORNERS, READ, SET, WIRES

_CURVES = 7  # as many as a phone's screen separates
_NAMED = (BLUE, VERMILION, GREEN, PURPLE, QUIET)
_PLACES = 3  # histograms drawn over one another
_BINS = 16


def family(ax: Axes, table: Table, signal: str) -> Axes:
    """Draw a signal against its longest axis, one curve for each of several values of another.

    The other axes are at the value that the plot states: the nominal one of supply and temperature, else the middle.
    Held-out SPICE points of a table of up to two axes are dots in the colour of their curve; a failed point is a gap.
    """
    along, across = _drawn_axes(table)
    values, x_axis = _sheet(table, signal, along, across), table.axes[along]
    if across is None:
        ax.plot(x_axis.values, values[0], ".-", color=BLUE)
    elif table.axes[across].labels:
        for label, row, colour in zip(table.axes[across].labels, values, _NAMED * len(values), strict=False):
            ax.plot(x_axis.values, row, ".-", color=colour, label=label)
        legend_above(ax)
    else:
        _coloured(ax, table, signal, values, along, across)
    points = table.held_out.get(signal)
    if points is not None and along in points.at and len(table.axes) == 1:
        ax.plot(points.at[along].values, points.spice, "o", color=QUIET, markersize=3, markerfacecolor="none")
    _name(ax, table, signal, along)
    _state_fixed(ax, table, _fixed(table, along, across))
    return ax


def _state_fixed(ax: Axes, table: Table, fixed: dict[str, int]) -> None:
    """Write at which values of the axes that are not drawn the curves are."""
    if not fixed:
        return
    texts = [f"{words(name)} {_value_text(table.axes[name], index)}" for name, index in fixed.items()]
    text = f"at {', '.join(texts)}"
    ax.annotate(text, (1.0, 1.01), xycoords="axes fraction", ha="right", va="bottom", fontsize=7, color=QUIET)


def _value_text(axis: Quantity, index: int) -> str:
    return axis.labels[index] if axis.labels else units.text(float(axis.values[index]), axis.unit)


def _coloured(ax: Axes, table: Table, signal: str, values: np.ndarray, along: str, across: str) -> None:
    other = table.axes[across]
    colours = ScalarMappable(Normalize(float(other.values[0]), float(other.values[-1])), ordered())
    for level in spread(other.values.size, _CURVES):
        ax.plot(table.axes[along].values, values[level], color=colours.to_rgba(other.values[level]))
    points = table.held_out.get(signal)
    if points is not None and len(table.axes) == 2 and along in points.at and across in points.at:
        shades = colours.to_rgba(points.at[across].values)
        ax.scatter(points.at[along].values, points.spice, s=9, c=shades, edgecolors=QUIET, linewidths=0.4, zorder=3)
    colour_bar(ax, colours, label=words(across), unit=other.unit)


def residual_map(ax: Axes, table: Table, signal: str) -> Axes:
    """Draw where over two axes a fit misses its held-out points, by how much, and which points failed (crosses)."""
    points = table.held_out[signal]
    along, across = _drawn_axes(table)
    assert across is not None
    largest = float(np.max(np.abs(points.error))) or 1.0
    colours = ScalarMappable(TwoSlopeNorm(0.0, -largest, largest), "RdBu_r")
    shades = colours.to_rgba(points.error)
    x, y = points.at[along].values, points.at[across].values
    ax.scatter(x, y, s=26, c=shades, edgecolors=QUIET, linewidths=0.4, zorder=3)
    bad = table.masked(signal)
    if np.any(bad):
        order = list(table.axes)
        grids = dict(zip(order, np.meshgrid(*(a.values for a in table.axes.values()), indexing="ij"), strict=True))
        ax.plot(grids[along][bad], grids[across][bad], "x", color=VERMILION, markersize=4, label="failed in SPICE")
        legend_above(ax)
    _name_axis_of(ax.xaxis, table.axes[along], along)
    _name_axis_of(ax.yaxis, table.axes[across], across)
    colour_bar(ax, colours, label="fit minus SPICE", unit=points.unit)
    return ax


def histogram(ax: Axes, table: Table, name: str) -> Axes:
    """Draw a distribution at up to three places of the table, as the share in bins of equal width.

    The places are the lowest, the middle and the highest value of the first axis, the other axes at the middle. The
    share of a bin is that of the table's quantiles, joined by straight lines.
    """
    distribution = table.distributions[name]
    for label, quantiles, colour in _places(table, distribution):
        if quantiles[-1] <= quantiles[0]:
            ax.axvline(quantiles[0], color=colour, label=label)
            continue
        edges = np.linspace(quantiles[0], quantiles[-1], _BINS + 1)
        share = np.diff(np.interp(edges, quantiles, distribution.levels))
        ax.stairs(share, edges, color=colour, fill=True, alpha=0.35)
        ax.stairs(share, edges, color=colour, label=label)
    name_axis(ax.xaxis, words(distribution.signal), table.signals[distribution.signal].unit)
    name_axis(ax.yaxis, f"share in one of {_BINS} bins", "1")
    ax.legend(title=words(next(iter(table.axes))) if table.axes else None, title_fontsize=8.0)
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
    ax.plot(pulse, points.spice, ".", color=QUIET, markersize=3, label="held-out reads")
    ax.plot(pulse, points.fit, color=BLUE, label="simulated from the table")
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
    axis = next(iter(table.axes.values()))
    middle = tuple(size // 2 for size in table.shape[1:])
    places = []
    for index, colour in zip(spread(axis.values.size, _PLACES), (BLUE, GREEN, VERMILION), strict=False):
        label = axis.labels[index] if axis.labels else units.text(float(axis.values[index]), axis.unit)
        quantiles = distribution.quantiles[(int(index), *middle)]
        if np.all(np.isfinite(quantiles)):
            places.append((label, quantiles, colour))
    return places


def _name(ax: Axes, table: Table, signal: str, along: str) -> None:
    _name_axis_of(ax.xaxis, table.axes[along], along)
    is_pulse_energy = table.polarity is not None and signal == SET.energy
    name_axis(ax.yaxis, "energy per pulse" if is_pulse_energy else words(signal), table.signals[signal].unit)


def _name_axis_of(axis, quantity: Quantity, name: str) -> None:  # noqa: ANN001  (an axis of either direction)
    if quantity.labels:
        axis.set_ticks(quantity.values, quantity.labels)
        axis.set_label_text(words(name))
    else:
        name_axis(axis, words(name), quantity.unit)


_WORDS: dict[str, str] = {
    READ.g_cell: "conductance",
    READ.v_cell: "cell voltage",
    READ.i_cell: "cell current",
    SET.g_start: "conductance before",
    SET.v_pulse: "pulse voltage",
    SET.delta_g: "change by one pulse",
    WIRES.i_array: "array output current",
}


def words(name: str) -> str:
    """Return the words of a column of the cell's and the wires' tables; the name itself of another, as in the docs."""
    return _WORDS.get(name, name)


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
