"""Waveforms as a picture: one panel for each unit, against time or the swept voltage."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from rramkit.characterization.deck_file import Label, in_header_order
from rramkit.characterization.simulate import SCALES, Waveforms
from rramkit.errors import InputError

NAMED = 8  # curves in a panel up to which each gets its name
_TITLES = {"V": "voltage", "A": "current", "1": "state"}


def draw_waveforms(waves: Waveforms, labels: Mapping[str, Label], *, title: str) -> Figure:
    """Return a figure of all vectors of a run."""
    scale = next((name for name in SCALES if name in waves.vectors), None)
    panels = _panels(waves, labels)
    figure = Figure(figsize=(8, 1.2 + 2.3 * len(panels)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (unit, vectors) in zip(axes, panels.items(), strict=True):
        draw_panel(ax, waves, vectors, labels, scale=scale, unit=unit)
    axes[-1].set_xlabel("time (s)" if scale == "time" else f"{scale or 'point'}" + (" (V)" if scale else ""))
    axes[-1].xaxis.set_major_formatter(EngFormatter(unit="s" if scale == "time" else ""))
    return figure


def draw_panel(
    ax: Axes, waves: Waveforms, vectors: list[str], labels: Mapping[str, Label], *, scale: str | None, unit: str
) -> Axes:
    """Draw vectors of one unit against the run's scale; return `ax`."""
    for vector in vectors:
        y = waves[vector]
        x = waves[scale] if scale else range(y.size)
        label = labels[vector].name if vector in labels else vector
        ax.plot(x, y, label=label, linewidth=1.2, marker="o" if y.size == 1 else None)
    ax.set_ylabel(f"{_TITLES.get(unit, 'value')} ({unit})")
    if unit != "1":
        ax.yaxis.set_major_formatter(EngFormatter(unit=unit))
    ax.grid(alpha=0.3)
    if len(vectors) <= NAMED:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    else:
        ax.set_title(f"{len(vectors)} curves", fontsize=8, loc="right")
    return ax


def save_waveforms(waves: Waveforms, labels: Mapping[str, Label], path: Path, *, title: str) -> None:
    """Draw a run into a picture file; its suffix says which kind (`check_picture`)."""
    draw_waveforms(waves, labels, title=title).savefig(path, dpi=130)


def check_picture(path: Path) -> None:
    """Raise `InputError` when `path` has no suffix of a picture."""
    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise InputError(f"{path}: a picture must end in one of {', '.join(sorted(known))}. Rename it.")


def _panels(waves: Waveforms, labels: Mapping[str, Label]) -> dict[str, list[str]]:
    panels: dict[str, list[str]] = {}
    for vector in in_header_order(waves.vectors, labels):
        if vector not in SCALES:
            unit = labels[vector].unit if vector in labels else "A" if vector.startswith("i(") else "V"
            panels.setdefault(unit, []).append(vector)
    return panels
