"""Figures as picture files, and as SVG text inside a web page.

In a page there is no external name and no repeated id, and the colours follow the page.
"""

import io
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from rramkit.errors import InputError
from rramkit.files import whole_file
from rramkit.plots.style import BLUE, GREEN, GRID, INK, PURPLE, QUIET, VERMILION, style

WIDTH, HEIGHT = 4.2, 2.9  # inches: at this width 8.5 point text stays readable on a phone
_TITLE = 78  # characters of a line of a title (1): as many as the width of a picture holds
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
    """Return what `draw` draws on new axes, as SVG text for a page.

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
        _laid_out(figure)
        figure.savefig(text, format="svg", dpi=160, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _for_page(text.getvalue())


def _laid_out(figure: Figure) -> None:
    """Place the axes of a figure for good: `savefig` would draw all of it once more, to no file, for that."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def save(draw: Callable[[Axes], object], path: Path, *, title: str = "", height: float = HEIGHT) -> None:
    """Draw on new axes and write a picture that is whole or absent; the suffix of `path` is its format."""
    with style(), matplotlib.rc_context({"svg.hashsalt": title, "svg.fonttype": "path"}), whole_file(path) as draft:
        figure = Figure(figsize=(1.35 * WIDTH, 1.35 * height), facecolor="white")
        if title:
            figure.suptitle(textwrap.fill(title, _TITLE), x=0.01, ha="left", fontsize=9.5)
        draw(figure.add_subplot())
        _laid_out(figure)
        figure.savefig(draft, dpi=160)


def check_picture(path: Path) -> None:
    """Raise `InputError` when `path` has no suffix of a picture format."""
    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in formats:
        raise InputError(f"{path}: a picture must end in one of {', '.join(sorted(formats))}. Rename it.")


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
