"""Waveforms as a picture: one panel for each kind of quantity, against time or the swept quantity."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from rramkit.characterization.deck_file import Label, in_header_order
from rramkit.characterization.waveforms import SCALES, Waveforms
from rramkit.errors import InputError

NAMED, COLUMN = 24, 12  # curves in a panel up to which each gets its name; names under one another
SINGLE = 64  # points of a sweep up to which each is marked: they may have nothing to do with their neighbours
_TITLES = {"V": "voltage", "A": "current"}
_NUMBERS = {"q": "register", "act": "activation", "der": "activation"}  # else a state; by how a name begins


def draw_waveforms(waves: Waveforms, labels: Mapping[str, Label], *, title: str, swept: str = "") -> Figure:
    """Return a figure of all outputs of a run; `swept` says what the abscissa of a sweep is, its unit with it."""
    scale = waves.scale
    panels = _panels(waves, labels)
    wide = 9.5 if any(COLUMN < len(outputs) <= NAMED for outputs in panels.values()) else 8
    figure = Figure(figsize=(wide, 1.2 + 2.3 * len(panels)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, ((kind, unit), outputs) in zip(axes, panels.items(), strict=True):
        draw_panel(ax, waves, outputs, labels, scale=scale, unit=unit)
        ax.set_ylabel(f"{kind} ({unit})")
    axes[-1].set_xlabel("time (s)" if scale == "time" else swept or "swept source (V)" if scale else "point")
    if scale and not swept:
        axes[-1].xaxis.set_major_formatter(EngFormatter(unit="s" if scale == "time" else "V"))
    return figure


def draw_panel(
    ax: Axes, waves: Waveforms, outputs: list[str], labels: Mapping[str, Label], *, scale: str | None, unit: str
) -> Axes:
    """Draw outputs of one unit against the run's scale; return `ax`."""
    if len(outputs) > 10:
        ax.set_prop_cycle(color=matplotlib.colormaps["tab20"].colors)  # pyright: ignore[reportAttributeAccessIssue]
    for output in outputs:
        y = waves[output]
        x = waves.abscissa if scale else range(y.size)
        marked = y.size == 1 or (scale != "time" and y.size <= SINGLE)
        label = labels[output].name if output in labels else output
        ax.plot(x, y, label=label, linewidth=1.2, marker="o" if marked else None, markersize=3)
    if unit != "1":
        ax.yaxis.set_major_formatter(EngFormatter(unit=unit))
    ax.grid(alpha=0.3)
    if len(outputs) <= NAMED:
        columns = 1 + (len(outputs) - 1) // COLUMN
        ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, ncols=columns)
    else:
        ax.set_title(f"{len(outputs)} curves", fontsize=8, loc="right")
    return ax


def save_waveforms(waves: Waveforms, labels: Mapping[str, Label], path: Path, *, title: str, swept: str = "") -> None:
    """Draw a run into a picture file; its suffix says which kind (`check_picture`)."""
    draw_waveforms(waves, labels, title=title, swept=swept).savefig(path, dpi=130)


def check_picture(path: Path) -> None:
    """Raise `InputError` when `path` has no suffix of a picture."""
    suffixes = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in suffixes:
        raise InputError(f"{path}: a picture must end in one of {', '.join(sorted(suffixes))}. Rename it.")


def _panels(waves: Waveforms, labels: Mapping[str, Label]) -> dict[tuple[str, str], list[str]]:
    """Return the outputs of each kind and unit, in the order of the header."""
    panels: dict[tuple[str, str], list[str]] = {}
    for output in in_header_order(waves.vectors, labels):
        if output not in SCALES:
            unit = labels[output].unit if output in labels else "A" if output.startswith("i(") else "V"
            kind = _NUMBERS.get(output.partition("_")[0], "state") if unit == "1" else _TITLES.get(unit, "value")
            panels.setdefault((kind, unit), []).append(output)
    return panels
