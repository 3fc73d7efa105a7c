"""Figures as SVG text that stands inside a web page: no outside name, no repeated id, colours that follow the page."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rramkit.files import whole_file
from rramkit.plots.style import BLUE, GREEN, GRID, INK, PURPLE, QUIET, VERMILION, style

WIDTH, HEIGHT = 4.2, 2.9  # inches: at this width 8.5 point text stays readable on a phone
_PAGE_COLOURS = {
    INK: "ink",
    QUIET: "quiet",
    GRID: "grid",
    BLUE: "blue",
    VERMILION: "vermilion",
    GREEN: "green",
    PURPLE: "purple",
}


def svg(draw: Callable[[Axes], object], *, name: str, height: float = HEIGHT) -> str:
    """Return what `draw` puts on a fresh axes as SVG text for a page.

    Parameters
    ----------
    draw : callable
        Takes the axes and draws on it.
    name : str
        Name of the plot, unique in the page: it seeds the names of its clip paths and markers.
    height : float
        Height in inches; the width is `WIDTH`.
    """
    text = io.StringIO()
    with style(), matplotlib.rc_context({"svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, height))
        draw(figure.add_subplot())
        figure.savefig(text, format="svg", dpi=160, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _for_page(text.getvalue())


def save(draw: Callable[[Axes], object], path: Path, *, height: float = HEIGHT) -> None:
    """Write what `draw` puts on a fresh axes to a file of its own, in the format of its suffix (svg, png, pdf)."""
    with style(), whole_file(path) as draft:
        figure = Figure(figsize=(WIDTH, height), facecolor="white")
        draw(figure.add_subplot())
        figure.savefig(draft, dpi=200)


def _for_page(text: str) -> str:
    """Drop what only a file of its own needs, and let the page's style sheet choose the named colours."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata)>.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", text)  # `axes_1` and the like: repeated in every figure, never used
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour, name in _PAGE_COLOURS.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return re.sub(r">\s+<", "><", text)
